"""The pull angle by hand and against a slow loop."""

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.observables.clustering import cluster
from glassjet.observables.kinematics import four_momenta
from glassjet.observables.pull import pull_angle
from glassjet.observables.soft_drop import Groomed, soft_drop
from tests.observables.synthetic_jets import jets_from, random_lists


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
    nothing = Groomed(np.ones(2, np.int8), np.zeros(1, bool))
    assert pull_angle(np.ones((2, 4)), np.array([0, 2]), nothing).tolist() == [0.0]
