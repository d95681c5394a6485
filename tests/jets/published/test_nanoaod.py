"""The reader of NanoAOD with candidates, on small files of PFNano's and NanoAOD 15's layout made here."""

import math
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from glassjet.errors import InputError
from glassjet.jets.kinematics import jets_of
from glassjet.jets.published import importing
from glassjet.jets.published import nanoaod as nano
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import concatenate

LAYOUTS = {links + "_" + index: (table, links, index) for table, links, index in nano.LAYOUTS}
PFNANO = nano.LAYOUTS[0]
V15 = nano.LAYOUTS[-1]
CHARGED = {211: 1, -211: -1, 11: -1, -13: 1}
Event = dict[str, Any]


def made_events(n: int, seed: int = 0) -> list[Event]:
    """Events with up to three AK8 jets in no order of pT; every third candidate belongs to no jet."""
    rng = np.random.default_rng(seed)
    events = []
    for i in range(n):
        jets: list[dict[str, Any]] = []
        candidates: list[dict[str, Any]] = []
        links: list[tuple[int, int]] = []
        for j in range(i % 4):
            eta0, phi0 = rng.uniform(-2.4, 2.4), rng.uniform(-np.pi, np.pi)
            jets.append({"pt": rng.uniform(200, 900), "msoftdrop": rng.uniform(0, 200)})
            jets[-1] |= {"nBHadrons": int(rng.integers(0, 4)), "nCHadrons": int(rng.integers(0, 3))}
            for _ in range(rng.integers(0, 20)):
                pdgid = int(rng.choice([211, -211, 130, 22, 11, -13, 1, 2]))
                c = {"pdgId": pdgid, "charge": CHARGED.get(pdgid, 0), "pt": 0.5 + 20 * rng.exponential()}
                c |= {"eta": eta0 + rng.normal(0, 0.2), "phi": phi0 + rng.normal(0, 0.2)}
                c |= {"mass": 0.13957 if c["charge"] else 0.0, "puppiWeight": float(rng.choice([0, 0.25, 1]))}
                c["phi"] = math.remainder(c["phi"], 2 * math.pi)
                for name in ("d0", "dz"):
                    c |= {name: -1.0, f"{name}Err": -1.0}
                    if c["charge"]:
                        c |= {name: rng.normal(0, 0.02), f"{name}Err": rng.uniform(0.001, 0.01)}
                if rng.random() < 0.66:
                    links.append((j, len(candidates)))
                candidates.append(c)
        links = [links[k] for k in rng.permutation(len(links))]
        events.append({"jets": jets, "candidates": candidates, "links": links})
    return events


def branches_of(events: list[Event], layout: tuple[str, str, str] = PFNANO) -> dict[str, Any]:
    """Every table as {column: lists}, keyed by its name, with the types of the originals."""
    table, links, index = layout

    def lists(rows: str, name: Any, kind: type) -> Any:
        counts = [len(event[rows]) for event in events]
        return ak.unflatten(np.array([entry[name] for event in events for entry in event[rows]], kind), counts)

    columns = dict.fromkeys(("pt", "eta", "phi", "mass"), np.float32) | {"pdgId": np.int32}
    if layout != V15:
        names = ("d0", "d0Err", "dz", "dzErr", "puppiWeight")
        columns |= dict.fromkeys(names, np.float32) | {"charge": np.int32}
    hadrons = {name: lists("jets", name, np.uint8) for name in ("nBHadrons", "nCHadrons")}
    return {
        "FatJet": {name: lists("jets", name, np.float32) for name in ("pt", "msoftdrop")} | hadrons,
        table: {name: lists("candidates", name, kind) for name, kind in columns.items()},
        links: {"jetIdx": lists("links", 0, np.int32), index: lists("links", 1, np.int32)},
        "GenJetAK8": {"hadronFlavour": lists("jets", "nBHadrons", np.uint8)},
        "run": np.ones(len(events), np.uint32),
        "event": np.arange(len(events), dtype=np.uint64) + 7,
    }


def tree_file(path: Path, data: dict[str, Any], tree: str = "Events") -> Path:
    branches = {name: ak.zip(values) if isinstance(values, dict) else values for name, values in data.items()}
    kinds = {name: v.dtype if isinstance(v, np.ndarray) else v.type.content for name, v in branches.items()}
    with uproot.recreate(path) as file:
        made = file.mktree(tree, kinds)
        for start in range(0, len(data["run"]), 10):
            made.extend({name: values[start : start + 10] for name, values in branches.items()})
    return path


