"""Jet pull (arXiv:1001.5027): where the constituents of a subjet lean, seen from the direction of the other subjet."""

import numpy as np

from glassjet.observables.kinematics import Floats, Integers, sums, wrapped
from glassjet.observables.kinematics import plane as plane_of
from glassjet.observables.soft_drop import Groomed


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
    # A lone constituent lies on its axis but for rounding: its pull is exactly nothing.
    alone = np.bincount(jet, minlength=len(angle))[jet] == 1
    weight[alone] = 0.0
    pull_y = np.bincount(jet, weight * dy, len(angle))[two]
    pull_phi = np.bincount(jet, weight * dphi, len(angle))[two]
    to_y, to_phi = other[:, 1] - axis[two, 1], wrapped(other[:, 2] - axis[two, 2])
    cross, dot = pull_y * to_phi - pull_phi * to_y, pull_y * to_y + pull_phi * to_phi
    angle[two] = np.abs(np.arctan2(cross, dot))
    return angle
