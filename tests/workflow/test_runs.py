"""What Snakemake does with a study before and while it runs: dry runs, wrong configs, a kill."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

Run = Callable[..., subprocess.CompletedProcess[str]]
Jobs = Callable[[str], Counter[str]]
DEFAULT = ("--profile", "workflow/profiles/default")


def test_empty_checkout_has_the_whole_default_study_to_do(untouched: Path, snakemake: Run, jobs: Jobs) -> None:
    done = snakemake(untouched, "--cores", "2", "--dry-run")
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" not in done.stdout
    listed = jobs(done.stdout)
    assert (listed["generate"], listed["train"], listed["paper"]) == (4, 22, 1)
    assert "results/quick/paper.pdf" in done.stdout


@pytest.mark.parametrize("profile", ["default", "slurm"])
def test_full_study_passes_a_dry_run(untouched: Path, snakemake: Run, jobs: Jobs, profile: str) -> None:
    arguments = ("--profile", f"workflow/profiles/{profile}", "--configfile", "config/full.yaml")
    done = snakemake(untouched, *arguments, "--dry-run")
    assert done.returncode == 0, done.stdout
    assert jobs(done.stdout)["train"] == 71


def test_the_study_of_all_samples_makes_jets_and_figures_alone(untouched: Path, snakemake: Run, jobs: Jobs) -> None:
    done = snakemake(untouched, *DEFAULT, "--configfile", "config/samples.yaml", "--dry-run")
    assert done.returncode == 0, done.stdout
    samples = yaml.safe_load((untouched / "config" / "samples.yaml").read_text())["samples"]
    assert jobs(done.stdout) == {"generate": len(samples) - 1, "toy": 1, "observe": len(samples), "figures": 2}


def test_a_process_of_ones_own_is_an_input_of_its_jets(untouched: Path, snakemake: Run, jobs: Jobs) -> None:
    (untouched / "mine.cmnd").write_text("HardQCD:gg2bbbar = on\n")
    sample: dict[str, Any] = {"source": "pythia", "card": "top", "background": "mine.cmnd", "pythia": ["5:m0 = 4.7"]}
    sample["jets"] = {"explain": {"signal": 5, "background": 5}}
    config: dict[str, Any] = {"study": "mine", "seeds": [1], "samples": {"bb": sample}}
    config["observables"] = {"variables": []}
    config["figures"] = {"notebooks": ["generation"]}
    (untouched / "mine.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(untouched, *DEFAULT, "--configfile", "mine.yaml", "--dry-run", "--printshellcmds")
    assert done.returncode == 0, done.stdout
    assert jobs(done.stdout) == {"generate": 1, "observe": 1, "figures": 1}
    assert "input: mine.cmnd" in done.stdout
    assert "--background mine.cmnd" in done.stdout
    assert "--pythia '5:m0 = 4.7'" in done.stdout


def test_study_runs_from_another_folder(untouched: Path, tmp_path: Path, snakemake: Run) -> None:
    done = snakemake(tmp_path, "--snakefile", "checkout/Snakefile", "--dry-run", "results/quick/paper.pdf")
    assert done.returncode == 0, done.stdout


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"sead": 1}, "there is no key 'sead' (did you mean 'seeds'?)"),
    "seed that is no number": ({"seeds": ["one"]}, "seeds[0]: 'one' is not a whole number"),
    "unknown sample": (
        {"tasks": {"top": {"sample": "tpo", "taggers": [{"tagger": "pfn", "features": "kinematics"}]}}},
        "tasks.top.sample: there is no sample 'tpo' (did you mean 'top'?); known: top",
    ),
    "unknown method": (
        {"explain": {"methods": {"pfn": ["lpr"]}}},
        "explain.methods.pfn[0]: there is no entry 'lpr'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_config_stops_before_any_job_and_its_first_line_says_why(
    untouched: Path, snakemake: Run, case: str
) -> None:
    change, first = WRONG[case]
    config = yaml.safe_load((untouched / "tests" / "mini.yaml").read_text()) | change
    (untouched / "mine.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(untouched, *DEFAULT, "--configfile", "mine.yaml")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Using profile")
    assert lines[1].startswith(f"mine.yaml: {first}")
    assert "Traceback" not in done.stdout
    assert not (untouched / "results").exists()


def small(checkout: Path) -> str:
    """The miniature study with one network and without what is behind the scores, and its file."""
    config = yaml.safe_load((checkout / "tests" / "mini.yaml").read_text())
    for section in ("explain", "rank", "reduce", "figures", "paper"):
        del config[section]
    config["tasks"]["top"]["taggers"] = [{"tagger": "mbns", "features": "mbns"}]
    (checkout / "small.yaml").write_text(yaml.safe_dump(config))
    return "small.yaml"


def verbs(process: psutil.Process) -> list[psutil.Process]:
    """The verbs that run beneath a process."""
    found = []
    for child in process.children(recursive=True):
        try:
            if "glassjet" in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue
    return found


def killed_while(verb: str, checkout: Path, arguments: tuple[str, ...]) -> None:
    """Start a study, kill Snakemake alone once a verb is at work, and see that no verb lives on."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        process = psutil.Process(started.pid)
        deadline = time.monotonic() + 600
        at_work: list[psutil.Process] = []
        while not any(verb in child.cmdline() for child in at_work):
            assert started.poll() is None, f"the study ended before {verb}"
            assert time.monotonic() < deadline
            time.sleep(0.1)
            at_work = verbs(process)
        time.sleep(2)  # into its work
        left = [child for child in process.children(recursive=True) if child.is_running()]
        started.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(left, timeout=30)
    assert gone
    assert not alive


@pytest.mark.study
def test_killed_study_goes_on_with_the_same_command_and_ends_with_the_same_numbers(
    checkout: Path, untouched: Path, snakemake: Run
) -> None:
    arguments = (*DEFAULT, "--configfile", small(untouched))
    for verb in ("generate", "train"):
        killed_while(verb, untouched, arguments)
    done = snakemake(untouched, *arguments)
    assert done.returncode == 0, done.stdout[-3000:]
    undisturbed = (checkout / "results" / "mini" / "summary.csv").read_text().splitlines()
    lines = (untouched / "results" / "mini" / "summary.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * 7 * 3
    assert set(lines) <= set(undisturbed)
    assert "Nothing to be done" in snakemake(untouched, *arguments).stdout
