"""Pythia 8: from a card and a seed to batches of events as flat arrays.

The tune is Monash 2013 (Pythia's default), with initial- and final-state radiation and hadronisation; multiparton
interactions by choice. Source: Bierlich et al., arXiv:2203.11601; Skands, Carrazza, Rojo, arXiv:1404.5630.
"""

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import pythia8mc
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.cards import Card

MB_TO_PB = 1e9
ATTEMPTS = 100.0  # for each event asked for; as a float nextBatch makes up for failed events, with "skip" it does not

# Only errors are printed, which `complaints` reads; Print:quiet would hide those too
SILENCE = (
    "Init:showMultipartonInteractions = off",
    "Init:showChangedSettings = off",
    "Init:showChangedParticleData = off",
    "Next:numberCount = 0",
    "Next:numberShowInfo = 0",
    "Next:numberShowProcess = 0",
    "Next:numberShowEvent = 0",
)


@dataclass(frozen=True)
class Events:
    """Event records, one behind the other.

    Attributes
    ----------
    offsets : (n + 1,)
        Event i owns the entries offsets[i]:offsets[i + 1] of the columns below.
    pdgid, status : (entries,)
        PDG id and Pythia's status code; a positive status marks a final particle.
    daughters : (entries, 2)
        First and last daughter as positions in these arrays; -1 where there is none.
    momentum : (4, entries)
        px, py, pz, E in GeV.
    weight : (n,)
        The events' weights.
    """

    offsets: NDArray[np.int64]
    pdgid: NDArray[np.int32]
    status: NDArray[np.int32]
    daughters: NDArray[np.int64]
    momentum: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


@contextmanager
def captured_stdout() -> Iterator[int]:
    """Send what the C++ libraries print (FastJet's banner, Pythia's errors) to a temporary file, not to the terminal.

    Yields the file's descriptor.
    """
    libc = ctypes.CDLL(None)
    sys.stdout.flush()
    saved = os.dup(1)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        try:
            yield sink.fileno()
        finally:
            libc.fflush(None)
            os.dup2(saved, 1)
            os.close(saved)


def complaints(sink: int) -> str:
    """What Pythia said of its errors, in one line; `sink` is what `captured_stdout` yields."""
    ctypes.CDLL(None).fflush(None)
    lines = [line.strip() for line in os.pread(sink, 1 << 16, 0).decode(errors="replace").splitlines()]
    return (
        "; ".join(line for line in lines if line.startswith(("PYTHIA Error", "PYTHIA Abort")))
        or "Pythia gave no reason"
    )


def start(card: Card, sqrts: float, mpi: bool, pthat: tuple[float, float], seed: int, sink: int) -> pythia8mc.Pythia:
    """A Pythia that is ready to make events.

    Parameters
    ----------
    sqrts : float
        Energy of the two protons together, GeV.
    mpi : bool
        Multiparton interactions on or off.
    pthat : (float, float)
        Range of the hard process's transverse momentum, GeV.
    seed : int
        1 to 900,000,000.
    sink : int
        What `captured_stdout` yields: Pythia says there why it refuses.
    """
    pythia = pythia8mc.Pythia("", False)
    if not pythia.readString("Init:showProcesses = off"):
        raise InputError(
            "Pythia does not find its data files: reinstall pythia8mc, or set PYTHIA8DATA to its share/Pythia8/xmldoc"
        )
    lines = [
        *card.settings,
        *SILENCE,
        "Beams:idA = 2212",
        "Beams:idB = 2212",
        f"Beams:eCM = {sqrts}",
        f"PartonLevel:MPI = {'on' if mpi else 'off'}",
        f"PhaseSpace:pTHatMin = {pthat[0]}",
        f"PhaseSpace:pTHatMax = {pthat[1]}",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
    ]
    for line in lines:
        if not pythia.readString(line):
            raise InputError(f"process {card.name!r}: Pythia refuses the setting {line!r}; mend the card")
    if not pythia.init():
        raise InputError(
            f"process {card.name!r} cannot start at sqrts {sqrts:g} GeV with pTHat {pthat[0]:g} to {pthat[1]:g} GeV: "
            f"{complaints(sink)}"
        )
    return pythia


def batch(pythia: pythia8mc.Pythia, n: int) -> Events:
    """The next `n` events."""
    try:
        record = pythia.nextBatch(n, ATTEMPTS)
    except RuntimeError as error:
        raise InputError(f"Pythia makes no events with these settings ({error}); widen --pthat") from None
    offsets = np.concatenate([[0], np.cumsum(ak.num(record.prt).to_numpy())]).astype(np.int64)
    entries = ak.flatten(record.prt)
    daughters = np.stack([entries.daughter1.to_numpy(), entries.daughter2.to_numpy()], axis=1).astype(np.int64)
    first = np.repeat(offsets[:-1], np.diff(offsets))[:, None]
    return Events(
        offsets,
        entries.id.to_numpy(),
        entries.status.to_numpy(),
        np.where(daughters > 0, daughters + first, -1),
        np.stack([entries.p[axis].to_numpy() for axis in ("px", "py", "pz", "e")]),
        record.info.weights[:, 0].to_numpy(),
    )


def cross_section(pythia: pythia8mc.Pythia) -> tuple[float, float]:
    """Cross section of the process so far and its statistical error, pb."""
    info: Any = pythia.infoPython()
    return info.sigmaGen() * MB_TO_PB, info.sigmaErr() * MB_TO_PB


def charges(pythia: pythia8mc.Pythia, pdgid: NDArray[np.int32]) -> NDArray[np.int8]:
    """Electric charges of hadrons, leptons and photons in units of e, shape as `pdgid`."""
    kinds, inverse = np.unique(pdgid, return_inverse=True)
    table = np.array([round(pythia.particleData.charge(int(kind))) for kind in kinds], dtype=np.int8)
    return table[inverse]
