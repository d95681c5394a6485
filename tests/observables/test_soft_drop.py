"""Soft drop against fastjet-contrib, and by hand."""

import numpy as np
import pytest

from glassjet.observables import kinematics
from glassjet.observables.clustering import cluster
from glassjet.observables.compute import observe
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
    mass, expected_mass = kinematics.mass(groomed.subjets.sum(axis=1)), np.abs(expected.msoftdrop)
    heavy = mass > 1.0  # the squared masses carry the rounding of E^2, 1e-16 of (100 GeV)^2 and more
    np.testing.assert_allclose(mass[heavy], expected_mass[heavy], rtol=1e-9)
    np.testing.assert_allclose(mass, expected_mass, atol=1e-3)
    np.testing.assert_allclose(kinematics.mass(whole), mass, rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(kinematics.transverse_momentum(whole), expected.ptsoftdrop, rtol=1e-9)
    np.testing.assert_allclose(kinematics.pseudorapidity(whole), expected.etasoftdrop, rtol=1e-9, atol=1e-9)
    kept = np.add.reduceat((groomed.prong > 0).astype(int), offsets[:-1])
    assert kept.tolist() == [len(jet) for jet in expected.constituents.px]
    np.testing.assert_allclose(
        groomed.z[groomed.passed], np.asarray(expected.symmetrysoftdrop)[groomed.passed], rtol=1e-9
    )
    np.testing.assert_allclose(
        groomed.delta_r[groomed.passed], np.asarray(expected.deltaRsoftdrop)[groomed.passed], rtol=1e-9
    )
    assert (groomed.z[~groomed.passed] == 0).all()
    assert (groomed.delta_r[~groomed.passed] == 0).all()
    for k in (0, 1):
        np.testing.assert_allclose(groomed.subjets[:, k], kinematics.sums(momenta, offsets, groomed.prong == k + 1))
    assert groomed.passed.any()


def test_the_jets_radius_is_r0() -> None:
    """z = 0.2 at Delta R = 0.4: (Delta R / R0)^2 is 1/4 for R0 = 0.8 and 1 for R0 = 0.4."""
    jets = jets_from([np.array([[80.0, 0.0, 0.0], [20.0, 0.4, 0.0]])])
    names = ["zg_softdrop_z03_b20", "rg_softdrop_z03_b20"]
    wide, narrow = (observe(jets, names, radius)[names].to_numpy()[0] for radius in (0.8, 0.4))
    np.testing.assert_allclose(wide, [0.2, 0.4], rtol=1e-12)
    assert narrow.tolist() == [0.0, 0.0]


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
