"""The config's schema, its README, the studies and the verbs agree."""

import argparse
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from glassjet.cli import import_jets
from glassjet.cli.main import module_of
from glassjet.jets import store
from glassjet.jets.keys import KEYS, TRACKS
from glassjet.jets.published.datasets import DATASETS
from glassjet.observables.registry import SET_SOURCES, SETS
from glassjet.ranking.scores import MASKING_METHODS
from glassjet.taggers.registry import TAGGERS
from rules import crosschecks, settings

ROOT = Path(__file__).parents[2]
SCHEMA_FILE = ROOT / "workflow" / "schemas" / "config.schema.yaml"
SCHEMA: dict[str, Any] = yaml.safe_load(SCHEMA_FILE.read_text())
STUDIES = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests" / "mini.yaml"]
WORDS = {"integer": "whole number", "number": "number", "string": "word", "boolean": "true or false"}
NAMED = {"samples": "<sample>", "tasks": "<task>", "methods": "<tagger>"}


def kind(schema: dict[str, Any]) -> str:
    """The type of a key in the words of the README."""
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema["type"] == "array":
        many = f"{schema['minItems']} " if schema.get("maxItems") else ""
        if schema["items"].get("type") == "object":
            return "list of keys with values"
        one = kind(schema["items"])
        return f"list out of {one}" if "enum" in schema["items"] else f"list of {many}{one}s"
    return WORDS[schema["type"]]


