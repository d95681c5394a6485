"""Jet shapes against fastjet-contrib, against a slow loop, by hand, and their symmetries."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.observables.clustering import cluster
from glassjet.observables.kinematics import four_momenta, plane, sums
from glassjet.observables.shapes import angularity, momentum_dispersion
from tests.observables import fastjet_oracle
from tests.observables.synthetic_jets import jets_from, random_lists, rotated

Array = NDArray[np.float64]
Offsets = NDArray[np.int64]

SAFE = ["width", "thrust", "lha"]
SIZES = [*range(1, 9), *([20, 50, 90] * 10)]


def flat(lists: list[Array]) -> tuple[Array, Offsets]:
    constituents = jets_from(lists).constituents
    return four_momenta(constituents), constituents.offsets


def shapes(momenta: Array, offsets: Offsets) -> dict[str, Array]:
    points = plane(momenta)
    axes = plane(sums(momenta, offsets))[:, 1:]
    history = cluster(momenta, offsets, "kt", "winner_takes_all")
    winners = history.nodes[history.offsets[1:] - 1, 1:]
    return {
        "width": angularity(points, offsets, axes, 1.0),
        "thrust": angularity(points, offsets, axes, 2.0),
        "lha": angularity(points, offsets, winners, 0.5),
        "ptd": momentum_dispersion(points[:, 0], offsets),
    }


def massive(lists: list[Array], seed: int = 2) -> tuple[Array, Offsets]:
    """The jets with masses of up to 1 GeV for the constituents, at the same momenta."""
    momenta, offsets = flat(lists)
    momenta[:, 3] = np.hypot(momenta[:, 3], np.random.default_rng(seed).uniform(0.0, 1.0, len(momenta)))
    return momenta, offsets


def assert_same(found: dict[str, Array], expected: dict[str, Array], names: list[str], rtol: float = 1e-9) -> None:
    for name in names:
        assert np.isfinite(found[name]).all()
        np.testing.assert_allclose(found[name], expected[name], rtol=rtol, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("name", "axes", "beta"), [("width", "KT_Axes", 1.0), ("thrust", "KT_Axes", 2.0), ("lha", "WTA_KT_Axes", 0.5)]
)
def test_angularities_are_tau_1_of_fastjet_contrib(name: str, axes: str, beta: float) -> None:
    """The one axis of exclusive kT is that of the jet; tau_1 in GeV is the angularity times the scalar sum."""
    momenta, offsets = flat(random_lists(SIZES))
    found = shapes(momenta, offsets)[name]
    scalar = np.add.reduceat(np.hypot(momenta[:, 0], momenta[:, 1]), offsets[:-1])
    expected = fastjet_oracle.njettiness(momenta, offsets, axes, [1], beta)[:, 0] / scalar
    assert np.isfinite(found).all()
    # FastJet rounds Delta R = 0 to 1e-15, whose root is 3e-8
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6 if beta < 1 else 1e-9)
    assert (found[1:] > 1e-4).all()


@pytest.mark.parametrize("beta", [0.5, 0.7, 1.0, 2.0, 3.0])
def test_angularity_is_the_sum_of_its_formula(beta: float) -> None:
    momenta, offsets = massive(random_lists([30] * 6, seed=3))
    axes = np.random.default_rng(4).uniform(-3.0, 3.0, (6, 2))
    found = angularity(plane(momenta), offsets, axes, beta)
    for number in range(6):
        numerator, denominator = 0.0, 0.0
        for px, py, pz, energy in momenta[offsets[number] : offsets[number + 1]]:
            dphi = np.angle(np.exp(1j * (math.atan2(py, px) - axes[number, 1])))
            dy = 0.5 * math.log((energy + pz) / (energy - pz)) - axes[number, 0]
            numerator += math.hypot(px, py) * math.hypot(dy, dphi) ** beta
            denominator += math.hypot(px, py)
        assert found[number] == pytest.approx(numerator / denominator, rel=1e-9)


@pytest.mark.parametrize("phi", [0.0, np.pi, -2.0])
def test_two_equal_constituents_by_hand(phi: float) -> None:
    """The jet's axis lies between them, the winner's on one of them; also across phi = pi."""
    found = shapes(*flat(rotated([np.array([[50.0, 0.3, 0.2], [50.0, 0.3, -0.2]])], phi)))
    assert found["width"][0] == pytest.approx(0.2, rel=1e-9)
    assert found["thrust"][0] == pytest.approx(0.04, rel=1e-9)
    assert found["lha"][0] == pytest.approx(0.5 * math.sqrt(0.4), rel=1e-9)
    assert found["ptd"][0] == pytest.approx(math.sqrt(0.5), rel=1e-12)


def test_unequal_constituents_by_hand() -> None:
    """At 3 : 1 and a right angle in phi the axis has tan(phi) = 1/3; kT's winner is the harder one."""
    found = shapes(*flat([np.array([[30.0, 0.0, 0.0], [10.0, 0.0, np.pi / 2]])]))
    axis = math.atan2(1.0, 3.0)
    assert found["width"][0] == pytest.approx(0.75 * axis + 0.25 * (np.pi / 2 - axis), rel=1e-9)
    assert found["thrust"][0] == pytest.approx(0.75 * axis**2 + 0.25 * (np.pi / 2 - axis) ** 2, rel=1e-9)
    assert found["lha"][0] == pytest.approx(0.25 * math.sqrt(np.pi / 2), rel=1e-9)
    assert found["ptd"][0] == pytest.approx(math.sqrt(10.0) / 4, rel=1e-12)


