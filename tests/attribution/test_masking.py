"""Masking against slow loops written from the formulas, and against what must follow."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from glassjet.attribution import masking
from glassjet.attribution.background import balanced, draw
from glassjet.attribution.masking import Masking
from glassjet.attribution.replacement import Feature
from glassjet.taggers.inputs import Inputs

COLUMNS = [Feature(name, "table", i) for i, name in enumerate(("strong", "weak", "unused", "copy"))]


def jets(n: int = 600, seed: int = 0) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, size=n)
    x = random.normal(size=(n, 4)).astype(np.float32)
    x[:, 0] += 2 * labels
    x[:, 1] += labels / 2
    x[:, 3] = x[:, 0]
    return {"table": x}, labels, random.uniform(0.5, 2, size=n)


def score(inputs: Inputs) -> NDArray[np.float64]:
    x = inputs["table"].astype(np.float64)
    return 2 * x[:, 0] + 0.5 * x[:, 1] - 2


def run(seed: int = 1) -> pd.DataFrame:
    inputs, labels, weights = jets()
    zeros = {"table": np.zeros((1, 4), np.float32)}
    return masking.masking(score, inputs, jets(2000, 1)[0], zeros, labels, weights, COLUMNS, Masking(seed=seed))


def slow_auc(f: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    won = total = 0.0
    for i in np.flatnonzero(labels == 1):
        for j in np.flatnonzero(labels == 0):
            pair = weights[i] * weights[j]
            total += pair
            won += pair * (f[i] > f[j]) + pair * 0.5 * (f[i] == f[j])
    return won / total


def slow_cross_entropy(f: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    total = 0.0
    for label in (0, 1):
        chosen = [i for i in range(len(f)) if labels[i] == label]
        of_class = sum(weights[i] for i in chosen)
        for i in chosen:
            p = 1 / (1 + np.exp(-f[i]))
            total -= 0.5 * weights[i] / of_class * np.log(p if label else 1 - p)
    return total


def slow_mad_papers(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    relative = [abs((a - b) / b) for a, b in zip(after, before, strict=True)]
    q1, q3 = np.percentile(relative, 25), np.percentile(relative, 75)
    kept = [0.0 if r < q1 - 1.5 * (q3 - q1) or r > q3 + 1.5 * (q3 - q1) else r for r in relative]
    return sum(kept) / len(relative)


def test_the_four_measures_equal_slow_loops() -> None:
    inputs, labels, weights = jets(80)
    weights = balanced(labels, weights)
    before = score(inputs)
    after = before[::-1] + 0.3
    found = masking.changes(before, after, labels, weights)
    assert found["delta_auc"] == pytest.approx(slow_auc(before, labels, weights) - slow_auc(after, labels, weights))
    expected = slow_cross_entropy(after, labels, weights) - slow_cross_entropy(before, labels, weights)
    assert found["delta_cross_entropy"] == pytest.approx(expected)
    papers = [slow_mad_papers(before[labels == label], after[labels == label]) for label in (0, 1)]
    assert found["mad_papers"] == pytest.approx(np.mean(papers))
    reached, order = 0.0, sorted(range(80), key=lambda i: abs(before[i]))
    for i in order:
        reached += weights[i]
        if reached >= 0.5:
            break
    mean = sum(w * abs(a - b) for w, a, b in zip(weights, after, before, strict=True))
    assert found["mad"] == pytest.approx(mean / abs(before[i]))


def test_an_unused_feature_costs_exactly_nothing() -> None:
    table = run().query("feature == 'unused'")
    assert len(table) == 10 + 3
    assert not table[list(masking.METRICS)].to_numpy().any()


def test_the_feature_that_decides_costs_most_in_every_way() -> None:
    means = run().groupby(["replacement", "feature"])[list(masking.METRICS)].mean()
    for replacement in ("permutation", "mean", "zero"):
        assert all(means.loc[(replacement, "strong"), m] == means.loc[replacement][m].max() for m in masking.METRICS)


def test_given_its_copy_the_feature_can_be_missed() -> None:
    table = run().query("feature == 'strong' and repeat == 0")
    cost = dict(zip(table["replacement"], table["delta_auc"], strict=True))
    assert abs(cost["conditional"]) < 2e-3
    assert cost["mean"] > 0.1


def test_repeats_differ_and_a_seed_gives_the_same_table_twice() -> None:
    first, again, other = run(seed=3), run(seed=3), run(seed=4)
    pd.testing.assert_frame_equal(first, again)
    strong = "feature == 'strong' and replacement == 'permutation'"
    assert first.query(strong)["delta_auc"].nunique() == 10
    assert not np.allclose(first.query(strong)["delta_auc"], other.query(strong)["delta_auc"])


def test_permutation_of_the_only_feature_leaves_chance() -> None:
    """A tagger of one feature has the AUC 0.5 when that is drawn from both classes together."""
    inputs, labels, weights = jets(4000)
    settings = Masking(repeats=5, replacements=("permutation",))
    table = masking.masking(
        lambda x: x["table"][:, 0].astype(np.float64), inputs, inputs, inputs, labels, weights, COLUMNS[:1], settings
    )
    auc = masking.auc(inputs["table"][:, 0].astype(np.float64), labels, weights)
    assert auc - table["delta_auc"].mean() == pytest.approx(0.5, abs=0.02)


def test_the_background_is_drawn_by_weight_with_balanced_classes() -> None:
    labels, weights = np.array([1, 0, 0, 0]), np.array([1e-3, 1.0, 3.0, 0.0])
    rows = draw(balanced(labels, weights), 8000, seed=1)
    assert np.bincount(rows, minlength=4) / 8000 == pytest.approx([0.5, 0.125, 0.375, 0], abs=0.02)
    np.testing.assert_array_equal(rows, draw(balanced(labels, weights), 8000, seed=1))
