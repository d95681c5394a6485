"""Pythia 8: from a process, settings and a seed to batches of events as flat arrays.

Source: Bierlich et al., arXiv:2203.11601.
"""

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pythia8mc
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.cards import Process
from glassjet.jets.events import Events
from glassjet.jets.settings import Generator

MB_TO_PB = 1e9
ATTEMPTS = 100.0  # for each event asked for; as a float nextBatch makes up for failed events, with "skip" it does not
SWITCH = ("on", "off", "true", "false", "yes", "no", "ok", "1", "0")  # what Pythia knows; it takes any other for off

# Only errors are printed, which `complaints` reads; Print:quiet would hide those too
SILENCE = (
    "Init:showMultipartonInteractions = off",
    "Init:showChangedSettings = off",
    "Init:showChangedParticleData = off",
    "Next:numberCount = 0",
    "Next:numberShowInfo = 0",
    "Next:numberShowProcess = 0",
    "Next:numberShowEvent = 0",
    "Next:numberShowLHA = 0",
)


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


def lines_of(settings: Generator) -> dict[str, list[str]]:
    """The keys of a card as lines for Pythia's `readString`. The tune comes first, for it sets much of the rest."""

    def switch(value: bool) -> str:
        return "on" if value else "off"

    bias = [
        "PhaseSpace:bias2Selection = on",
        f"PhaseSpace:bias2SelectionPow = {settings.pthat_power}",
        f"PhaseSpace:bias2SelectionRef = {settings.pthat[0]}",
    ]
    limit = ["ParticleDecays:limitTau0 = on", f"ParticleDecays:tau0Max = {settings.stable_ctau}"]
    return {
        "tune": [f"Tune:pp = {settings.tune}"],
        "pdf": [f"PDF:pSet = {settings.pdf}"] if settings.pdf else [],
        "sqrts": ["Beams:idA = 2212", "Beams:idB = 2212", f"Beams:eCM = {settings.sqrts}"],
        "mpi": [f"PartonLevel:MPI = {switch(settings.mpi)}"],
        "isr": [f"PartonLevel:ISR = {switch(settings.isr)}"],
        "fsr": [f"PartonLevel:FSR = {switch(settings.fsr)}"],
        "hadronisation": [f"HadronLevel:all = {switch(settings.hadronisation)}"],
        # the factor is one on the scale squared
        "fsr_scale": [f"TimeShower:renormMultFac = {settings.fsr_scale**2}"] if settings.fsr_scale != 1 else [],
        "stable_ctau": limit if settings.stable_ctau else [],
        "pthat": [f"PhaseSpace:pTHatMin = {settings.pthat[0]}", f"PhaseSpace:pTHatMax = {settings.pthat[1]}"],
        "pthat_power": bias if settings.pthat_power else [],
    }


def start(process: Process, settings: Generator, seed: int, sink: int, skip: int = 0) -> pythia8mc.Pythia:
    """A Pythia that is ready to make events.

    Parameters
    ----------
    process : Process
        Of the kind "pythia" or "lhe".
    settings : Generator
    seed : int
        1 to 900,000,000.
    sink : int
        What `captured_stdout` yields: Pythia says there why it refuses.
    skip : int
        Events of a Les Houches file that are left out first.
    """
    pythia = blank()
    for line in (*SILENCE, "Random:setSeed = on", f"Random:seed = {seed}"):
        pythia.readString(line)
    for key, lines in lines_of(settings).items():
        if process.kind == "lhe" and key in ("sqrts", "pthat", "pthat_power"):
            continue  # the file says what collides, and its hard processes are made
        for line in lines:
            if not pythia.readString(line):
                raise InputError(f"the key {key}: Pythia refuses {line!r}: {reason(pythia, line, sink)}")
    for number, line in process.lines:
        told(pythia, line, f"{process.path}, line {number}", sink)
    for line in settings.pythia:
        told(pythia, line, "the key pythia", sink)
    if process.kind == "lhe":
        for line in ("Beams:frameType = 4", f"Beams:LHEF = {process.path}", f"Beams:nSkipLHEFatInit = {skip}"):
            pythia.readString(line)
    if not pythia.init():
        pthat = "pTHat {:g} to {:g} GeV".format(*settings.pthat)
        raise InputError(
            f"process {process.name!r} cannot start at sqrts {settings.sqrts:g} GeV with {pthat}: {complaints(sink)}"
        )
    return pythia


