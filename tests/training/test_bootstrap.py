import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.training.bootstrap import resampled, scores
from glassjet.training.metrics import auc, rejection, roc


def sample(n: int, seed: int = 1, distance: float = 1.5) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    label = np.arange(n) % 2
    return generator.normal(distance * label, 1.0), label


def test_jets_are_drawn_within_their_class() -> None:
    _, label = sample(301)
    drawn = list(resampled(label, 50))
    for times in drawn:
        assert times[label == 1].sum() == 150
        assert times[label == 0].sum() == 151
    mean = np.mean(drawn, axis=0)
    assert mean.std() == pytest.approx(np.sqrt(1 / 50), rel=0.2)  # counts are nearly Poisson


def test_every_tagger_sees_the_same_jets() -> None:
    _, label = sample(100)
    first, again = list(resampled(label, 3)), list(resampled(label, 3))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != first[1]).any()


def test_scores_are_those_of_repeated_jets() -> None:
    """A bootstrap by counts equals one that builds each sample of jets."""
    output, label = sample(800)
    weight = np.random.default_rng(3).exponential(1, 800)
    values = []
    for times in resampled(label, 40):
        rows = np.repeat(np.arange(800), times)
        curve = roc(output[rows], label[rows], weight[rows])
        values.append([auc(output[rows], label[rows], weight[rows]), rejection(*curve, 0.8)])
    low, high = np.percentile(values, [15.865, 84.135], axis=0)
    found = {score.metric: score for score in scores(output, label, weight, [0.8], 40)}
    assert (found["auc"].low, found["auc"].high) == pytest.approx((low[0], high[0]))
    assert (found["rejection_80"].low, found["rejection_80"].high) == pytest.approx((low[1], high[1]))
    assert found["auc"].value == pytest.approx(auc(output, label, weight))


def test_the_interval_has_the_width_of_repeated_experiments() -> None:
    values = [auc(*sample(1000, seed), np.ones(1000)) for seed in range(300)]
    widths = []
    for seed in range(5):
        score = scores(*sample(1000, seed), np.ones(1000), [0.5], 200)[0]
        widths.append((score.high - score.low) / 2)
    assert np.mean(widths) == pytest.approx(np.std(values), rel=0.15)


def test_a_rejection_on_few_background_jets_is_nan_but_counted() -> None:
    output, label = sample(2000, distance=4)
    found = {score.metric: score for score in scores(output, label, np.ones(2000), [0.5, 0.99], 10)}
    few, many = found["rejection_50"], found["rejection_99"]
    assert few.n_background is not None
    assert few.n_background < 30
    assert np.isnan([few.value, few.low, few.high]).all()
    assert many.n_background is not None
    assert many.n_background >= 30
    assert many.low < many.value < many.high
    assert found["auc"].n_background is None


def test_heavy_jets_count_as_what_they_are_worth() -> None:
    output, label = sample(2000, distance=4)
    weight = np.ones(2000)
    weight[(label == 0) & (output >= np.quantile(output[label == 0], 0.999))] = 1000
    found = {score.metric: score for score in scores(output, label, weight, [0.99], 10)}["rejection_99"]
    assert found.n_background is not None
    assert found.n_background >= 30  # as a number enough, but one jet has nearly all of the weight
    assert np.isnan([found.value, found.low, found.high]).all()


def test_what_is_no_log_odds_has_no_accuracy() -> None:
    output, label = sample(100)
    found = {score.metric: score.value for score in scores(output, label, np.ones(100), [0.5], 0, probabilistic=False)}
    assert np.isnan(found["accuracy"])
    assert np.isnan(found["cross_entropy"])
    assert not np.isnan(found["auc"])
