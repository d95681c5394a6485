"""The reader of JetClass, and of ROOT trees, on small files of the layout made here, and on a piece of the real set."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from glassjet.errors import InputError
from glassjet.jets.kinematics import jets_of
from glassjet.jets.published import importing, jetclass, trees
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import concatenate, concatenate_ragged

REAL = Path(__file__).parents[4] / "shared" / "data" / "jetclass" / "jetclass_500.root"
FLOATS = ["part_px", "part_py", "part_pz", "part_energy", "part_deta", "part_dphi"]
TRACKS = ["part_d0val", "part_d0err", "part_dzval", "part_dzerr"]
FLAGS = ["part_isChargedHadron", "part_isNeutralHadron", "part_isPhoton", "part_isElectron", "part_isMuon"]
KINDS = ["part_charge", *FLAGS]
LABELS = ["label_QCD", "label_Hbb", "label_Hcc", "label_Hgg", "label_H4q", "label_Hqql"]
LABELS += ["label_Zqq", "label_Wqq", "label_Tbqq", "label_Tbl"]
JET = ["jet_pt", "jet_eta", "jet_phi", "jet_energy", "jet_nparticles", "jet_sdmass", "jet_tau1"]
TRUTH = ["aux_genpart_pt", "aux_genpart_pid", "aux_truth_match"]
# As ROOT's RDataFrame made the originals: 1 - is_signal is a float, one comparison a bool, a sum of them an int.
TYPES = dict.fromkeys(LABELS, np.int32) | {"label_QCD": np.float32} | dict.fromkeys(LABELS[1:6], np.bool_)
# (pdgid, charge, flags) of every kind of constituent there is; the last is a hyperon, which no flag stands for
SORTS = [
    (211, 1, 0),
    (-211, -1, 0),
    (130, 0, 1),
    (22, 0, 2),
    (11, -1, 3),
    (-11, 1, 3),
    (13, -1, 4),
    (-13, 1, 4),
    (0, -1, None),
]
LZ4 = uproot.LZ4(4)  # as the originals are compressed
Content = dict[str, Any]


def content(n: int, seed: int = 0, tracks: bool = True, kinds: bool = True) -> Content:
    """The branches of `n` jets: lists of Python numbers, and arrays of one number for each."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 40, n)
    lists: dict[str, list[list[float]]] = {name: [] for name in (*FLOATS, *TRACKS, *KINDS)}
    for count in counts:
        row: dict[str, list[float]] = {name: [] for name in lists}
        for pt in np.sort(rng.exponential(20, count))[::-1] + 0.1:
            eta, phi = rng.normal(0.5, 0.4), rng.uniform(-4, 4)
            _, charge, flag = SORTS[rng.integers(len(SORTS))]
            momentum = [pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta)]
            energy = math.sqrt(sum(axis**2 for axis in momentum) + rng.uniform(0, 1))
            values = [*momentum, energy, eta - 0.5, phi, *(rng.normal(size=4) if charge else np.zeros(4)), charge]
            for name, value in zip((*FLOATS, *TRACKS, "part_charge"), values, strict=True):
                row[name].append(float(np.float32(value)))
            for place, name in enumerate(FLAGS):
                row[name].append(int(place == flag))
        for name, values in row.items():
            lists[name].append(values)
    out: Content = {name: lists[name] for name in FLOATS}
    out |= {name: lists[name] for name in TRACKS} if tracks else {}
    out |= {name: lists[name] for name in KINDS} if kinds else {}
    label = rng.integers(10, size=n)
    out |= {name: (label == place).astype(TYPES[name]) for place, name in enumerate(LABELS)}
    out |= {name: rng.normal(size=n).astype(np.float32) for name in JET}
    return out | {name: np.full(n, 1e6, np.float32) for name in TRUTH}


def arrays(branches: Content) -> Content:
    """As awkward arrays, of the types of the originals."""
    types = dict.fromkeys(FLAGS, np.int32)
    jagged = {
        name: ak.values_astype(values, types.get(name, np.float32))
        for name, values in branches.items()
        if isinstance(values, list)
    }
    return {name: jagged.get(name, values) for name, values in branches.items()}


def root_file(path: Path, branches: Content, basket: int = 1000, compression: Any = LZ4, **how: Any) -> Path:
    """A TTree, or with rntuple=True an RNTuple, with `basket` rows in each basket; `how` may rename the tree."""
    columns = arrays(branches)
    n = len(next(iter(columns.values())))
    tree = how.get("tree", "tree")
    with uproot.recreate(path, compression=compression) as file:
        if how.get("rntuple"):
            out = file.mkrntuple(tree, {name: values[:0] for name, values in columns.items()})
        else:
            types = {
                name: values.dtype if isinstance(values, np.ndarray) else str(values.type.content)
                for name, values in columns.items()
            }
            out = file.mktree(tree, types, counter_name=lambda name: f"n_{name}")
        for first in range(0, n, basket):
            out.extend({name: values[first : first + basket] for name, values in columns.items()})
    return path


