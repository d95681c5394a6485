"""Sequential clustering of each jet's constituents down to one, and the history of it.

The kT and the Cambridge/Aachen algorithm (FastJet manual, arXiv:1111.6097, section 4) with an infinite radius, so that
nothing merges with the beam: kT has d_ij = min(pT_i^2, pT_j^2) Delta R_ij^2, C/A has d_ij = Delta R_ij^2. It is what
fastjet-contrib does for its KT_Axes and WTA_KT_Axes and for soft drop. The nearest neighbour of each object is kept
(arXiv:hep-ph/0512210), so a jet of m constituents costs about m^2.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit

from glassjet.observables.kinematics import Floats, Integers, plane


@dataclass(frozen=True)
class History:
    """How the m constituents of each jet merged, two at a time, into one: 2 m - 1 nodes.

    Attributes
    ----------
    offsets : array (n + 1,)
        Jet i owns the nodes offsets[i]:offsets[i + 1]: first its constituents in their order, then what they
        merged into, in the order of merging; the last node is the whole jet.
    children : array (nodes, 2)
        The two nodes that merged into a node, counted within the jet, the one of higher pT first; -1 for constituents.
    nodes : array (nodes, 3)
        pT (GeV), y, phi of each node.
    """

    offsets: Integers
    children: Integers
    nodes: Floats


# Compiled callers in other files (nsubjettiness, soft_drop) keep this function's code in their caches, and numba looks
# for changes in the caller's file only: whoever changes it deletes observables/__pycache__.
@njit(cache=True)
def distance_squared(y1: float, phi1: float, y2: float, phi2: float) -> float:
    """Delta R^2 of two points of the (y, phi) plane, for azimuths in any range of one turn."""
    dphi = abs(phi1 - phi2)
    if dphi > math.pi:
        dphi = 2.0 * math.pi - dphi
    return (y1 - y2) ** 2 + dphi**2


@njit(cache=True)
def _nearest(slot: int, count: int, node: Integers, nodes: Floats) -> tuple[int, float]:
    """The slot nearest to `slot` among the first `count`, and the squared distance."""
    best, gap = -1, np.inf
    y, phi = nodes[node[slot], 1], nodes[node[slot], 2]
    for other in range(count):
        if other != slot:
            distance = distance_squared(y, phi, nodes[node[other], 1], nodes[node[other], 2])
            if distance < gap:
                best, gap = other, distance
    return best, gap


@njit(cache=True)
def _cluster_jet(momenta: Floats, nodes: Floats, children: Integers, by_pt: bool, winner_takes_all: bool) -> None:
    """Cluster one jet; `nodes` holds its constituents' pT, y, phi in the first rows, and gets the others."""
    size = momenta.shape[0]
    sums = np.zeros((2 * size - 1, 4))
    sums[:size] = momenta
    node = np.arange(size)  # the node in each slot; the slots that are still in use come first
    nearest = np.empty(size, np.int64)
    gap = np.empty(size)
    for slot in range(size):
        nearest[slot], gap[slot] = _nearest(slot, size, node, nodes)
    for new in range(size, 2 * size - 1):
        count = 2 * size - new
        first, smallest = 0, np.inf
        for slot in range(count):
            distance = gap[slot]
            if by_pt:
                distance *= min(nodes[node[slot], 0], nodes[node[nearest[slot]], 0]) ** 2
            if distance < smallest:
                first, smallest = slot, distance
        second = nearest[first]
        hard, soft = node[first], node[second]
        if nodes[soft, 0] > nodes[hard, 0]:
            hard, soft = soft, hard
        children[new, 0], children[new, 1] = hard, soft
        sums[new] = sums[hard] + sums[soft]
        if winner_takes_all:
            nodes[new, 0] = nodes[hard, 0] + nodes[soft, 0]
            nodes[new, 1], nodes[new, 2] = nodes[hard, 1], nodes[hard, 2]
        else:
            px, py, pz, energy = sums[new]
            pt2 = px**2 + py**2
            m2 = max(energy**2 - pt2 - pz**2, 0.0)
            nodes[new, 0] = math.sqrt(pt2)
            nodes[new, 1] = math.copysign(math.log((energy + abs(pz)) / math.sqrt(pt2 + m2)), pz)
            nodes[new, 2] = math.atan2(py, px)
        # the new node takes the first slot; the last slot moves to where the second was
        last = count - 1
        node[first] = new
        node[second], nearest[second], gap[second] = node[last], nearest[last], gap[last]
        if first == last:
            first = second
        for slot in range(last):
            if slot == first or nearest[slot] == first or nearest[slot] == second or nearest[slot] == last:
                nearest[slot], gap[slot] = _nearest(slot, last, node, nodes)
                continue
            y, phi = nodes[new, 1], nodes[new, 2]
            distance = distance_squared(nodes[node[slot], 1], nodes[node[slot], 2], y, phi)
            if distance < gap[slot]:
                nearest[slot], gap[slot] = first, distance


@njit(cache=True)
def _cluster(
    momenta: Floats,
    offsets: Integers,
    node_offsets: Integers,
    nodes: Floats,
    children: Integers,
    by_pt: bool,
    winner_takes_all: bool,
) -> None:
    """Cluster every jet."""
    for jet in range(len(offsets) - 1):
        own = slice(node_offsets[jet], node_offsets[jet + 1])
        _cluster_jet(momenta[offsets[jet] : offsets[jet + 1]], nodes[own], children[own], by_pt, winner_takes_all)


def cluster(
    momenta: Floats,
    offsets: Integers,
    algorithm: Literal["kt", "ca"],
    recombination: Literal["four_momentum", "winner_takes_all"] = "four_momentum",
) -> History:
    """Cluster the constituents of each jet until one object is left.

    Parameters
    ----------
    momenta : array (N, 4)
        px, py, pz, E (GeV) of all constituents; pT > 0.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1], at least one.
    algorithm : "kt" or "ca"
        kT (arXiv:hep-ph/9305266) or Cambridge/Aachen (arXiv:hep-ph/9707323).
    recombination : "four_momentum" or "winner_takes_all"
        The sum of the four-momenta (E scheme), or the direction of the harder one with the sum of both pT
        (arXiv:1401.2158).
    """
    counts = np.diff(offsets)
    if counts.size and counts.min() < 1:
        raise ValueError(f"jet {int(counts.argmin())} has no constituents")
    node_offsets = np.concatenate([[0], np.cumsum(2 * counts - 1)]).astype(np.int64)
    nodes = np.zeros((int(node_offsets[-1]), 3))
    children = np.full((int(node_offsets[-1]), 2), -1, np.int64)
    place = np.repeat(node_offsets[:-1] - offsets[:-1], counts) + np.arange(int(offsets[-1]))
    nodes[place] = plane(momenta)
    _cluster(momenta, offsets, node_offsets, nodes, children, algorithm == "kt", recombination == "winner_takes_all")
    return History(node_offsets, children, nodes)
