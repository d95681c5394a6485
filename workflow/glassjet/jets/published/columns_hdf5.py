"""Columns of HDF5 files: datasets with the rows as their first axis, and fields of compound ones.

Read ahead: stored chunks are kept decompressed up to CACHE bytes of each dataset. Of a dataset with larger chunks each
piece decompresses its chunk again: slow, but never more than one chunk in memory.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from glassjet.errors import InputError
from glassjet.jets.published.columns import Column, Lists, Values, missing

CACHE = 16 * 2**20
KINDS = {"b": "number", "i": "number", "u": "number", "f": "number", "S": "text", "U": "text"}
FAILURES = (OSError, RuntimeError, KeyError, ValueError, TypeError)  # what h5py raises of a damaged file


def is_compound(item: Any) -> bool:
    """Whether it is a dataset with named fields."""
    return isinstance(item, h5py.Dataset) and item.dtype.names is not None


class Hdf5Table:
    """An open file, or a group or compound dataset of it."""

    def __init__(self, path: Path, file: h5py.File, tree: str | None) -> None:
        self.path = path
        self._datasets: dict[str, h5py.Dataset] = {}  # kept open, with their caches
        self._places: dict[str, tuple[str, str | None]] = {}  # name -> dataset, field
        base: Any = file
        if tree is not None:
            base = file.get(tree)
            if base is None:
                groups: list[str] = []
                file.visititems(lambda name, item: groups.append(name) if _may_be_base(item) else None)
                raise missing(path, tree, groups, "key tree", "group")
            if not _may_be_base(base):
                raise InputError(f"{path}: {tree!r} (key tree) is neither a group nor a dataset with named fields")
        while tree is None and isinstance(base, h5py.Group) and len(base) == 1:
            (only,) = base.values()
            if not _may_be_base(only):
                break
            base = only
        self._prefix = base.name.strip("/") + "/"
        if is_compound(base):
            self._add("", base)
        else:
            base.visititems(self._add)

    def _add(self, name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or not item.shape:
            return
        self._datasets[name] = item
        if is_compound(item):
            self._places |= {f"{name}/{field}".strip("/"): (name, field) for field in item.dtype.names}
        else:
            self._places[name] = (name, None)

    def _key(self, name: str) -> str:
        name = name.strip("/")
        return name if name in self._places else name.removeprefix(self._prefix)

    def names(self) -> list[str]:
        """All columns."""
        return list(self._places)

    def column(self, name: str) -> Column | None:
        """What a column holds; None for a name that does not exist."""
        if self._key(name) not in self._places:
            return None
        at, field = self._places[self._key(name)]
        data = self._datasets[at]
        dtype = data.dtype if field is None else data.dtype[field]
        shape: tuple[int | None, ...] = (*data.shape[1:], *dtype.shape)
        dtype = dtype.base
        text = h5py.check_string_dtype(dtype) is not None
        inner = None if text else h5py.check_vlen_dtype(dtype)
        if inner is not None:
            dtype, shape = np.dtype(inner), (*shape, None)
        return Column("text" if text else KINDS.get(dtype.kind, ""), "text" if text else str(dtype), shape, len(data))

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Values]:
        """Rows of some columns; the fields of a dataset are read together."""
        wanted: dict[str, list[str]] = {}
        for name in names:
            wanted.setdefault(self._places[self._key(name)][0], []).append(name)
        out: dict[str, Values] = {}
        for at, here in wanted.items():
            data = self._datasets[at]
            fields = [self._places[self._key(name)][1] for name in here]
            try:
                block = data[start:stop] if fields == [None] else data.fields(fields)[start:stop]
            except FAILURES as error:
                raise InputError(f"{self.path}: {here[0]!r} {why(error, f'near row {start}')}") from None
            for name, field in zip(here, fields, strict=True):
                out[name] = self._values(name, block if field is None else block[field])
        return out

    def _values(self, name: str, block: Any) -> Values:
        column = self.column(name)
        if column is None or column.kind != "number" or block.dtype != object:
            if column is not None and column.kind == "text":
                return np.char.decode(block.astype("S"), "utf-8", "replace")
            return np.asarray(block)
        if block.ndim > 1:
            raise InputError(f"{self.path}: {name!r} has lists within lists; lists of numbers are needed")
        counts = np.fromiter(map(len, block), np.int64, len(block))
        flat = np.concatenate(block) if len(block) else np.zeros(0, column.type)
        return Lists(np.concatenate([[0], np.cumsum(counts)]), flat)


def _may_be_base(item: Any) -> bool:
    return isinstance(item, h5py.Group) or is_compound(item)


def why(error: Exception, where: str) -> str:
    """What is wrong if HDF5 cannot open or read."""
    said = " ".join(str(error).split())
    if "filter" in said or "plugin" in said:
        return "is compressed in a way that HDF5 alone cannot read; install the package hdf5plugin"
    return f"cannot be read {where}: damaged or truncated ({said[:100]}); make it again"


@contextmanager
def open_hdf5_table(path: Path, tree: str | None) -> Iterator[Hdf5Table]:
    """Open a file; compression beyond HDF5's own is read where the package hdf5plugin is there."""
    with suppress(ImportError):
        import hdf5plugin  # noqa: F401  (importing it registers the filters)
    try:
        file = h5py.File(path, "r", rdcc_nbytes=CACHE)
    except OSError as error:
        raise InputError(f"{path}: {why(error, 'at all')}") from None
    with file:
        try:
            table = Hdf5Table(path, file, tree)
        except FAILURES as error:
            raise InputError(f"{path}: {why(error, 'at all')}") from None
        yield table
