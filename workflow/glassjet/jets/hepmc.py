"""HepMC 3 event files (ASCII, plain or gzip) as `Events`, in batches: memory is that of a batch.

Events are counted from 0 by their place in the file, whatever number they bear. Between the lines START and END each
begins with a line "E …"; what else it holds is in `glassjet.jets.hepmc_event`. Files may be joined end to end.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from glassjet.errors import InputError
from glassjet.jets.compressed import DAMAGED, opened
from glassjet.jets.events import Events, concatenate
from glassjet.jets.hepmc_event import parse

START, END = b"HepMC::Asciiv3-START_EVENT_LISTING", b"\nHepMC::Asciiv3-END_EVENT_LISTING"
HEPMC2 = b"HepMC::IO_GenEvent"
CROSS_SECTION = b"\nA 0 GenCrossSection "
BLOCK = 1 << 20  # bytes read at a time


def texts(path: Path) -> Iterator[bytes]:
    """The text of each event, without its leading "E ". Nothing is parsed; a truncated file raises behind its last
    complete event."""
    number, rest = -1, b""  # of the piece that ends next: the header stands before event 0
    again = "copy it again or make it again"
    try:
        with opened(path) as file:
            while block := file.read(BLOCK):
                if number < 0 and not rest and START not in block:
                    what = "HepMC 2; convert it (HepMC 3's convert_example), for" if HEPMC2 in block else "not HepMC 3:"
                    raise InputError(f"{path}: {what} a HepMC 3 ASCII file that begins with {START.decode()} is needed")
                *complete, rest = (rest + block).split(b"\nE ")
                for text in complete:
                    if number >= 0:
                        yield text.partition(b"\nHepMC::")[0]  # of the files that were joined to this one
                    number += 1
    except DAMAGED:
        raise InputError(f"{path}: the gzip stream ends or breaks in event {max(number, 0)}; {again}") from None
    if not rest:
        raise InputError(f"{path}: not a HepMC 3 ASCII file, it is empty; {again}")
    text, end, _ = rest.partition(END)
    if not end:
        raise InputError(
            f"{path}: truncated in event {max(number, 0)} or right behind it: no {END.decode()[1:]}; {again}"
        )
    if number < 0:
        raise InputError(f"{path}: holds no events; {again}")
    yield text


def count(path: Path) -> int:
    """The number of events, from one pass over the whole file, which refuses a truncated one."""
    return sum(1 for _ in texts(path))


def cross_section(path: Path) -> tuple[float, float]:
    """The cross section and its error, pb, of the last event that has one: generators improve it as they go on.

    An error that is negative or no number, as some write for "unknown", is 0.
    """
    last = None
    for text in texts(path):
        place = text.rfind(CROSS_SECTION)
        if place >= 0:
            last = text[place + len(CROSS_SECTION) :].split(maxsplit=2)[:2]
    try:
        value, error = map(float, last or ())
    except ValueError:
        value, error = math.nan, math.nan
    if not 0 < value < math.inf:
        what = "has no cross section" if last is None else f"gives {value:g} pb as its cross section"
        raise InputError(f"{path}: {what}; give --signal-cross-section or --background-cross-section in pb")
    return value, error if 0 < error < math.inf else 0.0


def batches(path: Path, size: int, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, Events]]:
    """The events low:high of a file for each range, which rise, at most `size` at a time; others are passed over.

    Yields the number of the first event of a batch, and the batch.

    Momenta are in GeV and positions in mm, from the place where the beams end. The status is that of HepMC for final
    particles (1) and its negative for all others, so that Pythia's -23 for outgoing partons of the hard process is -23
    here. The weight is the event's first, 1 without any. pTHat is not in the files: 0.

    The daughters are the first and the last particle that leave the vertex in which a particle ends. Where a copy of
    the particle leaves it between these two (one vertex for a whole shower), that copy is both.
    """
    stream, position = enumerate(texts(path)), 0
    for low, high in ranges:
        chosen = islice(stream, low - position, high - position)
        while part := [(number, event_of(text, path, number)) for number, text in islice(chosen, size)]:
            yield part[0][0], concatenate([event for _, event in part])
        position = high


def event_of(text: bytes, path: Path, number: int) -> Events:
    """One event from its text; path and number are for the message if it is damaged."""
    try:
        return parse(text.decode(errors="replace"))
    except ValueError as error:
        raise InputError(f"{path}: event {number} {error}; remove that event or make the file again") from None
