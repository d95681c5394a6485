"""What the columns of a file may be, by their names: a prefix, such as `part_` or `jets/`, and a word."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.published.columns import Column

WORDS = {  # key of `constituents` -> words, lower case
    "pt": ("pt",),
    "eta": ("eta",),
    "y": ("y", "rapidity"),
    "phi": ("phi",),
    "px": ("px",),
    "py": ("py",),
    "pz": ("pz",),
    "energy": ("energy", "e"),
    "mass": ("mass", "m"),
    "pdgid": ("pdgid", "pdg_id", "pid", "pdg"),
    "charge": ("charge", "q"),
    "d0": ("d0", "dxy", "d0val"),
    "z0": ("z0", "dz", "dzval"),
    "d0_error": ("d0_error", "d0error", "d0err", "d0_err", "dxy_error", "dxyerror", "dxyerr", "dxy_err"),
    "z0_error": ("z0_error", "z0error", "z0err", "z0_err", "dz_error", "dzerror", "dzerr", "dz_err"),
}
RELATIVE_WORDS = {
    "pt": ("ptrel", "pt_rel", "relpt"),
    "eta": ("deta", "etarel", "eta_rel", "releta"),
    "phi": ("dphi", "phirel", "phi_rel", "relphi"),
}
COMMON = ("part_", "constituent_", "constituents_", "pfcand_", "pfcands_")  # these win if several have a momentum
LABELS = ("label", "is_signal", "is_signal_new", "issignal", "signal", "target", "labels", "truth_label", "class", "y")
ONE_HOT = ("label_", "labels_", "label.", "label/", "class_", "is_", "is")
NO_SIGNAL = ("qcd", "background", "bkg", "bg", "light")  # classes that are background wherever they are
SINGLE = {
    "weight": ("weight", "weights", "w", "event_weight", "mcweight", "mceventweight", "genweight"),
    "event": ("event", "event_number", "eventnumber", "evt", "eventid", "event_id"),
    "count": ("count", "n", "npart", "n_part", "nparticles", "n_particles", "nconstituents", "n_constituents", "mult"),
}
FORMS = (("pt", "eta", "phi"), ("px", "py", "pz"), ("pt", "y", "phi"))  # the first that a list has is taken
MOST_VALUES = 20  # of a label


@dataclass(frozen=True)
class Seen:
    """A column and its first rows: `values` are flat."""

    name: str
    column: Column
    values: NDArray[Any]


def parts(name: str, words: Iterable[str]) -> tuple[str, str] | None:
    """A name as prefix and word, if it ends in one of the words; the longest counts."""
    for word in sorted(words, key=len, reverse=True):
        if found := re.fullmatch(rf"(.*[_./]|){re.escape(word)}", name, re.IGNORECASE):
            return found[1], word
    return None


def collections(lists: list[Seen]) -> dict[str, dict[str, str]]:
    """Of the columns with lists those whose word is known: prefix -> key -> column; relative ones as `relative pt`."""
    key_of = {word: key for key, words in WORDS.items() for word in words}
    key_of |= {word: f"relative {key}" for key, words in RELATIVE_WORDS.items() for word in words}
    found: dict[str, dict[str, str]] = {}
    for one in lists:
        if split := parts(one.name, key_of):
            found.setdefault(split[0], {}).setdefault(key_of[split[1]], one.name)
    return found


def constituents(found: dict[str, str], jet: dict[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The key `constituents` from a collection, and which are relative to the jet's; empty if the momentum is unknown.

    Parameters
    ----------
    found : dict
        As `collections` has it.
    jet : dict
        Key -> column of the jets themselves.
    """
    relative: tuple[str, ...] = ()
    form = next((form for form in FORMS if set(form) <= set(found)), None)
    if form is None:
        form = FORMS[0]
        relative = tuple(name for name in form if name not in found and f"relative {name}" in found)
        if not relative or not all(name in found or name in relative for name in form):
            return {}, ()
        if not set(relative) <= set(jet):
            return {}, ()
    out = {name: found[f"relative {name}" if name in relative else name] for name in form}
    size = next((name for name in ("energy", "mass") if name in found), None)
    extra = [name for name in WORDS if name not in ("pt", "eta", "y", "phi", "px", "py", "pz", "energy", "mass")]
    return out | {name: found[name] for name in (size, *extra) if name in found}, relative


def best(lists: list[Seen], jet: dict[str, str]) -> tuple[str, dict[str, str], tuple[str, ...], list[str]]:
    """The collection that looks most like constituents: its prefix, `constituents`, the relative ones; other prefixes.

    The prefix is empty, and so is `constituents`, where none has a momentum.
    """
    lengths = {one.name: one.column.shape[:1] for one in lists}
    options = []
    for prefix, found in collections(lists).items():
        columns, relative = constituents(found, jet)
        if columns and len({lengths[name] for name in columns.values()}) == 1:
            options.append((prefix.lower() in COMMON, len(columns), prefix, columns, relative))
    if not options:
        return "", {}, (), []
    options.sort(key=lambda option: option[:2], reverse=True)
    _, _, prefix, columns, relative = options[0]
    return prefix, columns, relative, [option[2] for option in options[1:]]


def jet_columns(single: list[Seen]) -> dict[str, str]:
    """pt, eta, phi of the jets, of columns with one number for each."""
    out: dict[str, str] = {}
    for one in sorted(single, key=lambda one: "jet" not in one.name.lower()):
        split = parts(one.name, ("pt", "eta", "phi"))
        if split and one.column.kind == "number":
            out.setdefault(split[1], one.name)
    return out


def named(single: list[Seen], words: Iterable[str]) -> Seen | None:
    """The column of that name, whatever its prefix (of one letter: its folder); the words that come first win."""
    for word in words:
        for one in single:
            if parts(one.name, [word]) and (len(word) > 1 or re.split(r"[/.]", one.name)[-1].lower() == word):
                return one
    return None


def one_hot(single: list[Seen]) -> dict[str, str]:
    """Class -> column, of columns of 0 and 1 that begin alike and of which each row has at most one; or nothing."""
    for prefix in ONE_HOT:
        group = [one for one in single if one.column.kind == "number" and one.name.lower().startswith(prefix)]
        group = [one for one in group if len(one.name) > len(prefix) and np.isin(one.values, (0, 1)).all()]
        if len(group) > 1 and np.sum([one.values.astype(np.int64) for one in group], axis=0).max() <= 1:
            return {one.name[len(prefix) :]: one.name for one in group}
    return {}
