"""Every published number has a spread: the scores of a tagger with intervals from a stratified bootstrap of the jets.

The resampled jets depend on the labels of the sample and on a fixed seed only, so that all taggers on one sample see
the same ones and their differences are paired.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glassjet.training import metrics
from glassjet.training.metrics import Array, Labels, Ranked

SEED = 20201126  # of the resampling
INTERVAL = (15.865, 84.135)  # percentiles: the central 68.27%


@dataclass(frozen=True)
class Score:
    """One number with its 68% interval; NaN where there is none, and no count where no background is counted."""

    metric: str
    value: float
    low: float = float("nan")
    high: float = float("nan")
    n_background: int | None = None


def resampled(label: Labels, replicas: int) -> Iterator[NDArray[np.int64]]:
    """How often each jet (n,) is drawn in each of `replicas` samples, drawn with replacement within each class."""
    generator = np.random.default_rng(SEED)
    classes = [np.flatnonzero(label == value) for value in (0, 1)]
    for _ in range(replicas):
        times = np.zeros(len(label), np.int64)
        for members in classes:
            drawn = generator.integers(0, len(members), len(members))
            times[members] = np.bincount(drawn, minlength=len(members))
        yield times


def scores(
    output: Array,
    label: Labels,
    weight: Array,
    signal_efficiencies: list[float],
    replicas: int,
    probabilistic: bool = True,
) -> list[Score]:
    """AUC, rejections, accuracy and cross entropy of one tagger on one sample.

    Parameters
    ----------
    output, label, weight : arrays (n,)
        See `glassjet.training.metrics`.
    signal_efficiencies : list of float
        Where the rejection is given: 0.3 makes the metric "rejection_30". Where the background jets that pass count as
        fewer than 30 (`metrics.effective_number` of their weights) it is NaN, and their unweighted count stands.
    replicas : int
        Bootstrap samples; with 0 the intervals are NaN.
    probabilistic : bool
        Whether the outputs are log-odds; if not, accuracy and cross entropy are NaN.
    """
    ranked = Ranked(output, label)
    cuts = {e: metrics.threshold(ranked, weight, e) for e in signal_efficiencies}
    background = label == 0

    correct, surprise = metrics.correct(output, label), metrics.surprise(output, label)

    def measure(weight: Array) -> list[float]:
        background, signal = ranked.roc(weight)
        values = [metrics.area(background, signal)]
        values += [metrics.rejection(background, signal, e) for e in signal_efficiencies]
        if probabilistic:
            return [*values, *(metrics.class_mean(each, label, weight) for each in (correct, surprise))]
        return [*values, np.nan, np.nan]

    names = ["auc", *(f"rejection_{100 * e:g}" for e in signal_efficiencies), "accuracy", "cross_entropy"]
    values = measure(weight)
    low = high = [np.nan] * len(values)
    if replicas:
        spread = np.array([measure(weight * times) for times in resampled(label, replicas)])
        with np.errstate(invalid="ignore"):  # between two infinite rejections
            low, high = np.percentile(spread, INTERVAL, axis=0)
    found = []
    for i, name in enumerate(names):
        cut, count = cuts[signal_efficiencies[i - 1]] if name.startswith("rejection") else (np.inf, None)
        too_few = count is not None and not metrics.enough(weight[background & (output >= cut)])
        value, below, above = (np.nan,) * 3 if too_few else (values[i], low[i], high[i])
        found.append(Score(name, float(value), float(below), float(above), count))
    return found
