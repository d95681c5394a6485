"""Columns of Parquet files, streamed: however large the row groups, memory has some batches of BATCH rows.

Read ahead: the rest of a batch, and BUFFER bytes of each column's compressed data.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from glassjet.errors import InputError
from glassjet.jets.published.columns import Column, Lists, Values, rectangle

BATCH = 4096
BUFFER = 2**18


def is_list(kind: pa.DataType) -> bool:
    """Whether the type is a list of any sort."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def is_number(kind: pa.DataType) -> bool:
    """Whether numpy has the type as a number."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


class ParquetTable:
    """An open file, and the batches of the columns that were asked for last."""

    def __init__(self, path: Path, file: pq.ParquetFile) -> None:
        self.path = path
        self._file = file
        self._places: dict[str, tuple[str, str | None]] = {}  # name -> column, field
        for one in file.schema_arrow:
            kind = one.type
            while is_list(kind):
                kind = kind.value_type
            fields = [kind.field(i).name for i in range(kind.num_fields)] if pa.types.is_struct(kind) else []
            self._places |= {f"{one.name}.{field}": (one.name, field) for field in fields} or {
                one.name: (one.name, None)
            }
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        self._edges = np.concatenate([[0], np.cumsum(groups)]).astype(np.int64)
        self._wanted: tuple[str, ...] = ()
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._held: list[pa.RecordBatch] = []  # from row _at on
        self._at = 0

    def names(self) -> list[str]:
        """All columns."""
        return list(self._places)

    def column(self, name: str) -> Column | None:
        """What a column holds; None for a name that does not exist."""
        if name not in self._places:
            return None
        top, field = self._places[name]
        kind = self._file.schema_arrow.field(top).type
        shape: list[int | None] = []
        while is_list(kind) or pa.types.is_struct(kind):
            if pa.types.is_struct(kind):
                if field is None:
                    break
                kind, field = kind.field(field).type, None
            else:
                shape.append(kind.list_size if pa.types.is_fixed_size_list(kind) else None)
                kind = kind.value_type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        usable = "number" if is_number(kind) else "text" if text else ""
        return Column(usable, "text" if text else str(kind), tuple(shape), int(self._edges[-1]))

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Values]:
        """Rows of some columns; from the beginning of the row group if they are not those that come next."""
        try:
            if self._wanted != tuple(names) or start < self._at:
                self._restart(tuple(names), start)
            batch = self._rows(start, stop)
            out = {}
            for name in names:
                top, field = self._places[name]
                out[name] = self._values(name, batch.column(top).combine_chunks(), field)
            return out
        except (OSError, pa.ArrowException, ValueError) as error:
            said = " ".join(str(error).split())[:100]
            raise InputError(
                f"{self.path}: rows {start} to {stop - 1} cannot be read ({said}); damaged? make it again"
            ) from None

    def _restart(self, names: tuple[str, ...], start: int) -> None:
        group = int(np.searchsorted(self._edges, start, side="right")) - 1
        self._wanted, self._held, self._at = names, [], int(self._edges[group])
        leaves = [leaf for name in names for leaf in self._leaves(*self._places[name])]
        groups = list(range(group, self._file.num_row_groups))
        self._batches = self._file.iter_batches(BATCH, row_groups=groups, columns=leaves)

    def _leaves(self, top: str, field: str | None) -> list[str]:
        paths = [self._file.schema.column(i).path for i in range(len(self._file.schema))]
        below = [path for path in paths if path == top or path.startswith(f"{top}.")]
        return [path for path in below if field in path.removeprefix(top).split(".")] or below

    def _rows(self, start: int, stop: int) -> pa.Table:
        """Rows start:stop of the columns wanted; what lies behind them in their batch is held for the next call."""
        ready = self._at + sum(map(len, self._held))  # the row behind those held
        while ready < stop:
            batch = next(self._batches, None)
            if batch is None:
                raise ValueError(f"they end at row {ready}")
            if ready + len(batch) > start:
                self._held.append(batch)
            else:
                self._at = ready + len(batch)
            ready += len(batch)
        table = pa.Table.from_batches(self._held).slice(start - self._at, stop - start)
        self._held, self._at = [self._held[-1].slice(len(self._held[-1]) - (ready - stop))], stop
        return table

    def _values(self, name: str, array: pa.Array, field: str | None) -> Values:
        """An Arrow array as numpy; an empty list for a null one, NaN for a null number."""
        kind = array.type
        if is_list(kind):
            counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
            inner = self._values(name, pc.list_flatten(array), field)
            flat = rectangle(inner, self.path, name) if isinstance(inner, Lists) else inner
            return Lists(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), flat)
        if pa.types.is_struct(kind):
            return self._values(name, pc.struct_field(array, field), None)
        if pa.types.is_dictionary(kind):
            return self._values(name, array.dictionary_decode(), None)
        if pa.types.is_boolean(kind):
            array = pc.cast(array, pa.uint8())  # Arrow packs eight into a byte
        if is_number(kind):
            return np.asarray(array.to_numpy(zero_copy_only=False))
        return np.asarray(pc.fill_null(array, "null").to_numpy(zero_copy_only=False).astype(str))


@contextmanager
def open_parquet_table(path: Path, tree: str | None) -> Iterator[ParquetTable]:
    """Open a file."""
    if tree is not None:
        raise InputError(f"{path}: a Parquet file has no trees, but the key tree asks for {tree!r}; remove the key")
    try:
        file = pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())[:100]
        raise InputError(f"{path}: not a Parquet file, or truncated ({said}); make it again") from None
    with file:
        yield ParquetTable(path, file)
