"""Cards and processes: each is whole and valid, Pythia takes it, and what is wrong in a user's own is named."""

from pathlib import Path
from typing import Any

import pytest

from glassjet.errors import InputError
from glassjet.jets import cards, pythia
from glassjet.jets.keys import KEYS, LAST_TUNE, OPTIONAL, checked, settings_of
from tests.jets.card_settings import settings


@pytest.mark.parametrize("task", cards.TASKS)
def test_each_card_is_whole_and_its_lines_have_reasons(task: str) -> None:
    card = checked(cards.card_of(task), task)
    for role in ("signal", "background"):
        assert settings_of(card, role).generator.sqrts in (13000, 14000)
        assert cards.process_of(card[role]).formula
    text = cards.TASKS[task].read_text()
    assert text.startswith(f"# {task}: ")
    for key in ("mpi", "signal_pthat", "background_pthat", "pt", "signal_resonance"):
        line = next(line for line in text.splitlines() if line.startswith(f"{key}:"))
        assert " # " in line, line


@pytest.mark.parametrize("name", cards.PROCESSES)
def test_pythia_takes_each_process(name: str) -> None:
    chosen = settings("top", "background", pthat=[200, 400], hadronisation=False).generator
    with pythia.captured_stdout() as sink:
        events = pythia.batch(pythia.start(cards.process_of(name), chosen, 1, sink), 3)
    assert len(events) == 3
    assert (events.pthat >= 200).all()


def test_every_key_of_a_card_is_explained() -> None:
    assert not OPTIONAL - set(KEYS)
    assert all(len(key.text) > 10 for key in KEYS.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pt": [650, 550]}, "--pt 650 550: give a lower and a higher"),
        ({"pthat": [-1, 550]}, "--signal-pthat -1 550: give a lower"),
        ({"pthat": 5}, "pthat: 5: give 2 values"),
        ({"pthat": [1, 2, 3]}, "pthat: .*: give 2 values"),
        ({"abs_eta": 0}, "--abs-eta 0: give a positive number"),
        ({"radius": float("nan")}, "radius: nan is not a number"),
        ({"sqrts": 150}, "--signal-pthat 100 900: out of reach at --sqrts 150"),
        ({"mass_softdrop": [150, 50]}, "--mass-softdrop 150 50: give a lower"),
        ({"fsr_scale": 4}, "--fsr-scale 4: Pythia takes 0.32 to 3.16"),
        ({"tune": 0}, "--tune 0: Pythia's tunes"),
        ({"tune": 1.5}, "tune: 1.5 is not a whole number"),
        ({"mpi": "on"}, "mpi: 'on' is not true or false"),
        ({"stable_ctau": -1}, "--stable-ctau -1: give zero or a positive"),
        ({"pthat_power": -1}, "--signal-pthat-power -1: give zero or a positive"),
        ({"pthat": [0, 100]}, "a power of pTHat needs a lower end"),
        ({"tracks": "smeared"}, "there is no kind of tracks 'smeared'"),
        ({"tracks": "production", "detector": True}, "--tracks production is the truth"),
        ({"track_pt_min": -1}, "--track-pt-min -1"),
        ({"detector": True, "detector_towers": 0}, "--detector-towers 0"),
        ({"radus": 1}, r"no key of a card \(test\) 'radus' \(did you mean 'radius'"),
    ],
)
def test_settings_that_cannot_be_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        settings("top", "signal", **change)


def test_a_missing_key_is_named() -> None:
    card = cards.card_of("top")
    del card["signal_pthat"]
    with pytest.raises(InputError, match="mine: the key 'signal_pthat' is missing; add it: pTHat, the hard process"):
        checked(card, "mine")


