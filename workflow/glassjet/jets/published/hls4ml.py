"""The hls4ml LHC jets with up to 150 particles (Pierini, Duarte, Tran, Freytsis; DOI 10.5281/zenodo.3602260).

They are the data set of arXiv:1908.05318: jets of gluons, light quarks, W, Z and top of about 1 TeV at 13 TeV, seen by
a parametric description of an LHC detector, anti-kT R = 0.8.

A file is HDF5 and holds 10,000 jets: jetConstituentList (jets, 150, 16) with the columns that particleFeatureNames
names, padded with zeros; jets (jets, 59) with the columns of jetFeatureNames. Names are byte strings, and there is one
more of the particles (j1_pdgid) than columns; so there is no pdgid. Read are j1_px, j1_py, j1_pz, j1_e (GeV, z along
the beam) and the labels j_g, j_q, j_w, j_z, j_t, each by its name; a jet with none of the five is of no class. pT, eta
(from the momentum, not the energy) and phi in (-pi, pi] are computed in float64; nothing is converted but that. HDF5
decompresses the chunks that the rows asked for touch; nothing is read ahead.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
from glassjet.jets.published import one_hot
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import Ragged

CLASSES = ("g", "q", "w", "z", "t")
SIGNAL = ("t",)
BACKGROUND = ("q", "g")
METADATA: dict[str, Any] = {
    "level": "detector",
    "sqrts": 13000.0,
    "radius": 0.8,
    "source": "HLS4ML LHC jets (150 particles), zenodo 3602260, CC-BY-4.0; cite arXiv:1908.05318",
}
LABELS = [f"j_{name}" for name in CLASSES]
MOMENTUM = ["j1_px", "j1_py", "j1_pz", "j1_e"]
PARTICLES, NAMES_OF_PARTICLES = "jetConstituentList", "particleFeatureNames"
JETS, NAMES_OF_JETS = "jets", "jetFeatureNames"
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)  # what h5py raises of wrong bytes


@dataclass(frozen=True)
class File:
    """An open file.

    Attributes
    ----------
    path : Path
    particles, jets : h5py.Dataset
        Of shape (jets, length, columns) and (jets, columns).
    momentum, labels : list of int
        The columns of MOMENTUM and of LABELS.
    """

    path: Path
    particles: h5py.Dataset
    jets: h5py.Dataset
    momentum: list[int]
    labels: list[int]

    def __len__(self) -> int:
        return len(self.jets)

    def read(self, start: int, stop: int) -> Rows:
        """The rows start:stop; nothing is read ahead."""
        label = one_hot.kinds(self._columns(self.jets, self.labels, start, stop), LABELS, self.path, start)
        momenta = self._columns(self.particles, self.momentum, start, stop)
        return Rows(label, constituents_of(momenta, self.path, start))

    def _columns(self, data: h5py.Dataset, columns: list[int], start: int, stop: int) -> NDArray[Any]:
        """Columns of the rows, (rows, …, columns)."""
        try:
            low = min(columns)  # as few columns as one slice has: others may lie in chunks that need not be unpacked
            return data[start:stop, ..., low : max(columns) + 1][..., np.array(columns) - low]
        except DAMAGE as error:
            near = f"{data.name} cannot be read near row {start} ({error})"
            raise InputError(f"{self.path}: {near}; damaged? download it again") from None


def constituents_of(momenta: NDArray[Any], path: Path, first: int) -> Ragged:
    """The constituents, without the padding, from px, py, pz, E in GeV, shape (rows, length, 4).

    `path` and `first` (the number of the first row) go into the messages.
    """
    with np.errstate(invalid="ignore"):  # NaN of float32 are told below, in one line
        momenta = np.ascontiguousarray(momenta, np.float64)
    present = (momenta != 0).view(np.uint32)[..., 0] != 0  # four bytes of "is not 0", looked at as one number
    px, py, pz, energy = np.ascontiguousarray(momenta[present].T)

    def refuse(bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            row = first + int(np.nonzero(present)[0][bad.argmax()])
            raise InputError(f"{path}: row {row} has {what}; remove it")

    refuse(~np.logical_and.reduce([np.isfinite(axis) for axis in (px, py, pz, energy)]), "a NaN or infinite momentum")
    refuse(energy <= 0, "a particle without energy (j1_e), or with a negative one")
    refuse((px == 0) & (py == 0), "a particle along the beam")
    pt, eta, phi = pt_eta_phi(px, py, pz)
    offsets = np.concatenate([[0], np.cumsum(np.count_nonzero(present, axis=1))]).astype(np.int64)
    return Ragged(offsets, {"pt": pt, "eta": eta, "phi": phi, "energy": energy})


def dataset(file: h5py.File, name: str, dimensions: int, path: Path) -> h5py.Dataset:
    """A data set of numbers, or of names where `dimensions` is 1."""
    data = file.get(name)
    if not isinstance(data, h5py.Dataset):
        near = get_close_matches(name, file, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"{path}: no data set {name}{hint}; not a file of the hls4ml LHC jets")
    if data.ndim != dimensions or (dimensions > 1 and data.dtype.kind not in "fiu"):
        wanted = "names in 1 dimension" if dimensions == 1 else f"numbers in {dimensions} dimensions"
        raise InputError(f"{path}: {name} is {data.dtype} of shape {data.shape}, but {wanted} are needed")
    settings = data.id.get_create_plist()
    for number in range(settings.get_nfilters()):
        code = settings.get_filter(number)[0]
        if not h5py.h5z.filter_avail(code):
            way = "install the package hdf5plugin to read it"
            raise InputError(f"{path}: {data.name} is compressed with the filter {code}; {way}")
    return data


def places(file: h5py.File, named: str, data: h5py.Dataset, wanted: list[str], path: Path) -> list[int]:
    """The columns of `data` with the wanted names, which stand in the data set `named`."""
    raw = dataset(file, named, 1, path)[:]
    names = [name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in raw]
    names = names[: data.shape[-1]]  # the last name of the particles has no column
    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(f"{path}: no column {name} in {data.name}{hint}; not a file of the hls4ml LHC jets")
    return [names.index(name) for name in wanted]


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """Open a file of the data set."""
    with suppress(ImportError):  # the files need no filter of it, but one that was written again may
        import hdf5plugin  # noqa: F401
    with hdf5(path, "download it again") as file:
        try:
            particles, jets = dataset(file, PARTICLES, 3, path), dataset(file, JETS, 2, path)
            momentum = places(file, NAMES_OF_PARTICLES, particles, MOMENTUM, path)
            labels = places(file, NAMES_OF_JETS, jets, LABELS, path)
        except DAMAGE as error:
            raise InputError(f"{path}: damaged ({error}); download it again") from None
        if len(particles) != len(jets):
            raise InputError(f"{path}: {PARTICLES} has {len(particles)} rows, {JETS} {len(jets)}; both must have all")
        if len(jets) == 0:
            raise InputError(f"{path}: holds no jets")
        yield File(path, particles, jets, momentum, labels)
