"""From events to selected jets: the leading jet, the window in pT and eta, the match to truth partons; one shard at a
time, the same bytes for the same seed.

Selection: the leading anti-kT jet of the event from all visible final particles; its pT in a window, |eta| below a
limit; for signals the resonance and all quarks of its decay within `match_radius` of its axis (arXiv:1902.09914).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets import clustering, matching, pythia
from glassjet.jets.cards import Card, card_of
from glassjet.jets.kinematics import jets_of, pt_eta_phi
from glassjet.jets.store import CONSTITUENT_COLUMNS, TYPES, Jets, Ragged, concatenate

BATCH = 500  # events: 300 to 400 MB in a process, and no faster beyond
SMALL_BATCH = 50
EVENTS_PER_JET = 8  # a guess that only sizes the first batch of a small shard
STAGES = ("events", "leading_jet_in_pt_window", "eta", "matched")
MARGIN = 1e-3  # jets this far outside of the pT window are looked at, for the stored float32 values decide


@dataclass(frozen=True)
class Settings:
    """What jets to make; GeV, and radii in rapidity and azimuth.

    Attributes
    ----------
    sqrts : float
    mpi : bool
        Multiparton interactions.
    pthat : (float, float)
        Range of the hard process's transverse momentum. A choice of physics, not only of efficiency: jets of the window
        whose hard process was softer are missing.
    pt : (float, float)
    abs_eta : float
    radius, match_radius : float
    """

    sqrts: float = 14000.0
    mpi: bool = False
    pthat: tuple[float, float] = (450.0, 800.0)
    pt: tuple[float, float] = (550.0, 650.0)
    abs_eta: float = 2.0
    radius: float = 0.8
    match_radius: float = 0.8

    def __post_init__(self) -> None:
        for name, (low, high) in (("--pthat", self.pthat), ("--pt", self.pt)):
            if not 0 <= low < high < math.inf:
                raise InputError(f"{name} {low:g} {high:g}: give a lower and a higher energy in GeV, not negative")
        for name in ("sqrts", "abs_eta", "radius", "match_radius"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InputError(f"--{name.replace('_', '-')} {value:g}: give a positive number")
        if self.pthat[0] >= self.sqrts / 2:
            raise InputError(f"--pthat {self.pthat[0]:g} {self.pthat[1]:g}: out of reach at --sqrts {self.sqrts:g} GeV")


@dataclass(frozen=True)
class Selected:
    """The selected jets of a batch, and how far each event came.

    Attributes
    ----------
    jets : Jets
        `event` is the number in the batch, `weight` the event's weight.
    stage : (events,)
        Number of requirements of STAGES[1:] that the event met, in their order.
    """

    jets: Jets
    stage: NDArray[np.int64]


@dataclass(frozen=True)
class ShardResult:
    """One shard's jets (events counted from 0) and what their cross section follows from."""

    jets: Jets
    cutflow: dict[str, int]
    sum_of_weights: float
    cross_section: tuple[float, float]  # pb, with its error


def select(events: pythia.Events, card: Card, settings: Settings) -> Selected:
    """The jets of a batch of events that pass."""
    low, high = settings.pt
    leading = clustering.leading_jets(events, settings.radius, low * (1 - MARGIN))
    constituents = by_falling_pt(stored_particles(events, leading.offsets, leading.particle))
    jet = {name: value.astype(TYPES[name]) for name, value in jets_of(constituents).items()}

    if card.resonance is None:
        candidates, must_match = matching.hard_partons(events), False
    else:
        candidates, must_match = matching.decays(events, card.resonance), True
    matched = matching.match(events, candidates, leading.event, leading.momentum, settings.match_radius)
    in_window = (jet["pt"] >= low) & (jet["pt"] <= high)
    in_eta = in_window & (np.abs(jet["eta"]) < settings.abs_eta)
    passed = in_eta & ((matched >= 0) | (not must_match))

    stage = np.zeros(len(events), np.int64)
    stage[leading.event] = in_window.astype(np.int64) + in_eta + passed
    keep = np.flatnonzero(passed)
    rows = matched[keep]
    counts = np.where(rows >= 0, candidates.shape[1], 0)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    columns: dict[str, NDArray[Any]] = {name: value[keep] for name, value in jet.items()}
    columns["label"] = np.zeros(len(keep), np.int8)
    columns["event"] = leading.event[keep]
    columns["weight"] = events.weight[leading.event[keep]]
    partons = stored_particles(events, offsets, candidates[rows[rows >= 0]].ravel())
    return Selected(Jets(columns, constituents.take(keep), partons), stage)


