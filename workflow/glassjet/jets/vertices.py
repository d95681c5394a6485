"""Secondary vertices of jets, found from the measured tracks alone; no truth enters.

The way of CMS's inclusive vertex finder (arXiv:1712.07158), made small: pairs of displaced tracks are fitted; the pair
that most other tracks agree with is the first seed; tracks join it one by one, those that fit badly leave; what passes
the cuts is a vertex, and its tracks are taken. Then the next seed, among the tracks that are left.

The fit is that of Billoir and Qian, NIM A311 (1992) 139, with the directions and curvatures of the tracks kept fixed,
since they are exact here (`tracks`). A vertex v minimises, by Gauss-Newton,

    chi2(v) = sum over tracks of (D(v) / sigma_d0)^2 + (Z(v) / sigma_z0)^2,

D and Z being the transverse and the longitudinal impact parameter of the track's helix with respect to v: the distance
of closest approach in the transverse plane, and the distance in z there. With A = sum of J^T W J, J the gradients of D
and Z and W their weights, the covariance of v is 1/A. The primary vertex is the origin, without an error. Lengths in
mm, momenta in GeV.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from glassjet.jets.store import Ragged
from glassjet.jets.tracks import Tracks

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Chosen on b and light jets of Pythia, pT > 200 GeV: 78% and 2% have a vertex (SEED_SIGNIFICANCE 2: 80% and 7%)
SEED_SIGNIFICANCE = 2.5  # of a track of a seed: sqrt((d0/sigma)^2 + (z0/sigma)^2) above this; 4.4% of prompt tracks
SEED_CHI2 = 6.0  # of a pair, one degree of freedom: 1.4% of true pairs fail
TRACK_CHI2 = 9.0  # of a track and a vertex, two impact parameters: 1.1% of true tracks fail
PRIOR = 2.0  # chi2 with the primary vertex must be worse by it: 2 ln(prompt tracks / tracks of a decay), some 3 to 1
SIGNIFICANCE = 3.0  # d3d over its error; cmssw's vertexCuts_cfi: 3, of dxy
MASS_MAX = 6.5  # GeV, above the b hadrons; cmssw's vertexCuts_cfi
K0S_WINDOW = 0.05  # GeV; cmssw's vertexCuts_cfi
K0S_MASS, PION_MASS = 0.497611, 0.13957039  # GeV, PDG
STEPS = 20  # of Gauss-Newton; a fit needs 3 or 4
CONVERGED = 1e-8  # the step that changes chi2 by less is the last
FAR = 1000.0  # mm; a fit that leaves the tracker has failed

MOMENTUM = ("pt", "eta", "phi", "energy", "mass", "tracks", "chi2_ndf")
COLUMNS = (*MOMENTUM, "x", "y", "z", "dxy", "dxy_error", "d3d", "d3d_error", "cos_theta")
MASS, TRACKS, DXY, D3D, D3D_ERROR = 4, 5, 10, 12, 13  # places of some of them
D0, Z0, D0_ERROR, Z0_ERROR, COS, SIN, COT, CURVATURE, PT, CHARGE = range(10)  # columns of an array of tracks


@njit(cache=True)
def _product(a: Floats, b: Floats, c: Floats) -> float:
    """a^T C b in three dimensions; numba's @ calls BLAS, which is slower here."""
    total = 0.0
    for i in range(3):
        total += a[i] * (c[i, 0] * b[0] + c[i, 1] * b[1] + c[i, 2] * b[2])
    return total


@njit(cache=True)
def _inverse(a: Floats, out: Floats) -> bool:
    """The inverse of a symmetric positive definite 3x3 matrix; False if it is singular but for rounding."""
    xx = a[1, 1] * a[2, 2] - a[1, 2] ** 2
    xy = a[0, 2] * a[1, 2] - a[0, 1] * a[2, 2]
    xz = a[0, 1] * a[1, 2] - a[0, 2] * a[1, 1]
    determinant = a[0, 0] * xx + a[0, 1] * xy + a[0, 2] * xz
    if not determinant > 1e-12 * a[0, 0] * a[1, 1] * a[2, 2]:
        return False
    out[0, 0] = xx / determinant
    out[0, 1] = out[1, 0] = xy / determinant
    out[0, 2] = out[2, 0] = xz / determinant
    out[1, 1] = (a[0, 0] * a[2, 2] - a[0, 2] ** 2) / determinant
    out[1, 2] = out[2, 1] = (a[0, 1] * a[0, 2] - a[0, 0] * a[1, 2]) / determinant
    out[2, 2] = (a[0, 0] * a[1, 1] - a[0, 1] ** 2) / determinant
    return True


