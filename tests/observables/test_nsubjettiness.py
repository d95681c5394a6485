"""N-subjettiness against fastjet-contrib, and by hand for two and three constituents."""

import numpy as np
import pytest

from glassjet.observables import families
from glassjet.observables.clustering import cluster
from glassjet.observables.compute import observe
from glassjet.observables.families import AXES
from glassjet.observables.kinematics import four_momenta
from glassjet.observables.nsubjettiness import ratio, tau
from glassjet.observables.recipes import Axes, Grooming
from glassjet.observables.soft_drop import soft_drop
from tests.observables import fastjet_oracle
from tests.observables.synthetic_jets import jets_from, random_lists

BETAS = (0.5, 1.0, 2.0)
ORDERS = (1, 2, 3, 4, 5, 6, 7, 8)
SIZES = [*range(1, 12), *([20, 50, 90] * 30)]


def found_and_expected(axes: str, beta: float) -> tuple[np.ndarray, np.ndarray]:
    """tau_1 to tau_8 in GeV of many jets, ours and fastjet-contrib's."""
    jets = jets_from(random_lists(SIZES))
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    history = cluster(momenta, offsets, "kt", "winner_takes_all" if "WTA" in axes else "four_momentum")
    found = tau(history, ORDERS, (beta,), one_pass="OnePass" in axes)[:, :, 0]
    assert np.isfinite(found).all()
    return found, fastjet_oracle.njettiness(momenta, offsets, axes, list(ORDERS), beta)


@pytest.mark.parametrize("beta", [*BETAS, 1.5])
@pytest.mark.parametrize("axes", ["KT_Axes", "WTA_KT_Axes"])
def test_tau_is_that_of_fastjet_contrib(axes: str, beta: float) -> None:
    found, expected = found_and_expected(axes, beta)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert ((found == 0) == (np.array(SIZES)[:, None] <= np.array(ORDERS))).all()


@pytest.mark.parametrize("beta", [*BETAS, 1.5])
@pytest.mark.parametrize("axes", ["OnePass_KT_Axes", "OnePass_WTA_KT_Axes"])
def test_one_pass_finds_the_minimum_of_fastjet_contrib_or_a_lower_one(axes: str, beta: float) -> None:
    found, expected = found_and_expected(axes, beta)
    assert (found <= expected * (1 + 1e-6)).all()
    same = np.isclose(found, expected, rtol=1e-6, atol=0)
    assert same.mean() > 0.95  # where an axis lies on a constituent, its rounded Delta R of 1e-15 counts as a root
    assert (expected - found <= 1e-3 * expected)[~same].all()


def test_tau_is_the_sum_of_its_formula() -> None:
    lists = random_lists([30] * 5, seed=3)
    jets = jets_from(lists)
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt")
    found = tau(history, (2,), BETAS, one_pass=False)[:, 0]
    for number, jet in enumerate(lists):
        end = history.offsets[number + 1] - 1
        axes = history.nodes[history.offsets[number] + history.children[end]]
        for b, beta in enumerate(BETAS):
            total = 0.0
            for pt, eta, phi in jet:  # massless: y = eta
                distances = []
                for _, y_axis, phi_axis in axes:
                    dphi = np.angle(np.exp(1j * (phi - phi_axis)))
                    distances.append(np.hypot(eta - y_axis, dphi))
                total += pt * min(distances) ** beta
            assert found[number, b] == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("beta", BETAS)
def test_two_constituents_by_hand(beta: float) -> None:
    """The winner takes the axis, so tau_1 is the loser's pT Delta R^beta; two axes leave nothing."""
    jets = jets_from([np.array([[30.0, 0.1, 3.1], [10.0, 0.4, -3.1]])])
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt", "winner_takes_all")
    found = tau(history, (1, 2, 3), (beta,), one_pass=False)[0, :, 0]
    distance = np.hypot(0.3, 2 * np.pi - 6.2)
    assert found[0] == pytest.approx(10.0 * distance**beta, rel=1e-12)
    assert found[1:].tolist() == [0.0, 0.0]


def test_one_pass_goes_to_the_mean_for_beta_2() -> None:
    """For beta = 2 the axis of least tau_1 is the mean of the positions, weighted by pT."""
    jets = jets_from([np.array([[30.0, 0.0, 0.0], [10.0, 0.4, 0.0]])])
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt", "winner_takes_all")
    found = tau(history, (1,), (2.0,), one_pass=True)[0, 0, 0]
    assert found == pytest.approx(30 * 0.1**2 + 10 * 0.3**2, rel=1e-12)


def test_three_constituents_by_hand() -> None:
    """kT merges the two of smallest min(pT)^2 Delta R^2 first; tau_2 is then the softer one's distance."""
    jets = jets_from([np.array([[100.0, 0.0, 0.0], [60.0, 0.5, 0.0], [5.0, 0.5, 0.2]])])
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt", "winner_takes_all")
    found = tau(history, (1, 2, 3), (1.0,), one_pass=False)[0, :, 0]
    np.testing.assert_allclose(found, [60 * 0.5 + 5 * np.hypot(0.5, 0.2), 5 * 0.2, 0.0], rtol=1e-12)


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_one_pass_lowers_tau(beta: float) -> None:
    """With beta >= 1 a step cannot raise tau but for the softening; below, tau has a minimum at each constituent."""
    jets = jets_from(random_lists([60] * 50, seed=7))
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt", "winner_takes_all")
    seeds, refined = (tau(history, (1, 2, 3), (beta,), one_pass) for one_pass in (False, True))
    assert (refined <= seeds * (1 + 1e-3)).all()
    assert refined.sum() < 0.99 * seeds.sum()


def test_more_axes_leave_less() -> None:
    jets = jets_from(random_lists([50] * 50, seed=9))
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt", "winner_takes_all")
    taus = tau(history, ORDERS, BETAS, one_pass=False)
    assert (np.diff(taus, axis=1) < 0).all()


@pytest.mark.parametrize("axes", ["kt", "wta", "onepass_kt", "onepass_wta"])
def test_the_variables_take_the_axes_that_they_name(axes: Axes) -> None:
    """Of the jet and of what soft drop leaves; over the jet's pT, or in GeV."""
    jets = jets_from(random_lists([30, 60] * 10, seed=11))
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    plain, groomed = (families.tau(3, 1.0, axes, grooming) for grooming in (None, Grooming(0.2, 1.0)))
    in_gev = families.tau(3, 1.0, axes, in_gev=True)
    frame = observe(jets, [plain.name, groomed.name, in_gev.name])
    expected = fastjet_oracle.njettiness(momenta, offsets, AXES[axes], [3], 1.0)[:, 0]
    np.testing.assert_allclose(frame[in_gev.name], expected, rtol=1e-6)
    np.testing.assert_allclose(frame[plain.name] * frame["pt"], expected, rtol=1e-6)
    kept = soft_drop(cluster(momenta, offsets, "ca"), 0.2, 1.0).prong > 0
    before = np.concatenate([[0], np.cumsum(kept)])[offsets]
    expected = fastjet_oracle.njettiness(momenta[kept], before, AXES[axes], [3], 1.0)[:, 0]
    assert kept.mean() < 0.99
    np.testing.assert_allclose(frame[groomed.name] * frame["pt"], expected, rtol=1e-6)


def test_zero_over_zero_is_zero() -> None:
    assert ratio(np.array([0.0, 1.0]), np.array([0.0, 4.0])).tolist() == [0.0, 0.25]
