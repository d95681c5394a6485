"""The config of a study: checked before any job starts, defaults filled in, and turned into flags of the verbs.

Two passes. The schema says which keys there are and what each can hold; the cross-checks say what no schema can: that a
task's sample exists, that a tagger can take its features, that a method can explain it. Every complaint is one line
that names the key and the way out.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from glassjet.errors import unknown
from rules import crosschecks

Config = dict[str, Any]
KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a word",
    "array": "a list",
    "object": "keys with values",
    "boolean": "true or false",
}
LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


class ConfigError(Exception):
    """What is wrong with a config, one line each, the first line first."""

    def __init__(self, source: str, lines: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {line}" for line in lines))


def complete(config: Mapping[str, Any], schema_file: Path, source: str) -> Config:
    """The config with its defaults filled in, if nothing is wrong with it.

    Parameters
    ----------
    config : mapping
        As read from the YAML files.
    schema_file : Path
        JSON schema, written as YAML.
    source : str
        Where the config comes from, for the messages.

    Raises
    ------
    ConfigError
        With one line for each thing that is wrong.
    """
    schema = yaml.safe_load(schema_file.read_text())
    if lines := list(dict.fromkeys(against_schema(config, schema))):
        raise ConfigError(source, lines)
    filled: Config = with_defaults(config, schema, schema)
    if lines := list(crosschecks.complaints(filled)):
        raise ConfigError(source, lines)
    return filled


def with_defaults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """A copy of a valid value in which every key that has a default is there."""
    schema = resolved(value, schema, root)
    if isinstance(value, list):
        return [with_defaults(item, schema.get("items", {}), root) for item in value]
    if not isinstance(value, Mapping):
        return value
    filled = dict(value)
    properties = schema.get("properties", {})
    for name, sub in properties.items():
        sub = resolved(None, sub, root)
        if name not in filled and "default" in sub:
            filled[name] = deepcopy(sub["default"])
    others = schema.get("additionalProperties") or {}
    return {name: with_defaults(item, properties.get(name, others), root) for name, item in filled.items()}


def resolved(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with its `$ref` followed, and with the branches that hold for a value merged in."""
    if "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = {**resolved(value, found, root), **{name: item for name, item in schema.items() if name != "$ref"}}
    for branch in schema.get("allOf", []):
        if jsonschema.Draft202012Validator(branch["if"]).is_valid(value):
            schema = {**schema, **resolved(value, branch["then"], root)}
    return schema


def against_schema(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """What the schema forbids, in words."""
    errors = jsonschema.Draft202012Validator(schema).iter_errors(config)
    for error in sorted(errors, key=lambda error: [str(step) for step in error.absolute_path]):
        yield from _in_words(error)


def _in_words(error: jsonschema.ValidationError) -> Iterator[str]:
    key = _path(error.absolute_path)
    place = f"{key}: " if key else ""
    value, limit, schema = error.instance, error.validator_value, error.schema
    about = f" ({schema['description']})" if "description" in schema else ""
    match error.validator:
        case "additionalProperties":
            for name in value:
                if name not in schema["properties"]:
                    yield f"{place}{unknown('key', str(name), schema['properties'])}"
        case "required":
            for name in limit:
                if name not in value:
                    sub = schema.get("properties", {}).get(name, {})
                    yield f"{place}the key {name!r} is missing; add it: {sub.get('description', '')}"
        case "type":
            yield f"{place}{_shown(value)} is not {KINDS[limit]}{_hint(value, limit)}{about}"
        case "enum":
            kind = str(error.absolute_path[-1]) if isinstance(error.absolute_path[-1], str) else "entry"
            yield f"{place}{unknown(kind, str(value), map(str, limit))}"
        case "pattern":
            yield f"{place}{_shown(value)} cannot name a file; use letters, digits and underscores{about}"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            yield f"{place}{_shown(value)} is out of range; give {LIMITS[error.validator]} {limit}{about}"
        case "minItems" | "minProperties":
            yield f"{place}{len(value)} entries are too few; give at least {limit}{about}"
        case "maxItems":
            yield f"{place}{len(value)} entries are too many; give at most {limit}{about}"
        case "uniqueItems":
            yield f"{place}an entry of {_shown(value)} stands twice; name each once{about}"
        case _:
            yield f"{place}{error.message}{about}"


def _path(steps: Any) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _shown(value: Any) -> str:
    text = "an empty value" if value is None else repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def _hint(value: Any, kind: str) -> str:
    """How to write what was meant: YAML takes 3e-4 for a word."""
    if kind in ("number", "integer") and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return ""
        if kind == "number" or number.is_integer():
            return f"; write {number if kind == 'number' else int(number)}"
    return f"; write [{value}]" if kind == "array" and isinstance(value, str | int | float) else ""


def flags(section: Mapping[str, Any], without: Iterable[str] = ()) -> str:
    """A section of the config as flags of a verb, by name: `batch_size: 250` is `--batch-size 250`."""
    words: list[str] = []
    for name in sorted(set(section) - set(without)):
        value = section[name]
        if value == []:
            continue
        words.append("--" + name.replace("_", "-"))
        if isinstance(value, bool):
            words.append("on" if value else "off")
        elif isinstance(value, list):
            words += (shlex.quote(str(one)) for one in value)
        else:
            words.append(shlex.quote(str(value)))
    return " ".join(words)