def keys(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that holds a value, with its schema; sections are followed, and a section without keys is none."""
    if "$ref" in schema:
        schema = {**settings.resolved(None, schema, SCHEMA), "type": "object"}
    if schema.get("type") != "object":
        yield path, schema
        if schema.get("items", {}).get("type") == "object":
            yield from keys(schema["items"], f"{path}[]")
        return
    for name, sub in schema.get("properties", {}).items():
        if sub:
            yield from keys(dict(settings.resolved(None, sub, SCHEMA)), f"{path}.{name}" if path else name)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        place = f"{path}.{NAMED[path.rpartition('.')[2]]}"
        if "allOf" in others:
            yield from keys({"type": "object", "properties": others["properties"]}, place)
            for branch in others["allOf"]:
                yield from keys(dict(settings.resolved(None, branch["then"], SCHEMA)), place)
        else:
            yield from keys(others, place)


def rows() -> list[str]:
    """The rows that the README's tables must have, one for each key; taggers share theirs, and splits."""
    found = []
    for full, schema in keys(SCHEMA):
        path = re.sub(r"^taggers\.(mbns|pfn|xaug_dnn|xaug_image)\.", "taggers.<tagger>.", full)
        path = re.sub(r"\.jets\.[a-z]+\.", ".jets.<split>.", path)
        default = f"`{json.dumps(schema['default'])}`" if "default" in schema else "–"
        found.append(f"| `{path}` | {kind(schema)} | {schema.get('unit', '–')} | {default} | {schema['description']} |")
    return list(dict.fromkeys(found))


def test_readme_explains_every_key_and_no_other() -> None:
    lines = (ROOT / "config" / "README.md").read_text().splitlines()
    written = [line for line in lines if line.startswith("| `") and ".yaml` |" not in line]
    assert sorted(written) == sorted(rows())


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_study_is_valid_and_says_every_key_of_its_sections(study: Path) -> None:
    config = yaml.safe_load(study.read_text())
    assert settings.complete(config, SCHEMA_FILE, study.name)["study"] == study.stem


def test_every_key_is_described_and_no_section_takes_unknown_keys() -> None:
    def check(schema: dict[str, Any], path: str) -> None:
        if schema.get("properties") and "allOf" not in schema:
            assert schema.get("additionalProperties") is False, path
        for name, sub in schema.get("properties", {}).items():
            if sub:
                assert settings.resolved(None, sub, SCHEMA).get("description") or "$ref" in sub, f"{path}.{name}"
                check(sub, f"{path}.{name}")
        for name in ("items", "additionalProperties"):
            if isinstance(schema.get(name), dict):
                check(schema[name], f"{path}.{name}")

    check(SCHEMA, "")
    for name, section in SCHEMA["$defs"].items():
        check(section, name)


def test_readme_lists_the_sets_of_variables() -> None:
    lines = (ROOT / "config" / "README.md").read_text().splitlines()
    for name, members in SETS.items():
        assert f"| {name} | {len(members)} | {SET_SOURCES[name]} |" in lines


def test_what_the_schema_lists_is_what_there_is() -> None:
    assert set(SCHEMA["properties"]["taggers"]["properties"]) == set(TAGGERS)
    sources = SCHEMA["properties"]["samples"]["additionalProperties"]["properties"]["source"]["enum"]
    assert set(sources) == {"pythia", "toy", "own", *import_jets.FORMATS}
    assert set(crosschecks.GIVES) == set(sources)
    assert {dataset.format for dataset in DATASETS.values()} <= set(import_jets.FORMATS)
    assert crosschecks.SPLITS == store.SPLITS
    assert set(crosschecks.MASKING) == set(MASKING_METHODS)


def test_the_keys_of_a_card_are_those_of_a_sample_of_pythia() -> None:
    kinds = {float: "number", int: "integer", bool: "boolean", str: "string"}
    properties = SCHEMA["$defs"]["pythia"]["properties"]
    assert set(properties) - set(KEYS) == {"source", "card", "seed", "shard_size", "jets", "variables"}
    for name, key in KEYS.items():
        schema = properties[name]
        assert schema["description"] == key.text
        assert schema.get("unit", "") == key.unit
        assert "default" not in schema  # it stands in the card, or in the code
        if name == "tracks":
            assert tuple(schema["enum"]) == TRACKS
        elif key.count == 1:
            assert schema["type"] == kinds[key.kind]
        else:
            assert schema["items"]["type"] == kinds[key.kind]
            assert schema.get("minItems", 0) == schema.get("maxItems", 0) == key.count


def options(verb: str) -> dict[str, argparse.Action]:
    """The options of a verb by their names."""
    parser = argparse.ArgumentParser()
    importlib.import_module(module_of(verb)).add_arguments(parser)
    return {name: action for action in parser._actions for name in action.option_strings}


ON_OFF = ("on", "off")
EXCEPT = {("observe", "variables"), ("reduce", "methods"), ("reduce", "random")}  # by hand nothing is chosen
SECTIONS = {
    ("train", "fit"): SCHEMA["$defs"]["fit"],
    ("train", "mass_tau32"): SCHEMA["properties"]["taggers"]["properties"]["mass_tau32"],
    ("generate", "pythia"): SCHEMA["$defs"]["pythia"],
    ("toy", "toy"): SCHEMA["$defs"]["toy"],
    ("import", "published"): SCHEMA["$defs"]["published"],
    ("observe", "observables"): SCHEMA["properties"]["observables"],
    ("score", "score"): SCHEMA["properties"]["score"],
    ("explain", "explain"): SCHEMA["properties"]["explain"],
    ("rank", "rank"): SCHEMA["properties"]["rank"],
    ("reduce", "reduce"): SCHEMA["properties"]["reduce"],
    ("reduce", "fit"): SCHEMA["$defs"]["fit"],
    ("paper", "paper"): SCHEMA["properties"]["paper"],
}


@pytest.mark.parametrize(("verb", "section"), SECTIONS)
def test_keys_are_flags_of_the_verb_with_the_same_default(verb: str, section: str) -> None:
    known = options(verb)
    for name, schema in SECTIONS[verb, section]["properties"].items():
        of_rules = [("explain", "methods"), *((each, "variables") for each in ("generate", "toy", "import"))]
        of_rules += [("import", "files"), ("import", "columns")]  # the words of a command, and the format
        if name in ("source", "jets", "taggers") or (verb, name) in of_rules:
            continue  # for the rules: which jobs there are
        flag = "--" + name.replace("_", "-")
        assert flag in known, f"{verb} has no {flag}"
        default = known[flag].default
        if "default" in schema and default is not None and (verb, name) not in EXCEPT:
            plain = list(default) if isinstance(default, tuple) else default == "on" if default in ON_OFF else default
            assert schema["default"] == plain, f"{verb} {flag}"
