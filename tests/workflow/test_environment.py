"""The lock is complete and pinned, conda's copy of it agrees, and jobs inherit what they need."""

import fcntl
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rules import environment

ROOT = Path(__file__).parents[2]
LOCK = [
    line
    for line in (ROOT / "envs" / "requirements.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
]
PINNED = {canonicalize_name(Requirement(line).name): Requirement(line) for line in LOCK}
OF_CUDA = re.compile(r"nvidia-.*|cuda-.*|triton")  # of the build of torch that PyPI has, pinned by it


def test_every_line_of_the_lock_pins_one_version_and_names_no_build() -> None:
    for requirement in PINNED.values():
        assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(requirement.specifier)), requirement
    assert len(PINNED) == len(LOCK)


def test_lock_has_what_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = project["project"]["dependencies"] + project["build-system"]["requires"]
    for extra in project["project"]["optional-dependencies"].values():
        needed += extra
    assert {canonicalize_name(Requirement(line).name) for line in needed} <= set(PINNED)


def test_lock_has_all_that_its_packages_need_here() -> None:
    for name, pinned in PINNED.items():
        if pinned.marker and not pinned.marker.evaluate():
            continue
        for line in importlib.metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                found = canonicalize_name(needed.name)
                assert found in PINNED or OF_CUDA.fullmatch(found), f"{name} needs {line}"


def test_the_lock_is_what_is_installed() -> None:
    for name, pinned in PINNED.items():
        if pinned.marker is None or pinned.marker.evaluate():
            assert pinned.specifier.contains(importlib.metadata.version(name)), name


def test_conda_has_the_same_packages() -> None:
    dependencies = yaml.safe_load((ROOT / "envs" / "glassjet.yaml").read_text())["dependencies"]
    assert dependencies[-1]["pip"] == LOCK


def exported(**given: str) -> dict[str, str]:
    """The environment after `export` in a new process."""
    code = "import json, os; from pathlib import Path; from rules import environment;"
    code += "environment.export(Path('/checkout/workflow')); print(json.dumps(dict(os.environ) | {'pid': os.getpid()}))"
    base = {name: value for name, value in os.environ.items() if name != "GLASSJET_PARENT"}
    base["PYTHONPATH"] = str(ROOT / "workflow")
    done = subprocess.run([sys.executable, "-c", code], env=base | given, capture_output=True, text=True, check=True)
    found: dict[str, str] = yaml.safe_load(done.stdout)
    return found


def test_jobs_run_this_checkout_with_this_python() -> None:
    found = exported(PYTHONPATH=os.pathsep.join([str(ROOT / "workflow"), "/more"]))
    assert found["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert found["PYTHONPATH"].split(os.pathsep) == ["/checkout/workflow", str(ROOT / "workflow"), "/more"]
    assert (found["PYTHONHASHSEED"], found["SOURCE_DATE_EPOCH"]) == ("0", "0")
    assert exported(SOURCE_DATE_EPOCH="1234")["SOURCE_DATE_EPOCH"] == "1234"


@pytest.mark.parametrize("outer", ["", "1", "999999999", "words"])
def test_verbs_end_with_the_process_that_exports(outer: str) -> None:
    found = exported(GLASSJET_PARENT=outer)
    assert found["GLASSJET_PARENT"] == str(found["pid"])


def test_verbs_end_with_an_ancestor_that_is_named_already() -> None:
    assert exported(GLASSJET_PARENT=str(os.getpid()))["GLASSJET_PARENT"] == str(os.getpid())


def test_locks_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    stale = tmp_path / ".snakemake" / "locks" / "0.input.lock"
    stale.parent.mkdir(parents=True)
    stale.touch()
    environment.release_stale_locks(tmp_path / ".snakemake")
    assert not stale.exists()
    environment.held.pop().close()


def test_locks_of_a_living_run_are_left(tmp_path: Path) -> None:
    folder = tmp_path / ".snakemake"
    living = folder / "locks" / "0.input.lock"
    living.parent.mkdir(parents=True)
    living.touch()
    with (folder / "glassjet.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        environment.release_stale_locks(folder)
    assert living.exists()
    assert not environment.held
