"""What stands in for a masked feature, against slow loops and against what must follow."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.attribution import replacement
from glassjet.attribution.replacement import Feature

COLUMN = Feature("x", "table", 1)
PT = Feature("pt_fraction", "constituents", 0)
ALL = Feature("constituents", "constituents", None)
IMAGE = Feature("image", "image", None)


def table(n: int = 400, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    return {"table": np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)}


def sets(n: int = 50, seed: int = 0) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(seed)
    mask = np.arange(6) < random.integers(1, 7, size=n)[:, None]
    values = random.normal(size=(n, 6, 2)).astype(np.float32) * mask[..., None]
    return {"constituents": values, "mask": mask}


def test_features_are_listed_in_the_order_of_the_inputs() -> None:
    inputs = sets() | {"image": np.zeros((1, 1, 16, 16))} | table()
    names = [feature.name for feature in replacement.features(inputs, ("a", "b", "c"), ("u", "v"))]
    assert names == ["u", "v", "constituents", "image", "a", "b", "c"]


def test_a_permuted_column_holds_values_of_other_jets_and_nothing_else_changes() -> None:
    inputs = table()
    changed = replacement.permuted(inputs, COLUMN, np.ones(400), np.random.default_rng(1))
    assert np.isin(changed["table"][:, 1], inputs["table"][:, 1]).all()
    assert (changed["table"][:, 1] != inputs["table"][:, 1]).mean() > 0.95
    np.testing.assert_array_equal(changed["table"][:, [0, 2]], inputs["table"][:, [0, 2]])


def test_jets_without_weight_are_never_drawn() -> None:
    inputs = table()
    weights = np.where(np.arange(400) < 40, 1.0, 0.0)
    changed = replacement.permuted(inputs, COLUMN, weights, np.random.default_rng(1))
    assert np.isin(changed["table"][:, 1], inputs["table"][:40, 1]).all()


def test_permuted_constituents_as_one_are_those_of_one_jet_with_their_number() -> None:
    inputs = sets()
    changed = replacement.permuted(inputs, ALL, np.ones(50), np.random.default_rng(1))
    for jet, mask in zip(changed["constituents"], changed["mask"], strict=True):
        donors = [i for i in range(50) if (inputs["constituents"][i] == jet).all()]
        assert donors
        np.testing.assert_array_equal(inputs["mask"][donors[0]], mask)


@pytest.mark.parametrize("how", ["permutation", "value"])
def test_padding_stays_zero(how: str) -> None:
    inputs = sets()
    if how == "permutation":
        changed = replacement.permuted(inputs, PT, np.ones(50), np.random.default_rng(1))
    else:
        changed = replacement.with_values(inputs, PT, np.float64(7))
        assert (changed["constituents"][inputs["mask"]][:, 0] == 7).all()
    assert (changed["constituents"][~inputs["mask"]] == 0).all()
    np.testing.assert_array_equal(changed["constituents"][..., 1], inputs["constituents"][..., 1])


def test_means_are_over_real_constituents_only() -> None:
    inputs = sets()
    values = [c[0] for jet, mask in zip(inputs["constituents"], inputs["mask"], strict=True) for c in jet[mask]]
    assert replacement.mean(inputs, PT) == pytest.approx(np.mean(values, dtype=np.float64))
    assert replacement.mean(inputs, ALL).shape == (2,)


def test_the_conditional_mean_of_a_duplicated_feature_is_the_feature() -> None:
    def doubled(seed: int) -> dict[str, NDArray[np.float32]]:
        x = table(1000, seed)["table"]
        return {"table": np.concatenate([x, x[:, 1:2]], axis=1)}

    predicted = replacement.conditional(doubled(0), COLUMN, seed=1)(doubled(1))
    np.testing.assert_allclose(predicted, doubled(1)["table"][:, 1], atol=0.02)


def test_the_conditional_mean_of_an_independent_feature_is_its_mean() -> None:
    predicted = replacement.conditional(table(4000), COLUMN, seed=1)(table(200, 1))
    assert np.abs(predicted).mean() < 0.2  # trees learn a little of 4,000 jets' noise


def test_the_conditional_mean_follows_a_curve() -> None:
    def curved(seed: int) -> dict[str, NDArray[np.float32]]:
        x = table(3000, seed)["table"]
        x[:, 1] = x[:, 0] ** 2
        return {"table": x}

    predicted = replacement.conditional(curved(0), COLUMN, seed=1)(curved(1))
    assert np.corrcoef(predicted, curved(1)["table"][:, 1])[0, 1] > 0.97


def test_a_constituent_s_feature_is_predicted_from_the_same_constituent() -> None:
    def related(seed: int) -> dict[str, NDArray[Any]]:
        inputs = sets(400, seed)
        inputs["constituents"][..., 0] = 2 * inputs["constituents"][..., 1]
        return inputs

    inputs = related(1)
    predicted = replacement.conditional(related(0), PT, seed=1)(inputs)
    np.testing.assert_allclose(predicted[inputs["mask"]], inputs["constituents"][inputs["mask"]][:, 0], atol=0.05)


def test_an_image_is_predicted_from_the_table_and_a_column_from_the_pixels() -> None:
    def both(seed: int) -> dict[str, NDArray[np.float32]]:
        inputs = table(600, seed)
        image = np.zeros((600, 1, 16, 16), np.float32)
        image[:, 0, 3, 4] = inputs["table"][:, 1]
        return inputs | {"image": image}

    image = replacement.conditional(both(0), IMAGE, seed=1)(both(1))
    np.testing.assert_allclose(image, both(1)["image"], atol=1e-3)
    column = replacement.conditional(both(0), COLUMN, seed=1)(both(1))
    np.testing.assert_allclose(column, both(1)["table"][:, 1], atol=0.02)


def test_given_nothing_the_conditional_mean_is_the_mean() -> None:
    image = {"image": np.random.default_rng(0).normal(size=(30, 1, 16, 16)).astype(np.float32)}
    np.testing.assert_allclose(replacement.conditional(image, IMAGE, seed=1)(image), image["image"].mean(0), rtol=1e-5)
    single = {"table": image["image"].reshape(30, -1)[:, :1]}
    predicted = replacement.conditional(single, Feature("x", "table", 0), seed=1)(single)
    assert predicted == pytest.approx(single["table"].mean(), rel=1e-5)
