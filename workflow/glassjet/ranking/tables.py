"""The two tables of a ranking, made from the attributions of every seed of a tagger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glassjet.attribution.masking import METRICS
from glassjet.attribution.store import read
from glassjet.errors import InputError
from glassjet.files import read_csv
from glassjet.ranking.agreement import all_pairs
from glassjet.ranking.scores import (
    MASKING_METHODS,
    Scores,
    from_masking,
    from_relevance,
    noise_level,
    over_seeds,
    ranks,
)
from glassjet.taggers.features import NOISE

KEYS = ("task", "tagger", "features")
RANKING = (*KEYS, "method", "seed", "feature", "score", "low", "high", "rank", "noise_level", "above_noise")
AGREEMENT = (*KEYS, "kind", "method_a", "method_b", "seed_a", "seed_b", "spearman", "kendall", "top5_overlap")
MASKING = (*KEYS, "seed", "split", "feature", "replacement", "repeat", *METRICS)


@dataclass(frozen=True)
class SeedScores:
    """Every method's scores of one seed; `of` is (task, tagger, features)."""

    of: tuple[str, str, str]
    seed: str
    scores: dict[str, Scores]


def refuse_test(split: str, path: Path) -> None:
    """Refuse attributions of the test split: what is chosen by them would then be judged by them."""
    if split == "test":
        raise InputError(f"{path}: split is test; rankings come from the explain split")


def read_seed(directory: Path, replicas: int) -> SeedScores:
    """The scores of every attribution file and of the masking table in a directory that `glassjet explain` made.

    Raises
    ------
    InputError
        If there are none, one is of the test split, or they are not all of one tagger and seed.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: no such directory; a directory that glassjet explain made is needed")
    scores: dict[str, Scores] = {}
    owners: dict[tuple[str, ...], Path] = {}
    for path in sorted(directory.glob("*.h5")):
        attribution = read(path)
        about = attribution.metadata
        refuse_test(about["split"], path)
        owners[(*(str(about[key]) for key in KEYS), str(about["seed"]))] = path
        if len(np.unique(attribution.jets["label"])) < 2:
            raise InputError(f"{path}: holds one class only; a ranking weighs both the same, explain jets of both")
        scores[about["method"]] = from_relevance(attribution, replicas)
    path = directory / "masking.csv"
    if path.exists():
        table = read_csv(path, list(MASKING))
        if table.empty:
            raise InputError(f"{path}: has no rows; make it again with glassjet explain")
        for split in table["split"].unique():
            refuse_test(split, path)
        for owner in table[[*KEYS, "seed"]].astype(str).drop_duplicates().itertuples(index=False):
            owners[tuple(owner)] = path
        for method, (measure, replacement) in MASKING_METHODS.items():
            if (table["replacement"] == replacement).any():
                scores[method] = from_masking(table, measure, replacement)
    if not scores:
        raise InputError(f"{directory}: holds no attributions; make some with glassjet explain")
    if len(owners) > 1:
        (one, first), (two, second) = list(owners.items())[:2]
        raise InputError(f"{second}: is of {'/'.join(two)}, but {first.name} beside it is of {'/'.join(one)}")
    task, tagger, features, seed = next(iter(owners))
    return SeedScores((task, tagger, features), seed, scores)


def check(seeds: list[SeedScores], directories: list[Path]) -> None:
    """Refuse seeds that are not seeds of one tagger, twice the same one, or with other methods or features."""
    first = seeds[0]
    for one, directory in zip(seeds[1:], directories[1:], strict=True):
        if one.of != first.of:
            raise InputError(f"{directory}: is of {'/'.join(one.of)}, but {directories[0]} is of {'/'.join(first.of)}")
        for method in first.scores.keys() ^ one.scores.keys():
            raise InputError(f"{directory}: method {method} is not there for every seed; explain all seeds alike")
        for method, scores in one.scores.items():
            if scores.features != first.scores[method].features:
                raise InputError(f"{directory}: {method} has other features than in {directories[0]}")
    numbers = [one.seed for one in seeds]
    if len(set(numbers)) < len(numbers):
        raise InputError(f"seed {max(numbers, key=numbers.count)} is given twice; give each seed's directory once")


def tables(directories: list[Path], replicas: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ranking and the agreement of the attributions of every seed of a tagger.

    Parameters
    ----------
    directories : list of Path
        One per seed.
    replicas : int
        Of the bootstrap over jets; 0 for no intervals.

    Returns
    -------
    ranking : DataFrame
        Columns RANKING; a row per method, seed (and "all") and feature. Ranks count every feature, noise included.
    agreement : DataFrame
        Columns AGREEMENT.
    """
    seeds = [read_seed(directory, replicas) for directory in directories]
    check(seeds, directories)
    keys = dict(zip(KEYS, seeds[0].of, strict=True))
    named: dict[tuple[str, str], Scores] = {}
    rows: list[dict[str, Any]] = []
    for method in seeds[0].scores:
        of_seeds = {one.seed: one.scores[method] for one in seeds}
        level = noise_level(list(of_seeds.values()), NOISE)
        for seed, scores in (of_seeds | {"all": over_seeds(list(of_seeds.values()))}).items():
            named[method, seed] = scores
            for name, score, low, high, rank in zip(
                scores.features, scores.score, scores.low, scores.high, ranks(scores.score), strict=True
            ):
                above = "" if np.isnan(level) else str(bool(score > level))
                measured = {"score": score, "low": low, "high": high, "rank": rank, "noise_level": level}
                rows.append(
                    keys | {"method": method, "seed": seed, "feature": name} | measured | {"above_noise": above}
                )
    pairs = [keys | pair for pair in all_pairs(named, NOISE)]
    return pd.DataFrame(rows, columns=list(RANKING)), pd.DataFrame(pairs, columns=list(AGREEMENT))
