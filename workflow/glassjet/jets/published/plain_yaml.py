"""YAML files as plain data, and checks of what stands in them: each refusal is one line with the file and the key."""

import math
import reprlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from glassjet.errors import InputError, existing, unknown

LARGEST = 100_000  # bytes
TODO = "TODO"  # where a draft could not guess


def duplicates(node: Any, seen: set[int]) -> Iterator[tuple[str, int]]:
    """Keys that stand twice in one mapping, of which YAML would take the last, and their lines; below a YAML node."""
    if id(node) in seen:  # an alias: each node is looked at once, however often it is named
        return
    seen.add(id(node))
    found = set()
    for entry in node.value if node.id in ("mapping", "sequence") else ():
        if node.id == "sequence":
            yield from duplicates(entry, seen)
            continue
        key, value = entry
        yield from duplicates(value, seen)
        if key.id == "scalar":
            if key.value in found:
                yield key.value, key.start_mark.line + 1
            found.add(key.value)


def content_of(path: Path) -> dict[str, Any]:
    """What a YAML file holds, as a mapping; nothing but plain data is made of it.

    Raises
    ------
    InputError
        For what is no YAML (with the line), tags that would make Python objects, keys that stand twice, and no mapping.
    """
    if existing(path).stat().st_size > LARGEST:
        raise InputError(f"{path}: too large for a YAML that names columns; is it the file of jets?")
    try:
        import yaml
    except ImportError:
        raise InputError(f"{path}: is YAML; install the package pyyaml to read it") from None
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        for key, line in duplicates(node, set()) if node else ():
            raise InputError(f"{path}: line {line}: the key {key!r} stands twice; name it once")
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line_of = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InputError(f"{path}: {line_of}not YAML ({' '.join(str(error.problem).split())})") from None
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())[:100]})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {short(content)}, not keys with values such as `level: detector`")
    return content


def short(value: Any) -> str:
    """A value on a short line, however deep it is."""
    return reprlib.repr(value)


def refusal(path: Path, key: str, text: str) -> InputError:
    """The error for what stands at a key."""
    return InputError(f"{path}: {key}: {text}")


def require_known(path: Path, key: str, names: Iterable[Any], known: Iterable[str], kind: str = "key") -> None:
    """Refuse a name that is not among the known ones; the message has the nearest."""
    known = list(known)
    for name in names:
        if name not in known:
            raise refusal(path, key, str(unknown(kind, str(name), known)))


def column(path: Path, key: str, value: Any) -> str:
    """The name of a column: `name` as it stands, `{name: [2]}` as `name[2]`."""
    if value == TODO:
        raise refusal(path, key, f"is still {TODO}; name the column, or remove the key")
    if isinstance(value, dict) and len(value) == 1:
        ((name, index),) = value.items()
        if isinstance(name, str) and isinstance(index, list) and len(index) == 1 and type(index[0]) is int:
            value = f"{name}[{index[0]}]" if index[0] >= 0 else value
    if not isinstance(value, str) or not value:
        hint = "give `name` or `{name: [index]}`, a number or a word such as yes in quotes"
        raise refusal(path, key, f"{short(value)} is not a column; {hint}")
    return value


def mapping(path: Path, key: str, value: Any) -> dict[Any, Any]:
    """A mapping that is not empty."""
    if value == TODO:
        raise refusal(path, key, f"is still {TODO}; fill it in")
    if not isinstance(value, dict) or not value:
        raise refusal(path, key, f"{short(value)} is no mapping; give `name: column`")
    return value


def values(path: Path, key: str, value: Any) -> tuple[Any, ...]:
    """A list of numbers, words or truth values, none of them twice."""
    if not isinstance(value, list) or not all(isinstance(one, int | float | str) and one == one for one in value):
        raise refusal(path, key, f"{short(value)} is no list of numbers or words; give [a, b]")
    for place, one in enumerate(value):
        if one == TODO:
            raise refusal(path, key, f"is still {TODO}; fill it in")
        if one in value[:place]:
            raise refusal(path, key, f"{short(one)} stands twice; name it once")
    return tuple(value)


def positive(path: Path, key: str, value: Any) -> float:
    """A number above zero."""
    if value == TODO:
        raise refusal(path, key, f"is still {TODO}; give a number")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise refusal(path, key, f"{short(value)} is not a positive number")
    return float(value)
