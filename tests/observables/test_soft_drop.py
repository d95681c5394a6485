"""Soft drop against fastjet-contrib, and by hand."""

import numpy as np
import pytest

from glassjet.observables import kinematics
from glassjet.observables.clustering import cluster
from glassjet.observables.kinematics import four_momenta
from glassjet.observables.soft_drop import Groomed, soft_drop
from tests.observables import fastjet_oracle
from tests.observables.synthetic_jets import jets_from, random_lists


def groom(lists: list[np.ndarray], z_cut: float = 0.1, beta: float = 0.0) -> Groomed:
    jets = jets_from(lists)
    return soft_drop(cluster(four_momenta(jets.constituents), jets.constituents.offsets, "ca"), z_cut, beta)


@pytest.mark.parametrize(("z_cut", "beta"), [(0.1, 0.0), (0.3, 0.0), (0.1, 1.0), (0.2, 2.0)])
def test_soft_drop_is_that_of_fastjet_contrib(z_cut: float, beta: float) -> None:
    lists = random_lists([1, 2, 3, 5, 8] * 10 + [20, 50, 90] * 30)
    jets = jets_from(lists)
    momenta, offsets = four_momenta(jets.constituents), jets.constituents.offsets
    groomed = groom(lists, z_cut, beta)
    expected = fastjet_oracle.soft_drop(momenta, offsets, z_cut, beta)
    whole = kinematics.sums(momenta, offsets, groomed.prong > 0)
    # the squared masses carry the rounding of E^2, 1e-16 of (100 GeV)^2 and more
    np.testing.assert_allclose(kinematics.mass(whole), np.abs(expected.msoftdrop), rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(kinematics.transverse_momentum(whole), expected.ptsoftdrop, rtol=1e-9)
    np.testing.assert_allclose(kinematics.pseudorapidity(whole), expected.etasoftdrop, rtol=1e-9, atol=1e-9)
    kept = np.add.reduceat((groomed.prong > 0).astype(int), offsets[:-1])
    assert kept.tolist() == [len(jet) for jet in expected.constituents.px]
    first, second = (
        kinematics.plane(kinematics.sums(momenta, offsets, groomed.prong == k)[groomed.passed]) for k in (1, 2)
    )
    z = second[:, 0] / (first[:, 0] + second[:, 0])
    np.testing.assert_allclose(z, np.asarray(expected.symmetrysoftdrop)[groomed.passed], rtol=1e-9)
    separation = np.hypot(first[:, 1] - second[:, 1], kinematics.wrapped(first[:, 2] - second[:, 2]))
    np.testing.assert_allclose(separation, np.asarray(expected.deltaRsoftdrop)[groomed.passed], rtol=1e-9)
    assert groomed.passed.any()


def test_a_soft_wide_constituent_is_dropped_and_two_prongs_stay() -> None:
    groomed = groom([np.array([[100.0, 0.0, 0.0], [50.0, 0.2, 0.0], [5.0, 0.0, 0.7]])])
    assert groomed.prong.tolist() == [1, 2, 0]
    assert groomed.passed.tolist() == [True]


def test_a_balanced_wide_splitting_keeps_what_is_soft_within_a_prong() -> None:
    groomed = groom([np.array([[100.0, 0.0, 0.0], [80.0, 0.6, 0.0], [1.0, 0.05, 0.0]])])
    assert groomed.prong.tolist() == [1, 2, 1]


def test_the_last_prong_is_left_if_no_splitting_passes() -> None:
    groomed = groom([np.array([[100.0, 0.0, 0.0], [5.0, 0.2, 0.0], [4.0, 0.0, 0.7]]), np.array([[7.0, 0.0, 0.0]])])
    assert groomed.prong.tolist() == [1, 0, 0, 1]
    assert groomed.passed.tolist() == [False, False]


def test_the_condition_is_strict() -> None:
    """z = 0.1 exactly does not pass z_cut = 0.1: FastJet keeps only z above it."""
    below, above = ([np.array([[9.0, 0.0, 0.0], [pt, 0.2, 0.0]])] for pt in (0.999, 1.001))
    assert not groom(below).passed[0]
    assert groom(above).passed[0]
