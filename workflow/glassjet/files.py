"""Files as every verb reads and writes them: whole or not at all, and refused with one clear line."""

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import h5py
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from glassjet.errors import InputError, existing

SPARE = 8_000_000  # bytes; what HDF5 keeps in its caches and writes at the end
LOCK_PATIENCE = 20.0  # s; an orphan of a killed workflow ends within a few seconds


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there at the end, remove it on any failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(f"{path}: no space left on the disk; free some and run the same command again") from None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def require_space(path: Path, needed: int) -> None:
    """Refuse to write `needed` bytes where the disk has no room for them: of a full disk HDF5 dies, not in one line."""
    free, needed = shutil.disk_usage(path.parent).free, needed + SPARE
    if free < needed:
        room = f"{free / 1e6:.0f} MB are free, {needed / 1e6:.0f} MB needed to go on"
        raise InputError(f"{path}: no space left on the disk ({room}); free some and run the same command again")


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a temporary directory beside `path`; it replaces `path` at the end, or vanishes on any failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _is_at(handle: IO[str], path: Path) -> bool:
    """Whether an open file is the one that lies under this name now."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(lock: Path, path: Path) -> IO[str]:
    """The lock file, open and locked; who held it removes it, so that a lock counts only if it still lies there."""
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        handle = lock.open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(handle, lock):
                return handle
        except BlockingIOError:
            if time.monotonic() > deadline:
                handle.close()
                raise InputError(f"{path}: another run is writing it; wait for it or stop it") from None
            time.sleep(0.2)
        handle.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the target `path`, so that two runs of a verb never write the same output."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    with _lock(lock, path):
        try:
            for left in path.parent.glob(f".{path.name}.*.tmp"):  # of a run that was killed
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            yield
        finally:
            lock.unlink(missing_ok=True)


def hdf5(path: Path, way_out: str) -> h5py.File:
    """An HDF5 file, open for reading; the way out is what to do about one that is cut short."""
    existing(path)
    try:
        return h5py.File(path, "r")
    except OSError as error:
        what = f"the file is truncated; {way_out}" if "truncated" in str(error) else "not an HDF5 file"
        raise InputError(f"{path}: {what}") from None


def open_hdf5(path: Path, form: str) -> h5py.File:
    """Open one of glassjet's HDF5 files for reading.

    Parameters
    ----------
    path : Path
    form : str
        What it must hold, as its attribute `glassjet` says: "jets", "scores", "attribution".
    """
    file = hdf5(path, "make it again")
    found = file.attrs.get("glassjet")
    if found != form:
        file.close()
        raise InputError(f"{path}: holds {found or 'no glassjet data'}, but {form} are needed")
    return file


def read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table, or the named columns of it."""
    existing(path)
    try:
        names = pq.read_schema(path).names
        missing = [name for name in columns or [] if name not in names]
        if missing:
            raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(names)}")
        return pd.read_parquet(path, columns=columns)
    except (pa.ArrowInvalid, OSError):
        raise InputError(f"{path}: not a Parquet file, or truncated; make it again") from None


def read_csv(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a CSV table and check that it has the named columns. Seeds and names stay strings."""
    existing(path)
    try:
        frame = pd.read_csv(path, dtype={"seed": str, "features": str}, keep_default_na=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        raise InputError(f"{path}: not a CSV table") from None
    missing = [name for name in columns or [] if name not in frame.columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    return frame


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV with nine digits: more than any number here is known to, and the same bytes each time."""
    with atomic(path) as temporary:
        frame.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    try:
        return json.loads(existing(path).read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not JSON ({error})") from None


def write_json(content: Any, path: Path) -> None:
    """Write JSON with sorted keys, so that equal content has equal bytes."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