def blank() -> pythia8mc.Pythia:
    """A Pythia that was told nothing yet."""
    pythia = pythia8mc.Pythia("", False)
    if not pythia.readString("Init:showProcesses = off"):
        raise InputError(
            "Pythia does not find its data files: reinstall pythia8mc, or set PYTHIA8DATA to its share/Pythia8/xmldoc"
        )
    return pythia


def told(pythia: pythia8mc.Pythia, line: str, place: str, sink: int) -> None:
    """Tell Pythia a setting; an InputError names the place if it does not exist or cannot have this value."""
    name, _, value = (part.strip() for part in line.partition("="))
    switch = pythia.settings.isFlag(name) or name.lower().endswith((":onmode", ":maydecay"))
    known = value.lower() in SWITCH or (name.lower().endswith(":onmode") and value in ("2", "3"))
    if switch and not known:
        raise InputError(f"{place}: {line!r}: write on or off")
    if not pythia.readString(line):
        raise InputError(f"{place}: Pythia refuses the setting {line!r}: {reason(pythia, line, sink)}")


def reason(pythia: pythia8mc.Pythia, line: str, sink: int) -> str:
    """Why Pythia refuses a line: the near names if it does not know it, else that the value cannot be."""
    name = line.partition("=")[0].strip().lower()
    settings = pythia.settings
    if settings.isFlag(name) or settings.isMode(name) or settings.isParm(name) or settings.isWord(name):
        return "the value cannot be; see Pythia's manual for its range"
    if ":" not in name or name.split(":")[0].isdigit():
        return "no such particle or property; see Pythia's manual"
    near = get_close_matches(name, names(), n=2, cutoff=0.75)
    return f"no such setting{f' (did you mean {chr(32).join(near)}?)' if near else ''}; mend the line"


@cache
def names() -> list[str]:
    """The names of Pythia's settings, in lower case."""
    settings = blank().settings
    maps = (settings.getFlagMap, settings.getModeMap, settings.getParmMap, settings.getWordMap)
    return [str(name) for one in maps for name in one("")]


def batch(pythia: pythia8mc.Pythia, n: int, file: Path | None = None) -> Events:
    """The next `n` events; of a file, which ends, those of the next n that Pythia can make."""
    try:
        record = pythia.nextBatch(n, "skip" if file else ATTEMPTS)
    except RuntimeError as error:
        raise InputError(f"Pythia makes no events with these settings ({error}); widen the range of pTHat") from None
    if len(record.prt) == 0:
        raise InputError(f"{file}: Pythia can make nothing of {n} events in a row; mend the file")
    offsets = np.concatenate([[0], np.cumsum(ak.num(record.prt).to_numpy())]).astype(np.int64)
    entries = ak.flatten(record.prt)
    daughters = np.stack([entries.daughter1.to_numpy(), entries.daughter2.to_numpy()], axis=1).astype(np.int64)
    first = np.repeat(offsets[:-1], np.diff(offsets))[:, None]
    vertex = entries.vProd  # missing where a particle comes from the collision itself
    return Events(
        offsets,
        entries.id.to_numpy(),
        entries.status.to_numpy(),
        np.where(daughters > 0, daughters + first, -1),
        np.stack([entries.p[axis].to_numpy() for axis in ("px", "py", "pz", "e")]),
        np.stack([ak.fill_none(vertex[axis], 0.0).to_numpy() for axis in ("px", "py", "pz")]),
        record.info.weights[:, 0].to_numpy(),
        np.sqrt(np.maximum(record.info.pT2Hat.to_numpy(), 0.0)),
    )


def cross_section(pythia: pythia8mc.Pythia) -> tuple[float, float]:
    """Cross section of the process so far and its statistical error, pb."""
    info: Any = pythia.infoPython()
    return info.sigmaGen() * MB_TO_PB, info.sigmaErr() * MB_TO_PB


@cache
def particle_data() -> Any:
    """Pythia's table of particles, kept together with what owns it."""
    owner = blank()
    return owner, owner.particleData


@cache
def charge_of(pdgid: int) -> int:
    """Electric charge of a hadron, lepton or photon in units of e."""
    return round(particle_data()[1].charge(pdgid))


def charges(pdgid: NDArray[np.int32]) -> NDArray[np.int8]:
    """Electric charges of hadrons, leptons and photons in units of e, shape as `pdgid`."""
    kinds, inverse = np.unique(pdgid, return_inverse=True)
    return np.array([charge_of(int(kind)) for kind in kinds], dtype=np.int8)[inverse]
