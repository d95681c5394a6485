"""The reader of CMS's open H->bb ntuples, on small files of their layout made here."""

import logging
import math
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from glassjet.errors import InputError
from glassjet.jets.kinematics import jets_of
from glassjet.jets.published import hbb_open_data as hbb
from glassjet.jets.published import importing
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import Ragged, concatenate

PION = 0.13957
FLAG_OF = {211: "isChargedHad", 130: "isNeutralHad", 22: "isGamma", 11: "isEl", 13: "isMu"}
TRUTH = {
    "fj_label": 41,
    "fj_isBB": 1,
    "fj_nbHadrons": 2,
    "label_H_bb": 1,
    "fj_gen_pt": 400.0,
    "fj_isTop": 0,
    "ntrueInt": 20,
}
Jet = dict[str, Any]


def made_jets(n: int, seed: int = 0) -> list[Jet]:
    """Jets, each with its candidates in absolute numbers; the jet is their sum, half of them at negative eta."""
    rng = np.random.default_rng(seed)
    jets = []
    for i in range(n):
        eta0, phi0 = (-1) ** i * rng.uniform(0.3, 2.2), rng.uniform(-np.pi, np.pi)
        candidates = []
        for _ in range(rng.integers(2, 80)):
            pdgid = int(rng.choice([211, -211, 130, 22, 11, -11, 13, 0]))
            charge = {211: 1, 11: -1, 13: -1}.get(abs(pdgid), 0) * (1 if pdgid > 0 else -1)
            mass = PION if charge else 0.0
            pt, eta = 1 + 10 * rng.exponential(), eta0 + rng.normal(0, 0.2)
            candidate = {"pt": pt, "eta": eta, "phi": phi0 + rng.normal(0, 0.2), "pdgid": pdgid, "charge": charge}
            candidate |= {"energy": math.hypot(pt * math.cosh(eta), mass), "mass": mass}
            has_errors = rng.random() < 0.8
            candidate["has_track"] = has_errors and charge != 0
            for name in ("dxy", "dz"):
                candidate[name] = rng.normal(0, 0.02)
                candidate[f"{name}_error"] = rng.uniform(0.001, 0.01) if has_errors else 0.0
            candidates.append(candidate)
        px = sum(c["pt"] * math.cos(c["phi"]) for c in candidates)
        py = sum(c["pt"] * math.sin(c["phi"]) for c in candidates)
        pz = sum(c["pt"] * math.sinh(c["eta"]) for c in candidates)
        energy = sum(c["energy"] for c in candidates)
        jet: Jet = {"pt": math.hypot(px, py), "eta": math.asinh(pz / math.hypot(px, py)), "phi": math.atan2(py, px)}
        jet |= {"energy": energy, "mass": math.sqrt(energy**2 - px**2 - py**2 - pz**2), "candidates": candidates}
        jet |= {
            "kind": int(rng.integers(0, 3)),
            "tracks": int(rng.integers(0, 70)),
            "vertices": int(rng.integers(0, 8)),
        }
        jets.append(jet)
    return jets


def written(jet: Jet) -> list[dict[str, float]]:
    """A jet's candidates as the ntuple maker stores them."""
    sign = 1 if jet["eta"] > 0 else -1
    rows = []
    for c in jet["candidates"]:
        row = {"ptrel": c["pt"] / jet["pt"], "erel": c["energy"] / jet["energy"], "mass": c["mass"]}
        row["etarel"] = sign * (c["eta"] - jet["eta"])
        row["phirel"] = math.remainder(c["phi"] - jet["phi"], 2 * math.pi)
        row["charge"] = c["charge"]
        row |= {flag: float(abs(c["pdgid"]) == number) for number, flag in FLAG_OF.items()}
        for name in ("dxy", "dz"):
            error = c[f"{name}_error"]
            row |= {name: c[name], f"{name}sig": c[name] / error if error else 0.0}
        rows.append(row)
    return rows


def branches_of(jets: list[Jet], seed: int = 0) -> dict[str, Any]:
    """Every branch; those with a dot stand for lists of one counter."""
    rng = np.random.default_rng(seed)

    def column(name: str, kind: type = np.float32) -> Any:
        return np.array([jet[name] for jet in jets], kind)

    def features(names: tuple[str, ...], counts: list[int]) -> dict[str, Any]:
        total = sum(counts)
        return {name: ak.unflatten(rng.normal(0, 5, total).astype(np.float32), counts) for name in names}

    rows = [written(jet) for jet in jets]
    kind = column("kind", np.int32)
    data: dict[str, Any] = {
        "event_no": np.arange(len(jets), dtype=np.uint32),
        **{
            name: rng.uniform(0, 40, len(jets)).astype(np.float32) for name in ("npv", "rho", "fj_sdmass", "fj_doubleb")
        },
        **{f"fj_{name}": column(name) for name in ("pt", "eta", "phi", "mass")},
        "sample_isQCD": (kind == 0).astype(np.float32),
        "fj_isH": (kind == 1).astype(np.int32),
        "fj_isQCD": (kind != 1).astype(np.int32),  # light jets of the signal's sample too
        **{name: np.full(len(jets), value) for name, value in TRUTH.items()},
    }
    for name in rows[0][0]:
        data[f"pfcand_{name}"] = ak.Array([np.array([one[name] for one in row], np.float32) for row in rows])
    data |= features(hbb.TRACKS, [jet["tracks"] for jet in jets])
    data |= features(hbb.VERTICES, [jet["vertices"] for jet in jets])
    return data