def read(path: Path, size: int = 1000) -> list[Rows]:
    with jetclass.opened(path) as source:
        return [source.read(first, min(first + size, len(source))) for first in range(0, len(source), size)]


def whole(path: Path, size: int = 1000) -> Rows:
    parts = read(path, size)
    return Rows(
        np.concatenate([part.kind for part in parts]), concatenate_ragged([part.constituents for part in parts])
    )


def told(path: Path) -> str:
    """The one line that reading the file ends with."""
    with pytest.raises(InputError) as caught:
        read(path)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"{path}: ")
    return said


def changed(tmp_path: Path, **values: Any) -> Path:
    """A file of six jets with other branches; None removes one."""
    branches = content(6) | values
    return root_file(tmp_path / "changed.root", {name: value for name, value in branches.items() if value is not None})


def with_entry(name: str, row: int, value: float) -> list[list[float]]:
    """A branch of six jets in which the first constituent of a row has another value."""
    lists = content(6)[name]
    lists[row][0] = value
    return lists


@pytest.mark.parametrize("rntuple", [False, True])
def test_jets_equal_a_slow_loop(tmp_path: Path, rntuple: bool) -> None:
    branches = content(60)
    rows = whole(root_file(tmp_path / "in.root", branches, rntuple=rntuple))
    assert rows.kind.tolist() == [[bool(branches[name][i]) for name in LABELS].index(True) for i in range(60)]
    columns, offsets = rows.constituents.columns, rows.constituents.offsets
    assert set(columns) == {"pt", "eta", "phi", "energy", "pdgid", "charge", "d0", "z0", "d0_error", "z0_error"}
    entry, seen = 0, set()
    for i in range(60):
        for j in range(len(branches["part_px"][i])):
            px, py, pz, energy, *_ = (branches[name][i][j] for name in FLOATS)
            assert columns["pt"][entry] == pytest.approx(math.hypot(px, py), rel=1e-12)
            assert columns["eta"][entry] == pytest.approx(math.atanh(pz / math.hypot(px, py, pz)), rel=1e-9, abs=1e-12)
            assert columns["phi"][entry] == pytest.approx(math.atan2(py, px), rel=1e-12)
            assert columns["energy"][entry] == energy
            sort = (
                next((k for k, name in enumerate(FLAGS) if branches[name][i][j]), None),
                branches["part_charge"][i][j],
            )
            expected = next(pdgid for pdgid, charge, flag in SORTS if (flag, charge) == sort)
            assert (columns["pdgid"][entry], columns["charge"][entry]) == (expected, sort[1])
            seen.add(expected)
            assert columns["d0"][entry] == -branches["part_d0val"][i][j]
            assert columns["z0"][entry] == branches["part_dzval"][i][j]
            assert columns["d0_error"][entry] == branches["part_d0err"][i][j]
            assert columns["z0_error"][entry] == branches["part_dzerr"][i][j]
            entry += 1
        assert offsets[i + 1] == entry
    assert len(columns["pt"]) == entry
    assert seen == {pdgid for pdgid, _, _ in SORTS}
    assert not rows.columns
    assert columns["pdgid"].dtype == np.int32
    assert not np.signbit(columns["d0"][columns["charge"] == 0]).any()


@pytest.mark.parametrize("rntuple", [False, True])
@pytest.mark.parametrize(("basket", "size"), [(1, 7), (10, 1), (10, 10), (10, 7), (7, 10), (30, 29)])
def test_the_size_of_pieces_does_not_matter(tmp_path: Path, rntuple: bool, basket: int, size: int) -> None:
    path = root_file(tmp_path / "in.root", content(30), basket, rntuple=rntuple)
    expected, found = whole(path), whole(path, size)
    assert found.kind.tolist() == expected.kind.tolist()
    assert found.constituents.offsets.tolist() == expected.constituents.offsets.tolist()
    for name, column in expected.constituents.columns.items():
        assert found.constituents.columns[name].tolist() == column.tolist()


