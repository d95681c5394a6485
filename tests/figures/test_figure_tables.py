"""The tables behind the figures, against numbers worked out another way."""

import numpy as np
import pandas as pd
import pytest

from glassjet.figures import attribution, constituents, performance, ranking


def test_a_rejection_needs_thirty_jets_that_pass() -> None:
    random = np.random.default_rng(3)
    label = np.repeat([0, 1], [500, 499]).astype(np.int8)
    output = random.normal(2 * label, 1)
    curve = performance.rejection_curve(output, label, np.ones(999), points=50)
    for efficiency, rejection in zip(curve["signal_efficiency"], curve["rejection"], strict=True):
        cut = np.sort(output[label == 1])[::-1][int(np.ceil(efficiency * 499 - 1e-9)) - 1]
        passed = (output[label == 0] >= cut).sum()
        if passed >= 30:
            assert rejection == pytest.approx(500 / passed)
        else:
            assert np.isnan(rejection)
    assert curve["rejection"].isna().any()


def test_too_few_background_jets_give_no_rejection() -> None:
    label = np.repeat([0, 1], [20, 20]).astype(np.int8)
    assert performance.rejection_curve(np.arange(40.0), label, np.ones(40))["rejection"].isna().all()


def test_constituents_are_averaged_over_the_jets_that_have_them() -> None:
    relevance = np.array([1.0, 2.0, 3.0, -5.0])
    table = constituents.by_rank(relevance, np.array([3, 1]), np.array([1.0, 3.0]), length=10)
    assert table["place"].tolist() == [1, 2, 3]
    assert table["mean"].tolist() == pytest.approx([(1 - 15) / 4, 2, 3])
    assert table["mean_absolute"].tolist() == pytest.approx([4, 2, 3])
    assert table["share"].tolist() == pytest.approx([1, 0.25, 0.25])


def test_a_profile_follows_the_feature() -> None:
    values = np.linspace(-1, 1, 2001)
    table = attribution.profile(values, 3 * values, bins=10)
    assert table["mean"].to_numpy() == pytest.approx(3 * table["value"].to_numpy(), abs=0.02)
    assert table["jets"].sum() == pytest.approx(0.98 * 2001, abs=3)
    assert table["median"].to_numpy() == pytest.approx(table["mean"].to_numpy(), abs=0.01)
    assert ((table["low"] < table["median"]) & (table["median"] < table["high"])).all()
    assert attribution.profile(np.ones(50), np.ones(50))["jets"].sum() == 50


def test_reduced_models_are_found_in_the_summary() -> None:
    names = ["mbns", "mbns:shap@5", "mbns:random12@16", "image+xaug29:lrp_p2@1"]
    found = ranking.reduced_rows(pd.DataFrame({"features": names, "value": range(4)}))
    assert found["features"].tolist() == ["mbns", "mbns", "image+xaug29"]
    assert found["method"].tolist() == ["shap", "random", "lrp_p2"]
    assert found["draw"].tolist() == [0, 12, 0]
    assert found["k"].tolist() == [5, 16, 1]
    assert ranking.reduced_rows(pd.DataFrame({"features": ["mbns"], "value": [1]})).empty


def test_agreement_is_of_networks_and_not_of_their_mean() -> None:
    rows = [
        ("methods", "shap", "mad", "1", 0.4),
        ("methods", "shap", "mad", "2", 0.6),
        ("methods", "shap", "mad", "all", -1.0),
        ("seeds", "shap", "shap", "1", 0.9),
    ]
    table = pd.DataFrame(rows, columns=["kind", "method_a", "method_b", "seed_a", "spearman"])
    matrix = ranking.agreement_matrix(table)
    assert matrix.columns.tolist() == ["shap", "mad"]
    assert matrix.to_numpy() == pytest.approx(np.array([[0.9, 0.5], [0.5, np.nan]]), nan_ok=True)


def test_ranks_are_ordered_and_noise_is_marked() -> None:
    rows = [
        (method, "all", feature, rank, above)
        for method, ranks in (("shap", (2, 1, 3)), ("mad", (3, 1, 2)))
        for feature, rank, above in zip(("a", "b", "noise_1"), ranks, (True, "True", "False"), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["method", "seed", "feature", "rank", "above_noise"])
    found, above = ranking.rank_table(table)
    assert found.index.tolist() == ["b", "a", "noise_1"]
    assert found.columns.tolist() == ["shap", "mad"]
    assert above.to_numpy().tolist() == [[True, True], [True, True], [False, False]]
