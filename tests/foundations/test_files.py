"""Files appear whole or not at all, and each thing that can be wrong with one is named in a line."""

import errno
import fcntl
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from glassjet import files
from glassjet.errors import InputError, unknown


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "numbers.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), files.atomic(target) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.csv"]
    assert target.read_text() == "old"


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    told = pytest.raises(InputError, match=r"numbers.csv: no space left.*run the same command again")
    with told, files.atomic(tmp_path / "numbers.csv") as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_an_atomic_directory_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "stale").touch()
    with files.atomic_directory(target) as temporary:
        (temporary / "new").touch()
        assert (target / "stale").exists()
    assert [path.name for path in target.iterdir()] == ["new"]


def test_the_lock_refuses_a_second_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_PATIENCE", 0.0)
    with (tmp_path / ".model.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run is writing it"), files.locked(tmp_path / "model"):
            pass


def test_the_lock_clears_what_a_killed_run_left(tmp_path: Path) -> None:
    (tmp_path / ".model.123.tmp").mkdir()
    (tmp_path / ".model.456.tmp").touch()
    with files.locked(tmp_path / "model"):
        assert not list(tmp_path.glob(".*.tmp"))
    assert not list(tmp_path.iterdir())


def test_each_bad_hdf5_file_is_named(tmp_path: Path) -> None:
    good = tmp_path / "good.h5"
    with h5py.File(good, "w") as file:
        file.attrs["glassjet"] = "jets"
        file["x"] = np.arange(10000)
    files.open_hdf5(good, "jets").close()
    with pytest.raises(InputError, match="holds jets, but scores are needed"):
        files.open_hdf5(good, "scores")
    with pytest.raises(InputError, match="no such file"):
        files.open_hdf5(tmp_path / "none.h5", "jets")
    with pytest.raises(InputError, match="is a directory"):
        files.open_hdf5(tmp_path, "jets")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(good.read_bytes()[:-5000])
    with pytest.raises(InputError, match=r"cut.h5: the file is truncated"):
        files.open_hdf5(cut, "jets")
    (tmp_path / "text.h5").write_text("pt,eta")
    with pytest.raises(InputError, match="not an HDF5 file"):
        files.open_hdf5(tmp_path / "text.h5", "jets")
    (tmp_path / "empty.h5").touch()
    with pytest.raises(InputError, match="is empty"):
        files.open_hdf5(tmp_path / "empty.h5", "jets")


def test_tables_name_the_missing_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"seed": ["1", "all"], "value": [0.1, 1 / 3]})
    files.write_csv(frame, tmp_path / "t.csv")
    assert files.read_csv(tmp_path / "t.csv", ["seed", "value"])["seed"].tolist() == ["1", "all"]
    with pytest.raises(InputError, match=r"t.csv: no column low; it has seed, value"):
        files.read_csv(tmp_path / "t.csv", ["low"])
    frame.to_parquet(tmp_path / "t.parquet")
    assert files.read_parquet(tmp_path / "t.parquet", ["value"])["value"].tolist() == [0.1, 1 / 3]
    with pytest.raises(InputError, match=r"t.parquet: no column tau9"):
        files.read_parquet(tmp_path / "t.parquet", ["tau9"])
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:-8])
    with pytest.raises(InputError, match=r"cut.parquet: not a Parquet file, or truncated"):
        files.read_parquet(tmp_path / "cut.parquet")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match=r"bad.json: not JSON"):
        files.read_json(tmp_path / "bad.json")


def test_an_unknown_name_shows_the_nearest_and_all() -> None:
    assert str(unknown("tagger", "pfm", ["pfn", "mbns"])) == (
        "there is no tagger 'pfm' (did you mean 'pfn'?); known: mbns, pfn"
    )


def test_a_lock_that_was_removed_lets_nobody_else_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who leaves removes the lock file: one that waited for it is not let in beside one who made a new one."""
    monkeypatch.setattr(files, "LOCK_PATIENCE", 60.0)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    inside, most = 0, 0

    def visit() -> None:
        nonlocal inside, most
        for _ in range(40):
            with files.locked(tmp_path / "model"):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=visit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert list(tmp_path.iterdir()) == []
