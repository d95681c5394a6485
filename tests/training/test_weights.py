import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.training.metrics import auc
from glassjet.training.weights import effective_number, fit_weights, report

Array = NDArray[np.float64]


def spectra(n: int, seed: int = 1) -> tuple[NDArray[np.int64], Array, Array, Array]:
    """A third signal; the background is softer, more forward and has physical weights that are much larger."""
    generator = np.random.default_rng(seed)
    label = (generator.random(n) < 1 / 3).astype(np.int64)
    pt = 550 + 100 * np.where(label, generator.beta(1.2, 1.2, n), generator.beta(1, 2, n))
    eta = np.where(label, generator.normal(0, 0.8, n), generator.uniform(-2, 2, n)).clip(-2, 2)
    return label, pt, eta, np.where(label, 1e-3, generator.uniform(10, 40, n))


def test_pt_and_eta_teach_nothing() -> None:
    label, pt, eta, weight = spectra(20_000)
    assert auc(pt, label, weight) > 0.6
    train_weight = fit_weights(label, pt, eta, weight)(label, pt, eta, weight)
    assert auc(pt, label, train_weight) == pytest.approx(0.5, abs=0.005)
    assert auc(np.abs(eta), label, train_weight) == pytest.approx(0.5, abs=0.01)
    found = report(label, pt, train_weight)
    assert found["auc_of_pt"] == auc(pt, label, train_weight)
    assert 1000 < found["effective_background"] < (label == 0).sum()
    assert found["effective_signal"] == pytest.approx((label == 1).sum())


def test_classes_have_the_same_sum_and_the_mean_is_one() -> None:
    label, pt, eta, weight = spectra(3000)
    train_weight = fit_weights(label, pt, eta, weight)(label, pt, eta, weight)
    assert train_weight.mean() == pytest.approx(1)
    assert train_weight[label == 1].sum() == pytest.approx(train_weight[label == 0].sum())


def test_weights_of_train_hold_for_other_jets() -> None:
    made = fit_weights(*spectra(20_000))
    label, pt, eta, weight = spectra(20_000, seed=2)
    train_weight = made(label, pt, eta, weight)
    assert auc(pt, label, train_weight) == pytest.approx(0.5, abs=0.01)
    assert train_weight.mean() == pytest.approx(1, abs=0.03)


def test_very_few_jets_and_jets_beyond_the_edges() -> None:
    made = fit_weights(np.array([0, 1, 0]), np.array([560.0, 600, 620]), np.zeros(3), np.ones(3))
    np.testing.assert_allclose(
        made(np.array([0, 1, 0]), np.array([100.0, 9999, 600]), np.zeros(3), np.ones(3)), [0.75, 1.5, 0.75]
    )


def test_the_effective_number() -> None:
    assert effective_number(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_number(np.array([1.0, 0, 0])) == 1