@pytest.mark.parametrize("held", [0, trees.HELD])
def test_a_basket_is_decompressed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    path = root_file(tmp_path / "in.root", content(60))
    monkeypatch.setattr(trees, "HELD", held)
    entries = []
    original = uproot.behaviors.TBranch.TBranch.array

    def array(self: Any, *arguments: Any, **options: Any) -> Any:
        if self.name == "part_px":
            entries.append(options["entry_stop"] - options["entry_start"])
        return original(self, *arguments, **options)

    monkeypatch.setattr(uproot.behaviors.TBranch.TBranch, "array", array)
    assert len(read(path, 10)) == 6
    assert entries == ([60] if held else [60, 50, 40, 30, 20, 10])


def test_rows_may_be_skipped(tmp_path: Path) -> None:
    path = root_file(tmp_path / "in.root", content(60), basket=25)
    expected = whole(path).constituents
    with jetclass.opened(path) as source:
        assert len(source) == 60
        for start, stop in ((3, 5), (5, 9), (12, 14), (20, 27), (30, 33), (52, 60), (3, 5)):
            found = source.read(start, stop).constituents
            part = expected.take(np.arange(start, stop))
            assert found.columns["pt"].tolist() == part.columns["pt"].tolist()
            assert found.offsets.tolist() == part.offsets.tolist()


@pytest.mark.parametrize("compression", [None, uproot.ZLIB(1), uproot.LZMA(1), uproot.ZSTD(1), uproot.LZ4(1)])
def test_every_compression_is_read(tmp_path: Path, compression: Any) -> None:
    rows = whole(root_file(tmp_path / "in.root", content(20), compression=compression))
    energy = [float(value) for row in content(20)["part_energy"] for value in row]
    assert rows.constituents.columns["energy"].tolist() == energy


def test_pieces_without_tracks_or_types_are_read(tmp_path: Path) -> None:
    only = {"pt", "eta", "phi", "energy"}
    bare = whole(root_file(tmp_path / "a.root", content(5, tracks=False, kinds=False)))
    assert set(bare.constituents.columns) == only
    kinds = whole(root_file(tmp_path / "b.root", content(5, tracks=False)))
    assert set(kinds.constituents.columns) == only | {"pdgid", "charge"}
    tracks = whole(root_file(tmp_path / "c.root", content(5, kinds=False)))
    assert set(tracks.constituents.columns) == only | {"d0", "z0", "d0_error", "z0_error"}


def test_a_group_with_a_branch_missing_is_refused(tmp_path: Path) -> None:
    assert told(changed(tmp_path, part_charge=None)).endswith(
        "no branch 'part_charge' (did you mean 'part_isChargedHadron'?)"
    )
    assert "no branch 'part_isMuon' (did you mean 'part_isPhoton'?)" in told(changed(tmp_path, part_isMuon=None))
    said = told(changed(tmp_path, part_d0val=None, part_dzerr=None))
    assert "no branch 'part_d0val' (did you mean 'part_dzval'?), nor part_dzerr" in said


def test_missing_branches_are_named(tmp_path: Path) -> None:
    assert "tree 'tree' has no branch 'part_px' (did you mean" in told(changed(tmp_path, part_px=None))
    assert "no branch 'label_Tbl' (did you mean 'label_Tbqq'?)" in told(changed(tmp_path, label_Tbl=None))
    said = told(changed(tmp_path, **dict.fromkeys(LABELS)))
    assert said.endswith("nor label_Hbb, label_Hcc, label_Hgg and 6 more")


def test_padding_is_left_out(tmp_path: Path) -> None:
    branches = content(6)
    plain = whole(root_file(tmp_path / "plain.root", branches))
    for values in branches.values():
        if isinstance(values, list):
            values[2][1:1] = [0, 0]
            values[5] += [0]
    padded = whole(root_file(tmp_path / "padded.root", branches))
    assert padded.constituents.offsets.tolist() == plain.constituents.offsets.tolist()
    for name, column in plain.constituents.columns.items():
        assert padded.constituents.columns[name].tolist() == column.tolist()


