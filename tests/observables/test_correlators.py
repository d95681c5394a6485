"""Energy correlation functions against fastjet-contrib, a plain loop, and values by hand."""

from collections.abc import Sequence
from itertools import combinations

import fastjet
import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.observables.correlators import COLLINEAR, Correlators, c2, correlations, d2, m2, n2
from glassjet.observables.kinematics import four_momenta, plane
from tests.observables import fastjet_oracle
from tests.observables.synthetic_jets import jets_from, random_lists, rotated

BETAS = (0.5, 1.0, 2.0, 1.7)
RATIOS = {"C2": c2, "D2": d2, "M2": m2, "N2": n2}
NAMES = ("ecf2", "ecf3", "e2", "e3", "one_e3", "two_e3")
ANGLES = {"e2": (2, -1), "e3": (3, -1), "one_e3": (3, 1), "two_e3": (3, 2)}  # points and angles, for FastJet


def of_lists(lists: Sequence[NDArray[np.float64]], betas: tuple[float, ...] = BETAS) -> Correlators:
    """Correlators of jets given as arrays (m, 3) of pT, y, phi."""
    offsets = np.concatenate([[0], np.cumsum([len(jet) for jet in lists])]).astype(np.int64)
    return correlations(np.concatenate(lists), offsets, betas)


def values(correlators: Correlators) -> dict[str, NDArray[np.float64]]:
    """All that depends on beta, arrays (n, betas) by name, once seen to be finite, in float32 too."""
    found = {name: getattr(correlators, name) for name in NAMES} | {
        name: of(correlators) for name, of in RATIOS.items()
    }
    for name, array in found.items():
        assert np.isfinite(array).all(), name
        with np.errstate(under="ignore"):
            assert np.isfinite(array.astype(np.float32)).all(), name
    assert np.isfinite(correlators.ecf1).all()
    return found


def by_fastjet(sequences: "fastjet.AwkwardClusterSequence", **options: object) -> NDArray[np.float64]:
    """fastjet-contrib's energy correlator or ratio (n,) of the whole jets, measure pt_R."""
    return np.asarray(sequences.exclusive_jets_energy_correlator(njets=1, **options))


@pytest.mark.parametrize("beta", BETAS)
def test_correlators_and_ratios_are_those_of_fastjet_contrib(beta: float) -> None:
    jets = jets_from(random_lists([*range(1, 81), 120]))
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    found = values(correlations(plane(momenta), offsets, (beta,)))
    sequences = fastjet_oracle.clusters(momenta, offsets, fastjet.cambridge_algorithm)
    for name, (points, angles) in ANGLES.items():
        expected = by_fastjet(sequences, beta=beta, npoint=points, angles=angles)
        np.testing.assert_allclose(found[name][:, 0], expected, rtol=1e-9, err_msg=name)
        assert (expected[2:] > 0).all()
    for name in RATIOS:
        expected = by_fastjet(sequences, beta=beta, func=name)
        assert np.isnan(expected[0])  # FastJet has no value for one constituent
        assert found[name][0, 0] == 0
        np.testing.assert_allclose(found[name][1:, 0], expected[1:], rtol=1e-9, err_msg=name)


def test_correlators_are_the_sums_of_their_formulae() -> None:
    lists = random_lists(range(1, 19), seed=5)
    correlators = of_lists(lists)
    found = values(correlators)
    for number, jet in enumerate(lists):
        total = sum(jet[:, 0])
        assert correlators.ecf1[number] == pytest.approx(total, rel=1e-12)
        for b, beta in enumerate(BETAS):
            expected = dict.fromkeys(NAMES, 0.0)
            powers = {}
            for i, j in combinations(range(len(jet)), 2):
                dphi = np.angle(np.exp(1j * (jet[i, 2] - jet[j, 2])))
                powers[i, j] = np.hypot(jet[i, 1] - jet[j, 1], dphi) ** beta
                expected["ecf2"] += jet[i, 0] * jet[j, 0] * powers[i, j]
            for i, j, k in combinations(range(len(jet)), 3):
                product = jet[i, 0] * jet[j, 0] * jet[k, 0]
                angles = sorted([powers[i, j], powers[i, k], powers[j, k]])
                expected["ecf3"] += product * angles[0] * angles[1] * angles[2]
                expected["one_e3"] += product * angles[0] / total**3
                expected["two_e3"] += product * angles[0] * angles[1] / total**3
            expected["e2"] = expected["ecf2"] / total**2
            expected["e3"] = expected["ecf3"] / total**3
            for name in NAMES:
                assert found[name][number, b] == pytest.approx(expected[name], rel=1e-10), name


