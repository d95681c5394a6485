"""The text of one event of a HepMC 3 file as `Events`.

    E number vertices particles [@ x y z t]      its beginning, less the E
    U GEV|MEV MM|CM
    W weight …
    A 0 GenCrossSection pb error …
    P id origin pdgid px py pz e m status        origin: a vertex (-1, -2, …), the only mother (1, 2, …), or 0
    V id status [incoming particles] [@ x y z t]

Format: Buckley et al., arXiv:1912.08005, and HepMC 3's writer. The lines are parsed here and not by pyhepmc (2.16.1),
which the tests compare with: it crashes on a vertex of particles that do not exist, reads as 0 what is no number, drops
events in which a particle stands before its mother, and takes 1.7 times as long.
"""

import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.events import Events

IN_GEV, IN_MM = {"GEV": 1.0, "MEV": 1e-3}, {"MM": 1.0, "CM": 10.0}
FINAL, BEAM = 1, 4  # HepMC's status codes
MOST_CODE = 1 << 31  # no id is as large

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def parse(text: str) -> Events:
    """One event as `glassjet.jets.hepmc.batches` says; a ValueError says what is wrong, to be read behind "event 7"."""
    lines: dict[str, list[str]] = defaultdict(list)
    head, *others = text.split("\n")
    for line in others:
        lines[line[:2]].append(line[2:])
    numbers = _numbers(head.replace("@", ""), "first line (E)")
    if len(numbers) not in (3, 7):
        raise ValueError("does not begin (E) with its number and those of vertices and particles")
    particles, place = numbers[2], numbers[3:6]
    if len(lines["P "]) != particles or not particles:
        raise ValueError(f"has {len(lines['P '])} particles, and {particles:g} by its first line")
    identity, origin, pdgid, status, *momentum = _particles(lines["P "])
    gev, mm = _units(lines["U "][0] if lines["U "] else "GEV MM")
    weight = _numbers(lines["W "][0], "weights (W)")[0] if lines["W "] else 1.0

    production, end, mother, position = _graph(origin.astype(np.int64), lines["V "])
    place_of_event = np.array(place) if place else np.zeros(3)
    position = _inherited(position, np.where(mother < 0, -1, production[mother]), place_of_event)
    position = np.vstack([position, place_of_event])  # for -1
    beams = np.flatnonzero(status == BEAM)
    collision = position[end[beams[0]] if len(beams) else -1]
    vertex = np.where(production[:, None] < 0, 0.0, mm * (position[production] - collision))
    return Events(
        np.array([0, len(identity)]),
        pdgid.astype(np.int32),
        np.where(status == FINAL, FINAL, -status).astype(np.int32),
        _daughters(production, end, pdgid.astype(np.int64)),
        gev * np.stack(momentum),
        vertex.T,
        np.array([weight]),
        np.zeros(1),
    )


def _numbers(line: str, what: str) -> list[float]:
    try:
        numbers = [float(word) for word in line.split()]
    except ValueError:
        numbers = []
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"has a NaN, infinite or missing number in its {what}")
    return numbers


def _units(line: str) -> tuple[float, float]:
    words = line.split()
    if len(words) != 2 or words[0] not in IN_GEV or words[1] not in IN_MM:
        raise ValueError(f"has the units {line.strip()!r}, which are not GEV or MEV and MM or CM")
    return IN_GEV[words[0]], IN_MM[words[1]]


def _particles(lines: list[str]) -> Floats:
    """Rows id, origin, pdgid, status, px, py, pz, e of all particles, by rising id: 1, 2, …"""
    try:
        rows = np.loadtxt(lines, usecols=(0, 1, 2, 8, 3, 4, 5, 6), comments=None, ndmin=2).T
    except ValueError:
        raise ValueError("has a particle (P) that is not nine numbers") from None
    if not np.isfinite(rows[4:]).all():
        raise ValueError("has a NaN or infinite momentum")
    rows = rows[:, np.argsort(rows[0])]
    if not (np.array_equal(rows[0], np.arange(1, rows.shape[1] + 1)) and (np.abs(rows[:4]) < MOST_CODE).all()):
        raise ValueError("has particles (P) that are not numbered 1, 2, … or whose origin, PDG id or status cannot be")
    return rows


