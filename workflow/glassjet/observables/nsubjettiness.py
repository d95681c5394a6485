"""N-subjettiness, tau_N^(beta) = sum_i pT_i min_k Delta R_ik^beta (arXiv:1011.2268), with axes from clustering.

Axes are the N nodes of a clustering history that are left when N objects are left: fastjet-contrib's KT_Axes from a kT
history, WTA_KT_Axes from one with winner-take-all recombination. OnePass axes start there and go to the nearest
minimum of tau by the k-means of arXiv:1108.2701, section 3.
"""

import math

import numpy as np
from numba import njit

from glassjet.observables.clustering import History, distance_squared, left
from glassjet.observables.kinematics import Floats, Integers

ACCURACY = 1e-4  # fastjet-contrib's: the mean shift of the axes at which the minimisation ends, and its softening of r
MOST_STEPS = 1000


@njit(cache=True)
def _axes(children: Integers, nodes: Floats, number: int) -> Floats:
    """y, phi of the `number` nodes that are left after undoing the last `number` - 1 merges of a jet."""
    found = left(children, number)
    axes = np.empty((number, 2))
    for k in range(number):
        axes[k, 0], axes[k, 1] = nodes[found[k], 1], nodes[found[k], 2]
    return axes


@njit(cache=True)
def _closest(constituents: Floats, axes: Floats, closest: Integers, gaps: Floats) -> None:
    """The closest axis of each constituent, and the squared distance to it."""
    size = constituents.shape[1]
    for k in range(len(axes)):
        y, phi = axes[k, 0], axes[k, 1]
        for i in range(size):
            gap = distance_squared(constituents[1, i], constituents[2, i], y, phi)
            nearer = k == 0 or gap < gaps[i]
            closest[i] = k if nearer else closest[i]
            gaps[i] = gap if nearer else gaps[i]


@njit(cache=True)
def _power(gaps: Floats, exponent: float, out: Floats) -> None:
    """Delta R^exponent of squared distances; roots cost a fraction of a power."""
    if exponent == 2.0:
        for i in range(len(gaps)):
            out[i] = gaps[i]
    elif exponent == 1.0:
        for i in range(len(gaps)):
            out[i] = math.sqrt(gaps[i])
    elif exponent == 0.5:
        for i in range(len(gaps)):
            out[i] = math.sqrt(math.sqrt(gaps[i]))
    else:
        for i in range(len(gaps)):
            out[i] = gaps[i] ** (0.5 * exponent)


@njit(cache=True)
def _refine(
    constituents: Floats, axes: Floats, beta: float, accuracy: float, most_steps: int, closest: Integers, gaps: Floats
) -> None:
    """Move the axes to a minimum of tau: each becomes the mean of its constituents, weighted by pT r^(beta - 2)."""
    size = constituents.shape[1]
    weights, means = np.empty(size), np.empty((len(axes), 3))
    for _ in range(most_steps):
        _closest(constituents, axes, closest, gaps)
        for i in range(size):  # the accuracy softens r where an axis lies on a constituent
            gaps[i] += accuracy**2
        _power(gaps, beta, weights)
        for i in range(size):
            weights[i] *= constituents[0, i] / gaps[i]
        means[:] = 0.0
        for i in range(size):
            k = closest[i]
            dphi = constituents[2, i] - axes[k, 1]
            if dphi > math.pi:
                dphi -= 2.0 * math.pi
            elif dphi < -math.pi:
                dphi += 2.0 * math.pi
            means[k, 0] += weights[i]
            means[k, 1] += weights[i] * (constituents[1, i] - axes[k, 0])
            means[k, 2] += weights[i] * dphi
        moved = 0.0
        for k in range(len(axes)):
            if means[k, 0] > 0.0:  # an axis without constituents stays where it is
                dy, dphi = means[k, 1] / means[k, 0], means[k, 2] / means[k, 0]
                moved += math.sqrt(dy**2 + dphi**2)
                phi = axes[k, 1] + dphi
                axes[k, 0] += dy
                axes[k, 1] = phi - 2.0 * math.pi * round(phi / (2.0 * math.pi))
        if moved / len(axes) <= accuracy:
            break


@njit(cache=True)
def _taus(
    offsets: Integers,
    children: Integers,
    nodes: Floats,
    orders: Integers,
    betas: Floats,
    accuracy: float,
    most_steps: int,
    out: Floats,
) -> None:
    """tau of every jet, order and beta."""
    for jet in range(len(offsets) - 1):
        tree, points = children[offsets[jet] : offsets[jet + 1]], nodes[offsets[jet] : offsets[jet + 1]]
        size = (len(tree) + 1) // 2
        constituents = points[:size].T.copy()
        closest, gaps, power = np.empty(size, np.int64), np.empty(size), np.empty(size)
        for n in range(len(orders)):
            if size <= orders[n]:
                continue  # each constituent is an axis: tau = 0
            seeds = _axes(tree, points, orders[n])
            if most_steps == 0:
                _closest(constituents, seeds, closest, gaps)
            for b in range(len(betas)):
                if most_steps > 0:
                    axes = seeds.copy()
                    _refine(constituents, axes, betas[b], accuracy, most_steps, closest, gaps)
                    _closest(constituents, axes, closest, gaps)
                _power(gaps, betas[b], power)
                total = 0.0
                for i in range(size):
                    total += constituents[0, i] * power[i]
                out[jet, n, b] = total


def tau(history: History, orders: tuple[int, ...], betas: tuple[float, ...], one_pass: bool) -> Floats:
    """tau_N^(beta) in GeV, not divided by anything, as an array (n, orders, betas).

    Parameters
    ----------
    history : History
        From `cluster`: kT with four-momentum sums gives KT_Axes, with winner-take-all recombination WTA_KT_Axes.
    orders : tuple of int
        N, at least 1. A jet with no more than N constituents has tau_N = 0.
    betas : tuple of float
        The exponents, above 0.
    one_pass : bool
        Whether the axes are moved to a minimum of tau (OnePass_… axes).
    """
    out = np.zeros((len(history.offsets) - 1, len(orders), len(betas)))
    steps = MOST_STEPS if one_pass else 0
    arrays = np.array(orders, np.int64), np.array(betas, np.float64)
    _taus(history.offsets, history.children, history.nodes, *arrays, ACCURACY, steps, out)
    return out


def ratio(above: Floats, below: Floats) -> Floats:
    """above / below, and 0 where `below` is 0: such a jet has no more constituents than axes, so `above` is 0 too."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
