"""The jet store: what a jet is, in memory and on disk.

A file is HDF5 with ragged columns; padding happens in a batch, never on disk.

    /jets/<column>                    one entry per jet: pt, eta, phi, mass (GeV), label, event, weight (pb), …
    /constituents/offsets             n + 1 numbers; jet i owns the constituents offsets[i]:offsets[i + 1]
    /constituents/<column>            flat float32: pt, eta, phi, energy (GeV); where known pdgid, charge, and of tracks
                                      d0, z0, d0_error, z0_error (mm): see `glassjet.jets.tracks`
    /partons/offsets, /partons/…      the truth partons that the jet was matched to, in the same layout (may be empty)
    /vertices/offsets, /vertices/…    secondary vertices, where the jets have tracks: see `glassjet.jets.vertices`
    /tracks/offsets, /tracks/…        tracks, where the source lists them besides the constituents

Attributes of the file: `glassjet` = "jets", `metadata` (JSON: sample, split, level, processes, …), `provenance` (JSON).
Constituents are ordered by falling pT. `label` is 1 for signal and 0 for background; `event` is the event's number,
unique in a sample: the four splits share none.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.files import atomic, open_hdf5, require_space

SPLITS = ("train", "validation", "explain", "test")
JET_COLUMNS = {"pt": "f4", "eta": "f4", "phi": "f4", "mass": "f4", "label": "i1", "event": "i8", "weight": "f8"}
CONSTITUENT_COLUMNS = {"pt": "f4", "eta": "f4", "phi": "f4", "energy": "f4"}
TRACK_COLUMNS = {"d0": "f4", "z0": "f4", "d0_error": "f4", "z0_error": "f4"}
TYPES = JET_COLUMNS | CONSTITUENT_COLUMNS | TRACK_COLUMNS | {"pdgid": "i4", "charge": "i1", "pthat": "f4"}
OPTIONAL = ("vertices", "tracks")  # groups that only some sources have
MOST_SHARDS = 1_000_000  # of one class in one split, because of the digits of event numbers
MOST_EVENTS = 1_000_000_000  # of one shard
CHUNK = 5000  # jets read at a time: about 20 MB with 200 constituents


@dataclass(frozen=True)
class Ragged:
    """Lists of different lengths: `columns[name][offsets[i]:offsets[i + 1]]` is list i."""

    offsets: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """The length of each list."""
        return np.diff(self.offsets)

    def take(self, index: NDArray[np.int64]) -> "Ragged":
        """The lists of the given numbers, in that order."""
        counts = self.counts[index]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        flat = np.repeat(self.offsets[index] - offsets[:-1], counts) + np.arange(offsets[-1])
        return Ragged(offsets, {name: column[flat] for name, column in self.columns.items()})

    def padded(self, name: str, length: int) -> NDArray[Any]:
        """A column as an array (n, length): the first `length` entries of each list, zeros behind a shorter one."""
        out = np.zeros((len(self), length), dtype=self.columns[name].dtype)
        place = np.arange(length)[None, :] < self.counts[:, None]
        rows, columns = np.nonzero(place)
        out[rows, columns] = self.columns[name][self.offsets[rows] + columns]
        return out


def concatenate_ragged(parts: list[Ragged]) -> Ragged:
    """One Ragged from several with the same columns."""
    offsets = np.concatenate([[0], np.cumsum(np.concatenate([part.counts for part in parts]))]).astype(np.int64)
    names = parts[0].columns
    return Ragged(offsets, {name: np.concatenate([part.columns[name] for part in parts]) for name in names})


@dataclass(frozen=True)
class Jets:
    """Jets in memory.

    Attributes
    ----------
    columns : dict of arrays (n,)
        pt, eta, phi, mass of the jet (GeV), label, event, weight (pb) and whatever else a source knows.
    constituents : Ragged
        pt, eta, phi, energy (GeV), massless or not; ordered by falling pT.
    partons : Ragged
        pt, eta, phi, energy (GeV), pdgid of the truth partons; empty lists where none are known.
    vertices : Ragged or None
        Secondary vertices; None where the source has no tracks.
    tracks : Ragged or None
        Tracks with what is known of them besides; None where the source has no list of its own for them.
    """

    columns: dict[str, NDArray[Any]]
    constituents: Ragged
    partons: Ragged
    vertices: Ragged | None = None
    tracks: Ragged | None = None

    def __len__(self) -> int:
        return len(self.constituents)

    def take(self, index: NDArray[np.int64]) -> "Jets":
        """The jets of the given numbers, in that order."""
        columns = {name: column[index] for name, column in self.columns.items()}
        vertices = self.vertices.take(index) if self.vertices is not None else None
        tracks = self.tracks.take(index) if self.tracks is not None else None
        return Jets(columns, self.constituents.take(index), self.partons.take(index), vertices, tracks)


def event_numbers(split: str, label: int, shard_number: int, event: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers that are unique in a sample, from the events' numbers (n,) in their shard.

    The digits are: split and class (0 to 7), shard (six), event (nine); below 2^53, so a float64 holds them too.
    """
    if event.size and event.max() >= MOST_EVENTS:
        raise InputError(f"a shard took more than {MOST_EVENTS} events; make --shard-size smaller")
    leading = (2 * SPLITS.index(split) + label) * MOST_SHARDS + shard_number
    return leading * MOST_EVENTS + event


