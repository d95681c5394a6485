"""What made a result: verb, arguments, seed, commit and versions; no time and no path, so equal runs are equal."""

import importlib.metadata
import json
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

PACKAGES = ("glassjet", "numpy", "torch", "pythia8mc", "fastjet", "shap", "numba", "h5py", "pandas")


@cache
def commit() -> str:
    """The commit of the checkout that holds this package, with `+` where files differ; `unknown` outside of one."""
    here = Path(__file__).parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, timeout=10)
        state = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    if head.returncode:
        return "unknown"
    return head.stdout.strip() + ("+" if state.stdout.strip() else "")


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on, those that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def provenance(verb: str, arguments: dict[str, Any]) -> str:
    """A JSON text for a result's attributes.

    Parameters
    ----------
    verb : str
        The verb of the command line.
    arguments : dict
        Its arguments as parsed; paths (and lists of them) are left out, for results move.
    """

    def is_path(value: Any) -> bool:
        return isinstance(value, Path) or (isinstance(value, list) and any(isinstance(item, Path) for item in value))

    plain = {name: value for name, value in arguments.items() if not is_path(value) and not callable(value)}
    record = {"verb": verb, "arguments": plain, "commit": commit(), "versions": versions()}
    return json.dumps(record, sort_keys=True, default=str)
