"""The verb: the same bytes for any number of processes and after a kill; weights in pb; one line for what is wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from glassjet.cli.main import main
from glassjet.jets import shards, store

JETS = ["--sample", "top", "--card", "top", "--jets-signal", "10", "--jets-background", "14"]
JETS += ["--shard-size", "5", "--seed", "5"]
JETS += [
    word
    for role in ("signal", "background")
    for word in (f"--{role}-pthat", "450", "800", f"--{role}-pthat-power", "0")
]


def command(out: Path, *more: str, split: str = "test") -> list[str]:
    return ["generate", *JETS, "--split", split, "--out", str(out), *more]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("jets") / "test.h5"
    assert main(command(out)) == 0
    assert [path.name for path in out.parent.iterdir()] == ["test.h5"]  # no shards, no lock, no temporary file
    return out


def test_two_processes_make_the_same_bytes(
    undisturbed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "renamed.h5"
    assert main(command(out, "--processes", "2", "--checkpoint", str(tmp_path / "shards"))) == 0
    assert out.read_bytes() == undisturbed.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["renamed.h5"]
    assert capfd.readouterr().out == ""  # FastJet's banner, Pythia's words


def test_what_is_smeared_has_the_same_bytes_too(tmp_path: Path) -> None:
    smeared = ["--detector", "on", "--tracks", "measured", "--mpi", "off", "--card", "h_bb"]
    for name, processes in (("one.h5", "1"), ("two.h5", "2")):
        assert main(command(tmp_path / name, *smeared, "--processes", processes)) == 0
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    jets, said = store.read(tmp_path / "one.h5"), store.metadata(tmp_path / "one.h5")
    assert said["level"] == "detector"
    assert jets.vertices is not None
    assert (jets.constituents.columns["d0_error"] > 0).any()


def test_a_killed_run_goes_on_where_it_was(undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, checkpoint = tmp_path / "test.h5", tmp_path / "shards"
    words = command(out, "--checkpoint", str(checkpoint))
    with subprocess.Popen(
        [sys.executable, "-m", "glassjet", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as run:
        while not list(checkpoint.glob("*.shard.h5")):
            assert run.poll() is None
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
        assert run.communicate() == (b"", b"")
    assert not out.exists()
    finished = len(list(checkpoint.glob("*.shard.h5")))
    (checkpoint / ".half.shard.h5.1.tmp").touch()
    made = []
    monkeypatch.setattr(shards, "shard", lambda *args: made.append(args) or real(*args))  # type: ignore[func-returns-value]
    assert main(command(out, "--checkpoint", str(checkpoint))) == 0
    assert 0 < len(made) == 5 - finished
    assert out.read_bytes() == undisturbed.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.h5"]


real = shards.shard


def test_a_changed_setting_never_resumes_from_old_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, checkpoint = tmp_path / "test.h5", tmp_path / "shards"

    def interrupted(*args: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(shards, "summary_of", interrupted)
    few = ["--jets-signal", "2", "--jets-background", "2", "--checkpoint", str(checkpoint)]
    assert main(command(out, *few)) == 130
    assert len(list(checkpoint.iterdir())) == 2
    assert main(command(out, *few, "--abs-eta", "1.5")) == 130
    assert len(list(checkpoint.iterdir())) == 4
    assert main(command(out, *few, "--abs-eta", "1.5")) == 130
    assert len(list(checkpoint.iterdir())) == 4
    assert not out.exists()


def test_weights_sum_to_the_cross_section_of_the_selection(undisturbed: Path) -> None:
    jets, said = store.read(undisturbed), store.metadata(undisturbed)
    for label, role in enumerate(("background", "signal")):
        weight = jets.columns["weight"][jets.columns["label"] == label]
        cutflow, cross_sections = said["cutflow"][role], said["cross_sections"][role]
        assert len(weight) == cutflow["jets"] == (14, 10)[label]
        assert said["cutflow_pb"][role]["jets"] == pytest.approx(weight.sum(), rel=1e-12)
        efficiency = cutflow["jets"] / cutflow["events"]
        assert weight.sum() == pytest.approx(cross_sections["cross_section_pb"] * efficiency, rel=1e-12)
        assert weight.sum() == pytest.approx(cross_sections["selected_cross_section_pb"], rel=1e-12)
    # tt with pTHat 450 to 800 and both W hadronic: 1.3 pb; dijets: 1.3 nb (leading order)
    assert said["cross_sections"]["signal"]["cross_section_pb"] == pytest.approx(1.35, rel=0.15)
    assert said["cross_sections"]["background"]["cross_section_pb"] == pytest.approx(1310, rel=0.15)
    assert (said["sample"], said["split"], said["level"], said["mpi"], said["card"]) == (
        *("top", "test", "particle", False, "top"),
    )


def test_splits_share_no_event(undisturbed: Path, tmp_path: Path) -> None:
    assert main(command(tmp_path / "train.h5", split="train")) == 0
    test, train = store.read(undisturbed).columns, store.read(tmp_path / "train.h5").columns
    events = np.concatenate([test["event"], train["event"]])
    assert len(set(events.tolist())) == 48
    assert not set(test["mass"].tolist()) & set(train["mass"].tolist())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--signal tpo", "there is no process 'tpo' (did you mean 'top'?); known:"),
        ("--card tpo", "there is no card 'tpo' (did you mean 'top'?); known:"),
        ("--card none.yaml", "none.yaml: no such file"),
        ("--background none.cmnd", "none.cmnd: no such file"),
        ("--pythia HardQCD:al=on", "the key pythia: Pythia refuses the setting 'HardQCD:al=on': no such setting"),
        ("--tune 99", "--tune 99: Pythia's tunes"),
        ("--background top", "--signal and --background are both 'top'; name two processes"),
        ("--split trian", "there is no split 'trian' (did you mean 'train'?)"),
        ("--seed 1.5", "--seed 1.5: give a whole number from 0 to 900000000"),
        ("--seed -1", "--seed -1: give a whole number"),
        ("--seed 900000001", "--seed 900000001: give a whole number"),
        ("--shard-size 0", "--shard-size 0: give at least 1"),
        ("--jets-signal -3", "--jets-signal -3: give at least 0"),
        ("--jets-signal 0 --jets-background 0", "are both 0"),
        ("--give-up-after 0", "--give-up-after 0: give at least 1"),
        ("--signal-pthat 100 120 --give-up-after 60", "no jet passed in the last"),
        ("--sqrts 700", "--signal-pthat 450 800: out of reach at --sqrts 700 GeV"),
        ("--detector on --tracks production", "--tracks production is the truth"),
    ],
)
def test_bad_words_are_one_line(words: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(tmp_path / "x.h5", *words.split())) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_without_pythia_the_package_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pythia8mc'] = None; from glassjet.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *command(tmp_path / "x.h5")], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pythia8mc is not installed" in done.stderr


def test_without_its_data_pythia_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "glassjet", *command(tmp_path / "x.h5")],
        env=os.environ | {"PYTHIA8DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "Pythia does not find its data files: reinstall pythia8mc" in done.stderr
    assert done.stdout == ""
