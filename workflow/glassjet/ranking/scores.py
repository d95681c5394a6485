"""From attributions to one score per feature.

The score of a feature is its share of a jet's relevance, averaged over jets:

    s_f = mean over jets of |R_f| / sum_g |R_g|,   the classes weighing the same, jets of a class by `weight`,

so that the scores of a tagger's features add up to one (arXiv:2011.13466 divides by the jet's largest |R|,
arXiv:2210.04371 by its signed sum, which can vanish). A jet without any relevance counts zero for every feature. R_f
is one number per feature and jet: a column's relevance; the sum over the real constituents of a feature of theirs;
the sum over all pixels for the image. Sums are signed, |sum R| and not sum |R|, for images and constituents alike: so
every feature is one number on one scale, and what cancels does not count (arXiv:2011.13466 adds up |R| of 256 pixels,
but takes the signed sum over a list; its image leads the ranking).

A masking score is the mean over its repeats.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from glassjet.attribution.background import balanced
from glassjet.attribution.replacement import CONSTITUENTS, IMAGE
from glassjet.attribution.store import Attribution
from glassjet.training.bootstrap import INTERVAL, resampled

Array = NDArray[Any]

NOISE_QUANTILE = 0.95

# The rankings that masking gives: name, measure and replacement. The plain names are permutations; delta_auc_mean and
# mad_papers_mean are those of arXiv:2210.04371, delta_auc_zero that of arXiv:2211.12770.
MASKING_METHODS = {
    "delta_auc": ("delta_auc", "permutation"),
    "delta_cross_entropy": ("delta_cross_entropy", "permutation"),
    "mad": ("mad", "permutation"),
    "delta_auc_conditional": ("delta_auc", "conditional"),
    "delta_cross_entropy_conditional": ("delta_cross_entropy", "conditional"),
    "delta_auc_mean": ("delta_auc", "mean"),
    "mad_papers_mean": ("mad_papers", "mean"),
    "delta_auc_zero": ("delta_auc", "zero"),
}


@dataclass(frozen=True)
class Scores:
    """Scores of one method and seed: `features`, and for each of them score, low and high (NaN without a spread)."""

    features: tuple[str, ...]
    score: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def of(self, feature: str) -> float:
        """The score of one feature."""
        return float(self.score[self.features.index(feature)])


def per_feature(attribution: Attribution) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The signed relevance (n, F) of each feature in each jet, with the features' names: constituents, image, table."""
    names: list[str] = []
    parts = []
    relevance = attribution.relevance
    if "constituents" in relevance:
        names += attribution.metadata["constituents"]
        owner = np.repeat(np.arange(len(attribution)), np.diff(relevance["offsets"]))
        columns = relevance["constituents"].astype(np.float64).T
        parts += [np.bincount(owner, weights=column, minlength=len(attribution))[:, None] for column in columns]
    if "image" in relevance:
        names.append(IMAGE)
        parts.append(relevance["image"].sum((1, 2), dtype=np.float64)[:, None])
    if "table" in relevance:
        names += attribution.metadata["table"]
        parts.append(relevance["table"].astype(np.float64))
    return tuple(names), np.concatenate(parts, axis=1)


def shares(relevance: Array) -> NDArray[np.float64]:
    """|R_f| / sum_g |R_g| for each jet of (n, F); zero for a jet without relevance."""
    size = np.abs(relevance)
    total = size.sum(1, keepdims=True)
    return np.divide(size, total, out=np.zeros_like(size), where=total > 0)


def bootstrap(values: Array, labels: Array, weights: Array, replicas: int) -> tuple[Array, Array]:
    """The 68% interval (low, high), each (F,), of the balanced mean of values (n, F) when the jets are drawn again.

    The draws are those of `glassjet.training.bootstrap`: they depend on the labels alone, so that methods on the same
    jets are paired.
    """
    if not replicas:
        return np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    means = [balanced(labels, weights * times) @ values for times in resampled(labels, replicas)]
    low, high = np.percentile(means, INTERVAL, axis=0)
    return low, high


def from_relevance(attribution: Attribution, replicas: int) -> Scores:
    """The scores of an attribution file with jets of both classes, with a bootstrap over its jets."""
    names, relevance = per_feature(attribution)
    values, labels, weights = shares(relevance), attribution.jets["label"], attribution.jets["weight"]
    return Scores(names, balanced(labels, weights) @ values, *bootstrap(values, labels, weights, replicas))


def from_masking(table: pd.DataFrame, measure: str, replacement: str) -> Scores:
    """The scores of one measure and replacement of a masking table: mean over the repeats, and 68% of the repeats.

    The constituents as one are no feature among others and are left out. A single repeat has no spread (NaN).
    """
    rows = table[(table["replacement"] == replacement) & (table["feature"] != CONSTITUENTS)]
    names = tuple(dict.fromkeys(rows["feature"]))
    values = [rows.loc[rows["feature"] == name, measure].to_numpy(np.float64) for name in names]
    spread = [np.percentile(v, INTERVAL) if len(v) > 1 else np.full(2, np.nan) for v in values]
    low, high = np.array(spread).reshape(-1, 2).T
    return Scores(names, np.array([v.mean() for v in values]), low, high)


def over_seeds(scores: list[Scores]) -> Scores:
    """The mean over seeds and its 68% t-interval, mean +- t s / sqrt(n); one seed has none (NaN).

    All scores must have the same features in the same order.
    """
    values = np.array([one.score for one in scores])
    n, centre = len(values), values.mean(0)
    if n < 2:
        nothing = np.full(len(centre), np.nan)
        return Scores(scores[0].features, centre, nothing, nothing)
    reach = student.ppf(INTERVAL[1] / 100, n - 1) * values.std(0, ddof=1) / np.sqrt(n)
    return Scores(scores[0].features, centre, centre - reach, centre + reach)


def ranks(score: Array) -> NDArray[np.int64]:
    """1 for the largest score; equal scores in the order of the features, so that equal runs are equal."""
    order = np.argsort(-score, kind="stable")
    out = np.empty(len(score), np.int64)
    out[order] = np.arange(1, len(score) + 1)
    return out


def noise_level(scores: list[Scores], noise: tuple[str, ...]) -> float:
    """The 95% quantile of the scores of the noise columns over columns and seeds; NaN without noise columns.

    The level below which a feature counts for nothing. One noise column as the level would be beaten by a feature
    without information half of the time.
    """
    values = [one.score[i] for one in scores for i, name in enumerate(one.features) if name in noise]
    return float(np.quantile(values, NOISE_QUANTILE)) if values else float("nan")
