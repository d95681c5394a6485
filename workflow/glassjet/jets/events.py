"""Event records as flat arrays: what a generator or an event file gives, and what jets are made from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEUTRINOS = (12, 14, 16)


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
    vertex : (3, entries)
        Where each particle was produced: x, y, z in mm; the collision is at the origin.
    weight : (n,)
        The events' weights.
    pthat : (n,)
        Transverse momentum of the hard process, GeV; 0 where the source does not say.
    """

    offsets: NDArray[np.int64]
    pdgid: NDArray[np.int32]
    status: NDArray[np.int32]
    daughters: NDArray[np.int64]
    momentum: NDArray[np.float64]
    vertex: NDArray[np.float64]
    weight: NDArray[np.float64]
    pthat: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


@dataclass(frozen=True)
class Particles:
    """What is clustered: the visible particles of each event, or what a detector makes of them.

    Attributes
    ----------
    offsets : (n + 1,)
        Event i owns the entries offsets[i]:offsets[i + 1].
    momentum : (4, m)
        px, py, pz, E in GeV.
    pdgid : (m,)
        PDG id; of what a detector sees 211 or -211 for a charged hadron's track, 130 for a neutral hadron, and those of
        photon, electron and muon.
    charge : (m,)
        In units of e.
    origin : (m,)
        Position of the particle in the event records; -1 for the towers of a calorimeter.
    """

    offsets: NDArray[np.int64]
    momentum: NDArray[np.float64]
    pdgid: NDArray[np.int32]
    charge: NDArray[np.int8]
    origin: NDArray[np.int64]


def visible(events: Events) -> NDArray[np.int64]:
    """Positions of all final particles but neutrinos."""
    return np.flatnonzero((events.status > 0) & ~np.isin(np.abs(events.pdgid), NEUTRINOS))


def concatenate(events: list[Events]) -> Events:
    """One Events from several."""
    counts = np.concatenate([np.diff(part.offsets) for part in events])
    entries = [len(part.pdgid) for part in events]
    first = np.repeat(np.cumsum([0, *entries[:-1]]), entries)[:, None]
    daughters = np.concatenate([part.daughters for part in events])
    return Events(
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([part.pdgid for part in events]),
        np.concatenate([part.status for part in events]),
        np.where(daughters < 0, -1, daughters + first),
        np.concatenate([part.momentum for part in events], axis=1),
        np.concatenate([part.vertex for part in events], axis=1),
        np.concatenate([part.weight for part in events]),
        np.concatenate([part.pthat for part in events]),
    )
