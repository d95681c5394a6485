"""Energy correlation functions (arXiv:1305.0007), the generalised ones (arXiv:1609.07483) and their ratios.

With z_i = pT_i / sum pT and R_ij the distance of two constituents in rapidity and azimuth,

    ECF(1) = sum_i pT_i,  ECF(2) = sum_{i<j} pT_i pT_j R_ij^beta,
    ECF(3) = sum_{i<j<k} pT_i pT_j pT_k (R_ij R_ik R_jk)^beta,  e_N = ECF(N) / ECF(1)^N,
    1e3 = sum_{i<j<k} z_i z_j z_k times R^beta of the smallest of the three angles,
    2e3 = the same with the product of the two smallest; 3e3 is e3 and 1e2 is e2.

This is the convention of fastjet-contrib's EnergyCorrelator with its measure pt_R: each pair and triplet counts once.
Where sums run over all ordered indices, as in EnergyFlow, e2 is twice and e3 six times as large, hence C2 and N2 are
3/2, D2 3/4 and M2 3 times as large.

Ratios are 0 where e2 is: jets of one constituent, or all of whose constituents are collinear. A jet of two has
e3 = 1e3 = 2e3 = 0, so its ratios are 0 too. To keep rounding from passing for an angle, constituents closer than
COLLINEAR count as collinear, and an e2 below SMALLEST_E2 as 0; D2, which has no bound, then fits into float32.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from glassjet.observables.clustering import distance_squared
from glassjet.observables.kinematics import Floats, Integers

COLLINEAR = 1e-9  # in R; rounding moves y by about 1e-16 cosh(y)^2
SMALLEST_E2 = 1e-30  # e2 of a soft constituent is about z R^beta, so below it no z can be measured
LANES = 4  # rows end at multiples of it, as many as a 256-bit vector has, so that no rest is left to do one by one


@dataclass(frozen=True)
class Correlators:
    """Energy correlation functions of n jets for each beta.

    Attributes
    ----------
    ecf1 : array (n,)
        ECF(1) in GeV, the scalar sum of pT.
    ecf2, ecf3 : arrays (n, betas)
        ECF(2) in GeV^2 and ECF(3) in GeV^3.
    e2, e3 : arrays (n, betas)
        ECF(2) / ECF(1)^2 and ECF(3) / ECF(1)^3.
    one_e3, two_e3 : arrays (n, betas)
        The generalised 1e3 and 2e3.
    """

    ecf1: Floats
    ecf2: Floats
    ecf3: Floats
    e2: Floats
    e3: Floats
    one_e3: Floats
    two_e3: Floats


@njit(cache=True)
def _angles_squared(constituents: Floats, squared: Floats) -> None:
    """R^2 of each constituent i to those before it, in squared[i, :i]."""
    y, phi = constituents[:, 1].copy(), constituents[:, 2].copy()
    for i in range(len(y)):
        row = squared[i]
        for j in range(i):
            gap = distance_squared(y[i], phi[i], y[j], phi[j])
            row[j] = gap if gap > COLLINEAR**2 else 0.0


@njit(cache=True)
def _powers(squared: Floats, beta: float, powers: Floats) -> None:
    """R^beta from R^2."""
    if beta == 1.0:  # roots cost a fraction of a power
        for j in range(len(squared)):
            powers[j] = math.sqrt(squared[j])
    elif beta == 2.0:
        for j in range(len(squared)):
            powers[j] = squared[j]
    elif beta == 0.5:
        for j in range(len(squared)):
            powers[j] = math.sqrt(math.sqrt(squared[j]))
    else:
        for j in range(len(squared)):
            powers[j] = squared[j] ** (0.5 * beta)


@njit(cache=True)
def _pairs(squared: Floats, shares: Floats, beta: float, angles: Floats) -> float:
    """e2 of one jet; and R^beta, in `angles`, of the pairs that `_triplets` looks up."""
    size = len(squared)
    half = size // 2
    powers = np.empty(size)
    total = 0.0
    for i in range(1, size):
        _powers(squared[i, :i], beta, powers)
        inner = 0.0
        for j in range(i):
            inner += shares[j] * powers[j]
        total += shares[i] * inner
        if i >= half:
            angles[i, :i] = powers[:i]
        for j in range(min(i, half)):
            angles[j, i] = powers[j]
    return total


@njit(cache=True)
def _add_triplets(ij: float, i_to: Floats, j_to: Floats, share: float, one: Floats, two: Floats, three: Floats) -> None:
    """Add to the sums of each k its triplet with i and j, with z_j (`share`) for weight; `three` lacks R_ik^beta.

    It has min and max instead of branches, and a sum for each k instead of one for all, to be vectorised.
    """
    shared = share * ij
    for k in range(len(i_to)):
        lower, upper = min(i_to[k], j_to[k]), max(i_to[k], j_to[k])
        shared_lower = share * lower
        one[k] += min(shared, shared_lower)
        two[k] += shared_lower * min(ij, upper)
        three[k] += shared * j_to[k]


@njit(cache=True)
def _triplets(angles: Floats, shares: Floats, sums: Floats) -> tuple[float, float, float]:
    """e3, 1e3 and 2e3 of one jet.

    Let j be the one in the middle of a triplet. If it is in the first half of the jet, i is before it and k runs over
    all that come after; if in the second half, i is after it and k runs over all before: so the rows are never short.
    Rows of the first half hold R^beta to the later constituents, the other rows that to the earlier ones, and both 0
    elsewhere: there a triplet adds nothing, so rows may reach to a multiple of LANES.
    """
    size, width = angles.shape
    half = size // 2
    one, two, three = sums[0], sums[1], sums[2]
    e3, one_e3, two_e3 = 0.0, 0.0, 0.0
    for i in range(size):
        later = i >= half
        begin, end = (half, i) if later else (i + 1, half)
        sums[:] = 0.0
        row = angles[i]
        for j in range(begin, end):
            first = 0 if later else (j + 1) // LANES * LANES
            last = (j + LANES - 1) // LANES * LANES if later else width
            to = slice(first, last)
            _add_triplets(row[j], row[to], angles[j, to], shares[j], one[to], two[to], three[to])
        for k in range(width):
            weight = shares[i] * shares[k]
            e3 += weight * row[k] * three[k]
            one_e3 += weight * one[k]
            two_e3 += weight * two[k]
    return e3, one_e3, two_e3


@njit(cache=True)
def _correlations(points: Floats, offsets: Integers, betas: Floats, ecf1: Floats, out: Floats) -> None:
    """ECF(1) of every jet; e2, e3, 1e3 and 2e3 of every jet and beta."""
    for jet in range(len(offsets) - 1):
        constituents = points[offsets[jet] : offsets[jet + 1]]
        size = len(constituents)
        width = (size + LANES - 1) // LANES * LANES
        for i in range(size):
            ecf1[jet] += constituents[i, 0]
        shares = np.zeros(width)
        for i in range(size):
            shares[i] = constituents[i, 0] / ecf1[jet]
        squared = np.empty((size, size))
        _angles_squared(constituents, squared)
        angles, sums = np.zeros((size, width)), np.empty((3, width))
        for b in range(len(betas)):
            out[jet, b, 0] = _pairs(squared, shares, betas[b], angles)
            out[jet, b, 1], out[jet, b, 2], out[jet, b, 3] = _triplets(angles, shares, sums)


def correlations(points: Floats, offsets: Integers, betas: tuple[float, ...]) -> Correlators:
    """Energy correlation functions of each jet, all its constituents taken.

    Parameters
    ----------
    points : array (N, 3)
        pT (GeV), y, phi of all constituents; pT > 0, phi in any range of one turn.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    betas : tuple of float
        The exponents of the angles, above 0; 0.5, 1 and 2 are quicker than others.
    """
    jets = len(offsets) - 1
    ecf1, out = np.zeros(jets), np.zeros((jets, len(betas), 4))
    _correlations(np.ascontiguousarray(points), offsets, np.array(betas, np.float64), ecf1, out)
    e2, e3, one_e3, two_e3 = (np.ascontiguousarray(out[:, :, place]) for place in range(4))
    total = ecf1[:, None]
    return Correlators(ecf1, e2 * total**2, e3 * total**3, e2, e3, one_e3, two_e3)


def _over_e2(above: Floats, e2: Floats, power: int) -> Floats:
    """above / e2^power, and 0 where e2 is below SMALLEST_E2."""
    return np.divide(above, e2**power, out=np.zeros_like(above), where=e2 >= SMALLEST_E2)


def c2(correlators: Correlators) -> Floats:
    """C2 = e3 / e2^2 (arXiv:1305.0007), as an array (n, betas)."""
    return _over_e2(correlators.e3, correlators.e2, 2)


def d2(correlators: Correlators) -> Floats:
    """D2 = e3 / e2^3 (arXiv:1409.6298), as an array (n, betas)."""
    return _over_e2(correlators.e3, correlators.e2, 3)


def m2(correlators: Correlators) -> Floats:
    """M2 = 1e3 / 1e2 (arXiv:1609.07483), as an array (n, betas)."""
    return _over_e2(correlators.one_e3, correlators.e2, 1)


def n2(correlators: Correlators) -> Floats:
    """N2 = 2e3 / (1e2)^2 (arXiv:1609.07483), as an array (n, betas)."""
    return _over_e2(correlators.two_e3, correlators.e2, 2)
