"""A small study with made-up numbers: every file that the notebooks read, in the layout that the verbs write."""

import itertools
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from glassjet.attribution import store as attributions
from glassjet.files import write_csv, write_json
from glassjet.jets import store
from glassjet.observables.registry import columns
from glassjet.taggers.features import NOISE, parse

JETS = 240
SEEDS = (1, 2)
TAGGERS = (("mbns", "mbns"), ("xaug_image", "image+xaug29"), ("xaug_image", "image"), ("pfn", "kinematics"))
LRP = ("lrp_recommended", "lrp_p1")
METADATA = {
    "sample": "top",
    "level": "particle",
    "signal": "top",
    "background": "qcd",
    "sqrts": 14000.0,
    "radius": 0.8,
    "pt": [550.0, 650.0],
    "cutflow": {"signal": {"events": 1000, "jets": 120}, "background": {"events": 600, "jets": 120}},
    "cross_sections": {"signal": {"cross_section_pb": 1.4}, "background": {"cross_section_pb": 1300.0}},
}


def made_up_jets(seed: int) -> store.Jets:
    """Jets of three to thirty constituents about their axis; every second one is signal and has partons."""
    random = np.random.default_rng(seed)
    label = (np.arange(JETS) % 2).astype(np.int8)
    counts = random.integers(3, 30, JETS)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    eta, phi = random.uniform(-1.5, 1.5, JETS), random.uniform(-np.pi, np.pi, JETS)
    owner = np.repeat(np.arange(JETS), counts)
    share = random.exponential(1, offsets[-1])
    share = share / np.bincount(owner, share)[owner]
    order = np.lexsort((-share, owner))
    pt = random.uniform(550, 650, JETS)
    flat = {
        "pt": (share * pt[owner])[order],
        "eta": eta[owner] + random.normal(0, 0.2, len(owner)),
        "phi": np.mod(phi[owner] + random.normal(0, 0.2, len(owner)) + np.pi, 2 * np.pi) - np.pi,
    }
    flat["energy"] = flat["pt"] * np.cosh(flat["eta"])
    parton_offsets = np.concatenate([[0], np.cumsum(np.where(label == 1, 3, 0))])
    of_jet = np.repeat(np.arange(JETS), np.where(label == 1, 3, 0))
    partons = {
        "pt": np.full(len(of_jet), 100.0),
        "eta": eta[of_jet] + random.normal(0, 0.2, len(of_jet)),
        "phi": phi[of_jet],
        "energy": np.full(len(of_jet), 200.0),
        "pdgid": np.tile([5, 2, -1], int((label == 1).sum())),
    }
    jet: dict[str, Any] = {
        "pt": pt,
        "eta": eta,
        "phi": phi,
        "mass": random.normal(90.0 + 80.0 * label, 20),
        "label": label,
        "event": 1000 * seed + np.arange(JETS),
        "weight": np.where(label == 1, 1e-3, 1.0),
    }
    return store.Jets(jet, store.Ragged(offsets, flat), store.Ragged(parton_offsets, partons))