def no_partons(n: int) -> Ragged:
    """The partons of `n` jets of which no truth is known."""
    columns = {name: np.zeros(0, "f4") for name in CONSTITUENT_COLUMNS} | {"pdgid": np.zeros(0, "i4")}
    return Ragged(np.zeros(n + 1, np.int64), columns)


def concatenate(parts: list[Jets]) -> Jets:
    """One Jets from several with the same columns."""
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    vertices = [part.vertices for part in parts if part.vertices is not None]
    tracks = [part.tracks for part in parts if part.tracks is not None]
    return Jets(
        columns,
        concatenate_ragged([part.constituents for part in parts]),
        concatenate_ragged([part.partons for part in parts]),
        concatenate_ragged(vertices) if vertices else None,
        concatenate_ragged(tracks) if tracks else None,
    )


def check(jets: Jets, path: Path, first: int = 0) -> None:
    """Refuse jets that cannot be: NaN or infinite numbers, negative energies or pT, no constituents, other labels.

    `path` and `first` (the number of the first jet in the file) go into the message.
    """
    constituents = jets.constituents
    if len(jets) and constituents.counts.min() < 1:
        raise InputError(f"{path}: jet {first + int(constituents.counts.argmin())} has no constituents; remove it")

    def owner(entry: int) -> int:
        return first + int(np.searchsorted(constituents.offsets, entry, side="right")) - 1

    for name, column in constituents.columns.items():
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            bad = int(np.flatnonzero(~np.isfinite(column))[0])
            raise InputError(f"{path}: constituents/{name} is NaN or infinite in jet {owner(bad)}; remove that jet")
    for group in OPTIONAL:
        ragged = getattr(jets, group)
        for name, column in ragged.columns.items() if ragged is not None else ():
            if column.dtype.kind == "f" and not np.isfinite(column).all():
                entry = int(np.flatnonzero(~np.isfinite(column))[0])
                bad = first + int(np.searchsorted(ragged.offsets, entry, side="right")) - 1
                raise InputError(f"{path}: {group}/{name} is NaN or infinite in jet {bad}; remove that jet")
    for name in ("pt", "energy"):
        if (constituents.columns[name] < 0).any():
            bad = int(np.flatnonzero(constituents.columns[name] < 0)[0])
            raise InputError(f"{path}: constituents/{name} is negative in jet {owner(bad)}; remove that jet")
    for name, column in jets.columns.items():
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            bad = first + int(np.flatnonzero(~np.isfinite(column))[0])
            raise InputError(f"{path}: jets/{name} is NaN or infinite in jet {bad}; remove that jet")
    if not np.isin(jets.columns["label"], (0, 1)).all():
        raise InputError(f"{path}: jets/label must be 0 (background) or 1 (signal)")


@dataclass
class JetWriter:
    """Appends jets to an open file; `writing` makes one."""

    file: h5py.File
    path: Path
    count: int = 0
    _groups: dict[str, int] = field(default_factory=dict)

    def append(self, jets: Jets) -> None:
        """Append jets, after `check`."""
        check(jets, self.path, self.count)
        groups = {name: getattr(jets, name) for name in ("constituents", "partons", *OPTIONAL)}
        parts = [jets.columns, *(ragged.columns for ragged in groups.values() if ragged is not None)]
        require_space(self.path, sum(column.nbytes for part in parts for column in part.values()))
        self._append_columns("jets", jets.columns)
        for name, ragged in groups.items():
            if ragged is None:
                continue
            before = self._groups.get(name, 0)
            offsets = ragged.offsets + before if self.count == 0 else ragged.offsets[1:] + before
            self._append_columns(name, {"offsets": offsets} | ragged.columns)
            self._groups[name] = before + int(ragged.offsets[-1])
        self.count += len(jets)

    def _append_columns(self, group: str, columns: dict[str, NDArray[Any]]) -> None:
        for name, column in columns.items():
            key = f"{group}/{name}"
            values = column.astype(TYPES.get(name, column.dtype), copy=False)
            if key not in self.file:
                self.file.create_dataset(
                    key,
                    data=values,
                    maxshape=(None,),
                    chunks=(65536,),
                    compression="gzip",
                    compression_opts=1,
                    shuffle=True,
                )
            else:
                data = self.file[key]
                data.resize(len(data) + len(values), axis=0)
                data[len(data) - len(values) :] = values


