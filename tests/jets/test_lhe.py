"""Les Houches event files: events are counted, what is wrong is named, and Pythia reads what is right."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import pythia8mc

from glassjet.errors import InputError
from glassjet.jets import lhe
from glassjet.jets.pythia import captured_stdout

CROSS_SECTION = 500.0  # pb


@pytest.fixture(scope="module")
def events() -> list[str]:
    """The <event> blocks of ten g g -> t tbar, from Pythia's hard processes (pb and GeV)."""
    blocks = []
    with captured_stdout():
        pythia = pythia8mc.Pythia("", False)
        for line in ("Print:quiet = on", "Top:gg2ttbar = on", "Beams:eCM = 13000", "PartonLevel:all = off"):
            assert pythia.readString(line)
        assert pythia.init()
        for _ in range(10):
            assert pythia.next()
            hard = [pythia.process[i] for i in range(3, 7)]  # g g t tbar
            rows = [f"4 1 1.0 {hard[2].scale():.9e} 7.8e-3 1.2e-1"]
            for i, particle in enumerate(hard):
                mothers = "1 2" if i > 1 else "0 0"
                momentum = (particle.px(), particle.py(), particle.pz(), particle.e(), particle.m())
                numbers = " ".join(f"{value:.11e}" for value in momentum)
                colours = f"{particle.col()} {particle.acol()}"
                rows.append(f"{particle.id()} {1 if i > 1 else -1} {mothers} {colours} {numbers} 0.0 9.0")
            blocks.append("<event>\n" + "\n".join(rows) + "\n</event>\n")
    return blocks


def text(events: list[str], init: str = f"{CROSS_SECTION} 1.0 1.0 1") -> str:
    head = "2212 2212 6500 6500 0 0 0 0 3 1"
    return (
        '<LesHouchesEvents version="1.0">\n<!--\nmade by a test\n-->\n'
        f"<init>\n{head}\n{init}\n</init>\n{''.join(events)}</LesHouchesEvents>\n"
    )


def written(path: Path, content: str) -> Path:
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


@pytest.mark.parametrize("name", ["good.lhe", "good.lhe.gz"])
def test_events_are_counted(name: str, events: list[str], tmp_path: Path) -> None:
    path = written(tmp_path / name, text(events))
    assert lhe.count(path) == 10
    weighted = "".join(events).replace("<event>", '<event npLO="1">').replace("</event>", "<rwgt>\n</rwgt>\n</event>")
    grouped = f"<eventgroup>\n{weighted}</eventgroup>\n"
    assert lhe.count(written(tmp_path / name, text([grouped]))) == 10


def test_fortran_numbers_and_several_processes_have_a_cross_section(events: list[str], tmp_path: Path) -> None:
    content = text(events, "1.5D+02 1. 1. 1\n-0.5D+02 1. 1. 2").replace("0 3 1\n", "0 3 2\n")
    assert lhe.count(written(tmp_path / "two.lhe", content)) == 10
    init = [b"2212 2212 6500 6500 0 0 0 0 3 2\n", b"1.5D+02 1. 1. 1\n", b"-0.5D+02 1. 1. 2\n"]
    assert lhe.cross_section(init, tmp_path) == 100


def test_pythia_reads_the_file_that_passes(events: list[str], tmp_path: Path) -> None:
    path = written(tmp_path / "good.lhe", text(events))
    assert lhe.count(path) == 10
    read = 0
    with captured_stdout():
        pythia = pythia8mc.Pythia("", False)
        for line in ("Print:quiet = on", "Beams:frameType = 4", f"Beams:LHEF = {path}", "PartonLevel:all = off"):
            assert pythia.readString(line)
        assert pythia.init()
        while pythia.next():
            assert [pythia.process[i].id() for i in range(3, 7)] == [21, 21, 6, -6]
            read += 1
        sigma = pythia.infoPython().sigmaGen() * 1e9
    assert read == 10
    assert sigma == pytest.approx(CROSS_SECTION)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: "", r"the file is empty"),
        (lambda t: "hello\n", r"not a Les Houches event file"),
        (lambda t: t.replace("</init>\n", ""), r"no </init> behind 0 complete"),
        (lambda t: t[: t.index("</init>")], r"no <init> block that ends with </init>"),
        (lambda t: re.sub(r"<init>.*</init>\n", "", t, flags=re.DOTALL), r"no <init> block"),
        (lambda t: t[: t.rindex("</LesHouches")], r"truncated behind 10 complete events"),
        (lambda t: t[: len(t) * 3 // 4], r"truncated behind [67] complete events"),
        (lambda t: t.replace("</event>\n", "", 1), r"no </event> behind 0 complete"),
        (lambda t: "".join(t.rsplit("</event>\n", 1)), r"no </event> behind 9 complete"),
        (lambda t: re.sub(r"<event>.*</event>\n", "", t, flags=re.DOTALL), r"holds no events"),
        (lambda t: t.replace("500.0 1.0 1.0 1", "0.0 1.0 1.0 1"), r"a process without a cross section.*XSECUP"),
        (lambda t: t.replace("500.0 1.0 1.0 1", "nan 1.0 1.0 1"), r"a process without a cross section.*XSECUP"),
        (lambda t: t.replace("500.0 1.0 1.0 1", "xs 1.0 1.0 1"), r"has no cross section of each process"),
        (lambda t: t.replace("500.0 1.0 1.0 1\n", ""), r"has no cross section of each process"),
        (lambda t: t.replace("0 3 1\n", "0 3 2\n"), r"has no cross section of each process"),
        (lambda t: t.replace("0 3 1\n", "0 3\n"), r"has no cross section of each process"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(
    change: Callable[[str], str], message: str, events: list[str], tmp_path: Path
) -> None:
    path = written(tmp_path / "bad.lhe", change(text(events)))
    with pytest.raises(InputError, match=message) as error:
        lhe.count(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_truncated_gzip_file_is_named(events: list[str], tmp_path: Path) -> None:
    path = written(tmp_path / "cut.lhe.gz", text(events * 100))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"cut\.lhe\.gz: the gzip stream ends or breaks in event \d+"):
        lhe.count(path)
    with pytest.raises(InputError, match=r"no such file"):
        lhe.count(tmp_path / "none.lhe")