@njit(cache=True)
def _residuals(track: Floats, point: Floats, to_d: Floats, to_z: Floats) -> tuple[float, float]:
    """D and Z of a helix with respect to a point, and their gradients into `to_d` and `to_z`.

    As `tracks.perigee`, with the perigee in place of the production vertex and the point in place of the origin. With
    phi the azimuth of the helix at its closest approach and k its curvature, the gradients are (sin(phi), -cos(phi), 0)
    and (cot cos(phi) / (1 + k D), cot sin(phi) / (1 + k D), -1), both exact.
    """
    cos, sin, cot, curvature = track[COS], track[SIN], track[COT], track[CURVATURE]
    along = -(cos * point[0] + sin * point[1])
    left = track[D0] + sin * point[0] - cos * point[1]
    w = curvature * (along * along + left * left) + 2.0 * left
    stretch = math.sqrt(max(1.0 + curvature * w, 1e-12))  # = 1 + k D; 0 in the centre of the circle
    path = -along if curvature == 0.0 else -math.atan2(curvature * along, 1.0 + curvature * left) / curvature
    cos_turn, sin_turn = (1.0 + curvature * left) / stretch, -curvature * along / stretch
    cos, sin = cos * cos_turn - sin * sin_turn, sin * cos_turn + cos * sin_turn
    to_d[0], to_d[1], to_d[2] = sin, -cos, 0.0
    to_z[0], to_z[1], to_z[2] = cot * cos / stretch, cot * sin / stretch, -1.0
    return w / (1.0 + stretch), track[Z0] + path * cot - point[2]


@njit(cache=True)
def _fit(tracks: Floats, members: Integers, point: Floats, covariance: Floats) -> float:
    """Fit a vertex to the tracks `members`, from `point` on, which becomes it; its chi2, infinity if that fails."""
    normal, gradient, to_d, to_z = np.empty((3, 3)), np.empty(3), np.empty(3), np.empty(3)
    for _ in range(STEPS):
        normal[:], gradient[:] = 0.0, 0.0
        chi2 = 0.0
        for i in members:
            d, z = _residuals(tracks[i], point, to_d, to_z)
            weight_d, weight_z = 1.0 / tracks[i, D0_ERROR] ** 2, 1.0 / tracks[i, Z0_ERROR] ** 2
            chi2 += weight_d * d * d + weight_z * z * z
            for a in range(3):
                gradient[a] += weight_d * d * to_d[a] + weight_z * z * to_z[a]
                for b in range(3):
                    normal[a, b] += weight_d * to_d[a] * to_d[b] + weight_z * to_z[a] * to_z[b]
        if not _inverse(normal, covariance):
            return np.inf
        for a in range(3):
            point[a] -= covariance[a, 0] * gradient[0] + covariance[a, 1] * gradient[1] + covariance[a, 2] * gradient[2]
        if not np.abs(point).max() < FAR:
            return np.inf
        change = _product(gradient, gradient, covariance)  # of chi2, were it a parabola
        if change < CONVERGED:
            return max(chi2 - change, 0.0)
    return np.inf


@njit(cache=True)
def _distance(track: Floats, point: Floats, covariance: Floats) -> float:
    """chi2 (two degrees of freedom) of the distance of a track from a vertex that was fitted without it."""
    to_d, to_z = np.empty(3), np.empty(3)
    d, z = _residuals(track, point, to_d, to_z)
    dd = track[D0_ERROR] ** 2 + _product(to_d, to_d, covariance)
    dz = _product(to_d, to_z, covariance)
    zz = track[Z0_ERROR] ** 2 + _product(to_z, to_z, covariance)
    return (zz * d * d - 2.0 * dz * d * z + dd * z * z) / (dd * zz - dz * dz)


