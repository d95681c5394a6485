"""Four-momenta: of the constituents from the jet store, of sums of them, and their coordinates.

Four-momenta are arrays (n, 4) of px, py, pz, E in GeV, float64 throughout: clustering in float32 gave NaN.
"""

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.kinematics import cartesian
from glassjet.jets.store import Ragged

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def with_momentum(constituents: Ragged) -> Ragged:
    """The constituents with pT > 0: the others carry nothing, and have no rapidity."""
    keep = constituents.columns["pt"] > 0
    if keep.all():
        return constituents
    before = np.concatenate([[0], np.cumsum(keep)]).astype(np.int64)
    columns = {name: column[keep] for name, column in constituents.columns.items()}
    return Ragged(before[constituents.offsets], columns)


def four_momenta(constituents: Ragged) -> Floats:
    """Four-momenta (N, 4) of all N constituents, from their pt, eta, phi and energy (GeV)."""
    return np.ascontiguousarray(cartesian(constituents.columns).T)


def sums(momenta: Floats, offsets: Integers, keep: NDArray[np.bool_] | None = None) -> Floats:
    """Sums (n, 4) of the four-momenta of each of n jets, of those constituents only that `keep` (N,) marks."""
    jet = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    if keep is not None:
        jet, momenta = jet[keep], momenta[keep]
    return np.stack([np.bincount(jet, momenta[:, k], len(offsets) - 1) for k in range(4)], axis=1)


def transverse_momentum(momenta: Floats) -> Floats:
    """pT (n,) in GeV."""
    return np.hypot(momenta[:, 0], momenta[:, 1])


def momentum(momenta: Floats) -> Floats:
    """|p| (n,) in GeV."""
    return np.sqrt(np.sum(momenta[:, :3] ** 2, axis=1))


def pseudorapidity(momenta: Floats) -> Floats:
    """eta (n,); pT must not be 0."""
    return np.arcsinh(momenta[:, 2] / transverse_momentum(momenta))


def azimuth(momenta: Floats) -> Floats:
    """phi (n,) in [-pi, pi]."""
    return np.arctan2(momenta[:, 1], momenta[:, 0])


def mass(momenta: Floats) -> Floats:
    """m (n,) in GeV; 0 where rounding makes m^2 negative.

    The store's float32 energies leave a massless constituent of energy E a mass of up to 4e-4 E.
    """
    return np.sqrt(np.maximum(momenta[:, 3] ** 2 - np.sum(momenta[:, :3] ** 2, axis=1), 0.0))


def rapidity(momenta: Floats) -> Floats:
    """y (n,) = ln((E + pz) / mT), in a form that keeps its digits at large |y|; pT must not be 0."""
    transverse_mass = np.hypot(transverse_momentum(momenta), mass(momenta))
    return np.copysign(np.log((momenta[:, 3] + np.abs(momenta[:, 2])) / transverse_mass), momenta[:, 2])


def plane(momenta: Floats) -> Floats:
    """pT (GeV), y and phi as an array (n, 3): the coordinates of clustering and of jet shapes."""
    return np.stack([transverse_momentum(momenta), rapidity(momenta), azimuth(momenta)], axis=1)


def wrapped(angle: Floats) -> Floats:
    """An angle brought to [-pi, pi]."""
    return np.remainder(angle + np.pi, 2 * np.pi) - np.pi
