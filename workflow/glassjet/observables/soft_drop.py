"""Soft drop (arXiv:1402.2657): undo the Cambridge/Aachen clustering until a splitting is hard enough.

At each splitting into two prongs with momentum sharing z = min(pT_1, pT_2) / (pT_1 + pT_2), keep both if
z > z_cut (Delta R / R0)^beta; else drop the softer one and go on with the harder. If no splitting passes, the last
prong (one constituent) is what is left, as in FastJet's SoftDrop.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from glassjet.observables.clustering import History, distance_squared
from glassjet.observables.kinematics import Floats, Integers

Z_CUT = 0.1
BETA = 0.0
R0 = 0.8


@dataclass(frozen=True)
class Groomed:
    """What soft drop leaves of each jet.

    Attributes
    ----------
    prong : array (N,)
        For each constituent of all jets: 0 groomed away, 1 in the subjet of higher pT, 2 in the other.
    passed : array (n,) of bool
        Whether a splitting passed; if none did, every kept constituent has prong 1.
    subjets : array (n, 2, 4)
        px, py, pz, E (GeV) of the two prongs, the one of higher pT first; the second is 0 where no splitting passed.
    z, delta_r : arrays (n,)
        z_g = min(pT_1, pT_2) / (pT_1 + pT_2) and R_g = Delta R of the splitting that passed; 0 where none did.
    """

    prong: NDArray[np.int8]
    passed: NDArray[np.bool_]
    subjets: Floats
    z: Floats
    delta_r: Floats


@njit(cache=True)
def _mark(prong: NDArray[np.int8], children: Integers, start: int, value: int) -> None:
    """Give the constituents below the node `start` of a jet the value."""
    stack = np.empty(len(children), np.int64)
    stack[0] = start
    height = 1
    while height:
        height -= 1
        node = stack[height]
        if children[node, 0] < 0:
            prong[node] = value
        else:
            stack[height], stack[height + 1] = children[node, 0], children[node, 1]
            height += 2


@njit(cache=True)
def _groom(
    offsets: Integers,
    children: Integers,
    nodes: Floats,
    momenta: Floats,
    cut: tuple[float, float, float],
    prong: NDArray[np.int8],
    passed: NDArray[np.bool_],
    subjets: Floats,
    splitting: Floats,
) -> None:
    """Groom every jet; `cut` is z_cut, beta, R0, and `splitting` gets z_g and R_g."""
    z_cut, beta, radius = cut
    first = 0
    for jet in range(len(passed)):
        own = slice(offsets[jet], offsets[jet + 1])
        tree, points, sums = children[own], nodes[own], momenta[own]
        size = (len(tree) + 1) // 2
        mine = prong[first : first + size]
        first += size
        node = len(tree) - 1
        while tree[node, 0] >= 0:
            hard, soft = tree[node, 0], tree[node, 1]
            gap = distance_squared(points[hard, 1], points[hard, 2], points[soft, 1], points[soft, 2])
            z = points[soft, 0] / (points[hard, 0] + points[soft, 0])
            if z > z_cut * (gap / radius**2) ** (0.5 * beta):
                passed[jet] = True
                splitting[jet, 0], splitting[jet, 1] = z, math.sqrt(gap)
                _mark(mine, tree, soft, 2)
                subjets[jet, 1] = sums[soft]
                node = hard
                break
            node = hard
        _mark(mine, tree, node, 1)
        subjets[jet, 0] = sums[node]


def soft_drop(history: History, z_cut: float = Z_CUT, beta: float = BETA, radius: float = R0) -> Groomed:
    """Groom the jets of a Cambridge/Aachen history with four-momentum sums.

    Parameters
    ----------
    history : History
        From `cluster(…, "ca")`.
    z_cut, beta, radius : float
        The parameters of the condition; `radius` is R0, without effect for beta = 0.
    """
    jets = len(history.offsets) - 1
    prong = np.zeros((len(history.nodes) + jets) // 2, np.int8)
    passed, subjets, splitting = np.zeros(jets, np.bool_), np.zeros((jets, 2, 4)), np.zeros((jets, 2))
    trees = history.offsets, history.children, history.nodes, history.momenta
    _groom(*trees, (z_cut, beta, radius), prong, passed, subjets, splitting)
    return Groomed(prong, passed, subjets, splitting[:, 0].copy(), splitting[:, 1].copy())
