"""The table of variables: names, values by hand, symmetries, and jets with too few constituents."""

import numpy as np
import pandas as pd
import pytest

from glassjet.errors import InputError
from glassjet.jets.store import Jets
from glassjet.jets.toy import toy_jets
from glassjet.observables.compute import observe, require_finite
from glassjet.observables.registry import SETS, VARIABLES, columns
from tests.observables.synthetic_jets import jets_from, random_lists, rotated

ALL = ("all", "mbns", "mass_tau32", "efp4")
AZIMUTHS = ["phi", "subjet1_phi", "subjet2_phi"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return observe(jets_from(random_lists([1, 2, 3, 4, 10, 30, 60] * 8)), ALL)


def test_columns_are_the_standard_ones_then_the_sets(table: pd.DataFrame) -> None:
    assert list(table) == [*columns(ALL), "label", "event", "weight"]
    assert list(observe(jets_from(random_lists([5])), ())) == [*SETS["standard"], "label", "event", "weight"]


def test_a_set_has_the_same_values_alone_and_with_others(table: pd.DataFrame) -> None:
    jets = jets_from(random_lists([1, 2, 3, 4, 10, 30, 60] * 8))
    for words in [
        (),
        ("xaug29",),
        ("mbns",),
        ("correlators",),
        ("tau2_b10_softdrop", "zg_softdrop"),
        ("efp_3_3_0_b05",),
    ]:
        alone = observe(jets, words)
        pd.testing.assert_frame_equal(alone, table[list(alone)], check_exact=True)


def test_every_jet_has_finite_values(table: pd.DataFrame) -> None:
    assert np.isfinite(table.to_numpy(np.float64)).all()


def test_jets_keep_their_label_event_and_weight(table: pd.DataFrame) -> None:
    jets = jets_from(random_lists([1, 2, 3, 4, 10, 30, 60] * 8))
    for name in ("label", "event", "weight"):
        assert (table[name] == jets.columns[name]).all()


def test_one_constituent_has_the_documented_values(table: pd.DataFrame) -> None:
    row = observe(jets_from([np.array([[500.0, 0.7, -2.0]])]), ALL).iloc[0]
    zero = [name for name in columns(ALL) if "tau" in name] + [
        "beta3",
        "beta3_softdrop",
        "delta_r_subjets",
        "pull_angle",
        "has_two_subjets",
    ]
    assert (row[zero] == 0).all()
    assert row["z_subjets"] == 1
    assert row["multiplicity"] == 1
    for prefix in ("", "subjet1_", "subjet2_"):
        assert row[f"{prefix}eta"] == pytest.approx(0.7)
        assert row[f"{prefix}phi"] == pytest.approx(-2.0)


def test_two_constituents_by_hand() -> None:
    """Two massless constituents: m^2 = 2 pT1 pT2 (cosh Delta eta - cos Delta phi)."""
    row = observe(jets_from([np.array([[300.0, 0.0, 0.0], [100.0, 0.4, 0.3]])]), ALL).iloc[0]
    mass = np.sqrt(2 * 300 * 100 * (np.cosh(0.4) - np.cos(0.3)))
    pt = np.hypot(300 + 100 * np.cos(0.3), 100 * np.sin(0.3))
    assert row["mass"] == pytest.approx(mass, rel=1e-9)
    assert row["mass_softdrop"] == pytest.approx(mass, rel=1e-9)
    assert row["pt"] == pytest.approx(pt, rel=1e-12)
    assert row["delta_r_subjets"] == pytest.approx(0.5, rel=1e-9)
    assert row["z_subjets"] == pytest.approx(300 / (300 + 100 * np.cosh(0.4)), rel=1e-12)
    assert row["subjet1_eta"] == pytest.approx(0.0, abs=1e-12)
    assert (row["subjet2_eta"], row["subjet2_phi"]) == pytest.approx((0.4, 0.3))
    assert row["has_two_subjets"] == 1
    # beta = 2: the axis goes to the mean, and tau_1 = pT1 pT2 / (pT1 + pT2) Delta R^2
    assert row["tau1_b20"] == pytest.approx(75 * 0.25 / pt, rel=1e-9)
    assert row["tau1_b20_softdrop"] == pytest.approx(75 * 0.25 / pt, rel=1e-9)
    assert (row[["tau2_b20", "tau21", "tau32", "beta3", "beta3_softdrop"]] == 0).all()


def test_composites_follow_from_the_taus(table: pd.DataFrame) -> None:
    many = table[table["multiplicity"] >= 10]
    t = {name: many[name].to_numpy() for name in many}
    np.testing.assert_allclose(
        t["beta3"], np.log(t["tau1_b05"] ** 2 * np.sqrt(t["tau2_b10"]) / t["tau2_b20"]), rtol=1e-9
    )
    np.testing.assert_allclose(t["tau21"], t["tau2_b10"] / t["tau1_b10"])
    np.testing.assert_allclose(t["tau32"], t["tau3_b10"] / t["tau2_b10"])
    two = many["has_two_subjets"] == 1
    t = {name: many[name][two].to_numpy() for name in many}
    expected = np.log(t["tau2_b20_softdrop"] / (t["tau1_b05_softdrop"] * t["tau2_b10_softdrop"]))
    np.testing.assert_allclose(t["beta3_softdrop"], expected, rtol=1e-9)


def test_groomed_is_not_more_than_the_jet(table: pd.DataFrame) -> None:
    assert (table["mass_softdrop"] <= table["mass"] * (1 + 1e-9) + 1e-3).all()
    assert (table["tau1_b20_softdrop"] <= table["tau1_b20"] * (1 + 1e-6)).all()


@pytest.mark.parametrize("angle", [1.0, np.pi, -2.5])
def test_a_turn_around_the_beam_changes_azimuths_only(angle: float, table: pd.DataFrame) -> None:
    turned = observe(jets_from(rotated(random_lists([1, 2, 3, 4, 10, 30, 60] * 8), angle)), ALL)
    rest = [name for name in table if name not in AZIMUTHS]
    np.testing.assert_allclose(turned[rest], table[rest], rtol=1e-6, atol=1e-4)
    for name in AZIMUTHS:
        difference = np.exp(1j * (turned[name] - table[name] - angle).to_numpy())
        np.testing.assert_allclose(difference, 1.0, atol=1e-6)


def test_the_order_of_constituents_does_not_matter(table: pd.DataFrame) -> None:
    shuffled = [np.random.default_rng(2).permutation(jet) for jet in random_lists([1, 2, 3, 4, 10, 30, 60] * 8)]
    found = observe(jets_from(shuffled), ALL)
    np.testing.assert_allclose(found, table, rtol=1e-6, atol=1e-4)


def test_the_order_of_jets_does_not_matter(table: pd.DataFrame) -> None:
    jets = jets_from(random_lists([1, 2, 3, 4, 10, 30, 60] * 8))
    index = np.random.default_rng(3).permutation(len(jets))
    found = observe(jets.take(index), ALL)
    pd.testing.assert_frame_equal(found, table.iloc[index].reset_index(drop=True), check_exact=True)


def test_shapes_do_not_depend_on_the_scale_of_momenta(table: pd.DataFrame) -> None:
    lists = random_lists([1, 2, 3, 4, 10, 30, 60] * 8)
    found = observe(jets_from([jet * [7.0, 1.0, 1.0] for jet in lists]), ALL)
    with_cut = {"lund_multiplicity"}  # counts what is above 1 GeV
    shapes = [name for name in columns(ALL) if VARIABLES[name].units in ("1", "rad") and name not in with_cut]
    np.testing.assert_allclose(found[shapes], table[shapes], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(found["mass"], 7 * table["mass"], rtol=1e-6, atol=1e-2)


def test_constituents_without_transverse_momentum_are_left_out() -> None:
    lists = random_lists([1, 2, 10], seed=4)
    padded = [np.concatenate([jet, [[0.0, 0.0, 0.0], [0.0, 5.0, 1.0]]]) for jet in lists]
    pd.testing.assert_frame_equal(observe(jets_from(padded), ALL), observe(jets_from(lists), ALL), check_exact=True)


def test_a_jet_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="event 1001 has no constituent with pT > 0"):
        observe(jets_from([np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 0.0]])]), ())


def test_no_jets_give_an_empty_table() -> None:
    assert len(observe(jets_from(random_lists([3])).take(np.zeros(0, np.int64)), ALL)) == 0


def test_a_number_that_is_not_finite_is_named_with_its_jet() -> None:
    jets: Jets = jets_from(random_lists([3, 3]))
    with pytest.raises(InputError, match="tau21 is nan for the jet of event 1001"):
        require_finite(pd.DataFrame({"pt": [1.0, 2.0], "tau21": [0.5, np.nan]}), jets)


def test_the_toy_models_truth_comes_from_its_jets_alone() -> None:
    jets = toy_jets(1, 1, 20, np.random.default_rng(1))
    frame = observe(jets, ("toy",))
    for name in SETS["toy"]:
        assert (frame[name] == jets.columns[name]).all()
    with pytest.raises(InputError, match="toy_r1: only jets of the toy model have it; leave it out"):
        observe(jets_from(random_lists([5])), ("toy",))
