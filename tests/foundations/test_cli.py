"""The command line as a whole: help that teaches, one line and exit code 2 for what a user can mend."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glassjet.cli import main as cli


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([verb, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"glassjet {verb}" in text.split("example:")[1]


def test_an_unknown_verb_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trian"]) == 2
    error = capsys.readouterr().err
    assert "did you mean 'train'" in error
    assert error.count("\n") == 1


def test_an_unknown_option_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["rank", "--colour", "red"])
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_exits_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(verb: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "parser_of", interrupted)
    assert cli.main(["rank"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_verb_ends_when_the_workflow_is_gone(tmp_path: Path) -> None:
    """The parent is killed with SIGKILL; the process that watches it removes its temporary file and ends."""
    child = (
        "import sys, time\nfrom pathlib import Path\nfrom glassjet.files import atomic\n"
        "from glassjet.processes import end_cleanly_on_sigterm, end_with\n"
        f"end_cleanly_on_sigterm(); end_with(int(sys.argv[1]))\nwith atomic(Path({str(tmp_path / 'out')!r})) as t:\n"
        "    t.touch(); print('ready', flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with subprocess.Popen([sys.executable, "-c", child, str(parent.pid)], stdout=subprocess.PIPE, text=True) as orphan:
        assert orphan.stdout is not None
        assert orphan.stdout.readline() == "ready\n"
        parent.kill()
        parent.wait()
        assert orphan.wait(timeout=20) == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())
