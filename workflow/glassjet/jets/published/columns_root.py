"""Columns of ROOT files: branches of a tree (TTree or RNTuple). What is read ahead, `trees` says."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from glassjet.errors import InputError
from glassjet.jets.published.columns import Column, Lists, Values, rectangle
from glassjet.jets.published.trees import Tree, open_tree, read_branches, reason, require_whole


class RootTable:
    """An open tree."""

    def __init__(self, path: Path, tree: Tree) -> None:
        self.path = path
        self._tree = tree
        self._names = tree.keys()
        self._short = {name.rsplit("/", 1)[-1]: name for name in reversed(self._names)}
        self._columns: dict[str, Column] = {}

    def names(self) -> list[str]:
        """All branches."""
        return self._names

    def column(self, name: str) -> Column | None:
        """What a branch holds, as its first row says; None for a name that does not exist."""
        if name not in self._names and name not in self._short:
            return None
        if name not in self._columns:
            branch = self._short.get(name, name)
            array = read_branches(self._tree, [branch], 0, 1, self.path)[branch]
            self._columns[name] = _column(array.type.content, self._tree.num_entries)
        return self._columns[name]

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Values]:
        """Rows of some branches."""
        branches = {name: self._short.get(name, name) for name in names}
        arrays = read_branches(self._tree, list(branches.values()), start, stop, self.path)
        return {name: self._values(name, arrays[branch]) for name, branch in branches.items()}

    def _values(self, name: str, array: Any) -> Values:
        content = array.type.content
        if isinstance(content, ak.types.ListType) and "__array__" not in content.parameters:
            counts = ak.to_numpy(ak.num(array, axis=1))
            inner = self._values(name, ak.flatten(array, axis=1))
            flat = rectangle(inner, self.path, name) if isinstance(inner, Lists) else inner
            return Lists(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), flat)
        return np.asarray(ak.to_numpy(array))


def _column(content: Any, rows: int) -> Column:
    shape: list[int | None] = []
    said = str(content)
    while isinstance(content, ak.types.ListType | ak.types.RegularType) and "__array__" not in content.parameters:
        shape.append(content.size if isinstance(content, ak.types.RegularType) else None)
        content = content.content
    text = content.parameters.get("__array__") in ("string", "bytestring")
    number = isinstance(content, ak.types.NumpyType) and not content.parameters
    kind = "text" if text else "number" if number else ""
    return Column(kind, str(content) if number else "text" if text else said, tuple(shape), rows)


def trees_of(path: Path) -> list[str]:
    """The trees of a ROOT file that have rows, the longest first."""
    require_whole(path)
    try:
        with uproot.open({str(path): None}) as file:
            classes = file.classnames(cycle=False)
            names = [name for name, kind in classes.items() if kind in ("TTree", "ROOT::RNTuple")]
            rows = {name: int(file[name].num_entries) for name in names}
    except Exception as error:  # whatever the parser stumbles over
        raise InputError(f"{path}: damaged ({reason(error)}); download or make it again") from None
    if not rows:
        raise InputError(f"{path}: holds no tree")
    return sorted([name for name in rows if rows[name]] or rows, key=lambda name: -rows[name])


@contextmanager
def open_root_table(path: Path, tree: str | None) -> Iterator[RootTable]:
    """Open a tree; without a name the only one that has rows."""
    if tree is None:
        tree, *others = trees_of(path)
        if others:
            raise InputError(
                f"{path}: has several trees ({', '.join([tree, *others][:5])}); name one with the key tree"
            )
    with open_tree(path, tree) as opened:
        yield RootTable(path, opened)
