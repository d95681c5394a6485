"""The pull angle and the pull vector by hand, against a slow loop, and their symmetries."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.jets.store import Ragged
from glassjet.observables.clustering import cluster
from glassjet.observables.kinematics import four_momenta, plane, sums, wrapped
from glassjet.observables.pull import pull_angle, pull_vector
from glassjet.observables.soft_drop import soft_drop
from tests.observables.synthetic_jets import jets_from, random_lists, rotated


def angles(lists: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    jets = jets_from(lists)
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    return pull_angle(momenta, offsets, soft_drop(cluster(momenta, offsets, "ca")))


@pytest.mark.parametrize(("eta", "phi", "expected"), [(0.1, 0.0, 0.0), (-0.1, 0.0, np.pi), (0.0, 0.1, np.pi / 2)])
def test_the_harder_subjet_leans_to_its_far_constituent(eta: float, phi: float, expected: float) -> None:
    """A soft constituent far from the axis outweighs the hard one near it: the pull points to it."""
    harder = [[100.0, 0.0, 0.0], [10.0, eta, phi]]
    found = angles([np.array([*harder, [60.0, 0.6, 0.0]])])
    assert found[0] == pytest.approx(expected, abs=0.02)


def test_pull_is_the_sum_of_its_formula() -> None:
    lists = random_lists([30] * 20, seed=5)
    jets = jets_from(lists)
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    groomed = soft_drop(cluster(momenta, offsets, "ca"))
    found = pull_angle(momenta, offsets, groomed)
    for number in range(len(lists)):
        own = slice(offsets[number], offsets[number + 1])
        p, prong = momenta[own], groomed.prong[own]
        axes = []
        for k in (1, 2):
            px, py, pz, energy = p[prong == k].sum(axis=0)
            axes.append((0.5 * np.log((energy + pz) / (energy - pz)), np.arctan2(py, px)))
        pull = np.zeros(2)
        for pt, eta, phi in lists[number][prong == 1]:
            arm = np.array([eta - axes[0][0], np.angle(np.exp(1j * (phi - axes[0][1])))])
            pull += pt * np.linalg.norm(arm) * arm
        way = np.array([axes[1][0] - axes[0][0], np.angle(np.exp(1j * (axes[1][1] - axes[0][1])))])
        cosine = pull @ way / np.linalg.norm(pull) / np.linalg.norm(way)
        assert found[number] == pytest.approx(np.arccos(cosine), abs=1e-6)


def test_no_splitting_and_no_pull_give_0() -> None:
    one_prong = np.array([[100.0, 0.0, 0.0], [2.0, 0.2, 0.0]])
    lone_constituents = np.array([[100.0, 0.0, 0.0], [60.0, 0.6, 0.3]])
    assert angles([one_prong, lone_constituents]).tolist() == [0.0, 0.0]


def test_without_any_two_subjets_there_is_nothing_to_do() -> None:
    assert angles([np.array([[100.0, 0.0, 0.0], [2.0, 0.2, 0.0]])]).tolist() == [0.0]


def vectors(momenta: NDArray[np.float64], offsets: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    return pull_vector(plane(momenta), offsets, plane(sums(momenta, offsets)))


def vectors_of(lists: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    constituents = jets_from(lists).constituents
    return vectors(four_momenta(constituents), constituents.offsets)


SIZES = [*range(1, 9), *([20, 50, 90] * 10)]


def test_pull_vector_is_the_sum_of_its_formula() -> None:
    lists = random_lists(SIZES, seed=6)
    magnitude, angle = vectors_of(lists)
    assert np.isfinite(magnitude).all()
    assert np.isfinite(angle).all()
    assert (np.abs(angle) <= np.pi).all()
    for number, jet in enumerate(lists):
        px = sum(pt * math.cos(phi) for pt, _, phi in jet)
        py = sum(pt * math.sin(phi) for pt, _, phi in jet)
        pz = sum(pt * math.sinh(eta) for pt, eta, _ in jet)
        energy = sum(pt * math.cosh(eta) for pt, eta, _ in jet)
        y_jet = 0.5 * math.log((energy + pz) / (energy - pz))
        pull = np.zeros(2)
        for pt, eta, phi in jet:  # massless: y = eta
            arm = np.array([eta - y_jet, np.angle(np.exp(1j * (phi - math.atan2(py, px))))])
            pull += pt * np.linalg.norm(arm) * arm / math.hypot(px, py)
        assert magnitude[number] == pytest.approx(np.linalg.norm(pull), rel=1e-9, abs=1e-12)
        if len(jet) > 1:
            assert np.exp(1j * angle[number]) == pytest.approx(np.exp(1j * math.atan2(pull[1], pull[0])), rel=1e-7)
    assert (magnitude[1:] > 1e-4).all()
    assert magnitude[0] == angle[0] == 0


@pytest.mark.parametrize("turn", [0.0, 2.0, np.pi])
@pytest.mark.parametrize(("dphi", "expected"), [(0.4, np.pi / 2), (-0.4, -np.pi / 2)])
def test_pull_vector_in_phi_by_hand(dphi: float, expected: float, turn: float) -> None:
    """3 : 1 in pT, at one rapidity, also across phi = pi: the far soft one outweighs the near hard one."""
    magnitude, angle = vectors_of(rotated([np.array([[30.0, 0.5, 0.0], [10.0, 0.5, dphi]])], turn))
    near = math.atan2(10 * math.sin(0.4), 30 + 10 * math.cos(0.4))
    jet_pt = math.hypot(10 * math.sin(0.4), 30 + 10 * math.cos(0.4))
    assert magnitude[0] == pytest.approx((10 * (0.4 - near) ** 2 - 30 * near**2) / jet_pt, rel=1e-9)
    # massless constituents at one rapidity have their sum there too
    assert angle[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("eta", "expected"), [(0.4, 0.0), (-0.4, np.pi)])
def test_pull_vector_in_rapidity_by_hand(eta: float, expected: float) -> None:
    magnitude, angle = vectors_of([np.array([[30.0, 0.0, 1.0], [10.0, eta, 1.0]])])
    near = math.atanh(10 * math.sinh(0.4) / (30 + 10 * math.cosh(0.4)))
    assert magnitude[0] == pytest.approx((10 * (0.4 - near) ** 2 - 30 * near**2) / 40, rel=1e-9)
    assert abs(angle[0]) == pytest.approx(expected, abs=1e-9)


def test_one_or_collinear_constituents_have_no_pull() -> None:
    one = [np.array([[500.0, eta, phi]]) for eta, phi in [(0.7, -2.0), (-2.4, np.pi), (0.0, 0.1)]]
    same = [np.array([[5.0, 2.1, -3.1]] * copies) for copies in range(2, 9)]
    collinear = [np.array([[50.0, -1.2, 3.0], [7.0, -1.2, 3.0], [3.3, -1.2, 3.0]])]
    for values in vectors_of([*one, *same, *collinear]):
        assert values.tolist() == [0.0] * 11


def test_collinear_constituents_in_float32_have_no_pull() -> None:
    """The rounding of their energies moves them apart in rapidity by some 1e-6."""
    generator = np.random.default_rng(3)
    n = 2000
    eta = np.repeat(generator.uniform(-2.9, 2.9, n), 3)
    pt = generator.uniform(1.0, 300.0, 3 * n)
    columns = {"pt": pt, "eta": eta, "phi": np.repeat(generator.uniform(-np.pi, np.pi, n), 3)}
    stored = {name: column.astype(np.float32) for name, column in columns.items()}
    stored["energy"] = (stored["pt"].astype(np.float64) * np.cosh(stored["eta"].astype(np.float64))).astype(np.float32)
    offsets = np.arange(0, 3 * n + 1, 3)
    momenta = four_momenta(Ragged(offsets, stored))
    spread = np.ptp(plane(momenta)[:, 1].reshape(n, 3), axis=1)
    assert spread.max() > 1e-6
    for values in vectors(momenta, offsets):
        assert (values == 0).all()


def test_pulls_that_cancel_are_0() -> None:
    """Two of equal pT at one rapidity, in float64: what is left is rounding, and has no direction."""
    magnitude, angle = vectors_of(rotated([np.array([[50.0, 0.3, 0.2], [50.0, 0.3, -0.2]])] * 50, 1.234))
    assert magnitude.tolist() == angle.tolist() == [0.0] * 50


def test_symmetries_of_the_pull_vector() -> None:
    lists = random_lists(SIZES[1:], seed=7)
    momenta, offsets = four_momenta(jets_from(lists).constituents), jets_from(lists).constituents.offsets
    momenta[:, 3] = np.hypot(momenta[:, 3], np.random.default_rng(1).uniform(0.0, 1.0, len(momenta)))  # with masses
    magnitude, angle = vectors(momenta, offsets)

    boosted, turned, mirrored = momenta.copy(), momenta.copy(), momenta.copy()
    boosted[:, 2] = math.cosh(0.9) * momenta[:, 2] + math.sinh(0.9) * momenta[:, 3]
    boosted[:, 3] = math.cosh(0.9) * momenta[:, 3] + math.sinh(0.9) * momenta[:, 2]
    turned[:, 0] = math.cos(2.0) * momenta[:, 0] - math.sin(2.0) * momenta[:, 1]
    turned[:, 1] = math.sin(2.0) * momenta[:, 0] + math.cos(2.0) * momenta[:, 1]
    mirrored[:, 2] *= -1
    generator = np.random.default_rng(2)
    order = np.concatenate([a + generator.permutation(b - a) for a, b in pairwise(offsets)])
    for changed, expected in [(boosted, angle), (turned, angle), (momenta[order], angle), (mirrored, np.pi - angle)]:
        found, found_angle = vectors(changed, offsets)
        np.testing.assert_allclose(found, magnitude, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(wrapped(found_angle - expected), 0.0, atol=1e-6)


def test_the_pull_vector_is_infrared_and_collinear_safe() -> None:
    lists = random_lists([*range(2, 9), 20, 50], seed=8)
    magnitude, angle = vectors_of(lists)
    split = [np.concatenate([jet[:1] * [0.3, 1, 1], jet[:1] * [0.7, 1, 1], jet[1:]]) for jet in lists]
    soft = [np.concatenate([jet, jet[:1] * [0, 1, 1] + [1e-9, 0.4, 0.0]]) for jet in lists]
    for changed in (split, soft):
        found, found_angle = vectors_of(changed)
        np.testing.assert_allclose(found, magnitude, rtol=0, atol=1e-8)
        np.testing.assert_allclose(wrapped(found_angle - angle), 0.0, atol=1e-6)


def test_the_pull_of_a_jet_does_not_depend_on_the_other_jets() -> None:
    lists = random_lists(SIZES, seed=9)
    together = vectors_of(lists)
    for number, jet in enumerate(lists):
        alone = vectors_of([jet])
        assert all(mine[0] == all_of_them[number] for mine, all_of_them in zip(alone, together, strict=True))
    assert [len(values) for values in vectors(np.zeros((0, 4)), np.zeros(1, np.int64))] == [0, 0]
