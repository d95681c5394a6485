"""Columns of anybody's file, HDF5, ROOT or Parquet, told apart by their first bytes and read in pieces.

A column has for each row a number, text, a list of numbers (of any length, or padded), or a list of short arrays of
numbers, of which `X[2]` is place 2. Names are those of the file:

    HDF5      datasets below the prefix, `group/dataset`; fields of a compound one `dataset/field`
    ROOT      branches of one tree; the last part of `Jet/Jet.pt` is enough
    Parquet   columns; fields of a struct, or of a list of structs, `column.field`

Read ahead: see the modules of the three.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError, existing

MAGIC = {b"root": "ROOT", b"PAR1": "Parquet", b"PARE": "Parquet", b"\x89HDF": "HDF5"}


@dataclass(frozen=True)
class Column:
    """What a column holds for each row.

    Attributes
    ----------
    kind : str
        "number", "text", or "" for what cannot be used.
    type : str
        As the file says it.
    shape : tuple of int or None
        () one for each row, (None,) a list of any length, (200,) a padded one, (None, 4) a list of arrays, …
    rows : int
    """

    kind: str
    type: str
    shape: tuple[int | None, ...]
    rows: int


@dataclass(frozen=True)
class Lists:
    """A list for each row: `values[offsets[i]:offsets[i + 1]]`, the entries numbers or arrays of one shape."""

    offsets: NDArray[np.int64]
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.offsets) - 1


Values = NDArray[Any] | Lists


class Table(Protocol):
    """An open file."""

    path: Path

    def names(self) -> list[str]:
        """All columns, usable or not."""

    def column(self, name: str) -> Column | None:
        """What a column holds; None for a name that does not exist."""

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Values]:
        """Rows of some columns; cheapest with the same names each time, and each `start` the last `stop`."""


def missing(path: Path, name: str, known: Iterable[str], key: str = "", kind: str = "column") -> InputError:
    """The error for a column that a file lacks; `key` says who wants it."""
    known = list(known)
    near = (
        get_close_matches(name, known, n=1)
        or sorted((one for one in known if one.lower().endswith(name.lower())), key=len)[:1]
    )
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known[:5])}{', …' if len(known) > 5 else ''}"
    return InputError(f"{path}: no {kind} {name!r}{key and f' ({key})'}; {hint}")


def place_of(table: Table, name: str) -> tuple[str, int | None]:
    """`X[2]` as the column and the place in its last axis; a column that is called so has precedence."""
    found = re.fullmatch(r"(.+)\[(\d+)\]", name)
    return (name, None) if not found or table.column(name) else (found[1], int(found[2]))


def column_of(table: Table, name: str, key: str = "") -> Column:
    """What a column, or a place of it, holds; `key` goes into the message if there is none."""
    base, place = place_of(table, name)
    column = table.column(base)
    if column is None:
        raise missing(table.path, base, table.names(), key)
    if place is None:
        return column
    if not column.shape:
        raise InputError(f"{table.path}: {base!r}{key and f' ({key})'} has one value in each row, so no place {place}")
    last = column.shape[-1]
    if last is not None and place >= last:
        raise InputError(f"{table.path}: {base!r}{key and f' ({key})'} has the places 0 to {last - 1}, not {place}")
    return Column(column.kind, column.type, column.shape[:-1], column.rows)


def read_columns(table: Table, names: Sequence[str], start: int, stop: int) -> dict[str, Values]:
    """Rows start:stop of columns, or of places of them."""
    places = {name: place_of(table, name) for name in names}
    for base, _ in places.values():
        column_of(table, base)
    whole = table.read(sorted({base for base, _ in places.values()}), start, stop)
    out = {}
    for name, (base, place) in places.items():
        values = whole[base]
        if place is None:
            out[name] = values
        elif isinstance(values, Lists) and values.values.ndim > 1:
            out[name] = Lists(values.offsets, _at(values.values, place, table.path, base))
        else:
            array = rectangle(values, table.path, base) if isinstance(values, Lists) else values
            out[name] = _at(array, place, table.path, base)
    return out


def _at(array: NDArray[Any], place: int, path: Path, name: str) -> NDArray[Any]:
    if len(array) and place >= array.shape[-1]:
        raise InputError(f"{path}: {name!r} has the places 0 to {array.shape[-1] - 1}, not {place}")
    return array[..., place] if len(array) else array.reshape(0)


def rectangle(lists: Lists, path: Path, name: str) -> NDArray[Any]:
    """Lists that are all equally long, as an array (n, length)."""
    counts = np.diff(lists.offsets)
    if len(counts) and (counts != counts[0]).any():
        found = f"{counts.min()} to {counts.max()} entries"
        raise InputError(f"{path}: the innermost lists of {name!r} have {found}; a place needs them equally long")
    return lists.values.reshape(len(counts), -1) if len(counts) else np.zeros((0, 0))


def as_lists(values: Values) -> Lists:
    """Padded lists (n, length) as lists of equal lengths; the padding is still in them."""
    if isinstance(values, Lists):
        return values
    return Lists(np.arange(len(values) + 1, dtype=np.int64) * values.shape[1], values.reshape(-1))


def require_uproot(path: Path) -> None:
    """Refuse a ROOT file where the packages that read it are missing."""
    for package in ("awkward", "uproot"):
        if find_spec(package) is None:
            raise InputError(f"{path}: is a ROOT file; install the package {package} to read it")


@contextmanager
def open_table(path: Path, tree: str | None = None) -> Iterator[Table]:
    """Open a file; `tree` is the tree of a ROOT file, of HDF5 the group or dataset; the only one without it."""
    with existing(path).open("rb") as file:
        kind = MAGIC.get(file.read(4)) or ("HDF5" if h5py.is_hdf5(path) else None)
    if kind == "HDF5":
        from glassjet.jets.published.columns_hdf5 import open_hdf5_table

        opened: AbstractContextManager[Table] = open_hdf5_table(path, tree)
    elif kind == "ROOT":
        require_uproot(path)
        from glassjet.jets.published.columns_root import open_root_table

        opened = open_root_table(path, tree)
    elif kind == "Parquet":
        from glassjet.jets.published.columns_parquet import open_parquet_table

        opened = open_parquet_table(path, tree)
    else:
        raise InputError(f"{path}: neither an HDF5, nor a ROOT, nor a Parquet file")
    with opened as table:
        yield table
