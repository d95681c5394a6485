"""The Top Quark Tagging Reference Dataset (Kasieczka, Plehn, Thompson, Russell; DOI 10.5281/zenodo.2603256).

It is the set of arXiv:1902.09914: top quarks against light quarks and gluons at 14 TeV, Pythia 8 and Delphes without
pile-up and multiple interactions, anti-kT jets of R = 0.8 with pT from 550 to 650 GeV and |eta| < 2.

Each file is a table that pandas wrote through PyTables: `/table/table`, one row per jet, with the columns E_i, PX_i,
PY_i, PZ_i of up to 200 constituents (GeV, z along the beam, padded with zeros), is_signal_new (1 for top), ttv, and the
truth top's truthE … truthPZ. The last four must never enter a jet: they give the label away. Only the constituents and
is_signal_new are used, each by its name. pT, eta (from the momentum, not the energy) and phi in (-pi, pi] are computed
in float64 of the constituents that are there; nothing is converted but that.

The names stand in attributes that are pickles. They are never unpickled: the pickle is read as text, opcode by opcode,
and anything in it but a list of strings is refused.
"""

import pickletools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.files import hdf5
from glassjet.jets.kinematics import pt_eta_phi
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import Ragged

CLASSES = ("qcd", "top")  # as is_signal_new counts them
SIGNAL = ("top",)
BACKGROUND = ("qcd",)
METADATA: dict[str, Any] = {
    "level": "detector",
    "sqrts": 14000.0,
    "mpi": False,
    "pt": [550.0, 650.0],
    "abs_eta": 2.0,
    "radius": 0.8,
    "match_radius": 0.8,
    "source": "Top Quark Tagging Reference Dataset, zenodo 2603256, CC-BY-4.0; cite arXiv:1902.09914",
}
SET = "the top tagging reference data set"
AXES = ("E", "PX", "PY", "PZ")
LABEL = "is_signal_new"
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError)  # what h5py raises in a file with wrong bytes
NAMES = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE"}
FURNITURE = {"PROTO", "FRAME", "MARK", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "STOP"} | {
    "PUT",
    "BINPUT",
    "LONG_BINPUT",
    "MEMOIZE",
}


@dataclass(frozen=True)
class Table:
    """An open file.

    Attributes
    ----------
    path : Path
    table : h5py.Dataset
        The rows. HDF5 decompresses them in chunks (of 40 rows) and keeps a few of these, at most 8 MB.
    block, label_block : str
        The fields of a row that have the constituents and the label among their columns.
    places : array (constituents, 4)
        Where E, PX, PY, PZ of each constituent lie in `block`.
    label_place : int
        Where the label lies in `label_block`.
    """

    path: Path
    table: h5py.Dataset
    block: str
    places: NDArray[np.int64]
    label_block: str
    label_place: int

    def __len__(self) -> int:
        return len(self.table)

    def read(self, start: int, stop: int) -> Rows:
        """The rows start:stop; nothing is read ahead."""
        try:
            rows = self.table[start:stop]
        except DAMAGE as error:
            near = f"damaged or truncated near row {start} ({error}); download it again"
            raise InputError(f"{self.path}: {near}") from None
        label = rows[self.label_block][:, self.label_place]
        bad = (label != 0) & (label != 1)
        if bad.any():
            row, value = start + int(bad.argmax()), label[bad][0]
            raise InputError(f"{self.path}: row {row} has {LABEL} = {value}; 0 (qcd) and 1 (top) are known")
        momenta = slots(rows[self.block], self.places)
        return Rows(label.astype(np.int64), constituents_of(momenta, self.path, start))


def slots(block: NDArray[Any], places: NDArray[np.int64]) -> NDArray[Any]:
    """E, PX, PY, PZ of all slots, shape (rows, constituents, 4); a view if the columns are in order, as they are."""
    first, wanted = int(places[0, 0]), places.ravel()
    if (wanted == np.arange(first, first + len(wanted))).all():
        found = block[:, first : first + len(wanted)]
    else:
        found = np.take(block, wanted, axis=1)
    return found.reshape(len(block), *places.shape)


