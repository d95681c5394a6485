"""Jets that nobody generated: enough of a jet for taggers to train on, made in milliseconds."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.jets.store import Jets, Ragged, no_partons, writing
from glassjet.observables.registry import SETS


def tagged_jets(n: int, seed: int = 1, first_event: int = 0) -> tuple[Jets, pd.DataFrame]:
    """`n` jets, half of them signal, with a table of every observable; signal jets are wider, heavier and shifted."""
    generator = np.random.default_rng(seed)
    label = np.arange(n) % 2
    generator.shuffle(label)
    counts = generator.integers(1, 30, n) + 5 * label
    offsets = np.concatenate([[0], np.cumsum(counts)])
    owner = np.repeat(np.arange(n), counts)
    share = generator.exponential(1, offsets[-1]) + 0.01
    share /= np.bincount(owner, share)[owner]
    share = share[np.lexsort((-share, owner))]
    jet = {
        "pt": np.where(label, generator.uniform(550, 650, n), 550 + 100 * generator.beta(1, 2, n)),
        "eta": generator.uniform(-2, 2, n),
        "phi": generator.uniform(-np.pi, np.pi, n),
        "mass": np.clip(generator.normal(100 + 60 * label, 20), 1, None),
    }
    width = np.where(label, 0.4, 0.2)[owner]
    eta = jet["eta"][owner] + width * generator.normal(size=len(owner))
    phi = jet["phi"][owner] + width * generator.normal(size=len(owner))
    pt = jet["pt"][owner] * share
    constituents = {
        "pt": pt,
        "eta": eta,
        "phi": np.mod(phi + np.pi, 2 * np.pi) - np.pi,
        "energy": pt * np.cosh(eta),
    }
    columns: dict[str, NDArray[Any]] = {name: column.astype(np.float32) for name, column in jet.items()}
    columns |= {
        "label": label.astype(np.int8),
        "event": np.arange(first_event, first_event + n),
        "weight": np.where(label, 1.0, generator.uniform(0.5, 2, n)),
    }
    flat = {name: column.astype(np.float32) for name, column in constituents.items()}
    jets = Jets(columns, Ragged(offsets, flat), no_partons(n))

    names = dict.fromkeys(name for members in SETS.values() for name in members)
    table = pd.DataFrame({name: generator.normal(label, 1.5) for name in names}).assign(**columns)
    for i in (1, 2):
        table[f"subjet{i}_eta"] = jet["eta"] + generator.normal(0, 0.2, n)
        table[f"subjet{i}_phi"] = np.mod(jet["phi"] + generator.normal(0, 0.2, n) + np.pi, 2 * np.pi) - np.pi
    table["has_two_subjets"] = (generator.random(n) < 0.8).astype(float)
    table["mass_softdrop"] = table["mass"]
    table["tau32"] = generator.uniform(0, 1, n) * (1 - 0.4 * label)
    return jets, table


def write_sample(
    directory: Path, split: str, n: int, seed: int = 1, first_event: int = 0, level: str = "particle"
) -> tuple[Path, Path]:
    """Write such jets and their table; returns the two paths."""
    directory.mkdir(parents=True, exist_ok=True)
    jets, table = tagged_jets(n, seed, first_event)
    with writing(directory / f"{split}.h5", {"sample": "toy", "split": split, "level": level}, "{}") as writer:
        writer.append(jets)
    table.to_parquet(directory / f"{split}.parquet")
    return directory / f"{split}.h5", directory / f"{split}.parquet"
