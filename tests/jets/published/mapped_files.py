"""The same jets in every layout that a YAML can describe: HDF5, ROOT and Parquet; padded, jagged and compound."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot

from glassjet.jets.published.columns import Lists, open_table, read_columns

Entries = dict[str, list[list[float]]]
Singles = dict[str, Any]
WIDTH = 12
NAMES = ("part_pt", "part_eta", "part_phi", "part_energy", "part_pid")


def jets(n: int = 37, seed: int = 0) -> tuple[Entries, Singles]:
    """Jets of 1 to WIDTH constituents: float32 numbers in GeV, and label, weight and event of each jet."""
    rng = np.random.default_rng(seed)
    lists: Entries = {name: [] for name in NAMES}
    for _ in range(n):
        count = int(rng.integers(1, WIDTH + 1))
        pt = rng.exponential(20, count).astype("f4") + np.float32(0.5)
        eta = rng.normal(0.4, 0.2, count).astype("f4")
        energy = (pt * np.cosh(eta) * rng.uniform(1, 1.05, count)).astype("f4")
        phi = (rng.uniform(-2.4, 2.4) + rng.uniform(-0.3, 0.3, count)).astype("f4")
        pid = rng.choice([211, -211, 22, 130], count).astype("f4")
        for name, column in zip(NAMES, (pt, eta, phi, energy, pid), strict=True):
            lists[name].append(column.tolist())
    singles = {
        "is_signal": rng.integers(0, 2, n).astype("i4"),
        "w": rng.uniform(0.5, 2, n),
        "evt": np.arange(n, dtype="i8") + 10**12,
        "n_part": np.array([len(one) for one in lists["part_pt"]], "i4"),
    }
    return lists, singles


def padded(lists: Entries, pad: float = 0.0) -> dict[str, np.ndarray]:
    """Each column as an array (n, WIDTH)."""
    return {name: np.array([row + [pad] * (WIDTH - len(row)) for row in rows], "f4") for name, rows in lists.items()}


def hdf5_padded(path: Path, lists: Entries, singles: Singles, pad: float = 0.0) -> None:
    with h5py.File(path, "w") as file:
        for name, values in (padded(lists, pad) | singles).items():
            chunks = (min(10, len(values)), *values.shape[1:])
            file.create_dataset(f"jets/{name}", data=values, chunks=chunks, compression="gzip")


def hdf5_compound(path: Path, lists: Entries, singles: Singles) -> None:
    columns = padded(lists)
    parts = np.zeros((len(columns["part_pt"]), WIDTH), [(name, "f4") for name in columns])
    rows = np.zeros(len(parts), [(name, values.dtype) for name, values in singles.items()])
    for name, values in columns.items():
        parts[name] = values
    for name, values in singles.items():
        rows[name] = values
    with h5py.File(path, "w") as file:
        file["parts"], file["jets"] = parts, rows


def hdf5_cube(path: Path, lists: Entries, singles: Singles) -> None:
    with h5py.File(path, "w") as file:
        file["X"] = np.stack(list(padded(lists).values()), axis=2)
        for name, values in singles.items():
            file[name] = values


def hdf5_lists(path: Path, lists: Entries, singles: Singles) -> None:
    with h5py.File(path, "w") as file:
        for name, rows in lists.items():
            data = file.create_dataset(name, (len(rows),), h5py.vlen_dtype("f4"))
            for i, row in enumerate(rows):
                data[i] = np.array(row, "f4")
        for name, values in singles.items():
            file[name] = values


def root_jagged(path: Path, lists: Entries, singles: Singles) -> None:
    columns: dict[str, Any] = {name: ak.values_astype(ak.Array(rows), "float32") for name, rows in lists.items()}
    with uproot.recreate(path) as file:
        types = dict.fromkeys(columns, "var * float32") | {name: values.dtype for name, values in singles.items()}
        tree = file.mktree("Events", types)
        for start in range(0, len(singles["w"]), 10):  # several baskets
            tree.extend({name: values[start : start + 10] for name, values in (columns | singles).items()})


def root_padded(path: Path, lists: Entries, singles: Singles) -> None:
    with uproot.recreate(path) as file:
        columns = padded(lists) | singles
        tree = file.mktree("Events", {name: np.dtype((v.dtype, v.shape[1:])) for name, v in columns.items()})
        tree.extend(columns)


def root_ntuple(path: Path, lists: Entries, singles: Singles) -> None:
    columns: dict[str, Any] = {name: ak.values_astype(ak.Array(rows), "float32") for name, rows in lists.items()}
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", columns | singles)


def parquet_lists(path: Path, lists: Entries, singles: Singles) -> None:
    columns = {name: pa.array(rows, pa.list_(pa.float32())) for name, rows in lists.items()}
    table = pa.table(columns | {name: pa.array(values) for name, values in singles.items()})
    pq.write_table(table, path, row_group_size=10)


def parquet_structs(path: Path, lists: Entries, singles: Singles) -> None:
    rows = [[dict(zip(lists, entry, strict=True)) for entry in zip(*row, strict=True)] for row in zip(*lists.values())]  # noqa: B905
    kind = pa.list_(pa.struct([(name, pa.float32()) for name in lists]))
    table = pa.table({"parts": pa.array(rows, kind)} | {name: pa.array(values) for name, values in singles.items()})
    pq.write_table(table, path, row_group_size=1000)


def parquet_padded(path: Path, lists: Entries, singles: Singles) -> None:
    columns = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), WIDTH)
        for name, values in padded(lists).items()
    }
    table = pa.table(columns | {name: pa.array(values) for name, values in singles.items()})
    pq.write_table(table, path, row_group_size=7, compression="zstd")


def parquet_cube(path: Path, lists: Entries, singles: Singles) -> None:
    rows = np.stack(list(padded(lists).values()), axis=2).tolist()
    table = pa.table(
        {"X": pa.array(rows, pa.list_(pa.list_(pa.float32())))} | {k: pa.array(v) for k, v in singles.items()}
    )
    pq.write_table(table, path)


CUBE = {name: f"{{X: [{i}]}}" for i, name in enumerate(NAMES)}
STRUCT = {name: f"parts.{name}" for name in NAMES}
COMPOUND = {name: f"parts/{name}" for name in NAMES}
IN_JETS = {name: f"jets/{name}" for name in ("is_signal", "w", "evt", "n_part")}
LAYOUTS: dict[str, tuple[str, Callable[[Path, Entries, Singles], None], dict[str, str]]] = {
    "hdf5_padded": ("h5", hdf5_padded, {}),
    "hdf5_compound": ("h5", hdf5_compound, COMPOUND | IN_JETS),
    "hdf5_cube": ("hdf5", hdf5_cube, CUBE),
    "hdf5_lists": ("h5", hdf5_lists, {}),
    "root_jagged": ("root", root_jagged, {}),
    "root_padded": ("root", root_padded, {}),
    "root_ntuple": ("root", root_ntuple, {}),
    "parquet_lists": ("parquet", parquet_lists, {}),
    "parquet_structs": ("parquet", parquet_structs, STRUCT),
    "parquet_padded": ("parquet", parquet_padded, {}),
    "parquet_cube": ("parquet", parquet_cube, CUBE),
}
"""Name -> suffix, writer, and what the YAML calls a column where that is not its own name."""


def write(folder: Path, layout: str, lists: Entries, singles: Singles) -> tuple[Path, dict[str, str]]:
    """A file in a layout, and what the YAML calls each column."""
    suffix, writer, other = LAYOUTS[layout]
    path = folder / f"jets.{suffix}"
    writer(path, lists, singles)
    return path, {name: name for name in (*lists, *singles)} | other


def column(path: Path, name: str, start: int, stop: int, tree: str | None = None) -> list[Any]:
    """Rows of a column as plain lists, padding and all."""
    with open_table(path, tree) as table:
        values = read_columns(table, [name], start, stop)[name]
    if not isinstance(values, Lists):
        return list(values.tolist())
    return [values.values[a:b].tolist() for a, b in zip(values.offsets, values.offsets[1:], strict=False)]
