"""Sums of constituents and distances against slow loops from the definitions."""

import math

import numpy as np
import pytest

from glassjet.jets.kinematics import delta_r, jets_of, pt_eta_phi, rapidity
from glassjet.jets.store import Ragged


def test_jets_are_the_sums_of_their_constituents() -> None:
    rng = np.random.default_rng(3)
    counts = [1, 5, 40]
    total = sum(counts)
    pt, eta, phi = rng.exponential(50, total), rng.normal(1, 0.3, total), rng.normal(3.1, 0.3, total)
    columns = {"pt": pt, "eta": eta, "phi": phi, "energy": np.hypot(pt * np.cosh(eta), 0.14)}
    offsets = np.concatenate([[0], np.cumsum(counts)])
    found = jets_of(Ragged(offsets, columns))
    for i in range(3):
        px = py = pz = energy = 0.0
        for k in range(offsets[i], offsets[i + 1]):
            px += pt[k] * math.cos(phi[k])
            py += pt[k] * math.sin(phi[k])
            pz += pt[k] * math.sinh(eta[k])
            energy += columns["energy"][k]
        momentum = math.sqrt(px * px + py * py + pz * pz)
        assert found["pt"][i] == pytest.approx(math.sqrt(px * px + py * py), rel=1e-12)
        assert found["eta"][i] == pytest.approx(0.5 * math.log((momentum + pz) / (momentum - pz)), rel=1e-10)
        assert found["phi"][i] == pytest.approx(math.atan2(py, px), rel=1e-12)
        assert found["mass"][i] == pytest.approx(math.sqrt(energy**2 - momentum**2), abs=1e-4)
    assert all(len(column) == 0 for column in jets_of(Ragged(np.zeros(1, np.int64), columns)).values())


def test_a_mass_that_rounding_makes_imaginary_is_zero() -> None:
    columns = {"pt": np.array([500.0]), "eta": np.array([0.0]), "phi": np.array([0.0]), "energy": np.array([499.99])}
    assert jets_of(Ragged(np.array([0, 1]), columns))["mass"].tolist() == [0.0]


def test_distances_wrap_and_rapidity_is_not_pseudorapidity() -> None:
    close = delta_r(np.zeros(2), np.array([3.1, -3.1]), np.zeros(2), np.array([-3.1, 3.1]))
    assert close == pytest.approx(2 * math.pi - 6.2)
    _, eta, _ = pt_eta_phi(np.array([3.0]), np.array([4.0]), np.array([5.0]))
    assert eta == pytest.approx(-math.log(math.tan(math.atan2(5.0, 5.0) / 2)))
    heavy = rapidity(np.array([20.0]), np.array([5.0]))
    assert heavy == pytest.approx(0.5 * math.log(25 / 15))
