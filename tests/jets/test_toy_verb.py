"""The verb: the same bytes twice, other jets for another split or seed, one line for what is wrong."""

from pathlib import Path

import numpy as np
import pytest

from glassjet.cli import toy
from glassjet.cli.main import main
from glassjet.jets import store

JETS = ["--sample", "toy", "--jets-signal", "60", "--jets-background", "140", "--seed", "3"]


def command(out: Path, *more: str, split: str = "test") -> list[str]:
    return ["toy", *JETS, "--split", split, "--out", str(out), *more]


def test_jets_are_mixed_numbered_and_the_same_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy, "CHUNK", 50)
    for name in ("a.h5", "b.h5"):
        assert main(command(tmp_path / name)) == 0
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    jets, said = store.read(tmp_path / "a.h5"), store.metadata(tmp_path / "a.h5")
    label, event = jets.columns["label"], jets.columns["event"]
    assert (label.sum(), len(label), len(set(event.tolist()))) == (60, 200, 200)
    assert (said["level"], said["overlap"], said["split"]) == ("toy", 1, "test")
    assert (np.diff(label) != 0).sum() > 40
    assert jets.columns["toy_theta"].std() > 0


def test_splits_seeds_and_overlaps_are_other_jets(tmp_path: Path) -> None:
    assert main(command(tmp_path / "a.h5")) == 0
    first = set(store.read(tmp_path / "a.h5").columns["mass"].tolist())
    for more, split in (([], "train"), (["--seed", "4"], "test"), (["--overlap", "2"], "test")):
        assert main(command(tmp_path / "b.h5", *more, split=split)) == 0
        assert not first & set(store.read(tmp_path / "b.h5").columns["mass"].tolist())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--overlap 3", "--overlap 3"),
        ("--split trian", "there is no split 'trian' (did you mean 'train'?)"),
        ("--jets-signal -1", "--jets-signal -1: give at least 0"),
        ("--jets-signal 0 --jets-background 0", "are both 0"),
        ("--seed x", "--seed x: give a whole number"),
    ],
)
def test_bad_words_are_one_line(words: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(tmp_path / "x.h5", *words.split())) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