@njit(cache=True)
def _seeds(
    tracks: Floats, displaced: Integers, limit: Floats, axis: Floats, radius_max: float
) -> tuple[Integers, Floats, Floats]:
    """Pairs of displaced tracks that meet downstream: the pairs (s, 2), how well others agree (s,), where (s, 3)."""
    most = len(displaced) * (len(displaced) - 1) // 2
    pairs, score, points = np.empty((most, 2), np.int64), np.zeros(most), np.zeros((most, 3))
    covariance = np.empty((3, 3))
    count = 0
    for first in range(len(displaced)):
        for second in range(first + 1, len(displaced)):
            pair, point = pairs[count], points[count]
            pair[0], pair[1] = displaced[first], displaced[second]
            point[:] = 0.0
            if not _fit(tracks, pair, point, covariance) < SEED_CHI2:
                continue
            if math.hypot(point[0], point[1]) > radius_max or (point * axis).sum() <= 0.0:
                continue
            for other in range(len(tracks)):
                distance = _distance(tracks[other], point, covariance)
                if distance < limit[other]:
                    score[count] += 1.0 - distance / TRACK_CHI2
            count += 1
    return pairs[:count], score[:count], points[:count]


@njit(cache=True)
def _grow(
    tracks: Floats, limit: Floats, free: NDArray[np.bool_], pair: Integers, point: Floats, covariance: Floats
) -> tuple[Integers, float]:
    """The vertex that a seed grows into, at `point`: its tracks, and its chi2, infinity if there is none.

    A free track joins if its chi2 with this vertex is below its limit, the best one first; each time all are fitted
    again. Then the worst one leaves until all fit.
    """
    to_d, to_z = np.empty(3), np.empty(3)
    inside = np.zeros(len(tracks), np.bool_)
    inside[pair] = True
    chi2 = _fit(tracks, pair, point, covariance)
    while chi2 < np.inf:
        best, nearest = -1, np.inf
        for i in np.flatnonzero(free & ~inside):
            distance = _distance(tracks[i], point, covariance)
            if distance < min(nearest, limit[i]):
                best, nearest = int(i), distance
        if best < 0:
            break
        inside[best] = True
        chi2 = _fit(tracks, np.flatnonzero(inside), point, covariance)
    while chi2 < np.inf and inside.sum() > 2:
        worst, farthest = -1, TRACK_CHI2
        for i in np.flatnonzero(inside):
            d, z = _residuals(tracks[i], point, to_d, to_z)
            distance = (d / tracks[i, D0_ERROR]) ** 2 + (z / tracks[i, Z0_ERROR]) ** 2
            if distance > farthest:
                worst, farthest = int(i), distance
        if worst < 0:
            break
        inside[worst] = False
        chi2 = _fit(tracks, np.flatnonzero(inside), point, covariance)
    return np.flatnonzero(inside), chi2


@njit(cache=True)
def _describe(tracks: Floats, members: Integers, chi2: float, point: Floats, covariance: Floats, out: Floats) -> bool:
    """Fill `out` with the COLUMNS of a vertex; False if it has no direction: on the beam line, or without pT."""
    to_d, to_z = np.empty(3), np.empty(3)
    px = py = pz = energy = 0.0
    for i in members:
        _residuals(tracks[i], point, to_d, to_z)
        pt, cot = tracks[i, PT], tracks[i, COT]
        px, py, pz = px - pt * to_d[1], py + pt * to_d[0], pz + pt * cot
        energy += math.sqrt(pt**2 * (1.0 + cot**2) + PION_MASS**2)
    pt, dxy, d3d = math.hypot(px, py), math.hypot(point[0], point[1]), math.sqrt((point**2).sum())
    if dxy == 0.0 or pt == 0.0:
        return False
    along = point / d3d
    across = np.array([point[0] / dxy, point[1] / dxy, 0.0])
    mass = math.sqrt(max(energy**2 - pt**2 - pz**2, 0.0))
    out[:5] = pt, math.asinh(pz / pt), math.atan2(py, px), energy, mass
    out[5:7] = float(len(members)), chi2 / (2 * len(members) - 3)
    out[7:10] = point
    out[10:12] = dxy, math.sqrt(_product(across, across, covariance))
    out[12:14] = d3d, math.sqrt(_product(along, along, covariance))
    out[14] = (px * along[0] + py * along[1] + pz * along[2]) / math.hypot(pt, pz)
    return True