def everything(path: Path, size: int = 1000) -> list[Rows]:
    with nano.opened(path) as source:
        return [source.read(start, min(start + size, len(source))) for start in range(0, len(source), size)]


def expected(event: Event, weighted: bool) -> tuple[int, float, list[dict[str, Any]]]:
    """By a slow loop: class, soft-drop mass and constituents of the leading jet."""
    if not event["jets"]:
        return -1, 0.0, []
    lead = 0
    for j, jet in enumerate(event["jets"]):
        if jet["pt"] > event["jets"][lead]["pt"]:
            lead = j
    found = []
    for j, k in event["links"]:
        c = event["candidates"][k]
        weight = c["puppiWeight"] if weighted else 1.0
        if j != lead or weight == 0:
            continue
        pt, mass = c["pt"] * weight, c["mass"] * weight
        one = {"pt": pt, "eta": c["eta"], "phi": c["phi"]}
        px, py, pz = pt * math.cos(c["phi"]), pt * math.sin(c["phi"]), pt * math.sinh(c["eta"])
        one["energy"] = math.sqrt(px**2 + py**2 + pz**2 + mass**2)
        one["pdgid"] = {1: 130, 2: 22}.get(c["pdgId"], c["pdgId"])
        one["charge"] = c["charge"]
        for name, stored in (("d0", "d0"), ("z0", "dz")):
            one |= {name: 10 * c[stored] if c["charge"] else 0.0}
            one |= {f"{name}_error": 10 * c[f"{stored}Err"] if c["charge"] else 0.0}
        found.append(one)
    jet = event["jets"][lead]
    if not found:
        return -1, jet["msoftdrop"], []
    kind = "bb" if jet["nBHadrons"] > 1 else "b" if jet["nBHadrons"] else "c" if jet["nCHadrons"] else "light"
    return nano.CLASSES.index(kind), jet["msoftdrop"], found


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_jets_equal_a_slow_loop(tmp_path: Path, layout: tuple[str, str, str]) -> None:
    events = made_events(60)
    (rows,) = everything(tree_file(tmp_path / "in.root", branches_of(events, layout)))
    wanted = [expected(event, weighted=layout != V15) for event in events]
    assert rows.kind.tolist() == [kind for kind, _, _ in wanted]
    assert set(rows.kind.tolist()) == {-1, 0, 1, 2, 3}
    assert any(kind == -1 and event["jets"] for event, (kind, _, _) in zip(events, wanted, strict=True))
    assert rows.columns.keys() == {"FatJet_msoftdrop", "event_number"}
    assert rows.columns["event_number"].tolist() == [number + 7 for number in range(60)]
    assert rows.columns["FatJet_msoftdrop"] == pytest.approx(np.array([mass for _, mass, _ in wanted]), rel=1e-6)
    assert len(rows.constituents) == 60
    for i, (_, _, constituents) in enumerate(wanted):
        a, b = rows.constituents.offsets[i : i + 2]
        assert b - a == len(constituents)
        names = {"pt", "eta", "phi", "energy", "pdgid", "charge"}
        names |= {"d0", "z0", "d0_error", "z0_error"} if layout != V15 else set()
        assert rows.constituents.columns.keys() == names
        for name in names:
            mine = rows.constituents.columns[name][a:b]
            assert mine == pytest.approx([one[name] for one in constituents], rel=1e-6, abs=1e-9), name


def test_without_weights_candidates_count_in_full(tmp_path: Path) -> None:
    events = made_events(20)
    data = branches_of(events)
    del data["PFCands"]["puppiWeight"]
    (rows,) = everything(tree_file(tmp_path / "in.root", data))
    for i, event in enumerate(events):
        wanted = [one["pt"] for one in expected(event, weighted=False)[2]]
        assert row_pt(rows, i) == pytest.approx(wanted, rel=1e-6)


def row_pt(rows: Rows, i: int) -> list[float]:
    return list(rows.constituents.columns["pt"][rows.constituents.offsets[i] : rows.constituents.offsets[i + 1]])


