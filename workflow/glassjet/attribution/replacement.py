"""What stands in for a masked feature: another jet's value, the conditional mean, the mean, or zero.

A feature is a column of the table, a feature of the constituents, the image as one, or the constituents as one.

    permutation   another jet's value, the jet drawn by weight from both classes together. A feature of the
                  constituents is drawn from the real constituents of all jets; the constituents as one are another
                  jet's, with their number.
    conditional   the mean given the other features, never the label: a linear fit, and for single features boosted
                  trees on what it leaves. A column is given the other columns and, linearly, the pixels; a feature of
                  a constituent is given the other features of that constituent; the image is given the table,
                  linearly. Given nothing, it is the mean.
    mean          the mean (arXiv:2210.04371), of pixels and of real constituents one by one.
    zero          zero before scaling (arXiv:2211.12770).

Means and fits come from a background of training jets, drawn by weight, so here each of them counts the same. Where the
constituents as one are replaced by constants, their number stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from glassjet.taggers.inputs import Inputs, Scaling, scale

REPLACEMENTS = ("permutation", "conditional", "mean", "zero")
CONSTITUENTS = "constituents"  # the name of all constituents as one feature
IMAGE = "image"
ROWS = 20_000  # constituents that a conditional mean is fitted on
RIDGE = np.logspace(-6, 4, 11)  # penalties tried, by leave-one-out
# Ended by a tenth of the rows set aside: where there is nothing to learn, hardly any of the noise is learnt.
TREES = {"early_stopping": True, "max_iter": 300, "max_leaf_nodes": 15, "min_samples_leaf": 50}

Array = NDArray[Any]


@dataclass(frozen=True)
class Feature:
    """What is masked at a time: a column of `kind` ("table", "constituents"), or all of it (`column` None)."""

    name: str
    kind: str
    column: int | None


def features(inputs: Inputs, table: tuple[str, ...], constituents: tuple[str, ...]) -> list[Feature]:
    """The features of a tagger in the order of its inputs: constituents one by one and as one, the image, the table."""
    found = []
    if "constituents" in inputs:
        found += [Feature(name, "constituents", i) for i, name in enumerate(constituents)]
        found.append(Feature(CONSTITUENTS, "constituents", None))
    if "image" in inputs:
        found.append(Feature(IMAGE, "image", None))
    if "table" in inputs:
        found += [Feature(name, "table", i) for i, name in enumerate(table)]
    return found


def zeros(inputs: Inputs, scaling: Scaling) -> Inputs:
    """Scaled zeros: one jet with one constituent, whose unscaled features are all zero."""
    layout = {name: values[:1, :1] if name == "constituents" else values[:1] for name, values in inputs.items()}
    return scale({name: np.zeros_like(values) for name, values in layout.items() if name != "mask"}, scaling)


def with_values(inputs: Inputs, feature: Feature, values: ArrayLike) -> Inputs:
    """The inputs with other values for one feature; `values` broadcasts to the feature. Padding stays zero."""
    replaced = dict(inputs)
    if feature.column is None:
        whole = np.broadcast_to(values, inputs[feature.kind].shape).astype(np.float32)
    else:
        whole = inputs[feature.kind].copy()
        whole[..., feature.column] = values
    if feature.kind == "constituents":
        whole = whole * inputs["mask"][..., None]
    replaced[feature.kind] = whole
    return replaced


def permuted(inputs: Inputs, feature: Feature, weights: Array, random: np.random.Generator) -> Inputs:
    """The inputs with another jet's value for one feature, jets drawn with replacement by `weights` (n,)."""
    n = len(weights)
    if feature.kind == "constituents" and feature.column is not None:
        mask = inputs["mask"]
        pool = inputs["constituents"][mask][:, feature.column]
        share = np.repeat(weights, mask.sum(1))
        drawn = np.zeros(mask.shape, np.float32)
        drawn[mask] = pool[random.choice(len(pool), size=len(pool), p=share / share.sum())]
        return with_values(inputs, feature, drawn)
    donor = random.choice(n, size=n, p=weights / weights.sum())
    if feature.column is not None:
        return with_values(inputs, feature, inputs[feature.kind][donor, feature.column])
    replaced = dict(inputs) | {feature.kind: inputs[feature.kind][donor]}
    if feature.kind == "constituents":
        replaced["mask"] = inputs["mask"][donor]
    return replaced


