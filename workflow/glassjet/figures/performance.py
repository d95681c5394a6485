"""Figures of how well taggers do: rejection, working points, scores, dependence on pT and mass, learning curves.

Tables are tidy: each row has `tagger`, `features` and `seed`. With fewer than five seeds a spread is not a sigma: the
figures draw the seeds' envelope, smallest to largest, or every seed as a point.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glassjet.figures.names import tagger_name
from glassjet.figures.style import (
    BLACK,
    CLASS_COLOURS,
    CLASS_LINES,
    GREY,
    PAGE,
    SEED_MARKERS,
    grid,
    header,
    house,
    legend_below,
    tagger_styles,
)
from glassjet.training.metrics import MINIMUM_BACKGROUND, Array, Labels, Ranked, rejection

SEEDS_FOR_INTERVAL = 5
METRIC_LABELS = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "cross_entropy": "cross entropy",
    "parameters": "parameters",
}


def metric_label(metric: str) -> str:
    """Axis label of a metric: `rejection_50` is the background rejection at a signal efficiency of one half."""
    if metric.startswith("rejection_"):
        return rf"$1/\varepsilon_B$ at $\varepsilon_S = {float(metric.removeprefix('rejection_')) / 100:g}$"
    return METRIC_LABELS.get(metric, metric.replace("_", " "))


def rejection_curve(output: Array, label: Labels, weight: Array, points: int = 200) -> pd.DataFrame:
    """The ROC curve as background rejection; NaN where the jets that pass count as fewer than
    `MINIMUM_BACKGROUND` (effective number of their weights).

    Parameters
    ----------
    output, label, weight : (n,)
        See `glassjet.training.metrics`.

    Returns
    -------
    DataFrame
        signal_efficiency, rejection.
    """
    ranked, signal = Ranked(output, label), label == 1
    roc = ranked.roc(weight)
    efficiencies = np.arange(1, points + 1) / points
    found = np.array([rejection(*roc, efficiency) for efficiency in efficiencies])
    order = np.argsort(-output[~signal], kind="stable")
    passing = weight[~signal][order]
    reached = np.round(np.cumsum(passing) ** 2 / np.cumsum(passing**2), 6) >= MINIMUM_BACKGROUND
    few = np.flatnonzero(~reached)[-1] + 1 if not reached.all() else 0  # a heavy jet can take back what there was
    if few == len(passing):
        return pd.DataFrame({"signal_efficiency": efficiencies, "rejection": np.nan})
    loosest = output[~signal][order][few]  # the first cut behind which there is always enough background
    first = weight[signal & (output >= loosest)].sum() / weight[signal].sum()
    enough = efficiencies >= first
    return pd.DataFrame({"signal_efficiency": efficiencies, "rejection": np.where(enough, found, np.nan)})


def _taggers(table: pd.DataFrame) -> list[tuple[str, str]]:
    pairs = zip(table["tagger"], table["features"], strict=True)
    return list(dict.fromkeys((str(tagger), str(features)) for tagger, features in pairs))


def _of(table: pd.DataFrame, tagger: tuple[str, str]) -> pd.DataFrame:
    return table[(table["tagger"] == tagger[0]) & (table["features"] == tagger[1])]


def _envelope(axis: Axes, table: pd.DataFrame, x: str, y: str, style: Mapping[str, str], name: str) -> None:
    """Mean over the seeds as a line, smallest to largest as a band; a point that one seed lacks is not drawn."""
    wide = table.pivot(index=x, columns="seed", values=y).dropna()
    if wide.empty:
        return
    at = wide.index.to_numpy(float)
    axis.plot(at, wide.mean(axis=1), color=style["color"], linestyle=style["linestyle"], label=name)
    if wide.shape[1] > 1:
        axis.fill_between(at, wide.min(axis=1), wide.max(axis=1), color=style["color"], alpha=0.25, linewidth=0)


@house
def rejection_curves(table: pd.DataFrame, title: str = "") -> Figure:
    """Background rejection, and the improvement of significance eps_S / sqrt(eps_B), against signal efficiency.

    Lines are means over seeds, bands reach from the smallest to the largest seed.

    Parameters
    ----------
    table : DataFrame
        tagger, features, seed, signal_efficiency, rejection (from `rejection_curve`).
    """
    figure = Figure(figsize=(PAGE, 3.2))
    left, right = figure.subplots(1, 2)
    table = table.assign(improvement=table["signal_efficiency"] * np.sqrt(table["rejection"]))
    for tagger, style in tagger_styles(_taggers(table)).items():
        part, name = _of(table, tagger), tagger_name(*tagger)
        _envelope(left, part, "signal_efficiency", "rejection", style, name)
        _envelope(right, part, "signal_efficiency", "improvement", style, name)
    efficiency = np.linspace(0.01, 1, 100)
    left.plot(efficiency, 1 / efficiency, color=GREY, linestyle=":", linewidth=0.8, label="guessing")
    right.plot(efficiency, np.sqrt(efficiency), color=GREY, linestyle=":", linewidth=0.8)
    left.set_yscale("log")
    left.set_ylim(1, None)
    right.set_ylim(0, None)
    left.set_ylabel(r"background rejection $1/\varepsilon_B$")
    right.set_ylabel(r"$\varepsilon_S/\sqrt{\varepsilon_B}$")
    for axis in (left, right):
        axis.set_xlim(0, 1)
        axis.set_xlabel(r"signal efficiency $\varepsilon_S$")
    legend_below(figure, left)
    header(figure, title)
    return figure


@house
def working_points(summary: pd.DataFrame, metrics: Sequence[str], title: str = "") -> Figure:
    """Every seed's value of each metric with its bootstrap interval, and the mean of the seeds as a bar.

    Parameters
    ----------
    summary : DataFrame
        tagger, features, seed (or "all"), metric, value, low, high. The interval of the row "all" is drawn from
        `SEEDS_FOR_INTERVAL` seeds on; below that the points speak for themselves.
    """
    table = summary[summary["metric"].isin(metrics)].dropna(subset=["value"])
    shown = [metric for metric in metrics if (table["metric"] == metric).any()]
    styles = tagger_styles(_taggers(table))
    figure, axes = grid(len(shown), 3, 0.75 + 0.27 * len(styles), sharey=True)
    for axis, metric in zip(axes, shown, strict=True):
        for row, (tagger, style) in enumerate(styles.items()):
            values = _of(table[table["metric"] == metric], tagger)
            seeds = values[values["seed"] != "all"].sort_values("seed")
            for number, (_, point) in enumerate(seeds.iterrows()):
                at = row + 0.12 * (number - (len(seeds) - 1) / 2)
                if np.isfinite([point["low"], point["high"]]).all():
                    axis.hlines(at, point["low"], point["high"], color=style["color"], alpha=0.45, linewidth=0.8)
                axis.plot(point["value"], at, SEED_MARKERS[number % len(SEED_MARKERS)], color=style["color"])
            for _, mean in values[values["seed"] == "all"].iterrows():
                axis.vlines(mean["value"], row - 0.38, row + 0.38, color=BLACK, linewidth=0.9)
                if len(seeds) >= SEEDS_FOR_INTERVAL and np.isfinite([mean["low"], mean["high"]]).all():
                    axis.fill_betweenx([row - 0.38, row + 0.38], mean["low"], mean["high"], color=BLACK, alpha=0.12)
        axis.set_yticks(range(len(styles)), [tagger_name(*tagger) for tagger in styles])
        axis.tick_params(axis="y", which="minor", left=False, right=False)
        axis.set_ylim(len(styles) - 0.4, -0.6)
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.set_xlabel(metric_label(metric))
    header(figure, title)
    return figure


@house
def scores(table: pd.DataFrame, classes: tuple[str, str], title: str = "") -> Figure:
    """Distributions of the log-odds by class, one panel per tagger, one line per seed.

    Parameters
    ----------
    table : DataFrame
        tagger, features, seed, label, low, high, density.
    """
    taggers = _taggers(table)
    figure, axes = grid(len(taggers), 3, 1.7)
    for axis, tagger in zip(axes, taggers, strict=True):
        for (one, _), part in _of(table, tagger).groupby(["label", "seed"]):
            which = int(str(one))
            edges = np.append(part["low"], part["high"].iloc[-1])
            line = CLASS_LINES[which]
            axis.stairs(part["density"], edges, color=CLASS_COLOURS[which], linestyle=line, linewidth=0.8)
        axis.set_title(tagger_name(*tagger))
        axis.set_ylim(0, None)
        axis.set_yticks([])
        axis.set_xlabel(r"log-odds $f$")
    for axis in axes[::3]:
        axis.set_ylabel("normalised")
    for one, name in enumerate(classes):
        axes[0].plot([], [], color=CLASS_COLOURS[one], linestyle=CLASS_LINES[one], label=name)
    legend_below(figure, axes[0])
    header(figure, title)
    return figure


@house
def efficiencies(
    table: pd.DataFrame, classes: tuple[str, str], labels: Mapping[str, str], efficiency: float, title: str = ""
) -> Figure:
    """Efficiency of the cut against jet quantities: signal above, background below, one column per quantity.

    Parameters
    ----------
    table : DataFrame
        tagger, features, seed, variable, label, from, to, efficiency (NaN where too few jets).
    efficiency : float
        The signal efficiency of the cut over the whole sample, drawn as a line.
    """
    variables = list(dict.fromkeys(table["variable"]))
    figure = Figure(figsize=(PAGE, 3.8))
    axes = figure.subplots(2, len(variables), squeeze=False, sharex="col", sharey="row")
    styles = tagger_styles(_taggers(table))
    for column, variable in enumerate(variables):
        for one, axis in ((1, axes[0, column]), (0, axes[1, column])):
            part = table[(table["variable"] == variable) & (table["label"] == one)]
            part = part.assign(centre=(part["from"] + part["to"]) / 2)
            for tagger, style in styles.items():
                _envelope(axis, _of(part, tagger), "centre", "efficiency", style, tagger_name(*tagger))
        axes[0, column].axhline(efficiency, color=GREY, linestyle=":", linewidth=0.8)
        axes[0, column].set_ylim(0, 1)
        # Zero is a possible efficiency: linear below a percent.
        axes[1, column].set_yscale("symlog", linthresh=0.01)
        axes[1, column].set_ylim(0, 1)
        axes[1, column].set_xlabel(labels.get(variable, variable))
    axes[0, 0].set_ylabel(rf"$\varepsilon_S$, {classes[1]}")
    axes[1, 0].set_ylabel(rf"$\varepsilon_B$, {classes[0]}")
    legend_below(figure, axes[1, 0], columns=3)
    header(figure, title)
    return figure


@house
def background_mass(
    before: pd.DataFrame, after: pd.DataFrame, labels: Mapping[str, str], efficiency: float, title: str = ""
) -> Figure:
    """Mass spectra of the background jets before and after the cut: what the cut sculpts.

    Parameters
    ----------
    before : DataFrame
        variable, low, high, density: of all background jets, normalised.
    after : DataFrame
        tagger, features, seed, variable, low, high, density: of those that pass, normalised.
    efficiency : float
        The signal efficiency of the cut.
    """
    variables = list(dict.fromkeys(before["variable"]))
    figure, axes = grid(len(variables), 2, 2.9)
    styles = tagger_styles(_taggers(after))
    for axis, variable in zip(axes, variables, strict=True):
        whole = before[before["variable"] == variable]
        edges = np.append(whole["low"], whole["high"].iloc[-1])
        axis.stairs(whole["density"], edges, fill=True, color="0.85", label="all background jets")
        part = after[after["variable"] == variable]
        part = part.assign(centre=(part["low"] + part["high"]) / 2)
        for tagger, style in styles.items():
            _envelope(axis, _of(part, tagger), "centre", "density", style, tagger_name(*tagger))
        axis.set_xlim(edges[0], edges[-1])
        axis.set_ylim(0, None)
        axis.set_xlabel(labels.get(variable, variable))
        axis.set_ylabel("normalised [1/GeV]")
    legend_below(figure, axes[0], columns=3)
    header(figure, f"{title}; after the cut at $\\varepsilon_S = {efficiency:g}$" if title else "")
    return figure


@house
def learning_curves(history: pd.DataFrame, title: str = "") -> Figure:
    """Cross entropy of training and validation jets by epoch, one panel per tagger, one line per seed.

    Parameters
    ----------
    history : DataFrame
        tagger, features, seed, epoch, loss, validation_loss.
    """
    taggers = _taggers(history)
    figure, axes = grid(len(taggers), 3, 1.8)
    for axis, tagger in zip(axes, taggers, strict=True):
        colour = tagger_styles([tagger])[tagger]["color"]
        for _, part in _of(history, tagger).groupby("seed"):
            best = part.iloc[int(part["validation_loss"].to_numpy().argmin())]
            axis.plot(part["epoch"], part["loss"], color=GREY, linestyle="--", linewidth=0.8)
            axis.plot(part["epoch"], part["validation_loss"], color=colour, linewidth=0.8)
            axis.plot(best["epoch"], best["validation_loss"], "o", color=colour)
        axis.set_title(tagger_name(*tagger))
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for axis in axes[::3]:
        axis.set_ylabel("cross entropy")
    axes[0].plot([], [], color=GREY, linestyle="--", label="training")
    axes[0].plot([], [], "o-", color=BLACK, label="validation, best epoch")
    legend_below(figure, axes[0])
    header(figure, title)
    return figure
