"""Cards: what each task is made of, and what Pythia is told. Imports nothing heavy.

A task has a card, `tasks/<task>.yaml`: its two processes, the collision, the shower, the jets and their matching, each
line with the reason. A process is a file of Pythia's own settings, `processes/<process>.cmnd`. Both can be a user's
own: a card is then the path of a YAML file with the same keys, and a process the path of a file of Pythia's settings
(.cmnd), of parton-level events that Pythia showers (.lhe, Les Houches Event File, hep-ph/0609017), or of whole events
(.hepmc, HepMC3, arXiv:1912.08005); the last two may be compressed (.gz).
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from glassjet.errors import InputError, existing, unknown

HERE = Path(__file__).parent
TASKS = {path.stem: path for path in sorted((HERE / "tasks").glob("*.yaml"))}
PROCESSES = {path.stem: path for path in sorted((HERE / "processes").glob("*.cmnd"))}
SUFFIXES = {".cmnd": "pythia", ".lhe": "lhe", ".lhe.gz": "lhe", ".hepmc": "hepmc", ".hepmc.gz": "hepmc"}
# What the card's keys say of Pythia: a process that says it too would contradict them.
MANAGED = {
    "beams:ecm": "sqrts",
    "beams:frametype": "signal or background (a .lhe file)",
    "beams:lhef": "signal or background (a .lhe file)",
    "tune:pp": "tune",
    "pdf:pset": "pdf",
    "partonlevel:mpi": "mpi",
    "partonlevel:isr": "isr",
    "partonlevel:fsr": "fsr",
    "hadronlevel:all": "hadronisation",
    "timeshower:renormmultfac": "fsr_scale",
    "particledecays:limittau0": "stable_ctau",
    "particledecays:tau0max": "stable_ctau",
    "phasespace:pthatmin": "signal_pthat or background_pthat",
    "phasespace:pthatmax": "signal_pthat or background_pthat",
    "phasespace:bias2selection": "signal_pthat_power or background_pthat_power",
    "phasespace:bias2selectionpow": "signal_pthat_power or background_pthat_power",
    "phasespace:bias2selectionref": "signal_pthat_power or background_pthat_power",
    "random:setseed": "seed",
    "random:seed": "seed",
}


@dataclass(frozen=True)
class Process:
    """Where the events of a class come from.

    Attributes
    ----------
    name : str
        The word for it: the file's name without its suffix.
    formula : str
        What it is, in plain text; empty for a user's own.
    kind : str
        "pythia" (settings), "lhe" (parton-level events, showered by Pythia) or "hepmc" (whole events).
    path : Path
    lines : tuple of (int, str)
        Lines for Pythia's `readString`, with their numbers in the file; none for event files.
    """

    name: str
    formula: str
    kind: str
    path: Path
    lines: tuple[tuple[int, str], ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether it is a file of events, which end."""
        return self.kind != "pythia"


def process_of(text: str) -> Process:
    """The process of that name, or in that file; an InputError shows the names that exist."""
    kind = kind_of(text)
    if kind is None:
        raise InputError(f"{unknown('process', text, PROCESSES)}, or a file: {', '.join(SUFFIXES)}")
    path = PROCESSES.get(text, Path(text))
    existing(path)
    name = text if text in PROCESSES else path.name[: path.name.index(".")]
    if kind != "pythia":
        return Process(name, "", kind, path)
    lines = settings_in(path)
    formula = path.read_text().split("\n", 1)[0].partition(": ")[2] if text in PROCESSES else ""
    return Process(name, formula, kind, path, lines)


def kind_of(text: str) -> str | None:
    """How a process is given, by its name or suffix; None if it is neither."""
    if text in PROCESSES:
        return "pythia"
    return next((kind for suffix, kind in SUFFIXES.items() if text.endswith(suffix)), None)


def settings_in(path: Path) -> tuple[tuple[int, str], ...]:
    """The settings of a file in Pythia's format (.cmnd), with their line numbers.

    Comments are lines that begin with something else than a letter or digit, what stands behind a "!", and blocks
    between lines that begin with /* and */, as for Pythia's `readFile`. Main: settings are for other programs.

    Raises
    ------
    InputError
        For a line that is no setting, a setting that the card's keys make, and a file without settings.
    """
    found: list[tuple[int, str]] = []
    inside = False
    try:
        text = existing(path).read_text()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; a process is a file of Pythia's settings (.cmnd)") from None
    for number, full in enumerate(text.splitlines(), 1):
        line = full.strip()
        inside = (inside or line.startswith("/*")) and not line.startswith("*/")
        if inside or not line[:1].isalnum():
            continue
        line = line.partition("!")[0].strip()
        name = line.partition("=")[0].strip().lower()
        if "=" not in line:
            raise InputError(f"{path}, line {number}: {line!r} is no setting; write it as name = value")
        if name in MANAGED:
            raise InputError(f"{path}, line {number}: {line!r} is the business of the key {MANAGED[name]}; remove it")
        if not name.startswith("main:"):
            found.append((number, line))
    if not found:
        raise InputError(f"{path}: holds no settings; name the process in it, such as HardQCD:all = on")
    return tuple(found)


def card_of(name: str) -> dict[str, Any]:
    """What a card says: its keys with their values, not yet checked.

    Parameters
    ----------
    name : str
        A task that has a card, or the path of a YAML file.
    """
    if name not in TASKS and not name.endswith((".yaml", ".yml")):
        raise InputError(f"{unknown('card', name, TASKS)}, or a file: .yaml")
    path = TASKS.get(name, Path(name))
    try:
        content = yaml.safe_load(existing(path).read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: a card is a list of keys with values; see the cards in {HERE / 'tasks'}")
    return content


@cache
def digest(text: str) -> str:
    """A digest of what a process is: of its settings, or of its file's bytes."""
    process = process_of(text)
    if not process.is_file:
        return hashlib.blake2b("\n".join(line for _, line in process.lines).encode(), digest_size=16).hexdigest()
    with process.path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
