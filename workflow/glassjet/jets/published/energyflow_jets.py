"""EnergyFlow's quark and gluon jets (Komiske, Metodiev, Thaler; Pythia: DOI 10.5281/zenodo.3164691, Herwig:
DOI 10.5281/zenodo.3066475), the data sets of arXiv:1810.05165.

Z + jet at 14 TeV with multiple interactions and without a detector, anti-kT jets of R = 0.4 of all stable particles but
neutrinos, pT from 500 to 550 GeV, |y| < 1.7. There is a set with quarks uds and one with udscb of each generator.

A file is an npz with X (jets, M, 4), float64: pT (GeV), rapidity y, azimuth and PDG id of up to M particles, padded
with zeros, and y (jets,): 1 for a quark, 0 for a gluon. X is streamed: rows are decompressed in their order and nothing
is read ahead, so memory is that of the rows asked for, though a file of 100,000 jets is 445 MB when decompressed. y is
kept whole. Nothing is ever unpickled: arrays of objects are refused.

Conversions, all in float64: with the mass m of the particle, mT = sqrt(pT^2 + m^2), E = mT cosh y, pz = mT sinh y, and
eta = arsinh(pz / pT), which is not y. The azimuth, in the files within pi of the jet's, is turned into [-pi, pi]. The
charge follows from the PDG id. A particle of id 0 is of unknown kind: massless, without charge; where all particles of
a file are, pdgid and charge are left out.
"""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError, existing
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import Ragged

CLASSES = ("gluon", "quark")  # as y counts them
SIGNAL = ("quark",)
BACKGROUND = ("gluon",)
METADATA: dict[str, Any] = {
    "level": "particle",
    "sqrts": 14000.0,
    "mpi": True,
    "pt": [500.0, 550.0],
    "abs_rapidity": 1.7,
    "radius": 0.4,
    "source": "EnergyFlow quark and gluon jets, zenodo 3164691 (Pythia, CC-BY-4.0) or 3066475 (Herwig); "
    "cite arXiv:1810.05165",
}
PARTICLES = {  # |PDG id|: mass in GeV, charge of the particle with the positive id; PDG, Phys. Rev. D 110 (2024) 030001
    0: (0.0, 0),  # unknown
    11: (0.00051099895, -1),
    12: (0.0, 0),
    13: (0.1056583755, -1),
    14: (0.0, 0),
    16: (0.0, 0),
    22: (0.0, 0),
    111: (0.1349768, 0),
    130: (0.497611, 0),
    211: (0.13957039, 1),
    310: (0.497611, 0),
    321: (0.493677, 1),
    2112: (0.93956542, 0),
    2212: (0.93827209, 1),
    3112: (1.197449, -1),
    3122: (1.115683, 0),
    3222: (1.18937, 1),
    3312: (1.32171, -1),
    3322: (1.31486, 0),
    3334: (1.67245, -1),
}
CODES = np.array(list(PARTICLES))
MASSES = np.array([mass for mass, _ in PARTICLES.values()])
CHARGES = np.array([charge for _, charge in PARTICLES.values()])
# What zipfile and numpy raise of wrong bytes.
DAMAGE = (zipfile.BadZipFile, zlib.error, LZMAError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)


@dataclass
class Stream:
    """One array of an npz file, read forwards.

    Attributes
    ----------
    archive : ZipFile
    name : str
        Of the array, without .npy.
    path : Path
    shape : tuple of int
    dtype : dtype
    handle : file
        Stands at the beginning of the row `position`.
    """

    archive: zipfile.ZipFile
    name: str
    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    handle: IO[bytes]
    position: int = 0

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """The rows start:stop; what lies before them is skipped, or the stream begun again."""
        size = self.dtype.itemsize * math.prod(self.shape[1:])
        try:
            if start < self.position:
                self.handle.close()
                self.handle, self.position = open_array(self.archive, self.name, self.path).handle, 0
            for row in range(self.position, start, 1000):
                self.handle.read((min(row + 1000, start) - row) * size)
            found = self.handle.read((stop - start) * size)
            self.position = stop
            if len(found) != (stop - start) * size:
                raise EOFError("the array ends too early")
        except DAMAGE as error:
            near = f"{self.name} is damaged near row {start} ({error})"
            raise InputError(f"{self.path}: {near}; download it again") from None
        return np.frombuffer(found, self.dtype).reshape(stop - start, *self.shape[1:])


