"""kT splitting scales and subjets against FastJet, and by hand."""

import fastjet
import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.observables.clustering import History, cluster, left
from glassjet.observables.kinematics import four_momenta
from glassjet.observables.subjets import (
    exclusive_subjets,
    largest_mass,
    masses,
    smallest_pair_mass,
    splitting_scales,
)
from tests.observables import fastjet_oracle
from tests.observables.synthetic_jets import jets_from, random_lists

Array = NDArray[np.float64]
SIZES = [*range(1, 12), *([20, 50, 90] * 30)]


def history_of(lists: list[Array]) -> History:
    jets = jets_from(lists)
    return cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt")


def values_of(lists: list[Array]) -> Array:
    """Everything that is a number per jet, as an array (n, 10); it must be finite."""
    history = history_of(lists)
    two, three = exclusive_subjets(history, 2), exclusive_subjets(history, 3)
    single = largest_mass(two), smallest_pair_mass(three)
    values = np.column_stack([splitting_scales(history), masses(two), masses(three), *single])
    assert values.shape == (len(lists), 10)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    return values


def pair_mass(first: Array, second: Array) -> float:
    """m^2 = 2 pT_1 pT_2 (cosh Delta eta - cos Delta phi) of two massless constituents pT, eta, phi."""
    spread = np.cosh(first[1] - second[1]) - np.cos(first[2] - second[2])
    return float(np.sqrt(2 * first[0] * second[0] * spread))


def test_splitting_scales_are_those_of_fastjet() -> None:
    lists = random_lists(SIZES)
    jets = jets_from(lists)
    sequences = fastjet_oracle.clusters(
        four_momenta(jets.constituents), jets.constituents.offsets, fastjet.kt_algorithm
    )
    found = splitting_scales(history_of(lists), 5)
    assert np.isfinite(found).all()
    for k in range(5):
        expected = np.sqrt(np.asarray(sequences.exclusive_dmerge(k + 1))) * fastjet_oracle.RADIUS
        np.testing.assert_allclose(found[:, k], expected, rtol=1e-9)
        assert (expected == 0).tolist() == [size <= k + 1 for size in SIZES]


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_subjets_are_the_exclusive_jets_of_fastjet(number: int) -> None:
    lists = [jet for jet in random_lists(SIZES, seed=2) if len(jet) >= number]
    jets = jets_from(lists)
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    exclusive = fastjet_oracle.clusters(momenta, offsets, fastjet.kt_algorithm).exclusive_jets(n_jets=number)
    expected = np.stack([np.asarray(exclusive[name]) for name in ("px", "py", "pz", "E")], axis=2)
    order = np.argsort(-np.hypot(expected[:, :, 0], expected[:, :, 1]), axis=1)
    expected = np.take_along_axis(expected, order[:, :, None], axis=1)
    found = exclusive_subjets(history_of(lists), number)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)

    squared = expected[:, :, 3] ** 2 - np.sum(expected[:, :, :3] ** 2, axis=2)
    squared = np.maximum(squared, 0.0)
    np.testing.assert_allclose(masses(found) ** 2, squared, rtol=1e-9, atol=1e-6)  # 1e-16 of E^2 is 1e-9 GeV^2 and more
    if number == 2:
        np.testing.assert_allclose(largest_mass(found) ** 2, squared.max(axis=1), rtol=1e-9, atol=1e-6)
    if number == 3:
        pairs = np.stack([expected[:, i] + expected[:, j] for i, j in ((0, 1), (0, 2), (1, 2))], axis=1)
        smallest = (pairs[:, :, 3] ** 2 - np.sum(pairs[:, :, :3] ** 2, axis=2)).min(axis=1)
        np.testing.assert_allclose(smallest_pair_mass(found) ** 2, np.maximum(smallest, 0), rtol=1e-9, atol=1e-6)


def test_three_quarks_by_hand() -> None:
    """A b quark and a W boson of two quarks: each is a subjet of three, the W boson one of two."""
    b, first, second = quarks = np.array([[150.0, 0.0, 3.1], [120.0, 0.7, -2.9], [60.0, 0.9, -3.1]])
    found = values_of([quarks])[0]
    w = pair_mass(first, second)
    np.testing.assert_allclose(found[1], 60 * np.hypot(0.2, 0.2), rtol=1e-12)
    np.testing.assert_allclose(found[[3, 8]], w, rtol=1e-9)  # 180 GeV of pT: the first of two
    assert found[0] > 100  # the b quark's pT times about 0.8
    assert found[2] == 0.0
    np.testing.assert_allclose(found[[4, 5, 6, 7]], 0.0, atol=1e-4)  # massless but for rounding
    assert w < min(pair_mass(b, first), pair_mass(b, second))
    np.testing.assert_allclose(found[9], w, rtol=1e-9)


