"""Jets in shards: their seeds and event numbers, a checkpoint that survives a kill, and the merge into one mixed file.

The result depends on the settings and the seed alone: not on the number of processes, and not on how often the run was
killed on the way.
"""

import hashlib
import importlib.metadata
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glassjet.errors import InputError
from glassjet.jets import cards, store
from glassjet.jets.generation import PERIOD, events_in, file_shard, ranges, shard
from glassjet.jets.settings import Settings
from glassjet.jets.store import MOST_SHARDS, SPLITS, Jets, event_numbers

LAST_SEED = 900_000_000  # Pythia's
GROUP = 5000  # jets that are mixed at a time, and the memory of the merge
FORM = 2  # of a shard file; counts up when the same settings would give other bytes


@dataclass(frozen=True)
class Shard:
    """One piece of work: `jets` jets of a generator, or all jets of the events start:stop of a file (`jets` = 0)."""

    split: str
    process: str
    label: int
    number: int
    jets: int
    seed: int
    settings: Settings
    start: int = 0
    stop: int = 0

    def digest(self) -> str:
        """Equal for shards of equal bytes: all settings, the seed, the process, and the versions of what makes them."""
        versions = {name: importlib.metadata.version(name) for name in ("glassjet", "pythia8mc", "fastjet")}
        content = {"form": FORM, "card": cards.digest(self.process), "versions": versions} | asdict(self)
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8).hexdigest()

    def path(self, directory: Path) -> Path:
        """Where the shard lies in a checkpoint directory; shards made with other settings have other names."""
        name = cards.process_of(self.process).name
        return directory / f"{name}-{self.number:06d}-{self.digest()}.shard.h5"


def shard_seed(seed: int, split: str, process: str, number: int) -> int:
    """Pythia's seed for a shard, 1 to 900,000,000.

    A permutation of the numbers 0 to 899,999,999 (multiplication by a number without common divisor, and a shift),
    drawn by a hash of seed and process, is applied to the shard's place: no two shards of a process share their seed,
    in all four splits together, so no event can be in two splits. Samples with the same seed and process have the same
    events: with a detector or without, for example.
    """
    drawn = hashlib.blake2b(f"{seed}/{process}".encode(), digest_size=16).digest()
    factor, shift = (int.from_bytes(half, "little") % LAST_SEED for half in (drawn[:8], drawn[8:]))
    while math.gcd(factor, LAST_SEED) != 1:
        factor += 1
    return (factor * (SPLITS.index(split) * MOST_SHARDS + number) + shift) % LAST_SEED + 1


def plan(
    split: str, process: str, label: int, jets: int, shard_size: int, seed: int, settings: Settings
) -> list[Shard]:
    """The shards of one class: all of `shard_size` jets but the last; of a file of events, ranges of its events."""
    source = cards.process_of(process)
    # half of the events of a file pass, say: the size of a shard is no more than a question of time
    events = events_in(process) if source.is_file else 0
    piece = math.ceil(2 * shard_size / PERIOD) * PERIOD if source.is_file else shard_size
    count = math.ceil((events or jets) / piece)
    if count > MOST_SHARDS:
        raise InputError(f"--shard-size {shard_size} makes {count} shards, at most {MOST_SHARDS}; make it larger")
    found = []
    for number in range(count):
        own_seed = shard_seed(seed, split, source.name, number)
        first = number * piece
        if source.is_file and any(ranges(split, first, min(first + piece, events))):
            found.append(Shard(split, process, label, number, 0, own_seed, settings, first, min(first + piece, events)))
        elif not source.is_file:
            found.append(Shard(split, process, label, number, min(piece, jets - first), own_seed, settings))
    if not found:
        raise InputError(
            f"{process}: has {events} events, and none of the split {split}, for which it takes up to {PERIOD}; "
            "give a longer file"
        )
    return found


