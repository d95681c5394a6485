"""Jets from files of events: Les Houches events that Pythia showers, whole events in HepMC; each event in one split."""

from pathlib import Path
from typing import Any

import numpy as np
import pyhepmc
import pytest
import pythia8mc

from glassjet.cli.main import main
from glassjet.jets import pythia, store
from glassjet.jets.generation import CYCLE, PERIOD, ranges
from glassjet.jets.store import SPLITS

EVENTS = 1000
COMMON = ["Beams:eCM = 14000.", "Random:setSeed = on", "Random:seed = 3", "PartonLevel:MPI = off", "Print:quiet = on"]
HARD = {
    "top": ["Top:gg2ttbar = on", "PhaseSpace:pTHatMin = 500.", "PhaseSpace:pTHatMax = 700."],
    "qcd": ["HardQCD:gg2gg = on", "PhaseSpace:pTHatMin = 500.", "PhaseSpace:pTHatMax = 700."],
}


def started(lines: list[str]) -> Any:
    generator = pythia8mc.Pythia("", False)
    assert all(generator.readString(line) for line in [*COMMON, *lines])
    assert generator.init()
    return generator


def les_houches(path: Path, name: str, sigma: float = 20.0) -> Path:
    """Hard processes as a Les Houches file, written from Pythia's record of them."""
    blocks = []
    with pythia.captured_stdout():
        generator = started([*HARD[name], "PartonLevel:all = off"])
        for _ in range(EVENTS):
            assert generator.next()
            process = generator.process
            lines = []
            for i in range(3, 7):
                one, incoming = process[i], i < 5
                mothers = "0 0" if incoming else "1 2"
                lines.append(
                    f"{one.id()} {-1 if incoming else 1} {mothers} {one.col()} {one.acol()} {one.px():.10e} "
                    f"{one.py():.10e} {one.pz():.10e} {one.e():.10e} {one.m():.10e} 0. 9."
                )
            scale = generator.infoPython().QRen()
            blocks.append(f"<event>\n4 1 1.0 {scale:.6e} 0.0078 0.118\n" + "\n".join(lines) + "\n</event>\n")
    init = f"<init>\n2212 2212 7000. 7000. 0 0 0 0 3 1\n{sigma} 0.1 1.0 1\n</init>\n"
    path.write_text(f'<LesHouchesEvents version="1.0">\n{init}{"".join(blocks)}</LesHouchesEvents>\n')
    return path


def command(out: Path, signal: Path, background: Path, split: str, *more: str) -> list[str]:
    words = ["generate", "--card", "top", "--signal", str(signal), "--background", str(background)]
    return [*words, "--sample", "mine", "--split", split, "--shard-size", "100", "--out", str(out), *more]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("lhe")
    return les_houches(folder / "tt.lhe", "top"), les_houches(folder / "gg.lhe", "qcd", 400.0)


def test_every_event_of_a_file_is_in_one_split() -> None:
    for total in (PERIOD, 3 * PERIOD, 3 * PERIOD + 125):
        owners = np.zeros(total, int)
        for split in SPLITS:
            for low, high in ranges(split, 0, total):
                owners[low:high] += 1
        assert (owners == 1).all()
    assert [high - low for low, high in CYCLE.values()] == [120, 20, 30, 30]


def test_les_houches_events_become_jets(files: tuple[Path, Path], tmp_path: Path) -> None:
    many = ["--jets-signal", "40", "--jets-background", "60"]
    assert main(command(tmp_path / "a.h5", *files, "train", *many, "--tracks", "measured")) == 0
    assert main(command(tmp_path / "b.h5", *files, "train", *many, "--tracks", "measured", "--processes", "2")) == 0
    jets, said = store.read(tmp_path / "a.h5"), store.metadata(tmp_path / "a.h5")
    again = store.read(tmp_path / "b.h5")
    assert all((jets.columns[name] == again.columns[name]).all() for name in jets.columns)
    assert (said["signal"], said["background"]) == ("tt", "gg")
    for label, role, sigma, wanted in ((1, "signal", 20.0, 40), (0, "background", 400.0, 60)):
        chosen = jets.columns["label"] == label
        assert chosen.sum() == wanted == said["cutflow"][role]["jets"]
        cross_sections = said["cross_sections"][role]
        assert cross_sections["cross_section_pb"] == pytest.approx(sigma, rel=1e-3)
        assert jets.columns["weight"][chosen].sum() == pytest.approx(cross_sections["selected_cross_section_pb"])
        passed, tried = said["cutflow"][role]["matched" if label else "acceptance"], said["cutflow"][role]["events"]
        assert cross_sections["selected_cross_section_pb"] == pytest.approx(sigma * passed / tried, rel=1e-3)
    partons = jets.partons.take(np.flatnonzero(jets.columns["label"] == 1))
    assert (np.abs(partons.columns["pdgid"].reshape(-1, 4))[:, :2] == [6, 5]).all()
    assert np.median(jets.columns["mass"][jets.columns["label"] == 1]) == pytest.approx(174, abs=6)

    assert main(command(tmp_path / "c.h5", *files, "test", "--jets-signal", "5", "--jets-background", "5")) == 0
    assert not set(jets.columns["pt"].tolist()) & set(store.read(tmp_path / "c.h5").columns["pt"].tolist())