@njit(cache=True)
def _find(
    tracks: Floats, offsets: Integers, axes: Floats, radius_max: float, room: Integers, out: Floats, found: Integers
) -> None:
    """The vertices of each jet, into the rows of `out` from room[jet] on; how many, into found[jet]."""
    point, covariance = np.empty(3), np.empty((3, 3))
    for jet in range(len(offsets) - 1):
        own = tracks[offsets[jet] : offsets[jet + 1]]
        primary = (own[:, D0] / own[:, D0_ERROR]) ** 2 + (own[:, Z0] / own[:, Z0_ERROR]) ** 2
        displaced = np.flatnonzero(primary > SEED_SIGNIFICANCE**2)
        limit = np.minimum(primary - PRIOR, TRACK_CHI2)  # nearer to the secondary vertex than to the primary one
        free = np.ones(len(own), np.bool_)
        pairs, score, points = _seeds(own, displaced, limit, axes[jet], radius_max)
        for seed in np.argsort(-score, kind="mergesort"):
            if not free[pairs[seed]].all():
                continue
            point[:] = points[seed]
            members, chi2 = _grow(own, limit, free, pairs[seed], point, covariance)
            vertex = out[room[jet] + found[jet]]
            if chi2 == np.inf or not _describe(own, members, chi2, point, covariance, vertex):
                continue
            downstream = (point * axes[jet]).sum() > 0.0 and vertex[DXY] < radius_max
            if not (downstream and vertex[D3D] > SIGNIFICANCE * vertex[D3D_ERROR] and vertex[MASS] < MASS_MAX):
                continue
            free[members] = False
            neutral = len(members) == 2 and own[members, CHARGE].sum() == 0.0
            if not (neutral and abs(vertex[MASS] - K0S_MASS) < K0S_WINDOW):
                found[jet] += 1


def find(tracks: Tracks, offsets: Integers, axes: Floats, radius_max: float) -> Ragged:
    """The secondary vertices of each jet, those of highest d3d / d3d_error first.

    At least two tracks meet, downstream along the jet, less than radius_max from the beam line and more than three
    standard errors from the primary vertex, with a mass below that of b hadrons. Two tracks of opposite charge with the
    mass of a K0S are none: those are in all jets and fly as far as b hadrons. The order of the tracks does not matter.

    Parameters
    ----------
    tracks : Tracks
        Of the particles of n jets, one jet behind the other; particles without a track are passed over.
    offsets : (n + 1,)
        Jet i owns the entries offsets[i]:offsets[i + 1].
    axes : (3, n)
        px, py, pz of the jets; only the direction counts.
    radius_max : float
        mm, see `TrackSettings`.

    Returns
    -------
    Ragged
        pt, eta, phi, energy, mass (GeV) of the sum of the tracks' momenta at the vertex, every track a pion; tracks,
        their number; chi2_ndf, with 2 tracks - 3 degrees of freedom; x, y, z (mm); dxy and d3d, its distances from the
        beam line and from the primary vertex, with their errors (mm); cos_theta, the cosine of the angle between flight
        and momentum. All 14 sv features of arXiv:2211.12770 follow from them.
    """
    jets = len(offsets) - 1
    owner = np.repeat(np.arange(jets), np.diff(offsets))
    # an order of its own makes sums the same to the last bit however the tracks came
    order = np.lexsort((tracks.z0, tracks.d0, tracks.phi0, -tracks.pt, owner))
    order = order[tracks.d0_error[order] > 0]
    counts = np.bincount(owner[order], minlength=jets)
    starts, room = (np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64) for sizes in (counts, counts // 2 + 1))
    helix = (tracks.d0, tracks.z0, tracks.d0_error, tracks.z0_error, np.cos(tracks.phi0), np.sin(tracks.phi0))
    columns = (*helix, tracks.cot_theta, tracks.curvature, tracks.pt, tracks.charge)
    rows = np.stack([column[order] for column in columns], axis=1)
    out, found = np.zeros((int(room[-1]), len(COLUMNS))), np.zeros(jets, np.int64)
    _find(rows, starts, np.ascontiguousarray(axes.T, dtype=np.float64), radius_max, room, out, found)

    jet = np.repeat(np.arange(jets), found)
    offsets = np.concatenate([[0], np.cumsum(found)]).astype(np.int64)
    vertices = out[np.arange(len(jet)) + (room - offsets)[jet]]
    vertices = vertices[np.lexsort((-vertices[:, D3D] / vertices[:, D3D_ERROR], jet))]
    named = dict(zip(COLUMNS, vertices.T, strict=True))
    return Ragged(offsets, named | {"tracks": vertices[:, TRACKS].astype(np.int64)})
