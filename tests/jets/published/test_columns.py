"""Columns of HDF5, ROOT and Parquet files: every layout in pieces, and every way that a file can be broken."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from glassjet.errors import InputError
from glassjet.jets.published import columns_root
from glassjet.jets.published.columns import Lists, column_of, open_table, read_columns
from tests.jets.published.mapped_files import LAYOUTS, NAMES, WIDTH, column, jets, write

REAL = Path(__file__).parents[4] / "shared" / "data" / "jetclass" / "jetclass_500.root"


def plain(values: Any) -> list[Any]:
    if not isinstance(values, Lists):
        return list(values.tolist())
    return [values.values[a:b].tolist() for a, b in zip(values.offsets, values.offsets[1:], strict=False)]


def index_of(name: str) -> str:
    return name.replace("{", "").replace("}", "").replace(": [", "[")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [1, 7, 37])
def test_every_layout_gives_what_was_written(tmp_path: Path, layout: str, size: int) -> None:
    lists, singles = jets()
    path, called = write(tmp_path, layout, lists, singles)
    names = {name: index_of(called[name]) for name in (*lists, *singles)}
    found: dict[str, list[Any]] = {name: [] for name in names}
    with open_table(path) as table:
        for start in range(0, 37, size):
            rows = read_columns(table, list(names.values()), start, min(start + size, 37))
            for name in names:
                found[name] += plain(rows[names[name]])
            assert column_of(table, names["part_pt"]).rows == 37
    for name, written in lists.items():
        cut = [row[: len(expected)] for row, expected in zip(found[name], written, strict=True)]
        assert cut == written
        assert all(not any(row[len(expected) :]) for row, expected in zip(found[name], written, strict=True))
    for name, values in singles.items():
        assert found[name] == values.tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_can_be_skipped_and_read_again(tmp_path: Path, layout: str) -> None:
    lists, singles = jets()
    path, called = write(tmp_path, layout, lists, singles)
    name = index_of(called["evt"])
    with open_table(path) as table:
        for start, stop in ((13, 15), (25, 31), (22, 24), (31, 37), (0, 37)):
            assert plain(read_columns(table, [name], start, stop)[name]) == singles["evt"][start:stop].tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_shapes_and_types_are_told(tmp_path: Path, layout: str) -> None:
    lists, singles = jets()
    path, called = write(tmp_path, layout, lists, singles)
    jagged = {"hdf5_lists", "root_jagged", "root_ntuple", "parquet_lists", "parquet_structs", "parquet_cube"}
    with open_table(path) as table:
        pt, label = (column_of(table, index_of(called[name])) for name in ("part_pt", "is_signal"))
    assert pt.shape == ((None,) if layout in jagged else (WIDTH,))
    assert (pt.kind, label.kind, label.shape) == ("number", "number", ())
    assert pt.type in ("float32", "float")
    assert label.type == "int32"


def test_text_booleans_and_nulls_of_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["top", "qcd", None],
            "coded": pa.array(["top", "qcd", "top"]).dictionary_encode(),
            "flag": pa.array([True, False, None]),
            "number": pa.array([1, None, 3], pa.int32()),
            "lists": pa.array([[1, None], None, []], pa.list_(pa.float64())),
            "half": pa.array(np.array([0.5, 1, 2], "f2")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert column(tmp_path / "a.parquet", "text", 0, 3) == ["top", "qcd", "null"]
    assert column(tmp_path / "a.parquet", "coded", 1, 3) == ["qcd", "top"]
    assert column(tmp_path / "a.parquet", "flag", 0, 2) == [1, 0]
    assert np.isnan(column(tmp_path / "a.parquet", "flag", 2, 3)).all()
    assert np.isnan(column(tmp_path / "a.parquet", "number", 0, 3)).tolist() == [False, True, False]
    first, *rest = column(tmp_path / "a.parquet", "lists", 0, 3)
    assert (first[0], np.isnan(first[1]), rest) == (1, True, [[], []])
    assert column(tmp_path / "a.parquet", "half", 0, 3) == [0.5, 1, 2]


def test_text_of_hdf5_and_root(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["fixed"] = np.array([b"top", b"qcd"])
        file["free"] = ["top", "é"]
        file["x"] = np.zeros(2)
    assert column(tmp_path / "a.h5", "fixed", 0, 2) == ["top", "qcd"]
    assert column(tmp_path / "a.h5", "free", 0, 2) == ["top", "é"]
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mkrntuple("t", {"text": ak.Array(["top", "qcd"])})
    assert column(tmp_path / "a.root", "text", 0, 2) == ["top", "qcd"]


def test_large_row_groups_are_streamed(tmp_path: Path) -> None:
    rows = 9000  # of one group, more than two batches
    lists = pa.array([[float(i)] * (i % 5) for i in range(rows)], pa.list_(pa.float64()))
    pq.write_table(pa.table({"x": lists, "y": np.arange(rows)}), tmp_path / "a.parquet")
    with open_table(tmp_path / "a.parquet") as table:
        for start in range(0, rows, 2500):
            stop = min(start + 2500, rows)
            found = read_columns(table, ["x", "y"], start, stop)
            assert plain(found["x"]) == [[float(i)] * (i % 5) for i in range(start, stop)]
            assert plain(found["y"]) == list(range(start, stop))
            assert sum(batch.num_rows for batch in vars(table)["_held"]) <= 4096


def test_hdf5_prefixes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/b/pt"] = np.arange(3)
    assert column(tmp_path / "a.h5", "pt", 0, 3) == [0, 1, 2]  # the only group
    assert column(tmp_path / "a.h5", "a/b/pt", 0, 3) == [0, 1, 2]
    assert column(tmp_path / "a.h5", "b/pt", 0, 3, tree="a") == [0, 1, 2]
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["jets"] = np.array([(1.5, 2), (2.5, 3)], [("pt", "f8"), ("label", "i4")])
        file["events/x"] = np.zeros(7)
    assert column(tmp_path / "b.h5", "pt", 0, 2, tree="jets") == [1.5, 2.5]
    assert column(tmp_path / "b.h5", "jets/label", 0, 2) == [2, 3]
    with pytest.raises(InputError, match=r"no group 'jts' \(key tree\); did you mean 'jets'\?"):
        column(tmp_path / "b.h5", "pt", 0, 2, tree="jts")
    with pytest.raises(InputError, match=r"'events/x' \(key tree\) is neither a group nor a dataset with named fields"):
        column(tmp_path / "b.h5", "pt", 0, 2, tree="events/x")


def test_trees_of_root(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("empty", {"pt": "f8"})
        file.mktree("dir/Events", {"pt": "f8"}).extend({"pt": np.arange(3.0)})
    assert column(tmp_path / "a.root", "pt", 0, 3) == [0, 1, 2]  # the only one with rows
    assert column(tmp_path / "a.root", "pt", 0, 3, tree="dir/Events") == [0, 1, 2]
    with uproot.recreate(tmp_path / "b.root") as file:
        for name in ("one", "two"):
            file.mktree(name, {"pt": "f8"}).extend({"pt": np.arange(3.0)})
    with pytest.raises(InputError, match=r"has several trees \(one, two\); name one with the key tree"):
        column(tmp_path / "b.root", "pt", 0, 3)
    with uproot.recreate(tmp_path / "c.root") as file:
        file["note"] = "no tree"
    with pytest.raises(InputError, match=r"c\.root: holds no tree"):
        column(tmp_path / "c.root", "pt", 0, 3)


class Split:
    """A tree with a branch in one of an object, as ROOT writes them and uproot cannot."""

    num_entries = 3

    def keys(self) -> list[str]:
        return ["Jet", "Jet/Jet.pt"]


def test_the_last_part_of_a_branch_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(tree: Split, names: list[str], start: int, stop: int, path: Path) -> dict[str, Any]:
        return {name: ak.Array([4.0, 5.0, 6.0])[start:stop] for name in names if name == "Jet/Jet.pt"}

    monkeypatch.setattr(columns_root, "read_branches", read)
    table = columns_root.RootTable(Path("a.root"), Split())  # type: ignore[arg-type]
    found = read_columns(table, ["Jet.pt", "Jet/Jet.pt"], 1, 3)
    assert plain(found["Jet.pt"]) == plain(found["Jet/Jet.pt"]) == [5, 6]


@pytest.mark.parametrize("layout", ["hdf5_padded", "root_jagged", "parquet_lists"])
def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path, layout: str) -> None:
    path, _ = write(tmp_path, layout, *jets())
    with pytest.raises(InputError, match=rf"{path}: no column 'part_ptt'; did you mean 'part_pt'\?"):
        column(path, "part_ptt", 0, 1)
    with pytest.raises(InputError, match=r"no column 'pt'; did you mean 'part_pt'\?"), open_table(path) as table:
        column_of(table, "pt")


@pytest.mark.parametrize("layout", ["hdf5_cube", "parquet_cube"])
def test_places_that_do_not_exist(tmp_path: Path, layout: str) -> None:
    path, _ = write(tmp_path, layout, *jets())
    with pytest.raises(InputError, match="'X' has the places 0 to 4, not 5"), open_table(path) as table:
        column_of(table, "X[5]")
        read_columns(table, ["X[5]"], 0, 2)
    with pytest.raises(InputError, match="'w' has one value in each row, so no place 0"), open_table(path) as table:
        column_of(table, "w[0]")


def test_places_need_lists_of_equal_lengths(tmp_path: Path) -> None:
    pq.write_table(pa.table({"X": [[[1.0, 2.0], [3.0]]]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="the innermost lists of 'X' have 1 to 2 entries; a place needs them equally"):
        column(tmp_path / "a.parquet", "X[0]", 0, 1)


def test_a_column_that_is_called_like_a_place(tmp_path: Path) -> None:
    pq.write_table(pa.table({"X[0]": [7.0], "X": [[1.0, 2.0]]}), tmp_path / "a.parquet")
    assert column(tmp_path / "a.parquet", "X[0]", 0, 1) == [7]
    assert column(tmp_path / "a.parquet", "X[1]", 0, 1) == [2]


@pytest.mark.parametrize("suffix", ["h5", "root", "parquet"])
def test_other_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with pytest.raises(InputError, match="no such file"), open_table(path):
        pass
    path.write_text("")
    with pytest.raises(InputError, match="the file is empty"), open_table(path):
        pass
    path.write_text("pt,eta,phi\n1,2,3\n" * 1000)
    with pytest.raises(InputError, match="neither an HDF5, nor a ROOT, nor a Parquet file"), open_table(path):
        pass


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.97, 0.999])
def test_cut_files_are_one_line(tmp_path: Path, layout: str, share: float) -> None:
    lists, singles = jets(200)
    path, called = write(tmp_path, layout, lists, singles)
    content = path.read_bytes()
    path.write_bytes(content[: max(8, int(len(content) * share))])
    names = [index_of(called[name]) for name in (*NAMES, "w")]
    with pytest.raises(InputError) as caught, open_table(path) as table:
        for name in names:
            column_of(table, name)
        read_columns(table, names, 0, 200)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_overwritten_bytes_never_end_in_a_traceback(tmp_path: Path, layout: str) -> None:
    path, called = write(tmp_path, layout, *jets(200))
    content = path.read_bytes()
    names = [index_of(called[name]) for name in (*NAMES, "w")]
    rng, told = np.random.default_rng(0), []
    for _ in range(6):
        damaged = bytearray(content)
        at = int(rng.integers(8, len(content) - 64))
        damaged[at : at + 64] = rng.bytes(64)
        path.write_bytes(damaged)
        try:
            with open_table(path) as table:
                for name in names:
                    column_of(table, name)
                read_columns(table, names, 0, 200)
        except InputError as error:
            told.append(str(error))
    assert not any("\n" in one for one in told)


def without(package: str, path: Path) -> str:
    """The last line of what is said of a file where a package is missing."""
    code = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "from pathlib import Path\n"
        "from glassjet.jets.published.columns import open_table\n"
        "with open_table(Path(sys.argv[2])) as table: table.read(['x'], 0, 3)"
    )
    done = subprocess.run([sys.executable, "-c", code, package, str(path)], capture_output=True, text=True)
    return done.stderr.splitlines()[-1]


def test_missing_packages_are_named(tmp_path: Path) -> None:
    import hdf5plugin

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.arange(100.0), compression=hdf5plugin.Blosc())
    assert column(tmp_path / "a.h5", "x", 0, 100) == list(range(100))
    told = without("hdf5plugin", tmp_path / "a.h5")
    assert re.search(r"InputError: .*a\.h5: 'x' is compressed .*; install the package hdf5plugin", told)
    path, _ = write(tmp_path, "root_jagged", *jets())
    for package in ("uproot", "awkward"):
        told = without(package, path)
        assert re.search(rf"InputError: .*jets\.root: is a ROOT file; install the package {package}", told)


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_the_real_file_of_jetclass() -> None:
    counts = [len(row) for row in column(REAL, "part_px", 0, 500)]
    assert counts == column(REAL, "jet_nparticles", 0, 500)
    assert sum(column(REAL, "label_QCD", 0, 500)) > 0