def make(work: Shard, directory: Path, give_up_after: int) -> Path:
    """Make a shard unless it lies finished in the checkpoint directory; returns where it lies."""
    path = work.path(directory)
    if is_finished(path):
        return path
    if work.jets:
        result = shard(work.process, work.jets, work.seed, work.settings, give_up_after)
    else:
        result = file_shard(work.process, work.split, work.start, work.stop, work.seed, work.settings)
    cross_section, error = result.cross_section
    if not (math.isfinite(cross_section) and cross_section > 0):
        raise InputError(
            f"process {work.process!r} has no cross section ({cross_section:g} pb), so its jets no weight; "
            "widen its range of pTHat, or mend the file"
        )
    columns = result.jets.columns
    columns["label"] = np.full(len(result.jets), work.label, np.int8)
    columns["event"] = event_numbers(work.split, work.label, work.number, columns["event"])
    metadata = {
        "cutflow": result.cutflow,
        "cutflow_weight": result.cutflow_weight,
        "cross_section_pb": cross_section,
        "cross_section_error_pb": error,
    }
    with store.writing(path, metadata, work.digest(), may_be_empty=not work.jets) as writer:
        writer.append(result.jets)
    return path


def is_finished(path: Path) -> bool:
    """Whether a shard lies there whole; one that a failing disk cut is made again."""
    try:
        return path.exists() and store.count(path) >= 0
    except (InputError, KeyError):
        return False


def clear(directory: Path, *patterns: str) -> None:
    """Remove the files of these patterns from a checkpoint directory, and the directory if nothing else is in it."""
    for pattern in patterns:
        for path in directory.glob(pattern):
            path.unlink()
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def summary_of(paths: list[Path], jets: int) -> dict[str, Any]:
    """Cutflow and cross sections (pb) of one class from its shards, of which the first `jets` jets are kept.

    The process's cross section is the mean of the shards' estimates, weighted by their events; the selection's is that
    times the share of the events' weight that was selected. `weight` is what one event's weight counts in pb, so that
    the kept jets together have the selection's cross section.
    """
    shards = [store.metadata(path) for path in paths]
    weights = np.array([one["cutflow_weight"]["events"] for one in shards])
    total = float(weights.sum())
    cross_section = float(weights @ [one["cross_section_pb"] for one in shards]) / total
    error = float(np.linalg.norm(weights * [one["cross_section_error_pb"] for one in shards])) / total

    def summed(name: str) -> dict[str, Any]:
        return {stage: sum(one[name][stage] for one in shards) for stage in shards[0][name]}

    weight = np.concatenate([store.labels_and_weights(path)[1] for path in paths])
    cutflow = summed("cutflow") | {"jets": min(jets, len(weight))}
    in_pb = {stage: value * cross_section / total for stage, value in summed("cutflow_weight").items()}
    selected = cross_section * float(weight.sum()) / total
    return {
        "cutflow": cutflow,
        "cutflow_pb": in_pb | {"jets": selected},
        "cross_section_pb": cross_section,
        "cross_section_error_pb": error,
        "selected_cross_section_pb": selected,
        "weight": selected / float(weight[:jets].sum()),
    }


def read_across(paths: list[Path], sizes: list[int], start: int, stop: int) -> Iterator[Jets]:
    """Jets start:stop of files of those sizes laid one behind the other."""
    first = 0
    for path, size in zip(paths, sizes, strict=True):
        low, high = max(start - first, 0), min(stop - first, size)
        if low < high:
            yield store.read(path, low, high)
        first += size


def mixed(classes: Iterable[tuple[list[Path], int, float]], seed: int) -> Iterator[Jets]:
    """Jets of several classes in groups that hold each class in its share, shuffled within the group.

    Parameters
    ----------
    classes : triples
        The shards of a class, how many jets of them, and the pb that an event's weight of 1 stands for.
    seed : int
        Of the shuffling.
    """
    sources = [(paths, [store.count(path) for path in paths], jets, factor) for paths, jets, factor in classes]
    groups = math.ceil(sum(jets for _, _, jets, _ in sources) / GROUP)
    for group in range(groups):
        parts = []
        for paths, sizes, wanted, factor in sources:
            start, stop = (wanted * edge // groups for edge in (group, group + 1))
            for jets in read_across(paths, sizes, start, stop):
                jets.columns["weight"] = jets.columns["weight"] * factor
                parts.append(jets)
        together = store.concatenate(parts)
        yield together.take(np.random.default_rng([seed, group]).permutation(len(together)))
