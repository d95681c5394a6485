"""HepMC 3 files: by hand, from Pythia against its own record, against pyhepmc, and damaged in every way."""

import gzip
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyhepmc
import pytest
import pythia8mc

from glassjet.errors import InputError
from glassjet.jets import hepmc, matching
from glassjet.jets.events import Events, visible
from glassjet.jets.pythia import captured_stdout

Vertex = tuple[list[int], list[int], tuple[float, float, float, float]]
NOWHERE = (0.0, 0.0, 0.0, 0.0)

# p p -> t tbar; t -> t (recoil) -> W b; W -> W (recoil) -> u dbar; tbar is left as it is; in MeV and cm
PARTICLES = [
    # pdgid, HepMC status, px, py, pz, e
    (2212, 4, 0.0, 0.0, 7e6, 7e6),
    (2212, 4, 0.0, 0.0, -7e6, 7e6),
    (6, 22, 1000.0, 0.0, 2000.0, 3000.0),
    (-6, 1, -1000.0, 0.0, -2000.0, 3000.0),
    (6, 44, 1000.0, 5.0, 2000.0, 3000.0),
    (24, 22, 500.0, 5.0, 1000.0, 1500.0),
    (5, 1, 500.0, 0.0, 1000.0, 1500.0),
    (24, 52, 500.0, 6.0, 1000.0, 1500.0),
    (2, 1, 300.0, 0.0, 400.0, 500.0),
    (-1, 2, 200.0, 6.0, 600.0, 1000.0),
    (211, 1, 200.0, 6.0, 600.0, 1000.0),
]
VERTICES: list[Vertex] = [
    ([0, 1], [2, 3], NOWHERE),
    ([2], [4], NOWHERE),
    ([4], [5, 6], NOWHERE),
    ([5], [7], NOWHERE),
    ([7], [8, 9], (0.1, 0.2, 0.3, 0.5)),
    ([9], [10], NOWHERE),
]


def read(path: Path, size: int, start: int = 0, stop: int = sys.maxsize) -> Iterator[Events]:
    """The events start:stop in batches."""
    for _, events in hepmc.batches(path, size, [(start, stop)]):
        yield events


def event(particles: list[Any], vertices: list[Vertex], units: tuple[str, str] = ("GEV", "MM")) -> pyhepmc.GenEvent:
    made = pyhepmc.GenEvent(getattr(pyhepmc.Units, units[0]), getattr(pyhepmc.Units, units[1]))
    pieces = [pyhepmc.GenParticle(tuple(momentum), pdgid, status) for pdgid, status, *momentum in particles]
    joints = []  # HepMC's particles do not keep their vertices alive
    for incoming, outgoing, position in vertices:
        joints.append(pyhepmc.GenVertex(position))
        for i in incoming:
            joints[-1].add_particle_in(pieces[i])
        for i in outgoing:
            joints[-1].add_particle_out(pieces[i])
    made.add_tree([pieces[0], pieces[1]])
    return made


def by_hand(number: int = 0) -> pyhepmc.GenEvent:
    made = event(PARTICLES, VERTICES, ("MEV", "CM"))
    made.event_number = 100 + number
    made.weights = [2.5 + number, 7.0]
    if number < 3:  # of four
        made.cross_section = pyhepmc.GenCrossSection()
        made.cross_section.set_cross_section(10.0 + number, 0.5)
    return made


def written(path: Path, events: list[Any]) -> Path:
    run = pyhepmc.GenRunInfo()
    run.weight_names = ["nominal", "E up"]
    with pyhepmc.open(path, "w") as file:
        for made in events:
            if len(made.weights) == 2:
                made.run_info = run
            file.write(made)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("hepmc") / "four.hepmc", [by_hand(i) for i in range(4)])


def only(path: Path) -> Events:
    (events,) = read(path, 1000)
    return events


def altered(path: Path, change: Callable[[str], str], name: str = "bad.hepmc") -> Path:
    """A file beside `path` with its changed text."""
    text = change(path.read_text())
    (path.parent / name).write_text(text)
    return path.parent / name