def own(tmp_path: Path, text: str, name: str = "mine.cmnd") -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_a_process_of_ones_own_is_read_as_pythia_reads_it(tmp_path: Path) -> None:
    text = "! a comment\n# another\n\nHardQCD:gg2bbbar = on ! bb\n/*\nTop:all = on\n*/\nMain:numberOfEvents = 7\n"
    process = cards.process_of(own(tmp_path, text + "  5:m0 = 4.7\n"))
    assert process.name == "mine"
    assert process.lines == ((4, "HardQCD:gg2bbbar = on"), (9, "5:m0 = 4.7"))
    assert cards.process_of("qcd").lines == ((4, "HardQCD:all = on"),)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("HardQCD:al = on", r"line 2: Pythia refuses the setting 'HardQCD:al = on': no such setting \(did you mean"),
        ("HardQCD:all = onn", "line 2: 'HardQCD:all = onn': write on or off"),
        ("6:onMode = offf", "line 2: '6:onMode = offf': write on or off"),
        ("6:onMod = off", "line 2: .* no such particle or property"),
        ("9999999:m0 = 3", "line 2: .* no such particle or property"),
        ("TimeShower:alphaSvalue = 7", "line 2: .*: the value cannot be"),
        ("TimeShower:alphaSvalue = high", "line 2: .*: the value cannot be"),
        ("Beams:eCM = 8000", "line 2: 'Beams:eCM = 8000' is the business of the key sqrts; remove it"),
        ("PhaseSpace:pTHatMin=20", "line 2: .* is the business of the key signal_pthat or background_pthat"),
        ("HardQCD", "line 2: 'HardQCD' is no setting; write it as name = value"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(line: str, words: str, tmp_path: Path) -> None:
    path = own(tmp_path, f"! mine\n{line}\nHardQCD:all = on\n")
    told = pytest.raises(InputError, match=words)
    with told, pythia.captured_stdout() as sink:
        pythia.start(cards.process_of(path), settings().generator, 1, sink)


def test_a_wrong_line_in_the_config_is_named() -> None:
    told = pytest.raises(InputError, match="the key pythia: Pythia refuses the setting 'HardQCD:al = on': no such")
    with told, pythia.captured_stdout() as sink:
        pythia.start(cards.process_of("qcd"), settings(pythia=["HardQCD:al = on"]).generator, 1, sink)


def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    told = pytest.raises(InputError, match=r"process 'mine' cannot start at sqrts 14000 GeV.*PYTHIA Abort")
    with told, pythia.captured_stdout() as sink:
        pythia.start(cards.process_of(own(tmp_path, "5:m0 = 4.7\n")), settings().generator, 1, sink)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("mine.cmnd", "", "the file is empty"),
        ("mine.cmnd", "! nothing\n", "holds no settings; name the process in it"),
        ("none.cmnd", None, "no such file"),
    ],
)
def test_a_process_file_that_is_none_is_named(name: str, text: str | None, words: str, tmp_path: Path) -> None:
    path = own(tmp_path, text, name) if text is not None else str(tmp_path / name)
    with pytest.raises(InputError, match=words):
        cards.process_of(path)


def test_unknown_names_show_the_nearest() -> None:
    with pytest.raises(InputError, match=r"there is no process 'tpo' \(did you mean 'top'\?\); known: .*qcd, top"):
        cards.process_of("tpo")
    with pytest.raises(InputError, match=r"there is no card 'tops' \(did you mean 'top'\?\)"):
        cards.card_of("tops")


def test_a_card_of_ones_own(tmp_path: Path) -> None:
    path = own(tmp_path, cards.TASKS["top"].read_text().replace("550, 650", "300, 400"), "mine.yaml")
    assert settings_of(checked(cards.card_of(path), path), "signal").selection.pt == (300, 400)
    for text, words in (("- a\n", "a card is a list of keys"), ("a: [\n", "not YAML")):
        with pytest.raises(InputError, match=words):
            cards.card_of(own(tmp_path, text, "bad.yaml"))


def test_the_digest_follows_what_pythia_is_told(tmp_path: Path) -> None:
    one = own(tmp_path, "HardQCD:all = on\n", "one.cmnd")
    same = own(tmp_path, "! told\nHardQCD:all = on\n", "same.cmnd")
    other = own(tmp_path, "HardQCD:gg2gg = on\n", "other.cmnd")
    assert cards.digest(one) == cards.digest(same) == cards.digest("qcd") != cards.digest(other)


def test_the_tunes_are_those_that_pythia_has() -> None:
    with pythia.captured_stdout():
        generator = pythia.blank()
        assert generator.readString(f"Tune:pp = {LAST_TUNE}")
        assert not generator.readString(f"Tune:pp = {LAST_TUNE + 1}")
