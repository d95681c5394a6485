"""`glassjet import`, as it is called: what it writes, what it refuses in one line, and that nothing is left behind."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from glassjet import files
from glassjet.cli.main import main
from glassjet.jets import store
from glassjet.jets.published import datasets
from glassjet.jets.store import Jets
from tests.jets.published import mapped_files
from tests.jets.published.test_top_reference import momenta, table_file

N = 23
BASE = ("--format", "top_reference", "--sample", "top", "--split", "test")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of N jets, every second one a top."""
    return table_file(tmp_path_factory.mktemp("published") / "jets.h5", momenta(N))


def imported(out: Path, *words: object) -> Jets:
    """What the verb writes for these arguments."""
    assert main(["import", *map(str, words), "--out", str(out)]) == 0
    assert not list(out.parent.glob(".*"))
    return store.read(out)


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *words: object) -> str:
    """The one line that is told for these arguments; afterwards the folder is as it was."""

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = content()
    capsys.readouterr()
    assert main(["import", *map(str, words)]) == 2
    assert content() == before
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("glassjet import: ")
    return line.removeprefix("glassjet import: ")


def pts(four: np.ndarray) -> np.ndarray:
    """The jets' pT, of E, px, py, pz of their constituents."""
    return np.hypot(*four[..., 1:3].astype(float).sum(axis=1).T)


def same(jets: Jets, others: Jets, rows: slice = slice(None)) -> bool:
    """Whether jets are those rows of others, events and constituents included."""
    taken = others.take(np.arange(len(others))[rows])
    return jets.constituents.offsets.tolist() == taken.constituents.offsets.tolist() and all(
        one.keys() == two.keys() and all(one[name].tolist() == two[name].tolist() for name in one)
        for one, two in ((jets.columns, taken.columns), (jets.constituents.columns, taken.constituents.columns))
    )


def test_a_published_file_becomes_jets(tmp_path: Path, published: Path) -> None:
    jets = imported(tmp_path / "test.h5", published, *BASE)
    assert jets.columns["label"].tolist() == [i % 2 for i in range(N)]
    assert jets.columns["pt"] == pytest.approx(pts(momenta(N)), rel=1e-6)  # in the order of the file
    assert jets.columns["weight"].tolist() == [1] * N
    assert len(set(jets.columns["event"].tolist())) == N
    assert set(jets.columns) == {"pt", "eta", "phi", "mass", "label", "event", "weight"}  # no truth
    told = store.metadata(tmp_path / "test.h5")
    assert (told["sample"], told["split"], told["format"]) == ("top", "test", "top_reference")
    assert (told["signal"], told["background"], told["level"], told["radius"]) == ("top", "qcd", "detector", 0.8)
    assert "2603256" in told["source"]
    with h5py.File(tmp_path / "test.h5") as file:
        assert json.loads(file.attrs["provenance"])["verb"] == "import"


def test_the_same_bytes_twice(tmp_path: Path, published: Path) -> None:
    out = tmp_path / "test.h5"
    imported(out, published, *BASE)
    before = out.read_bytes()
    imported(out, published, *BASE)
    assert out.read_bytes() == before
    out.unlink()
    imported(out, published, *BASE)
    assert out.read_bytes() == before


def test_parts_share_no_jet_and_leave_none_out(tmp_path: Path, published: Path) -> None:
    whole = imported(tmp_path / "whole.h5", published, *BASE)
    parts = [imported(tmp_path / f"{k}.h5", published, *BASE, "--take", f"{k}/2") for k in (0, 1)]
    assert [len(part) for part in parts] == [12, 11]
    for k, part in enumerate(parts):
        assert same(part, whole, slice(k, None, 2))
    events = [set(part.columns["event"].tolist()) for part in parts]
    assert not events[0] & events[1]
    assert events[0] | events[1] == set(whole.columns["event"].tolist())


