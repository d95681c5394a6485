"""The primary Lund plane against fastjet-contrib, a slow clustering, soft drop, and by hand."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.observables import kinematics
from glassjet.observables.clustering import History, cluster
from glassjet.observables.kinematics import four_momenta
from glassjet.observables.lund import Emissions, density, primary_emissions, scalars
from glassjet.observables.soft_drop import soft_drop
from tests.observables import fastjet_oracle
from tests.observables.synthetic_jets import jets_from, random_lists

Array = NDArray[np.float64]
SIZES = [*range(1, 12), *([20, 50, 90] * 30)]


def history_of(lists: list[Array]) -> History:
    jets = jets_from(lists)
    return cluster(four_momenta(jets.constituents), jets.constituents.offsets, "ca")


def emissions_of(lists: list[Array]) -> Emissions:
    found = primary_emissions(history_of(lists))
    for column in (found.delta, found.kt, found.z, found.psi, found.ln_inverse_delta, found.ln_kt):
        assert np.isfinite(column).all()
        assert len(column) == found.offsets[-1]
    return found


def emissions_at(delta: list[float], kt: list[float], offsets: list[int]) -> Emissions:
    """Emissions of given angles and transverse momenta."""
    return Emissions(np.array(offsets), np.array(delta), np.array(kt), np.full(len(kt), 0.3), np.zeros(len(kt)))


def slow_emissions(jet: Array) -> list[tuple[float, float, float, float]]:
    """Delta, kt, z, psi from the formulae: constituents pT, eta, phi, clustered by trying all pairs."""

    def plane(p: Array) -> tuple[float, float, float]:
        return np.hypot(p[0], p[1]), 0.5 * np.log((p[3] + p[2]) / (p[3] - p[2])), np.arctan2(p[1], p[0])

    def step(a: Array, b: Array) -> tuple[float, float]:
        (_, y1, phi1), (_, y2, phi2) = plane(a), plane(b)
        return y2 - y1, np.angle(np.exp(1j * (phi2 - phi1)))

    objects: list[tuple[Array, list]] = [
        (np.array([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]), [])
        for pt, eta, phi in jet
    ]
    while len(objects) > 1:
        pairs = [(np.hypot(*step(objects[i][0], objects[j][0])), i, j) for i in range(len(objects)) for j in range(i)]
        _, i, j = min(pairs)
        two = [objects.pop(i), objects.pop(j)]
        objects.append((two[0][0] + two[1][0], two))
    found = []
    branch = objects[0]
    while branch[1]:
        hard, soft = sorted(branch[1], key=lambda one: -plane(one[0])[0])
        dy, dphi = step(hard[0], soft[0])
        pt_hard, pt_soft = plane(hard[0])[0], plane(soft[0])[0]
        delta = np.sqrt(dy**2 + dphi**2)
        found.append((delta, pt_soft * delta, pt_soft / (pt_soft + pt_hard), np.arctan2(dy, dphi)))
        branch = hard
    return found


def test_emissions_are_those_of_fastjet_contrib() -> None:
    lists = random_lists(SIZES)
    jets = jets_from(lists)
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    sequences = fastjet_oracle.clusters(momenta, offsets, fastjet_oracle.fastjet.cambridge_algorithm)
    expected = sequences.exclusive_jets_lund_declusterings(1)[:, 0]
    found = emissions_of(lists)
    assert np.diff(found.offsets).tolist() == [len(jet) for jet in expected.Delta]
    flat = {name: np.concatenate([np.asarray(jet) for jet in expected[name]]) for name in ("Delta", "kt")}
    np.testing.assert_allclose(found.delta, flat["Delta"], rtol=1e-9)
    np.testing.assert_allclose(found.kt, flat["kt"], rtol=1e-9)
    np.testing.assert_allclose(found.ln_inverse_delta, np.log(1 / flat["Delta"]), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.ln_kt, np.log(flat["kt"]), rtol=1e-9, atol=1e-9)


def test_emissions_are_those_of_a_slow_clustering() -> None:
    lists = random_lists([*range(1, 13)] * 3, seed=2)
    found = emissions_of(lists)
    for jet, constituents in enumerate(lists):
        own = slice(found.offsets[jet], found.offsets[jet + 1])
        columns = np.column_stack([found.delta, found.kt, found.z, found.psi])[own]
        np.testing.assert_allclose(columns, np.reshape(slow_emissions(constituents), (-1, 4)), rtol=1e-9, atol=1e-9)


def test_two_constituents_by_hand_across_phi_pi() -> None:
    """psi points from the harder one to the softer one, the short way around."""
    found = emissions_of([np.array([[10.0, 0.4, -3.1], [30.0, 0.1, 3.1]])])
    dphi = 2 * np.pi - 6.2
    delta = np.hypot(0.3, dphi)
    assert found.offsets.tolist() == [0, 1]
    assert found.delta[0] == pytest.approx(delta, rel=1e-12)
    assert found.kt[0] == pytest.approx(10 * delta, rel=1e-12)
    assert found.z[0] == pytest.approx(0.25, rel=1e-12)
    assert found.psi[0] == pytest.approx(np.arctan2(0.3, dphi), rel=1e-12)


def test_the_harder_branch_is_followed_from_wide_angles_inwards() -> None:
    """The softer prong's own splitting is not on the primary plane."""
    harder, softer = [[100.0, 0.0, 0.0], [8.0, 0.0, 0.1]], [[50.0, 1.0, 0.0], [20.0, 1.0, 0.2]]
    found = emissions_of([np.array([*harder, *softer])])
    assert found.offsets.tolist() == [0, 2]
    assert found.delta[0] > 0.9
    assert found.delta[1] == pytest.approx(0.1, rel=1e-12)
    assert found.kt[1] == pytest.approx(0.8, rel=1e-12)
    assert found.psi[1] == pytest.approx(0.0, abs=1e-12)