@pytest.mark.parametrize("beta", BETAS)
def test_three_equal_constituents_with_equal_angles_by_hand(beta: float) -> None:
    side = 0.6
    corners = [[20.0, 0.0, 0.0], [20.0, side, 0.0], [20.0, side / 2, side * np.sqrt(3) / 2]]
    correlators = of_lists([np.array(corners)], (beta,))
    found = {name: array[0, 0] for name, array in values(correlators).items()}
    power = side**beta
    assert correlators.ecf1.tolist() == [60.0]
    expected = {"ecf2": 1200 * power, "ecf3": 8000 * power**3, "e2": power / 3, "e3": power**3 / 27}
    expected |= {"one_e3": power / 27, "two_e3": power**2 / 27}
    expected |= {"C2": power / 3, "D2": 1.0, "M2": 1 / 9, "N2": 1 / 3}
    assert found == pytest.approx(expected, rel=1e-12)


def test_one_and_two_constituents() -> None:
    two = np.array([[30.0, 0.1, 3.1], [10.0, 0.4, -3.1]])
    correlators = of_lists([two[:1], two])
    found = values(correlators)
    assert correlators.ecf1.tolist() == [30.0, 40.0]
    gap = np.hypot(0.3, 2 * np.pi - 6.2)
    np.testing.assert_allclose(found["ecf2"], [[0.0] * 4, [300 * gap**beta for beta in BETAS]], rtol=1e-12)
    for name in ("ecf3", "e3", "one_e3", "two_e3", *RATIOS):
        assert not found[name].any(), name


@pytest.mark.parametrize("size", [2, 3, 8])
def test_collinear_constituents_have_no_correlations(size: int) -> None:
    """Duplicates, and collinear ones whose y and phi differ by rounding, at |y| up to 5."""
    lists = []
    for number, pseudorapidity in enumerate(np.linspace(-5, 5, 40)):
        pt = np.full(size, 7.0) if number % 2 else np.geomspace(300.0, 0.01, size)
        lists.append(np.column_stack([pt, np.full(size, pseudorapidity), np.full(size, 0.1 * number - 2)]))
    jets = jets_from(lists)
    points = plane(four_momenta(jets.constituents))
    y = points[:, 1].reshape(40, size)
    assert (y.max(axis=1) > y.min(axis=1)).any()  # or rounding was not tested
    for name, array in values(correlations(points, jets.constituents.offsets, BETAS)).items():
        assert not array.any(), name


def test_azimuths_of_plus_and_minus_pi_are_collinear() -> None:
    points = np.array([[30.0, 1.0, np.pi], [20.0, 1.0, -np.pi], [10.0, 1.0, np.nextafter(np.pi, 0)]])
    for name, array in values(of_lists([points])).items():
        assert not array.any(), name


def test_a_collinear_pair_and_another_are_as_two_constituents() -> None:
    merged = np.array([[30.0, 0.1, 0.2], [10.0, 0.4, 0.0]])
    split = np.array([[18.0, 0.1, 0.2], [10.0, 0.4, 0.0], [12.0, np.nextafter(0.1, 1), 0.2]])
    found, expected = values(of_lists([split])), values(of_lists([merged]))
    for name in (*NAMES, *RATIOS):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, err_msg=name)
    assert not found["D2"].any()