def test_an_event_by_hand_is_read_in_gev_and_mm(file: Path) -> None:
    events = only(file)
    assert events.offsets.tolist() == [0, 11, 22, 33, 44]
    assert events.pdgid.tolist()[11:22] == [particle[0] for particle in PARTICLES]
    assert events.status.tolist()[:11] == [-4, -4, -22, 1, -44, -22, 1, -52, 1, -2, 1]
    assert events.daughters.tolist()[:11] == [
        [2, 3], [2, 3], [4, 4], [-1, -1], [5, 6], [7, 7], [-1, -1], [8, 9], [-1, -1], [10, 10], [-1, -1],
    ]  # fmt: skip
    assert events.daughters[11:22].tolist() == [
        [d + 11 if d >= 0 else -1 for d in pair] for pair in events.daughters[:11]
    ]
    assert pytest.approx(np.array([particle[2:] for particle in PARTICLES]) / 1000) == events.momentum[:, :11].T
    # the pion's vertex is written without a position: HepMC takes that of the vertex above
    assert pytest.approx(np.array([[0, 0, 0]] * 8 + [[1, 2, 3]] * 3)) == events.vertex[:, :11].T
    assert events.weight.tolist() == [2.5, 3.5, 4.5, 5.5]
    assert events.pthat.tolist() == [0, 0, 0, 0]
    assert matching.decays(events, 6).tolist() == [[4 + k, 6 + k, 8 + k, 9 + k] for k in (0, 11, 22, 33)]
    assert matching.decays(events, 24)[0].tolist() == [7, 8, 9]
    assert events.pdgid[visible(events)].tolist()[:4] == [-6, 5, 2, 211]


def test_batches_are_slices_of_the_file(file: Path) -> None:
    assert hepmc.count(file) == 4
    assert [events.weight.tolist() for events in read(file, 3)] == [[2.5, 3.5, 4.5], [5.5]]
    assert [events.weight.tolist() for events in read(file, 1, 1, 3)] == [[3.5], [4.5]]
    assert [events.weight.tolist() for events in read(file, 9, 2, 99)] == [[4.5, 5.5]]
    assert list(read(file, 9, 4)) == []