def tree_file(path: Path, data: dict[str, Any], tree: str = hbb.TREE, **options: Any) -> Path:
    """A ROOT file with the branches, lists of one table under one counter, in baskets of 10 rows."""
    tables: dict[str, dict[str, Any]] = {}
    branches: dict[str, Any] = {}
    for name, values in data.items():
        table, _, column = name.partition("_")
        if isinstance(values, ak.Array):
            tables.setdefault(table, {})[column] = values
        else:
            branches[name] = values
    branches |= {table: ak.zip(columns) for table, columns in tables.items()}
    kinds = {
        n: v.dtype if isinstance(v, np.ndarray) else ak.values_astype(v, np.float32).type.content
        for n, v in branches.items()
    }
    with uproot.recreate(path, **options) as file:
        made = file.mktree(tree, kinds)
        length = len(next(iter(branches.values())))
        for start in range(0, length, 10):
            made.extend({name: values[start : start + 10] for name, values in branches.items()})
    return path


def everything(path: Path, size: int = 1000) -> list[Rows]:
    with hbb.opened(path) as source:
        return [source.read(start, min(start + size, len(source))) for start in range(0, len(source), size)]


def row_of(ragged: Ragged | None, i: int) -> dict[str, Any]:
    assert ragged is not None
    return {name: column[ragged.offsets[i] : ragged.offsets[i + 1]] for name, column in ragged.columns.items()}


def test_constituents_equal_the_numbers_before_they_were_made_relative(tmp_path: Path) -> None:
    jets = made_jets(23)
    (rows,) = everything(tree_file(tmp_path / "in.root", branches_of(jets)))
    assert {jet["eta"] > 0 for jet in jets} == {True, False}
    tracks = 0
    for i, jet in enumerate(jets):
        mine = row_of(rows.constituents, i)
        assert len(mine["pt"]) == len(jet["candidates"])
        for k, c in enumerate(jet["candidates"]):
            assert mine["pt"][k] == pytest.approx(c["pt"], rel=1e-6)
            assert mine["energy"][k] == pytest.approx(c["energy"], rel=1e-6)
            assert mine["eta"][k] == pytest.approx(c["eta"], abs=1e-6)
            assert math.remainder(mine["phi"][k] - c["phi"], 2 * math.pi) == pytest.approx(0, abs=1e-6)
            assert -math.pi <= mine["phi"][k] <= math.pi
            assert (mine["pdgid"][k], mine["charge"][k]) == (c["pdgid"], c["charge"])
            tracks += c["has_track"]
            for name, stored in (("d0", "dxy"), ("z0", "dz")):  # mm of cm
                value, error = (10 * c[of] if c["has_track"] else 0 for of in (stored, f"{stored}_error"))
                assert mine[name][k] == pytest.approx(value, rel=1e-6)
                assert mine[f"{name}_error"][k] == pytest.approx(error, rel=1e-5)
    assert tracks > 100


def test_the_sum_of_the_constituents_is_the_jet_of_the_file(tmp_path: Path) -> None:
    jets = made_jets(40, seed=1)
    (rows,) = everything(tree_file(tmp_path / "in.root", branches_of(jets)))
    sums = jets_of(rows.constituents)
    for name, tolerance in (("pt", 1e-3), ("eta", 1e-5), ("phi", 1e-5), ("mass", 1e-2)):
        assert sums[name] == pytest.approx(np.array([jet[name] for jet in jets]), abs=tolerance)


def test_a_jet_at_eta_zero_counts_as_negative(tmp_path: Path) -> None:
    data = branches_of(made_jets(2))
    for name in ("fj_eta", "pfcand_etarel"):
        data[name] = data[name] * 0
    data["pfcand_etarel"] = data["pfcand_etarel"] + 0.1
    data["pfcand_erel"] = data["pfcand_erel"] * 100  # enough energy for any direction
    (rows,) = everything(tree_file(tmp_path / "in.root", data))
    assert rows.constituents.columns["eta"] == pytest.approx(-0.1)


