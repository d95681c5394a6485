"""The primary Lund plane of jets (arXiv:1807.04758): their emissions, in the angle and the transverse momentum.

The Cambridge/Aachen clustering of a jet is undone, always following the branch of higher pT. Each splitting into a
harder and a softer branch is an emission, with the variables of fastjet-contrib's LundGenerator:
Delta = Delta R of the two branches, kt = pT_soft Delta, z = pT_soft / (pT_soft + pT_hard) and the azimuth
psi = atan2(y_soft - y_hard, phi_soft - phi_hard). The plane is spanned by ln(1 / Delta) and ln(kt / GeV).
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from glassjet.observables.clustering import History, distance_squared
from glassjet.observables.kinematics import Floats, Integers

COLLINEAR = 1e-6  # Delta; closer branches coincide but for rounding, of float32 in the jet store too (up to |y| = 2)
KT_CUT = 1.0  # GeV


@dataclass(frozen=True)
class Emissions:
    """The emissions on the primary Lund plane of n jets, of each jet in the order of undoing, from wide angles inwards.

    Attributes
    ----------
    offsets : array (n + 1,)
        Jet i owns the emissions offsets[i]:offsets[i + 1]; it may have none.
    delta, kt, z, psi : array (N,)
        Delta, kt (GeV), z in (0, 1/2], psi (rad) in [-pi, pi].
    """

    offsets: Integers
    delta: Floats
    kt: Floats
    z: Floats
    psi: Floats

    @property
    def ln_inverse_delta(self) -> Floats:
        """ln(1 / Delta), as an array (N,)."""
        return -np.log(self.delta)

    @property
    def ln_kt(self) -> Floats:
        """ln(kt / GeV), as an array (N,)."""
        return np.log(self.kt)


@njit(cache=True)
def _splittings(offsets: Integers, children: Integers) -> int:
    """How many splittings the branches of higher pT of all jets have."""
    total = 0
    for jet in range(len(offsets) - 1):
        tree = children[offsets[jet] : offsets[jet + 1]]
        node = len(tree) - 1
        while tree[node, 0] >= 0:
            node = tree[node, 0]
            total += 1
    return total


@njit(cache=True)
def _decluster(offsets: Integers, children: Integers, nodes: Floats, ends: Integers, columns: Floats) -> None:
    """Write the emissions of every jet into the rows delta, kt, z, psi of `columns`, and where they end."""
    filled = 0
    for jet in range(len(offsets) - 1):
        own = slice(offsets[jet], offsets[jet + 1])
        tree, points = children[own], nodes[own]
        node = len(tree) - 1
        while tree[node, 0] >= 0:
            hard, soft = tree[node, 0], tree[node, 1]
            node = hard
            delta = math.sqrt(distance_squared(points[hard, 1], points[hard, 2], points[soft, 1], points[soft, 2]))
            if delta < COLLINEAR or points[soft, 0] <= 0.0:
                continue
            dphi = points[soft, 2] - points[hard, 2]
            dphi -= 2.0 * math.pi * round(dphi / (2.0 * math.pi))
            columns[0, filled] = delta
            columns[1, filled] = points[soft, 0] * delta
            columns[2, filled] = points[soft, 0] / (points[soft, 0] + points[hard, 0])
            columns[3, filled] = math.atan2(points[soft, 1] - points[hard, 1], dphi)
            filled += 1
        ends[jet] = filled


def primary_emissions(history: History) -> Emissions:
    """The emissions on the primary Lund plane of each jet.

    Branches that coincide (Delta below 1e-6, more than rounding makes of duplicated constituents) are no emission, nor
    is one without transverse momentum (whose constituents are back to back): they have no logarithm. The harder one is
    followed all the same.

    Parameters
    ----------
    history : History
        From `cluster(…, "ca")`, with four-momentum sums.
    """
    columns = np.empty((4, _splittings(history.offsets, history.children)))
    offsets = np.zeros(len(history.offsets), np.int64)
    _decluster(history.offsets, history.children, history.nodes, offsets[1:], columns)
    return Emissions(offsets, *columns[:, : offsets[-1]])


@njit(cache=True)
def _scalars(offsets: Integers, delta: Floats, kt: Floats, z: Floats, kt_cut: float, out: Floats) -> None:
    """Of every jet the number of emissions above the cut, and kt, delta, z of the one with the largest kt."""
    for jet in range(len(offsets) - 1):
        for i in range(offsets[jet], offsets[jet + 1]):
            if kt[i] > kt_cut:
                out[0, jet] += 1.0
            if kt[i] > out[1, jet]:
                out[1, jet], out[2, jet], out[3, jet] = kt[i], delta[i], z[i]


def scalars(emissions: Emissions, kt_cut: float = KT_CUT) -> dict[str, Floats]:
    """Variables (n,) of each jet; all 0 for a jet without emissions.

    `lund_multiplicity` is the number of primary emissions with kt > kt_cut (that of arXiv:2212.05076 counts the
    emissions of the softer branches too). `lund_kt` (GeV), `lund_delta` and `lund_z` are those of the emission with the
    largest kt, the widest one of equals.

    Parameters
    ----------
    emissions : Emissions
        From `primary_emissions`.
    kt_cut : float
        In GeV.
    """
    out = np.zeros((4, len(emissions.offsets) - 1))
    _scalars(emissions.offsets, emissions.delta, emissions.kt, emissions.z, kt_cut, out)
    return dict(zip(("lund_multiplicity", "lund_kt", "lund_delta", "lund_z"), out, strict=True))


@njit(cache=True)
def _moments(offsets: Integers, cells: Integers, weights: Floats, sums: Floats) -> tuple[float, float]:
    """Sums over jets of w n, w^2 n, w^2 n^2 with the number n of emissions in a cell; returns those of w and w^2.

    An emission outside all cells has a negative cell.
    """
    counts = np.zeros(sums.shape[1])
    total, squares = 0.0, 0.0
    for jet in range(len(offsets) - 1):
        weight = weights[jet]
        total += weight
        squares += weight**2
        own = cells[offsets[jet] : offsets[jet + 1]]
        for cell in own:
            if cell >= 0:
                counts[cell] += 1.0
        for cell in own:
            if cell >= 0 and counts[cell] > 0.0:
                sums[0, cell] += weight * counts[cell]
                sums[1, cell] += weight**2 * counts[cell]
                sums[2, cell] += weight**2 * counts[cell] ** 2
                counts[cell] = 0.0
    return total, squares


def density(emissions: Emissions, weights: Floats, x_edges: Floats, y_edges: Floats) -> tuple[Floats, Floats]:
    """The averaged primary Lund plane, (1 / sum w) d^2 n / (d ln(1/Delta) d ln(kt/GeV)), and its statistical error.

    It is the weighted mean over the jets of the number n_i of emissions in a bin, mu = sum w_i n_i / sum w_i, per unit
    of area; jets without emissions count. The error of mu is sqrt(sum w_i^2 (n_i - mu)^2) / sum w_i: emissions in one
    jet are correlated, jets are not.

    Parameters
    ----------
    emissions : Emissions
        From `primary_emissions`.
    weights : array (n,)
        Weight of each jet; their sum must not be 0.
    x_edges, y_edges : array (a + 1,), (b + 1,)
        Rising edges of the bins in ln(1/Delta) and in ln(kt/GeV); a bin holds its lower edge and not its upper one.

    Returns
    -------
    density, error : array (a, b)
    """
    jets = len(emissions.offsets) - 1
    if len(weights) != jets:
        raise ValueError(f"{len(weights)} weights for {jets} jets")
    x_edges, y_edges = np.asarray(x_edges, np.float64), np.asarray(y_edges, np.float64)
    shape = len(x_edges) - 1, len(y_edges) - 1
    x = np.searchsorted(x_edges, emissions.ln_inverse_delta, "right") - 1
    y = np.searchsorted(y_edges, emissions.ln_kt, "right") - 1
    inside = (x >= 0) & (x < shape[0]) & (y >= 0) & (y < shape[1])
    sums = np.zeros((3, shape[0] * shape[1]))
    cells = np.where(inside, x * shape[1] + y, -1)
    total, squares = _moments(emissions.offsets, cells, np.asarray(weights, np.float64), sums)
    if total == 0:
        raise ValueError("the weights of the jets sum to 0: there is no average")
    mean = sums[0] / total
    variance = np.maximum(sums[2] - 2 * mean * sums[1] + mean**2 * squares, 0.0)  # not below 0 by rounding
    area = np.outer(np.diff(x_edges), np.diff(y_edges))
    return mean.reshape(shape) / area, np.sqrt(variance).reshape(shape) / abs(total) / area
