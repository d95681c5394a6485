"""Exclusive kT subjets: the scales at which a jet splits, and the masses of the subjets (ATLAS, arXiv:1306.4945).

The kT clustering of a jet is undone from its end. The splitting scale of the merge that left n objects of n + 1 is
d_{n,n+1} = min(pT_i, pT_j)^2 Delta R_ij^2, without a power of the radius. The last two subjets of a top quark's jet are
often those of the W boson and of the b quark, the last three those of the three quarks.
"""

import math

import numpy as np
from numba import njit

from glassjet.observables import kinematics
from glassjet.observables.clustering import History, distance_squared, left
from glassjet.observables.kinematics import Floats, Integers


@njit(cache=True)
def _scales(offsets: Integers, children: Integers, nodes: Floats, out: Floats) -> None:
    """The splitting scales of every jet: those of its last merges."""
    for jet in range(len(out)):
        start, end = offsets[jet], offsets[jet + 1]
        merges = (end - start) // 2
        for k in range(min(merges, out.shape[1])):
            node = end - 1 - k
            hard, soft = start + children[node, 0], start + children[node, 1]
            gap = distance_squared(nodes[hard, 1], nodes[hard, 2], nodes[soft, 1], nodes[soft, 2])
            out[jet, k] = nodes[soft, 0] * math.sqrt(gap)


def splitting_scales(history: History, number: int = 3) -> Floats:
    """sqrt(d_12), sqrt(d_23), sqrt(d_34), … in GeV, as an array (n, number).

    sqrt(d_{k,k+1}) = min(pT_i, pT_j) Delta R_ij of the two subjets that the merge from k + 1 to k joined; 0 for a jet
    of no more than k constituents.

    Parameters
    ----------
    history : History
        From `cluster(…, "kt")`, with four-momentum sums.
    number : int
        How many scales.
    """
    out = np.zeros((len(history.offsets) - 1, number))
    _scales(history.offsets, history.children, history.nodes, out)
    return out


@njit(cache=True)
def _subjets(offsets: Integers, children: Integers, nodes: Floats, momenta: Floats, out: Floats) -> None:
    """The subjets of every jet that has as many constituents."""
    number = out.shape[1]
    for jet in range(len(out)):
        own = slice(offsets[jet], offsets[jet + 1])
        tree, points, sums = children[own], nodes[own], momenta[own]
        if (len(tree) + 1) // 2 < number:
            continue
        found = left(tree, number)
        for k in range(1, number):  # sorted by falling pT
            one, place = found[k], k
            while place > 0 and points[found[place - 1], 0] < points[one, 0]:
                found[place] = found[place - 1]
                place -= 1
            found[place] = one
        for k in range(number):
            for axis in range(4):
                out[jet, k, axis] = sums[found[k], axis]


def exclusive_subjets(history: History, number: int) -> Floats:
    """px, py, pz, E (GeV) of the exclusive kT subjets of each jet in falling order of pT, as an array (n, number, 4).

    All are 0 for a jet of fewer constituents than subjets.

    Parameters
    ----------
    history : History
        From `cluster(…, "kt")`, with four-momentum sums.
    number : int
        How many subjets, at least 1.
    """
    out = np.zeros((len(history.offsets) - 1, number, 4))
    _subjets(history.offsets, history.children, history.nodes, history.momenta, out)
    return out


def masses(subjets: Floats) -> Floats:
    """Masses (n, number) in GeV of subjets (n, number, 4); 0 where rounding makes m^2 negative."""
    return kinematics.mass(subjets.reshape(-1, 4)).reshape(subjets.shape[:2])


def largest_mass(subjets: Floats) -> Floats:
    """The largest of the subjets' masses (n,) in GeV: of two subjets (n, 2, 4) a candidate for the mass of the W boson.

    It is 0 for a jet of one constituent.
    """
    return masses(subjets).max(axis=1)


def smallest_pair_mass(subjets: Floats) -> Floats:
    """ATLAS's Q_W (n,) in GeV: the smallest mass of a pair of the three subjets (n, 3, 4) (arXiv:1808.07858).

    Another candidate for the mass of the W boson. It is 0 for a jet of one or two constituents.
    """
    return masses(subjets[:, [0, 0, 1]] + subjets[:, [1, 2, 2]]).min(axis=1)