def test_the_other_sign_of_etarel_is_refused(tmp_path: Path) -> None:
    data = branches_of(made_jets(20))
    data["pfcand_etarel"] = data["pfcand_etarel"] * np.where(data["fj_eta"] > 0, 1, -1).astype(np.float32)
    with pytest.raises(InputError, match=r"in.root: rows 0 to 19: candidates have less energy than momentum; .*etarel"):
        everything(tree_file(tmp_path / "in.root", data))


def test_classes_columns_and_lists_are_those_of_the_file(tmp_path: Path) -> None:
    jets = made_jets(40)
    for i in (3, 4, 5):
        jets[i]["kind"] = 1
    data = branches_of(jets)
    data["fj_pt"][3], data["fj_eta"][4], data["fj_eta"][5] = 200, 2.4, -2.5
    data["pfcand_erel"] = data["pfcand_erel"] * 3
    (rows,) = everything(tree_file(tmp_path / "in.root", data))
    low = {i for i, pt in enumerate(data["fj_pt"]) if pt <= 200} | {4, 5}
    assert 3 in low
    assert rows.kind.tolist() == [-1 if i in low or jet["kind"] == 2 else jet["kind"] for i, jet in enumerate(jets)]
    assert set(rows.kind.tolist()) == {-1, 0, 1}
    assert set(rows.columns) == {"npv", "rho", "fj_sdmass", "fj_doubleb", "event_number"}
    assert rows.columns["event_number"].tolist() == list(range(len(rows)))
    assert rows.columns["fj_doubleb"].tolist() == data["fj_doubleb"].tolist()
    for ragged, names, most in ((rows.tracks, hbb.TRACKS, 60), (rows.vertices, hbb.VERTICES, 5)):
        for i in range(40):
            mine = row_of(ragged, i)
            assert tuple(mine) == names
            for name in names:
                assert mine[name].tolist() == data[name][i].tolist()[:most]
                assert mine[name].dtype == np.float32
    assert (len(hbb.TRACKS), len(hbb.VERTICES)) == (30, 14)
    assert max(jet["tracks"] for jet in jets) > 60
    assert max(jet["vertices"] for jet in jets) > 5


@pytest.mark.parametrize("size", [1, 7, 10])
def test_pieces_equal_the_whole(tmp_path: Path, size: int) -> None:
    path = tree_file(tmp_path / "in.root", branches_of(made_jets(25)))
    choice = importing.Choice(("h_bb",), ("qcd",))
    whole = concatenate(list(importing.read(hbb, [path], "test", choice, size=25)))
    pieces = concatenate(list(importing.read(hbb, [path], "test", choice, size=size)))
    assert len(whole) > 5
    for a, b in (
        (whole.columns, pieces.columns),
        *((getattr(whole, g).columns, getattr(pieces, g).columns) for g in ("constituents", "tracks", "vertices")),
    ):
        assert {name: values.tolist() for name, values in a.items()} == {
            name: values.tolist() for name, values in b.items()
        }
    assert whole.columns.keys().isdisjoint({*TRUTH, *hbb.TRUTH})


def test_infinite_features_become_zero_and_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jets = made_jets(12)
    jets[2]["tracks"], jets[11]["vertices"] = 66, 2
    data = branches_of(jets)
    before = everything(tree_file(tmp_path / "before.root", data), 5)
    assert not caplog.records
    spoilt = data["track_dzsig"].tolist()
    spoilt[2][0], spoilt[2][59], spoilt[2][65] = np.inf, np.nan, np.nan  # the last is behind the 60th
    data["track_dzsig"] = ak.Array(spoilt)
    spoilt = data["sv_d3dsig"].tolist()
    spoilt[11][1] = -np.inf
    data["sv_d3dsig"] = ak.Array(spoilt)
    with caplog.at_level(logging.WARNING):
        after = everything(tree_file(tmp_path / "in.root", data), 5)
    (record,) = caplog.records
    assert "in.root: 3 NaN or infinite numbers in tracks and vertices were set to 0" in record.getMessage()
    for old, new in zip(before, after, strict=True):
        assert old.tracks is not None
        assert new.tracks is not None
        expected = old.tracks.columns["track_dzsig"].copy()
        if old is before[0]:
            expected[old.tracks.offsets[2] + np.array([0, 59])] = 0
        assert new.tracks.columns["track_dzsig"].tolist() == expected.tolist()
    assert row_of(after[2].vertices, 1)["sv_d3dsig"].tolist()[1] == 0


def changed(name: str, row: int, value: float) -> dict[str, Any]:
    data = branches_of(made_jets(12))
    values = data[name].tolist()
    if isinstance(values[row], list):
        values[row][0] = value
        return data | {name: ak.values_astype(ak.Array(values), np.float32)}
    values[row] = value
    return data | {name: np.array(values, np.float32)}


