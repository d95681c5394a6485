"""A first YAML for somebody's file (see `layout`): its columns as comments, and what their names say they may be.

Every guess has a comment that says so; what cannot be guessed is TODO, which the reader refuses.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError, existing
from glassjet.jets.kinematics import delta_r, jets_of
from glassjet.jets.published import guesses
from glassjet.jets.published.columns import MAGIC, Column, Lists, Table, Values, column_of, open_table, require_uproot
from glassjet.jets.published.guesses import Seen
from glassjet.jets.published.layout import IMPACT, layout_of
from glassjet.jets.published.mapping import MappedFile
from glassjet.jets.published.plain_yaml import TODO, short

ROWS = 1000
NO_NAMES = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")  # which YAML has for truth and nothing
RADII = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5)
MEV_ABOVE = 20_000  # a median jet pT above it is no GeV
MOST_PLACES = 32  # of a last axis whose places are listed
MOST_TEXTS = 16  # of a column that are listed: names of places may be among them


def word(name: str) -> str:
    """A name as YAML reads it back: in quotes where YAML could take it for something else."""
    simple = re.fullmatch(r"[A-Za-z_][\w./]*", name) and name.lower() not in NO_NAMES
    return name if simple else json.dumps(name)


def plain(text: str) -> str:
    """Text that stays on its line, so that no name or value of a file can end a comment."""
    return text if text.isprintable() else repr(text)


def look(table: Table) -> tuple[list[Seen], list[str]]:
    """The usable columns with their first ROWS rows, and a line about each column there is."""
    found: dict[str, tuple[Column, Values] | str] = {}
    for name in table.names():
        try:
            column = column_of(table, name)
            if column.kind:
                stop = min(column.rows, ROWS)
                found[name] = column, table.read([name], 0, stop)[name] if stop else np.zeros(0)
            else:
                found[name] = column.type
        except InputError as error:
            found[name] = without(error, table.path)
    lengths = [one[0].rows for one in found.values() if not isinstance(one, str)]
    rows = max(set(lengths), key=lambda length: (length > 0, lengths.count(length), length), default=0)
    if rows == 0:
        raise InputError(f"{table.path}: holds no rows of numbers or text")
    seen, lines = [], [f"# {rows} rows; ranges are those of the first {min(rows, ROWS)}"]
    for name, one in found.items():
        if isinstance(one, str):
            lines.append(f"#   {plain(name)}: cannot be used ({plain(one)})")
            continue
        column, values = one
        flat = values.values if isinstance(values, Lists) else values
        counts = np.diff(values.offsets) if isinstance(values, Lists) else None
        first = [] if counts is None else [" to ".join(map(str, sorted({counts.min(), counts.max()})))]
        axes = " x ".join([*first, *map(str, column.shape[len(first) :])])
        other = f"; has {column.rows} rows, so says nothing of each jet" if column.rows != rows else ""
        about = f"{column.type}{axes and f', {axes} in each row'}, {span(flat)}{other}"
        lines.append(f"#   {plain(name)}: {about}")
        if flat.ndim > 1 and len(column.shape) > 1 and flat.shape[-1] <= MOST_PLACES:
            lines += [f"#     {{{plain(name)}: [{i}]}}: {span(flat[..., i])}" for i in range(flat.shape[-1])]
        if not other:
            seen.append(Seen(name, column, flat.reshape(-1)))
    return seen, lines


def without(error: InputError, path: Path) -> str:
    """What an error says, without the file's path."""
    return str(error).removeprefix(f"{path}: ")


def span(values: NDArray[Any]) -> str:
    """The range of numbers, or the first different texts."""
    if values.dtype.kind in "US":
        return ", ".join(map(short, list(dict.fromkeys(values.reshape(-1).tolist()))[:MOST_TEXTS]))
    if values.dtype.kind in "iu" and values.size:
        return f"{values.min()} to {values.max()}"
    numbers = values.astype(np.float64)
    unknown = f", {np.isnan(numbers).mean():.0%} NaN" if np.isnan(numbers).any() else ""
    numbers = numbers[np.isfinite(numbers)]
    return (f"{numbers.min():.6g} to {numbers.max():.6g}" if len(numbers) else "no number") + unknown


def label_lines(single: list[Seen]) -> list[str]:
    """The key `label`."""
    one, hot = guesses.named(single, guesses.LABELS), guesses.one_hot(single)
    values = np.unique(one.values[one.values == one.values]).tolist() if one else []
    if one and values and set(values) <= {0, 1}:
        only = f", of which only {values[0]:g} is in the first rows" if len(values) == 1 else ""
        return [
            f"label: {{column: {word(one.name)}, signal: [1], background: [0]}}  # a guess: its name, and 0 or 1{only}"
        ]
    if hot:
        columns = ", ".join(f"{word(name)}: {word(column)}" for name, column in hot.items())
        background = [name for name in hot if name.lower() in guesses.NO_SIGNAL]
        signal = [name for name in hot if name not in background] if background else [TODO]
        return [
            "label:  # a guess: the columns' names, and that no row has two of them",
            f"  columns: {{{columns}}}",
            f"  signal: [{', '.join(map(word, signal))}]  # a guess: what is no background; keep those you want",
            f"  background: [{', '.join(map(word, background or [TODO]))}]  # a guess by the name",
        ]
    if one and len(values) <= guesses.MOST_VALUES:
        found = ", ".join(map(short, values))
        return [
            f"label: {{column: {word(one.name)}, signal: [{TODO}], background: [{TODO}]}}"
            f"  # a guess by the name; the first rows have {found}; others can be listed under ignore"
        ]
    hint = "signal or background for the whole file, or {column: name, signal: [1], background: [0]}"
    return [f"label: {TODO}  # {hint}"]


