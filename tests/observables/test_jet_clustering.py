"""The clustering histories against a slow loop over all pairs."""

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.observables.clustering import cluster, distance_squared
from glassjet.observables.kinematics import four_momenta
from tests.observables.synthetic_jets import jets_from, random_lists

Point = tuple[float, float, float]


def point(p: NDArray[np.float64]) -> Point:
    """pT, y, phi of a four-momentum, as textbooks write them."""
    px, py, pz, energy = p
    return float(np.hypot(px, py)), float(0.5 * np.log((energy + pz) / (energy - pz))), float(np.arctan2(py, px))


def gap(a: Point, b: Point) -> float:
    """Delta R^2."""
    dphi = (a[2] - b[2] + np.pi) % (2 * np.pi) - np.pi
    return float((a[1] - b[1]) ** 2 + dphi**2)


def by_hand(momenta: NDArray[np.float64], algorithm: str, winner: bool) -> list[Point]:
    """What the constituents merge into, in the order of merging: at each step the pair of smallest d_ij of all."""
    objects = [(p, point(p)) for p in momenta]
    made = []
    while len(objects) > 1:
        pairs = [(i, j) for i in range(len(objects)) for j in range(i)]

        points = [entry[1] for entry in objects]
        distances = [
            gap(points[i], points[j]) * (min(points[i][0], points[j][0]) ** 2 if algorithm == "kt" else 1.0)
            for i, j in pairs
        ]
        i, j = pairs[int(np.argmin(distances))]
        (p, a), (q, b) = objects[i], objects[j]
        hard = a if a[0] > b[0] else b
        merged = (a[0] + b[0], hard[1], hard[2]) if winner else point(p + q)
        objects = [entry for k, entry in enumerate(objects) if k not in (i, j)] + [(p + q, merged)]
        made.append(merged)
    return made


@pytest.mark.parametrize("algorithm", ["kt", "ca"])
@pytest.mark.parametrize("recombination", ["four_momentum", "winner_takes_all"])
def test_histories_are_those_of_the_slow_loop(
    algorithm: Literal["kt", "ca"], recombination: Literal["four_momentum", "winner_takes_all"]
) -> None:
    jets = jets_from(random_lists([1, 2, 3, 4, 7, 11, 18, 25, 25, 25]))
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    history = cluster(momenta, offsets, algorithm, recombination)
    for jet, size in enumerate(np.diff(offsets)):
        expected = by_hand(momenta[offsets[jet] : offsets[jet + 1]], algorithm, recombination == "winner_takes_all")
        nodes = history.nodes[history.offsets[jet] : history.offsets[jet + 1]]
        assert len(nodes) == 2 * size - 1
        np.testing.assert_allclose(nodes[size:], np.array(expected).reshape(-1, 3), rtol=1e-9, atol=1e-12)


def test_children_are_the_two_that_merged_harder_first() -> None:
    jets = jets_from([np.array([[10.0, 0.0, 0.0], [30.0, 0.0, 0.1], [20.0, 1.0, 0.0]])])
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "ca")
    assert history.children.tolist() == [[-1, -1], [-1, -1], [-1, -1], [1, 0], [3, 2]]


def test_every_constituent_merges_once() -> None:
    jets = jets_from(random_lists([40] * 20))
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt")
    for jet in range(len(jets)):
        children = history.children[history.offsets[jet] : history.offsets[jet + 1]]
        assert sorted(children[40:].ravel()) == list(range(78))


def test_constituents_of_the_same_direction_merge() -> None:
    jets = jets_from([np.array([[5.0, 0.3, 1.0]] * 4)])
    history = cluster(four_momenta(jets.constituents), jets.constituents.offsets, "kt")
    np.testing.assert_allclose(history.nodes[-1], [20.0, 0.3, 1.0], rtol=1e-12)


def test_distances_wrap_around_phi() -> None:
    assert distance_squared(0.0, 3.1, 0.0, -3.1) == pytest.approx((2 * np.pi - 6.2) ** 2)


def test_a_jet_without_constituents_is_refused() -> None:
    with pytest.raises(ValueError, match="jet 1 has no constituents"):
        cluster(np.ones((1, 4)), np.array([0, 1, 1]), "kt")
