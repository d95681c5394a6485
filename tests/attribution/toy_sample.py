"""A sample in miniature: jets of a few constituents, and a table in which one column is the label."""

from pathlib import Path

import numpy as np
import pandas as pd

from glassjet.cli.main import main
from glassjet.jets import store
from glassjet.jets.store import Jets, Ragged, no_partons
from glassjet.observables.registry import SETS
from glassjet.taggers import model
from glassjet.taggers.build import build_network
from glassjet.taggers.features import parse
from glassjet.taggers.inputs import Scaling

LEAK = "tau4_b10_kt"


def write_sample(folder: Path, split: str, n: int = 400, level: str = "particle") -> tuple[Path, Path]:
    """Write `split`.h5 and `split`.parquet; returns both paths. Signal jets are wider, and have small weights (pb)."""
    random = np.random.default_rng(store.SPLITS.index(split))
    label = np.arange(n) % 2
    counts = random.integers(3, 9, size=n)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    owner = np.repeat(np.arange(n), counts)
    width = np.where(label == 1, 0.4, 0.2)[owner]
    pt = random.exponential(50, size=len(owner))[np.lexsort((-np.arange(len(owner)), owner))]
    eta, phi = random.normal(scale=width), random.normal(scale=width)
    constituents = {"pt": pt, "eta": eta, "phi": phi, "energy": pt * np.cosh(eta)}
    total = np.bincount(owner, weights=pt)
    columns = {
        "pt": total,
        "eta": np.zeros(n),
        "phi": np.zeros(n),
        "mass": np.full(n, 100.0),
        "label": label,
        "event": store.SPLITS.index(split) * 10**6 + np.arange(n),
        "weight": np.where(label == 1, 1e-3, 5.0) * random.uniform(0.5, 1.5, size=n),
    }
    metadata = {"sample": "toy", "split": split, "level": level}
    jets = folder / f"{split}.h5"
    floats = {name: values.astype(np.float32) for name, values in constituents.items()}
    with store.writing(jets, metadata, "{}") as writer:
        writer.append(Jets(columns, Ragged(offsets, floats), no_partons(n)))
    table = {name: random.normal(size=n) + 0.3 * label for name in SETS["mbns"]}
    table[LEAK] = label + random.normal(scale=0.2, size=n)
    table |= {f"subjet{i}_{axis}": random.normal(scale=0.1, size=n) for i in (1, 2) for axis in ("eta", "phi")}
    table |= {"has_two_subjets": np.ones(n), "mass_softdrop": np.full(n, 100.0)}
    table |= {name: columns[name] for name in ("label", "event", "weight")}
    observables = folder / f"{split}.parquet"
    pd.DataFrame(table).to_parquet(observables)
    return jets, observables


def write_toy(folder: Path) -> Path:
    """Write the jets and tables of all splits, and models: mbns is trained, the others are as they start."""
    for split in ("train", "validation", "explain", "test"):
        write_sample(folder, split)
    data = ["--jets", f"{folder}/train.h5", "--observables", f"{folder}/train.parquet"]
    data += ["--validation-jets", f"{folder}/validation.h5"]
    data += ["--validation-observables", f"{folder}/validation.parquet"]
    for seed in ("1", "2"):
        fit = [
            "--epochs",
            "10",
            "--batch-size",
            "50",
            "--learning-rate",
            "1e-3",
            "--seed",
            seed,
            "--out",
            f"{folder}/mbns{seed}",
        ]
        assert main(["train", "--tagger", "mbns", "--features", "mbns+noise", "--task", "toy", *data, *fit]) == 0
    for tagger, features in (("pfn", "kinematics"), ("xaug_image", "image+mbns")):
        spec = parse(features)
        scaling: Scaling = {
            "table": {"columns": list(spec.table), "mean": [0.0] * 22, "std": [1.0] * 22, "clip": 3.0},
            "constituents": {"names": list(spec.constituent_names), "std": [1.0] * 3},
            "image": {"rms": 1.0},
        }
        network = build_network(tagger, spec, 1)
        untrained = model.Model(network, tagger, features, spec.table, scaling, "toy", "toy", "particle", 1)
        model.save(untrained, folder / tagger)
    return folder
