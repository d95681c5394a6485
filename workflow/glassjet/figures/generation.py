"""Figures of how jets are generated: spectra, images, cutflows, displaced tracks, the hard process.

The tables come from `spectra`, `inventory` and `displaced`. Background is dashed and signal solid
everywhere; bands and bars are statistical errors, sqrt(sum w^2).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from glassjet.figures.names import STAGE_NAMES
from glassjet.figures.style import (
    BLACK,
    CLASS_COLOURS,
    CLASS_LINES,
    COLUMN,
    GREEN,
    GREY,
    PAGE,
    SEQUENTIAL,
    grid,
    header,
    house,
    legend_below,
    steps,
)

IMAGES = 4  # in a row of a figure
DECADES = 5  # of a logarithmic axis, at most
COLOUR_DECADES = 4  # of the colour scale of images
WIDE = 2  # a pT range whose ends differ by more has a logarithmic axis
STEPS = (1, 2, 5, 10)
PTHAT_TICKS = (20, 50, 100, 200, 500, 1000, 2000, 5000)  # GeV
MORE_TICKS = (200, 300, 400, 500, 600, 700, 800, 1000)  # of a range whose ends differ by less than a factor five


def density_label(label: str, logarithmic: bool = False, whole: str = "N") -> str:
    """The label of a normalised density: (1/N) dN / dx with the units of x.

    >>> density_label("$m$ [GeV]")
    '$(1/N)\\\\,\\\\mathrm{d}N/\\\\mathrm{d}m$ [1/GeV]'
    """
    symbol, _, units = label.partition(" [")
    symbol = symbol.split("$")[1] if "$" in symbol else rf"\mathrm{{{symbol}}}"
    x = rf"\ln {symbol}" if logarithmic else symbol
    x = f"({x})" if "/" in x else x
    shown = "" if logarithmic or not units else f" [1/{units}"
    return rf"$(1/{whole})\,\mathrm{{d}}{whole}/\mathrm{{d}}{x}${shown}"


def _log_y(axis: Axes, part: pd.DataFrame) -> None:
    """A logarithmic axis from half of the smallest content to a little above the largest."""
    filled = part[part["density"] > 0]["density"]
    if filled.empty:
        return
    axis.set_yscale("log")
    axis.set_ylim(max(filled.min() / 2, filled.max() / 10**DECADES), filled.max() * 3)
    axis.yaxis.set_major_locator(LogLocator(numticks=6))
    axis.yaxis.set_minor_formatter(NullFormatter())


def _whole(part: pd.DataFrame) -> bool:
    """Whether a histogram is of whole numbers, or of a range in which they are fine ticks."""
    return bool(np.allclose(part["low"] % 1, 0.5) or part["high"].max() - part["low"].min() > 5)


def _mark(axis: Axes, at: float, text: str) -> None:
    """A thin vertical line with its name above the axes."""
    low, high = sorted(axis.get_xlim())
    if low < at < high:
        axis.axvline(at, color=GREY, linestyle=":", linewidth=0.8, zorder=0)
        beside = (
            "left" if axis.transAxes.inverted().transform(axis.transData.transform((at, 1)))[0] < 0.15 else "center"
        )
        style: dict[str, Any] = {"fontsize": 6, "color": "0.25", "ha": beside, "va": "bottom"}
        axis.text(at, 1.02, text, transform=axis.get_xaxis_transform(), **style)


@house
def by_class(
    table: pd.DataFrame,
    labels: Mapping[str, str],
    classes: tuple[str, str],
    title: str = "",
    columns: int = 3,
    masses: Mapping[str, float] | None = None,
    log_x: Collection[str] = (),
    log_y: Collection[str] = (),
    height: float = 1.9,
) -> Figure:
    """Distributions of a sample by class, each normalised to one.

    Parameters
    ----------
    table : DataFrame
        variable, label, low, high, density, error (`spectra.by_class`).
    labels : mapping
        Axis label of each variable, with its units.
    classes : (str, str)
        Names of background and signal.
    masses : mapping
        Symbols and masses (GeV) of particles, drawn as lines where the variable is a mass of the jet.
    log_x, log_y : names of variables
        Those with logarithmic axes; with log_x the density is one in ln x.
    """
    names = list(dict.fromkeys(table["variable"]))
    figure, axes = grid(len(names), columns, height)
    for axis, name in zip(axes, names, strict=True):
        part = table[table["variable"] == name]
        for one in (0, 1):
            steps(axis, part[part["label"] == one], CLASS_COLOURS[one], CLASS_LINES[one], classes[one])
        label = labels.get(name, name)
        axis.set_xlabel(label)
        axis.set_ylabel(density_label(label, name in log_x))
        axis.set_ylim(0, None)
        if name in log_y:
            _log_y(axis, part)
        if name in log_x:
            axis.set_xscale("log")
        else:
            axis.xaxis.set_major_locator(MaxNLocator(6, steps=STEPS, integer=_whole(part)))
        if name.startswith("mass"):
            for symbol, mass in (masses or {}).items():
                _mark(axis, mass, rf"$m_{symbol}$ = {mass:g} GeV")
    legend_below(figure, axes[0])
    header(figure, title)
    return figure


@house
def background_rho(table: pd.DataFrame, names: Mapping[str, str], title: str = "", columns: int = 4) -> Figure:
    """d sigma / d ln rho of the background, one panel for each sample: of the jet, and after soft drop.

    Parameters
    ----------
    table : DataFrame
        sample, variable (mass or mass_softdrop), low, high, density, error (`spectra.background_rho`).
    names : mapping
        What stands above the panel of each sample.
    """
    samples = list(dict.fromkeys(table["sample"]))
    figure, axes = grid(len(samples), columns, 1.9, width=max(COLUMN, PAGE * min(len(samples), columns) / columns))
    styles = {"mass": (BLACK, "-", "jet"), "mass_softdrop": (GREEN, "-.", "after soft drop")}
    for axis, sample in zip(axes, samples, strict=True):
        for variable, (colour, line, name) in styles.items():
            part = table[(table["sample"] == sample) & (table["variable"] == variable)]
            steps(axis, part, colour, line, name)
        axis.set_title(names[sample])
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(numticks=4))
        axis.set_ylim(0, None)
        axis.set_xlabel(r"$\rho = m^2/(p_T R)^2$")
    for axis in axes[::columns]:
        axis.set_ylabel(density_label(r"$\rho$", True, r"\sigma"))
    legend_below(figure, axes[0])
    header(figure, title)
    return figure


@house
def average_images(
    means: Mapping[str, Sequence[NDArray[np.float64]]], names: Mapping[str, tuple[str, str]], extent: float
) -> Figure:
    """Average images of background and signal of each sample, beside each other, all on one logarithmic scale.

    Parameters
    ----------
    means : mapping
        For each sample two arrays (pixels, pixels): mean share of the jet's pT; rows are the second coordinate.
    names : mapping
        Of each sample's background and signal.
    extent : float
        The images cover [-extent, extent] in both coordinates.
    """
    panels = [(sample, label) for sample in means for label in (0, 1)]
    figure, axes = grid(len(panels), IMAGES, 1.6, width=PAGE * (1 if len(panels) > 2 else 0.6))
    largest = max(float(mean.max()) for pair in means.values() for mean in pair)
    norm = LogNorm(largest / 10**COLOUR_DECADES, largest)
    for axis, (sample, label) in zip(axes, panels, strict=True):
        shown = np.clip(means[sample][label], norm.vmin, None)
        drawn = axis.imshow(shown, norm=norm, cmap=SEQUENTIAL, extent=(-extent, extent, -extent, extent))
        axis.set_title(f"{sample.replace('_', ' ')}: {names[sample][label]}", fontsize=7)
        axis.xaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
        axis.yaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
    for axis in axes[::IMAGES]:
        axis.set_ylabel(r"$y^\prime/\Delta R$")
    for axis in axes[-IMAGES:]:
        axis.set_xlabel(r"$x^\prime/\Delta R$")
    figure.colorbar(drawn, ax=axes, label=r"mean share of $p_T$", extend="min", shrink=0.6, aspect=30)
    return figure


@house
def cutflows(table: pd.DataFrame, classes: Mapping[str, tuple[str, str]], columns: int = 4) -> Figure:
    """The fraction of the generated cross section behind each requirement, one panel for each sample.

    Parameters
    ----------
    table : DataFrame
        sample, class, stage, fraction, error (`inventory.cutflow`).
    classes : mapping
        Names of background and signal of each sample.
    """
    samples = list(dict.fromkeys(table["sample"]))
    figure, axes = grid(len(samples), columns, 2.1, width=max(COLUMN, PAGE * min(len(samples), columns) / columns))
    lowest = float(table[table["fraction"] > 0]["fraction"].min())
    for axis, sample in zip(axes, samples, strict=True):
        own = table[table["sample"] == sample]
        stages = [stage for stage in STAGE_NAMES if stage in set(own["stage"])]
        for one, role in enumerate(("background", "signal")):
            part = own[(own["class"] == role) & (own["fraction"] > 0)]
            place = [stages.index(stage) for stage in part["stage"]]
            look: dict[str, Any] = {"color": CLASS_COLOURS[one], "linestyle": CLASS_LINES[one], "marker": "so"[one]}
            axis.errorbar(place, part["fraction"], part["error"], label=classes[sample][one], **look)
        axis.set_title(sample.replace("_", " "))
        axis.set_xticks(range(len(stages)), [STAGE_NAMES[stage] for stage in stages], rotation=35, ha="right")
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlim(-0.4, len(stages) - 0.6)
        axis.set_yscale("log")
        axis.set_ylim(lowest / 2, 2)
        axis.legend(loc="upper right")
    for axis in axes[::columns]:
        axis.set_ylabel("fraction of the cross section")
    return figure


@house
def hard_process(table: pd.DataFrame, classes: tuple[str, str], edges: tuple[float, float], title: str = "") -> Figure:
    """pTHat of the selected jets by class; their pT with weights, and as it was generated.

    Parameters
    ----------
    table : DataFrame
        `spectra.hard_process`.
    edges : (float, float)
        The lower edges of the generated ranges of background and signal, GeV.
    """
    figure, axes = grid(3, 3, 2.3)
    pthat = table[table["variable"] == "pthat"]
    for one in (0, 1):
        steps(axes[0], pthat[pthat["label"] == one], CLASS_COLOURS[one], CLASS_LINES[one], classes[one])
        own = table[(table["label"] == one) & (table["variable"] != "pthat")]
        axis = axes[1 + one]
        steps(axis, own[own["variable"] == "pt"], CLASS_COLOURS[one], CLASS_LINES[one], "weighted")
        steps(axis, own[own["variable"] == "pt_generated"], BLACK, ":", "as generated")
        axis.set_ylim(0, 1.4 * (own["density"] + own["error"]).max())
        if own["high"].max() > WIDE * own["low"].min():
            _log_y(axis, own)
        axis.set_title(classes[one])
    axes[0].set_xscale("log")
    lowest, highest = min(edges), pthat["high"].max()
    axes[0].set_xlim(0.9 * lowest, highest)
    axes[0].xaxis.set_major_locator(FixedLocator(MORE_TICKS if highest < 5 * lowest else PTHAT_TICKS))
    axes[0].xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes[0].xaxis.set_minor_formatter(NullFormatter())
    _log_y(axes[0], pthat)
    for one, edge in enumerate(edges):
        axes[0].axvline(edge, color=CLASS_COLOURS[one], linestyle=":", linewidth=0.8, zorder=0)
    whose = "" if edges[0] == edges[1] else f" ({classes[0]}), {edges[1]:g} GeV ({classes[1]})"
    axes[0].set_title(f"generated from {edges[0]:g} GeV{whose}", fontsize=6, color="0.25", loc="left")
    axes[0].set_xlabel(r"$\hat{p}_T$ [GeV]")
    axes[0].set_ylabel(density_label(r"$\hat{p}_T$ [GeV]", logarithmic=True))
    for axis in axes[1:]:
        axis.set_xlabel(r"$p_T$ [GeV]")
        axis.set_ylabel(density_label(r"$p_T$ [GeV]"))
        axis.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    for axis in axes:
        axis.legend(loc="best")
    header(figure, title)
    return figure