def mean(background: Inputs, feature: Feature) -> Array:
    """The mean of a feature over the background: a number, the mean image, or the mean real constituent."""
    values = background[feature.kind]
    rows = values[background["mask"]] if feature.kind == "constituents" else values
    return np.asarray(
        rows.mean(0, dtype=np.float64) if feature.column is None else rows[:, feature.column].mean(dtype=np.float64)
    )


Predict = Callable[[Array], Array]


def fit_mean(given: Array, wanted: Array, trees: bool, seed: int) -> Predict:
    """Fit the mean of `wanted` (n,) or (n, k) given `given` (n, m); the function returned takes (n, m).

    A ridge fit on standardised columns, its penalty chosen by leave-one-out; with `trees`, gradient-boosted trees on
    its residuals. One thread: the same bytes whatever the machine has.
    """
    with threadpool_limits(1):
        linear = make_pipeline(StandardScaler(), RidgeCV(RIDGE)).fit(given, wanted)
        if not trees:
            return lambda rows: linear.predict(rows)
        forest = HistGradientBoostingRegressor(**TREES, random_state=seed)
        forest.fit(given, wanted - linear.predict(given))
    return lambda rows: linear.predict(rows) + forest.predict(rows)


def conditional(background: Inputs, feature: Feature, seed: int) -> Callable[[Inputs], Array]:
    """The mean of a feature given the other ones, fitted on the background; the function returned takes inputs."""
    kind, column = feature.kind, feature.column
    constant = mean(background, feature)
    if kind == "constituents":
        rows = background["constituents"][background["mask"]].astype(np.float64)
        if column is None or rows.shape[1] == 1:
            return lambda inputs: constant
        if len(rows) > ROWS:
            rows = rows[np.random.default_rng(seed).choice(len(rows), size=ROWS, replace=False)]
        of_constituent = fit_mean(np.delete(rows, column, axis=1), rows[:, column], trees=True, seed=seed)

        def of_constituents(inputs: Inputs) -> Array:
            mask = inputs["mask"]
            out = np.zeros(mask.shape)
            out[mask] = of_constituent(np.delete(inputs["constituents"][mask].astype(np.float64), column, axis=1))
            return out

        return of_constituents
    if kind == "image":
        if "table" not in background:
            return lambda inputs: constant
        shape = background["image"].shape[1:]
        of_image = fit_mean(
            background["table"].astype(np.float64), background["image"].reshape(-1, int(np.prod(shape))), False, seed
        )
        return lambda inputs: of_image(inputs["table"].astype(np.float64)).reshape(-1, *shape)
    return _conditional_column(background, feature, seed, constant)


def _conditional_column(background: Inputs, feature: Feature, seed: int, constant: Array) -> Callable[[Inputs], Array]:
    """The mean of a column given the other columns, and the pixels linearly."""

    def others(inputs: Inputs) -> Array:
        return inputs["table"][:, np.arange(inputs["table"].shape[1]) != feature.column].astype(np.float64)

    def pixels(inputs: Inputs) -> Array:
        return inputs["image"].reshape(len(inputs["image"]), -1).astype(np.float64)

    wanted = background["table"][:, feature.column].astype(np.float64)
    given = others(background)
    of_pixels: Predict | None = None
    if "image" in background:
        of_pixels = fit_mean(np.concatenate([given, pixels(background)], axis=1), wanted, trees=False, seed=seed)
        wanted = wanted - of_pixels(np.concatenate([given, pixels(background)], axis=1))
    if not given.shape[1]:
        if of_pixels is None:
            return lambda inputs: constant
        return lambda inputs: of_pixels(pixels(inputs))
    of_columns = fit_mean(given, wanted, trees=True, seed=seed)

    def predict(inputs: Inputs) -> Array:
        out = of_columns(others(inputs))
        if of_pixels is not None:
            out = out + of_pixels(np.concatenate([others(inputs), pixels(inputs)], axis=1))
        return out

    return predict
