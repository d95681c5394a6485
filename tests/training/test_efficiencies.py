from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import binomtest

from glassjet.training.efficiencies import cut_at, efficiency_in_bins, jensen_shannon, mass_sculpting


def test_intervals_are_wilsons() -> None:
    generator = np.random.default_rng(1)
    pt, passed = generator.uniform(540, 660, 300), generator.random(300) < 0.3
    edges = np.array([550.0, 580, 600, 650])
    table = efficiency_in_bins(pt, passed, np.ones(300), edges)
    for row, (low, high) in zip(table.to_dict("records"), pairwise(edges), strict=True):
        inside = (pt >= low) & (pt < high)
        successes, trials = int(passed[inside].sum()), int(inside.sum())
        interval = binomtest(successes, trials).proportion_ci(confidence_level=0.6826894921, method="wilson")
        assert row["jets"] == trials
        assert row["efficiency"] == pytest.approx(successes / trials)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))


def test_weights_enter_and_empty_bins_are_nan() -> None:
    weight = np.array([1.0, 3.0, 2.0])
    table = efficiency_in_bins(
        np.array([1.0, 1.5, 2.5]), np.array([True, False, True]), weight, np.array([1.0, 2, 3, 4])
    )
    assert table["efficiency"].tolist() == pytest.approx([0.25, 1.0, np.nan], nan_ok=True)
    assert table["jets"].tolist() == [2, 1, 0]
    assert table["low"][1] < 1
    assert np.isnan(table["high"][2])


def test_equal_weights_of_any_size_give_the_same_interval() -> None:
    values, passed = np.full(50, 0.5), np.arange(50) < 20
    one = efficiency_in_bins(values, passed, np.ones(50), np.array([0.0, 1]))
    many = efficiency_in_bins(values, passed, np.full(50, 1e-7), np.array([0.0, 1]))
    np.testing.assert_allclose(one.to_numpy(), many.to_numpy())


def test_the_divergence_is_that_of_scipy() -> None:
    generator = np.random.default_rng(1)
    p, q = generator.dirichlet(np.ones(8)), generator.dirichlet(np.ones(8))
    p[2] = 0
    p /= p.sum()
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2)
    assert jensen_shannon(p, p) == 0
    assert jensen_shannon(np.array([1.0, 0]), np.array([0, 1.0])) == 1


def test_a_cut_on_the_mass_sculpts_and_a_random_one_does_not() -> None:
    generator = np.random.default_rng(1)
    mass, edges = generator.exponential(100, 20_000), np.linspace(0, 300, 31)
    sculpted = mass_sculpting(mass, (mass > 140) & (mass < 200), np.ones(20_000), edges)
    random = mass_sculpting(mass, generator.random(20_000) < 0.2, np.ones(20_000), edges)
    assert random[2] < 0.01 < 0.3 < sculpted[2]
    assert sculpted[0].sum() == pytest.approx(1)
    assert sculpted[1].sum() == pytest.approx(1)


def test_the_cut_lets_the_asked_share_of_the_signal_pass() -> None:
    generator = np.random.default_rng(1)
    label = np.arange(4000) % 2
    output, weight = generator.normal(label, 1), generator.exponential(1, 4000)
    cut = cut_at(output, label, weight, 0.5)
    signal = label == 1
    passing = weight[signal & (output >= cut)].sum() / weight[signal].sum()
    assert passing == pytest.approx(0.5, abs=2e-3)
    assert passing >= 0.5