def test_the_first_hard_emission_is_what_soft_drop_finds() -> None:
    lists = random_lists(SIZES, seed=5)
    jets = jets_from(lists)
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    history = cluster(momenta, offsets, "ca")
    groomed, found = soft_drop(history, z_cut=0.1, beta=0.0), primary_emissions(history)
    first, second = (kinematics.sums(momenta, offsets, groomed.prong == k) for k in (1, 2))
    checked = 0
    for jet in range(len(lists)):
        own = slice(found.offsets[jet], found.offsets[jet + 1])
        hard = np.flatnonzero(found.z[own] > 0.1)
        assert bool(hard.size) == groomed.passed[jet]
        if hard.size:
            (pt1, y1, phi1), (pt2, y2, phi2) = kinematics.plane(np.stack([first[jet], second[jet]]))
            assert found.z[own][hard[0]] == pytest.approx(pt2 / (pt1 + pt2), rel=1e-9)
            distance = np.hypot(y1 - y2, np.angle(np.exp(1j * (phi1 - phi2))))
            assert found.delta[own][hard[0]] == pytest.approx(distance, rel=1e-9)
            checked += 1
    assert checked > 50


def test_a_collinear_splitting_changes_no_emission() -> None:
    lists = random_lists([*range(1, 9), *([30] * 30)], seed=6)
    split = [np.vstack([jet, jet[0]]) for jet in lists]
    for jet in split:
        jet[0, 0] *= 0.3
        jet[-1, 0] *= 0.7
    before, after = emissions_of(lists), emissions_of(split)
    assert after.offsets.tolist() == before.offsets.tolist()
    assert before.offsets[-1] > 100
    for name in ("delta", "kt", "z", "psi"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-9, atol=1e-9)


def test_a_soft_constituent_changes_no_emission_above_a_kt_cut() -> None:
    lists = random_lists([*range(1, 9), *([30] * 30)], seed=7)
    more = [np.vstack([jet, jet[0] + [0.0, 0.2, 0.3]]) for jet in lists]
    for jet in more:
        jet[-1, 0] = 1e-9
    before, after = emissions_of(lists), emissions_of(more)
    kept_before, kept_after = before.kt > 1e-3, after.kt > 1e-3
    assert kept_before.sum() > 100
    assert after.offsets[-1] > before.offsets[-1]
    for name in ("delta", "kt", "z", "psi"):
        found, expected = getattr(after, name)[kept_after], getattr(before, name)[kept_before]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_coinciding_constituents_are_no_emission() -> None:
    """Duplicated, collinear but for rounding, as close as 1e-9, or alone; a resolved pair is one."""
    one = [50.0, 1.3, 2.9]
    close, apart = [50.0, 1.3, 2.9 + 1e-9], [20.0, 1.3, 2.9 - 1e-5]
    lists = [[one], [one] * 2, [one] * 7, [one, [17.3, *one[1:]], [3.1, *one[1:]]], [one, close], [one, one, apart]]
    found = emissions_of([np.array(jet) for jet in lists])
    assert found.offsets.tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert found.delta[0] == pytest.approx(1e-5, rel=1e-6)
    for name, values in scalars(found).items():
        assert np.isfinite(values).all()
        assert values[:5].tolist() == [0.0] * 5, name


def test_a_branch_without_transverse_momentum_is_no_emission() -> None:
    """Two back-to-back constituents merge first; their sum has pT = 0, so kt = 0 has no logarithm."""
    pt, y = 5.0, 8.0
    momenta = np.array([[10, 0, 0, 10], [-10, 0, 0, 10], [pt, 0, pt * np.sinh(y), pt * np.cosh(y)]])
    history = cluster(momenta, np.array([0, 3]), "ca")
    assert history.nodes[3, 0] == 0.0
    assert primary_emissions(history).offsets.tolist() == [0, 0]


def test_no_jets() -> None:
    found = primary_emissions(cluster(np.empty((0, 4)), np.array([0]), "ca"))
    assert found.offsets.tolist() == [0]
    assert found.kt.shape == (0,)
    assert all(values.shape == (0,) for values in scalars(found).values())