def made_up_observables(jets: store.Jets, seed: int) -> pd.DataFrame:
    """Every expert variable, normal and a little higher for signal; subjets beside the axis."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {name: random.normal(0.6 * jets.columns["label"], 1.0) for name in columns(("xaug29", "mbns"))}
    )
    for name in ("pt", "eta", "phi", "mass"):
        table[name] = jets.columns[name]
    table["multiplicity"] = jets.constituents.counts
    table["subjet1_eta"], table["subjet1_phi"] = jets.columns["eta"], jets.columns["phi"]
    table["subjet2_eta"], table["subjet2_phi"] = jets.columns["eta"] + 0.3, jets.columns["phi"]
    table["has_two_subjets"] = 1.0
    for name in ("label", "event", "weight"):
        table[name] = jets.columns[name]
    return table


def write_model(directory: Path, features: str, jets: store.Jets, seed: int, trained: bool = True) -> None:
    """history.csv, model.json (as much as is read) and the scores of the test jets."""
    random = np.random.default_rng([seed, len(features)])
    epochs = np.arange(1, 6)
    loss = 0.6 / epochs + random.uniform(0, 0.02, 5)
    history = pd.DataFrame({"epoch": epochs, "loss": loss, "validation_loss": loss + 0.02})
    directory.mkdir(parents=True)
    write_csv(history if trained else history.head(0), directory / "history.csv")
    found = parse(features)
    scaling: dict[str, object] = {}
    if found.table:
        scaling["table"] = {
            "columns": found.table,
            "mean": [1.0] * len(found.table),
            "std": [2.0] * len(found.table),
            "clip": 3.0,
        }
    if found.constituents:
        scaling["constituents"] = {"names": found.constituent_names, "std": [0.1, 0.2, 0.2]}
    write_json({"scaling": scaling}, directory / "model.json")
    (directory / "scores").mkdir()
    label = jets.columns["label"]
    with h5py.File(directory / "scores" / "top.h5", "w") as file:
        file.attrs["glassjet"] = "scores"
        file.attrs["metadata"] = json.dumps({"seed": seed})
        file["output"] = random.normal(1.0 * label, 1.0)
        file["mass_softdrop"] = random.normal(80 + 80 * label, 20)
        for name in ("label", "weight", "event", "pt", "mass", "eta"):
            file[name] = jets.columns[name]


def write_attributions(directory: Path, tagger: str, features: str, seed: int, jets: store.Jets) -> None:
    """Attribution files that add up, masking.csv and conservation.csv."""
    found = parse(features)
    random = np.random.default_rng([seed, len(features), len(tagger)])
    n = JETS // 2
    counts = jets.constituents.counts[:n]
    about = {"task": "top", "sample": "top", "tagger": tagger, "features": features, "seed": seed}
    names = list(found.constituent_names) + (["image"] if found.image else []) + list(found.table)
    for method in [*LRP, *(["shap"] if found.inputs == {"table"} else [])]:
        relevance: dict[str, Any] = {}
        total = np.zeros(n)
        if found.table:
            relevance["table"] = random.normal(0, np.linspace(2, 0.1, len(found.table)), (n, len(found.table)))
            total += relevance["table"].sum(1)
        if found.image:
            relevance["image"] = random.normal(0, 0.01, (n, 16, 16))
            total += relevance["image"].sum((1, 2))
        if found.constituents:
            offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            relevance["constituents"] = random.normal(0, 0.1, (offsets[-1], 3))
            total += np.add.reduceat(relevance["constituents"].sum(1), offsets[:-1])
        inputs = {name: np.abs(random.normal(0, 1, values.shape)).astype("f4") for name, values in relevance.items()}
        relevance = {name: values.astype("f4") for name, values in relevance.items()}
        if found.constituents:
            relevance["offsets"] = inputs["offsets"] = offsets
        ledger = {name: np.zeros(n) for name in ("stabiliser", "undistributable", "constants", "closure")}
        ledger |= {"bias": np.full(n, 0.3), "absolute": np.full(n, 10.0), "inputs": total}
        kept = 0.3
        if method == "shap":
            ledger, kept = {"base": np.full(n, 0.3)}, 0.3
        path = directory / f"{method}.h5"
        metadata = about | {"split": "explain", "method": method}
        metadata |= {"table": list(found.table), "constituents": list(found.constituent_names)}
        with attributions.writing(path, metadata, "{}") as writer:
            columns = {name: jets.columns[name][:n] for name in ("event", "label", "weight")}
            writer.append(columns | {"jet": np.arange(n), "output": total + kept}, relevance, inputs, ledger)
    rows = [
        about
        | {"split": "explain", "feature": name, "replacement": replacement, "repeat": repeat}
        | {"delta_auc": 0.1 / (1 + i) + 0.001 * repeat, "delta_cross_entropy": 0.1, "mad": 0.1, "mad_papers": 0.2}
        for i, name in enumerate(names)
        for replacement in ("permutation", "conditional", "mean", "zero")
        for repeat in range(2 if replacement == "permutation" else 1)
    ]
    write_csv(pd.DataFrame(rows).drop(columns="sample"), directory / "masking.csv")
    shares = {"bias_share": 0.3, "stabiliser_share": 0.0, "undistributable_share": 0.02, "closure_max": 3e-7}
    rows = [about | {"preset": preset.removeprefix("lrp_")} | shares for preset in LRP]
    write_csv(pd.DataFrame(rows), directory / "conservation.csv")


def ranking_tables(tagger: str, features: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ranking.csv and agreement.csv of three methods on a table with noise."""
    random = np.random.default_rng(5)
    names = [*parse(features).table, *NOISE]
    about = {"task": "top", "tagger": tagger, "features": f"{features}+noise"}
    rows, pairs = [], []
    methods = ("shap", "lrp_recommended", "delta_auc")
    for method in methods:
        for seed in (*map(str, SEEDS), "all"):
            score = np.linspace(0.2, 0.0, len(names)) * random.uniform(0.8, 1.2, len(names))
            rank = np.argsort(np.argsort(-score)) + 1
            for name, value, place in zip(names, score, rank, strict=True):
                row = about | {"method": method, "seed": seed, "feature": name, "score": value, "rank": place}
                rows.append(row | {"low": value, "high": value, "noise_level": 0.03, "above_noise": value > 0.03})
        seeds = about | {"kind": "seeds", "method_a": method, "method_b": method, "seed_a": "1", "seed_b": "2"}
        pairs.append(seeds | {"spearman": 0.9, "kendall": 0.8, "top5_overlap": 0.8})
    for one, two in (("shap", "lrp_recommended"), ("shap", "delta_auc"), ("lrp_recommended", "delta_auc")):
        for seed, value in (("1", 0.4), ("2", 0.6), ("all", -1.0)):
            both = about | {"kind": "methods", "method_a": one, "method_b": two, "seed_a": seed, "seed_b": seed}
            pairs.append(both | {"spearman": value, "kendall": value, "top5_overlap": 0.4})
    return pd.DataFrame(rows), pd.DataFrame(pairs)


