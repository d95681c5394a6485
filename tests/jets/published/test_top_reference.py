"""The reader of the top tagging reference data set, on a small file of its layout made here, and on the real one."""

import math
import os
import pickle
import re
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets.published import importing, top_reference
from glassjet.jets.published.importing import Choice
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import Jets, concatenate

REAL = Path(__file__).parents[4] / "shared" / "data" / "top_reference" / "test_first2000.h5"
CONSTITUENTS = 200
TRUTH = ["truthE", "truthPX", "truthPY", "truthPZ"]
NAMES = [f"{axis}_{i}" for i in range(CONSTITUENTS) for axis in ("E", "PX", "PY", "PZ")] + TRUTH
LABELS = ["ttv", "is_signal_new"]
BLOSC = hdf5plugin.Blosc(cname="blosclz", clevel=5, shuffle=hdf5plugin.Blosc.SHUFFLE)  # as PyTables asks for it
BOTH = Choice(top_reference.SIGNAL, top_reference.BACKGROUND)


def momenta(n: int, seed: int = 0) -> np.ndarray:
    """Padded E, px, py, pz (n, 200, 4) of massless constituents, ordered by falling pT."""
    rng = np.random.default_rng(seed)
    out = np.zeros((n, CONSTITUENTS, 4), np.float32)
    for row in out:
        count = rng.integers(1, 120)
        pt = np.sort(rng.exponential(20, count) + 0.01)[::-1]
        eta, phi = rng.normal(0.5, 0.2, count), rng.normal(3, 0.2, count)
        row[:count] = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=1)
    return out


def table_file(
    path: Path,
    four: np.ndarray,
    order: list[str] | None = None,
    signal: list[int] | None = None,
    number: str = "<f4",
    **attributes: Any,
) -> Path:
    """A file as pandas and PyTables lay it out; `order` shuffles the columns, `attributes` replace the real ones."""
    n = len(four)
    columns = dict(
        zip(NAMES, np.hstack([four.reshape(n, 4 * CONSTITUENTS), np.full((n, 4), 1e6, np.float32)]).T, strict=True)
    )
    order = order or NAMES
    blocks = [("index", "<i8"), ("values_block_0", number, (len(order),)), ("values_block_1", "<i8", (2,))]
    rows = np.zeros(n, blocks)
    rows["index"] = np.arange(n)
    rows["values_block_0"] = np.stack([columns[name] for name in order], axis=1)
    rows["values_block_1"] = np.stack([np.ones(n), np.arange(n) % 2 if signal is None else signal], axis=1)
    with h5py.File(path, "w") as file:
        table = file.create_dataset("table/table", data=rows, chunks=(10,), maxshape=(None,), compression=BLOSC)
        kinds = {
            "values_block_0_kind": np.bytes_(pickle.dumps(order, protocol=0)),
            "values_block_1_kind": np.bytes_(pickle.dumps(LABELS, protocol=0)),
        }
        for name, value in (kinds | attributes).items():
            if value is not None:
                table.attrs[name] = value
    return path


def rows_of(path: Path, size: int = 1000) -> list[Rows]:
    """All rows, so many at a time."""
    with top_reference.opened(path) as source:
        return [source.read(start, min(start + size, len(source))) for start in range(0, len(source), size)]


def imported(path: Path, choice: Choice = BOTH, size: int = 5000) -> Jets:
    return concatenate(list(importing.read(top_reference, [path], "test", choice, size)))


