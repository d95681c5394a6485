"""A parametrised detector: the visible particles of each event become tracks and calorimeter towers (energy flow).

Numbers and scheme are those of Delphes 3.3 (arXiv:1307.6346) with its ATLAS card (cards/delphes_card_ATLAS.tcl, commit
8713dee of github.com/delphes/delphes): one grid of towers for both calorimeters. The top tagging reference sample was
made so, for its photons and neutral hadrons of one tower share their direction. Later cards have an ECAL of 1 degree.

Left out are pile-up, noise, fake tracks, material, decays in flight, and where a particle was produced: all start at
the origin.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from glassjet.jets import calorimeters
from glassjet.jets.calorimeters import ECAL, HCAL, energy_resolution
from glassjet.jets.events import Events, Particles, visible
from glassjet.jets.kinematics import pt_eta_phi
from glassjet.jets.settings import DetectorSettings

Array = NDArray[np.float64]
Index = NDArray[np.int64]

HADRON, ELECTRON, MUON = range(3)  # first index of the tables of tracks
MASS = np.array([0.13957039, 0.00051099895, 0.1056583755])  # GeV, of pi, e, mu: PDG 2024

# Efficiency: kind x (|eta| <= 1.5, beyond) x (pT <= 1, <= 100, > 100 GeV)
EFFICIENCY = np.array(
    [
        [[0.70, 0.95, 0.95], [0.60, 0.85, 0.85]],
        [[0.73, 0.95, 0.99], [0.50, 0.83, 0.90]],
        [[0.75, 0.99, 0.99], [0.70, 0.98, 0.98]],
    ]
)
# sigma(pT) / pT = a (+) b pT: kind x (|eta| <= 0.5, <= 1.5, beyond) x (a, b in 1/GeV)
MOMENTUM = np.array(
    [
        [[0.06, 1.3e-3], [0.10, 1.7e-3], [0.25, 3.1e-3]],
        [[0.06, 1.3e-3], [0.10, 1.7e-3], [0.25, 3.1e-3]],
        [[0.02, 2.0e-4], [0.03, 3.0e-4], [0.06, 6.0e-4]],
    ]
)
# sigma = s (1 (+) p / pT): (phi, cot theta) x (|eta| <= 1.5, beyond) x (s, p in GeV); ATLAS, JINST 3 (2008) S08003
ANGLE = np.array([[[7.0e-5, 39.0], [9.2e-5, 49.0]], [[7.0e-4, 5.0], [1.2e-3, 10.0]]])

ENERGY_MIN = (0.5, 1.0)  # GeV, of a tower in ECAL and HCAL
SIGNIFICANCE_MIN = 1.0  # E / sigma(E)

ROUNDING = 1e-9  # what is left of a tower below this share of its energy is the rounding of a difference


def efficiency(kind: Index, pt: Array, abs_eta: Array, settings: DetectorSettings) -> Array:
    """Probability to find a track: 1 - track_losses (1 - EFFICIENCY), 0 outside of the tracker; pT in GeV."""
    card = EFFICIENCY[kind, (abs_eta > 1.5).astype(int), np.searchsorted([1.0, 100.0], pt)]
    inside = (pt > settings.track_pt_min) & (abs_eta < settings.abs_eta_tracks)
    return np.where(inside, 1 - settings.track_losses * (1 - card), 0.0)


def momentum_resolution(kind: Index, pt: Array, abs_eta: Array) -> Array:
    """sigma(pT) / pT = a (+) b pT of a track, at most 1; pT in GeV. Source: the card."""
    constant, slope = np.moveaxis(MOMENTUM[kind, np.searchsorted([0.5, 1.5], abs_eta)], -1, 0)
    return np.minimum(np.hypot(constant, slope * pt), 1.0)


def angular_resolutions(pt: Array, abs_eta: Array) -> Array:
    """sigma of a track's phi (rad) and cot theta, shape (2, n): s (1 (+) p / pT), p for multiple scattering.

    Source: ATLAS, JINST 3 (2008) S08003, expected track-parameter resolutions at |eta| of 0.25 to 0.5 and of 1.5 to
    1.75, here taken for all below and above 1.5.
    """
    scale, scattering = np.moveaxis(ANGLE[:, (abs_eta > 1.5).astype(int)], -1, 0)
    return np.hypot(scale, scale * scattering / pt)


def log_normal(mean: Array, sigma: Array, normal: Array) -> Array:
    """A log-normal number of that mean and standard deviation, from a standard normal one; 0 where the mean is 0.

    Delphes' choice (since 3.0.10) instead of a Gaussian: it is never negative.
    """
    spread = np.sqrt(np.log1p(np.divide(sigma, mean, out=np.zeros_like(mean), where=mean > 0) ** 2))
    return mean * np.exp(spread * normal - spread**2 / 2)


def above_thresholds(calorimeter: int, energy: Array, eta: Array, settings: DetectorSettings) -> Array:
    """The energies (GeV) of towers, 0 for those under the least energy or the least E / sigma(E)."""
    sigma = settings.energy_resolution * energy_resolution(calorimeter, energy, eta)
    least = settings.thresholds * np.maximum(ENERGY_MIN[calorimeter], SIGNIFICANCE_MIN * sigma)
    return np.where(energy >= least, energy, 0.0)


@dataclass(frozen=True)
class Tracks:
    """Measured tracks.

    Attributes
    ----------
    particle, tower, kind : (n,)
        Positions among the particles and the towers (-1 for none); HADRON, ELECTRON or MUON.
    pt, cot_theta, phi, energy : (n,)
        As measured, GeV and rad.
    sigma : (n,)
        Resolution of pT, relative.
    """

    particle: Index
    tower: Index
    kind: Index
    pt: Array
    cot_theta: Array
    phi: Array
    energy: Array
    sigma: Array

    def take(self, rows: Index) -> "Tracks":
        """Some of the tracks."""
        return Tracks(*(getattr(self, one.name)[rows] for one in fields(self)))


def tracks_of(
    momentum: Array, kind: Index, tower: Index, abs_eta: Array, settings: DetectorSettings, rng: np.random.Generator
) -> Tracks:
    """The tracks that are found of charged particles (`kind` >= 0) and what is measured of them.

    pT is smeared with a log-normal, phi and cot theta with Gaussians.

    Parameters
    ----------
    momentum, kind, tower : (4, n), (n,), (n,)
        px, py, pz, E in GeV; -1 as the kind of neutral particles.
    abs_eta : (n,)
        |eta| at the end of the field, for acceptance, efficiency and resolution.
    """
    chance = efficiency(kind, np.hypot(*momentum[:2]), abs_eta, settings)
    found = np.flatnonzero((kind >= 0) & (rng.random(len(kind)) < chance))
    normal = rng.standard_normal((3, len(kind)))[:, found]  # of all, so that losses leave the other tracks as they are
    px, py, pz = momentum[:3, found]
    kind, abs_eta, pt = kind[found], abs_eta[found], np.hypot(px, py)
    sigma = settings.track_resolution * momentum_resolution(kind, pt, abs_eta)
    spread_phi, spread_cot = settings.angular_resolution * angular_resolutions(pt, abs_eta)
    phi = np.arctan2(py, px) + spread_phi * normal[1]
    cot_theta = pz / pt + spread_cot * normal[2]
    pt = log_normal(pt, sigma * pt, normal[0])
    energy = four_momenta(pt, cot_theta, phi, MASS[kind])[3]
    return Tracks(found, tower[found], kind, pt, cot_theta, phi, energy, sigma)


def four_momenta(pt: Array, cot_theta: Array, phi: Array, mass: Array) -> Array:
    """px, py, pz, E in GeV, shape (4, n)."""
    energy = np.hypot(pt * np.hypot(1.0, cot_theta), mass)
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * cot_theta, energy])


def flow(
    calorimeter: int, deposit: Array, eta: Array, tracks: Tracks, settings: DetectorSettings, normal: Array
) -> tuple[Array, Array]:
    """Energy flow in one calorimeter.

    The energies are smeared with a log-normal and must pass the thresholds. Of a tower's tracks those that the tracker
    measures better than the calorimeter are subtracted. If there are others, they are scaled to share the rest; else
    the rest is, above the thresholds, neutral. In Delphes 3.3 tracks may be scaled to a negative energy; here to 0, and
    `respond` drops them. As there, what a calorimeter reads too much becomes neutral and what it reads too little is
    forgiven: on average isolated pions of 2 to 20 GeV come out 18% to 5% too high, jets of 600 GeV 0.6%.

    Parameters
    ----------
    deposit, eta, normal : (towers,)
        True energies in GeV, centres of the towers, standard normal numbers.
    tracks : Tracks
        Those that this calorimeter sees.

    Returns
    -------
    (towers,), (tracks,) : neutral energies in GeV, factors on the tracks' momenta
    """
    size = len(deposit)
    sigma = settings.energy_resolution * energy_resolution(calorimeter, deposit, eta)
    seen = above_thresholds(calorimeter, log_normal(deposit, sigma, normal), eta, settings)
    sigma = settings.energy_resolution * energy_resolution(calorimeter, tracks.energy, eta[tracks.tower])
    coarse = sigma < tracks.sigma * tracks.energy
    rest = seen - np.bincount(tracks.tower, np.where(coarse, 0.0, tracks.energy), size)
    rest[rest < ROUNDING * seen] = 0.0
    shared = np.bincount(tracks.tower, np.where(coarse, tracks.energy, 0.0), size)
    scale = np.ones(len(coarse))
    np.divide(rest[tracks.tower], shared[tracks.tower], out=scale, where=coarse)
    return above_thresholds(calorimeter, np.where(shared > 0, 0.0, rest), eta, settings), scale


def respond(events: Events, settings: DetectorSettings, rng: np.random.Generator) -> Particles:
    """What the detector makes of each event: its tracks, photons and neutral hadrons.

    Each particle but muons and neutrinos leaves its energy in the tower that it hits. Charged particles may give
    tracks, with the mass of e, mu, or pi for all hadrons; those of electrons are measured against the ECAL, those of
    hadrons against the HCAL (`flow`). What is neutral has no mass and the direction of its tower.

    Returns
    -------
    Particles
        In each event the tracks in the order of the record, then photons, then neutral hadrons by tower. Equal states
        of `rng` give equal results, and no factor changes which random numbers the other effects see.
    """
    from glassjet.jets.pythia import charges  # here, for the settings of a detector need no Pythia

    position = visible(events)
    event = np.searchsorted(events.offsets, position, side="right") - 1
    momentum, pdgid = events.momentum[:, position], events.pdgid[position]
    charge = charges(pdgid)
    eta, phi = calorimeters.at_calorimeter(*pt_eta_phi(*momentum[:3]), charge, settings.magnetic_field)

    number = calorimeters.tower_of(event, eta, phi, settings.towers)
    deposit = momentum[3] * calorimeters.energy_fractions(pdgid)
    active = (number >= 0) & (deposit.sum(axis=0) > 0)
    towers, inverse = np.unique(number[active], return_inverse=True)
    tower = np.full(len(position), -1)
    tower[active] = inverse
    tower_event, centre, width = calorimeters.place_of(towers, settings.towers)

    code = np.abs(pdgid)
    kind = np.select([charge == 0, code == 11, code == 13], [-1, ELECTRON, MUON], HADRON)
    tracks = tracks_of(momentum, kind, tower, np.abs(eta), settings, rng)
    neutral = np.zeros((2, len(towers)))
    normal = rng.standard_normal(neutral.shape)
    for calorimeter, measured in ((ECAL, ELECTRON), (HCAL, HADRON)):
        sees = np.flatnonzero((tracks.kind == measured) & (tracks.tower >= 0))
        here = np.bincount(inverse, deposit[calorimeter, active], len(towers)).astype(np.float64)
        neutral[calorimeter], scale = flow(
            calorimeter, here, centre[0], tracks.take(sees), settings, normal[calorimeter]
        )
        tracks.pt[sees] *= scale
    eta, phi = centre + settings.angular_resolution * (rng.random(centre.shape) - 0.5) * width

    kept = np.flatnonzero(tracks.pt > 0)
    made, lit = np.nonzero(neutral)  # photons, then neutral hadrons
    charged = four_momenta(tracks.pt, tracks.cot_theta, tracks.phi, MASS[tracks.kind])[:, kept]
    pt = neutral[made, lit] / np.cosh(eta[lit])
    four = np.concatenate([charged, four_momenta(pt, np.sinh(eta[lit]), phi[lit], np.zeros(len(lit)))], axis=1)
    origin = tracks.particle[kept]
    ids = np.where(tracks.kind[kept] == HADRON, np.sign(charge[origin]) * np.int32(211), pdgid[origin])
    owner = np.concatenate([event[origin], tower_event[lit]])
    order = np.argsort(owner, kind="stable")
    return Particles(
        np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(events)))]).astype(np.int64),
        four[:, order],
        np.concatenate([ids, np.array([22, 130])[made]])[order].astype(np.int32),
        np.concatenate([charge[origin], np.zeros(len(lit), np.int8)])[order],
        np.concatenate([position[origin], np.full(len(lit), -1)])[order],
    )
