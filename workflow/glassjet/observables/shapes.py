"""Jet shapes: the generalised angularities lambda^kappa_beta = sum_i z_i^kappa Delta R_i^beta (arXiv:1408.3122).

z_i = pT_i / sum_j pT_j, with the scalar sum, and Delta R_i is the distance of constituent i from an axis in (y, phi).
arXiv:1408.3122 has (Delta R_i / R0)^beta; here no power of the jet's radius is divided out.

    width (girth)              kappa = 1, beta = 1      about the jet's axis (arXiv:1106.3076)
    thrust                     kappa = 1, beta = 2      about the jet's axis
    Les Houches angularity     kappa = 1, beta = 1/2    about the winner-take-all axis
    pTD                        sqrt(lambda^2_0): no axis

The jet's axis is that of the sum of the four-momenta. It recoils from soft constituents at wide angles, which for
beta <= 1 shows in the distances of all others; the winner-take-all axis (arXiv:1401.2158) does not: it is the direction
of a constituent.
"""

import math

import numpy as np
from numba import njit

from glassjet.observables.clustering import distance_squared
from glassjet.observables.kinematics import Floats, Integers


@njit(cache=True)
def _angularities(points: Floats, offsets: Integers, axes: Floats, beta: float, out: Floats) -> None:
    """The angularity of every jet."""
    for jet in range(len(out)):
        total, scalar = 0.0, 0.0
        for i in range(offsets[jet], offsets[jet + 1]):
            power = distance_squared(points[i, 1], points[i, 2], axes[jet, 0], axes[jet, 1])
            if beta == 1.0:  # a root costs a fraction of a power
                power = math.sqrt(power)
            elif beta == 0.5:
                power = math.sqrt(math.sqrt(power))
            elif beta != 2.0:
                power = power ** (0.5 * beta)
            total += points[i, 0] * power
            scalar += points[i, 0]
        out[jet] = total / scalar


def angularity(points: Floats, offsets: Integers, axes: Floats, beta: float) -> Floats:
    """lambda^1_beta = sum_i z_i Delta R_i^beta as an array (n,), without units; 0 with one constituent.

    Infrared and collinear safe, as both axes are. Collinear constituents give 0 but for the rounding of their
    rapidities, which the store's float32 energies make some 1e-6 at |eta| < 3.

    Parameters
    ----------
    points : array (N, 3)
        pT (GeV), y, phi of all constituents, from `kinematics.plane`; pT > 0.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1], at least one.
    axes : array (n, 2)
        y, phi of each jet's axis: of the sum of its four-momenta, or of the last node of its kT history with
        winner-take-all recombination.
    beta : float
        The exponent, above 0.
    """
    out = np.zeros(len(offsets) - 1)
    _angularities(points, offsets, np.ascontiguousarray(axes), beta, out)  # one layout, so it is compiled once
    return out


def momentum_dispersion(pt: Floats, offsets: Integers) -> Floats:
    """pTD = sqrt(sum_i pT_i^2) / sum_i pT_i as an array (n,), without units (CMS; arXiv:1408.3122).

    1 with one constituent, m^(-1/2) with m of equal pT; infrared safe, but a collinear splitting lowers it.

    Parameters
    ----------
    pt : array (N,)
        pT (GeV) of all constituents, above 0.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1], at least one.
    """
    n = len(offsets) - 1
    jet = np.repeat(np.arange(n), np.diff(offsets))
    return np.sqrt(np.bincount(jet, pt**2, n)) / np.bincount(jet, pt, n)