@contextmanager
def writing(path: Path, metadata: dict[str, Any], provenance: str, may_be_empty: bool = False) -> Iterator[JetWriter]:
    """Open a jet file for appending; it appears under its name only when everything is in it.

    Parameters
    ----------
    metadata : dict
        At least sample, split (one of SPLITS) and level ("particle" or "detector").
    provenance : str
        From `glassjet.provenance.provenance`.
    may_be_empty : bool
        Whether a file without jets is written too: a shard may have none, a sample may not.
    """
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["glassjet"] = "jets"
        file.attrs["metadata"] = json.dumps(metadata, sort_keys=True)
        file.attrs["provenance"] = provenance
        writer = JetWriter(file, path)
        yield writer
        if writer.count == 0 and not may_be_empty:
            raise InputError(f"{path}: no jets were left to write")


def metadata(path: Path) -> dict[str, Any]:
    """What a jet file says of itself: sample, split, level, …"""
    with open_hdf5(path, "jets") as file:
        return dict(json.loads(file.attrs["metadata"]))


def count(path: Path) -> int:
    """The number of jets in a file."""
    with open_hdf5(path, "jets") as file:
        return len(file["jets/label"])


def constituents_per_jet(path: Path) -> float:
    """The mean number of constituents of the jets in a file."""
    with open_hdf5(path, "jets") as file:
        return float(len(file["constituents/pt"])) / max(len(file["jets/label"]), 1)


def read(path: Path, start: int = 0, stop: int | None = None) -> Jets:
    """Read jets start:stop of a file, checked."""
    with open_hdf5(path, "jets") as file:
        return _read(file, path, start, len(file["jets/label"]) if stop is None else stop)


def chunks(path: Path, size: int = CHUNK) -> Iterator[Jets]:
    """Read a file in chunks of `size` jets, checked; memory is that of a chunk."""
    with open_hdf5(path, "jets") as file:
        total = len(file["jets/label"])
        if total == 0:
            raise InputError(f"{path}: holds no jets")
        for start in range(0, total, size):
            yield _read(file, path, start, min(start + size, total))


def _read(file: h5py.File, path: Path, start: int, stop: int) -> Jets:
    try:
        columns = {name: data[start:stop] for name, data in file["jets"].items()}
        missing = [name for name in JET_COLUMNS if name not in columns]
        ragged = {}
        for group in ("constituents", "partons", *OPTIONAL):
            if group in OPTIONAL and group not in file:
                continue
            offsets = file[group]["offsets"][start : stop + 1]
            flat = {name: data[offsets[0] : offsets[-1]] for name, data in file[group].items() if name != "offsets"}
            if group not in OPTIONAL:
                missing += [f"{group}/{name}" for name in CONSTITUENT_COLUMNS if name not in flat]
            ragged[group] = Ragged(offsets - offsets[0], flat)
    except (KeyError, OSError) as error:
        raise InputError(f"{path}: damaged or truncated ({error}); make it again") from None
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}")
    jets = Jets(columns, ragged["constituents"], ragged["partons"], *(ragged.get(group) for group in OPTIONAL))
    check(jets, path, start)
    return jets


def labels_and_weights(path: Path) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Labels and weights (pb) of every jet of a file; small enough for memory at any size."""
    with open_hdf5(path, "jets") as file:
        return file["jets/label"][:], file["jets/weight"][:]


def require_both_classes(path: Path) -> None:
    """Refuse a sample of one class only."""
    labels, _ = labels_and_weights(path)
    if labels.size == 0:
        raise InputError(f"{path}: holds no jets")
    if labels.min() == labels.max():
        only = "signal" if labels[0] else "background"
        raise InputError(f"{path}: holds only {only} jets; training and scoring need both classes")
