"""From charged particles to measured tracks: helices, impact parameters, and what a tracker makes of them.

Lengths are in mm, momenta in GeV, the field points along +z, and the primary vertex is the origin, known exactly (in
CMS it is known to 10 to 12 um, arXiv:1405.6569). A track is a helix given at its perigee, the point of closest approach
to the beam line x = y = 0 in the transverse plane. Only the two impact parameters are smeared: pT and the angles of a
track are exact, so what a track fit says of them, and of itself, does not exist here (ABSENT).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.settings import TrackSettings

Floats = NDArray[np.float64]

CURVATURE = 0.299792458e-3  # 1/R = CURVATURE * |q| B / pT in 1/mm, for q in e, B in T, pT in GeV: the speed of light
PROMPT = 1e-6  # mm; a pi0 flies 25 times as far, strong decays and resonances less than a millionth of it
CENTRAL = 0.9  # |eta| where the efficiency steps down, arXiv:1405.6569

_FIT = "the covariance of a track fit: here pT and the angles of a track are exact"
ABSENT: dict[str, str] = {
    "track_normchi2": "chi2 of a track fit to its hits: there are no hits",
    "track_quality": "a flag of the track reconstruction: there is none",
    "track_dptdpt": _FIT,
    "track_detadeta": _FIT,
    "track_dphidphi": _FIT,
    "track_dxydz": "the covariance of dxy and dz: here they are smeared independently",
    "track_dphidxy": _FIT,
    "track_dlambdadz": _FIT,
}
"""Of the 30 track features of arXiv:2211.12770 those that cannot exist at particle level, and why.

