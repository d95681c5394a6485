"""What the jobs inherit from the process that runs them, and what is left of a run that was killed."""

import fcntl
import os
import sys
from pathlib import Path
from typing import IO

held: list[IO[str]] = []  # kept open, for closing a file releases its lock


def export(root: Path) -> None:
    """Set the environment of the jobs.

    Parameters
    ----------
    root : Path
        The folder that holds the package: jobs run the code of this checkout, whatever is installed.
    """
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    paths = [str(root), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path for path in paths if path))
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # the date in PDF files
    # A verb ends when this process is gone: the process that a person started, or on a cluster that of the job.
    outer = os.environ.get("GLASSJET_PARENT", "")
    if not (outer.isdigit() and int(outer) in ancestors()):
        os.environ["GLASSJET_PARENT"] = str(os.getpid())


def ancestors() -> set[int]:
    """The processes that this one descends from, on this machine."""
    found: set[int] = set()
    pid = os.getppid()
    while pid > 1:
        found.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            break
    return found


def release_stale_locks(folder: Path) -> None:
    """Remove the locks that a killed run left in Snakemake's folder, so that the same command goes on.

    Snakemake's locks outlive a SIGKILL, and then have to be removed with --unlock. The lock of the operating system
    that is taken here, for as long as this process lives, does not: who gets it knows that no other run is left.
    """
    folder.mkdir(exist_ok=True)
    handle = (folder / "glassjet.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another run holds it, or the file system has no locks: Snakemake's own lock decides
        handle.close()
        return
    held.append(handle)
    for lock in (folder / "locks").glob("*.lock"):
        lock.unlink(missing_ok=True)
