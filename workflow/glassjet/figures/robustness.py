"""How a tagger's numbers move on samples that it was not trained on: other showers, tunes, a detector."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glassjet.figures.names import tagger_name
from glassjet.figures.performance import metric_label
from glassjet.figures.style import GREY, PAGE, header, house, legend_below, tagger_styles

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")


@house
def across_samples(summary: pd.DataFrame, samples: Sequence[str], metrics: Sequence[str], title: str = "") -> Figure:
    """Each metric of each tagger on the task's own sample and on the further ones.

    Markers are means over seeds; bars reach over the bootstrap intervals of the test jets of all seeds, so they hold
    both spreads. The dotted line is each tagger on its own sample.

    Parameters
    ----------
    summary : DataFrame
        sample, tagger, features, seed (or "all"), metric, value, low, high.
    samples : sequence of str
        The task's own sample first.
    """
    chosen = list(dict.fromkeys(zip(summary["tagger"].astype(str), summary["features"].astype(str), strict=True)))
    styles = tagger_styles(chosen)
    figure = Figure(figsize=(PAGE, 0.9 + 1.9 * len(metrics)))
    axes = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for axis, metric in zip(axes, metrics, strict=True):
        for number, (tagger, style) in enumerate(styles.items()):
            mine = (summary["tagger"] == tagger[0]) & (summary["features"] == tagger[1]) & (summary["metric"] == metric)
            shift = 0.11 * (number - (len(styles) - 1) / 2)
            for place, sample in enumerate(samples):
                rows = summary[mine & (summary["sample"] == sample)].dropna(subset=["value"])
                value = rows.loc[rows["seed"] == "all", "value"]
                if value.empty:
                    continue
                seeds = rows[rows["seed"] != "all"]
                low, high = seeds["low"].min(), seeds["high"].max()
                if np.isfinite([low, high]).all():
                    axis.vlines(place + shift, low, high, color=style["color"], linewidth=0.9)
                axis.plot(
                    place + shift,
                    value.iloc[0],
                    MARKERS[number % len(MARKERS)],
                    color=style["color"],
                    label=tagger_name(*tagger) if place == 0 else None,
                )
                if place == 0:
                    axis.axhline(value.iloc[0], color=style["color"], linestyle=":", linewidth=0.5, zorder=0)
        axis.axvline(0.5, color=GREY, linewidth=0.5)
        axis.set_ylabel(metric_label(metric))
        axis.tick_params(axis="x", which="minor", bottom=False, top=False)
    axes[-1].set_xticks(range(len(samples)), [name.replace("_", " ") for name in samples])
    axes[-1].set_xlim(-0.5, len(samples) - 0.5)
    legend_below(figure, axes[0], columns=3)
    header(figure, title)
    return figure