def test_a_jet_of_no_class_has_kind_minus_1(tmp_path: Path) -> None:
    label = content(6)
    none = {name: np.where(np.arange(6) == 4, 0, label[name]).astype(TYPES[name]) for name in LABELS}
    kind = whole(changed(tmp_path, **none)).kind
    assert kind[4] == -1
    assert (np.delete(kind, 4) == np.delete(whole(changed(tmp_path)).kind, 4)).all()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"label_QCD": [0, 0, 1], "label_Tbl": [1, 0, 1]}, "row 2: both label_QCD and label_Tbl are 1; mend it"),
        ({"label_QCD": [0, 2, 1], "label_Tbl": [1, 0, 0]}, "row 1: label_QCD is 2, neither 0 nor 1"),
        ({"label_QCD": [0, 1, 1], "label_Tbl": [-1, 0, 0]}, "row 0: label_Tbl is -1, neither 0 nor 1"),
        ({"label_QCD": [0, np.nan, 1], "label_Tbl": [1, 0, 0]}, "row 1: label_QCD is nan, neither 0 nor 1"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, values: dict[str, list[float]], said: str) -> None:
    branches = content(3) | dict.fromkeys(LABELS, np.zeros(3, np.int32))
    branches |= {name: np.array(value, np.float32) for name, value in values.items()}
    assert said in told(root_file(tmp_path / "in.root", branches))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("part_px", math.nan, "row 3 has a NaN or infinite part_px; remove it"),
        ("part_energy", math.inf, "row 3 has a NaN or infinite part_energy; remove it"),
        ("part_energy", 0, "row 3 has a constituent without energy, or with a negative one; remove it"),
        ("part_energy", -1, "row 3 has a constituent without energy, or with a negative one; remove it"),
        ("part_d0val", math.nan, "row 3 has a NaN or infinite part_d0val; remove it"),
        ("part_dzerr", math.inf, "row 3 has a NaN or infinite part_dzerr; remove it"),
        ("part_charge", 2, "row 3 has a part_charge that is not -1, 0 or 1; remove it"),
        ("part_charge", math.nan, "row 3 has a part_charge that is not -1, 0 or 1; remove it"),
        ("part_isMuon", 2, "row 3 has a flag of the type (part_is…) that is not 0 or 1; remove it"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, name: str, value: float, said: str) -> None:
    assert said in told(changed(tmp_path, **{name: with_entry(name, 3, value)}))


def test_contradictions_are_named(tmp_path: Path) -> None:
    def first(**values: float) -> Path:
        return changed(tmp_path, **{name: with_entry(name, 3, value) for name, value in values.items()})

    flags = dict.fromkeys(FLAGS, 0)
    assert "row 3 has a constituent along the beam" in told(first(part_px=0, part_py=0))
    assert "row 3 has a constituent of two types" in told(first(**flags | {"part_isMuon": 1, "part_isPhoton": 1}))
    said = "row 3 has a charged hadron, electron or muon with part_charge 0"
    assert said in told(first(**flags | {"part_isElectron": 1, "part_charge": 0}))


def test_shapes_that_do_not_fit_are_named(tmp_path: Path) -> None:
    lists = content(6)["part_pz"]
    lists[4] = lists[4][1:]
    said = told(changed(tmp_path, part_pz=lists))
    assert f"row 4 has {len(lists[4]) + 1} entries in 'part_px', but {len(lists[4])} in 'part_pz'" in said
    said = told(changed(tmp_path, part_pz=np.ones(6, np.float32)))
    assert "'part_pz' holds float32; a list of numbers for each row is needed" in said
    said = told(changed(tmp_path, label_Hbb=content(6)["part_pz"]))
    assert "'label_Hbb' holds var * float32; one number for each row is needed" in said


def test_a_jet_without_constituents_is_named(tmp_path: Path) -> None:
    branches = content(6)
    for values in branches.values():
        if isinstance(values, list):
            values[2] = []
    path = root_file(tmp_path / "in.root", branches)
    assert whole(path).constituents.counts[2] == 0
    choice = importing.Choice(jetclass.CLASSES[1:], ("QCD",))
    with pytest.raises(InputError, match="row 2 has no constituents; remove it"):
        list(importing.read(jetclass, [path], "train", choice))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.root"
    assert told(path).endswith("no such file")
    path.write_bytes(b"")
    assert "the file is empty" in told(path)
    path.write_text("part_px,part_py\n1,2\n")
    assert told(path).endswith("not a ROOT file")
    for head in (b"root", b"root" + b"\xff" * 14, b"root" + (1_000_000).to_bytes(4, "big") + b"\x7f" * 12):
        path.write_bytes(head)
        assert "the file is truncated, or was never closed" in told(path)
    assert "is a directory" in told(tmp_path)
    other = root_file(tmp_path / "other.root", content(3), tree="trees")
    assert told(other).endswith("no tree 'tree' (did you mean 'trees'?); it has trees")
    with uproot.recreate(tmp_path / "text.root") as file:
        file["tree"] = "not a tree"
    assert told(tmp_path / "text.root").endswith("holds no tree, but 'tree' is needed")
    empty = {name: values[:0] for name, values in content(3).items()}
    assert told(root_file(tmp_path / "empty.root", empty)).endswith("the tree 'tree' has no rows")


