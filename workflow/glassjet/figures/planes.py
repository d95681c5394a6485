"""Figure of the primary Lund planes of a sample; the table comes from `lund`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from glassjet.figures.histograms import FULL
from glassjet.figures.lund import on_mass, ratio
from glassjet.figures.style import BLACK, DIVERGING, GREY, PAGE, SEQUENTIAL, header, house

RATIOS = (2.0, 8.0)  # the least and the largest ratio at which the colours of a ratio may end
DENSITIES = {value: f"{value:g}" for value in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)}  # ticks
TIMES = {1 / 8: "1/8", 1 / 4: "1/4", 1 / 2: "1/2", 1: "1", 2: "2", 4: "4", 8: "8"}
DECADES = 2  # of the colour scale of densities, at most
FAR = 1.5  # a largest pT that is above the median by this factor


@house
def lund_planes(
    table: pd.DataFrame,
    classes: tuple[str, str],
    title: str = "",
    radius: float | None = None,
    pt: tuple[float, float] | None = None,
    masses: Mapping[str, float] | None = None,
) -> Figure:
    """Averaged primary Lund planes of background and signal, and signal over background.

    Cells with an effective number of fewer than FULL jets are left out: white, and grey among the ratios.

    Parameters
    ----------
    table : DataFrame
        Of one sample, from `lund.planes`.
    radius : float
        Of the jets: a dotted line at Delta = R.
    pt : (float, float)
        The median pT of the signal and the largest pT of all jets, GeV. The dashed line is kT = pT Delta / 2 for the
        latter, beyond which no emission is, and where they differ by far, there is one for the former too.
    masses : mapping
        Symbols and masses (GeV) of particles: a line where two branches with the median pT in sum have that mass.
    """
    figure = Figure(figsize=(PAGE, 2.7))
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    full = table[table["effective"] >= FULL]["density"]
    norm = LogNorm(max(full.min(), full.max() / 10**DECADES), full.max()) if len(full) else LogNorm(0.1, 1.0)
    for one in (0, 1):
        part = table[table["label"] == one]
        drawn = _cells(axes[one], part, part["density"].where(part["effective"] >= FULL), norm, SEQUENTIAL)
        axes[one].set_title(classes[one])
    _bar(figure, drawn, axes[:2], DENSITIES, label="emissions per jet and unit of area", extend="min")
    compared = ratio(table)
    far = np.abs(np.log(compared["ratio"].dropna()))
    end = float(np.clip(np.exp(far.max()) if len(far) else 1.0, *RATIOS))
    axes[2].set_facecolor("0.85")
    drawn = _cells(axes[2], compared, compared["ratio"], LogNorm(1 / end, end), DIVERGING)
    axes[2].set_title(f"{classes[1]} / {classes[0]}")
    _bar(figure, drawn, axes[2:], TIMES, label="ratio of densities", extend="both")
    for axis in axes:
        axis.set_xlabel(r"$\ln(1/\Delta)$")
        _edges(axis, radius, pt)
    axes[0].set_ylabel(r"$\ln(k_T/\mathrm{GeV})$")
    axes[0].legend(loc="upper right", frameon=True, edgecolor="none")
    if pt and masses:
        lines = [_masses(axis, masses, pt[0]) for axis in axes[1:]]
        axes[1].legend(handles=lines[0], loc="upper right")
    header(figure, title)
    return figure


def _cells(axis: Axes, table: pd.DataFrame, values: pd.Series, norm: LogNorm, colours: str) -> Any:
    """A colour for each cell of a plane; none for NaN."""
    x, y = (np.append(table[f"{name}_low"].unique(), table[f"{name}_high"].max()) for name in "xy")
    shaped: NDArray[np.float64] = values.to_numpy().reshape(len(x) - 1, len(y) - 1).T
    return axis.pcolormesh(x, y, np.ma.masked_invalid(shaped), norm=norm, cmap=colours, rasterized=True)


def _bar(figure: Figure, drawn: Any, axes: Any, ticks: Mapping[float, str], **kwargs: Any) -> None:
    """A colour bar of a logarithmic scale with those of the ticks that lie on it."""
    bar = figure.colorbar(drawn, ax=axes, **kwargs)
    known = {value: text for value, text in ticks.items() if drawn.norm.vmin <= value <= drawn.norm.vmax}
    bar.set_ticks(list(known), labels=list(known.values()))
    bar.minorticks_off()


def _edges(axis: Axes, radius: float | None, pt: tuple[float, float] | None) -> None:
    """Lines at the radius and at the kinematic edge of a plane."""
    x, y = np.array(axis.get_xlim()), axis.get_ylim()
    if radius:
        axis.axvline(-np.log(radius), color=GREY, linestyle=":", linewidth=0.8, label=rf"$\Delta = R$ = {radius:g}")
    for value, colour in zip(pt or (), (GREY, BLACK), strict=False):
        if pt and (value == pt[1] or pt[1] > FAR * value):
            name = rf"$z = 1/2$, {value:.0f} GeV"
            axis.plot(x, np.log(value / 2) - x, color=colour, linestyle="--", linewidth=0.8, label=name)
    axis.set_xlim(x[0], x[1])
    axis.set_ylim(y)


def _masses(axis: Axes, masses: Mapping[str, float], pt: float) -> list[Line2D]:
    """Lines on which two branches with a pT (GeV) in sum have these masses (GeV)."""
    x, lines = np.linspace(*axis.get_xlim(), 400), []
    for (symbol, mass), line in zip(masses.items(), ("-", "-."), strict=False):
        look: dict[str, Any] = {"color": BLACK, "linestyle": line, "linewidth": 0.9}
        lines += axis.plot(x, np.log(on_mass(mass, pt, np.exp(-x))), label=rf"$m_{symbol}$, {pt:.0f} GeV", **look)
    return lines