def test_momentum_dispersion_by_hand() -> None:
    pt, offsets = np.array([7.0, 3.0, 4.0, *[2.5] * 16]), np.array([0, 1, 3, 19])
    assert momentum_dispersion(pt, offsets) == pytest.approx([1.0, 5.0 / 7.0, 0.25], rel=1e-15)


def test_one_constituent_has_no_width() -> None:
    """Exactly: its axis is its own."""
    found = shapes(*massive([np.array([[500.0, eta, phi]]) for eta, phi in [(0.7, -2.0), (-2.4, np.pi), (0.0, 0.1)]]))
    for name in SAFE:
        assert found[name].tolist() == [0.0, 0.0, 0.0]
    assert found["ptd"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("copies", range(2, 9))
def test_duplicated_constituents_have_no_width(copies: int) -> None:
    found = shapes(*flat([np.array([[5.0, 2.1, -3.1]] * copies)]))
    for name in SAFE:
        assert found[name][0] == pytest.approx(0.0, abs=1e-12)
    assert found["lha"][0] == 0.0
    assert found["ptd"][0] == pytest.approx(copies**-0.5, rel=1e-12)


def test_no_jets_have_no_shapes() -> None:
    assert all(len(values) == 0 for values in shapes(np.zeros((0, 4)), np.zeros(1, np.int64)).values())


def test_jets_of_few_constituents_are_within_their_bounds() -> None:
    found = shapes(*massive(random_lists([*range(1, 9)] * 20, seed=8)))
    for name in SAFE:
        assert np.isfinite(found[name]).all()
        assert (found[name] >= 0).all()
    assert (found["width"] ** 2 <= found["thrust"] + 1e-15).all()  # the mean of squares is above the square of the mean
    counts = np.array([*range(1, 9)] * 20)
    assert ((found["ptd"] >= counts**-0.5 - 1e-12) & (found["ptd"] <= 1 + 1e-12)).all()


@pytest.mark.parametrize("angle", [1.0, np.pi, -2.5])
def test_a_turn_around_the_beam_changes_nothing(angle: float) -> None:
    lists = random_lists(SIZES, seed=5)
    assert_same(shapes(*massive(rotated(lists, angle))), shapes(*massive(lists)), [*SAFE, "ptd"])


@pytest.mark.parametrize("rapidity", [0.8, -1.5])
def test_a_boost_along_the_beam_changes_nothing(rapidity: float) -> None:
    momenta, offsets = massive(random_lists(SIZES, seed=6))
    boosted = momenta.copy()
    boosted[:, 2] = math.cosh(rapidity) * momenta[:, 2] + math.sinh(rapidity) * momenta[:, 3]
    boosted[:, 3] = math.cosh(rapidity) * momenta[:, 3] + math.sinh(rapidity) * momenta[:, 2]
    assert_same(shapes(boosted, offsets), shapes(momenta, offsets), [*SAFE, "ptd"], rtol=1e-7)


def test_the_order_of_constituents_does_not_matter() -> None:
    lists = random_lists(SIZES, seed=7)
    generator = np.random.default_rng(1)
    shuffled = [jet[generator.permutation(len(jet))] for jet in lists]
    assert_same(shapes(*flat(shuffled)), shapes(*flat(lists)), [*SAFE, "ptd"])


def test_the_other_jets_do_not_matter() -> None:
    """To the last bit: processes share the jets."""
    lists = random_lists(SIZES, seed=9)
    together = shapes(*massive(lists))
    momenta, offsets = massive(lists)
    for number in range(len(lists)):
        own = momenta[offsets[number] : offsets[number + 1]]
        alone = shapes(own, np.array([0, len(own)]))
        assert all(alone[name][0] == together[name][number] for name in together)


def test_a_collinear_splitting_changes_only_ptd() -> None:
    momenta, offsets = massive(random_lists([*range(1, 9), 20, 50], seed=10))
    jets = [momenta[a:b] for a, b in pairwise(offsets)]
    split = np.concatenate([np.concatenate([0.3 * jet[:1], 0.7 * jet[:1], jet[1:]]) for jet in jets])
    before, after = shapes(momenta, offsets), shapes(split, offsets + np.arange(len(offsets)))
    # the two parts lie within 1e-16 of each other in y, whose root is 1e-8
    for name in SAFE:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-9, atol=1e-7 if name == "lha" else 1e-12)
    assert (after["ptd"] < 0.999 * before["ptd"]).all()


def test_a_soft_emission_changes_nothing() -> None:
    lists = random_lists([*range(1, 9), 20, 50], seed=11)
    soft = [np.concatenate([jet, jet[:1] * [0, 1, 1] + [1e-9, 0.4, 0.0]]) for jet in lists]
    before, after = shapes(*flat(lists)), shapes(*flat(soft))
    for name in [*SAFE, "ptd"]:
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-8, err_msg=name)
        assert (after[name] != before[name]).any()
