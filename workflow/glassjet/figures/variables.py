"""Figures of expert variables: distributions by class, correlations, and what each tells alone.

The tables come from `separation`. Background is dashed and signal solid; bands and bars are statistical
errors.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from glassjet.figures.separation import folded
from glassjet.figures.style import (
    CLASS_COLOURS,
    CLASS_LINES,
    COLUMN,
    DIVERGING,
    GREY,
    PAGE,
    grid,
    header,
    house,
    legend_below,
    steps,
)

COLUMNS = {16: 4, 30: 5}  # small multiples in a row, of up to so many
MOST = 6  # of more
SPIKED = (0.25, 0.1)  # a panel is logarithmic where that share of a class is in a bin narrower than that of the range
DECADES = 3  # of such a panel
CELL = 0.17  # inch: of a correlation
LINE = 0.2  # inch: of a variable
LARGE = 1e4  # from which on numbers are given in powers of ten
TELLING = 0.5  # contents with a larger relative error do not stretch a panel


def name_of(variable: str, labels: Mapping[str, str]) -> str:
    """The label of a variable without its units."""
    return labels.get(variable, variable.replace("_", " ")).split(" [")[0]


@house
def distributions(table: pd.DataFrame, labels: Mapping[str, str], classes: tuple[str, str], title: str = "") -> Figure:
    """Small multiples of the distributions of variables by class, each normalised to one.

    A share of jets at one value stands above its panel, that of background to the left and that of signal to the right.

    Parameters
    ----------
    table : DataFrame
        Of one sample, from `separation.distributions`.
    labels : mapping
        Axis label of each variable, with its units.
    classes : (str, str)
        Names of background and signal.
    """
    names = list(dict.fromkeys(table["variable"]))
    columns = next((number for most, number in COLUMNS.items() if len(names) <= most), MOST)
    rows = -(-len(names) // columns)
    figure, axes = grid(len(names), columns, 1.25 + 0.6 / rows, width=PAGE * min(1, max(len(names), 2) / columns))
    for axis, name in zip(axes, names, strict=True):
        own = table[table["variable"] == name]
        bins = own[own["low"] < own["high"]]
        for one in (0, 1):
            if (bins["label"] == one).any():
                steps(axis, bins[bins["label"] == one], CLASS_COLOURS[one], CLASS_LINES[one], classes[one])
        _apart(axis, own[own["low"] == own["high"]])
        _heights(axis, bins[(bins["density"] > 0) & (bins["error"] <= TELLING * bins["density"])])
        _ticks(axis, bins, 8 - columns)
        axis.set_xlabel(_in_powers(axis, bins, labels.get(name, name.replace("_", " "))))
    for axis in axes[::columns]:
        axis.set_ylabel("normalised")
    legend_below(figure, max(axes, key=lambda axis: len(axis.get_legend_handles_labels()[1])))
    header(figure, title)
    return figure


def _heights(axis: Axes, telling: pd.DataFrame) -> None:
    """The vertical axis of a panel: without numbers, or logarithmic where much of a class is in a narrow bin."""
    narrow = telling["high"] - telling["low"] < SPIKED[1] * (telling["high"].max() - telling["low"].min())
    if narrow.any() and not _whole(telling) and telling["share"][narrow].max() > SPIKED[0]:
        highest = float(telling["density"].max())
        axis.set_yscale("log")
        axis.set_ylim(max(float(telling["density"].min()) / 2, highest / 10**DECADES), 2 * highest)
        axis.yaxis.set_major_locator(LogLocator(numticks=4))
        axis.yaxis.set_minor_formatter(NullFormatter())
        return
    axis.set_yticks([])
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_ylim(0, 1.1 * float((telling["density"] + telling["error"]).max()) if len(telling) else None)


def _whole(bins: pd.DataFrame) -> bool:
    """Whether a histogram is of whole numbers."""
    return bool(np.allclose(bins["low"] % 1, 0.5))


def _ticks(axis: Axes, bins: pd.DataFrame, number: int) -> None:
    """The horizontal axis of a panel, with so many numbers at most."""
    if not bins["logarithmic"].any():
        axis.xaxis.set_major_locator(MaxNLocator(number, integer=len(bins) > 0 and _whole(bins)))
        axis.xaxis.set_minor_locator(NullLocator())
        return
    axis.set_xscale("log")
    narrow = bins["high"].max() < 100 * bins["low"].min()
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if narrow else (1.0,), numticks=number))
    axis.xaxis.set_minor_formatter(NullFormatter())
    if narrow:
        axis.xaxis.set_major_formatter(FormatStrFormatter("%g"))


def _in_powers(axis: Axes, bins: pd.DataFrame, label: str) -> str:
    """The label with the power of ten that is taken out of large numbers, for which there is no other place."""
    largest = float(np.abs(bins[["low", "high"]].to_numpy()).max()) if len(bins) else 0.0
    if largest < LARGE or axis.get_xscale() == "log":
        return label
    power = int(np.floor(np.log10(largest)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 10**power:g}"))
    text, _, units = label.partition(" [")
    return rf"{text} [$10^{{{power}}}$ {units}" if units else rf"{text} / $10^{{{power}}}$"


def _apart(axis: Axes, rows: pd.DataFrame) -> None:
    """What share of each class lies at one value, in words above the panel."""
    style: dict[str, Any] = {"transform": axis.transAxes, "fontsize": 6, "va": "bottom"}
    for one, side in enumerate(("left", "right")):
        for _, row in rows[rows["label"] == one].iterrows():
            percent = 100 * row["share"]
            text = "<0.1%" if 0 < percent < 0.1 else f"{percent:.{0 if percent >= 10 else 1}f}%"
            axis.text(one, 1.02, f"{text} at {row['low']:.3g}", ha=side, color=CLASS_COLOURS[one], **style)


@house
def correlations(table: pd.DataFrame, labels: Mapping[str, str], classes: tuple[str, str], title: str = "") -> Figure:
    """Correlation matrices in one: of background below the diagonal, of signal above; grey where there is none.

    Parameters
    ----------
    table : DataFrame
        Of one sample, from `separation.correlations`.
    """
    names = list(dict.fromkeys(table["variable"]))
    background, signal = (
        part.pivot(index="variable", columns="other", values="correlation").loc[names, names].to_numpy()
        for _, part in table.groupby("label")
    )
    both = np.where(np.tri(len(names), dtype=bool), background, signal)
    np.fill_diagonal(both, np.nan)
    cell = min(CELL, (PAGE - 1.5) / len(names))
    figure = Figure(figsize=(max(1.5 + cell * len(names), COLUMN), max(1.1 + cell * len(names), COLUMN * 0.8)))
    axis = figure.subplots()
    axis.set_facecolor("0.85")
    drawn = axis.imshow(both, cmap=DIVERGING, vmin=-1, vmax=1, origin="upper")
    axis.plot([-0.5, len(names) - 0.5], [-0.5, len(names) - 0.5], color=GREY, linewidth=0.6)
    effective = [table[table["label"] == one]["effective"].iloc[0] for one in (0, 1)]
    told = [f"{name}\n({number:.0f} effective jets)" for name, number in zip(classes, effective, strict=True)]
    axis.set_xlabel(f"below the diagonal: {told[0]}")
    axis.set_title(f"above the diagonal: {told[1]}")
    shown = [name_of(name, labels) for name in names]
    size = min(6.0, 36 * cell)
    axis.set_xticks(range(len(names)), shown, rotation=90, fontsize=size)
    axis.set_yticks(range(len(names)), shown, fontsize=size)
    axis.tick_params(which="both", length=0)
    axis.minorticks_off()
    figure.colorbar(drawn, ax=axis, label="linear correlation", shrink=0.6)
    header(figure, title)
    return figure


def _aucs(axis: Axes, table: pd.DataFrame, labels: Mapping[str, str]) -> None:
    """AUCs that are `folded`, one below the other: filled where signal is higher, open where it is lower."""
    place = np.arange(len(table))[::-1]
    axis.hlines(place, table["low"], table["high"], color=GREY)
    rises = table["rises"].to_numpy(bool)
    for chosen, face, name in ((rises, CLASS_COLOURS[1], "signal is higher"), (~rises, "white", "signal is lower")):
        look: dict[str, Any] = {"color": CLASS_COLOURS[1], "markerfacecolor": face, "label": name}
        axis.plot(table["auc"][chosen], place[chosen], "o", **look)
    axis.set_yticks(place, [name_of(name, labels) for name in table["variable"]])
    axis.tick_params(axis="y", which="minor", left=False, right=False)
    axis.set_ylim(-0.7, len(table) - 0.3)


@house
def single_variable_aucs(table: pd.DataFrame, labels: Mapping[str, str], title: str = "") -> Figure:
    """AUC of each variable on its own with its bootstrap interval, the best on top.

    Parameters
    ----------
    table : DataFrame
        Of one sample, from `separation.alone`. An AUC below one half (signal at low values) is drawn at one minus
        itself, open.
    """
    ordered = folded(table).sort_values("auc", ascending=False, kind="stable").reset_index(drop=True)
    figure = Figure(figsize=(COLUMN, 0.8 + LINE * len(ordered)))
    axis = figure.subplots()
    _aucs(axis, ordered, labels)
    axis.axvline(0.5, color=GREY, linestyle=":", linewidth=0.8)
    axis.set_xlabel("AUC of the variable alone (68% bootstrap)")
    legend_below(figure, axis)
    header(figure, title)
    return figure


@house
def best_variables(
    table: pd.DataFrame, labels: Mapping[str, str], names: Mapping[str, str], columns: int = 3
) -> Figure:
    """The variables of each sample with the largest AUC alone, one panel for each sample, on one axis.

    Parameters
    ----------
    table : DataFrame
        From `separation.best`.
    names : mapping
        What stands above the panel of each sample.
    """
    samples = list(dict.fromkeys(table["sample"]))
    rows = int(table.groupby("sample").size().max())
    width = max(COLUMN, PAGE * min(len(samples), columns) / columns)
    figure, axes = grid(len(samples), columns, 0.6 + LINE * rows, width=width)
    low, high = float(table["low"].min()), float(table["high"].max())
    for axis, sample in zip(axes, samples, strict=True):
        _aucs(axis, table[table["sample"] == sample].reset_index(drop=True), labels)
        axis.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_title(names[sample], loc="right")
    for axis in axes[-columns:]:
        axis.set_xlabel("AUC alone (68% bootstrap)")
    legend_below(figure, axes[0])
    return figure
