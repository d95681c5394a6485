"""The calorimeters of `detector`: which tower a particle hits, what it leaves there, and how well that is measured.

The numbers are those of the ATLAS card of Delphes 3.3 (arXiv:1307.6346), see `detector`.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

RADIUS, HALF_LENGTH = 1.15, 3.51  # m, of the cylinder of the field; the calorimeters stand around it

EDGES = np.concatenate([np.arange(26) / 10, [2.6, 2.8, 3.0, 3.2, 3.3], np.arange(35, 50, 2) / 10])
EDGES = np.concatenate([-EDGES[:0:-1], EDGES])  # in eta
CENTRE = (EDGES[1:] + EDGES[:-1]) / 2
IN_PHI = np.where((np.abs(CENTRE) < 2.6) | (np.abs(np.abs(CENTRE) - 3.25) < 0.05), 36, 18)  # towers in a ring

ECAL, HCAL = range(2)  # first index of the tables of calorimeters
# sigma(E) = c E (+) s sqrt(E) (+) n: calorimeter x band x (c, s in sqrt(GeV), n in GeV); the bands end at ENERGY_ETA
ENERGY = np.array(
    [
        [[0.0017, 0.101, 0.0], [0.0017, 0.101, 0.0], [0.0350, 0.285, 0.0]],
        [[0.0302, 0.5205, 1.59], [0.0500, 0.706, 0.0], [0.0942, 1.00, 0.0]],
    ]
)
ENERGY_ETA = (1.7, 3.2)


def at_calorimeter(pt: Array, eta: Array, phi: Array, charge: NDArray[np.int8], field: float) -> tuple[Array, Array]:
    """Pseudorapidity and azimuth where a particle from the origin leaves the field; eta is infinite if it does not.

    The helix has the curvature k = 0.2998 |q| B / pT (1/m, B in T, pT in GeV). It turns by 2 asin(k R / 2) to reach
    the barrel, or by k L / |sinh eta| to reach the endcap, whichever comes first; after a turn by w the point lies at
    phi - sign(q) w / 2 and sinh eta w / (2 sin w / 2).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        curvature = 0.299792458 * field * np.abs(charge) / pt
        barrel = np.where(curvature * RADIUS <= 2, 2 * np.arcsin(np.minimum(curvature * RADIUS / 2, 1)), np.inf)
        turn = np.minimum(barrel, curvature * HALF_LENGTH / np.abs(np.sinh(eta)))
        turn = np.where(curvature == 0, 0.0, turn)
        chord = np.sinc(turn / (2 * np.pi))  # sin(w / 2) / (w / 2)
        there = np.isfinite(turn) & np.isfinite(eta)
        bent = np.where(there, np.arcsinh(np.sinh(eta) / np.abs(chord)), np.inf)
    return bent, np.where(there, phi - np.sign(charge) * turn / 2 + np.pi * (chord < 0), phi)


def tower_of(event: Index, eta: Array, phi: Array, split: int) -> Index:
    """A number for each tower of each event, ordered by event, eta, phi; -1 outside of the calorimeters."""
    ring = np.searchsorted(EDGES, eta, side="right") - 1
    inside = (ring >= 0) & (ring < len(CENTRE))
    ring = np.where(inside, ring, 0)
    part = np.where(inside, (eta - EDGES[ring]) / np.diff(EDGES)[ring], 0.0)
    row = ring * split + np.minimum(part * split, split - 1).astype(np.int64)
    around = IN_PHI[ring] * split
    column = np.floor((phi / (2 * np.pi) + 0.5) * around).astype(np.int64) % around
    return np.where(inside, (event * len(CENTRE) * split + row) * IN_PHI.max() * split + column, -1)


def place_of(tower: Index, split: int) -> tuple[Index, Array, Array]:
    """Event of each tower, its centre in eta and phi, and its widths: (n,), (2, n), (2, n)."""
    row, column = np.divmod(tower, IN_PHI.max() * split)
    event, row = np.divmod(row, len(CENTRE) * split)
    ring = row // split
    width = np.stack([np.diff(EDGES)[ring], 2 * np.pi / IN_PHI[ring]]) / split
    corner = np.stack([EDGES[ring] + row % split * width[0], column * width[1] - np.pi])
    return event, corner + width / 2, width


def energy_fractions(pdgid: NDArray[np.int32]) -> Array:
    """Shares of a particle's energy in ECAL and HCAL, shape (2, n): electrons and photons (and neutral pions) all in
    the ECAL, muons nothing, K0S and Lambda 0.3 and 0.7, all others all in the HCAL. Source: the card."""
    code = np.abs(pdgid)
    ecal = np.isin(code, (11, 22, 111)) + 0.3 * np.isin(code, (310, 3122))
    return np.stack([ecal, np.where(code == 13, 0.0, 1.0 - ecal)])


def energy_resolution(calorimeter: int, energy: Array, eta: Array) -> Array:
    """sigma(E) = c E (+) s sqrt(E) (+) n in GeV of that energy (GeV) in ECAL or HCAL. Source: the card."""
    constant, stochastic, noise = ENERGY[calorimeter, np.searchsorted(ENERGY_ETA, np.abs(eta))].T
    return np.sqrt((constant * energy) ** 2 + stochastic**2 * energy + noise**2)
