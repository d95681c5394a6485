"""Drafts of a YAML: they work as they stand where names are usual, and say what is guessed and what cannot be."""

import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
import yaml

from glassjet.errors import InputError
from glassjet.jets.kinematics import jets_of
from glassjet.jets.published.describe import describe
from glassjet.jets.published.mapping import Mapping, reader
from glassjet.jets.published.rows import Rows
from tests.jets.published.mapped_files import LAYOUTS, jets, write

REAL = Path(__file__).parents[4] / "shared" / "data"
NAMED = [layout for layout in LAYOUTS if not layout.endswith("cube")]


def drafted(path: Path, text: str | None = None) -> Mapping:
    (path.parent / "draft.yaml").write_text(text or describe(path))
    return reader(path.parent / "draft.yaml")


def everything(mapping: Mapping, path: Path) -> Rows:
    with mapping.opened(path) as source:
        return source.read(0, len(source))


def flat(rows: list[list[float]]) -> list[float]:
    return [value for row in rows for value in row]


def table(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), folder / "my.parquet")
    return folder / "my.parquet"


def particles(factor: float = 1.0, prefix: str = "", n: int = 30) -> dict[str, Any]:
    """Massless constituents within 0.35 of the axis of jets of about 60 (times `factor`)."""
    rng = np.random.default_rng(2)
    counts = rng.integers(5, 9, n)
    angle = [rng.uniform(0, 2 * np.pi, count) for count in counts]
    columns = {
        "pt": [(rng.uniform(5, 12, count) * factor).tolist() for count in counts],
        "eta": [(0.3 * np.cos(one)).tolist() for one in angle],
        "phi": [(0.3 * np.sin(one)).tolist() for one in angle],
    }
    columns["energy"] = [
        (np.array(pt) * np.cosh(eta)).tolist() for pt, eta in zip(columns["pt"], columns["eta"], strict=True)
    ]
    return {f"{prefix}{name}": values for name, values in columns.items()}


@pytest.mark.parametrize("layout", NAMED)
def test_usual_names_work_as_they_stand(tmp_path: Path, layout: str) -> None:
    columns, singles = jets()
    path, _ = write(tmp_path, layout, columns, singles)
    text = describe(path)
    assert "TODO" not in text
    mapping = drafted(path, text)
    rows = everything(mapping, path)
    assert rows.constituents.columns["pt"].tolist() == flat(columns["part_pt"])
    assert rows.constituents.columns["energy"].tolist() == flat(columns["part_energy"])
    assert rows.constituents.columns["pdgid"].tolist() == flat(columns["part_pid"])
    assert [mapping.CLASSES[kind] == "signal" for kind in rows.kind] == singles["is_signal"].astype(bool).tolist()
    assert rows.columns["weight"].tolist() == singles["w"].tolist()
    assert rows.columns["event_number"].tolist() == singles["evt"].tolist()
    assert ("count:" in text) == ("padded" in layout or "compound" in layout)


def guess_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.match(r"\w+:", line)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_guess_says_so_and_every_column_is_listed(tmp_path: Path, layout: str) -> None:
    columns, singles = jets()
    path, called = write(tmp_path, layout, columns, singles)
    text = describe(path)
    for line in guess_lines(text):
        assert "  # " in line
        assert "guess" in line or "TODO" in line or "only one" in line or "no list" in line
    comments = [line for line in text.splitlines() if line.startswith("#   ")]
    for name, values in singles.items():
        (line,) = [line for line in comments if line.startswith(f"#   {called[name]}: ")]
        low, high = (f"{one:.6g}" if name == "w" else str(one) for one in (values.min(), values.max()))
        assert f", {low} to {high}" in line
    assert "# 37 rows" in text


@pytest.mark.parametrize("layout", ["hdf5_cube", "parquet_cube"])
def test_what_cannot_be_guessed_is_to_do_and_refused(tmp_path: Path, layout: str) -> None:
    columns, singles = jets()
    path, called = write(tmp_path, layout, columns, singles)
    text = describe(path)
    with pytest.raises(InputError, match=r"draft\.yaml: constituents\.pt: is still TODO; name the column"):
        drafted(path, text)
    pt = np.concatenate(columns["part_pt"])
    assert f"#     {{X: [0]}}: 0 to {pt.max():.6g}" in text
    for name in ("pt", "eta", "phi", "energy"):
        text = text.replace(f"  {name}: TODO", f"  {name}: {called[f'part_{name}']}")
    text = text.replace("momentum: TODO", "momentum: GeV").replace("level: TODO", "level: detector")
    rows = everything(drafted(path, text.replace("radius: TODO", "radius: 0.4")), path)
    assert rows.constituents.columns["pt"].tolist() == pt.tolist()


