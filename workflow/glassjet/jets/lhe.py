"""Les Houches event files, before Pythia reads them: Pythia says little of what is wrong with one.

Format: Alwall et al., hep-ph/0609017. Inside of <LesHouchesEvents> stand one <init> block and any number of <event>
blocks. The first line of <init> holds ten numbers, the last of which is that of the processes; a line of each process
follows: its cross section (pb), the error, the largest weight, the process's number.
"""

import math
import re
from pathlib import Path

from glassjet.errors import InputError
from glassjet.jets.compressed import DAMAGED, opened

ROOT = b"LesHouchesEvents"
TAG = re.compile(rb"<(/?)(init|event|LesHouchesEvents)[\s>]")
HEAD = 1 << 16  # bytes in which the first tag must stand
AGAIN = "copy it again or make it again"


def cross_section(init: list[bytes], path: Path) -> float:
    """Sum of the processes' cross sections (pb) from the lines of an <init> block.

    Parameters
    ----------
    path : Path
        For the message of the InputError, if there is none above zero.
    """
    lines = (line for line in init if line.strip() and not line.startswith(b"#"))
    numbers = [line.lower().replace(b"d", b"e").split() for line in lines]  # Fortran writes 1.5D+02
    try:
        processes = int(numbers[0][9])
        total = math.fsum(float(line[0]) for line in numbers[1 : 1 + processes])
        complete = 0 < processes < len(numbers)
    except (IndexError, ValueError, OverflowError):
        complete, total = False, math.nan
    if not complete:
        raise InputError(f"{path}: the <init> block has no cross section of each process; {AGAIN}")
    if not 0 < total < math.inf:
        raise InputError(
            f"{path}: a process without a cross section: the <init> block gives {total:g} pb in all; "
            "set XSECUP there, in pb, or let the generator integrate the process and make the file again"
        )
    return total


def count(path: Path) -> int:
    """The number of <event> blocks of a file, plain or gzip, which is read once, line by line.

    An InputError refuses what is not a Les Houches event file, what is truncated, and a file without an <init> block,
    without a cross section or without events.
    """
    events, block = 0, b""
    closed: set[bytes] = set()
    init: list[bytes] = []
    try:
        with opened(path) as file:
            if ROOT not in file.read(HEAD):
                raise InputError(
                    f"{path}: not a Les Houches event file: no <LesHouchesEvents> in front; give one that is"
                )
            file.seek(0)
            for line in file:
                tag = TAG.search(line) if b"<" in line else None
                if tag is None:
                    if block == b"init":
                        init.append(line)
                    continue
                closes, name = tag.groups()
                if block and not (closes and name == block):
                    raise InputError(
                        f"{path}: truncated or damaged: no </{block.decode()}> behind {events} complete events; {AGAIN}"
                    )
                if not closes:
                    block = name if name != ROOT else b""
                    continue
                closed.add(name)
                events += name == block == b"event"
                block = b""
                if name == b"init":
                    cross_section(init, path)
    except DAMAGED:
        raise InputError(f"{path}: the gzip stream ends or breaks in event {events} (from 0); {AGAIN}") from None
    if b"init" not in closed:
        raise InputError(f"{path}: no <init> block that ends with </init>, so no cross section; {AGAIN}")
    if block or ROOT not in closed:
        raise InputError(f"{path}: truncated behind {events} complete events: no </LesHouchesEvents>; {AGAIN}")
    if not events:
        raise InputError(f"{path}: holds no events; {AGAIN}")
    return events