@pytest.mark.parametrize(
    "name", [*hbb.MOMENTA, "pfcand_dxy", "pfcand_dz", "pfcand_charge", "fj_pt", "fj_mass", "fj_doubleb"]
)
def test_numbers_that_are_none_are_named(tmp_path: Path, name: str) -> None:
    for value in (np.nan, np.inf):
        path = tree_file(tmp_path / "in.root", changed(name, 8, value))
        with pytest.raises(InputError, match=rf"in.root: row 8 has a NaN or infinite {name}; remove it") as caught:
            everything(path, size=5)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["pfcand_dxysig", "pfcand_dzsig"])
def test_an_infinite_significance_means_no_track(tmp_path: Path, name: str) -> None:
    for value in (np.inf, np.nan):
        data = branches_of(made_jets(1))
        data[name] = data[name] * 0 + value
        (rows,) = everything(tree_file(tmp_path / "in.root", data))
        for column in ("d0", "z0", "d0_error", "z0_error"):
            assert not rows.constituents.columns[column].any()


def test_labels_other_than_0_and_1_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"in.root: row 8 has fj_isH = 2.0; it must be 0 or 1"):
        everything(tree_file(tmp_path / "in.root", changed("fj_isH", 8, 2)), size=5)


def test_a_jet_without_constituents_is_named(tmp_path: Path) -> None:
    jets = made_jets(12)
    jets[7]["kind"] = 1
    data = branches_of(jets)
    assert data["fj_pt"][7] > 200
    for name in data:
        if name.startswith("pfcand_"):
            values = data[name].tolist()
            values[7] = []
            data[name] = ak.values_astype(ak.Array(values), np.float32)
    path = tree_file(tmp_path / "in.root", data)
    with pytest.raises(InputError, match=r"in.root: row 7 has no constituents; remove it"):
        list(importing.read(hbb, [path], "test", importing.Choice(("h_bb",), ("qcd",)), size=5))


@pytest.mark.parametrize(
    "name", ["fj_isH", "pfcand_etarel", "track_dlambdadz", "trackBTag_JetDistVal", "sv_d3d", "fj_pt"]
)
def test_a_missing_branch_is_named(tmp_path: Path, name: str) -> None:
    data = branches_of(made_jets(3))
    del data[name]
    with pytest.raises(
        InputError, match=rf"in.root: the tree 'deepntuplizer/tree' has no branch '{name}' \(did you mean"
    ):
        everything(tree_file(tmp_path / "in.root", data))


def test_lists_of_other_lengths_and_kinds_are_refused(tmp_path: Path) -> None:
    data = branches_of(made_jets(3))
    with pytest.raises(InputError, match=r"the branch 'fj_pt' holds .*one number for each row is needed"):
        everything(tree_file(tmp_path / "a.root", data | {"fj_pt": data["pfcand_mass"]}))
    with pytest.raises(InputError, match=r"the branch 'sv_pt' holds .*a list of numbers for each row is needed"):
        everything(tree_file(tmp_path / "b.root", data | {"sv_pt": data["fj_pt"]}))
    others = {name: data[name][:, :-1] for name in data if name.startswith("trackBTag_")}
    with pytest.raises(InputError, match=r"row 0 has \d+ entries in 'track_ptrel', but \d+ in 'trackBTag_EtaRel'"):
        everything(tree_file(tmp_path / "c.root", data | others))


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    data = branches_of(made_jets(30))
    whole = tree_file(tmp_path / "whole.root", data)
    raw = whole.read_bytes()
    (tmp_path / "text.root").write_text("fj_pt,fj_eta\n300,1\n")
    tree_file(tmp_path / "other.root", data, tree="deepntuplizer/trees")
    tree_file(tmp_path / "empty.root", {name: values[:0] for name, values in data.items()})
    told = {
        "none.root": "no such file",
        "text.root": "not a ROOT file",
        "other.root": "did you mean 'deepntuplizer/trees'",
        "empty.root": "has no rows",
    }
    for part in (0.02, 0.3, 0.6, 0.9, 0.999):
        name = f"cut{part}.root"
        (tmp_path / name).write_bytes(raw[: int(part * len(raw))])
        told[name] = "truncated"
    for name, words in told.items():
        with pytest.raises(InputError, match=words) as caught:
            everything(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)


@pytest.mark.parametrize("compression", [uproot.LZMA(1), uproot.LZ4(1), uproot.ZLIB(1), None])
def test_every_compression_of_root_is_read(tmp_path: Path, compression: Any) -> None:
    jets = made_jets(3)
    path = tree_file(tmp_path / "in.root", branches_of(jets), compression=compression)
    (rows,) = everything(path)
    assert rows.constituents.counts.tolist() == [len(jet["candidates"]) for jet in jets]