@pytest.mark.parametrize(("factor", "unit"), [(1.0, "GeV"), (1000.0, "MeV")])
@pytest.mark.parametrize("prefix", ["", "part_", "PFCands_", "Constituent.", "jet_"])
def test_units_and_radius_come_from_the_jets(tmp_path: Path, factor: float, unit: str, prefix: str) -> None:
    path = table(tmp_path, label=[0, 1] * 15, **particles(factor, prefix))
    text = describe(path)
    assert f"units: {{momentum: {unit}}}  # a guess: the median jet pT is " in text
    assert "radius: 0.4  # a guess" in text
    pt = jets_of(everything(drafted(path, text), path).constituents)["pt"]
    assert 40 < np.median(pt) < 70


@pytest.mark.parametrize(
    "names",
    [
        {"pt": "PT", "eta": "Eta", "phi": "Phi", "energy": "E"},
        {"pt": "cand_pt", "eta": "cand_eta", "phi": "cand_phi", "energy": "cand_e"},
        {"pt": "pT", "eta": "ETA", "phi": "phi", "energy": "ENERGY"},
    ],
)
def test_names_in_other_letters(tmp_path: Path, names: dict[str, str]) -> None:
    path = table(tmp_path, **{names[name]: values for name, values in particles().items()}, label=[0, 1] * 15)
    assert drafted(path).layout.constituents == names


def test_all_kinds_of_columns_are_found(tmp_path: Path) -> None:
    one = particles(prefix="part_")
    ones = [[1.0] * len(row) for row in one["part_pt"]]
    words = {
        "mass": "m",
        "charge": "Q",
        "pdgid": "pdgId",
        "d0": "dxy",
        "z0": "dz",
        "d0_error": "dxyErr",
        "z0_error": "dzErr",
    }
    one |= {f"part_{word}": ones for word in words.values()}
    text = describe(path := table(tmp_path, **one, label=[0, 1] * 15))
    del words["mass"]  # energy is there
    expected = {name: f"part_{name}" for name in ("pt", "eta", "phi", "energy")}
    assert drafted(path, text).layout.constituents == expected | {k: f"part_{word}" for k, word in words.items()}
    assert "units: {momentum: GeV, length: mm}" in text
    assert "mm is a guess, CMS has cm" in text


def test_hadrons_are_of_particle_level(tmp_path: Path) -> None:
    one = particles()
    pdgid = [[211] * len(row) for row in one["pt"]]
    path = table(tmp_path, **one, pid=pdgid, label=[0, 1] * 15)
    assert drafted(path).layout.level == "detector"
    pdgid[3][0] = -2112
    path = table(tmp_path, **one, pid=pdgid, label=[0, 1] * 15)
    assert drafted(path).layout.level == "particle"


def test_of_several_lists_the_constituents_are_taken(tmp_path: Path) -> None:
    tracks = particles(prefix="track_") | {"track_charge": [[1.0] * len(row) for row in particles()["pt"]]}
    path = table(tmp_path, **tracks, **particles(prefix="pfcand_"), label=[0, 1] * 15)
    text = describe(path)
    assert drafted(path, text).layout.constituents["pt"] == "pfcand_pt"
    assert "also there: track_…" in text


