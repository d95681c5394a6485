"""A study in miniature, made once in a copy of the checkout, and how Snakemake is called there."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("Snakefile", "workflow", "config", "envs", "paper", "tests/mini.yaml")
STUDY = ("--profile", "workflow/profiles/default", "--configfile", "tests/mini.yaml")
# Arguments of Snakemake in a checkout to what it printed and returned.
Run = Callable[..., subprocess.CompletedProcess[str]]


def copied(target: Path) -> Path:
    """A copy of what a study needs of the checkout; times are kept, so that compiled code stays valid."""
    for name in COPIED:
        source = ROOT / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / name)
        else:
            shutil.copy2(source, target / name)
    return target


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a checkout, as a user does; `stdout` has all that it printed."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(
        command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800
    )


def jobs_of(printed: str) -> Counter[str]:
    """How many jobs of each rule a dry run lists, `all` left out."""
    table = printed.partition("Job stats:")[2].partition("total")[0]
    found = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
    return Counter({name: number for name, number in found.items() if name != "all"})


@pytest.fixture(scope="session")
def snakemake() -> Run:
    """`snakemake(checkout, *arguments)`."""
    return run


@pytest.fixture(scope="session")
def jobs() -> Callable[[str], Counter[str]]:
    """The jobs that a dry run printed."""
    return jobs_of


@pytest.fixture
def untouched(tmp_path: Path) -> Path:
    """A copy of the checkout in which nothing has been run."""
    return copied(tmp_path / "checkout")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which the miniature study has been run from generation to paper."""
    target = copied(tmp_path_factory.mktemp("study") / "checkout")
    done = run(target, *STUDY)
    assert done.returncode == 0, done.stdout[-6000:]
    return target
