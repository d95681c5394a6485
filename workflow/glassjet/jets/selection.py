"""From events to selected jets: the leading jet, its window, soft drop, the match to truth partons, its tracks.

The jet is the leading anti-kT jet of the event, from all visible particles (no neutrinos) or from what a detector sees
of them. Its requirements come one behind the other, and the cutflow counts the events that meet the first, the first
two, … A signal's resonance and all quarks of its decay lie within `match_radius` of the jet's axis (arXiv:1902.09914).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.jets import clustering, matching, tracks
from glassjet.jets.events import Events, Particles, visible
from glassjet.jets.kinematics import jets_of, pt_eta_phi, rapidity
from glassjet.jets.pythia import charges
from glassjet.jets.settings import Selection, Settings
from glassjet.jets.store import CONSTITUENT_COLUMNS, TYPES, Jets, Ragged

MARGIN = 1e-3  # jets this far outside of the pT window are looked at, for the stored float32 values decide


@dataclass(frozen=True)
class Selected:
    """The selected jets of a batch, and how far each event came.

    Attributes
    ----------
    jets : Jets
        `event` is the number in the batch, `weight` the event's weight.
    stage : (events,)
        Number of requirements of `stages(...)[1:]` that the event met, in their order.
    """

    jets: Jets
    stage: NDArray[np.int64]


def stages(selection: Selection) -> tuple[str, ...]:
    """The requirements in their order, those that are made."""
    asked = {"soft_drop": selection.grooms, "matched": bool(selection.resonance)}
    return ("events", "leading_jet_in_pt_window", "acceptance", *(name for name, made in asked.items() if made))


def select(events: Events, settings: Settings, rng: np.random.Generator) -> Selected:
    """The jets of a batch of events that pass.

    Parameters
    ----------
    events : Events
    settings : Settings
    rng : numpy Generator
        For the detector and the resolution of tracks; at particle level without tracks nothing is drawn.
    """
    selection = settings.selection
    particles = seen(events, settings, rng)
    leading = clustering.leading_jets(particles, selection.radius, selection.pt[0] * (1 - MARGIN))
    constituents = by_falling_pt(constituents_of(particles, leading))
    jet = {name: value.astype(TYPES[name]) for name, value in jets_of(constituents).items()}

    passed = {"window": (jet["pt"] >= selection.pt[0]) & (jet["pt"] <= selection.pt[1])}
    y = rapidity(leading.momentum[3], leading.momentum[2])
    passed["acceptance"] = (np.abs(jet["eta"]) < selection.abs_eta) & (np.abs(y) < selection.abs_rapidity)
    if selection.grooms:
        passed["soft_drop"] = survives_soft_drop(constituents, passed["window"] & passed["acceptance"], selection)
    candidates = matching.decays(events, selection.resonance) if selection.resonance else matching.hard_partons(events)
    matched = matching.match(events, candidates, leading.event, leading.momentum, selection.match_radius)
    if selection.resonance:
        passed["matched"] = matched >= 0

    met = np.cumprod(np.stack(list(passed.values())), axis=0)
    stage = np.zeros(len(events), np.int64)
    stage[leading.event] = met.sum(axis=0)
    keep = np.flatnonzero(met[-1])
    columns: dict[str, NDArray[Any]] = {name: value[keep] for name, value in jet.items()}
    columns["label"] = np.zeros(len(keep), np.int8)
    columns["event"] = leading.event[keep]
    columns["weight"] = events.weight[leading.event[keep]]
    columns["pthat"] = events.pthat[leading.event[keep]].astype(TYPES["pthat"])
    partons = matching.partons_of(events, candidates, matched[keep], leading.momentum[:, keep])
    kept = constituents.take(keep)
    vertices = None
    if settings.tracks != "off":
        kept, vertices = with_tracks(kept, leading.momentum[:3, keep], events, settings, rng)
    del kept.columns["origin"]
    return Selected(Jets(columns, kept, partons, vertices), stage)


def seen(events: Events, settings: Settings, rng: np.random.Generator) -> Particles:
    """What is clustered: the visible particles, or what the detector makes of them."""
    if settings.detector:
        from glassjet.jets.detector import respond  # here, for it is not often needed

        return respond(events, settings.detector, rng)
    position = visible(events)
    offsets = np.searchsorted(position, events.offsets)
    pdgid = events.pdgid[position]
    return Particles(offsets, events.momentum[:, position], pdgid, charges(pdgid), position)


def constituents_of(particles: Particles, leading: clustering.LeadingJets) -> Ragged:
    """The constituents of jets as the store keeps them, with their place in the event records as `origin`."""
    px, py, pz, energy = particles.momentum[:, leading.particle]
    values = dict(zip(CONSTITUENT_COLUMNS, (*pt_eta_phi(px, py, pz), energy), strict=True))
    columns: dict[str, NDArray[Any]] = {name: value.astype(TYPES[name]) for name, value in values.items()}
    own: dict[str, NDArray[Any]] = {"pdgid": particles.pdgid, "charge": particles.charge, "origin": particles.origin}
    return Ragged(leading.offsets, columns | {name: value[leading.particle] for name, value in own.items()})


def by_falling_pt(lists: Ragged) -> Ragged:
    """Each list ordered by falling pT; equal ones stay in their order."""
    owner = np.repeat(np.arange(len(lists)), lists.counts)
    order = np.lexsort((-lists.columns["pt"], owner))
    return Ragged(lists.offsets, {name: column[order] for name, column in lists.columns.items()})


def survives_soft_drop(constituents: Ragged, asked: NDArray[np.bool_], selection: Selection) -> NDArray[np.bool_]:
    """Which of the jets that are asked for (n,) have a soft-drop mass in the window, and two subjets if need be."""
    passed = np.zeros(len(constituents), bool)
    rows = np.flatnonzero(asked)
    mass, two = clustering.soft_drop(constituents.take(rows), selection.radius)
    low, high = selection.mass_softdrop
    passed[rows] = (mass >= low) & (mass <= high) & (two | (not selection.two_subjets))
    return passed


def with_tracks(
    constituents: Ragged, axes: NDArray[np.float64], events: Events, settings: Settings, rng: np.random.Generator
) -> tuple[Ragged, Ragged | None]:
    """The constituents with their impact parameters, and the secondary vertices of jets with the momenta `axes` (3, n).

    d0 is signed with respect to the axis of the whole jet (`tracks.lifetime_sign`): in a jet of two b quarks, tracks
    that lie between the axis and their b quark come out negative, though they are displaced. z0 is that of the track,
    and the collision is at zero. A constituent without a track, neutral or not seen, has zeros, also as errors. With
    `production` d0 and z0 are the truth of arXiv:2011.13466, of every charged constituent: they have no errors, and
    there are no vertices.
    """
    from glassjet.jets import vertices  # compiles with numba: only where there are tracks

    origin = constituents.columns["origin"]
    truth = np.maximum(origin, 0)  # towers have no origin, and no charge
    vertex, charge = events.vertex[:, truth], constituents.columns["charge"]
    if settings.tracks == "production":
        found = dict(zip(("d0", "z0"), tracks.production_vertex(vertex) * (charge != 0), strict=True))
        return Ragged(constituents.offsets, constituents.columns | as_stored(found)), None
    # a detector's tracks have passed its own efficiency
    track = replace(settings.track, efficiency=(1.0, 1.0)) if settings.detector else settings.track
    measured = tracks.measure(events.momentum[:3, truth], vertex, charge, track, rng)
    jet_phi = np.repeat(np.arctan2(axes[1], axes[0]), constituents.counts)
    sign = tracks.lifetime_sign(measured.d0, measured.phi0, jet_phi)
    found = {
        "d0": sign * np.abs(measured.d0),
        "z0": measured.z0,
        "d0_error": measured.d0_error,
        "z0_error": measured.z0_error,
    }
    with_found = Ragged(constituents.offsets, constituents.columns | as_stored(found))
    return with_found, vertices.find(measured, constituents.offsets, axes, track.radius_max)


def as_stored(values: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    """Columns in the types of the store."""
    return {name: value.astype(TYPES[name]) for name, value in values.items()}
