"""Which truth partons a jet holds.

A jet is matched to a top quark (or W boson) if the particle, as it is just before its decay, and all quarks of its
decay, as they are just after it, lie within the matching radius of the jet's axis in rapidity and azimuth.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.events import Events
from glassjet.jets.kinematics import delta_r, pt_eta_phi, rapidity
from glassjet.jets.store import Ragged

W = 24
HARD_PARTON = -23  # Pythia's status of an outgoing parton of the hard process


def last_copies(events: Events, position: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow particles (n,) through radiation and recoil to their last copies, those that decay."""
    position = position.copy()
    while True:
        daughters = events.daughters[position]
        same = (daughters >= 0) & (events.pdgid[daughters] == events.pdgid[position][:, None])
        moving = same.any(axis=1)
        if not moving.any():
            return position
        position[moving] = daughters[moving, same.argmax(axis=1)[moving]]


def decays(events: Events, resonance: int) -> NDArray[np.int64]:
    """Each decay of a particle of that |PDG id|: its position and those of its quarks, a W replaced by its quarks.

    Shape (decays, 1 + quarks): t, b, q, q' for top quarks; W, q, q' for W bosons.
    """
    heavy = np.flatnonzero((np.abs(events.pdgid) == resonance) & (events.daughters[:, 0] >= 0))
    heavy = heavy[last_copies(events, heavy) == heavy]
    quarks = events.daughters[heavy]
    is_w = np.abs(events.pdgid[quarks]) == W
    if not is_w.any():
        return np.column_stack([heavy, quarks])
    bosons = last_copies(events, quarks[is_w])
    return np.column_stack([heavy, quarks[~is_w], events.daughters[bosons]])


def hard_partons(events: Events) -> NDArray[np.int64]:
    """Positions of the outgoing partons of the hard process, shape (partons, 1)."""
    return np.flatnonzero(events.status == HARD_PARTON)[:, None]


def match(
    events: Events,
    candidates: NDArray[np.int64],
    event: NDArray[np.int64],
    momentum: NDArray[np.float64],
    radius: float,
) -> NDArray[np.int64]:
    """For each jet, the candidate whose partons all lie within `radius` of its axis; the closest first parton wins.

    Parameters
    ----------
    candidates : (m, k)
        Positions of partons that belong together, from `decays` or `hard_partons`.
    event : (n,)
        Number of each jet's event, rising.
    momentum : (4, n)
        px, py, pz, E of the jets, GeV.

    Returns
    -------
    (n,) : row of `candidates`, -1 where none matches.
    """

    def axis(four: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return rapidity(four[3], four[2]), pt_eta_phi(*four[:3])[2]

    found = np.full(len(event), -1)
    if len(event) == 0 or len(candidates) == 0:
        return found
    owner = np.searchsorted(events.offsets, candidates[:, 0], side="right") - 1
    jet = np.minimum(np.searchsorted(event, owner), len(event) - 1)
    rows = np.flatnonzero(event[jet] == owner)
    jet = jet[rows]
    jet_y, jet_phi = axis(momentum[:, jet])
    parton_y, parton_phi = axis(events.momentum[:, candidates[rows]])
    distance = delta_r(jet_y[:, None], jet_phi[:, None], parton_y, parton_phi)
    inside = np.flatnonzero((distance <= radius).all(axis=1))
    farthest_first = inside[np.argsort(-distance[inside, 0], kind="stable")]
    found[jet[farthest_first]] = rows[farthest_first]  # the last assignment to a jet is the closest
    return found


def partons_of(
    events: Events, candidates: NDArray[np.int64], row: NDArray[np.int64], momentum: NDArray[np.float64]
) -> Ragged:
    """The truth partons of jets as the store keeps them: pt, eta, phi, energy (GeV), pdgid, and delta_r.

    Parameters
    ----------
    candidates : (m, k)
        As in `match`.
    row : (n,)
        The row of `candidates` that each jet was matched to, -1 for none.
    momentum : (4, n)
        px, py, pz, E of the jets, GeV; delta_r is the distance of a parton from the jet's axis in y and phi.
    """
    there = row >= 0
    counts = np.where(there, candidates.shape[1], 0)
    position = candidates[row[there]].ravel()
    px, py, pz, energy = events.momentum[:, position]
    axis = np.repeat(momentum[:, there], candidates.shape[1], axis=1)
    pt, eta, phi = pt_eta_phi(px, py, pz)
    distance = delta_r(rapidity(energy, pz), phi, rapidity(axis[3], axis[2]), pt_eta_phi(*axis[:3])[2])
    values = {"pt": pt, "eta": eta, "phi": phi, "energy": energy, "delta_r": distance}
    columns: dict[str, NDArray[Any]] = {name: value.astype(np.float32) for name, value in values.items()}
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Ragged(offsets, columns | {"pdgid": events.pdgid[position]})