def test_a_limit_takes_the_first_jets(tmp_path: Path, published: Path) -> None:
    whole = imported(tmp_path / "whole.h5", published, *BASE)
    assert same(imported(tmp_path / "7.h5", published, *BASE, "--limit", 7), whole, slice(7))
    assert same(imported(tmp_path / "99.h5", published, *BASE, "--limit", 99), whole)
    both = imported(tmp_path / "both.h5", published, *BASE, "--limit", 4, "--take", "1/3")
    assert same(both, whole, slice(1, 12, 3))


def test_classes_are_chosen(tmp_path: Path, published: Path) -> None:
    swapped = imported(tmp_path / "out.h5", published, *BASE, "--signal", "qcd", "--background", "top")
    assert swapped.columns["label"].tolist() == [1 - i % 2 for i in range(N)]
    told = store.metadata(tmp_path / "out.h5")
    assert (told["signal"], told["background"]) == ("qcd", "top")


def test_several_files_are_mixed_and_each_keeps_its_order(tmp_path: Path) -> None:
    four = momenta(30)
    one = table_file(tmp_path / "top.h5", four[:10], signal=[1] * 10)
    two = table_file(tmp_path / "qcd.h5", four[10:], signal=[0] * 20)
    jets = imported(tmp_path / "out.h5", one, two, *BASE)
    label, pt = jets.columns["label"], jets.columns["pt"]
    assert pt[label == 1] == pytest.approx(pts(four[:10]), rel=1e-6)
    assert pt[label == 0] == pytest.approx(pts(four[10:]), rel=1e-6)
    assert [label[start : start + 6].sum() for start in range(0, 30, 6)] == [2] * 5
    assert len(set(jets.columns["event"].tolist())) == 30


def test_of_folders_the_files_that_patterns_name_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "archive" / "inside"
    folder.mkdir(parents=True)
    four = momenta(16)
    for i in range(3):
        table_file(folder / f"top_{i}.h5", four[4 * i : 4 * i + 4], signal=[1] * 4)
    table_file(folder / "qcd_0.h5", four[12:], signal=[0] * 4)
    (folder / "README.txt").write_text("not jets")
    (folder / ".top_0.h5").write_text("hidden")
    jets = imported(tmp_path / "out.h5", tmp_path / "archive", *BASE, "--members", "top_[01].h5", "qcd_*.h5")
    assert (len(jets), jets.columns["label"].sum()) == (12, 8)
    named = imported(tmp_path / "out.h5", *(folder / f"{name}.h5" for name in ("qcd_0", "top_0", "top_1")), *BASE)
    assert same(jets, named)  # in the order of their names
    words = (tmp_path / "archive", *BASE, "--out", tmp_path / "other.h5")
    line = refused(capsys, tmp_path, *words, "--members", "w_*.h5", "z_*")
    held = "README.txt, qcd_0.h5, top_0.h5"
    assert line == f"{tmp_path / 'archive'}: no file is named like w_*.h5 or z_*; it holds {held}"
    assert refused(capsys, tmp_path, *words) == f"{folder / 'README.txt'}: not an HDF5 file"
    (tmp_path / "empty").mkdir()
    line = refused(capsys, tmp_path, tmp_path / "empty", *words[1:])
    assert line == f"{tmp_path / 'empty'}: no file is named like *; it holds nothing"


