"""Histograms of weighted jets: bins that the jets fill, and contents with errors, normalised to one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.training.metrics import effective_number

Floats = NDArray[np.float64]
Weighted = tuple[Floats, Floats]  # values and weights
BINS = (14, 60)  # fewest and most
TAIL = 0.002  # share of the jets, at either end, that a range leaves out
FULL = 10.0  # effective number of jets in a bin that says something, arXiv:physics/0605123


def quantile(values: Floats, weight: Floats, share: float) -> float:
    """The value below which that share of the weight lies."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    return float(values[order][min(np.searchsorted(total, share * total[-1]), len(values) - 1)])


def whole(values: Floats) -> bool:
    """Whether all values are whole numbers."""
    return bool(np.array_equal(values, np.rint(values)))


def balanced(label: NDArray[np.int8], weight: Floats) -> Floats:
    """Weights with which each class sums to one: their cross sections differ by orders of magnitude."""
    totals = np.array([max(weight[label == one].sum(), np.finfo(float).tiny) for one in (0, 1)])
    return weight / totals[label]


def span(values: Floats, weight: Floats) -> tuple[float, float]:
    """A range that holds all but `TAIL` of the weight at either end; of whole numbers, from half below to half above.

    Parameters
    ----------
    values, weight : (n,)
    """
    low, high = quantile(values, weight, TAIL), quantile(values, weight, 1 - TAIL)
    return (low - 0.5, high + 0.5) if whole(values) or high <= low else (low, high)


def bins_for(weight: Floats) -> int:
    """How many bins so many jets fill: 2.5 times the cube root of their effective number, within BINS."""
    return int(np.clip(2.5 * effective_number(weight) ** (1 / 3), *BINS))


def edges_for(values: Floats, label: NDArray[np.int8], weight: Floats) -> Floats:
    """Edges of a histogram of both classes, so fine that the narrower one shows its shape, within BINS.

    The width is 2 IQR / n^(1/3) with the effective number n (Freedman and Diaconis, Z. Wahrscheinlichkeitstheorie 57
    (1981) 453), of the class for which it is smaller.
    """
    low, high = span(values, balanced(label, weight))
    widths = []
    for one in np.unique(label):
        own, share = values[label == one], weight[label == one]
        inner = quantile(own, share, 0.75) - quantile(own, share, 0.25)
        widths.append(2 * inner / effective_number(share) ** (1 / 3))
    bins = int(np.clip((high - low) / max(min(widths), 1e-9), *BINS))
    if whole(values):
        step = max(1, int(np.ceil((high - low) / bins)))
        return np.arange(low, high + step, step)
    return np.linspace(low, high, bins + 1)


def histogram(
    values: Floats, weight: Floats, edges: Floats, owner: NDArray[np.int64] | None = None, logarithmic: bool = False
) -> pd.DataFrame:
    """A histogram that is normalised to one, by all entries, also by those outside of its range and by NaN.

    Parameters
    ----------
    values, weight : (n,)
    edges : (m + 1,)
    owner : (n,) or None
        The number of each entry's jet, where a jet has several: entries of a jet are correlated, and the error is that
        of a sum over jets.
    logarithmic : bool
        Whether the density is one per unit of ln x.

    Returns
    -------
    DataFrame
        low, high, share (of the entries' weight), density, error: the statistical one of the density, sqrt(sum w^2).
    """
    bins, total = len(edges) - 1, max(weight.sum(), np.finfo(float).tiny)
    place = np.searchsorted(edges, values, side="right") - 1
    place = np.where(values == edges[-1], bins - 1, place)  # the last bin holds its upper edge, as in NumPy
    inside = (place >= 0) & (place < bins)
    jet = np.arange(len(values)) if owner is None else np.unique(owner, return_inverse=True)[1]
    cell, number = np.unique(jet[inside] * bins + place[inside], return_inverse=True)
    of_jet = np.bincount(number, weight[inside], minlength=len(cell))  # of each jet in each bin
    content, variance = (np.bincount(cell % bins, power, minlength=bins) for power in (of_jet, of_jet**2))
    width = np.diff(np.log(edges) if logarithmic else edges)
    columns = {"low": edges[:-1], "high": edges[1:], "share": content / total, "density": content / total / width}
    return pd.DataFrame(columns | {"error": np.sqrt(variance) / total / width})


def contents(values: Floats, weight: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """Sums of weights and of their squares in bins, of which the outermost reach to infinity."""
    place = np.searchsorted(edges[1:-1], values, side="right")
    first, second = (np.bincount(place, power, len(edges) - 1).astype(np.float64) for power in (weight, weight**2))
    return first, second


def merged(edges: Floats, histograms: Sequence[Weighted]) -> Floats:
    """The edges left when bins are merged with their right neighbours until each is full in every histogram.

    Full means an effective number of `FULL`. What is left over at the right end joins the last bin.
    """
    both = [contents(values, weight, edges) for values, weight in histograms]
    kept, first = [edges[0]], 0
    for last in range(1, len(edges)):
        sums = [(w[first:last].sum(), s[first:last].sum()) for w, s in both]
        if all(s > 0 and w * w / s >= FULL for w, s in sums):
            kept.append(edges[last])
            first = last
    return np.array([*kept[:-1], edges[-1]]) if len(kept) > 1 else edges[[0, -1]]


def joined(edges: Floats, values: Floats, weight: Floats) -> Floats:
    """The edges left when neighbouring bins with few jets are joined until they are full; a full bin stays as it is.

    So tails have wide bins, and edges of a spectrum stay where they are. Full means an effective number of `FULL`.
    """
    w, s = (np.histogram(values, edges, weights=power)[0] for power in (weight, weight**2))
    enough = FULL * (1 - 1e-9)  # equal weights count as their number
    kept, first = [edges[0]], 0
    for last in range(1, len(edges)):
        alone = s[last - 1] > 0 and w[last - 1] ** 2 >= enough * s[last - 1]
        if alone and first < last - 1:
            kept.append(edges[last - 1])
        if alone or w[first:last].sum() ** 2 >= enough * s[first:last].sum() > 0:
            kept.append(edges[last])
            first = last
    return np.array(kept if first == len(edges) - 1 else [*kept, edges[-1]])
