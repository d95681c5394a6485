"""Anybody's jets: the reader of a file whose columns a YAML names (see `layout`).

What is done to the numbers of the constituents, `mapped_constituents` says; further columns of the jets are kept as
they are. The weight is the column `weight`, the event's number `event_number` (int64).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.published.columns import Column, Lists, Table, Values, column_of, open_table, read_columns
from glassjet.jets.published.labels import kinds
from glassjet.jets.published.layout import KINEMATICS, Layout, read_layout
from glassjet.jets.published.mapped_constituents import constituents_of, whole
from glassjet.jets.published.rows import Rows, Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mapping:
    """A reader as `rows` describes it, for the files of one YAML."""

    layout: Layout
    CLASSES: tuple[str, ...]
    SIGNAL: tuple[str, ...]
    BACKGROUND: tuple[str, ...]
    METADATA: dict[str, Any]

    @contextmanager
    def opened(self, path: Path) -> Iterator[Source]:
        """Open a file and check that it has the columns."""
        with open_table(path, self.layout.tree) as table:
            yield MappedFile(self.layout, table)


def reader(path: Path) -> Mapping:
    """The reader that a YAML describes; every mistake in it is one line."""
    layout = read_layout(path)
    if not {"energy", "mass"} & set(layout.constituents):
        log.info("%s: neither energy nor mass of the constituents: they are taken as massless", path)
    known = {"level": layout.level, "radius": layout.radius, "sqrts": layout.sqrts}
    metadata = {name: value for name, value in known.items() if value is not None}
    metadata["source"] = layout.cite or f"own jets, as {path.name} describes them"
    label = layout.label
    return Mapping(layout, label.classes, label.signal, label.background, metadata)


class MappedFile:
    """An open file with the columns of the YAML."""

    def __init__(self, layout: Layout, table: Table) -> None:
        self._layout, self._table = layout, table
        wanted = {key: ("list", column) for key, column in layout.lists().items()}
        wanted |= {key: ("one", column) for key, column in layout.numbers().items()}
        wanted |= {key: ("any", column) for key, column in layout.text().items()}
        rows: dict[str, int] = {}
        for key, (what, name) in wanted.items():
            named = f"{key} in {layout.path.name}"
            column = column_of(table, name, named)
            _require(column, what, table.path, name, named)
            rows[name] = column.rows
        first, *others = rows
        for other in others:
            if rows[other] != rows[first]:
                unequal = f"{first!r} has {rows[first]} rows, but {other!r} {rows[other]}"
                raise InputError(f"{table.path}: {unequal}; all columns need one for each jet")
        self._names = list(rows)
        self._rows = rows[first]

    def __len__(self) -> int:
        return self._rows

    def read(self, start: int, stop: int) -> Rows:
        """Rows start:stop, in GeV and mm."""
        layout, path = self._layout, self._table.path
        values = read_columns(self._table, self._names, start, stop)
        single = {name: _single(values[name]) for name in (layout.numbers() | layout.text()).values()}
        for key, name in layout.numbers().items():
            bad = ~np.isfinite(single[name].astype(np.float64))
            if bad.any():
                row = start + int(bad.argmax())
                raise InputError(f"{path}: row {row}: {name} ({key}) is NaN or infinite; remove the row")
        columns = {key: single[name].astype("f4") for key, name in layout.jet.items() if key not in KINEMATICS}
        if layout.weight is not None:
            columns["weight"] = single[layout.weight].astype(np.float64)
        if layout.event is not None:
            numbers = single[layout.event]
            columns["event_number"] = whole(numbers, np.int64, layout.event, path, np.arange(start, stop))
        constituents = constituents_of(layout, values, single, path, start)
        return Rows(kinds(layout.label, single, stop - start, path, start), constituents, columns)


def _require(column: Column, what: str, path: Path, name: str, key: str) -> None:
    """Refuse a column of another kind or dimension than the YAML says."""
    if column.kind != "number" and not (what == "any" and column.kind == "text"):
        raise InputError(f"{path}: {name!r} ({key}) holds {column.type}, not numbers")
    if len(column.shape) == (what == "list") or (what != "list" and column.shape == (1,)):
        return
    axes = " x ".join("any number" if length is None else str(length) for length in column.shape)
    found = f"{axes} of them" if column.shape else "one number"
    needed = "a list" if what == "list" else "one number"
    hint = f"; {{{name}: [0]}} would be the first of its last axis" if len(column.shape) > (what == "list") else ""
    raise InputError(f"{path}: {name!r} ({key}) has {found} in each row, but {needed} is needed{hint}")


def _single(values: Values) -> NDArray[Any]:
    """One value for each row, from an array (n,) or (n, 1)."""
    return values.values if isinstance(values, Lists) else values.reshape(len(values))