def test_jets_do_not_know_of_each_other() -> None:
    lists = random_lists([1, 5, 40, 17, 2, 90], seed=8)
    together = emissions_of(lists)
    alone = [emissions_of([jet]) for jet in lists]
    for name in ("delta", "kt", "z", "psi"):
        assert getattr(together, name).tobytes() == b"".join(getattr(one, name).tobytes() for one in alone)


def test_scalars_are_those_of_a_slow_loop() -> None:
    found = emissions_of(random_lists(SIZES, seed=4))
    values = scalars(found)
    for jet in range(len(SIZES)):
        own = slice(found.offsets[jet], found.offsets[jet + 1])
        kt = found.kt[own]
        assert values["lund_multiplicity"][jet] == sum(one > 1.0 for one in kt)
        expected = (kt.max(), found.delta[own][kt.argmax()], found.z[own][kt.argmax()]) if kt.size else (0.0, 0.0, 0.0)
        assert tuple(values[name][jet] for name in ("lund_kt", "lund_delta", "lund_z")) == expected
    assert values["lund_multiplicity"].max() > 2
    assert scalars(found, kt_cut=1e9)["lund_multiplicity"].sum() == 0


def test_density_is_the_weighted_mean_over_jets() -> None:
    found = emissions_of(random_lists(SIZES, seed=9))
    weights = np.random.default_rng(1).uniform(0.2, 3.0, len(SIZES))
    x_edges, y_edges = np.array([0.5, 1.0, 2.0, 3.5]), np.array([-3.0, -1.0, 0.0, 0.5, 3.0])
    mean, error = density(found, weights, x_edges, y_edges)
    counts = np.stack(
        [
            np.histogram2d(found.ln_inverse_delta[a:b], found.ln_kt[a:b], (x_edges, y_edges))[0]
            for a, b in zip(found.offsets, found.offsets[1:], strict=False)
        ]
    )
    area = np.diff(x_edges)[:, None] * np.diff(y_edges)
    average = np.average(counts, axis=0, weights=weights)
    spread = np.sqrt(np.sum(weights[:, None, None] ** 2 * (counts - average) ** 2, axis=0)) / weights.sum()
    assert np.isfinite(mean).all()
    assert np.isfinite(error).all()
    assert counts.max() > 1
    np.testing.assert_allclose(mean, average / area, rtol=1e-12)
    np.testing.assert_allclose(error, spread / area, rtol=1e-9)
    equal = density(found, np.full(len(SIZES), 7.0), x_edges, y_edges)[1] * area
    np.testing.assert_allclose(equal, counts.std(axis=0) / np.sqrt(len(SIZES)), rtol=1e-9)


def test_the_error_counts_jets_not_emissions() -> None:
    """Three emissions each in two of four jets: 1.5 +- 0.75 a jet; six independent ones would give +- 0.61."""
    found = emissions_at([0.5] * 6, [2.0] * 6, [0, 3, 3, 6, 6])
    mean, error = density(found, np.ones(4), np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    assert mean.tolist() == [[0.75]]  # per area of 2
    assert error.tolist() == [[0.375]]
    certain = emissions_at([0.5] * 4, [2.0] * 4, [0, 1, 2, 3, 4])
    assert density(certain, np.array([1.0, 2.0, 0.3, 5.0]), np.array([0.0, 1.0]), np.array([0.0, 1.0]))[1][0, 0] == 0.0


def test_bins_hold_their_lower_edges_and_nothing_outside_is_counted() -> None:
    """Points on the lower corner, on the upper edges, and outside on either side."""
    delta, kt = [1.0, np.exp(-2.0), 1.0, 1.5, 1.0, 0.01], [1.0, 1.0, np.exp(3.0), 1.0, 0.9, 1.0]
    found = emissions_at(delta, kt, [0, 6])
    edges = -np.log(np.exp(-np.array([0.0, 1.0, 2.0]))), np.log(np.exp(np.array([0.0, 1.0, 2.0, 3.0])))
    mean, _ = density(found, np.ones(1), *edges)
    expected = np.zeros((2, 3))
    expected[0, 0] = 1
    np.testing.assert_allclose(mean, expected)


def test_density_without_weight_or_with_too_few_weights_is_refused() -> None:
    found = emissions_at([0.5], [2.0], [0, 1, 1])
    with pytest.raises(ValueError, match="1 weights for 2 jets"):
        density(found, np.array([1.0]), np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="sum to 0"):
        density(found, np.array([1.0, -1.0]), np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def test_density_needs_no_array_of_jets_times_bins() -> None:
    """20,000 jets and 40 x 40 bins: that array would take 256 MB."""
    generator = np.random.default_rng(2)
    number = 160_000
    columns = generator.uniform(0.01, 0.8, number), generator.uniform(0.1, 50.0, number)
    found = Emissions(np.arange(0, number + 1, 8), *columns, np.full(number, 0.2), np.zeros(number))
    edges = np.linspace(0.0, 4.0, 41)
    density(found, np.ones(20_000), edges, edges)  # compiled before it is watched
    tracemalloc.start()
    mean, error = density(found, np.ones(20_000), edges, edges)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    assert mean.shape == error.shape == (40, 40)
