"""What expert variables tell of the class of a jet, as tables: distributions, correlations, and each variable alone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.figures.histograms import balanced, edges_for, histogram, joined, quantile, span, whole
from glassjet.figures.samples import Sample
from glassjet.training.bootstrap import INTERVAL, resampled
from glassjet.training.metrics import Ranked, area, effective_number

Floats = NDArray[np.float64]
SPIKE = (0.01, 10)  # share of a class, and number of jets, from which on one value stands apart
WIDE = (0.1, 30)  # a logarithmic axis: the median lies below this share of a range of at least this factor
REPLICAS = 100  # of the bootstrap
BEST = 10  # variables of a sample


def spike(values: Floats, label: NDArray[np.int8], weight: Floats) -> float | None:
    """The value at which many jets of a class are, as those without a second subjet; None of whole numbers.

    In a histogram it would be one bin above all others, whose height is that of the bin's width.
    """
    if whole(values):
        return None
    each, place, count = np.unique(values, return_inverse=True, return_counts=True)
    share = [np.bincount(place, balanced(label, weight) * (label == one), len(each)) for one in (0, 1)]
    largest = np.max(share, axis=0) * (count >= SPIKE[1])
    return float(each[largest.argmax()]) if largest.max() >= SPIKE[0] else None


def spreads(values: Floats, weight: Floats) -> bool:
    """Whether values spread over orders of magnitude, so that half of them lie in the first bins."""
    low, high = span(values, weight)
    if whole(values) or low <= 0 or high < WIDE[1] * low:
        return False
    return quantile(values, weight, 0.5) - low < WIDE[0] * (high - low)


def distribution(values: Floats, label: NDArray[np.int8], weight: Floats) -> pd.DataFrame:
    """The histogram of a variable by class, each normalised to one; bins with few jets are `joined`.

    Parameters
    ----------
    values, label, weight : (n,)

    Returns
    -------
    DataFrame
        label, low, high, share, density, error, logarithmic: whether the density is one per unit of ln x. The row of a
        `spike` has low = high, its share with the error of it, and no density; the bins are of the other jets, and
        shares are of all.
    """
    at = spike(values, label, weight)
    apart = values == at
    logarithmic = False
    edges = np.zeros(0)
    if not apart.all():
        rest, of, heavy = values[~apart], label[~apart], weight[~apart]
        logarithmic = spreads(rest, balanced(of, heavy))
        edges = np.exp(edges_for(np.log(rest), of, heavy)) if logarithmic else edges_for(rest, of, heavy)
    tables = []
    for one in (0, 1):
        own, share = np.where(apart, np.nan, values)[label == one], weight[label == one]
        if len(edges):
            known = np.isfinite(own)
            filled = joined(edges, own[known], share[known])
            tables.append(histogram(own, share, filled, logarithmic=logarithmic).assign(label=one))
        if at is not None:
            there = share[np.isnan(own)]
            row = {"low": at, "high": at, "share": there.sum() / share.sum(), "density": np.nan}
            error = np.sqrt(np.square(there).sum()) / share.sum()
            tables.append(pd.DataFrame([row | {"error": error, "label": one}]))
    columns = ["label", "low", "high", "share", "density", "error", "logarithmic"]
    return pd.concat(tables, ignore_index=True).assign(logarithmic=logarithmic)[columns]


def distributions(sample: Sample, names: Sequence[str]) -> pd.DataFrame:
    """The `distribution` of each of these variables: sample, variable and its columns."""
    return pd.concat(
        [
            distribution(sample.column(name), sample.label, sample.weight).assign(sample=sample.name, variable=name)
            for name in names
        ],
        ignore_index=True,
    )


def correlation(values: pd.DataFrame, weight: Floats) -> pd.DataFrame:
    """Pearson correlations, weighted: variable by variable; NaN with a variable that is constant."""
    array = values.to_numpy(np.float64)
    centred = array - np.average(array, axis=0, weights=weight)
    covariance = (centred * weight[:, None]).T @ centred / weight.sum()
    spread = np.sqrt(np.diag(covariance))
    scale = np.where(spread > 1e-12 * (1 + np.abs(array).max(axis=0)), spread, np.nan)
    matrix = covariance / scale[:, None] / scale[None, :]
    return pd.DataFrame(matrix, index=values.columns, columns=values.columns)


def correlations(sample: Sample, names: Sequence[str]) -> pd.DataFrame:
    """The `correlation` of each pair of these variables in each class: sample, label, variable, other, correlation.

    `effective` is the effective number of jets: small correlations have an error of one over its root.
    """
    tables = []
    for one in (0, 1):
        weight = sample.weight[sample.of(one)]
        matrix = correlation(sample.observed.loc[sample.of(one), list(names)], weight)
        long = matrix.rename_axis("variable").melt(ignore_index=False, var_name="other", value_name="correlation")
        about = {"sample": sample.name, "label": one, "effective": effective_number(weight)}
        tables.append(long.reset_index().assign(**about))
    columns = ["sample", "label", "effective", "variable", "other", "correlation"]
    return pd.concat(tables, ignore_index=True)[columns]


def alone(sample: Sample, names: Sequence[str], replicas: int = REPLICAS) -> pd.DataFrame:
    """The AUC of each variable alone with its 68% bootstrap interval: sample, variable, auc, low, high.

    An AUC below one half says that the signal lies at low values.
    """
    draws = [times.astype(np.uint8) for times in resampled(sample.label, replicas)]  # no jet is drawn 256 times
    rows = []
    for name in names:
        ranked = Ranked(sample.column(name), sample.label)
        low, high = np.percentile([area(*ranked.roc(sample.weight * times)) for times in draws], INTERVAL)
        value = area(*ranked.roc(sample.weight))
        rows.append({"sample": sample.name, "variable": name, "auc": value, "low": low, "high": high})
    return pd.DataFrame(rows, columns=["sample", "variable", "auc", "low", "high"])


def folded(table: pd.DataFrame) -> pd.DataFrame:
    """AUCs with their intervals as if signal lay at high values: those below one half become one minus themselves.

    The column `rises` says where it does.
    """
    rises = table["auc"] >= 0.5
    return table.assign(
        rises=rises,
        auc=table["auc"].where(rises, 1 - table["auc"]),
        low=table["low"].where(rises, 1 - table["high"]),
        high=table["high"].where(rises, 1 - table["low"]),
    )


def best(table: pd.DataFrame, number: int = BEST) -> pd.DataFrame:
    """The variables of each sample with the largest AUC alone, `folded`, from the best on."""
    ordered = folded(table).sort_values("auc", ascending=False, kind="stable")
    samples = dict.fromkeys(table["sample"])
    return pd.concat([ordered[ordered["sample"] == name].head(number) for name in samples], ignore_index=True)