def test_the_smallest_pair_need_not_be_the_closest_in_kt() -> None:
    """Two subjets pair the two of smallest min(pT) Delta R; the smallest mass is another pair's."""
    quarks = np.array([[400.0, 0.0, 0.0], [10.0, 0.5, 0.0], [12.0, -0.5, 0.3]])
    a, b, c = quarks
    found = values_of([quarks])[0]
    assert pair_mass(b, c) < min(pair_mass(a, b), pair_mass(a, c))
    np.testing.assert_allclose(found[1], 10 * 0.5, rtol=1e-12)
    np.testing.assert_allclose(found[8], pair_mass(a, b), rtol=1e-9)
    np.testing.assert_allclose(found[9], pair_mass(b, c), rtol=1e-9)


def test_too_few_constituents_leave_zeros() -> None:
    lists = random_lists([1, 2, 3, 4], seed=3)
    found = values_of(lists)
    expected = [[False] * 3, [True, False, False], [True, True, False], [True] * 3]
    assert (found[:, :3] > 0).tolist() == expected
    assert not found[0].any()
    assert not found[1, 5:8].any()
    assert found[1, 9] == 0.0
    assert not exclusive_subjets(history_of(lists), 3)[:2].any()


def test_coinciding_constituents_have_no_scales() -> None:
    """Duplicated or collinear constituents, one of them next to a second prong."""
    one, other = [50.0, 1.3, 2.9], [20.0, 1.0, -3.1]
    lists = [[one] * 2, [one] * 8, [one, [17.3, *one[1:]], [3.1, *one[1:]]], [one, one, other]]
    found = values_of([np.array(jet) for jet in lists])
    np.testing.assert_allclose(found[:3], 0.0, atol=1e-4)  # the root of the rounding of m^2
    np.testing.assert_allclose(found[3, 0], 20 * np.hypot(0.3, 2 * np.pi - 6.0), rtol=1e-12)
    np.testing.assert_allclose(found[3, 1:3], 0.0, atol=1e-9)


def test_massless_subjets_never_have_an_imaginary_mass() -> None:
    """Energies a little below |p|, as float32 leaves them."""
    momenta = four_momenta(jets_from(random_lists([3] * 20, seed=4)).constituents)
    momenta[:, 3] *= 1 - 1e-7
    history = cluster(momenta, np.arange(0, 61, 3), "kt")
    three = exclusive_subjets(history, 3)
    assert (masses(three) == 0).all()
    assert np.isfinite(smallest_pair_mass(three)).all()


def test_a_collinear_splitting_and_a_soft_constituent_change_nothing() -> None:
    lists = random_lists([30] * 30, seed=5)
    split = [np.vstack([jet, jet[0]]) for jet in lists]
    soft = [np.vstack([jet, jet[0] + [0.0, 0.2, 0.3]]) for jet in lists]
    for jet in split:
        jet[0, 0] *= 0.3
        jet[-1, 0] *= 0.7
    for jet in soft:
        jet[-1, 0] = 1e-12
    before = values_of(lists)
    np.testing.assert_allclose(values_of(split), before, rtol=1e-9, atol=1e-4)
    np.testing.assert_allclose(values_of(soft), before, rtol=1e-6, atol=1e-4)
    assert (before[:, 2] > 0.1).all()


def test_what_is_left_is_the_whole_jet() -> None:
    """Whatever the number of nodes, below them lies each constituent once; none is of a merge that was undone."""
    size = 20
    children = history_of(random_lists([size], seed=6)).children

    def below(node: int) -> list[int]:
        if children[node, 0] < 0:
            return [node]
        return below(children[node, 0]) + below(children[node, 1])

    for number in range(1, size + 1):
        found = left(children, number)
        assert len(found) == number
        assert sorted(one for node in found for one in below(node)) == list(range(size))
        assert found.max() <= len(children) - number


def test_no_jets_and_jets_that_do_not_know_of_each_other() -> None:
    empty = cluster(np.empty((0, 4)), np.array([0]), "kt")
    assert splitting_scales(empty).shape == (0, 3)
    assert largest_mass(exclusive_subjets(empty, 2)).shape == (0,)
    lists = random_lists([1, 5, 40, 17, 2, 90], seed=8)
    assert values_of(lists).tobytes() == b"".join(values_of([jet]).tobytes() for jet in lists)