def test_a_file_that_is_too_short_says_how_many_it_has(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = ["--jets-signal", "5000", "--jets-background", "10"]
    assert main(command(tmp_path / "x.h5", *files, "validation", *many)) == 2
    error = capsys.readouterr().err
    assert "jets of the split validation that pass, and 5000 are asked for; give --jets-signal" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x.h5").exists()


def test_a_file_may_end_anywhere(files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = files[0].read_text()
    head, *events = text.removesuffix("</LesHouchesEvents>\n").split("<event>\n")
    for count, code in ((230, 0), (100, 2)):  # the second 200 have no test events yet; neither has a file of 100
        cut = tmp_path / f"{count}.lhe"
        cut.write_text("<event>\n".join([head, *events[:count]]) + "</LesHouchesEvents>\n")
        words = command(tmp_path / "x.h5", cut, files[1], "test", "--jets-signal", "1", "--jets-background", "1")
        assert main(words) == code
    assert (
        "100.lhe: has 100 events, and none of the split test, for which it takes up to 200" in capsys.readouterr().err
    )


def test_events_that_pythia_can_make_nothing_of_are_named(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd.lhe"
    odd.write_text(files[0].read_text().replace("\n6 1 1 2", "\n6 1 0 0").replace("\n-6 1 1 2", "\n9999 1 0 0"))
    assert main(command(tmp_path / "x.h5", odd, files[1], "test", "--jets-signal", "1", "--jets-background", "1")) == 2
    error = capsys.readouterr().err
    assert "odd.lhe" in error
    assert error.count("\n") == 1


def test_a_truncated_file_is_named(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.lhe"
    cut.write_text(files[0].read_text()[:-3000])
    assert main(command(tmp_path / "x.h5", cut, files[1], "test", "--jets-signal", "5", "--jets-background", "5")) == 2
    assert f"{cut}: truncated" in capsys.readouterr().err


def test_whole_events_become_the_jets_that_pythia_itself_gives(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hepmc_from_pythia(tmp_path / "tt.hepmc", 200)
    many = ["--jets-signal", "5", "--jets-background", "5"]
    assert main(command(tmp_path / "x.h5", path, files[1], "train", *many)) == 2
    assert "tt.hepmc: has no cross section; give --signal-cross-section or" in capsys.readouterr().err
    given = [*many, "--signal-cross-section", "7.5"]
    assert main(command(tmp_path / "x.h5", path, files[1], "train", *given)) == 0
    jets, said = store.read(tmp_path / "x.h5"), store.metadata(tmp_path / "x.h5")
    signal = jets.take(np.flatnonzero(jets.columns["label"] == 1))
    assert said["cross_sections"]["signal"]["cross_section_pb"] == 7.5
    assert said["cutflow"]["signal"]["events"] == 120
    assert (np.abs(signal.partons.columns["pdgid"].reshape(-1, 4))[:, :2] == [6, 5]).all()
    assert np.abs(signal.columns["mass"] - 174).min() < 15


def hepmc_from_pythia(path: Path, events: int) -> Path:
    """Events of Pythia as a HepMC file without a cross section: a vertex for each group of siblings."""
    with pythia.captured_stdout():
        generator = started(
            [*HARD["top"], "6:onMode = off", "6:onIfAny = 5", "24:onMode = off", "24:onIfAny = 1 2 3 4"]
        )
        record = generator.nextBatch(events, 100.0)
    with pyhepmc.open(str(path), "w") as out:
        for number, prt in enumerate(record.prt):
            out.write(as_hepmc(prt, number))
    return path


def as_hepmc(prt: Any, number: int) -> Any:
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.event_number = number
    ids, status, first, last = (prt[name].to_numpy() for name in ("id", "status", "mother1", "mother2"))
    momenta = np.stack([prt.p[axis].to_numpy() for axis in ("px", "py", "pz", "e")], axis=1)
    particles, vertices = {}, {}
    for i in range(1, len(ids)):
        code = 4 if i < 3 else 1 if status[i] > 0 else 23 if status[i] == -23 else 2
        particles[i] = pyhepmc.GenParticle(momenta[i].tolist(), int(ids[i]), code)
    for i in range(3, len(ids)):
        mothers = (
            range(first[i], last[i] + 1) if last[i] > first[i] and 80 <= abs(status[i]) < 90 else (first[i], last[i])
        )
        key = tuple(sorted({int(m) for m in mothers if m > 0}))
        if key not in vertices:
            vertices[key] = pyhepmc.GenVertex((0, 0, 0, 0))
            for mother in key:
                vertices[key].add_particle_in(particles[mother])
        vertices[key].add_particle_out(particles[i])
    for vertex in vertices.values():
        event.add_vertex(vertex)
    return event
