"""Scores, noise level, intervals and agreement, by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import t as student

from glassjet.attribution.store import Attribution
from glassjet.ranking import agreement, scores
from glassjet.ranking.scores import Scores

NOISE = ("noise_1", "noise_2")


def attribution(relevance: dict[str, NDArray[Any]], **names: list[str]) -> Attribution:
    n = len(relevance["offsets"]) - 1 if "offsets" in relevance else len(next(iter(relevance.values())))
    jets = {"jet": np.arange(n), "event": np.arange(n), "output": np.zeros(n)}
    jets |= {"label": np.arange(n) % 2, "weight": np.where(np.arange(n) % 2, 1e-4, 3.0)}
    return Attribution(dict(names), jets, relevance, {}, {})


def scored(score: list[float], names: list[str] | None = None) -> Scores:
    values = np.array(score)
    return Scores(tuple(names or [f"f{i}" for i in range(len(score))]), values, values, values)


def test_constituents_and_pixels_are_summed_with_their_signs() -> None:
    constituents = np.array([[1.0, 2.0], [-3.0, 1.0], [5.0, 0.0]])
    image = np.zeros((2, 16, 16))
    image[0, 3, 4], image[0, 5, 5], image[1, 0, 0] = 2.0, -0.5, 4.0
    relevance = {"constituents": constituents, "offsets": np.array([0, 2, 3]), "image": image, "table": np.eye(2)}
    names, found = scores.per_feature(attribution(relevance, constituents=["u", "v"], table=["a", "b"]))
    assert names == ("u", "v", "image", "a", "b")
    np.testing.assert_array_equal(found, [[-2, 3, 1.5, 1, 0], [5, 0, 4, 0, 1]])


def test_shares_of_a_jet_add_up_to_one_and_a_jet_without_relevance_counts_zero() -> None:
    found = scores.shares(np.array([[1.0, -3.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(found, [[0.25, 0.75], [0, 0]])


def test_a_score_is_the_mean_share_with_both_classes_weighing_the_same() -> None:
    relevance = {"table": np.array([[3.0, 1.0], [1.0, 1.0], [1.0, -3.0]])}
    found = scores.from_relevance(attribution(relevance, table=["a", "b"]), 0)
    background, signal = (0.75 + 0.25) / 2, 0.5
    assert found.of("a") == pytest.approx((background + signal) / 2)
    assert found.score.sum() == pytest.approx(1)
    assert np.isnan(found.low).all()


def test_the_bootstrap_interval_shrinks_with_the_number_of_jets() -> None:
    def width(n: int) -> float:
        relevance = {"table": np.random.default_rng(0).normal(size=(n, 3))}
        found = scores.from_relevance(attribution(relevance, table=["a", "b", "c"]), 50)
        assert ((found.low < found.score) & (found.score < found.high)).all()
        return float((found.high - found.low).mean())

    assert width(1600) / width(100) == pytest.approx(1 / 4, rel=0.3)


def test_a_masking_score_is_the_mean_of_the_repeats_and_constituents_as_one_are_left_out() -> None:
    rows = [("a", "permutation", i, value) for i, value in enumerate((0.1, 0.2, 0.6))]
    rows += [("constituents", "permutation", 0, 0.9), ("a", "mean", 0, 0.7)]
    table = pd.DataFrame(rows, columns=["feature", "replacement", "repeat", "delta_auc"])
    found = scores.from_masking(table, "delta_auc", "permutation")
    assert found.features == ("a",)
    assert found.score == pytest.approx([0.3])
    assert found.low == pytest.approx([np.percentile([0.1, 0.2, 0.6], 15.865)])
    alone = scores.from_masking(table, "delta_auc", "mean")
    assert alone.score == pytest.approx([0.7])
    assert np.isnan(alone.high).all()


def test_over_seeds_is_the_mean_with_its_t_interval() -> None:
    found = scores.over_seeds([scored([1.0]), scored([2.0]), scored([6.0])])
    reach = student.ppf(0.84135, 2) * np.std([1, 2, 6], ddof=1) / np.sqrt(3)
    assert (found.score[0], found.low[0], found.high[0]) == pytest.approx((3, 3 - reach, 3 + reach))
    single = scores.over_seeds([scored([1.0])])
    assert single.score[0] == 1
    assert np.isnan([single.low, single.high]).all()


def test_the_noise_level_is_the_95_percent_quantile_over_columns_and_seeds() -> None:
    names = ["a", *NOISE]
    seeds = [scored([9.0, 1.0, 2.0], names), scored([0.5, 3.0, 4.0], names)]
    # of 1, 2, 3, 4: the position 0.95 * 3 = 2.85 lies between the third and the fourth
    assert scores.noise_level(seeds, NOISE) == pytest.approx(3 + 0.85)
    assert np.isnan(scores.noise_level([scored([1.0])], NOISE))


def test_ranks_start_at_one_and_ties_keep_the_order_of_the_features() -> None:
    assert scores.ranks(np.array([0.1, 0.5, 0.5, -1.0])).tolist() == [3, 1, 2, 4]


def test_agreement_by_hand() -> None:
    first, second = np.array([6.0, 5, 4, 3, 2, 1]), np.array([6.0, 5, 4, 3, 1, 2])
    found = agreement.agreement(first, second)
    assert found.spearman == pytest.approx(1 - 6 * 2 / (6 * 35))
    assert found.kendall == pytest.approx(13 / 15)
    assert found.top5_overlap == 0.8
    assert agreement.agreement(first, -first).spearman == pytest.approx(-1)


def test_agreement_of_ties_only_or_of_one_feature_is_not_a_number() -> None:
    assert np.isnan(agreement.agreement(np.ones(3), np.arange(3.0)).spearman)
    assert np.isnan(agreement.agreement(np.ones(1), np.ones(1)).kendall)


def test_noise_is_left_out_of_the_agreement() -> None:
    names = ["a", "b", "c", *NOISE]
    found = agreement.compare(scored([3, 2, 1, 0, 0], names), scored([1, 2, 3, 0, 0], names), NOISE)
    assert found.spearman == pytest.approx(-1)


def test_pairs_are_seeds_of_a_method_and_methods_of_a_seed() -> None:
    table = {(method, seed): scored([3.0, 2.0, 1.0]) for method in ("x", "y") for seed in ("1", "2", "all")}
    pairs = agreement.all_pairs(table, NOISE)
    assert [pair["kind"] for pair in pairs] == ["seeds"] * 2 + ["methods"] * 3
    assert {(pair["seed_a"], pair["seed_b"]) for pair in pairs if pair["kind"] == "seeds"} == {("1", "2")}
    assert {pair["seed_a"] for pair in pairs if pair["kind"] == "methods"} == {"1", "2", "all"}
