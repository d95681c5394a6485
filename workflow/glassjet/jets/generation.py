"""One shard of jets: from a process, a seed and settings, the same bytes each time.

A generator makes events until a shard has its jets. A file of events ends: there a shard is a range of its events, and
each event belongs to one split (see `ranges`).

The cross section of the selection follows from the events that it took. Events are counted up to the one with the jet
after the last that is kept: with N the number of jets kept and n that of the events before the next one, N / n is an
unbiased estimate of the efficiency (Haldane, Biometrika 33 (1945) 222), where stopping at the last jet is high by 1/N.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets import hepmc, lhe, pythia
from glassjet.jets.cards import process_of
from glassjet.jets.events import Events
from glassjet.jets.selection import select, stages
from glassjet.jets.settings import Settings
from glassjet.jets.store import SPLITS, Jets, concatenate

BATCH = 500  # events: 300 to 400 MB in a process, and no faster beyond
SMALL_BATCH = 50
EVENTS_PER_JET = 8  # a guess that only sizes the first batch of a small shard
CYCLE = {"train": (0, 120), "validation": (120, 140), "explain": (140, 170), "test": (170, 200)}  # 60/10/15/15
PERIOD = 200  # events of a file


@dataclass(frozen=True)
class ShardResult:
    """One shard's jets and what their cross section follows from.

    Attributes
    ----------
    jets : Jets
        Events are counted from 0; weights are the events' own.
    cutflow, cutflow_weight : dict
        Events and sum of their weights behind each requirement.
    cross_section : (float, float)
        Of the process, pb, with its error.
    """

    jets: Jets
    cutflow: dict[str, int]
    cutflow_weight: dict[str, float]
    cross_section: tuple[float, float]


@dataclass
class Tally:
    """What a shard has so far, batch by batch."""

    settings: Settings
    parts: list[Jets] = field(default_factory=list)
    stage: list[NDArray[np.int64]] = field(default_factory=list)
    weight: list[NDArray[np.float64]] = field(default_factory=list)
    found: int = 0
    events: int = 0
    idle: int = 0

    def add(self, events: Events, seed: int, first: int, limit: int | None = None) -> bool:
        """Add a batch whose first event has the number `first`; whether the jet after the `limit`-th came."""
        selected = select(events, self.settings, np.random.default_rng([seed, first]))
        taken, counted = len(selected.jets), len(events)
        done = limit is not None and self.found + taken > limit
        if limit is not None and done:
            taken = limit - self.found
            counted = int(selected.jets.columns["event"][taken])  # the event with the next jet does not count
        part = selected.jets.take(np.arange(taken))
        part.columns["event"] = part.columns["event"] + first
        self.parts.append(part)
        self.stage.append(selected.stage[:counted])
        self.weight.append(events.weight[:counted])
        self.idle = 0 if taken else self.idle + counted
        self.found += taken
        self.events += counted
        return done

    def cutflow(self) -> tuple[dict[str, int], dict[str, float]]:
        """Events and sums of weights behind the first, the first two, … requirements."""
        stage = np.concatenate([*self.stage, np.zeros(0, np.int64)])
        weight = np.concatenate([*self.weight, np.zeros(0)])
        names = stages(self.settings.selection)
        counts = {name: int((stage >= number).sum()) for number, name in enumerate(names)}
        return counts, {name: float(weight[stage >= number].sum()) for number, name in enumerate(names)}

    def result(self, cross_section: tuple[float, float]) -> ShardResult:
        """The shard, once all its batches are in."""
        return ShardResult(concatenate(self.parts), *self.cutflow(), cross_section)


def shard(process: str, jets: int, seed: int, settings: Settings, give_up_after: int) -> ShardResult:
    """Make the first `jets` jets of the process's events with that seed.

    Parameters
    ----------
    process : str
        A name, or the path of a file of Pythia's settings.
    seed : int
        Pythia's, 1 to 900,000,000.
    give_up_after : int
        Events without a selected jet after which an InputError shows the cutflow.

    Returns
    -------
    ShardResult
        Batch sizes follow from `jets` alone, so equal arguments give equal numbers.
    """
    with pythia.captured_stdout() as sink:
        generator = pythia.start(process_of(process), settings.generator, seed, sink)
        tally, done = Tally(settings), False
        while not done:
            size = min(BATCH, max(SMALL_BATCH, EVENTS_PER_JET * (jets + 1 - tally.found)))
            done = tally.add(pythia.batch(generator, size), seed, tally.events, jets)
            if tally.idle >= give_up_after:
                cutflow = ", ".join(f"{name} {n}" for name, n in tally.cutflow()[0].items())
                raise InputError(
                    f"process {process!r}: no jet passed in the last {tally.idle} events ({cutflow}); widen what "
                    "stops them (--pt, the range of pTHat, --mass-softdrop, --match-radius), or raise --give-up-after"
                )
        return tally.result(pythia.cross_section(generator))


def file_shard(process: str, split: str, start: int, stop: int, seed: int, settings: Settings) -> ShardResult:
    """All jets of the events start:stop of a file that belong to a split.

    Parameters
    ----------
    process : str
        The path of a Les Houches or a HepMC file.
    split : str
    start, stop : int
        Numbers of events, from a multiple of PERIOD on.
    seed : int
        Of the shower, and of the detector.
    """
    source = process_of(process)
    tally = Tally(settings)
    with pythia.captured_stdout() as sink:
        if source.kind == "lhe":
            generator = pythia.start(source, settings.generator, seed, sink, skip=start)
            position = start
            for low, high in ranges(split, start, stop):
                if low > position:
                    generator.LHAeventSkip(low - position)
                tally.add(pythia.batch(generator, high - low, source.path), seed, low - start)
                position = high
            return tally.result(pythia.cross_section(generator))
        for first, events in hepmc.batches(source.path, BATCH, ranges(split, start, stop)):
            tally.add(events, seed, first - start)
        given = settings.generator.cross_section
        return tally.result((given, 0.0) if given else stated_cross_section(source.path))


@cache
def stated_cross_section(path: Path) -> tuple[float, float]:
    """What a HepMC file says at its end; every shard asks, and looking takes a pass over the file."""
    return hepmc.cross_section(path)


def ranges(split: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Which events of a file belong to a split: of every 200 the first 120 to train, 20, 30 and 30 to the others."""
    assert split in SPLITS
    low, high = CYCLE[split]
    for base in range(start, stop, PERIOD):
        if base + low < stop:
            yield base + low, min(base + high, stop)


def events_in(process: str) -> int:
    """The number of events in a file of events, which is checked to be whole."""
    source = process_of(process)
    return lhe.count(source.path) if source.kind == "lhe" else hepmc.count(source.path)
