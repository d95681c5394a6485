"""Figures of the relevance of constituents: against their place in pT, and where they lie about the jet's axis."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from glassjet.figures.names import method_name
from glassjet.figures.style import (
    CLASS_COLOURS,
    CLASS_LINES,
    DIVERGING,
    GREY,
    PAGE,
    header,
    house,
    legend_below,
    signed_colourbar,
    symmetric,
)


def by_rank(
    relevance: NDArray[np.float64], counts: NDArray[np.int64], weight: NDArray[np.float64], length: int
) -> pd.DataFrame:
    """Relevance of the constituents against their place in pT.

    Parameters
    ----------
    relevance : (N,)
        Of each constituent, summed over its features; jets one after the other.
    counts : (n,)
        Constituents of each jet; sum N.
    weight : (n,)
    length : int
        Places to look at.

    Returns
    -------
    DataFrame
        place (1 is the hardest), mean, mean_absolute over the jets that have such a constituent, and their share.
    """
    place = np.arange(len(relevance)) - np.repeat(np.cumsum(counts) - counts, counts)
    heavy = np.repeat(weight, counts)
    kept = place < length
    total = np.bincount(place[kept], weights=heavy[kept], minlength=length)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        summed = np.bincount(place[kept], weights=(values * heavy)[kept], minlength=length)
        return np.divide(summed, total, out=np.full(length, np.nan), where=total > 0)

    columns = {"mean": mean(relevance), "mean_absolute": mean(np.abs(relevance)), "share": total / weight.sum()}
    return pd.DataFrame({"place": np.arange(1, length + 1)} | columns).dropna(ignore_index=True)


@house
def places(table: pd.DataFrame, classes: tuple[str, str], title: str = "") -> Figure:
    """Mean R and mean |R| against the constituent's place in pT, one column per method, seeds as thin lines.

    Parameters
    ----------
    table : DataFrame
        method, seed, label, place, mean, mean_absolute (from `by_rank`).
    """
    methods = list(dict.fromkeys(table["method"]))
    figure = Figure(figsize=(PAGE, 3.6))
    axes = figure.subplots(2, len(methods), squeeze=False, sharex=True)
    for column, method in enumerate(methods):
        for (one, seed), part in table[table["method"] == method].groupby(["label", "seed"]):
            colour, line = CLASS_COLOURS[int(one)], CLASS_LINES[int(one)]
            name = classes[int(one)] if seed == table["seed"].iloc[0] else None
            for row, values in enumerate(("mean", "mean_absolute")):
                axes[row, column].plot(part["place"], part[values], color=colour, ls=line, lw=0.9, label=name)
        axes[0, column].axhline(0, color=GREY, linewidth=0.6)
        axes[1, column].set_ylim(0, None)
        axes[0, column].set_title(method_name(method))
        axes[1, column].set_xlabel(r"constituent's place in $p_T$")
        axes[1, column].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes[0, 0].set_ylabel("mean $R$")
    axes[1, 0].set_ylabel("mean $|R|$")
    legend_below(figure, axes[0, 0])
    header(figure, title)
    return figure


@house
def maps(
    relevance: Mapping[str, Sequence[NDArray[np.float64]]],
    extent: float,
    radius: float | None,
    classes: tuple[str, str],
    title: str = "",
) -> Figure:
    """Mean relevance per jet in Delta eta and Delta phi about the jet axis: a row per method, background and signal.

    Parameters
    ----------
    relevance : mapping of method to two arrays (bins, bins)
        Relevance that lies in each cell, per jet, rows are Delta phi. Each row of panels has its own scale, which is
        logarithmic over two decades and linear below.
    extent : float
        The map covers [-extent, extent] in both.
    radius : float, optional
        Of the jet, drawn as a circle.
    """
    figure = Figure(figsize=(PAGE * 0.75, 0.5 + 2.3 * len(relevance)))
    axes = figure.subplots(len(relevance), 2, squeeze=False, sharex=True, sharey=True)
    turn = np.linspace(0, 2 * np.pi, 200)
    for row, (method, pair) in enumerate(relevance.items()):
        norm = symmetric(np.stack(pair), decades=2)  # the cells at the axis hold nearly all
        for axis, values, name in zip(axes[row], pair, classes, strict=True):
            drawn = axis.imshow(values, norm=norm, cmap=DIVERGING, extent=(-extent, extent, -extent, extent))
            if radius:
                axis.plot(radius * np.cos(turn), radius * np.sin(turn), color=GREY, linestyle="--", linewidth=0.7)
            axis.set_title(f"{name}: {method_name(method)}")
        axes[row, 0].set_ylabel(r"$\Delta\phi$")
        signed_colourbar(figure, drawn, axes[row], "$R$ per jet and cell", shrink=0.9)
    for axis in axes[-1]:
        axis.set_xlabel(r"$\Delta\eta$")
    header(figure, title)
    return figure
