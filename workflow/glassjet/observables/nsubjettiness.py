"""N-subjettiness, tau_N^(beta) = sum_i pT_i min_k Delta R_ik^beta (arXiv:1011.2268), with axes from clustering.

Axes are the N nodes of a clustering history that are left when N objects are left: fastjet-contrib's KT_Axes from a kT
history, WTA_KT_Axes from one with winner-take-all recombination. OnePass axes start there and go to the nearest
minimum of tau by the k-means of arXiv:1108.2701, section 3.
"""

import math

import numpy as np
from numba import njit

from glassjet.observables.clustering import History, distance_squared
from glassjet.observables.kinematics import Floats, Integers

ACCURACY = 1e-4  # fastjet-contrib's: the mean shift of the axes at which the minimisation ends, and its softening of r
MOST_STEPS = 1000


@njit(cache=True)
def _axes(children: Integers, nodes: Floats, number: int) -> Floats:
    """y, phi of the `number` nodes that are left after undoing the last `number` - 1 merges of a jet."""
    left = np.empty(number, np.int64)
    left[0] = len(children) - 1
    for made in range(1, number):
        undone = len(children) - made
        for place in range(made):
            if left[place] == undone:
                left[place], left[made] = children[undone, 0], children[undone, 1]
                break
    axes = np.empty((number, 2))
    for k in range(number):
        axes[k, 0], axes[k, 1] = nodes[left[k], 1], nodes[left[k], 2]
    return axes


@njit(cache=True)
def _closest(y: float, phi: float, axes: Floats) -> tuple[int, float]:
    """The closest axis and the squared distance to it."""
    best, gap = 0, np.inf
    for k in range(len(axes)):
        distance = distance_squared(y, phi, axes[k, 0], axes[k, 1])
        if distance < gap:
            best, gap = k, distance
    return best, gap


@njit(cache=True)
def _refined(constituents: Floats, axes: Floats, beta: float, accuracy: float, most_steps: int) -> Floats:
    """Axes moved to a minimum of tau: each becomes the mean of its constituents, weighted by pT r^(beta - 2)."""
    for _ in range(most_steps):
        weights = np.zeros(len(axes))
        shifts = np.zeros((len(axes), 2))
        for i in range(len(constituents)):
            k, gap = _closest(constituents[i, 1], constituents[i, 2], axes)
            weight = constituents[i, 0]
            if beta == 1.0:  # a root costs a fraction of a power
                weight /= math.sqrt(gap + accuracy**2)
            elif beta != 2.0:
                weight *= (gap + accuracy**2) ** (0.5 * beta - 1.0)
            dphi = constituents[i, 2] - axes[k, 1]
            dphi -= 2.0 * math.pi * round(dphi / (2.0 * math.pi))
            weights[k] += weight
            shifts[k, 0] += weight * (constituents[i, 1] - axes[k, 0])
            shifts[k, 1] += weight * dphi
        moved = 0.0
        moved_axes = axes.copy()
        for k in range(len(axes)):
            if weights[k] > 0.0:  # an axis without constituents stays where it is
                dy, dphi = shifts[k, 0] / weights[k], shifts[k, 1] / weights[k]
                moved += math.sqrt(dy**2 + dphi**2)
                phi = axes[k, 1] + dphi
                moved_axes[k, 0] = axes[k, 0] + dy
                moved_axes[k, 1] = phi - 2.0 * math.pi * round(phi / (2.0 * math.pi))
        axes = moved_axes
        if moved / len(axes) <= accuracy:
            break
    return axes


@njit(cache=True)
def _tau(constituents: Floats, axes: Floats, beta: float) -> float:
    """Sum over the constituents of pT Delta R^beta to the closest axis."""
    total = 0.0
    for i in range(len(constituents)):
        gap = _closest(constituents[i, 1], constituents[i, 2], axes)[1]
        if beta == 2.0:
            total += constituents[i, 0] * gap
        elif beta == 1.0:
            total += constituents[i, 0] * math.sqrt(gap)
        else:
            total += constituents[i, 0] * gap ** (0.5 * beta)
    return total


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
        own = slice(offsets[jet], offsets[jet + 1])
        size = (offsets[jet + 1] - offsets[jet] + 1) // 2
        constituents = nodes[own][:size]
        for n in range(len(orders)):
            if size <= orders[n]:
                continue  # each constituent is an axis: tau = 0
            seeds = _axes(children[own], nodes[own], orders[n])
            for b in range(len(betas)):
                axes = _refined(constituents, seeds, betas[b], accuracy, most_steps) if most_steps else seeds
                out[jet, n, b] = _tau(constituents, axes, betas[b])


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