def trial(table: Table, words: dict[str, Any], rows: int) -> tuple[float, float, bool]:
    """The median pT of the first jets, the distance that three in four of them stay in, and whether they are hadrons.

    Raises InputError if the columns cannot be what they were guessed to be.
    """
    layout = layout_of(table.path, words | {"label": "signal", "level": "detector", "radius": 1.0})
    lists = MappedFile(layout, table).read(0, min(rows, ROWS)).constituents
    lists = lists.take(np.flatnonzero(lists.counts))
    if not len(lists):
        raise InputError(f"{table.path}: the first rows have no constituents")
    jets = jets_of(lists)
    owner = np.repeat(np.arange(len(lists)), lists.counts)
    eta, phi = lists.columns["eta"], lists.columns["phi"]
    distance = np.maximum.reduceat(delta_r(eta, phi, jets["eta"][owner], jets["phi"][owner]), lists.offsets[:-1])
    hadrons = bool(np.isin(np.abs(lists.columns.get("pdgid", np.zeros(0))), (321, 310, 2112, 2212)).any())
    return float(np.median(jets["pt"])), float(np.quantile(distance, 0.75)), hadrons


def describe(path: Path) -> str:
    """A drafted YAML for a file.

    Raises
    ------
    InputError
        For a file that cannot be read.
    """
    tree, lines = None, [f"# Drafted by glassjet from {plain(path.name)}: every guess says so; check it."]
    with existing(path).open("rb") as file:
        if MAGIC.get(file.read(4)) == "ROOT":
            require_uproot(path)
            from glassjet.jets.published.columns_root import trees_of

            tree, *others = trees_of(path)
            why = f"a guess: the longest; also {', '.join(map(plain, others))}" if others else "the only one with rows"
            lines.append(f"tree: {word(tree)}  # {why}")
    with open_table(path, tree) as table:
        seen, listing = look(table)
        lines += mapping_lines(table, seen)
    return "\n".join([*lines[:1], *listing, *lines[1:]]) + "\n"


def mapping_lines(table: Table, seen: list[Seen]) -> list[str]:
    """All keys but `tree`."""
    single = [one for one in seen if one.column.shape in ((), (1,))]
    numbers = [one for one in single if one.column.kind == "number"]
    lists = [one for one in seen if len(one.column.shape) == 1 and one.column.shape != (1,)]
    lists = [one for one in lists if one.column.kind == "number"]
    jet = guesses.jet_columns(single)
    prefix, constituents, relative, others = guesses.best(lists, jet)
    words: dict[str, Any] = {"constituents": constituents}
    also = f"; also there: {', '.join(f'{plain(other)}…' for other in others)}" if others else ""
    lines = [f"constituents:  # a guess by the names {plain(prefix)}…{also}"]
    lines += [f"  {key}: {word(name)}" for key, name in constituents.items()]
    if not constituents:
        lines = ["constituents:  # no list has pt, eta and phi, or px, py and pz, in its name"]
        lines += [f"  {key}: {TODO}" for key in ("pt", "eta", "phi", "energy")]
    elif not {"energy", "mass"} & set(constituents):
        lines.append("  # neither energy nor mass was found: massless")
    if relative:
        words |= {"relative_to_jet": list(relative), "jet": {key: jet[key] for key in relative}}
        columns = ", ".join(f"{key}: {word(jet[key])}" for key in relative)
        lines += [
            f"relative_to_jet: [{', '.join(relative)}]  # a guess by the names; JetClass has eta times a sign",
            f"jet: {{{columns}}}  # a guess by the names",
        ]
    else:
        lines.append("# jet: {name: column}  # to keep more of each jet; nothing that gives its label away")
    padded = [one for one in lists if one.name in constituents.values() and one.column.shape[0] is not None]
    count = guesses.named(numbers, guesses.SINGLE["count"])
    if padded and count and ((count.values >= 0) & (count.values <= padded[0].column.shape[0])).all():
        words["count"] = count.name
        lines.append(f"count: {word(count.name)}  # a guess by the name: entries beyond it are padding")
    lines += physics_lines(table, words, seen[0].column.rows, constituents)
    lines += label_lines(single)
    for key in ("weight", "event"):
        if one := guesses.named(numbers, guesses.SINGLE[key]):
            lines.append(f"{key}: {word(one.name)}  # a guess by the name")
    return [*lines, "# sqrts: 13000  # GeV, if you know it", '# cite: "arXiv:…"']


def physics_lines(table: Table, words: dict[str, Any], rows: int, constituents: dict[str, str]) -> list[str]:
    """The keys units, radius and level, from the first jets as they are read with the guesses so far."""
    length = ", length: mm" if set(IMPACT) & set(constituents) else ""
    length_why = "; mm is a guess, CMS has cm" if length else ""
    unit, radius, level = TODO, TODO, TODO
    unit_why, radius_why, level_why = "GeV or MeV", "of the jets", "particle or detector"
    if constituents:
        try:
            pt, reach, hadrons = trial(table, words, rows)
        except InputError as error:
            unit_why += f"; with these guesses the jets cannot be read: {plain(without(error, table.path))}"
        else:
            unit = "MeV" if pt > MEV_ABOVE else "GeV"
            unit_why = f"a guess: the median jet pT is {pt:.6g}"
            radius = str(next((one for one in RADII if reach <= one), TODO))
            radius_why = f"a guess: in three of four jets all constituents are within {reach:.3g} of the axis"
            level = "particle" if hadrons else "detector"
            level_why = "a guess: kaons, neutrons or protons are told apart" if hadrons else "a guess, or particle"
    return [
        f"units: {{momentum: {unit}{length}}}  # {unit_why}{length_why}",
        f"level: {level}  # {level_why}",
        f"radius: {radius}  # {radius_why}",
    ]