MISSING = {"FILE": "FILE", **{name: name for name in ("--format", "--sample", "--split", "--out")}}
WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    **{f"no {name}": ({name: None}, f"{name} is missing (see glassjet import --help)") for name in MISSING},
    "a format nearly right": (
        {"--format": "top_referense"},
        "there is no format 'top_referense' (did you mean 'top_reference'?); known: energyflow, hbb_open_data, hls4ml, "
        "jetclass, nanoaod, top_reference",
    ),
    "a split nearly right": (
        {"--split": "tests"},
        "there is no split 'tests' (did you mean 'test'?); known: explain, test, train, validation",
    ),
    "a YAML that is not there": ({"--format": "none.yaml"}, "none.yaml: no such file"),
    "a signal nearly right": (
        {"--signal": "tops"},
        "there is no class for the signal 'tops' (did you mean 'top'?); known: qcd, top",
    ),
    "an unknown background": (
        {"--background": "zebra"},
        "there is no class for the background 'zebra'; known: qcd, top",
    ),
    "a class on both sides": (
        {"--background": "top"},
        "the class 'top' stands twice among signal and background; name it once",
    ),
    **{
        f"take {take}": ({"--take": take}, f"--take {take}: write K/N with K from 0 to N - 1, such as 1/2")
        for take in ("2/2", "0/0", "half", "1", "1/", "/2", "1/2/3", "0.5/2", "²/3")
    },
    "a limit of none": ({"--limit": "0"}, "--limit 0: give at least 1"),
    "a data set nearly right": (
        {"--dataset": "top_referense"},
        "there is no data set 'top_referense' (did you mean 'top_reference'?); known: "
        + ", ".join(sorted(datasets.DATASETS)),
    ),
    "a file that is not there": ({"FILE": "none.h5"}, "none.h5: no such file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_one_line(
    tmp_path: Path, published: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    change, told = WRONG[case]
    monkeypatch.chdir(tmp_path)
    given = {"FILE": str(published), **dict(zip(BASE[::2], BASE[1::2], strict=True)), "--out": "out.h5"} | change
    words = [word for pair in given.items() if pair[1] is not None for word in pair if word != "FILE"]
    assert refused(capsys, tmp_path, *words) == told
    assert not list(tmp_path.iterdir())


def test_a_choice_of_no_jet_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = table_file(tmp_path / "qcd.h5", momenta(3), signal=[0, 0, 0])
    assert imported(tmp_path / "out.h5", file, *BASE).columns["label"].tolist() == [0, 0, 0]
    words = (file, *BASE, "--take", "5/9", "--out", tmp_path / "other.h5")
    assert refused(capsys, tmp_path, *words) == f"{file}: no jet is of the classes asked for (top, qcd)"


def test_files_of_a_data_set_are_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = table_file(tmp_path / "test.h5", momenta(4))
    words = (file, *BASE, "--dataset", "top_reference", "--out", tmp_path / "out.h5")
    size = file.stat().st_size
    line = refused(capsys, tmp_path, *words)
    assert line.startswith(f"{file}: has {size:,} bytes, but 347,849,376 are published; ")
    of = datasets.DATASETS["top_reference"]
    other = replace(of.files[-1], size=size, checksum=f"md5:{'0' * 32}")
    monkeypatch.setitem(datasets.DATASETS, "top_reference", replace(of, files=(other,)))
    line = refused(capsys, tmp_path, *words)
    assert re.search(f"has the md5 [0-9a-f]{{32}}, but {'0' * 32} is published; ", line)


OWN = """
constituents: {pt: part_pt, eta: part_eta, phi: part_phi, energy: part_energy, pdgid: part_pid}
label: {column: is_signal, signal: [1], background: [0]}
weight: w
event: evt
level: detector
radius: 0.8
sqrts: 13000
cite: a letter
"""
MINE = ("--sample", "mine", "--split", "train", "--format")


def test_a_file_that_a_data_set_does_not_have_is_not_taken_unverified(
    tmp_path: Path, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = Path(shutil.copy(published, tmp_path / "tset.h5"))
    words = (*BASE, "--dataset", "top_reference", "--out", tmp_path / "out.h5")
    assert "there is no file of top_reference 'tset.h5' (did you mean 'test.h5'" in refused(
        capsys, tmp_path, renamed, *words
    )
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    renamed.rename(tmp_path / "folder" / "inner" / "test.h5")
    assert "folder/inner/test.h5: " in refused(capsys, tmp_path, tmp_path / "folder", *words)


def own_file(folder: Path) -> tuple[Path, mapped_files.Entries, mapped_files.Singles]:
    """An HDF5 file with weights and event numbers, and what is in it."""
    lists, singles = mapped_files.jets()
    path, _ = mapped_files.write(folder, "hdf5_padded", lists, singles)
    return path, lists, singles


def test_jets_of_ones_own(tmp_path: Path) -> None:
    path, lists, singles = own_file(tmp_path)
    (tmp_path / "my.yaml").write_text(OWN)
    jets = imported(tmp_path / "out.h5", path, *MINE, tmp_path / "my.yaml")
    assert jets.columns["label"].tolist() == singles["is_signal"].tolist()
    assert jets.columns["weight"].tolist() == singles["w"].tolist()
    assert jets.columns["source_event"].tolist() == singles["evt"].tolist()
    assert len(set(jets.columns["event"].tolist())) == len(jets)
    falling = [sorted(row, reverse=True) for row in lists["part_pt"]]
    assert jets.constituents.columns["pt"].tolist() == [pt for row in falling for pt in row]
    told = store.metadata(tmp_path / "out.h5")
    assert (told["format"], told["source"], told["sqrts"]) == ("my.yaml", "a letter", 13000)
    assert (told["signal"], told["background"]) == ("signal", "background")
    parts = [
        imported(tmp_path / f"{k}.h5", path, *MINE, tmp_path / "my.yaml", "--take", f"{k}/2").columns["source_event"]
        for k in (0, 1)
    ]
    assert sorted(np.concatenate(parts).tolist()) == singles["evt"].tolist()


def test_a_description_imports_the_file_it_was_drafted_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _, _ = own_file(tmp_path)
    assert main(["import", "--describe", str(path)]) == 0
    drafted = capsys.readouterr().out
    assert yaml.safe_load(drafted)["event"] == "evt"
    jets = {}
    for name, text in (("drafted", drafted), ("written", OWN)):
        (tmp_path / f"{name}.yaml").write_text(text)
        jets[name] = imported(tmp_path / f"{name}.h5", path, *MINE, tmp_path / f"{name}.yaml")
    assert same(jets["drafted"], jets["written"])
    assert refused(capsys, tmp_path, "--describe", tmp_path / "none.h5") == f"{tmp_path / 'none.h5'}: no such file"


def test_a_full_disk_is_one_line(
    tmp_path: Path, published: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: type("usage", (), {"free": 1_000_000}))
    out = tmp_path / "out.h5"
    line = refused(capsys, tmp_path, published, *BASE, "--out", out)
    assert line.startswith(f"{out}: no space left on the disk (1 MB are free, ")
    assert not list(tmp_path.iterdir())


def test_what_is_bad_beyond_the_first_chunk_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    four = np.tile(momenta(60), (100, 1, 1))
    four[5900, 0, 0] = np.nan
    file = table_file(tmp_path / "late.h5", four)
    line = refused(capsys, tmp_path, file, *BASE, "--out", tmp_path / "out.h5")
    assert line == f"{file}: row 5900 has a NaN or infinite momentum in E_0 … PZ_0; remove it"
    assert [path.name for path in tmp_path.iterdir()] == ["late.h5"]
    jets = imported(tmp_path / "out.h5", file, *BASE, "--limit", 2000)
    assert jets.columns["pt"] == pytest.approx(pts(four[:2000]), rel=1e-6)


def test_bad_files_are_one_line(tmp_path: Path, published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut, out = tmp_path / "cut.h5", tmp_path / "out.h5"
    content = published.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    assert refused(capsys, tmp_path, cut, *BASE, "--out", out) == f"{cut}: the file is truncated; download it again"
    cut.write_bytes(b"")
    assert refused(capsys, tmp_path, cut, *BASE, "--out", out).startswith(f"{cut}: the file is empty")
    four = momenta(6)
    four[4] = 0
    bad = table_file(tmp_path / "bad.h5", four)
    told = f"{bad}: row 4 has no constituents; remove it"
    assert refused(capsys, tmp_path, bad, *BASE, "--out", out) == told
    imported(out, published, *BASE)
    assert refused(capsys, tmp_path, bad, *BASE, "--out", out) == told  # and what was there before is there still


def test_the_file_that_is_read_is_never_written_over(
    tmp_path: Path, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "test.h5"
    file.write_bytes(published.read_bytes())
    assert str(file) in refused(capsys, tmp_path, file, *BASE, "--out", file)
