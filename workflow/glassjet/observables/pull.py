"""Jet pull (arXiv:1001.5027): where the constituents lean, of a whole jet or of a subjet towards the other subjet."""

import numpy as np

from glassjet.observables.kinematics import Floats, Integers, sums, wrapped
from glassjet.observables.kinematics import plane as plane_of
from glassjet.observables.soft_drop import Groomed

ARM_MIN = 1e-5  # what the store's float32 energies leave of the distance between collinear constituents in y, |eta| < 3


def pull_angle(momenta: Floats, offsets: Integers, groomed: Groomed) -> Floats:
    """|Angle| (n,) in [0, pi] between the pull of the harder subjet and the direction to the other one.

    The pull vector is sum_i pT_i r_i (Delta y, Delta phi)_i over the constituents of the harder soft-drop subjet,
    relative to its axis, with r_i the length of (Delta y, Delta phi)_i. The angle is 0 where no splitting passed, and
    where the pull vanishes (a subjet of one constituent).

    Parameters
    ----------
    momenta : array (N, 4)
        px, py, pz, E (GeV) of all constituents; pT > 0.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    groomed : Groomed
        Which constituents belong to which subjet.
    """
    angle = np.zeros(len(offsets) - 1)
    two = groomed.passed
    if not two.any():
        return angle
    kept = groomed.prong == 1
    jet = np.repeat(np.arange(len(angle)), np.diff(offsets))[kept]
    axis = plane_of(sums(momenta, offsets, kept))
    other = plane_of(sums(momenta, offsets, groomed.prong == 2)[two])
    points = plane_of(momenta[kept])
    dy, dphi = points[:, 1] - axis[jet, 1], wrapped(points[:, 2] - axis[jet, 2])
    weight = points[:, 0] * np.hypot(dy, dphi)
    pull_y, pull_phi, arm = (
        np.bincount(jet, values, len(angle))[two] for values in (weight * dy, weight * dphi, weight)
    )
    to_y, to_phi = other[:, 1] - axis[two, 1], wrapped(other[:, 2] - axis[two, 2])
    cross, dot = pull_y * to_phi - pull_phi * to_y, pull_y * to_y + pull_phi * to_phi
    pulled = np.hypot(pull_y, pull_phi) > ARM_MIN * arm  # one constituent, or collinear ones, pull by rounding alone
    angle[two] = np.where(pulled, np.abs(np.arctan2(cross, dot)), 0.0)
    return angle


def pull_vector(points: Floats, offsets: Integers, jets: Floats) -> tuple[Floats, Floats]:
    """|t| and theta_t of the pull vector of each whole jet, two arrays (n,), without units and in rad.

    t = sum_i pT_i |r_i| r_i / pT_jet with r_i = (Delta y, Delta phi)_i from the jet's axis. theta_t is in [-pi, pi],
    0 where t points to larger rapidity and pi/2 where it points to larger azimuth. Where t is nothing but rounding,
    |t| <= 1e-5 sum_i pT_i |r_i| / pT_jet, both are 0: one constituent, collinear ones, pulls that cancel.

    Parameters
    ----------
    points : array (N, 3)
        pT (GeV), y, phi of all constituents, from `kinematics.plane`.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    jets : array (n, 3)
        The same of the sum of each jet's four-momenta.
    """
    n = len(jets)
    jet = np.repeat(np.arange(n), np.diff(offsets))
    dy, dphi = points[:, 1] - jets[jet, 1], wrapped(points[:, 2] - jets[jet, 2])
    weight = points[:, 0] * np.hypot(dy, dphi)
    t_y, t_phi, arm = (np.bincount(jet, values, n) / jets[:, 0] for values in (weight * dy, weight * dphi, weight))
    magnitude = np.hypot(t_y, t_phi)
    pulled = magnitude > ARM_MIN * arm
    return np.where(pulled, magnitude, 0.0), np.where(pulled, np.arctan2(t_phi, t_y), 0.0)