def constituents_of(momenta: NDArray[Any], path: Path, first: int) -> Ragged:
    """The constituents, without the padding, from E, px, py, pz in GeV, shape (rows, constituents, 4).

    `path` and `first` (the number of the first row) go into the messages.
    """
    # Most slots are padding, so finding the others must be cheap: four bytes of "is not 0" are looked at as one number,
    # and the four numbers of a slot are copied as one item.
    present = (momenta != 0).view(np.uint32)[..., 0] != 0
    found = momenta.view(f"V{4 * momenta.dtype.itemsize}")[..., 0][present].view(momenta.dtype).reshape(-1, 4)

    def refuse(bad: NDArray[np.bool_], what: str) -> InputError:
        row, slot = (int(place[bad.argmax()]) for place in np.nonzero(present))
        return InputError(f"{path}: row {first + row} has {what} in E_{slot} … PZ_{slot}; remove it")

    if not np.isfinite(found).all():
        raise refuse(~np.isfinite(found).all(axis=1), "a NaN or infinite momentum")
    energy, px, py, pz = found.T.astype(np.float64, order="C")
    if energy.size and energy.min() <= 0:
        negative = bool((energy < 0).any())
        raise refuse(energy < 0 if negative else energy == 0, f"{'a negative' if negative else 'no'} energy")
    pt, eta, phi = pt_eta_phi(px, py, pz)
    if not np.isfinite(eta).all():
        raise refuse(~np.isfinite(eta), "a constituent along the beam")
    offsets = np.concatenate([[0], np.cumsum(np.count_nonzero(present, axis=1))]).astype(np.int64)
    return Ragged(offsets, {"pt": pt, "eta": eta, "phi": phi, "energy": energy})


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


def columns_of(table: h5py.Dataset, path: Path) -> dict[str, tuple[str, int]]:
    """Where each column lies: name -> (field of the table, place in the field's block)."""
    found: dict[str, tuple[str, int]] = {}
    for block in table.dtype.names or ():
        if not block.startswith("values_block_"):
            continue
        try:
            pickled = table.attrs[f"{block}_kind"]
            if not isinstance(pickled, bytes):
                raise ValueError("they are no bytes")
            names = listed_names(pickled)
        except DAMAGE as error:
            raise InputError(f"{path}: the column names of {block} cannot be read ({error})") from None
        shape = table.dtype[block].shape
        if shape != (len(names),):
            raise InputError(f"{path}: {block} has the shape {shape}, but {len(names)} names; not {SET}")
        found |= {name: (block, place) for place, name in enumerate(names)}
    return found


def table_of(table: h5py.Dataset, path: Path) -> Table:
    """The table with its columns found by their names."""
    columns = columns_of(table, path)
    length = max(sum(re.fullmatch(r"E_\d+", name) is not None for name in columns), 1)
    wanted = [f"{axis}_{i}" for i in range(length) for axis in AXES]
    missing = [name for name in (*wanted, LABEL) if name not in columns]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        near = get_close_matches(missing[0], columns.keys() - {*wanted, LABEL}, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"{path}: no column {', '.join(missing[:3])}{more}{hint}; not {SET}")
    blocks = {columns[name][0] for name in wanted}
    if len(blocks) > 1:
        raise InputError(f"{path}: the constituents lie in several blocks ({', '.join(sorted(blocks))}); one is known")
    for name in (wanted[0], LABEL):
        if table.dtype[columns[name][0]].base.kind not in "fiu":
            raise InputError(f"{path}: the column {name} holds no numbers; not {SET}")
    places = np.array([columns[name][1] for name in wanted]).reshape(length, len(AXES))
    return Table(path, table, blocks.pop(), places, *columns[LABEL])


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """Open a file of the data set; hdf5plugin must be there, for the table is compressed with Blosc."""
    try:
        import hdf5plugin  # noqa: F401  (importing it registers the filters)
    except ImportError:
        raise InputError(f"{path}: is compressed with Blosc; install the package hdf5plugin to read it") from None
    with hdf5(path, "download it again") as file:
        try:
            table = file.get("table/table")
            if not isinstance(table, h5py.Dataset) or table.ndim != 1:
                raise InputError(f"{path}: no table /table/table; not a file of {SET}, or a damaged one")
            source = table_of(table, path)
        except DAMAGE as error:
            raise InputError(f"{path}: damaged ({error}); download it again") from None
        yield source
