import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import interp1d
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score, roc_curve

from glassjet.errors import InputError
from glassjet.training.metrics import (
    Ranked,
    accuracy,
    area,
    auc,
    background_efficiency,
    cross_entropy,
    rejection,
    roc,
    threshold,
)

Sample = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def scored(n: int, ties: bool, seed: int = 1) -> Sample:
    generator = np.random.default_rng(seed)
    label = (generator.random(n) < 0.3).astype(np.int64)
    output = generator.normal(label, 1.0)
    return (np.round(output, 1) if ties else output), label, generator.exponential(1, n)


@pytest.mark.parametrize("ties", [False, True])
def test_auc_is_that_of_sklearn(ties: bool) -> None:
    output, label, weight = scored(2000, ties)
    assert auc(output, label, weight) == pytest.approx(roc_auc_score(label, output, sample_weight=weight), abs=1e-12)


def test_auc_is_the_chance_of_the_right_order() -> None:
    output, label, weight = scored(120, ties=True)
    won = total = 0.0
    for i in np.flatnonzero(label == 1):
        for j in np.flatnonzero(label == 0):
            pair = weight[i] * weight[j]
            total += pair
            won += pair * (1.0 if output[i] > output[j] else 0.5 if output[i] == output[j] else 0.0)
    assert auc(output, label, weight) == pytest.approx(won / total, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_the_roc_curve_is_that_of_sklearn(ties: bool) -> None:
    output, label, weight = scored(500, ties)
    background, signal = roc(output, label, weight)
    fpr, tpr, _ = roc_curve(label, output, sample_weight=weight, drop_intermediate=False)
    np.testing.assert_allclose(background, fpr, atol=1e-12)
    np.testing.assert_allclose(signal, tpr, atol=1e-12)


def test_the_rejection_is_the_published_interpolation() -> None:
    """arXiv:2210.04371 takes 1 / interp1d(tpr, fpr)(0.3)."""
    output, label, weight = scored(3000, ties=True)
    fpr, tpr, _ = roc_curve(label, output, sample_weight=weight)
    curve = roc(output, label, weight)
    for efficiency in (0.1, 0.3, 0.5, 0.8):
        assert rejection(*curve, efficiency) == pytest.approx(1 / float(interp1d(tpr, fpr)(efficiency)), rel=1e-9)


def test_the_rejection_by_hand() -> None:
    """Signal at 4, 2; background at 3, 1: half of the signal passes before any background does."""
    output, label = np.array([4.0, 3.0, 2.0, 1.0]), np.array([1, 0, 1, 0])
    curve = roc(output, label, np.ones(4))
    assert rejection(*curve, 0.5) == float("inf")
    assert background_efficiency(*curve, 0.75) == 0.5
    tied = roc(np.zeros(4), label, np.ones(4))
    assert background_efficiency(*tied, 0.3) == pytest.approx(0.3)
    assert area(*tied) == 0.5


def test_the_threshold_lets_the_signal_pass_and_counts_the_background() -> None:
    output, label, weight = scored(1000, ties=True)
    for efficiency in (0.3, 0.5, 0.8):
        cut, passing = threshold(Ranked(output, label), weight, efficiency)
        signal = label == 1
        assert weight[signal & (output >= cut)].sum() >= efficiency * weight[signal].sum()
        assert weight[signal & (output > cut)].sum() < efficiency * weight[signal].sum()
        assert passing == (output[~signal] >= cut).sum()


def test_accuracy_and_cross_entropy_count_the_classes_the_same() -> None:
    output, label, weight = scored(800, ties=False)
    balance = weight / np.where(label == 1, weight[label == 1].sum(), weight[label == 0].sum())
    probability = 1 / (1 + np.exp(-output))
    expected = accuracy_score(label, output > 0, sample_weight=balance)
    assert accuracy(output, label, weight) == pytest.approx(expected, abs=1e-12)
    expected = log_loss(label, probability, sample_weight=balance)
    assert cross_entropy(output, label, weight) == pytest.approx(expected, abs=1e-12)
    assert cross_entropy(np.zeros(800), label, weight) == pytest.approx(np.log(2))
    assert np.isfinite(cross_entropy(1e6 * output, label, weight))


def test_nan_and_one_class_are_refused() -> None:
    with pytest.raises(InputError, match="output of jet 1 is NaN"):
        auc(np.array([0.0, np.nan]), np.array([0, 1]), np.ones(2))
    with pytest.raises(InputError, match="only one class"):
        auc(np.zeros(2), np.ones(2, np.int64), np.ones(2))
