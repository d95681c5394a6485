"""Which columns reduced models are trained on: the first k of each ranking, and random ones to compare with."""

from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

import numpy as np
import pandas as pd

from glassjet.errors import InputError, unknown
from glassjet.taggers.features import NOISE


@dataclass(frozen=True)
class Choice:
    """One row of subsets.csv: what chose how many columns, and which; `draw` counts random draws from 1, else it is
    0."""

    method: str
    k: int
    draw: int
    columns: tuple[str, ...]

    @property
    def subset(self) -> str:
        """The subset's name: the same for the same columns, whatever chose them."""
        return f"{len(self.columns)}-{sha256(' '.join(self.columns).encode()).hexdigest()[:10]}"


def in_order(chosen: set[str], columns: tuple[str, ...]) -> tuple[str, ...]:
    """The chosen columns in the order of the feature set, so that the same set is the same network."""
    return tuple(name for name in columns if name in chosen)


def ranked_columns(ranking: pd.DataFrame, method: str, seed: int, columns: tuple[str, ...]) -> list[str]:
    """The columns in the order of one method's ranking of one seed; noise columns, and an image, are never among them.

    Parameters
    ----------
    ranking : DataFrame
        A ranking.csv: method, seed, feature, rank.
    columns : tuple of str
        The columns that can be chosen.

    Raises
    ------
    InputError
        If the ranking lacks the method, the seed, or a column.
    """
    if method not in set(ranking["method"]):
        raise unknown("method in the ranking", method, ranking["method"].unique())
    rows = ranking[(ranking["method"] == method) & (ranking["seed"].astype(str) == str(seed))]
    if rows.empty:
        raise InputError(f"the ranking has no seed {seed} of {method}; rank the attributions of that seed too")
    order = [name for name in rows.sort_values("rank")["feature"] if name in columns]
    missing = [name for name in columns if name not in order]
    if missing:
        raise InputError(f"the ranking does not rank {', '.join(missing)}; rank a tagger that has these features")
    return order


def choices(
    ranking: pd.DataFrame,
    tagger: str,
    seed: int,
    columns: tuple[str, ...],
    methods: list[str],
    ks: list[int],
    draws: int,
) -> list[Choice]:
    """Every choice of columns for one tagger and seed: by its own ranking, and at random.

    The random columns depend on tagger, seed, k and the number of the draw alone: they are the same whatever methods
    they are compared with.

    Raises
    ------
    InputError
        If a k is not between 1 and the number of columns, or the ranking lacks something.
    """
    candidates = tuple(name for name in columns if name not in NOISE)
    for k in ks:
        if not 1 <= k <= len(candidates):
            raise InputError(
                f"--k {k}: there are {len(candidates)} features to choose from; give 1 to {len(candidates)}"
            )
    found = []
    for method in methods:
        order = ranked_columns(ranking, method, seed, candidates)
        found += [Choice(method, k, 0, in_order(set(order[:k]), candidates)) for k in ks]
    for k in ks:
        for draw in range(draws):
            random = np.random.default_rng([crc32(tagger.encode()), seed, k, draw])
            picked = random.choice(len(candidates), size=k, replace=False)
            found.append(Choice("random", k, draw, in_order({candidates[i] for i in picked}, candidates)))
    return found
