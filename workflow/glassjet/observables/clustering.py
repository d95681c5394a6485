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

Algorithm = Literal["kt", "ca"]
Recombination = Literal["four_momentum", "winner_takes_all"]


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
    momenta : array (nodes, 4)
        px, py, pz, E (GeV) of the constituents below each node, summed, whatever the recombination.
    """

    offsets: Integers
    children: Integers
    nodes: Floats
    momenta: Floats


# Compiled callers in other files (nsubjettiness, soft_drop, lund, shapes, …) keep this function's code in their caches,
# and numba looks for changes in the caller's file only: whoever changes it deletes observables/__pycache__.
@njit(cache=True)
def distance_squared(y1: float, phi1: float, y2: float, phi2: float) -> float:
    """Delta R^2 of two points of the (y, phi) plane, for azimuths in any range of one turn."""
    dphi = abs(phi1 - phi2)
    dphi = min(dphi, 2.0 * math.pi - dphi)  # no branch, so that loops over it are vectorised
    return (y1 - y2) ** 2 + dphi**2


@njit(cache=True)
def left(children: Integers, number: int) -> Integers:
    """The `number` nodes that are left after undoing the last `number` - 1 merges of a jet.

    The jet's `children` are an array (2 m - 1, 2) as in History; m must be at least `number`.
    """
    found = np.empty(number, np.int64)
    found[0] = len(children) - 1
    for made in range(1, number):
        undone = len(children) - made  # the latest merge that is left
        for place in range(made):
            if found[place] == undone:
                found[place], found[made] = children[undone, 0], children[undone, 1]
                break
    return found


@njit(cache=True)
def _gaps(y: Floats, phi: Floats, slot: int, count: int, gaps: Floats) -> None:
    """Squared distances of the first `count` slots to `slot`, into `gaps`; to itself it is infinite."""
    own_y, own_phi = y[slot], phi[slot]
    for other in range(count):
        gaps[other] = distance_squared(y[other], phi[other], own_y, own_phi)
    gaps[slot] = np.inf


@njit(cache=True)
def _smallest(values: Floats, count: int) -> int:
    """Where the smallest of the first `count` values stands."""
    place, smallest = 0, values[0]
    for other in range(1, count):
        if values[other] < smallest:
            place, smallest = other, values[other]
    return place


@njit(cache=True)
def _cluster_jet(momenta: Floats, nodes: Floats, children: Integers, by_pt: bool, winner_takes_all: bool) -> None:
    """Cluster one jet; the first rows of `momenta` and `nodes` hold its constituents, the others are made here.

    The objects that are left stand in slots, the first `count` of the arrays below, so that loops over them are short
    and plain.
    """
    size = (len(nodes) + 1) // 2
    node = np.arange(size)
    y, phi = nodes[:size, 1].copy(), nodes[:size, 2].copy()
    scale = nodes[:size, 0] ** 2 if by_pt else np.ones(size)
    nearest, gaps = np.empty(size, np.int64), np.empty(size)
    gap, distance = np.empty(size), np.empty(size)  # Delta R^2 to the nearest, and d_ij with it
    for slot in range(size):
        _gaps(y, phi, slot, size, gaps)
        near = _smallest(gaps, size)
        nearest[slot], gap[slot] = near, gaps[near]
        distance[slot] = gaps[near] * min(scale[slot], scale[near])
    for new in range(size, 2 * size - 1):
        last = 2 * size - new - 1  # the slot that gets free
        first = _smallest(distance, last + 1)
        second = nearest[first]
        if second < first:
            first, second = second, first
        hard, soft = node[first], node[second]
        if nodes[soft, 0] > nodes[hard, 0]:
            hard, soft = soft, hard
        children[new, 0], children[new, 1] = hard, soft
        for axis in range(4):
            momenta[new, axis] = momenta[hard, axis] + momenta[soft, axis]
        if winner_takes_all:
            nodes[new, 0] = nodes[hard, 0] + nodes[soft, 0]
            nodes[new, 1], nodes[new, 2] = nodes[hard, 1], nodes[hard, 2]
        else:
            px, py, pz, energy = momenta[new]
            pt2 = px**2 + py**2
            m2 = max(energy**2 - pt2 - pz**2, 0.0)
            nodes[new, 0] = math.sqrt(pt2)
            nodes[new, 1] = math.copysign(math.log((energy + abs(pz)) / math.sqrt(pt2 + m2)), pz)
            nodes[new, 2] = math.atan2(py, px)
        node[first], y[first], phi[first] = new, nodes[new, 1], nodes[new, 2]
        if by_pt:
            scale[first] = nodes[new, 0] ** 2
        node[second], y[second], phi[second], scale[second] = node[last], y[last], phi[last], scale[last]
        nearest[second], gap[second], distance[second] = nearest[last], gap[last], distance[last]
        _gaps(y, phi, first, last, gaps)
        near = _smallest(gaps, last)
        if last > 1:
            nearest[first], gap[first] = near, gaps[near]
            distance[first] = gaps[near] * min(scale[first], scale[near])
        for slot in range(last):
            if slot == first:
                continue
            if nearest[slot] == first or nearest[slot] == second:  # as before the merge
                distance[slot] = -1.0  # to be looked for below, when `gaps` is free
            elif gaps[slot] < gap[slot]:
                nearest[slot], gap[slot] = first, gaps[slot]
                distance[slot] = gaps[slot] * min(scale[slot], scale[first])
            elif nearest[slot] == last:
                nearest[slot] = second
        for slot in range(last):
            if distance[slot] < 0.0:
                _gaps(y, phi, slot, last, gaps)
                near = _smallest(gaps, last)
                nearest[slot], gap[slot] = near, gaps[near]
                distance[slot] = gaps[near] * min(scale[slot], scale[near])


@njit(cache=True)
def _cluster(
    momenta: Floats,
    points: Floats,
    offsets: Integers,
    history: tuple[Integers, Integers, Floats, Floats],
    by_pt: bool,
    winner_takes_all: bool,
) -> None:
    """Cluster every jet; `history` is the four arrays of a History, of which the first is filled."""
    node_offsets, children, nodes, sums = history
    for jet in range(len(offsets) - 1):
        first, size, own = offsets[jet], offsets[jet + 1] - offsets[jet], node_offsets[jet]
        for i in range(size):
            for axis in range(4):
                sums[own + i, axis] = momenta[first + i, axis]
            for axis in range(3):
                nodes[own + i, axis] = points[first + i, axis]
            children[own + i, 0] = children[own + i, 1] = -1
        mine = slice(own, own + 2 * size - 1)
        _cluster_jet(sums[mine], nodes[mine], children[mine], by_pt, winner_takes_all)


def cluster(
    momenta: Floats,
    offsets: Integers,
    algorithm: Algorithm,
    recombination: Recombination = "four_momentum",
    points: Floats | None = None,
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
    points : array (N, 3), optional
        `plane(momenta)`, where it is known already.
    """
    counts = np.diff(offsets)
    if counts.size and counts.min() < 1:
        raise ValueError(f"jet {int(counts.argmin())} has no constituents")
    node_offsets = np.concatenate([[0], np.cumsum(2 * counts - 1)]).astype(np.int64)
    total = int(node_offsets[-1])
    history = (node_offsets, np.empty((total, 2), np.int64), np.empty((total, 3)), np.empty((total, 4)))
    if points is None:
        points = plane(momenta)
    _cluster(momenta, points, offsets, history, algorithm == "kt", recombination == "winner_takes_all")
    return History(*history)
