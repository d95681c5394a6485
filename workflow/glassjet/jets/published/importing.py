"""From rows of published files to jets with labels: classes chosen, files mixed, splits carved, everything checked.

Several files of one split (JetClass has a file for each class) are read side by side: each chunk has the same share of
every file, and its rows are merged evenly, so both classes lie mixed and the order within a file is kept. The event's
number is made of the file's place in the list and the row's place in the file, so it is the same however much is read.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError, unknown
from glassjet.jets.kinematics import jets_of
from glassjet.jets.published.rows import Reader, Rows, Source
from glassjet.jets.store import TYPES, Jets, Ragged, concatenate, event_numbers, no_partons

CHUNK = 5000  # rows at a time, of all files together


@dataclass(frozen=True)
class Choice:
    """Which jets of the files are taken, and as what.

    Attributes
    ----------
    signal, background : tuple of str
        Classes of the reader.
    part, parts : int
        Of every `parts` rows the one at place `part` is taken: a split carved out of a published one.
    limit : int or None
        The largest number of jets; all without it.
    """

    signal: tuple[str, ...]
    background: tuple[str, ...]
    part: int = 0
    parts: int = 1
    limit: int | None = None


def labels(reader: Reader, choice: Choice) -> NDArray[np.int8]:
    """The label of each of the reader's classes: 1 signal, 0 background, -1 neither."""
    found = np.full(len(reader.CLASSES) + 1, -1, np.int8)  # the last is for kind -1
    for label, role in ((1, "signal"), (0, "background")):
        for name in getattr(choice, role):
            if name not in reader.CLASSES:
                raise unknown(f"class for the {role}", name, reader.CLASSES)
            place = reader.CLASSES.index(name)
            if found[place] >= 0:
                raise InputError(f"the class {name!r} stands twice among signal and background; name it once")
            found[place] = label
    return found


def ordered(constituents: Ragged) -> Ragged:
    """Each list in falling order of pT."""
    pt, counts = constituents.columns["pt"], constituents.counts
    owner = np.repeat(np.arange(len(counts)), counts)
    falls = (np.diff(pt) <= 0) | (np.diff(owner) > 0)
    if falls.all():
        return constituents
    order = np.lexsort((-pt.astype(np.float64), owner))
    return Ragged(constituents.offsets, {name: column[order] for name, column in constituents.columns.items()})


def require_sound(constituents: Ragged, path: Path, rows: NDArray[np.int64]) -> None:
    """Refuse momenta that are none, and jets of nothing, naming the file and the row of `rows` (n,)."""
    counts = constituents.counts
    if len(counts) and counts.min() == 0:
        raise InputError(f"{path}: row {rows[counts.argmin()]} has no constituents; remove it")
    for name in ("pt", "eta", "phi", "energy"):
        column = constituents.columns[name]
        bad = ~np.isfinite(column)
        what = "a NaN or infinite"
        if not bad.any() and name in ("pt", "energy"):
            bad, what = column < 0, "a negative"
        if bad.any():
            row = rows[int(np.searchsorted(constituents.offsets, int(bad.argmax()), side="right")) - 1]
            raise InputError(f"{path}: row {row} has a constituent with {what} {name}; remove it")


def _jets(rows: Rows, label: NDArray[np.int8], numbers: NDArray[np.int64], split: str, file: int, path: Path) -> Jets:
    """Jets of those rows (of these numbers in the file) that have a label."""
    keep = np.flatnonzero(label >= 0)
    everything = len(keep) == len(label)
    constituents = rows.constituents if everything else rows.constituents.take(keep)
    require_sound(constituents, path, numbers[keep])
    constituents = ordered(constituents)
    stored = {name: column.astype(TYPES[name], copy=False) for name, column in constituents.columns.items()}
    constituents = Ragged(constituents.offsets, stored)
    columns: dict[str, NDArray[Any]] = {name: values[keep] for name, values in rows.columns.items()}
    own = columns.pop("event_number", None)
    columns |= jets_of(constituents) | {
        "label": label[keep],
        "event": event_numbers(split, 0, file, numbers[keep]),
        "weight": columns.get("weight", np.ones(len(keep))),
    }
    if own is not None:
        columns["source_event"] = own
    vertices = rows.vertices.take(keep) if rows.vertices is not None else None
    tracks = rows.tracks.take(keep) if rows.tracks is not None else None
    return Jets(columns, constituents, no_partons(len(keep)), vertices, tracks)


def require_alike(one: Jets, other: Jets, path: Path, other_path: Path) -> None:
    """Refuse to mix files of which one knows more than the other."""

    def known(jets: Jets) -> set[str]:
        groups = {"constituents": jets.constituents, "tracks": jets.tracks, "vertices": jets.vertices}
        lists = {f"{name}/{column}" for name, ragged in groups.items() if ragged for column in ragged.columns}
        return lists | set(jets.columns)

    if differ := sorted(known(one) ^ known(other)):
        raise InputError(f"{other_path}: {', '.join(differ[:3])} stand in one of it and {path} only; import them apart")


def merged(parts: list[Jets], places: list[NDArray[np.float64]]) -> Jets:
    """Jets of several files, in the order of their places (0 to 1) in the chunk."""
    jets = concatenate(parts)
    return jets.take(np.argsort(np.concatenate(places), kind="stable")) if len(parts) > 1 else jets


def read(reader: Reader, paths: Sequence[Path], split: str, choice: Choice, size: int = CHUNK) -> Iterator[Jets]:
    """The chosen jets of some files, chunk by chunk; memory is that of a chunk.

    Raises
    ------
    InputError
        For an unknown class, a file without rows, what a reader refuses, and if no jet is of the chosen classes.
    """
    label_of = labels(reader, choice)
    found = 0
    with ExitStack() as stack:
        sources: list[Source] = [stack.enter_context(reader.opened(path)) for path in paths]
        for path, source in zip(paths, sources, strict=True):
            if len(source) == 0:
                raise InputError(f"{path}: holds no jets")
        total = sum(len(source) for source in sources)
        rounds = -(-total // size)
        for number in range(rounds):
            parts, places = [], []
            for file, (path, source) in enumerate(zip(paths, sources, strict=True)):
                start, stop = (len(source) * (number + step) // rounds for step in (0, 1))
                if start == stop:
                    continue
                rows = source.read(start, stop)
                numbers = np.arange(start, stop)
                label = np.where(numbers % choice.parts == choice.part, label_of[rows.kind], -1).astype(np.int8)
                parts.append(_jets(rows, label, numbers, split, file, path))
                require_alike(parts[0], parts[-1], paths[0], path)
                places.append((np.flatnonzero(label >= 0) + 0.5) / (stop - start))
            jets = merged(parts, places)
            if choice.limit is not None and found + len(jets) > choice.limit:
                jets = jets.take(np.arange(choice.limit - found))
            found += len(jets)
            if len(jets):
                yield jets
            if found == choice.limit:
                return
    if found == 0:
        wanted = ", ".join((*choice.signal, *choice.background))
        raise InputError(f"{paths[0]}: no jet is of the classes asked for ({wanted})")


def count(reader: Reader, paths: Sequence[Path], choice: Choice) -> int:
    """How many rows will be looked at, for a progress bar; jets of other classes among them."""
    total = 0
    for path in paths:
        with reader.opened(path) as source:
            total += -(-len(source) // choice.parts)
    return min(total, choice.limit) if choice.limit is not None else total