def test_the_weighted_sum_is_the_jet(tmp_path: Path) -> None:
    """A jet made as the experiment makes it, of weighted candidates at either sign of eta."""
    for seed, sign in ((0, 1), (1, -1)):
        rng = np.random.default_rng(seed)
        candidates, total = [], np.zeros(4)
        for _ in range(30):
            weight, pt, eta, phi, mass = (
                rng.random(),
                rng.uniform(1, 50),
                sign * rng.normal(1.5, 0.2),
                rng.normal(3, 0.2),
                0.14,
            )
            momentum = np.array([pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta)])
            total += weight * np.append(momentum, math.sqrt(momentum @ momentum + mass**2))
            c = {"pt": pt, "eta": eta, "phi": math.remainder(phi, 2 * math.pi), "mass": mass, "puppiWeight": weight}
            candidates.append(c | {"pdgId": 211, "charge": 1, "d0": 0.1, "d0Err": 0.1, "dz": 0.1, "dzErr": 0.1})
        jet = {"pt": math.hypot(*total[:2]), "msoftdrop": 1.0, "nBHadrons": 2, "nCHadrons": 0}
        event = {"jets": [jet], "candidates": candidates, "links": [(0, k) for k in range(30)]}
        (rows,) = everything(tree_file(tmp_path / "in.root", branches_of([event])))
        sums = jets_of(rows.constituents)
        assert sums["pt"] == pytest.approx(jet["pt"], rel=1e-6)
        assert sums["eta"] == pytest.approx(math.asinh(total[2] / jet["pt"]), abs=1e-6)
        assert sums["mass"] == pytest.approx(math.sqrt(total[3] ** 2 - total[:3] @ total[:3]), rel=1e-4)


@pytest.mark.parametrize("size", [1, 7, 10])
def test_pieces_equal_the_whole(tmp_path: Path, size: int) -> None:
    path = tree_file(tmp_path / "in.root", branches_of(made_events(25)))
    (whole,) = everything(path)
    pieces = everything(path, size)
    assert np.concatenate([rows.kind for rows in pieces]).tolist() == whole.kind.tolist()
    counts = np.concatenate([rows.constituents.counts for rows in pieces])
    assert counts.tolist() == whole.constituents.counts.tolist()
    for name, column in whole.constituents.columns.items():
        assert np.concatenate([rows.constituents.columns[name] for rows in pieces]).tolist() == column.tolist()


def test_imported_jets_have_labels_of_the_truth(tmp_path: Path) -> None:
    wanted = [(event, *expected(event, weighted=True)) for event in made_events(60)]
    wanted = [one for one in wanted if one[1] >= 0]
    path = tree_file(tmp_path / "in.root", branches_of([event for event, *_ in wanted]))
    choice = importing.Choice(nano.SIGNAL, ("light", "c"))
    jets = concatenate(list(importing.read(nano, [path], "test", choice, size=7)))
    taken = [one for one in wanted if nano.CLASSES[one[1]] != "b"]
    assert 0 < len(taken) < len(wanted)
    assert jets.columns["label"].tolist() == [int(kind == 0) for _, kind, _, _ in taken]
    px, py = ([sum(c["pt"] * turn(c["phi"]) for c in found) for *_, found in taken] for turn in (math.cos, math.sin))
    assert jets.columns["pt"] == pytest.approx(np.hypot(px, py), rel=1e-5)


def test_of_equal_jets_the_first_leads(tmp_path: Path) -> None:
    events = made_events(30)
    for event in events:
        for jet in event["jets"]:
            jet["pt"] = 500.0
    (rows,) = everything(tree_file(tmp_path / "in.root", branches_of(events)))
    assert rows.kind.tolist() == [expected(event, weighted=True)[0] for event in events]


def test_without_candidates_the_way_out_is_told(tmp_path: Path) -> None:
    data = branches_of(made_events(5))
    plain = {name: data[name] for name in ("FatJet", "run")}
    with pytest.raises(InputError, match=r"in.root: has no particle-flow candidates, .*PFNano and NanoAOD 15"):
        everything(tree_file(tmp_path / "in.root", plain))
    with pytest.raises(InputError, match=r"in.root: has PFCands_pt, but no links of AK8 jets to them"):
        everything(tree_file(tmp_path / "in.root", plain | {"PFCands": data["PFCands"]}))


def without(table: str, *names: str) -> dict[str, Any]:
    data = branches_of(made_events(5))
    for name in names:
        del data[table][name]
    return data


