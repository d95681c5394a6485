"""The reader of the top tagging reference data set, on a small file of its layout made here, and on the real one."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from glassjet.cli.main import main
from glassjet.jets import store, top_reference

REAL = Path(__file__).parents[3] / "shared" / "data" / "top_reference" / "test_first2000.h5"
CONSTITUENTS = 200
TRUTH = ["truthE", "truthPX", "truthPY", "truthPZ"]
NAMES = [f"{axis}_{i}" for i in range(CONSTITUENTS) for axis in ("E", "PX", "PY", "PZ")] + TRUTH
LABELS = ["ttv", "is_signal_new"]


def momenta(n: int, seed: int = 0) -> np.ndarray:
    """Padded E, px, py, pz (n, 200, 4) of massless constituents, ordered by falling pT."""
    rng = np.random.default_rng(seed)
    out = np.zeros((n, CONSTITUENTS, 4), np.float32)
    for row in out:
        count = rng.integers(1, 120)
        pt = np.sort(rng.exponential(20, count))[::-1]
        eta, phi = rng.normal(0.5, 0.2, count), rng.normal(3, 0.2, count)
        row[:count] = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=1)
    return out


def table_file(path: Path, four: np.ndarray, order: list[str] | None = None, **attributes: Any) -> Path:
    """A file as pandas and PyTables lay it out; `order` shuffles the columns, `attributes` replace the real ones."""
    n = len(four)
    columns = dict(zip(NAMES, np.hstack([four.reshape(n, -1), np.full((n, 4), 1e6, np.float32)]).T, strict=True))
    order = order or NAMES
    blocks = [("index", "<i8"), ("values_block_0", "<f4", (len(order),)), ("values_block_1", "<i8", (2,))]
    rows = np.zeros(n, blocks)
    rows["index"] = np.arange(n)
    rows["values_block_0"] = np.stack([columns[name] for name in order], axis=1)
    rows["values_block_1"] = np.stack([np.ones(n), np.arange(n) % 2], axis=1)
    with h5py.File(path, "w") as file:
        table = file.create_dataset("table/table", data=rows, chunks=(min(n, 10),), compression=hdf5plugin.Blosc())
        kinds = {
            "values_block_0_kind": np.bytes_(pickle.dumps(order, protocol=0)),
            "values_block_1_kind": np.bytes_(pickle.dumps(LABELS, protocol=0)),
        }
        for name, value in (kinds | attributes).items():
            if value is not None:
                table.attrs[name] = value
    return path


def import_words(file: Path, out: Path, *more: str) -> list[str]:
    words = ["import", str(file), "--format", "top_reference", "--sample", "reference", "--split", "test"]
    return [*words, "--out", str(out), *more]


@pytest.mark.parametrize("shuffled", [False, True])
def test_jets_equal_a_slow_loop_and_truth_stays_out(tmp_path: Path, shuffled: bool) -> None:
    four = momenta(23)
    order = [NAMES[i] for i in np.random.default_rng(1).permutation(len(NAMES))] if shuffled else NAMES
    file = table_file(tmp_path / "in.h5", four, order)
    assert main(import_words(file, tmp_path / "out.h5")) == 0
    jets = store.read(tmp_path / "out.h5")
    assert len(jets) == 23
    for i in range(23):
        energy, px, py, pz = four[i][four[i, :, 0] > 0].astype(float).T
        mine = {
            k: v[jets.constituents.offsets[i] : jets.constituents.offsets[i + 1]]
            for k, v in jets.constituents.columns.items()
        }
        assert mine["pt"] == pytest.approx(np.hypot(px, py), rel=1e-6)
        assert mine["energy"] == pytest.approx(energy, rel=1e-6)
        assert np.sinh(mine["eta"]) * mine["pt"] == pytest.approx(pz, rel=1e-5, abs=1e-5)
        assert jets.columns["pt"][i] == pytest.approx(np.hypot(px.sum(), py.sum()), rel=1e-6)  # without truth's 1e6
        mass = np.sqrt(energy.sum() ** 2 - px.sum() ** 2 - py.sum() ** 2 - pz.sum() ** 2)
        assert jets.columns["mass"][i] == pytest.approx(mass, abs=0.02)
    assert jets.columns["label"].tolist() == [i % 2 for i in range(23)]
    assert (jets.columns["weight"] == 1).all()
    assert len(set(jets.columns["event"].tolist())) == 23
    assert jets.partons.counts.sum() == 0
    assert store.metadata(tmp_path / "out.h5")["level"] == "detector"


def test_chunks_and_limit_read_the_same_jets(tmp_path: Path) -> None:
    file = table_file(tmp_path / "in.h5", momenta(23))
    whole = store.concatenate(list(top_reference.chunks(file, "test", 23)))
    pieces = store.concatenate(list(top_reference.chunks(file, "test", 23, size=7)))
    assert pieces.columns["event"].tolist() == whole.columns["event"].tolist()
    assert pieces.constituents.columns["pt"].tolist() == whole.constituents.columns["pt"].tolist()
    assert main(import_words(file, tmp_path / "out.h5", "--limit", "9")) == 0
    assert store.read(tmp_path / "out.h5").columns["mass"].tolist() == whole.columns["mass"][:9].astype("f4").tolist()
    assert main(import_words(file, tmp_path / "all.h5", "--limit", "99")) == 0
    assert store.count(tmp_path / "all.h5") == 23


def test_unordered_constituents_are_ordered(tmp_path: Path) -> None:
    four = momenta(5)
    file = table_file(tmp_path / "in.h5", four[:, ::-1])
    (jets,) = top_reference.chunks(file, "test", 5)
    for a, b in zip(jets.constituents.offsets, jets.constituents.offsets[1:], strict=False):
        assert (np.diff(jets.constituents.columns["pt"][a:b]) <= 0).all()
    assert jets.constituents.counts.tolist() == (four[:, :, 0] > 0).sum(axis=1).tolist()


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["BOMB"],)


def test_a_pickle_that_would_run_code_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bomb = tmp_path / "bomb"
    monkeypatch.setenv("BOMB", str(bomb))
    armed = np.bytes_(pickle.dumps([*NAMES, Bomb()], protocol=0))
    file = table_file(tmp_path / "in.h5", momenta(2), values_block_0_kind=armed)
    assert main(import_words(file, tmp_path / "out.h5")) == 2
    assert "the column names of values_block_0 cannot be read (the opcode GLOBAL" in capsys.readouterr().err
    assert not bomb.exists()


@pytest.mark.parametrize("protocol", range(5))
def test_names_are_read_from_every_protocol(protocol: int) -> None:
    assert top_reference.listed_names(pickle.dumps(NAMES, protocol=protocol)) == NAMES


def broken(path: Path, row: int, value: list[float]) -> Path:
    four = momenta(8)
    four[row, 0] = value
    return table_file(path, four)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([np.nan, 0, 0, 0], "row 5 has a NaN or infinite momentum; remove it"),
        ([1, np.inf, 0, 0], "row 5 has a NaN or infinite momentum; remove it"),
        ([-1, 0.5, 0, 0], "row 5 has a negative energy; remove it"),
        ([0, 0.5, 0, 0], "row 5 has a momentum without energy; remove it"),
        ([1, 0, 0, 1], "row 5 has a constituent along the beam; remove it"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, value: list[float], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(import_words(broken(tmp_path / "in.h5", 5, value), tmp_path / "out.h5")) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.h5"]


def test_an_empty_row_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    four = momenta(4)
    four[3] = 0
    assert main(import_words(table_file(tmp_path / "in.h5", four), tmp_path / "out.h5")) == 2
    assert "row 3 has no constituents; remove it" in capsys.readouterr().err


def test_other_layouts_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    four = momenta(2)

    def told(file: Path) -> str:
        assert main(import_words(file, tmp_path / "out.h5")) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    fewer = table_file(tmp_path / "a.h5", four, values_block_0_kind=np.bytes_(pickle.dumps(NAMES[:-1], protocol=0)))
    assert "values_block_0 has 804 columns, but 803 names" in told(fewer)
    assert "cannot be read" in told(table_file(tmp_path / "b.h5", four, values_block_0_kind=None))
    assert "cannot be read" in told(table_file(tmp_path / "c.h5", four, values_block_0_kind=np.bytes_(b"E_0,PX_0")))
    other = [name.replace("PX_199", "VX_199") for name in NAMES]
    renamed = table_file(tmp_path / "d.h5", four, values_block_0_kind=np.bytes_(pickle.dumps(other, protocol=0)))
    assert "no column PX_199; not the top tagging reference data set" in told(renamed)
    labels = np.bytes_(pickle.dumps(["ttv", "is_signal"], protocol=0))
    assert "no column is_signal_new" in told(table_file(tmp_path / "e.h5", four, values_block_1_kind=labels))
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["jets"] = [1]
    assert "no table /table/table" in told(tmp_path / "f.h5")
    (tmp_path / "g.h5").write_text("E_0,PX_0")
    assert "not an HDF5 file" in told(tmp_path / "g.h5")
    (tmp_path / "h.h5").write_bytes(table_file(tmp_path / "whole.h5", four).read_bytes()[:-3000])
    assert "the file is truncated; download it again" in told(tmp_path / "h.h5")
    assert "no such file" in told(tmp_path / "none.h5")


def test_bad_words_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = table_file(tmp_path / "in.h5", momenta(2))
    for words, told in (
        (["--format", "top_referense"], "did you mean 'top_reference'"),
        (["--split", "val"], "there is no split 'val'; known: explain, test, train, validation"),
        (["--limit", "0"], "--limit 0: give at least 1"),
    ):
        assert main(import_words(file, tmp_path / "out.h5", *words)) == 2
        assert told in capsys.readouterr().err


def test_without_hdf5plugin_the_package_is_named(tmp_path: Path) -> None:
    words = import_words(table_file(tmp_path / "in.h5", momenta(2)), tmp_path / "out.h5")
    code = (
        "import sys; sys.modules['hdf5plugin'] = None; from glassjet.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "install the package hdf5plugin" in done.stderr


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_the_real_file_has_the_published_properties(tmp_path: Path) -> None:
    assert main(import_words(REAL, tmp_path / "out.h5")) == 0
    jets = store.read(tmp_path / "out.h5")
    labels, mass = jets.columns["label"], jets.columns["mass"].astype(float)
    assert np.bincount(labels).tolist() == [1060, 940]
    assert np.median(mass[labels == 1]) == pytest.approx(174, abs=0.5)
    above = (mass[labels == 1][:, None] > mass[labels == 0]).mean()
    assert above == pytest.approx(0.912, abs=0.0006)
    assert jets.columns["pt"].min() >= 550
    assert jets.columns["pt"].max() <= 650
    assert np.abs(jets.columns["eta"]).max() < 2
    assert jets.constituents.counts.max() == 114
