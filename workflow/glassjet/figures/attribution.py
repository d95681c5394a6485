"""Figures of what a tagger's output is owed to: the ledger, relevance by feature, pixel and constituent, masking.

Relevance is of the log-odds: positive speaks for signal, negative for background.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from glassjet.figures.names import REPLACEMENT_NAMES, feature_label, in_order, method_name, tagger_name
from glassjet.figures.style import (
    BLACK,
    COLUMN,
    DIVERGING,
    GREEN,
    GREY,
    ORANGE,
    PAGE,
    SEED_MARKERS,
    SKY,
    grid,
    header,
    house,
    legend_below,
    method_style,
    signed_colourbar,
    symmetric,
)

LEDGER = {
    "bias_share": "bias",
    "stabiliser_share": "stabiliser",
    "undistributable_share": "not distributable",
    "closure_max": "closure, worst jet",
}
CLOSURE_LIMIT = 1e-6  # of the largest sum of |R| over the layers, in float32
REPLACEMENT_STYLES = {
    "permutation": (GREEN, "v"),
    "conditional": (BLACK, "o"),
    "mean": (SKY, "s"),
    "zero": (ORANGE, "^"),
}


@house
def ledger(conservation: pd.DataFrame, title: str = "") -> Figure:
    """Where the relevance went, by tagger and preset, a point per seed: bias, stabiliser, nowhere; and the closure.

    Parameters
    ----------
    conservation : DataFrame
        tagger, features, seed, preset and the columns of `LEDGER`; the dotted line is the limit of the closure.
    """
    table = conservation.assign(method=[f"lrp_{name.removeprefix('lrp_')}" for name in conservation["preset"]])
    methods = in_order(table["method"])
    taggers = list(dict.fromkeys(zip(table["tagger"], table["features"], strict=True)))
    figure, axes = grid(len(LEDGER), len(LEDGER), 1.0 + 0.33 * len(taggers), sharey=True)
    for axis, (column, name) in zip(axes, LEDGER.items(), strict=True):
        for number, method in enumerate(methods):
            part = table[table["method"] == method]
            rows = [taggers.index(pair) for pair in zip(part["tagger"], part["features"], strict=True)]
            at = np.array(rows) + 0.22 * (number - (len(methods) - 1) / 2)
            style = method_style(method)
            axis.plot(part[column].abs(), at, style["marker"], color=style["color"], label=method_name(method))
        if column == "closure_max":
            axis.set_xscale("log")
            closures = table[column].abs()
            axis.set_xlim(
                min(CLOSURE_LIMIT / 100, closures[closures > 0].min() / 2), max(3 * CLOSURE_LIMIT, 2 * closures.max())
            )
            axis.axvline(CLOSURE_LIMIT, color=GREY, linestyle=":", linewidth=0.8)
            axis.set_xlabel(r"of the largest $\sum|R|$")
        else:
            axis.set_xlim(-0.02, max(0.1, 1.1 * float(table[column].abs().max())))
            axis.set_xlabel(r"share of $|f|$, median jet")
            axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.set_title(name)
        axis.set_yticks(range(len(taggers)), [tagger_name(*tagger) for tagger in taggers])
        axis.tick_params(axis="y", which="minor", left=False, right=False)
        axis.set_ylim(len(taggers) - 0.5, -0.5)
    legend_below(figure, axes[0])
    header(figure, title)
    return figure


@house
def feature_relevance(table: pd.DataFrame, labels: Mapping[str, str], title: str = "", most: int = 30) -> Figure:
    """Mean |R| of each feature, one panel per method, each seed a point; features ordered by the first method.

    Parameters
    ----------
    table : DataFrame
        feature, method, seed, share: the feature's mean share of |R| (see `glassjet.ranking.scores`).
    most : int
        Features drawn, the largest of the first method.
    """
    methods = list(dict.fromkeys(table["method"]))
    first = table[table["method"] == methods[0]].groupby("feature")["share"].mean()
    order = first.sort_values(kind="stable").index[-most:]
    figure, axes = grid(len(methods), len(methods), max(0.75 + 0.155 * len(order), 1.7), sharey=True)
    for axis, method in zip(axes, methods, strict=True):
        part = table[table["method"] == method]
        wide = part.pivot(index="feature", columns="seed", values="share").reindex(order)
        colour = method_style(method)["color"]
        axis.barh(range(len(order)), wide.mean(axis=1), color=colour, alpha=0.3, height=0.7)
        for number, seed in enumerate(wide.columns):
            marker = SEED_MARKERS[number % len(SEED_MARKERS)]
            axis.plot(wide[seed], range(len(order)), marker, color=colour, markersize=2.5)
        axis.set_title(method_name(method))
        axis.set_xlabel(r"mean share of $|R|$")
        axis.set_xlim(0, None)
        axis.xaxis.set_major_locator(MaxNLocator(3))
        axis.set_yticks(range(len(order)), [feature_label(name, labels) for name in order])
        axis.tick_params(axis="y", which="minor", left=False, right=False)
        axis.set_ylim(-0.6, len(order) - 0.4)
    header(figure, title)
    return figure


@house
def relevance_images(
    means: Mapping[str, Sequence[NDArray[np.float64]]],
    extent: float,
    classes: tuple[str, str],
    title: str = "",
    narrow: bool = False,
) -> Figure:
    """Mean relevance of each pixel: one row per method, background left and signal right, white at zero.

    Parameters
    ----------
    means : mapping of method to two arrays (pixels, pixels)
        Mean R over the jets of background and of signal; rows are the second coordinate. Each row of panels has its own
        scale, which is logarithmic over two decades and linear below.
    extent : float
        The image covers [-extent, extent] in both coordinates.
    narrow : bool
        As wide as a journal's column, with the colours below.
    """
    width, row_height = (COLUMN, 2.3) if narrow else (PAGE * 0.75, 2.3)
    figure = Figure(figsize=(width, row_height * len(means) + (0.6 if narrow else 0.5)))
    axes = figure.subplots(len(means), 2, squeeze=False, sharex=True, sharey=True)
    for row, (method, pair) in enumerate(means.items()):
        norm = symmetric(np.stack(pair), decades=2)
        for axis, mean, name in zip(axes[row], pair, classes, strict=True):
            drawn = axis.imshow(mean, norm=norm, cmap=DIVERGING, extent=(-extent, extent, -extent, extent))
            axis.set_title(name if narrow else f"{name}: {method_name(method)}")
        axes[row, 0].set_ylabel(r"$y^\prime$ / $\Delta R$(subjets)")
        where: dict[str, Any] = {"orientation": "horizontal", "shrink": 0.7} if narrow else {"shrink": 0.9}
        label = f"mean $R$ ({method_name(method)})" if narrow else "mean $R$"
        signed_colourbar(figure, drawn, axes[row], label, **where)
    for axis in axes[-1]:
        axis.set_xlabel(r"$x^\prime$ / $\Delta R$(subjets)")
    header(figure, title)
    return figure


def profile(
    values: NDArray[np.float64], relevance: NDArray[np.float64], bins: int = 20, smallest: int = 10
) -> pd.DataFrame:
    """A feature's relevance in bins of its value, over its central 98%: mean and standard deviation, median and 68%.

    Parameters
    ----------
    values, relevance : (n,)

    Returns
    -------
    DataFrame
        value (the bin's centre), mean, std, median, low, high (of the central 68%), jets; bins of fewer than `smallest`
        jets are left out.
    """
    first, last = np.quantile(values, [0.01, 0.99])
    edges = np.linspace(first, last if last > first else first + 1.0, bins + 1)
    number = np.searchsorted(edges, values, side="right") - 1
    number[values == edges[-1]] = bins - 1
    rows = []
    for one in range(bins):
        inside = relevance[number == one]
        if len(inside) >= smallest:
            low, median, high = np.quantile(inside, [0.16, 0.5, 0.84])
            row = {"value": (edges[one] + edges[one + 1]) / 2, "mean": inside.mean(), "std": inside.std()}
            rows.append(row | {"median": median, "low": low, "high": high, "jets": len(inside)})
    return pd.DataFrame(rows, columns=["value", "mean", "std", "median", "low", "high", "jets"], dtype=float)


@house
def profiles(table: pd.DataFrame, labels: Mapping[str, str], title: str = "") -> Figure:
    """Relevance against the value of the feature, a panel each: median as a line, central 68% of the jets as a band.

    The mean and its standard deviation are in the table, but not drawn: a rule such as gamma = 2 gives few jets
    relevances of many times their output.

    Parameters
    ----------
    table : DataFrame
        feature, method, value, median, low, high (from `profile`), of one seed.
    """
    features = list(dict.fromkeys(table["feature"]))
    figure, axes = grid(len(features), 3, 1.7)
    for axis, feature in zip(axes, features, strict=True):
        for method, part in table[table["feature"] == feature].groupby("method", sort=False):
            colour = method_style(str(method))["color"]
            axis.plot(part["value"], part["median"], color=colour, label=method_name(str(method)))
            axis.fill_between(part["value"], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)
        axis.axhline(0, color=GREY, linewidth=0.6)
        axis.set_xlabel(labels.get(feature, feature_label(feature, labels)))
        axis.xaxis.set_major_locator(MaxNLocator(4))
    for axis in axes[::3]:
        axis.set_ylabel("relevance $R$")
    legend_below(figure, axes[0])
    header(figure, title)
    return figure


@house
def masking(table: pd.DataFrame, labels: Mapping[str, str], title: str = "", most: int = 30) -> Figure:
    """Loss of AUC when a feature is replaced, by what it is replaced with; each point the mean of one seed's repeats.

    Parameters
    ----------
    table : DataFrame
        feature, replacement, seed, delta_auc, spread (standard deviation over the repeats); features are ordered by
        the first replacement.
    """
    replacements = [name for name in REPLACEMENT_NAMES if (table["replacement"] == name).any()]
    first = table[table["replacement"] == replacements[0]].groupby("feature")["delta_auc"].mean()
    order = first.sort_values(kind="stable").index[-most:]
    figure = Figure(figsize=(COLUMN, max(1.1 + 0.2 * len(order), 2.0)))
    axis = figure.subplots()
    for number, replacement in enumerate(replacements):
        colour, marker = REPLACEMENT_STYLES[replacement]
        shift = 0.18 * (number - (len(replacements) - 1) / 2)
        for seed, part in table[table["replacement"] == replacement].groupby("seed"):
            values = part.set_index("feature").reindex(order)
            at = np.arange(len(order)) + shift
            name = REPLACEMENT_NAMES[replacement] if seed == table["seed"].iloc[0] else None
            axis.errorbar(
                values["delta_auc"], at, xerr=values["spread"], fmt=marker, color=colour, ms=2.5, lw=0.7, label=name
            )
    axis.axvline(0, color=GREY, linewidth=0.6)
    axis.set_xscale("symlog", linthresh=1e-3)
    axis.set_yticks(range(len(order)), [feature_label(name, labels) for name in order])
    axis.tick_params(axis="y", which="minor", left=False, right=False)
    axis.set_ylim(-0.7, len(order) - 0.3)
    axis.set_xlabel(r"$\Delta$AUC when the feature is replaced")
    legend_below(figure, axis, columns=2)
    header(figure, title)
    return figure