The other 22 can: track_dxydxy and track_dzdz are d0_error^2 and z0_error^2. All 14 sv features can (`vertices`).
"""


@dataclass(frozen=True)
class Perigee:
    """Helices at their perigees. With s, the transverse path from there, the azimuth is phi0 + curvature * s.

    Attributes
    ----------
    d0 : (n,)
        mm, signed: the perigee lies at x = -d0 sin(phi0), y = d0 cos(phi0), so d0 > 0 has it to the left of the
        direction of flight, seen from +z. This is CMS's dxy and ATLAS's d0 (arXiv:1405.6569, arXiv:1704.07983).
    z0 : (n,)
        z of the perigee, mm.
    phi0 : (n,)
        Azimuth of the momentum at the perigee, in [-pi, pi].
    cot_theta : (n,)
        pz / pT; z = z0 + s cot_theta.
    curvature : (n,)
        d phi / d s = -CURVATURE q B / pT, 1/mm: a positive charge turns clockwise. 0 for straight lines.
    """

    d0: Floats
    z0: Floats
    phi0: Floats
    cot_theta: Floats
    curvature: Floats


@dataclass(frozen=True)
class Tracks:
    """What was measured of n particles; all numbers are 0 for those without a track, and d0_error only for those.

    Attributes
    ----------
    d0, d0_error, z0, z0_error : (n,)
        mm; d0 and z0 smeared, with the standard deviation that they were smeared with. Signs as in Perigee.
    phi0, cot_theta, curvature : (n,)
        As in Perigee, exact.
    pt : (n,)
        GeV, exact.
    charge : (n,)
        In units of e.
    """

    d0: Floats
    d0_error: Floats
    z0: Floats
    z0_error: Floats
    phi0: Floats
    cot_theta: Floats
    curvature: Floats
    pt: Floats
    charge: Floats


def perigee(momentum: Floats, vertex: Floats, charge: NDArray[np.generic], field: float) -> Perigee:
    """The helices of particles in a uniform field along +z, at their closest approach to the beam line.

    With u and h, the components of the vertex's (x, y) along the transverse direction of flight and to its left, the
    curvature k and w = k (u^2 + h^2) + 2 h,

        d0 = w / (1 + sqrt(1 + k w)),   phi0 = phi - atan2(k u, 1 + k h),   z0 = vz + cot(theta) (phi0 - phi) / k.

    Exact, on the half turn around the vertex, and without a difference of large numbers: the straight line
    (k = 0: d0 = h, phi0 = phi, z0 = vz - u cot(theta)) is a limit like any other. Source: the distance of the origin
    from a circle around (u, h + 1/k), solved for its small root.

    Parameters
    ----------
    momentum : (3, n)
        px, py, pz in GeV; pT > 0.
    vertex : (3, n)
        Where the particles were produced: x, y, z in mm.
    charge : (n,)
        In units of e.
    field : float
        B, T.
    """
    px, py, pz = momentum
    x, y, z = vertex
    pt, phi = np.hypot(px, py), np.arctan2(py, px)
    curvature = -CURVATURE * field * charge.astype(np.float64) / pt
    along = (x * px + y * py) / pt
    left = (y * px - x * py) / pt
    w = curvature * (along**2 + left**2) + 2 * left
    turn = -np.arctan2(curvature * along, 1 + curvature * left)
    path = -along
    np.divide(turn, curvature, out=path, where=curvature != 0)
    return Perigee(
        d0=w / (1 + np.sqrt(np.maximum(1 + curvature * w, 0.0))),
        z0=z + path * pz / pt,
        phi0=np.remainder(phi + turn + np.pi, 2 * np.pi) - np.pi,
        cot_theta=pz / pt,
        curvature=curvature,
    )


def lifetime_sign(d0: Floats, phi0: Floats, jet_phi: Floats) -> Floats:
    """+1 where the perigee lies downstream along the jet, -1 where it lies upstream; |d0| times it is the signed d0.

    The sign of the scalar product of the vector from the primary vertex to the perigee, d0 (-sin(phi0), cos(phi0)), and
    the jet's transverse direction, which is d0 sin(phi_jet - phi0); +1 where that is 0. Decays of particles that fly
    along the jet give +1, resolution gives both alike. Source: arXiv:1712.07158, arXiv:1512.01094.

    Parameters
    ----------
    d0, phi0 : (n,)
        As in Perigee, d0 measured or not.
    jet_phi : (n,)
        Azimuth of the axis of each track's jet.
    """
    return np.where(d0 * np.sin(jet_phi - phi0) < 0, -1.0, 1.0)


def resolution(terms: tuple[float, float], pt: Floats, cot_theta: Floats, power: float) -> Floats:
    """sigma = sqrt(a^2 + (b / (pT sin^power(theta)))^2) in mm: the hits' precision, and multiple scattering.

    Scattering by an angle of 1/p in a layer of radius r, crossed at theta, shifts the perigee by r / (p sin^(3/2)) in
    d0 and r / (p sin^(5/2)) in z0: with p = pT / sin, `power` is 1/2 for d0 and 3/2 for z0 (arXiv:1805.12014).

    Parameters
    ----------
    terms : (float, float)
        a in mm and b in mm GeV.
    pt, cot_theta : (n,)
        GeV, and pz / pT.
    power : float
    """
    a, b = terms
    return np.hypot(a, b / pt * (1 + cot_theta**2) ** (power / 2))


def measure(
    momentum: Floats,
    vertex: Floats,
    charge: NDArray[np.generic],
    settings: TrackSettings,
    generator: np.random.Generator,
) -> Tracks:
    """The tracks of particles: which are seen, and their impact parameters with Gaussian errors.

    A particle has a track if it is charged, pT > pt_min, |eta| < abs_eta, it was produced within radius_max of the beam
    line, and it passes the efficiency. Each particle uses up three random numbers, seen or not, so that a setting
    changes the tracks that it is about and no others.

    Parameters
    ----------
    momentum : (3, n)
        px, py, pz in GeV.
    vertex : (3, n)
        Where the particles were produced: x, y, z in mm, from the primary vertex.
    charge : (n,)
        In units of e.
    settings : TrackSettings
    generator : numpy Generator
    """
    n = len(charge)
    luck, (noise_d0, noise_z0) = generator.random(n), generator.standard_normal((2, n))
    pt = np.hypot(momentum[0], momentum[1])
    abs_eta = np.full(n, np.inf)
    np.divide(np.abs(momentum[2]), pt, out=abs_eta, where=pt > 0)
    abs_eta = np.arcsinh(abs_eta)
    born_inside = np.hypot(vertex[0], vertex[1]) < settings.radius_max
    accepted = (charge != 0) & (pt > settings.pt_min) & (abs_eta < settings.abs_eta) & born_inside
    seen = np.flatnonzero(accepted & (luck < np.where(abs_eta < CENTRAL, *settings.efficiency)))

    helix = perigee(momentum[:, seen], vertex[:, seen], charge[seen], settings.field)
    d0_error = resolution(settings.d0_resolution, pt[seen], helix.cot_theta, 0.5)
    z0_error = resolution(settings.z0_resolution, pt[seen], helix.cot_theta, 1.5)

    def spread(values: NDArray[np.generic]) -> Floats:
        out = np.zeros(n)
        out[seen] = values
        return out

    return Tracks(
        d0=spread(helix.d0 + d0_error * noise_d0[seen]),
        d0_error=spread(d0_error),
        z0=spread(helix.z0 + z0_error * noise_z0[seen]),
        z0_error=spread(z0_error),
        phi0=spread(helix.phi0),
        cot_theta=spread(helix.cot_theta),
        curvature=spread(helix.curvature),
        pt=spread(pt[seen]),
        charge=spread(charge[seen]),
    )


def production_vertex(vertex: Floats) -> tuple[Floats, Floats]:
    """Truth: dxy = sqrt(vx^2 + vy^2) and dz = |vz| of where particles were produced, mm.

    What arXiv:2011.13466 calls impact parameters, for comparison; its code has vx in place of vy in dxy. Nothing
    measures them: dxy and dz of a track are `Tracks.d0` and `Tracks.z0`. Distances below 1e-6 mm are 0: the flight of a
    Z or top (1e-13 mm) is in Pythia's record, and on a logarithmic scale would give the label away.

    Parameters
    ----------
    vertex : (3, n)
        x, y, z in mm, from the primary vertex.
    """
    distances = np.hypot(vertex[0], vertex[1]), np.abs(vertex[2])
    dxy, dz = (np.where(distance < PROMPT, 0.0, distance) for distance in distances)
    return dxy, dz