def test_plain_packed_and_joined_files_are_read_alike(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "four.hepmc.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    joined = altered(file, lambda text: 2 * text, "joined.hepmc")
    dos = altered(file, lambda text: text.replace("\n", "\r\n"), "dos.hepmc")
    assert (hepmc.count(packed), hepmc.count(joined), hepmc.count(dos)) == (4, 8, 4)
    for other in (packed, dos):
        assert only(other).momentum.tobytes() == only(file).momentum.tobytes()
    assert only(joined).weight.tolist() == 2 * only(file).weight.tolist()
    monkeypatch.setattr(hepmc, "BLOCK", 97)  # events and lines are cut anywhere
    assert only(file).vertex.tobytes() == only(packed).vertex.tobytes()
    assert hepmc.count(joined) == 8


def test_the_cross_section_is_that_of_the_last_event_that_has_one(file: Path) -> None:
    assert hepmc.cross_section(file) == (12.0, 0.5)
    unknown = altered(file, lambda text: text.replace("5.00000000e-01 -1", "-1 -1"), "unknown.hepmc")
    assert hepmc.cross_section(unknown) == (12.0, 0.0)
    for change, what in (
        (lambda text: re.sub(r"A 0 GenCrossSection.*\n", "", text), "has no cross section"),
        (lambda text: text.replace("1.20000000e+01", "0"), "gives 0 pb"),
        (lambda text: text.replace("1.20000000e+01", "nan"), "gives nan pb"),
        (lambda text: text.replace("1.20000000e+01", "what"), "gives nan pb"),
    ):
        with pytest.raises(InputError, match=f"bad.hepmc: {what}.*give --signal-cross-section or --background-cross"):
            hepmc.cross_section(altered(file, change))


def test_the_collision_is_the_origin(file: Path) -> None:
    """Whether the event is moved, or the vertex of the beams, or no beams are there."""
    vertices = list(VERTICES)
    vertices[0] = (*vertices[0][:2], (1.0, 2.0, 3.0, 0.0))
    vertices[4] = (*vertices[4][:2], (2.0, 4.0, 6.0, 0.0))
    moved = event(PARTICLES, vertices)
    events = only(written(file.parent / "moved.hepmc", [moved]))
    assert events.vertex[:, [3, 8, 10]].T.tolist() == [[0, 0, 0], [1, 2, 3], [1, 2, 3]]
    placed = altered(file, lambda text: re.sub(r"(?m)^(E .*)$", r"\1 @ 1 1 1 1", text), "placed.hepmc")
    # 1 cm is where the beams meet; the W boson's decay lies at 0.1, 0.2, 0.3 cm
    assert pytest.approx(np.array([[0, 0, 0], [-9, -8, -7]])) == only(placed).vertex[:, [3, 8]].T
    beamless = altered(placed, lambda text: re.sub(r"(?m)^(P [12] .*) 4$", r"\1 21", text), "beamless.hepmc")
    assert only(beamless).vertex.tolist() == only(placed).vertex.tolist()


HEAD = "HepMC::Version 3.02.05\nHepMC::Asciiv3-START_EVENT_LISTING\n"
TAIL = "HepMC::Asciiv3-END_EVENT_LISTING\n"


def test_particles_before_their_vertex_and_a_vertex_for_a_whole_shower(tmp_path: Path) -> None:
    # t (2) and g (3) go in; g t g g come out, and the last t decays; lines in no order, one particle from nowhere
    path = tmp_path / "shower.hepmc"
    path.write_text(
        f"{HEAD}E 0 2 9\n"
        "P 5 -1 6 0 0 0 170 170 11\nP 4 -1 21 1 0 0 1 0 1\nP 6 -1 21 1 0 0 1 0 1\nP 7 -1 21 1 0 0 1 0 1\n"
        "P 9 5 24 0 0 0 80 80 11\nP 8 5 5 0 0 0 90 90 1\nV -1 0 [2,3]\n"
        f"P 2 0 6 0 0 0 170 170 11\nP 3 0 21 1 0 0 1 0 11\nP 1 0 22 1 0 0 1 0 1\n{TAIL}"
    )
    events = only(path)
    assert events.daughters.tolist() == [
        [-1, -1], [4, 4], [3, 6], [-1, -1], [7, 8], [-1, -1], [-1, -1], [-1, -1], [-1, -1],
    ]  # fmt: skip
    assert matching.decays(events, 6).tolist()[0][:1] == [4]
    assert events.weight.tolist() == [1]
    assert events.momentum[3].tolist()[1] == 170  # GeV where no unit is given


def test_particles_without_vertices_are_read(tmp_path: Path) -> None:
    path = tmp_path / "gun.hepmc"
    path.write_text(f"{HEAD}E 0 0 1\nU GEV MM\nP 1 0 22 1 0 0 1 0 1\n{TAIL}")
    events = only(path)
    assert events.daughters.tolist() == [[-1, -1]]
    assert events.vertex.tolist() == [[0], [0], [0]]


def mothers_of(record: Any, i: int) -> list[int]:
    """Pythia's `motherList`: two numbers are two mothers, a range, or one, depending on the status."""
    first, second, status = int(record.mother1[i]), int(record.mother2[i]), abs(int(record.status[i]))
    if first == 0 or status in (11, 12):
        return []
    if second in (0, first):
        return [first]
    if first < second and (81 <= status <= 86 or 101 <= status <= 106):
        return list(range(first, second + 1))
    return sorted((first, second))


class Record:
    """One event of Pythia's as arrays."""

    def __init__(self, entries: Any) -> None:
        self.id, self.status, self.mother1, self.mother2, daughter1, daughter2 = (
            entries[name].to_numpy() for name in ("id", "status", "mother1", "mother2", "daughter1", "daughter2")
        )
        self.daughters = np.stack([daughter1, daughter2], axis=1).astype(np.int64)
        axes = ("px", "py", "pz", "e")  # of positions too: x, y, z, t
        self.p = np.stack([entries.p[axis].to_numpy() for axis in axes])
        self.vertex = np.stack([np.ma.filled(entries.vProd[axis].to_numpy(), 0.0) for axis in axes])

    def events(self) -> Events:
        return Events(
            np.array([0, len(self.id)]),
            self.id,
            self.status,
            np.where(self.daughters > 0, self.daughters, -1),
            self.p,
            self.vertex[:3],
            np.ones(1),
            np.zeros(1),
        )

    def hepmc(self) -> pyhepmc.GenEvent:
        """As Pythia's own converter does it: its status codes, and one vertex for the first mother's daughters."""
        vertices: list[Vertex] = []
        end: dict[int, int] = {}
        particles = []
        for i in range(1, len(self.id)):
            status, pdgid = int(self.status[i]), int(self.id[i])
            decayed = abs(pdgid) > 100 or abs(pdgid) in (13, 15)
            code = 1 if status > 0 else 4 if status == -12 else 2 if decayed else -status
            particles.append((pdgid, code, *map(float, self.p[:, i])))
            mothers = mothers_of(self, i)
            if mothers and mothers[0] not in end:
                new = [mother for mother in mothers if mother not in end]
                end.update({mother: len(vertices) for mother in new})
                x, y, z, t = map(float, self.vertex[:, i])
                vertices.append(([mother - 1 for mother in new], [], (x, y, z, t)))
            if mothers:
                vertices[end[mothers[0]]][1].append(i - 1)
        return event(particles, vertices)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    with captured_stdout():
        pythia = pythia8mc.Pythia("", False)
        for line in (
            "Print:quiet = on", "Top:gg2ttbar = on", "Beams:eCM = 13000", "PartonLevel:MPI = off",
            "Random:setSeed = on", "Random:seed = 7", "6:onMode = off", "6:onIfAny = 5",
            "24:onMode = off", "24:onIfAny = 1 2 3 4 5",
        ):  # fmt: skip
            assert pythia.readString(line)
        assert pythia.init()
        batch = pythia.nextBatch(12, 100.0)
    return [Record(entries) for entries in batch.prt]


@pytest.fixture(scope="module")
def from_pythia(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("pythia") / "top.hepmc", [record.hepmc() for record in records])


def rows(events: Events, position: np.ndarray) -> list[tuple[float, ...]]:
    return sorted(tuple(events.momentum[:, i]) + tuple(events.vertex[:, i]) + (events.pdgid[i],) for i in position)


def test_pythias_record_comes_back(records: list[Record], from_pythia: Path) -> None:
    for record, events in zip(records, read(from_pythia, 1), strict=True):
        original = record.events()
        final, original_final = np.flatnonzero(events.status > 0), np.flatnonzero(original.status > 0)
        assert len(final) > 50
        assert events.momentum[:, final].sum(axis=1) == pytest.approx([0, 0, 0, 13000], abs=1e-3)
        assert sorted(events.pdgid) == sorted(original.pdgid[1:])  # Pythia's first entry is the event as a whole
        assert [row[:4] for row in rows(events, final)] == [row[:4] for row in rows(original, original_final)]
        assert np.abs(events.vertex[:, final]).max() > 1e-3  # some decay away from the collision
        assert rows(events, visible(events)) == rows(original, visible(original))
        for resonance in (6, 24):
            found, expected = matching.decays(events, resonance), matching.decays(original, resonance)
            assert found.shape == expected.shape == (2, 4 if resonance == 6 else 3)
            assert sorted(rows(events, row) for row in found) == sorted(rows(original, row) for row in expected)
        hard, expected = matching.hard_partons(events), matching.hard_partons(original)
        assert len(hard) > 0
        assert rows(events, hard[:, 0]) == rows(original, expected[:, 0])


def test_pyhepmc_reads_the_same(from_pythia: Path) -> None:
    with pyhepmc.open(from_pythia) as oracle:
        for other, events in zip(oracle, read(from_pythia, 1), strict=True):
            particles = other.numpy.particles
            assert events.pdgid.tolist() == particles.pid.tolist()
            assert np.abs(events.status).tolist() == particles.status.tolist()
            assert events.momentum.tolist() == [getattr(particles, axis).tolist() for axis in ("px", "py", "pz", "e")]
            for i, particle in enumerate(other.particles):
                vertex = particle.production_vertex
                if vertex is not None and vertex.id < 0:
                    assert events.vertex[:, i].tolist() == [vertex.position[axis] for axis in range(3)]
                children = [child.id - 1 for child in particle.end_vertex.particles_out] if particle.end_vertex else []
                if len(children) < 3:
                    expected = [min(children), max(children)] if children else [-1, -1]
                    assert events.daughters[i].tolist() == expected


def cut(fraction: float) -> Callable[[str], str]:
    return lambda text: text[: int(fraction * len(text))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: "", r"the file is empty"),
        (lambda t: "hello\n" * 9, r"not HepMC 3: .* HepMC::Asciiv3-START_EVENT_LISTING is needed"),
        (lambda t: t.replace("HepMC::Asciiv3", "HepMC::IO_GenEvent"), r"HepMC 2; convert it"),
        (lambda t: HEAD + TAIL, r"holds no events"),
        (lambda t: HEAD, r"truncated in event 0"),
        (cut(0.6), r"truncated in event 2 or right behind it"),
        (lambda t: t[: t.rindex("HepMC::")], r"truncated in event 3 or right behind it: no HepMC::Asciiv3-END"),
        (lambda t: t[: t.rindex("V ")] + TAIL, r"event 3 has 8 particles, and 11 by its first line"),
        (lambda t: f"{HEAD}E 0 0 0\nU GEV MM\n{TAIL}", r"event 0 has 0 particles, and 0 by its first line"),
        (lambda t: f"{HEAD}E 0 0\nU GEV MM\n{TAIL}", r"event 0 does not begin \(E\)"),
        (lambda t: t.replace("E 102 6", "E 102 x"), r"event 2 has a NaN, infinite or missing number in its first line"),
        (lambda t: t.replace("U MEV", "U TEV", 1), r"event 0 has the units 'TEV CM'"),
        (
            lambda t: re.sub(r"W 3\.50*e\+00", "W nan", t),
            r"event 1 has a NaN, infinite or missing number in its weights",
        ),
        (lambda t: re.sub(r"(P 3 -1 6) \S+", r"\1 nan", t), r"event 0 has a NaN or infinite momentum"),
        (lambda t: re.sub(r"(P 3 -1 6) \S+", r"\1 inf", t), r"event 0 has a NaN or infinite momentum"),
        (lambda t: re.sub(r"(P 3 -1 6) \S+", r"\1 abc", t), r"event 0 has a particle \(P\) that is not nine numbers"),
        (lambda t: re.sub(r"(P 3 -1 6) \S+", r"\1", t), r"event 0 has a particle \(P\) that is not nine numbers"),
        (lambda t: t.replace("P 3 ", "P 4 "), r"event 0 has particles \(P\) that are not numbered"),
        (lambda t: t.replace("P 3 -1 6 ", "P 3 -1 1e300 "), r"event 0 has particles .* PDG id or status cannot be"),
        (lambda t: t.replace("P 3 -1 ", "P 3 -9 "), r"event 0 refers to a particle or vertex that is not there"),
        (lambda t: t.replace("P 5 3 ", "P 5 30 "), r"event 0 refers to a particle or vertex that is not there"),
        (lambda t: t.replace("[1,2]", "[1,99]"), r"event 0 refers to a particle or vertex that is not there"),
        (lambda t: t.replace("[1,2]", "[0,2]"), r"event 0 refers to a particle or vertex that is not there"),
        (lambda t: t.replace("[1,2]", "[1,x]"), r"event 0 has a vertex \(V\) that cannot be read"),
        (lambda t: t.replace("V -1 0 [1,2]", "V -1"), r"event 0 has a vertex \(V\) that cannot be read"),
        (lambda t: re.sub(r"@ \S+", "@ nan", t), r"event 0 has a NaN or infinite position"),
        (lambda t: re.sub(r"@ \S+ \S+ \S+ \S+", "@ 1", t), r"event 0 has a vertex \(V\) that cannot be read"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(change: Callable[[str], str], message: str, file: Path) -> None:
    path = altered(file, change)
    with pytest.raises(InputError, match=message) as error:
        list(read(path, 2))
    assert str(error.value).startswith(f"{path}: ")
    assert re.search(r"; [a-z ]+ again|is needed", str(error.value))
    assert "\n" not in str(error.value)


def test_events_before_the_damage_are_read_and_counting_finds_it(file: Path) -> None:
    path = altered(file, cut(0.6))
    assert [len(events) for events in read(path, 1, 0, 2)] == [1, 1]
    with pytest.raises(InputError, match="truncated in event 2"):
        hepmc.count(path)


@pytest.mark.parametrize("left", [0.9, 0.1])
def test_a_truncated_gzip_file_is_named(left: float, from_pythia: Path, tmp_path: Path) -> None:
    packed = gzip.compress(from_pythia.read_bytes())
    path = tmp_path / "cut.hepmc.gz"
    path.write_bytes(packed[: math.ceil(left * len(packed))])
    for reads in (hepmc.count, hepmc.cross_section, lambda path: list(read(path, 5))):
        with pytest.raises(InputError, match=r"cut\.hepmc\.gz: the gzip stream ends or breaks in event \d+"):
            reads(path)
    damaged = bytearray(packed)
    damaged[len(packed) // 2 : len(packed) // 2 + 50] = bytes(50)
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"cut\.hepmc\.gz: "):
        hepmc.count(path)