@pytest.mark.parametrize("rntuple", [False, True])
def test_cut_files_are_refused(tmp_path: Path, rntuple: bool) -> None:
    data = root_file(tmp_path / "whole.root", content(40), basket=20, rntuple=rntuple).read_bytes()
    for part in (0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        path = tmp_path / "cut.root"
        path.write_bytes(data[: int(part * len(data))])
        assert "the file is truncated, or was never closed; download or make it again" in told(path)
    path.write_bytes(data[:-1])
    assert "truncated" in told(path)


@pytest.mark.parametrize("compression", [uproot.ZLIB(1), uproot.LZMA(1), uproot.ZSTD(1), uproot.LZ4(4)])
def test_damaged_baskets_are_named(tmp_path: Path, compression: Any) -> None:
    path = root_file(tmp_path / "in.root", content(40), compression=compression)
    with uproot.open(path) as file:
        key = file["tree"]["part_isMuon"].basket_key(0)
        assert key.data_compressed_bytes < key.data_uncompressed_bytes
    data = bytearray(path.read_bytes())
    data[key.data_cursor.index + 9 : key.data_cursor.index + 29] = b"\xaa" * 20  # behind the header of the block
    path.write_bytes(bytes(data))
    said = told(path)
    assert "the branch 'part_isMuon' (rows 0 to 39) cannot be read (" in said
    assert "damaged? download or make it again" in said


def test_a_damaged_tree_is_told(tmp_path: Path) -> None:
    path = root_file(tmp_path / "in.root", content(10))
    with uproot.open(path) as file:
        begin = file.key("tree").data_cursor.index
    data = bytearray(path.read_bytes())
    data[begin : begin + 200] = b"\xff" * 200
    path.write_bytes(bytes(data))
    assert "the tree 'tree' cannot be read (" in told(path)


@pytest.mark.parametrize("package", ["uproot", "awkward", "cramjam"])
def test_a_missing_package_is_named(tmp_path: Path, package: str) -> None:
    path = root_file(tmp_path / "in.root", content(3))
    code = f"""
import sys
sys.modules[{package!r}] = None
from pathlib import Path
from glassjet.jets.published import jetclass
from glassjet.errors import InputError
try:
    with jetclass.opened(Path({str(path)!r})) as source:
        source.read(0, 3)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.startswith(f"{path}: ")
    assert "needs a package that is missing (" in done.stdout
    assert package in done.stdout
    assert done.stdout.count("\n") == 1


def test_files_of_one_class_each_are_mixed(tmp_path: Path) -> None:
    def one_class(seed: int, name: str) -> Path:
        labels = {other: np.full(30, other == name).astype(TYPES[other]) for other in LABELS}
        return root_file(tmp_path / f"{name}.root", content(30, seed) | labels)

    paths = [one_class(1, "label_QCD"), one_class(2, "label_Tbqq")]
    choice = importing.Choice(jetclass.SIGNAL, jetclass.BACKGROUND)
    jets = concatenate(list(importing.read(jetclass, paths, "train", choice, size=20)))
    assert jets.columns["label"].tolist() == [0, 1] * 30
    pt = whole(paths[1]).constituents
    assert jets.columns["pt"][1::2] == pytest.approx(jets_of(pt)["pt"], rel=1e-5)


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_the_real_piece_has_the_published_properties() -> None:
    rows = whole(REAL, 120)
    assert np.bincount(rows.kind).tolist() == [48, 48, 55, 50, 33, 52, 54, 49, 65, 46]
    assert set(rows.constituents.columns) == {"pt", "eta", "phi", "energy"}
    with uproot.open({str(REAL): "tree"}) as tree:
        original = {name: tree[name].array(library="np") for name in ("jet_pt", "jet_eta", "jet_phi", "jet_energy")}
        assert rows.constituents.counts.tolist() == tree["jet_nparticles"].array(library="np").tolist()
    jets = jets_of(rows.constituents)
    assert jets["pt"] == pytest.approx(original["jet_pt"], rel=1e-5)
    assert jets["eta"] == pytest.approx(original["jet_eta"], abs=1e-4)
    assert np.cos(jets["phi"] - original["jet_phi"]) == pytest.approx(1, abs=1e-8)
    assert jets["pt"].min() >= 500
    assert jets["pt"].max() <= 1000
    assert np.abs(jets["eta"]).max() < 2
    # The soft jet mass tells classes apart: tops are the heaviest, QCD jets the lightest.
    medians = [np.median(jets["mass"][rows.kind == kind]) for kind in range(10)]
    assert jetclass.CLASSES[int(np.argmin(medians))] == "QCD"
    assert jetclass.CLASSES[int(np.argmax(medians))] == "Tbqq"
