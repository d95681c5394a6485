"""What a cut on a tagger's output does: efficiency against pT and mass, and the background's mass spectrum."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.training.metrics import Array, Labels, Ranked, threshold


def cut_at(output: Array, label: Labels, weight: Array, signal_efficiency: float) -> float:
    """The cut on the output that lets this share of the signal pass; see `glassjet.training.metrics.threshold`."""
    return threshold(Ranked(output, label), weight, signal_efficiency)[0]


def efficiency_in_bins(values: Array, passed: NDArray[np.bool_], weight: Array, edges: Array) -> pd.DataFrame:
    """The share of the weight that passes, in bins of a variable.

    Parameters
    ----------
    values : array (n,)
        pT or mass (GeV), of the jets of one class.
    passed : array (n,), bool
        Whether output >= cut.
    weight : array (n,)
    edges : array (m + 1,)
        Bins [edge, next edge); other jets are left out.

    Returns
    -------
    DataFrame
        from, to, efficiency, low, high, jets (unweighted). The 68% interval is Wilson's with the effective number of
        jets (sum w)^2 / sum w^2 (Wilson, J. Am. Stat. Assoc. 22 (1927) 209); an empty bin has NaN.
    """
    place = np.digitize(values, edges) - 1
    inside = (place >= 0) & (place < len(edges) - 1)

    def total(weights: Array) -> Array:
        return np.bincount(place[inside], weights[inside], len(edges) - 1).astype(np.float64)

    whole, squares = total(weight), total(np.square(weight))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = total(weight * passed) / whole
        effective = whole**2 / squares
        middle = (share + 0.5 / effective) / (1 + 1 / effective)
        half = np.sqrt(share * (1 - share) / effective + 0.25 / effective**2) / (1 + 1 / effective)
    return pd.DataFrame(
        {
            "from": edges[:-1],
            "to": edges[1:],
            "efficiency": share,
            "low": np.maximum(middle - half, 0),
            "high": np.minimum(middle + half, 1),
            "jets": total(np.ones_like(weight)).astype(np.int64),
        }
    )


def spectrum(values: Array, weight: Array, edges: Array) -> Array:
    """A normalised histogram (m,): the share of the weight inside of the edges in each bin."""
    found, _ = np.histogram(values, bins=edges, weights=weight)
    return found / found.sum()


def jensen_shannon(p: Array, q: Array) -> float:
    """The Jensen-Shannon divergence of two normalised histograms in bits: 0 for equal ones, 1 for disjoint ones.

    Source: Lin, IEEE Trans. Inf. Theory 37 (1991) 145; as a measure of mass sculpting: ATL-PHYS-PUB-2018-014.
    """
    mean = (p + q) / 2

    def from_mean(r: Array) -> float:
        there = r > 0
        return float((r[there] * np.log2(r[there] / mean[there])).sum())

    return (from_mean(p) + from_mean(q)) / 2


def mass_sculpting(mass: Array, passed: NDArray[np.bool_], weight: Array, edges: Array) -> tuple[Array, Array, float]:
    """The background's mass spectrum (m,) before and after the cut, and their Jensen-Shannon divergence (bits).

    Parameters
    ----------
    mass, passed, weight : arrays (n,)
        Of the background jets; mass in GeV.
    edges : array (m + 1,)
    """
    before, after = spectrum(mass, weight, edges), spectrum(mass[passed], weight[passed], edges)
    return before, after, jensen_shannon(before, after)