def told(path: Path) -> str:
    """What the import says of a bad file, after the file's name: one line."""
    with pytest.raises(InputError) as caught:
        imported(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize("number", ["<f4", "<f8", ">f4"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_rows_equal_a_slow_loop_and_truth_stays_out(tmp_path: Path, shuffled: bool, number: str) -> None:
    four = momenta(23)
    order = [NAMES[i] for i in np.random.default_rng(1).permutation(len(NAMES))] if shuffled else NAMES
    (rows,) = rows_of(table_file(tmp_path / "in.h5", four, order, number=number))
    assert len(rows) == 23
    assert rows.kind.tolist() == [i % 2 for i in range(23)]
    assert (rows.columns, rows.tracks, rows.vertices) == ({}, None, None)
    flat = []
    for i in range(23):
        count = 0
        for energy, px, py, pz in four[i].tolist():
            if energy > 0:
                pt = math.sqrt(px**2 + py**2)
                flat.append((pt, math.asinh(pz / pt), math.atan2(py, px), energy))
                count += 1
        assert rows.constituents.counts[i] == count
    assert list(rows.constituents.columns) == ["pt", "eta", "phi", "energy"]
    for expected, values in zip(zip(*flat, strict=True), rows.constituents.columns.values(), strict=True):
        assert values.dtype == np.float64
        assert values == pytest.approx(np.array(expected), rel=1e-13, abs=1e-15)


def test_jets_are_the_sum_of_their_constituents(tmp_path: Path) -> None:
    four = momenta(23)
    jets = imported(table_file(tmp_path / "in.h5", four))
    for i in range(23):
        energy, px, py, pz = four[i].astype(float).sum(axis=0)
        assert jets.columns["pt"][i] == pytest.approx(np.hypot(px, py), rel=1e-6)  # without truth's 1e6
        assert jets.columns["mass"][i] == pytest.approx(np.sqrt(energy**2 - px**2 - py**2 - pz**2), abs=0.02)
    assert jets.columns["label"].tolist() == [i % 2 for i in range(23)]
    assert (jets.columns["weight"] == 1).all()
    assert len(set(jets.columns["event"].tolist())) == 23
    assert jets.partons.counts.sum() == 0


@pytest.mark.parametrize("size", [1, 7, 10, 22])
def test_chunks_of_any_size_read_the_same_jets(tmp_path: Path, size: int) -> None:
    file = table_file(tmp_path / "in.h5", momenta(23))
    whole, pieces = imported(file), imported(file, size=size)
    assert len(list(importing.read(top_reference, [file], "test", BOTH, size))) == -(-23 // size)
    for name, column in whole.columns.items():
        assert pieces.columns[name].tolist() == column.tolist()
    assert pieces.constituents.offsets.tolist() == whole.constituents.offsets.tolist()
    for name, column in whole.constituents.columns.items():
        assert pieces.constituents.columns[name].tolist() == column.tolist()


def test_choices_take_the_jets_they_name(tmp_path: Path) -> None:
    file = table_file(tmp_path / "in.h5", momenta(23))
    mass = imported(file).columns["mass"].tolist()
    assert imported(file, Choice(("top",), ("qcd",), limit=9), 4).columns["mass"].tolist() == mass[:9]
    assert imported(file, Choice(("top",), ("qcd",), limit=99)).columns["mass"].tolist() == mass
    assert imported(file, Choice(("top",), ("qcd",), part=1, parts=3), 5).columns["mass"].tolist() == mass[1::3]
    swapped = imported(file, Choice(("qcd",), ("top",)))
    assert swapped.columns["label"].tolist() == [1 - i % 2 for i in range(23)]
    tops = imported(file, Choice(("top",), ()))
    assert tops.columns["mass"].tolist() == mass[1::2]
    with pytest.raises(InputError, match="there is no class for the signal 'tops' \\(did you mean 'top'\\?\\)"):
        imported(file, Choice(("tops",), ("qcd",)))


def test_unordered_constituents_are_ordered(tmp_path: Path) -> None:
    four = momenta(5)
    reverse = table_file(tmp_path / "reverse.h5", four[:, ::-1])
    (rows,) = rows_of(reverse)
    pt = rows.constituents.columns["pt"]
    assert (np.diff(pt[: rows.constituents.offsets[1]]) >= 0).all()  # a reader leaves the order of the file
    jets, straight = imported(reverse), imported(table_file(tmp_path / "straight.h5", four))
    assert jets.constituents.offsets.tolist() == straight.constituents.offsets.tolist()
    for name, column in straight.constituents.columns.items():
        assert jets.constituents.columns[name].tolist() == column.tolist()


def test_padding_between_constituents_and_negative_zeros_are_padding(tmp_path: Path) -> None:
    four = momenta(4)
    spread = np.full_like(four, -0.0)
    spread[:, 1::2] = four[:, : CONSTITUENTS // 2]
    (rows,) = rows_of(table_file(tmp_path / "spread.h5", spread))
    assert rows.constituents.counts.tolist() == (four[:, : CONSTITUENTS // 2, 0] > 0).sum(axis=1).tolist()


def test_fewer_slots_are_read_too(tmp_path: Path) -> None:
    four = momenta(3)
    order = ["E_0", "PX_0", "PY_0", "PZ_0", *TRUTH]
    (rows,) = rows_of(table_file(tmp_path / "in.h5", four, order))
    assert rows.constituents.columns["energy"].tolist() == four[:, 0, 0].tolist()


def test_memory_is_that_of_a_chunk(tmp_path: Path) -> None:
    peaks = []
    for n in (200, 800):
        file = table_file(tmp_path / f"{n}.h5", np.tile(momenta(50), (n // 50, 1, 1)))
        tracemalloc.start()
        for _ in importing.read(top_reference, [file], "test", BOTH, 100):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 100 * CONSTITUENTS * 4 * 4 * 6  # of some 320 kB that a chunk's slots take


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["BOMB"],)


def test_a_pickle_that_would_run_code_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb"
    monkeypatch.setenv("BOMB", str(bomb))
    armed = np.bytes_(pickle.dumps([*NAMES, Bomb()], protocol=0))
    line = told(table_file(tmp_path / "in.h5", momenta(2), values_block_0_kind=armed))
    assert line.startswith("the column names of values_block_0 cannot be read (the opcode GLOBAL")
    assert not bomb.exists()
    pickle.loads(bytes(armed))
    assert bomb.exists()  # it was armed


@pytest.mark.parametrize("protocol", range(5))
def test_names_are_read_from_every_protocol(protocol: int) -> None:
    assert top_reference.listed_names(pickle.dumps(NAMES, protocol=protocol)) == NAMES


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ([np.nan, 0, 0, 0], "a NaN or infinite momentum"),
        ([1, np.inf, 0, 0], "a NaN or infinite momentum"),
        ([-1, 0.5, 0, 0], "a negative energy"),
        ([0, 0.5, 0, 0], "no energy"),
        ([1, 0, 0, 1], "a constituent along the beam"),
    ],
)
@pytest.mark.parametrize("size", [3, 5000])
def test_bad_rows_are_named(tmp_path: Path, value: list[float], what: str, size: int) -> None:
    four = momenta(8)
    four[5, 150] = value
    file = table_file(tmp_path / "in.h5", four)
    with pytest.raises(InputError) as caught:
        imported(file, size=size)
    assert str(caught.value) == f"{file}: row 5 has {what} in E_150 … PZ_150; remove it"


def test_empty_rows_and_tables_are_named(tmp_path: Path) -> None:
    four = momenta(4)
    four[3] = 0
    assert told(table_file(tmp_path / "row.h5", four)) == "row 3 has no constituents; remove it"
    assert told(table_file(tmp_path / "table.h5", four[:0])) == "holds no jets"


def test_labels_of_no_class_are_named(tmp_path: Path) -> None:
    file = table_file(tmp_path / "in.h5", momenta(4), signal=[0, 1, 2, 0])
    assert told(file) == "row 2 has is_signal_new = 2; 0 (qcd) and 1 (top) are known"
    with pytest.raises(InputError, match="row 2 has is_signal_new = 2; "):
        imported(file, size=1)


def test_other_layouts_are_refused(tmp_path: Path) -> None:
    four = momenta(2)

    def with_names(names: list[str], block: int = 0) -> Path:
        kind: dict[str, Any] = {f"values_block_{block}_kind": np.bytes_(pickle.dumps(names, protocol=0))}
        return table_file(tmp_path / "in.h5", four, **kind)

    other = "not the top tagging reference data set"
    assert told(with_names(NAMES[:-1])) == f"values_block_0 has the shape (804,), but 803 names; {other}"
    renamed = [name.replace("PX_199", "px_199") for name in NAMES]
    assert told(with_names(renamed)) == f"no column PX_199 (did you mean 'px_199'?); {other}"
    assert told(with_names([name.replace("E_", "energy") for name in NAMES])) == f"no column E_0; {other}"
    several = [name.replace("P", "K") for name in NAMES]
    assert told(with_names(several)).startswith("no column PX_0, PY_0, PZ_0 and 597 more (did you mean 'KX_0'?); ")
    assert told(with_names(["ttv", "is_signal"], 1)) == (
        f"no column is_signal_new (did you mean 'is_signal'?); {other}"
    )
    for bad in (None, np.bytes_(b"E_0,PX_0"), np.bytes_(b"\x80\x04X"), 10**12, "E_0"):
        line = told(table_file(tmp_path / "in.h5", four, values_block_0_kind=bad))
        assert line.startswith("the column names of values_block_0 cannot be read (")
    assert told(table_file(tmp_path / "in.h5", four, number="S4")) == (f"the column E_0 holds no numbers; {other}")
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["table/other"] = [1]
    assert (
        told(tmp_path / "f.h5")
        == "no table /table/table; not a file of the top tagging reference data set, or a damaged one"
    )
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["table/table"] = np.zeros((2, 2), [("values_block_0", "<f4", (4,))])
    assert told(tmp_path / "f.h5").startswith("no table /table/table; ")
    (tmp_path / "g.h5").write_text("E_0,PX_0")
    assert told(tmp_path / "g.h5") == "not an HDF5 file"
    assert told(tmp_path / "none.h5") == "no such file"
    assert told(tmp_path).startswith("is a directory")


def test_constituents_in_two_blocks_are_refused(tmp_path: Path) -> None:
    rows = np.zeros(2, [("values_block_0", "<f4", (2,)), ("values_block_1", "<i8", (3,))])
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["table/table"] = rows
        for block, names in enumerate((["E_0", "PX_0"], ["PY_0", "PZ_0", "is_signal_new"])):
            file["table/table"].attrs[f"values_block_{block}_kind"] = np.bytes_(pickle.dumps(names, protocol=0))
    assert told(tmp_path / "in.h5").startswith(
        "the constituents lie in several blocks (values_block_0, values_block_1)"
    )


def test_cut_and_damaged_files_are_one_line(tmp_path: Path) -> None:
    whole = table_file(tmp_path / "whole.h5", momenta(60)).read_bytes()
    cut, size = tmp_path / "cut.h5", len(whole)
    for kept in (1, 7, 50, 3000, size // 3, size // 2, size - 3000, size - 1):
        cut.write_bytes(whole[:kept])
        assert told(cut) == ("the file is truncated; download it again" if kept > 8 else "not an HDF5 file")
    cut.write_bytes(b"")
    assert told(cut).startswith("the file is empty")
    with h5py.File(tmp_path / "whole.h5") as file:
        chunk = file["table/table"].id.get_chunk_info(3)
    for kept in (3000, chunk.byte_offset, chunk.byte_offset + chunk.size // 2):  # the rest was never downloaded
        cut.write_bytes(whole[:kept] + bytes(size - kept))
        assert re.search("download it again$|cannot be read|or a damaged one$", told(cut))
    damaged = bytearray(whole)
    damaged[chunk.byte_offset : chunk.byte_offset + 16] = b"\xff" * 16  # the head of a Blosc buffer
    cut.write_bytes(damaged)
    with pytest.raises(InputError, match=r"cut\.h5: damaged or truncated near row 30 \(.*\); download it again$"):
        imported(cut, size=10)


def test_without_hdf5plugin_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = table_file(tmp_path / "in.h5", momenta(2))
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    assert told(file) == "is compressed with Blosc; install the package hdf5plugin to read it"


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_the_real_file_has_the_published_properties() -> None:
    jets = imported(REAL, size=300)
    labels, mass = jets.columns["label"], jets.columns["mass"].astype(float)
    assert np.bincount(labels).tolist() == [1060, 940]
    assert np.median(mass[labels == 1]) == pytest.approx(174, abs=0.5)
    above = (mass[labels == 1][:, None] > mass[labels == 0]).mean()
    assert above == pytest.approx(0.912, abs=0.0006)
    assert jets.columns["pt"].min() >= 550
    assert jets.columns["pt"].max() <= 650
    assert np.abs(jets.columns["eta"]).max() < 2
    assert jets.constituents.counts.max() == 114
