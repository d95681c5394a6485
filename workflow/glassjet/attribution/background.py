"""The background: training jets that stand for "this feature is not known", drawn so that the classes balance."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.attribution.sample import open_for
from glassjet.errors import InputError
from glassjet.taggers.features import FeatureSet
from glassjet.taggers.inputs import Inputs, Scaling, join

Array = NDArray[Any]


def balanced(labels: Array, weights: Array) -> NDArray[np.float64]:
    """Weights (n,) with a sum of one half in each class; `labels` (n,) are 1 for signal, both classes must be there."""
    signal = labels == 1
    return weights / np.where(signal, 2 * weights[signal].sum(), 2 * weights[~signal].sum())


def draw(weights: Array, number: int, seed: int) -> NDArray[np.int64]:
    """The rows of a background, in random order: each is expected in proportion to its weight.

    Systematic sampling (Madow, Ann. Math. Stat. 20 (1949) 333): a row of share p comes floor(number p)
    times or once more, so that none comes twice before its weight asks for it.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(weights))
    reached = np.cumsum(weights[order] / weights.sum())
    places = (np.arange(number) + random.random()) / number
    rows = order[np.minimum(np.searchsorted(reached, places, side="right"), len(order) - 1)]
    return random.permutation(rows)


def background(
    jets: Path, observables: Path | None, features: FeatureSet, scaling: Scaling, number: int, seed: int
) -> Inputs:
    """The scaled inputs of `number` training jets, drawn with class-balanced weights: afterwards each counts the same.

    Of fewer training jets, as many as there are.

    Parameters
    ----------
    jets, observables : Path
        The training split that the model was trained on; constituents alone need no observables.
    features, scaling
        Of the model.

    Raises
    ------
    InputError
        If the files do not belong together, are of another split than train, or lack a class.
    """
    sample = open_for(features, jets, observables, "--background-observables", splits=("train",))
    if len(np.unique(sample.label)) < 2:
        raise InputError(f"{jets}: holds one class only; a background needs both")
    drawn = draw(balanced(sample.label, sample.columns["weight"]), min(number, len(sample)), seed)
    rows, place = np.unique(drawn, return_inverse=True)
    parts = []
    for block, inputs in sample.blocks(features, scaling):
        inside = rows[(rows >= block.start) & (rows < block.stop)] - block.start
        if len(inside):
            parts.append({name: values[inside] for name, values in inputs.items()})
    return {name: values[place] for name, values in join(parts).items()}