def summary_table() -> pd.DataFrame:
    """summary.csv: every tagger and seed with intervals, the mean of the seeds, and reduced models of one tagger."""
    rows = []
    for tagger, features in (("mass_tau32", "mass_tau32"), *TAGGERS):
        seeds = ["0"] if tagger == "mass_tau32" else list(map(str, SEEDS))
        for seed in [*seeds, "all"]:
            shift = 0.001 * len(features) + (0.002 if seed == "2" else 0)
            for metric, value in (("auc", 0.95), ("rejection_50", 80.0), ("rejection_80", 20.0), ("parameters", 1e4)):
                value = value * (1 + shift)
                low, high = (np.nan, np.nan) if metric == "parameters" else (value * 0.99, value * 1.01)
                row = {"task": "top", "sample": "top", "tagger": tagger, "features": features, "seed": seed}
                rows.append(row | {"metric": metric, "value": value, "low": low, "high": high, "n_background": 100})
    for method, k, seed in itertools.product(("shap", "random0", "random1"), (1, 2, 4), map(str, SEEDS)):
        row = {"task": "top", "sample": "top", "tagger": "mbns", "features": f"mbns:{method}@{k}", "seed": seed}
        value = 0.7 + 0.05 * k + (0.02 if method == "shap" else 0)
        rows.append(row | {"metric": "auc", "value": value, "low": np.nan, "high": np.nan, "n_background": 100})
        rows.append(row | {"metric": "rejection_50", "value": 60 * value, "n_background": 100})
    return pd.DataFrame(rows).astype({"seed": str})


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """results/quick of a study with two seeds."""
    root = tmp_path_factory.mktemp("study") / "results" / "quick"
    splits = {split: made_up_jets(seed) for seed, split in enumerate(store.SPLITS)}
    for seed, (split, jets) in enumerate(splits.items()):
        path = root / "jets" / "top" / f"{split}.h5"
        with store.writing(path, METADATA | {"split": split}, "{}") as writer:
            writer.append(jets)
        table = root / "observables" / "top" / f"{split}.parquet"
        table.parent.mkdir(parents=True, exist_ok=True)
        made_up_observables(jets, seed).to_parquet(table)
    models = root / "models" / "top"
    write_model(models / "mass_tau32" / "mass_tau32" / "seed0", "mass_tau32", splits["test"], 0, trained=False)
    for tagger, features in TAGGERS:
        for seed in SEEDS:
            write_model(models / tagger / features / f"seed{seed}", features, splits["test"], seed)
            place = root / "attributions" / "top" / tagger / features / f"seed{seed}" / "top"
            write_attributions(place, tagger, features, seed, splits["explain"])
    ranking, agreement = ranking_tables("mbns", "mbns")
    write_csv(ranking, root / "rankings" / "top" / "mbns" / "mbns+noise" / "ranking.csv")
    write_csv(agreement, root / "rankings" / "top" / "mbns" / "mbns+noise" / "agreement.csv")
    write_csv(summary_table(), root / "summary.csv")
    return root
