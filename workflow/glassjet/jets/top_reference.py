"""The Top Quark Tagging Reference Dataset (Kasieczka, Plehn, Thompson, Russell; zenodo 2603256, arXiv:1902.09914).

Each file is a table that pandas wrote through PyTables: `/table/table`, one row per jet, with the columns E_i, PX_i,
PY_i, PZ_i of up to 200 constituents (GeV, padded with zeros), is_signal_new, ttv, and the truth top's truthE … truthPZ.
The last four must never enter a jet: they give the label away. Only the constituents and is_signal_new are read, each
by its name.

The names stand in attributes that are pickles. They are never unpickled: the pickle is read as text, opcode by opcode,
and anything in it but a list of strings is refused.
"""

import pickletools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError, existing
from glassjet.jets.kinematics import jets_of, pt_eta_phi
from glassjet.jets.store import TYPES, Jets, Ragged, event_numbers, no_partons

METADATA: dict[str, Any] = {
    "level": "detector",
    "signal": "top",
    "background": "qcd",
    "sqrts": 14000.0,
    "mpi": False,
    "pt": [550.0, 650.0],
    "abs_eta": 2.0,
    "radius": 0.8,
    "match_radius": 0.8,
    "source": "Top Quark Tagging Reference Dataset, zenodo 2603256, CC-BY-4.0; cite arXiv:1902.09914",
}
CHUNK = 5000  # rows of 3 kB
AXES = ("E", "PX", "PY", "PZ")
LABEL = "is_signal_new"
NAMES = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE"}
FURNITURE = {"PROTO", "FRAME", "MARK", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "STOP"} | {
    "PUT",
    "BINPUT",
    "LONG_BINPUT",
    "MEMOIZE",
}


def listed_names(pickled: bytes) -> list[str]:
    """The strings of a pickled list of strings, without unpickling.

    Raises ValueError if the bytes are anything else. Nothing is imported or called, whatever stands in them.
    """
    names = []
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name in NAMES:
            names.append(str(argument))
        elif opcode.name not in FURNITURE:
            raise ValueError(f"the opcode {opcode.name} is not part of a list of names")
    return names


def open_table(path: Path) -> h5py.File:
    """Open a file of the data set; hdf5plugin must be there, for the table is compressed with Blosc."""
    try:
        import hdf5plugin  # noqa: F401  (importing it registers the filters)
    except ImportError:
        raise InputError(f"{path}: is compressed with Blosc; install the package hdf5plugin to read it") from None
    existing(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        what = "the file is truncated; download it again" if "truncated" in str(error) else "not an HDF5 file"
        raise InputError(f"{path}: {what}") from None
    if not isinstance(file.get("table/table"), h5py.Dataset):
        file.close()
        raise InputError(f"{path}: no table /table/table, so not a file of the top tagging reference data set")
    return file


def columns_of(table: h5py.Dataset, path: Path) -> dict[str, tuple[str, int]]:
    """Where each column lies: name -> (field of the table, place in the field's block)."""
    found: dict[str, tuple[str, int]] = {}
    for block in table.dtype.names or ():
        if not block.startswith("values_block_"):
            continue
        try:
            names = listed_names(bytes(table.attrs[f"{block}_kind"]))
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f"{path}: the column names of {block} cannot be read ({error})") from None
        width = int(np.prod(table.dtype[block].shape))
        if len(names) != width:
            raise InputError(f"{path}: {block} has {width} columns, but {len(names)} names")
        found |= {name: (block, place) for place, name in enumerate(names)}
    return found


def constituent_places(columns: dict[str, tuple[str, int]], path: Path) -> tuple[str, NDArray[np.int64]]:
    """The block of the constituents and, as an array (constituents, 4), where E, PX, PY, PZ of each lie in it."""
    length = sum(re.fullmatch(r"E_\d+", name) is not None for name in columns)
    wanted = [[f"{axis}_{i}" for axis in AXES] for i in range(length)]
    missing = [name for row in wanted for name in row if name not in columns]
    if length == 0:
        missing = ["E_0"]
    if LABEL not in columns:
        missing.append(LABEL)
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InputError(f"{path}: no column {', '.join(missing[:3])}{more}; not the top tagging reference data set")
    blocks = {columns[name][0] for row in wanted for name in row}
    if len(blocks) > 1:
        raise InputError(f"{path}: the constituents lie in several blocks ({', '.join(sorted(blocks))}); one is known")
    return blocks.pop(), np.array([[columns[name][1] for name in row] for row in wanted])


def constituents_of(momentum: NDArray[np.float64], path: Path, first: int) -> Ragged:
    """Ragged constituents, ordered by falling pT, from padded E, px, py, pz in GeV, shape (jets, length, 4).

    `path` and `first` (the number of the first row) go into the messages.
    """
    bad = ~np.isfinite(momentum).all(axis=(1, 2))
    if bad.any():
        raise InputError(f"{path}: row {first + int(bad.argmax())} has a NaN or infinite momentum; remove it")
    energy, px, py, pz = np.moveaxis(momentum, 2, 0)
    bad = (energy < 0).any(axis=1)
    if bad.any():
        raise InputError(f"{path}: row {first + int(bad.argmax())} has a negative energy; remove it")
    present = energy > 0
    bad = ((momentum != 0).any(axis=2) & ~present).any(axis=1)
    if bad.any():
        raise InputError(f"{path}: row {first + int(bad.argmax())} has a momentum without energy; remove it")
    order = np.argsort(np.where(present, -np.hypot(px, py), 1.0), axis=1, kind="stable")
    kept = np.take_along_axis(present, order, axis=1)
    sorted_axes = [np.take_along_axis(axis, order, axis=1)[kept] for axis in (px, py, pz, energy)]
    pt, eta, phi = pt_eta_phi(*sorted_axes[:3])
    owner = np.repeat(np.arange(len(kept)), kept.sum(axis=1))
    if not np.isfinite(eta).all():
        row = first + int(owner[np.isfinite(eta).argmin()])
        raise InputError(f"{path}: row {row} has a constituent along the beam; remove it")
    values = {"pt": pt, "eta": eta, "phi": phi, "energy": sorted_axes[3]}
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return Ragged(offsets, {name: value.astype(TYPES[name]) for name, value in values.items()})


def count(path: Path) -> int:
    """The number of jets in a file of the data set."""
    with open_table(path) as file:
        return len(file["table/table"])


def chunks(path: Path, split: str, stop: int, size: int = CHUNK) -> Iterator[Jets]:
    """The first `stop` jets of a file in chunks of `size`; memory is that of a chunk.

    Weights are 1: the data set has none. The event number is that of the row, made unique by the split.
    """
    with open_table(path) as file:
        table = file["table/table"]
        columns = columns_of(table, path)
        block, places = constituent_places(columns, path)
        label_block, label_place = columns[LABEL]
        for start in range(0, stop, size):
            try:
                rows = table[start : min(start + size, stop)]
            except OSError as error:
                raise InputError(
                    f"{path}: damaged or truncated near row {start} ({error}); download it again"
                ) from None
            constituents = constituents_of(rows[block].astype(np.float64)[:, places], path, start)
            if len(rows) and constituents.counts.min() == 0:
                row = start + int(constituents.counts.argmin())
                raise InputError(f"{path}: row {row} has no constituents; remove it")
            jet: dict[str, NDArray[Any]] = dict(jets_of(constituents))
            jet["label"] = rows[label_block][:, label_place]
            jet["event"] = event_numbers(split, 0, 0, start + np.arange(len(rows)))
            jet["weight"] = np.ones(len(rows))
            yield Jets(jet, constituents, no_partons(len(rows)))
