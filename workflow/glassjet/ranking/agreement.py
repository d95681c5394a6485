"""Do two rankings agree? Between seeds of one method, and between methods on one network."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

from glassjet.ranking.scores import Scores, ranks

TOP = 5

Array = NDArray[Any]


@dataclass(frozen=True)
class Agreement:
    """Of two rankings of the same features.

    Attributes
    ----------
    spearman, kendall : float
        Rank correlations of the scores (tau-b); NaN if one ranking is all ties, or of fewer than two features.
    top5_overlap : float
        The share of the first five that both have (of all features, if there are fewer).
    """

    spearman: float
    kendall: float
    top5_overlap: float


def agreement(first: Array, second: Array) -> Agreement:
    """Compare two sets of scores (F,) of the same features."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        spearman = kendall = float("nan")
    else:
        spearman, kendall = float(spearmanr(first, second).statistic), float(kendalltau(first, second).statistic)
    top = min(TOP, len(first))
    both = (ranks(first) <= top) & (ranks(second) <= top)
    return Agreement(spearman, kendall, float(both.sum() / top) if top else float("nan"))


def compare(first: Scores, second: Scores, noise: tuple[str, ...]) -> Agreement:
    """Compare two rankings on the features that both have, noise left out: that it is last is no agreement."""
    common = [name for name in first.features if name in second.features and name not in noise]
    return agreement(*(np.array([scores.of(name) for name in common]) for scores in (first, second)))


def all_pairs(scores: dict[tuple[str, str], Scores], noise: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every pair of seeds of a method, and every pair of methods of a seed (`all` among them).

    Parameters
    ----------
    scores : dict
        Keys (method, seed), seed "all" for the mean over seeds.
    noise : tuple of str

    Returns
    -------
    list of dict
        kind ("seeds" or "methods"), method_a, method_b, seed_a, seed_b, spearman, kendall, top5_overlap.
    """
    rows = []
    for (method_a, seed_a), (method_b, seed_b) in combinations(scores, 2):
        if method_a == method_b and "all" not in (seed_a, seed_b):
            kind = "seeds"
        elif method_a != method_b and seed_a == seed_b:
            kind = "methods"
        else:
            continue
        pair = {"kind": kind, "method_a": method_a, "method_b": method_b, "seed_a": seed_a, "seed_b": seed_b}
        rows.append(pair | vars(compare(scores[method_a, seed_a], scores[method_b, seed_b], noise)))
    return sorted(rows, key=lambda row: row["kind"], reverse=True)
