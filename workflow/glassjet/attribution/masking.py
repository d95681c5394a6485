"""Masking: what a tagger loses when it no longer sees a feature.

For each feature and replacement (see `glassjet.attribution.replacement`), with f the log-odds of a jet before and f'
after, and class-balanced weights w (each class sums to one half; within a class, `weight`):

    delta_auc             AUC(f) - AUC(f'): positive where the feature helps; arXiv:2210.04371 prints 100 times it
    delta_cross_entropy   cross entropy of f' minus that of f: it does not saturate as the AUC does
    mad                   mean |f' - f| / median |f|, both weighted
    mad_papers            mean |(f' - f) / f|, as in arXiv:2210.04371 and for comparison only: it does not converge

`mad_papers` follows the paper's code: per class, unweighted, values beyond 1.5 interquartile ranges set to zero and
kept in the mean; here the two classes are averaged, and f is the log-odds, for of two softmax logits only the
difference is defined.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from glassjet.attribution.background import balanced
from glassjet.attribution.replacement import REPLACEMENTS, Feature, conditional, mean, permuted, with_values
from glassjet.taggers.inputs import Inputs
from glassjet.training.metrics import auc, cross_entropy

METRICS = ("delta_auc", "delta_cross_entropy", "mad", "mad_papers")
IQR = 1.5

Array = NDArray[Any]
Score = Callable[[Inputs], Array]


def weighted_median(values: Array, weights: Array) -> float:
    """The smallest value at which half of the weight is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def mad(before: Array, after: Array, weights: Array) -> float:
    """Mean absolute difference of the output over its median size: mean |f' - f| / median |f|, weighted."""
    return float(np.average(np.abs(after - before), weights=weights) / weighted_median(np.abs(before), weights))


def mad_papers(before: Array, after: Array, labels: Array) -> float:
    """Mean |(f' - f) / f| of each class with outliers set to zero, averaged over the classes (arXiv:2210.04371).

    An outlier lies beyond 1.5 interquartile ranges from the quartiles. The mean depends on that cut: |1/f| has no mean.
    """
    means = []
    for label in (0, 1):
        this = labels == label
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.abs((after[this] - before[this]) / before[this])
        relative = np.where(np.isfinite(relative), relative, 0.0)
        low, high = np.quantile(relative, [0.25, 0.75])
        reach = IQR * (high - low)
        means.append(np.where((relative < low - reach) | (relative > high + reach), 0.0, relative).mean())
    return float(np.mean(means))


def changes(before: Array, after: Array, labels: Array, weights: Array) -> dict[str, float]:
    """The four measures of a change of the output.

    Parameters
    ----------
    before, after : arrays (n,)
        Log-odds of the same jets.
    labels : array (n,)
    weights : array (n,)
        Class-balanced.
    """
    return {
        "delta_auc": auc(before, labels, weights) - auc(after, labels, weights),
        "delta_cross_entropy": cross_entropy(after, labels, weights) - cross_entropy(before, labels, weights),
        "mad": mad(before, after, weights),
        "mad_papers": mad_papers(before, after, labels),
    }


@dataclass(frozen=True)
class Masking:
    """How features are masked.

    Attributes
    ----------
    repeats : int
        Draws of the permutation.
    seed : int
        Of the draws and of the fits; every feature and repeat has draws of its own.
    replacements : tuple of str
        Some of REPLACEMENTS.
    """

    repeats: int = 10
    seed: int = 1
    replacements: tuple[str, ...] = REPLACEMENTS


def replaced(
    inputs: Inputs, background: Inputs, zeros: Inputs, feature: Feature, number: int, weights: Array, settings: Masking
) -> Iterator[tuple[str, int, Inputs]]:
    """Yield (replacement, repeat, inputs with the feature replaced) for one feature, the `number`th of its tagger."""
    for replacement in settings.replacements:
        if replacement == "permutation":
            for repeat in range(settings.repeats):
                random = np.random.default_rng([settings.seed, number, repeat])
                yield replacement, repeat, permuted(inputs, feature, weights, random)
            continue
        if replacement == "conditional":
            values = conditional(background, feature, settings.seed)(inputs)
        elif replacement == "mean":
            values = mean(background, feature)
        else:
            values = zeros[feature.kind][0] if feature.column is None else zeros[feature.kind][0][..., feature.column]
        yield replacement, 0, with_values(inputs, feature, values)


def masking(
    score: Score,
    inputs: Inputs,
    background: Inputs,
    zeros: Inputs,
    labels: Array,
    weights: Array,
    features: list[Feature],
    settings: Masking,
) -> pd.DataFrame:
    """Mask each feature in every way.

    Parameters
    ----------
    score : callable
        Inputs to log-odds (n,).
    inputs, background : Inputs
        The jets to explain, and training jets drawn by weight; scaled.
    zeros : Inputs
        One row in the layout of `inputs`, a single constituent: what zero becomes when it is scaled.
    labels, weights : arrays (n,)
        1 for signal; physics weights, balanced here.
    features : list of Feature
        From `replacement.features`.
    settings : Masking

    Returns
    -------
    DataFrame
        feature, replacement, repeat and METRICS.
    """
    weights = balanced(labels, weights)
    before = score(inputs)
    rows = []
    for number, feature in enumerate(tqdm(features, desc="masking", unit="feature", disable=None)):
        for replacement, repeat, masked in replaced(inputs, background, zeros, feature, number, weights, settings):
            measured = changes(before, score(masked), labels, weights)
            rows.append({"feature": feature.name, "replacement": replacement, "repeat": repeat} | measured)
    return pd.DataFrame(rows, columns=["feature", "replacement", "repeat", *METRICS])
