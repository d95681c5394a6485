import math

import numpy as np
import pandas as pd
import pytest

from glassjet.errors import InputError
from glassjet.jets.store import Jets, Ragged, no_partons
from glassjet.taggers.features import NOISE, parse
from glassjet.taggers.inputs import build, fit_scaling, join, scale, scaling_of
from tests.taggers.synthetic import tagged_jets


def test_constituents_equal_a_slow_loop() -> None:
    jets, table = tagged_jets(50)
    inputs = build(parse("kinematics"), jets, table)
    offsets, flat = jets.constituents.offsets, jets.constituents.columns
    assert inputs["constituents"].shape[1] == jets.constituents.counts.max()
    for i in range(50):
        own = slice(offsets[i], offsets[i + 1])
        total = sum(float(pt) for pt in flat["pt"][own])
        for j, (pt, eta, phi) in enumerate(zip(flat["pt"][own], flat["eta"][own], flat["phi"][own], strict=True)):
            expected = [
                pt / total,
                eta - jets.columns["eta"][i],
                math.remainder(phi - jets.columns["phi"][i], 2 * np.pi),
            ]
            np.testing.assert_allclose(inputs["constituents"][i, j], expected, rtol=1e-5, atol=1e-6)
            assert inputs["mask"][i, j]
        assert not inputs["mask"][i, jets.constituents.counts[i] :].any()
        assert not inputs["constituents"][i, jets.constituents.counts[i] :].any()
    assert np.abs(inputs["constituents"][..., 2]).max() <= np.pi


def test_a_jet_keeps_its_200_hardest_constituents() -> None:
    pt = np.linspace(10, 1, 250, dtype=np.float32)
    flat = {"pt": pt, "eta": np.zeros_like(pt), "phi": np.zeros_like(pt)}
    columns = {"pt": pt.sum(keepdims=True), "eta": np.zeros(1), "phi": np.zeros(1)}
    jets = Jets(columns, Ragged(np.array([0, 250]), flat), no_partons(1))
    inputs = build(parse("kinematics+noise"), jets, pd.DataFrame({"event": [3]}))
    assert inputs["constituents"].shape == (1, 200, 8)
    np.testing.assert_allclose(inputs["constituents"][0, :, 0], pt[:200] / pt.sum(), rtol=1e-5)


def test_noise_does_not_depend_on_the_chunks() -> None:
    jets, table = tagged_jets(60)
    for name in ("kinematics+noise", "image+mbns+noise"):
        features = parse(name)
        whole = build(features, jets, table)
        parts = [
            build(features, jets.take(np.arange(*limits)), table.iloc[slice(*limits)])
            for limits in ((0, 13), (13, 14), (14, 60))
        ]
        for key, array in join(parts).items():
            np.testing.assert_array_equal(array, whole[key])


def test_noise_columns_are_the_same_in_a_table_of_any_set() -> None:
    _, table = tagged_jets(40)
    first, second = build(parse("mbns+noise"), None, table), build(parse("xaug29+noise"), None, table)
    np.testing.assert_array_equal(first["table"][:, -len(NOISE) :], second["table"][:, -len(NOISE) :])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_table_with_nan_is_refused_by_name_and_event(bad: float) -> None:
    _, table = tagged_jets(20, first_event=100)
    table.loc[7, "mass"] = bad
    with pytest.raises(InputError, match="mass is NaN or infinite for event 107"):
        build(parse("mbns"), None, table)


def test_scaling_in_blocks_equals_weighted_moments_of_the_whole() -> None:
    _, table = tagged_jets(500)
    table["pt"] += 1e5  # cancels badly in a naive sum of squares
    features = parse("mbns")
    weight = np.random.default_rng(1).uniform(0, 3, 500)
    whole = build(features, None, table)
    parts = [({"table": whole["table"][i : i + 70]}, weight[i : i + 70]) for i in range(0, 500, 70)]
    scaling = fit_scaling(features, parts)["table"]
    exact = whole["table"].astype(np.float64)
    mean = np.average(exact, axis=0, weights=weight)
    np.testing.assert_allclose(scaling["mean"], mean, rtol=1e-10)
    np.testing.assert_allclose(np.square(scaling["std"]), np.average((exact - mean) ** 2, axis=0, weights=weight))
    assert scaling["columns"] == list(features.table)


def test_scaled_tables_are_standard_and_clipped() -> None:
    features = parse("mass_tau32")
    table = np.random.default_rng(1).normal([100, 0.5], [20, 0.1], (4000, 2)).astype(np.float32)
    table[0, 0] = 1e6
    scaling = fit_scaling(features, [({"table": table[1:]}, np.ones(3999))])
    scaled = scale({"table": table}, scaling)["table"]
    assert scaled.dtype == np.float32
    assert scaled[0, 0] == 3
    np.testing.assert_allclose(scaled[1:].mean(0), 0, atol=0.01)
    np.testing.assert_allclose(scaled[1:].std(0), 1, atol=0.02)  # the clip costs a little


def test_a_constant_column_becomes_zero() -> None:
    table = np.full((10, 2), 0.1, np.float32)
    scaling = fit_scaling(parse("mass_tau32"), [({"table": table[:3]}, np.ones(3)), ({"table": table[3:]}, np.ones(7))])
    assert (scale({"table": table}, scaling)["table"] == 0).all()


def test_constituents_are_scaled_by_real_ones_only_and_images_by_one_number() -> None:
    jets, table = tagged_jets(200)
    features = parse("kinematics+image")
    inputs = build(features, jets, table)
    scaling = fit_scaling(features, [(inputs, np.ones(200))])
    scaled = scale(inputs, scaling)
    np.testing.assert_allclose(scaled["constituents"][inputs["mask"]].std(0), 1, rtol=1e-4)
    assert not scaled["constituents"][~inputs["mask"]].any()
    np.testing.assert_allclose(np.square(scaled["image"]).mean(), 1, rtol=1e-4)
    assert ((scaled["image"] == 0) == (inputs["image"] == 0)).all()


def test_the_scaling_of_a_reduced_model() -> None:
    _, table = tagged_jets(100)
    features = parse("mbns+noise")
    inputs = build(features, None, table)
    scaling = fit_scaling(features, [(inputs, np.ones(100))])
    few = features.only(["mass", "tau3_b10_kt", "noise_2"])
    index = [features.table.index(name) for name in few.table]
    expected = scale(inputs, scaling)["table"][:, index]
    np.testing.assert_array_equal(scale(build(few, None, table), scaling_of(scaling, few.table))["table"], expected)