def test_missing_branches_are_named(tmp_path: Path) -> None:
    for table, name in (("FatJet", "pt"), ("FatJet", "msoftdrop"), ("PFCands", "pdgId"), ("FatJetPFCands", "jetIdx")):
        with pytest.raises(
            InputError, match=rf"in.root: the tree 'Events' has no branch '{table}_{name}' \(did you mean"
        ):
            everything(tree_file(tmp_path / "in.root", without(table, name)))
    with pytest.raises(InputError, match=r"in.root: no branch 'FatJet_nBHadrons', .*measured collisions"):
        everything(tree_file(tmp_path / "in.root", without("FatJet", "nBHadrons", "nCHadrons")))
    with pytest.raises(InputError, match=r"no branch 'FatJet_nCHadrons'"):
        everything(tree_file(tmp_path / "in.root", without("FatJet", "nCHadrons")))


def changed(table: str, name: str, value: float) -> tuple[dict[str, Any], int]:
    """A file with that value in the first entry of row 7's or a later list, and the row."""
    data = branches_of(made_events(30))
    values = data[table][name].tolist()
    row = next(i for i in range(7, 30) if values[i])
    values[row][0] = value
    data[table][name] = ak.values_astype(ak.Array(values), data[table][name].type.content.content.primitive)
    return data, row


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        ("FatJetPFCands", "jetIdx", 3),
        ("FatJetPFCands", "jetIdx", -1),
        ("FatJetPFCands", "pFCandsIdx", 1000),
        ("FatJetPFCands", "pFCandsIdx", -1),
    ],
)
def test_links_out_of_range_are_named(tmp_path: Path, table: str, name: str, value: int) -> None:
    data, row = changed(table, name, value)
    path = tree_file(tmp_path / "in.root", data)
    for size in (4, 30):
        with pytest.raises(
            InputError, match=rf"in.root: row {row} has {value} in '{table}_{name}', but \d+ entries"
        ) as e:
            everything(path, size)
        assert "\n" not in str(e.value)


def test_numbers_that_are_none_are_named(tmp_path: Path) -> None:
    for table, name in (("FatJet", "pt"), ("FatJet", "msoftdrop")):
        for value in (np.nan, np.inf):
            data, row = changed(table, name, value)
            with pytest.raises(
                InputError, match=rf"in.root: row {row} has a NaN or infinite {table}_{name}; remove it"
            ):
                everything(tree_file(tmp_path / "in.root", data), 4)
    events = made_events(30)
    row = next(i for i in range(9, 30) if expected(events[i], weighted=True)[2])
    for name in ("pt", "eta", "phi", "mass", "d0", "dzErr", "puppiWeight"):
        data = branches_of(events)
        data["PFCands"][name] = data["PFCands"][name] + np.where(np.arange(30) >= 9, np.inf, 0).astype(np.float32)
        with pytest.raises(InputError, match=rf"in.root: row {row} has a NaN or infinite PFCands_{name}; remove it"):
            everything(tree_file(tmp_path / "in.root", data), 4)


def test_lists_of_other_lengths_are_refused(tmp_path: Path) -> None:
    data = branches_of(made_events(8))
    short = {name: values[:, :-1] for name, values in data["PFCands"].items()}
    words = (
        r"in.root: row \d has 1000 in 'FatJetPFCands_pFCandsIdx'|row \d has \d+ in 'FatJetPFCands_pFCandsIdx', but \d+"
    )
    with pytest.raises(InputError, match=words):
        everything(tree_file(tmp_path / "in.root", data | {"PFCands": short}))


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    data = branches_of(made_events(40))
    raw = tree_file(tmp_path / "whole.root", data).read_bytes()
    (tmp_path / "text.root").write_text("FatJet_pt\n300\n")
    tree_file(tmp_path / "other.root", data, tree="Event")
    empty = {name: {k: c[:0] for k, c in v.items()} if isinstance(v, dict) else v[:0] for name, v in data.items()}
    tree_file(tmp_path / "empty.root", empty)
    told = {"none.root": "no such file", "text.root": "not a ROOT file", "other.root": "did you mean 'Event'"}
    told["empty.root"] = "has no rows"
    for part in (0.02, 0.3, 0.6, 0.9, 0.999):
        (tmp_path / f"cut{part}.root").write_bytes(raw[: int(part * len(raw))])
        told[f"cut{part}.root"] = "truncated"
    for name, words in told.items():
        with pytest.raises(InputError, match=words) as caught:
            everything(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)


def test_metadata_tell_what_the_jets_are() -> None:
    assert (nano.METADATA["level"], nano.METADATA["sqrts"], nano.METADATA["radius"]) == ("detector", 13000.0, 0.8)
    assert {*nano.SIGNAL, *nano.BACKGROUND} == set(nano.CLASSES)