def _graph(origin: Ints, lines: list[str]) -> tuple[Ints, Ints, Ints, Floats]:
    """How particles and vertices hang together.

    Returns
    -------
    production, end : (particles,)
        The vertices a particle comes from and ends in; -1 for none.
    mother : (vertices,)
        The first particle that ends in a vertex, -1 for none. The vertices written with V come first.
    position : (vertices, 3)
        As written; 0 where nothing is.
    """
    name, counts, incoming, position = _vertices(lines)
    by_name = np.argsort(name)
    from_vertex = np.flatnonzero(origin < 0)
    row = np.searchsorted(name[by_name], origin[from_vertex])
    if (
        max(incoming.max(initial=0), origin.max() - 1) >= len(origin)
        or incoming.min(initial=0) < 0
        or row.max(initial=-1) >= len(name)
        or (name[by_name][row] != origin[from_vertex]).any()
    ):
        raise ValueError("refers to a particle or vertex that is not there")

    end = np.full(len(origin), -1)
    end[incoming] = np.repeat(np.arange(len(name)), counts)
    alone = np.unique(origin[origin > 0]) - 1
    alone = alone[end[alone] < 0]
    end[alone] = len(name) + np.arange(len(alone))
    production = np.full(len(origin), -1)
    production[origin > 0] = end[origin[origin > 0] - 1]
    production[from_vertex] = by_name[row]
    mother = np.full(len(name), -1)
    mother[counts > 0] = incoming[(np.cumsum(counts) - counts)[counts > 0]]
    return (
        production,
        end,
        np.concatenate([mother, alone]),
        np.concatenate([position, np.zeros((len(alone), 3))]),
    )


def _vertices(lines: list[str]) -> tuple[Ints, Ints, Ints, Floats]:
    """The name (negative) of each vertex, how many particles end in it, which ones (flat), and its position."""
    fields = [line.split() for line in lines]
    try:
        name = np.array([int(words[0]) for words in fields], np.int64)
        lists = [words[2].strip("[]") for words in fields]
        counts = np.array([entry.count(",") + 1 if entry else 0 for entry in lists], np.int64)
        incoming = np.array([int(word) - 1 for word in ",".join(filter(None, lists)).split(",") if word], np.int64)
        placed = [row for row, words in enumerate(fields) if len(words) > 3]
        position = np.zeros((len(fields), 3))
        position[placed] = np.array([fields[row][4:7] for row in placed], np.float64).reshape(-1, 3)
    except (ValueError, IndexError):
        raise ValueError("has a vertex (V) that cannot be read") from None
    if not np.isfinite(position).all():
        raise ValueError("has a NaN or infinite position")
    return name, counts, incoming, position


def _inherited(position: Floats, above: Ints, place_of_event: Floats) -> Floats:
    """Positions (vertices, 3), those that are 0 from the vertex `above`, and so on up to the event's: HepMC's rule."""
    known = (position != 0).any(axis=1)
    source = np.where(known, np.arange(len(known)), above)
    for _ in range(len(known).bit_length()):  # each round doubles the steps taken
        source = np.where(source < 0, -1, source[source])
    return np.where(((source >= 0) & known[source])[:, None], position[source], place_of_event)


def _daughters(production: Ints, end: Ints, pdgid: Ints) -> Ints:
    """First and last daughter of each particle, as `batches` says."""
    children = np.flatnonzero(production >= 0)
    vertices = max(production.max(), end.max()) + 1
    first, last = np.full(vertices, len(end)), np.full(vertices, -1)
    np.minimum.at(first, production[children], children)
    np.maximum.at(last, production[children], children)
    parents = np.flatnonzero(end >= 0)
    parents = parents[last[end[parents]] >= 0]
    daughters = np.full((len(end), 2), -1)
    daughters[parents] = np.stack([first[end[parents]], last[end[parents]]], axis=1)
    if len(parents) == 0:
        return daughters

    key = production[children] * 2 * MOST_CODE + pdgid[children]
    order = np.argsort(key, kind="stable")
    wanted = end[parents] * 2 * MOST_CODE + pdgid[parents]
    place = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    copy = children[order][place]
    hidden = (key[order][place] == wanted) & (copy[:, None] != daughters[parents]).all(axis=1)
    daughters[parents[hidden]] = copy[hidden, None]
    return daughters
