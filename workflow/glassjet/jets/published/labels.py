"""Which class a jet of somebody's file is of: the key `label` of the YAML (see `layout`), and what the columns say."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.published import one_hot
from glassjet.jets.published import plain_yaml as check
from glassjet.jets.published.plain_yaml import TODO, refusal, require_known, short

ROLES = ("signal", "background")


@dataclass(frozen=True)
class Label:
    """How a jet's class is told: by the values of a column, a column for each class, or one class for the whole file.

    Attributes
    ----------
    classes, signal, background : tuple of str
        All classes, and those that are signal and background if nobody asks for others.
    column : str or None
        The column whose `values` (value -> number of the class, -1 for one that nobody wants) tell the class.
    columns : tuple of str
        A column of 0 and 1 for each class, in their order.
    whole : int
        The class of every jet, if there is no column.
    """

    classes: tuple[str, ...]
    signal: tuple[str, ...]
    background: tuple[str, ...]
    column: str | None = None
    values: dict[Any, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    whole: int = -1


def label_of(path: Path, value: Any) -> Label:
    """The key `label` of the YAML `path`, checked."""
    if value in ROLES:
        return _of_roles({ROLES.index(value)}, whole=ROLES.index(value))
    if isinstance(value, str) and value != TODO:
        raise refusal(path, "label", f"{value!r} is neither signal nor background, nor a mapping {{column: …}}")
    words = check.mapping(path, "label", value)
    return _of_columns(path, words) if "columns" in words else _of_values(path, words)


def _of_columns(path: Path, words: dict[Any, Any]) -> Label:
    require_known(path, "label", words, ("columns", *ROLES))
    columns = check.mapping(path, "label.columns", words["columns"])
    names = tuple(map(str, columns))
    signal, background = (tuple(map(str, check.values(path, f"label.{role}", words.get(role, [])))) for role in ROLES)
    for role, chosen in zip(ROLES, (signal, background), strict=True):
        require_known(path, f"label.{role}", chosen, names, "class")
    if both := set(signal) & set(background):
        raise refusal(path, "label", f"the class {both.pop()!r} is both signal and background")
    of_class = tuple(check.column(path, f"label.columns.{name}", column) for name, column in columns.items())
    return Label(names, signal, background, columns=of_class)


def _of_values(path: Path, words: dict[Any, Any]) -> Label:
    require_known(path, "label", words, ("column", *ROLES, "ignore"))
    if "column" not in words:
        raise refusal(path, "label", "needs a column, or columns for the classes")
    values: dict[Any, int] = {}
    for kind, role in ((0, "signal"), (1, "background"), (-1, "ignore")):
        for one in check.values(path, f"label.{role}", words.get(role, [])):
            if one in values:
                raise refusal(path, f"label.{role}", f"{short(one)} has another meaning already")
            values[one] = kind
    if not set(values.values()) - {-1}:
        raise refusal(path, "label", "no value is signal or background; give signal: [1], background: [0]")
    if len({isinstance(one, str) for one in values}) > 1:
        raise refusal(path, "label", "has both numbers and text; a column has one of them (quotes make text)")
    column = check.column(path, "label.column", words["column"])
    return _of_roles(set(values.values()), column=column, values=values)


def _of_roles(kinds: set[int], **how: Any) -> Label:
    """A label whose classes are signal and background; `kinds` are those that there can be."""
    signal, background = ((name,) if kind in kinds else () for kind, name in enumerate(ROLES))
    return Label(ROLES, signal, background, **how)


def kinds(label: Label, columns: dict[str, NDArray[Any]], n: int, path: Path, start: int) -> NDArray[np.int64]:
    """The class of each jet (n,), -1 for one of none; `path` and `start` (the first row) go into the messages.

    Parameters
    ----------
    columns : dict of arrays (n,)
        Numbers or text, by the names of the file.
    """
    if label.columns:
        hot = np.stack([columns[name].astype(np.float64) for name in label.columns], axis=1)
        return one_hot.kinds(hot, label.columns, path, start)
    if label.column is None:
        return np.full(n, label.whole, np.int64)
    found = columns[label.column]
    kind = np.full(n, -2, np.int64)
    for value, number in label.values.items():
        kind[found == value] = number
    if (bad := kind == -2).any():
        row = int(bad.argmax())
        value = found[row].item() if isinstance(found[row], np.generic) else found[row]
        at = f"{path}: row {start + row}: {label.column} is {short(value)}"
        if value != value:
            raise InputError(f"{at}; remove the row")
        raise InputError(f"{at}, which `label` does not list; add it to signal, background or ignore")
    return kind