def test_the_least_angle_is_that_of_the_constant() -> None:
    apart = [np.array([[10.0, 0.0, 0.0], [10.0, factor * COLLINEAR, 0.0]]) for factor in (0.9, 1.1)]
    e2 = of_lists(apart, (1.0,)).e2[:, 0]
    np.testing.assert_allclose(e2, [0.0, 0.25 * 1.1 * COLLINEAR], rtol=1e-12)


def test_d2_grows_with_the_share_of_soft_constituents_but_stays_within_float32() -> None:
    """A hard constituent and two soft ones at equal angles have D2 = 1 / (8 z)."""
    softness = [1e-3, 1e-20, 1e-35, 1e-45, 1e-200]
    corners = np.array([[1.0, 0.0, 0.0], [1.0, 0.6, 0.0], [1.0, 0.3, 0.3 * np.sqrt(3)]])
    found = values(of_lists([corners * [[1.0, 1, 1], [z, 1, 1], [z, 1, 1]] for z in softness], (0.5, 1.0, 2.0)))
    np.testing.assert_allclose(found["D2"][0], 1 / 8e-3, rtol=0.01)
    np.testing.assert_allclose(found["D2"][1], 1 / 8e-20, rtol=1e-9)
    assert not found["D2"][2:].any()
    assert not found["C2"][2:].any()


def test_the_greatest_d2_of_a_narrow_pair_stays_within_float32() -> None:
    """For a pair hardly apart and a soft one far away, the greatest D2 is 0.59 (R / COLLINEAR)^beta."""
    for beta in (0.5, 1.0, 2.0):
        z = (COLLINEAR / 3) ** beta / 8
        jet = np.array([[50.0, 0.0, 0.0], [50.0, 1.01 * COLLINEAR, 0.0], [100 * z, 0.0, 3.0]])
        found = values(of_lists([jet], (beta,)))
        assert found["D2"][0, 0] == pytest.approx(0.59 * (3 / COLLINEAR) ** beta, rel=0.05)


def test_the_order_of_constituents_does_not_matter() -> None:
    lists = random_lists([5, 20, 21, 22, 23, 60, 90], seed=11)
    generator = np.random.default_rng(3)
    found = values(of_lists([generator.permutation(jet) for jet in lists]))
    for name, expected in values(of_lists(lists)).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("angle", [0.5, 3.0, -2.0])
def test_a_turn_around_the_beam_does_not_matter(angle: float) -> None:
    lists = random_lists([3, 20, 60, 90], seed=13)
    found = values(of_lists(rotated(lists, angle)))
    for name, expected in values(of_lists(lists)).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-11, err_msg=name)


def test_collinear_splittings_and_soft_emissions_do_not_matter() -> None:
    lists = random_lists([3, 10, 30, 60], seed=17)
    generator = np.random.default_rng(5)
    changed = []
    for jet in lists:
        split = np.repeat(jet, 2, axis=0)  # each constituent in two
        fraction = generator.uniform(0.1, 0.9, len(jet))
        split[::2, 0] *= fraction
        split[1::2, 0] *= 1 - fraction
        soft = np.column_stack([np.full(7, 1e-13), generator.uniform(-0.5, 0.5, (7, 2)) + jet[0, 1:]])
        changed.append(generator.permutation(np.concatenate([split, soft])))
    found = values(of_lists(changed))
    for name, expected in values(of_lists(lists)).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-9, err_msg=name)


def test_a_jet_has_the_same_bytes_whatever_jets_and_betas_come_with_it() -> None:
    lists = random_lists([1, 2, 7, 40, 3, 90, 16], seed=19)
    together = values(of_lists(lists))
    for number, jet in enumerate(lists):
        for b, beta in enumerate(BETAS):
            for name, array in values(of_lists([jet], (beta,))).items():
                assert array[0, 0] == together[name][number, b], name


def test_a_chunk_without_jets() -> None:
    correlators = correlations(np.zeros((0, 3)), np.zeros(1, np.int64), BETAS)
    assert correlators.ecf1.shape == (0,)
    assert {array.shape for array in values(correlators).values()} == {(0, 4)}
