"""The toy model: every distribution is the stated one, jets are sums of massless particles, theta separates as it must.

Seeds are fixed, so a test passes always or never. All tests of distributions together, about thirty, would fail by
chance with 0.3%: each p-value must be above 1e-4.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from glassjet.errors import InputError
from glassjet.jets import store, toy
from glassjet.jets.kinematics import Array
from glassjet.jets.store import Jets

SIGNIFICANCE = 1e-4
SAMPLES = [(label, overlap) for label in (0, 1) for overlap in toy.WIDTHS]


def jets(label: int, overlap: int, n: int = 20000, seed: int = 3) -> Jets:
    return toy.toy_jets(label, overlap, n, np.random.default_rng([seed, label, overlap]))


def drawn(label: int, overlap: int, which: int) -> stats.rv_continuous:
    """What theta (0) or z (1) is before it is wrapped."""
    width = toy.WIDTHS[overlap][1 - label][which]
    return stats.norm((0.2, 0.5)[which], width) if label else stats.expon(scale=width)


def wrapped(cdf: Callable[[Array], Array], period: float) -> Callable[[Array], Array]:
    """The cumulative distribution modulo `period`, from the sum over the periods that can matter."""
    return lambda x: np.sum([cdf(k * period + x) - cdf(np.array(k * period)) for k in range(-4, 12)], axis=0)


@pytest.mark.parametrize(("label", "overlap"), SAMPLES)
def test_theta_z_and_radii_are_distributed_as_stated(label: int, overlap: int) -> None:
    columns = jets(label, overlap).columns
    theta = wrapped(drawn(label, overlap, 0).cdf, 0.5)
    z = wrapped(drawn(label, overlap, 1).cdf, 1.0)
    expected = {
        "toy_theta": theta,
        "toy_z": lambda x: z(x) - z(1 - x),  # of max(z, 1 - z)
        "toy_r1": stats.uniform(0.25, 0.25).cdf,
        "toy_r2": stats.uniform(0.25, 0.25).cdf,
    }
    for name, cdf in expected.items():
        assert stats.kstest(columns[name], cdf).pvalue > SIGNIFICANCE, name
    assert abs(stats.pearsonr(columns["toy_theta"], columns["toy_z"]).statistic) < 4 / math.sqrt(20000)
    assert columns["toy_z"].min() >= 0.5


def test_values_that_leave_the_range_return_from_its_other_end() -> None:
    columns = jets(0, 2, 200000).columns
    assert columns["toy_theta"].min() >= 0
    assert columns["toy_theta"].max() < 0.5
    # max(z, 1 - z) of an unwrapped z would exceed 1 in exp(-1 / 0.15) = 0.13% of the jets
    assert columns["toy_z"].max() <= 1


def test_particles_of_a_subjet_are_distributed_as_stated() -> None:
    rng = np.random.default_rng(5)
    radius = rng.uniform(0.25, 0.5, 20000)
    share, eta, phi = toy.subjet(radius, rng)
    assert share.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert (np.diff(share, axis=1) <= 0).all()
    one = np.arange(len(share)), rng.integers(0, 10, len(share))  # of each subjet one particle: independent draws
    # normalised exponential draws are uniform on the simplex, so each of ten is Beta(1, 9)
    assert stats.kstest(share[one], stats.beta(1, 9).cdf).pvalue > SIGNIFICANCE
    # an exponential modulo r is one that is cut off at r, for it has no memory
    distance = np.hypot(eta, phi)[one]
    quantile = np.expm1(-distance / 0.5) / np.expm1(-radius / 0.5)
    assert stats.kstest(quantile, stats.uniform.cdf).pvalue > SIGNIFICANCE
    azimuth = np.arctan2(phi, eta)[one]
    assert stats.kstest(azimuth, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("label", [0, 1])
def test_a_jet_is_its_two_subjets(label: int) -> None:
    made = toy.toy_jets(label, 1, 500, np.random.default_rng(8))
    rng = np.random.default_rng(8)
    truth = toy.truth(label, 1, 500, rng)
    first, second = toy.subjet(truth["toy_r1"], rng), toy.subjet(truth["toy_r2"], rng)
    for i in range(500):
        z, theta = truth["toy_z"][i], truth["toy_theta"][i]
        particles = [(1000 * z * s[i, k], x[i, k], y[i, k]) for s, x, y in [first] for k in range(10)]
        particles += [(1000 * (1 - z) * s[i, k], x[i, k], y[i, k] - theta) for s, x, y in [second] for k in range(10)]
        assert sum(p[0] for p in particles[:10]) == pytest.approx(1000 * z)
        assert sum(p[0] for p in particles[10:]) == pytest.approx(1000 * (1 - z))
        particles.sort(key=lambda p: -p[0])
        stored = np.stack([made.constituents.columns[name][20 * i : 20 * i + 20] for name in ("pt", "eta", "phi")], 1)
        assert stored == pytest.approx(np.array(particles), rel=1e-6, abs=1e-7)
        px = sum(pt * math.cos(phi) for pt, _, phi in particles)
        py = sum(pt * math.sin(phi) for pt, _, phi in particles)
        assert made.columns["pt"][i] == pytest.approx(math.hypot(px, py), rel=1e-5)
        axes = [made.partons.columns[name][2 * i : 2 * i + 2] for name in ("pt", "eta", "phi", "energy", "pdgid")]
        assert axes[0] == pytest.approx([1000 * z, 1000 * (1 - z)], rel=1e-6)
        assert axes[2] == pytest.approx([0, -theta], rel=1e-6)
        assert axes[0].tolist() == axes[3].tolist()
        assert axes[1].tolist() == axes[4].tolist() == [0, 0]


@pytest.mark.parametrize(("label", "overlap"), SAMPLES)
def test_jets_are_such_as_the_store_takes(label: int, overlap: int, tmp_path: Path) -> None:
    made = jets(label, overlap, 2000)
    store.check(made, Path("toy"))
    particle = {name: column.astype(np.float64) for name, column in made.constituents.columns.items()}
    assert particle["energy"] == pytest.approx(particle["pt"] * np.cosh(particle["eta"]), rel=3e-7)
    assert particle["pt"].reshape(-1, 20).sum(axis=1) == pytest.approx(1000, rel=1e-6)
    assert (np.diff(particle["pt"].reshape(-1, 20), axis=1) <= 0).all()
    assert made.columns["label"].tolist() == [label] * 2000
    assert made.columns["event"].tolist() == list(range(2000))
    assert (made.columns["weight"] == 1).all()
    assert made.columns["mass"].min() > 0
    with store.writing(tmp_path / "toy.h5", {}, "{}") as writer:
        writer.append(made)
    assert store.read(tmp_path / "toy.h5").columns["toy_z"].tolist() == made.columns["toy_z"].tolist()


@pytest.mark.parametrize("overlap", list(toy.WIDTHS))
def test_theta_alone_separates_as_the_densities_say(overlap: int) -> None:
    n = 50000
    signal, background = (jets(label, overlap, n).columns["toy_theta"] for label in (1, 0))
    auc = stats.mannwhitneyu(signal, background).statistic / n**2
    below = wrapped(drawn(0, overlap, 0).cdf, 0.5)
    density = lambda x: sum(drawn(1, overlap, 0).pdf(x + k * 0.5) for k in range(-2, 3))  # noqa: E731
    expected = integrate.quad(lambda x: density(x) * below(np.array(x)), 0, 0.5, points=[0.2], epsabs=1e-10)[0]
    print(f"overlap {overlap}: AUC of theta alone {auc:.6f}, from the densities {expected:.6f}")
    assert abs(auc - expected) < 4 * math.sqrt(expected * (1 - expected) / n)  # the variance is at most that
    # unwrapped, 1 - AUC is the mean of exp(-theta / s) over N(0.2, s), which is exp(1/2 - 0.2 / s)
    by_hand = math.exp(0.5 - 0.2 / toy.WIDTHS[overlap][1][0])
    assert 1 - expected == pytest.approx(by_hand, rel=0.03)
    assert auc > 0.95


def test_equal_seeds_give_equal_jets_and_others_do_not() -> None:
    one, same, other = jets(1, 1, 50), jets(1, 1, 50), jets(1, 1, 50, seed=4)
    for a, b in ((one.columns, same.columns), (one.constituents.columns, same.constituents.columns)):
        assert all(a[name].tobytes() == b[name].tobytes() for name in a)
    assert not np.isin(one.constituents.columns["pt"], other.constituents.columns["pt"]).any()
    assert len(jets(1, 1, 0)) == 0


def test_an_unknown_overlap_is_named() -> None:
    with pytest.raises(InputError, match=r"--overlap 3: .* 0, 1, 2"):
        jets(1, 3, 5)
