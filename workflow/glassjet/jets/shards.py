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
from glassjet.jets import store
from glassjet.jets.cards import CARDS, card_of
from glassjet.jets.generation import Settings, shard
from glassjet.jets.store import MOST_SHARDS, SPLITS, Jets, event_numbers

LAST_SEED = 900_000_000  # Pythia's
GROUP = 5000  # jets that are mixed at a time, and the memory of the merge
FORM = 1  # of a shard file; counts up when the same settings would give other bytes


@dataclass(frozen=True)
class Shard:
    """One piece of work: `jets` jets of one process, with a seed and a place of its own."""

    sample: str
    split: str
    process: str
    label: int
    number: int
    jets: int
    seed: int
    settings: Settings

    def digest(self) -> str:
        """Equal for shards of equal bytes: all settings, the seed, and the versions of Pythia and FastJet."""
        versions = {name: importlib.metadata.version(name) for name in ("glassjet", "pythia8mc", "fastjet")}
        content = {"form": FORM, "card": CARDS[self.process].settings, "versions": versions} | asdict(self)
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8).hexdigest()

    def path(self, directory: Path) -> Path:
        """Where the shard lies in a checkpoint directory; shards made with other settings have other names."""
        return directory / f"{self.process}-{self.number:06d}-{self.digest()}.shard.h5"


def shard_seed(seed: int, sample: str, split: str, process: str, number: int) -> int:
    """Pythia's seed for a shard, 1 to 900,000,000.

    A permutation of the numbers 0 to 899,999,999 (multiplication by a number without common divisor, and a shift),
    drawn by a hash of seed, sample and process, is applied to the shard's place in the sample: no two shards of a
    process share their seed, in all four splits together, so no event can be in two splits.
    """
    drawn = hashlib.blake2b(f"{seed}/{sample}/{process}".encode(), digest_size=16).digest()
    factor, shift = (int.from_bytes(half, "little") % LAST_SEED for half in (drawn[:8], drawn[8:]))
    while math.gcd(factor, LAST_SEED) != 1:
        factor += 1
    return (factor * (SPLITS.index(split) * MOST_SHARDS + number) + shift) % LAST_SEED + 1


def plan(
    sample: str, split: str, process: str, label: int, jets: int, shard_size: int, seed: int, settings: Settings
) -> list[Shard]:
    """The shards of one class: all of `shard_size` jets but the last."""
    card_of(process)
    count = math.ceil(jets / shard_size)
    if count > MOST_SHARDS:
        raise InputError(f"--shard-size {shard_size} makes {count} shards, at most {MOST_SHARDS}; make it larger")
    return [
        Shard(
            sample,
            split,
            process,
            label,
            number,
            min(shard_size, jets - number * shard_size),
            shard_seed(seed, sample, split, process, number),
            settings,
        )
        for number in range(count)
    ]


def make(work: Shard, directory: Path, give_up_after: int) -> Path:
    """Make a shard unless it lies finished in the checkpoint directory; returns where it lies."""
    path = work.path(directory)
    if is_finished(path):
        return path
    result = shard(work.process, work.jets, work.seed, work.settings, give_up_after)
    columns = result.jets.columns
    columns["label"] = np.full(len(result.jets), work.label, np.int8)
    columns["event"] = event_numbers(work.split, work.label, work.number, columns["event"])
    metadata = {
        "cutflow": result.cutflow,
        "sum_of_weights": result.sum_of_weights,
        "cross_section_pb": result.cross_section[0],
        "cross_section_error_pb": result.cross_section[1],
    }
    with store.writing(path, metadata, work.digest()) as writer:
        writer.append(result.jets)
    return path


def is_finished(path: Path) -> bool:
    """Whether a shard lies there whole; one that a failing disk cut is made again."""
    try:
        return path.exists() and store.count(path) > 0
    except (InputError, KeyError):
        return False


def clear(directory: Path, *patterns: str) -> None:
    """Remove the files of these patterns from a checkpoint directory, and the directory if nothing else is in it."""
    for pattern in patterns:
        for path in directory.glob(pattern):
            path.unlink()
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def summary_of(paths: list[Path]) -> dict[str, Any]:
    """Cutflow and cross sections (pb) of one class from its shards.

    The process's cross section is the mean of the shards' estimates, weighted by their events; the selection's is that
    times the share of the events' weight that was selected. `weight` is what one event's weight counts in pb.
    """
    shards = [store.metadata(path) for path in paths]
    selected = sum(float(store.labels_and_weights(path)[1].sum()) for path in paths)
    weights = np.array([one["sum_of_weights"] for one in shards])
    total = float(weights.sum())
    cross_section = float(weights @ [one["cross_section_pb"] for one in shards]) / total
    error = float(np.linalg.norm(weights * [one["cross_section_error_pb"] for one in shards])) / total
    cutflow = {name: sum(one["cutflow"][name] for one in shards) for name in shards[0]["cutflow"]}
    cutflow["jets"] = sum(store.count(path) for path in paths)
    return {
        "cutflow": cutflow,
        "cross_section_pb": cross_section,
        "cross_section_error_pb": error,
        "selected_cross_section_pb": cross_section * selected / total,
        "weight": cross_section / total,
    }


def read_across(paths: list[Path], sizes: list[int], start: int, stop: int) -> Iterator[Jets]:
    """Jets start:stop of files of those sizes laid one behind the other."""
    first = 0
    for path, size in zip(paths, sizes, strict=True):
        low, high = max(start - first, 0), min(stop - first, size)
        if low < high:
            yield store.read(path, low, high)
        first += size


def mixed(classes: Iterable[tuple[list[Path], float]], seed: int) -> Iterator[Jets]:
    """All jets of several classes in groups that hold each class in its share, shuffled within the group.

    Parameters
    ----------
    classes : pairs
        The shards of a class, and the pb that an event's weight of 1 stands for.
    seed : int
        Of the shuffling.
    """
    sources = [(paths, [store.count(path) for path in paths], factor) for paths, factor in classes]
    total = sum(sum(sizes) for _, sizes, _ in sources)
    groups = math.ceil(total / GROUP)
    for group in range(groups):
        parts = []
        for paths, sizes, factor in sources:
            start, stop = (sum(sizes) * edge // groups for edge in (group, group + 1))
            for jets in read_across(paths, sizes, start, stop):
                jets.columns["weight"] = jets.columns["weight"] * factor
                parts.append(jets)
        together = store.concatenate(parts)
        yield together.take(np.random.default_rng([seed, group]).permutation(len(together)))
