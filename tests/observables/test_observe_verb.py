"""`glassjet observe`: the table on disk, its bytes, and its refusals."""

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from glassjet.cli.main import main
from glassjet.jets import store
from glassjet.observables.compute import observe
from glassjet.observables.registry import VARIABLES
from tests.observables.synthetic_jets import jets_from, random_lists

METADATA = {"sample": "toy", "split": "train", "level": "particle", "cutflow": [1, 2]}


@pytest.fixture
def jets_file(tmp_path: Path) -> Path:
    path = tmp_path / "jets.h5"
    with store.writing(path, METADATA, "{}") as writer:
        writer.append(jets_from(random_lists([1, 2, 5, 20, 40] * 5)))
    return path


def test_the_table_holds_what_observe_computes(jets_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "table.parquet"
    assert main(["observe", str(jets_file), "--variables", "xaug29", "mbns", "--out", str(out)]) == 0
    found, expected = pd.read_parquet(out), observe(store.read(jets_file), ("xaug29", "mbns"))
    assert list(found) == list(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found["event"].dtype == np.int64
    assert found["pt"].dtype == np.float32
    assert [entry.name for entry in out.parent.iterdir()] == [out.name]


def test_the_schema_says_where_the_table_comes_from(jets_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "table.parquet"
    assert main(["observe", str(jets_file), "--variables", "mbns", "--out", str(out)]) == 0
    known = pq.read_schema(out).metadata
    assert known[b"glassjet"] == b"observables"
    assert json.loads(known[b"metadata"]) == {
        "sample": "toy",
        "split": "train",
        "level": "particle",
        "variables": ["mbns"],
    }
    made_by = json.loads(known[b"provenance"])
    assert made_by["verb"] == "observe"
    assert str(tmp_path) not in known[b"provenance"].decode()


def test_bytes_do_not_depend_on_the_processes_and_row_groups_are_chunks(jets_file: Path, tmp_path: Path) -> None:
    written = []
    for processes in ("1", "2"):
        out = tmp_path / f"table{processes}.parquet"
        shared = ["--processes", processes, "--chunk-size", "10"]
        assert main(["observe", str(jets_file), "--variables", "mbns", *shared, "--out", str(out)]) == 0
        written.append(out.read_bytes())
    assert written[0] == written[1]
    groups = pq.ParquetFile(tmp_path / "table1.parquet").metadata
    assert [groups.row_group(k).num_rows for k in range(groups.num_row_groups)] == [10, 10, 5]
    assert pd.read_parquet(tmp_path / "table1.parquet")["event"].tolist() == list(range(1000, 1025))


def test_list_prints_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observe", "--list"]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in VARIABLES)
    assert main(["observe", "--list", "--variables", "mass_tau32"]) == 0
    printed = capsys.readouterr().out
    assert sum(f"  {name} " in printed for name in VARIABLES) == 2
    assert main(["observe", "--list", "--variables", "tau4_b15_wta_softdrop_z02_b10"]) == 0
    assert "tau_4^(1.5) after soft drop (z_cut = 0.2, beta = 1), WTA_KT_Axes" in capsys.readouterr().out


def test_an_unknown_set_is_answered_with_near_names(jets_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observe", str(jets_file), "--variables", "mbn", "--out", "unused.parquet"]) == 2
    assert "did you mean 'mbns'" in capsys.readouterr().err
    assert not Path("unused.parquet").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--out", "x.parquet"], "a file of jets and --out are needed"),
        (["missing.h5", "--out", "x.parquet"], "missing.h5: no such file"),
        (["missing.h5", "--processes", "0", "--out", "x.parquet"], "--processes 0: at least 1"),
    ],
)
def test_bad_input_is_one_line(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observe", *words]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--chunk-size", "0"], "--chunk-size 0: at least 1 is needed"),
        (["--chunk-size", "-5"], "--chunk-size -5: at least 1 is needed"),
        (
            ["--variables", "tau3_b10_kd"],
            "there is no expert variable or set 'tau3_b10_kd' (did you mean 'tau3_b10_kt'",
        ),
        (["--variables", "tau9_b10_kt"], "there is no expert variable or set 'tau9_b10_kt'"),
        (["--variables", "tau32_b10"], "the expert variable 'tau32_b10' is written 'tau32'"),
        (["--variables", "xaug36"], "jets.h5: multiplicity_charged_hadrons: the constituents have no pdgid"),
        (["--variables", "displaced"], "jets.h5: dxy_max: the constituents have no d0 (they have no tracks)"),
        (["--variables", "charge_k05"], "jets.h5: charge_k05: the constituents have no charge"),
        (["--variables", "toy_z"], "jets.h5: toy_z: only jets of the toy model have it"),
    ],
)
def test_what_cannot_be_computed_is_one_line(
    jets_file: Path, words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = jets_file.parent / "refused.parquet"
    assert main(["observe", str(jets_file), *words, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_chunk_that_no_memory_holds_is_refused(
    jets_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("glassjet.cli.observe.CONSTITUENT_MEMORY", 1e12)
    out = jets_file.parent / "refused.parquet"
    assert main(["observe", str(jets_file), "--out", str(out)]) == 2
    assert "--chunk-size: so many jets at a time take" in capsys.readouterr().err


@pytest.mark.parametrize(("column", "value"), [("energy", np.nan), ("energy", -3.0), ("pt", np.inf), ("eta", np.nan)])
def test_momenta_that_are_none_are_refused(
    tmp_path: Path, column: str, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "jets.h5", tmp_path / "table.parquet"
    with store.writing(path, METADATA, "{}") as writer:
        writer.append(jets_from(random_lists([10, 10])))
    with h5py.File(path, "r+") as file:
        file[f"constituents/{column}"][12] = value
    assert main(["observe", str(path), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(path) in error
    assert column in error
    assert not out.exists()


def test_a_jet_of_nothing_is_named_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "jets.h5", tmp_path / "table.parquet"
    with store.writing(path, METADATA, "{}") as writer:
        writer.append(jets_from([np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 0.0]])]))
    assert main(["observe", str(path), "--out", str(out)]) == 2
    assert f"{path}: the jet of event 1001 has no constituent" in capsys.readouterr().err
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["jets.h5"]