def open_array(archive: zipfile.ZipFile, name: str, path: Path) -> Stream:
    """An array of an npz file, its header read and its numbers not."""
    try:
        handle = archive.open(f"{name}.npy")
        version = np.lib.format.read_magic(handle)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(handle)
        begin = handle.tell()
        size = archive.getinfo(f"{name}.npy").file_size
    except KeyError:
        arrays = [member.removesuffix(".npy") for member in archive.namelist()]
        raise InputError(f"{path}: no array {name}; it has {', '.join(arrays[:5]) or 'none'}") from None
    except DAMAGE as error:
        raise InputError(f"{path}: the array {name} cannot be read ({error}); download it again") from None
    if dtype.hasobject:
        raise InputError(f"{path}: {name} holds objects, which are never unpickled; save it padded, as floats")
    if fortran and len(shape) > 1:
        raise InputError(f"{path}: {name} is in Fortran order, which cannot be streamed; save it in C order")
    if dtype.kind not in "fiub":
        raise InputError(f"{path}: {name} holds {dtype}, but numbers are needed")
    if size != begin + dtype.itemsize * math.prod(shape):
        raise InputError(f"{path}: {name} has {size} bytes, which do not fit its shape {shape}; download it again")
    return Stream(archive, name, path, shape, dtype, handle)


@dataclass
class File:
    """An open file: the particles as a stream, the class of each jet, and whether PDG ids are known."""

    path: Path
    particles: Stream
    kind: NDArray[np.int64]
    has_pdgid: bool

    def __len__(self) -> int:
        return len(self.kind)

    def read(self, start: int, stop: int) -> Rows:
        """The rows start:stop; nothing is read ahead."""
        particles = self.particles.rows(start, stop)
        return Rows(self.kind[start:stop], constituents_of(particles, self.has_pdgid, self.path, start))


def constituents_of(particles: NDArray[Any], has_pdgid: bool, path: Path, first: int) -> Ragged:
    """The constituents, without the padding, from pT, y, phi, PDG id of shape (rows, M, 4), as they are in the file.

    `has_pdgid` says that the ids are known; `path` and `first` (the number of the first row) go into the messages.
    """
    with np.errstate(invalid="ignore"):  # NaN of float32 are told below, in one line
        particles = np.ascontiguousarray(particles, np.float64)  # also of another byte order
    present = (particles != 0).view(np.uint32)[..., 0] != 0  # four bytes of "is not 0", looked at as one number
    owner = np.nonzero(present)[0]

    def refuse(bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            raise InputError(f"{path}: row {first + int(owner[bad.argmax()])} has a particle with {what}; remove it")

    pt, y, phi, code = particles[present].T
    refuse(~np.logical_and.reduce([np.isfinite(axis) for axis in (pt, y, phi, code)]), "a NaN or infinite number")
    refuse(pt <= 0, "a pT that is not above 0")
    refuse(np.abs(y) > 100, "a rapidity beyond 100")
    refuse(code != np.rint(code), "a PDG id that is not whole")
    size = np.abs(code)
    place = np.minimum(np.searchsorted(CODES, size), len(CODES) - 1)
    unknown = CODES[place] != size
    if unknown.any():
        refuse(unknown, f"the PDG id {code[unknown.argmax()]:.0f}, whose mass is not known here")
    if not has_pdgid:
        refuse(code != 0, "a PDG id, but the first jet has none")
    transverse = np.hypot(pt, MASSES[place])
    values: dict[str, NDArray[Any]] = {
        "pt": pt,
        "eta": np.arcsinh(transverse * np.sinh(y) / pt),
        "phi": phi - 2 * np.pi * np.rint(phi / (2 * np.pi)),
        "energy": transverse * np.cosh(y),
    }
    if has_pdgid:
        values["pdgid"] = code.astype(np.int32)
        values["charge"] = (np.sign(code) * CHARGES[place]).astype(np.int8)
    return Ragged(np.concatenate([[0], np.cumsum(np.count_nonzero(present, axis=1))]).astype(np.int64), values)


def classes(y: NDArray[Any], path: Path) -> NDArray[np.int64]:
    """The class of each jet, from the labels of the file."""
    bad = (y != 0) & (y != 1)
    if bad.any():
        row = int(bad.argmax())
        raise InputError(f"{path}: row {row} has y = {y[row]}; 0 (gluon) and 1 (quark) are known")
    return y.astype(np.int64)


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """Open a file of the data sets."""
    with existing(path).open("rb") as file:
        if file.read(2) != b"PK":
            raise InputError(f"{path}: not an npz file")
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE as error:
        raise InputError(f"{path}: the file is truncated or damaged ({error}); download it again") from None
    with archive:
        particles, y = (open_array(archive, name, path) for name in ("X", "y"))
        if len(particles.shape) != 3 or particles.shape[2] != 4 or particles.dtype.kind != "f":
            found = f"{particles.dtype} of shape {particles.shape}"
            raise InputError(f"{path}: X is {found}; floats of shape (jets, M, 4) are needed")
        if y.shape != particles.shape[:1]:
            shapes = f"X has the shape {particles.shape}, y {y.shape}"
            raise InputError(f"{path}: {shapes}; both must have a row for each jet")
        if y.shape[0] == 0:
            raise InputError(f"{path}: holds no jets")
        kind = classes(y.rows(0, y.shape[0]), path)
        has_pdgid = bool((particles.rows(0, 1)[..., 3] != 0).any())
        yield File(path, particles, kind, has_pdgid)