def stored_particles(events: pythia.Events, offsets: NDArray[np.int64], position: NDArray[np.int64]) -> Ragged:
    """The particles at `position` as the store keeps them: pt, eta, phi, energy in float32, and pdgid."""
    px, py, pz, energy = events.momentum[:, position]
    values = dict(zip(CONSTITUENT_COLUMNS, (*pt_eta_phi(px, py, pz), energy), strict=True))
    columns: dict[str, NDArray[Any]] = {name: value.astype(TYPES[name]) for name, value in values.items()}
    return Ragged(offsets, columns | {"pdgid": events.pdgid[position]})


def by_falling_pt(lists: Ragged) -> Ragged:
    """Each list ordered by falling pT; equal ones stay in their order."""
    owner = np.repeat(np.arange(len(lists)), lists.counts)
    order = np.lexsort((-lists.columns["pt"], owner))
    return Ragged(lists.offsets, {name: column[order] for name, column in lists.columns.items()})


def cutflow_of(stage: NDArray[np.int64], card: Card) -> dict[str, int]:
    """Events that met the first, the first two, … requirements; for processes without a resonance none is matched."""
    counts = {name: int((stage >= number).sum()) for number, name in enumerate(STAGES)}
    if card.resonance is None:
        del counts["matched"]
    return counts


def shard(process: str, jets: int, seed: int, settings: Settings, give_up_after: int) -> ShardResult:
    """Make the first `jets` jets of the process's events with that seed.

    Parameters
    ----------
    seed : int
        Pythia's, 1 to 900,000,000.
    give_up_after : int
        Events without a selected jet after which an InputError shows the cutflow.

    Returns
    -------
    ShardResult
        Events are counted up to the one that gave the last jet. Batch sizes follow from `jets` alone, so equal
        arguments give equal numbers.
    """
    card = card_of(process)
    with pythia.captured_stdout() as sink:
        generator = pythia.start(card, settings.sqrts, settings.mpi, settings.pthat, seed, sink)
        parts: list[Jets] = []
        stages: list[NDArray[np.int64]] = []
        found = events_done = idle = 0
        sum_of_weights = 0.0
        while found < jets:
            size = min(BATCH, max(SMALL_BATCH, EVENTS_PER_JET * (jets - found)))
            events = pythia.batch(generator, size)
            selected = select(events, card, settings)
            taken = min(len(selected.jets), jets - found)
            last = found + taken == jets  # the events behind the last jet do not count
            counted = int(selected.jets.columns["event"][taken - 1]) + 1 if last else size
            part = selected.jets.take(np.arange(taken))
            part.columns["event"] = part.columns["event"] + events_done
            parts.append(part)
            stages.append(selected.stage[:counted])
            sum_of_weights += float(events.weight[:counted].sum())
            idle = 0 if taken else idle + counted
            found += taken
            events_done += counted
            if idle >= give_up_after:
                cutflow = ", ".join(f"{name} {n}" for name, n in cutflow_of(np.concatenate(stages), card).items())
                raise InputError(
                    f"process {process!r}: no jet passed in the last {idle} events ({cutflow}); "
                    "widen --pt, --pthat or --match-radius, or raise --give-up-after"
                )
        made = concatenate(parts)
        made.constituents.columns["charge"] = pythia.charges(generator, made.constituents.columns["pdgid"])
        return ShardResult(
            made,
            cutflow_of(np.concatenate(stages), card),
            sum_of_weights,
            pythia.cross_section(generator),
        )
