"""Figure of how samples vary: ratios of their spectra to those of a reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, MaxNLocator, NullFormatter

from glassjet.figures.style import GREY, SAMPLE_COLOURS, SEED_MARKERS, grid, header, house, legend_below

ROUND = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)  # ticks of a logarithmic axis of ratios
NARROW = (0.7, 1.3)  # every panel shows at least this
LINEAR = (0.3, 2.5)  # a panel that shows more is logarithmic
TELLING = 0.5  # points with a larger relative error do not stretch a panel


@house
def variations(
    table: pd.DataFrame, names: Mapping[str, str], labels: Mapping[str, str], classes: tuple[str, str], title: str = ""
) -> Figure:
    """Ratios to a reference sample: its own error as a band about one, a marker and colour for each other sample.

    Parameters
    ----------
    table : DataFrame
        `comparison.ratios`; the first sample is the reference.
    names : mapping
        Of all samples, for the legend.
    labels : mapping
        Axis label of each variable, with its units.
    classes : (str, str)
        Names of background and signal.
    """
    reference, *others = dict.fromkeys(table["sample"])
    variables = list(dict.fromkeys(table["variable"]))
    figure, axes = grid(2 * len(variables), 2, 1.7)
    shift = np.linspace(0.2, 0.8, len(others)) if len(others) > 1 else np.array([0.5])
    for number, axis in enumerate(axes):
        variable, one = variables[number // 2], number % 2
        own = table[(table["variable"] == variable) & (table["label"] == one)]
        band = own[own["sample"] == reference]
        edges, error = np.append(band["low"], band["high"].iloc[-1]), band["error"].to_numpy()
        axis.axhline(1, color=GREY, linewidth=0.8)
        axis.stairs(
            1 + error, edges, baseline=1 - error, fill=True, color="0.8", label=f"{names[reference]} (reference)"
        )
        for place, sample in enumerate(others):
            part = own[(own["sample"] == sample) & (own["ratio"] > 0)]
            at = part["low"] + shift[place] * (part["high"] - part["low"])
            look: dict[str, Any] = {
                "color": SAMPLE_COLOURS[place % len(SAMPLE_COLOURS)],
                "marker": SEED_MARKERS[place % len(SEED_MARKERS)],
                "linestyle": "none",
                "elinewidth": 0.8,
            }
            axis.errorbar(at, part["ratio"], part["error"], label=names[sample], **look)
        axis.set_xlim(edges[0], edges[-1])
        _limit(axis, own)
        axis.set_xlabel(labels[variable])
        axis.set_title(classes[one] if number < 2 else "")
        axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    for axis in axes[::2]:
        axis.set_ylabel("ratio to reference")
    legend_below(figure, axes[0], columns=3 if len(others) > 3 else 2)
    header(figure, title)
    return figure


def _limit(axis: Axes, table: pd.DataFrame) -> None:
    """Limits that hold all points that tell something; a logarithmic axis where they are far apart."""
    telling = table[(table["ratio"] > 0) & (table["error"] < TELLING * table["ratio"])]
    low = min(NARROW[0], float((telling["ratio"] - telling["error"]).min()))
    high = max(NARROW[1], float((telling["ratio"] + telling["error"]).max()))
    if low < LINEAR[0] or high > LINEAR[1]:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(FixedLocator(ROUND))
        axis.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.set_ylim(0.9 * low, 1.1 * high)
    else:
        axis.set_ylim(low - 0.05, high + 0.05)