def test_columns_relative_to_the_jet(tmp_path: Path) -> None:
    one = particles()
    columns = {
        "part_ptrel": [[x / 60 for x in row] for row in one["pt"]],
        "part_etarel": one["eta"],
        "part_phirel": one["phi"],
    }
    jet: dict[str, Any] = {"jet_pt": [60.0] * 30, "jet_eta": [1.0] * 30, "jet_phi": [3.0] * 30}
    path = table(tmp_path, **columns, **jet, type=[0, 1] * 15)
    text = describe(path).replace("label: TODO", "label: {column: type, signal: [1], background: [0]}")
    layout = drafted(path, text).layout
    assert layout.relative == ("pt", "eta", "phi")
    assert layout.jet == {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi"}
    assert "# neither energy nor mass was found: massless" in text
    found = jets_of(everything(drafted(path, text), path).constituents)
    assert found["eta"] == pytest.approx(1, abs=0.3)
    assert 40 < np.median(found["pt"]) < 70
    without_jet = table(tmp_path, **columns, label=[0, 1] * 15)
    assert "pt: TODO" in describe(without_jet)


def label_of(folder: Path, **columns: Any) -> str:
    text = describe(table(folder, **particles(n=4), **columns))
    return text[text.index("\nlabel:") + 1 :]


def test_labels_of_values(tmp_path: Path) -> None:
    assert label_of(tmp_path, jet_label=[0, 1, 1, 0]).startswith(
        "label: {column: jet_label, signal: [1], background: [0]}  # a guess: its name, and 0 or 1\n"
    )
    assert "0 or 1, of which only 0 is in the first rows" in label_of(tmp_path, y=[0, 0, 0, 0])
    assert label_of(tmp_path, label=[5, 0, 4, 0]).startswith(
        "label: {column: label, signal: [TODO], background: [TODO]}  # a guess by the name; the first rows have 0, 4, 5"
    )
    assert "the first rows have 'qcd', 'top'" in label_of(tmp_path, label=["top", "qcd", "qcd", "top"])
    assert label_of(tmp_path, mass=[1.0, 2.0, 3.0, 4.0]).startswith("label: TODO  # signal or background for the whole")


def test_labels_of_columns(tmp_path: Path) -> None:
    text = label_of(tmp_path, label_QCD=[1, 0, 0, 0], label_W=[0, 1, 0, 0], label_top=[0, 0, 1, 1])
    words = yaml.safe_load(text)["label"]
    assert words["columns"] == {"QCD": "label_QCD", "W": "label_W", "top": "label_top"}
    assert (words["signal"], words["background"]) == (["W", "top"], ["QCD"])
    text = label_of(tmp_path, is_b=[1, 0, 0, 0], is_c=[0, 1, 0, 1])
    assert yaml.safe_load(text)["label"] == {
        "columns": {"b": "is_b", "c": "is_c"},
        "signal": ["TODO"],
        "background": ["TODO"],
    }
    assert label_of(tmp_path, is_b=[1, 0, 0, 0], is_c=[1, 1, 0, 1]).startswith(
        "label: TODO"
    )  # no classes: both at once


def test_wrong_guesses_are_told_and_not_used(tmp_path: Path) -> None:
    one = particles()
    one["energy"] = [[x / 3 for x in row] for row in one["energy"]]
    text = describe(path := table(tmp_path, **one, label=[0, 1] * 15))
    assert "momentum: TODO}  # GeV or MeV; with these guesses the jets cannot be read: row 0: the energy of a" in text
    with pytest.raises(InputError, match=r"units\.momentum: there is no unit 'TODO'"):
        drafted(path, text)


def test_names_and_values_cannot_end_their_comment(tmp_path: Path) -> None:
    evil = "x\nlabel: signal\n#"
    text = describe(
        table(tmp_path, **particles(n=4), **{evil: [1, 2, 3, 4], "yes": [0, 1, 0, 1]}, label=[evil, "a", "b", "c"])
    )
    assert text.count("\nlabel:") == 1
    assert yaml.safe_load(text)["label"] == {"column": "label", "signal": ["TODO"], "background": ["TODO"]}
    strange = {f"part 1: #_{name}": values for name, values in particles().items()}
    path = table(tmp_path, **strange, label=[0, 1] * 15)
    assert drafted(path).layout.constituents["pt"] == "part 1: #_pt"


def test_the_longest_of_several_trees_is_taken(tmp_path: Path) -> None:
    columns, singles = jets()
    path, _ = write(tmp_path, "root_jagged", columns, singles)
    with uproot.update(path) as file:
        file.mktree("runs", {"number": "i4"}).extend({"number": np.arange(3)})
    text = describe(path)
    assert "tree: Events  # a guess: the longest; also runs" in text
    assert len(everything(drafted(path, text), path)) == 37


def test_other_tables_of_hdf5_are_named(tmp_path: Path) -> None:
    columns, singles = jets()
    path, _ = write(tmp_path, "hdf5_cube", columns, singles)
    with h5py.File(path, "a") as file:
        file["names"] = ["pt", "eta"]
        file["matrix"] = np.zeros((37, 2, 2, 2))
        file["odd"] = np.zeros(37, "V7")
    text = describe(path)
    assert "#   names: text, 'pt', 'eta'; has 2 rows, so says nothing of each jet" in text
    assert "#   odd: cannot be used (|V7)" in text
    assert "#   matrix: float64, 2 x 2 x 2 in each row" in text


@pytest.mark.parametrize("layout", ["hdf5_padded", "root_jagged", "parquet_lists"])
def test_broken_files_are_one_line(tmp_path: Path, layout: str) -> None:
    path, _ = write(tmp_path, layout, *jets())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError) as caught:
        describe(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_of_nothing(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros(0)
    with pytest.raises(InputError, match="holds no rows of numbers or text"):
        describe(tmp_path / "a.h5")
    (tmp_path / "a.txt").write_text(json.dumps([1, 2]))
    with pytest.raises(InputError, match="neither an HDF5, nor a ROOT, nor a Parquet file"):
        describe(tmp_path / "a.txt")
    with pytest.raises(InputError, match="no such file"):
        describe(tmp_path / "b.txt")


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_jetclass_works_as_it_stands(tmp_path: Path) -> None:
    path = REAL / "jetclass" / "jetclass_500.root"
    (tmp_path / "draft.yaml").write_text(describe(path))
    mapping = reader(tmp_path / "draft.yaml")
    assert mapping.BACKGROUND == ("QCD",)
    assert len(mapping.CLASSES) == 10
    assert mapping.METADATA["radius"] == 0.8
    assert mapping.layout.constituents == {"px": "part_px", "py": "part_py", "pz": "part_pz", "energy": "part_energy"}
    rows = everything(mapping, path)
    pt = jets_of(rows.constituents)["pt"]
    assert 490 < pt.min() < pt.max() < 1010
    assert (rows.kind >= 0).all()
