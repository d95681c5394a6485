"""Figures of a sample: distributions by class, average jet images, correlations, and what each variable tells alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from glassjet.figures.names import feature_label
from glassjet.figures.style import (
    CLASS_COLOURS,
    CLASS_LINES,
    COLUMN,
    DIVERGING,
    GREY,
    PAGE,
    SEQUENTIAL,
    grid,
    header,
    house,
    legend_below,
)

BINS = 40
TAIL = 0.002  # share of the jets, at either end, that a histogram's range leaves out


def bin_edges(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of a histogram over all but `TAIL` of the weight at either end; whole numbers get bins about whole numbers.

    Parameters
    ----------
    values, weight : (n,)
    """
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    first, last = np.minimum(np.searchsorted(share, [TAIL, 1 - TAIL]), len(values) - 1)
    low, high = float(values[order][first]), float(values[order][last])
    if np.array_equal(values, np.rint(values)):
        step = max(1, int(np.ceil((high - low + 1) / BINS)))
        return np.arange(low - 0.5, high + 0.5 + step, step)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)


def histograms(
    values: pd.DataFrame, label: NDArray[np.int8], weight: NDArray[np.float64], names: Sequence[str]
) -> pd.DataFrame:
    """Histograms of variables by class, each class normalised to one.

    Parameters
    ----------
    values : DataFrame of n rows with the columns `names`
    label, weight : (n,)
        0 background, 1 signal; weights in pb.

    Returns
    -------
    DataFrame
        variable, label, low, high, density, error. The density is that of all jets of the class, also of those outside
        the range; the error is the statistical one, sqrt(sum w^2).
    """
    # The classes have different cross sections: a range for both needs them at equal weight.
    totals = np.array([max(weight[label == one].sum(), np.finfo(float).tiny) for one in (0, 1)])
    balanced = weight / totals[label]
    tables = []
    for name in names:
        column = values[name].to_numpy(np.float64)
        edges = bin_edges(column, balanced)
        width = np.diff(edges)
        for one in (0, 1):
            chosen = label == one
            content = np.histogram(column[chosen], edges, weights=balanced[chosen])[0]
            variance = np.histogram(column[chosen], edges, weights=balanced[chosen] ** 2)[0]
            tables.append(
                pd.DataFrame(
                    {
                        "variable": name,
                        "label": one,
                        "low": edges[:-1],
                        "high": edges[1:],
                        "density": content / width,
                        "error": np.sqrt(variance) / width,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


@house
def distributions(
    table: pd.DataFrame,
    labels: Mapping[str, str],
    classes: tuple[str, str],
    title: str = "",
    columns: int = 4,
    height: float = 1.9,
) -> Figure:
    """Small multiples of the `histograms` of a sample: background dashed, signal solid, statistical errors as bands.

    Parameters
    ----------
    table : DataFrame
        From `histograms`.
    labels : mapping
        Axis label of each variable, with its units.
    classes : (str, str)
        Names of background and signal.
    """
    names = list(dict.fromkeys(table["variable"]))
    figure, axes = grid(len(names), columns, height)
    for axis, name in zip(axes, names, strict=True):
        for one, part in table[table["variable"] == name].groupby("label"):
            colour, line = CLASS_COLOURS[int(str(one))], CLASS_LINES[int(str(one))]
            edges = np.append(part["low"], part["high"].iloc[-1])
            density, error = part["density"].to_numpy(), part["error"].to_numpy()
            axis.stairs(density, edges, color=colour, linestyle=line, linewidth=1.2, label=classes[int(str(one))])
            axis.stairs(density + error, edges, baseline=density - error, fill=True, color=colour, alpha=0.25)
            axis.set_xlim(edges[0], edges[-1])
        axis.set_xlabel(labels.get(name, name))
        axis.set_ylim(0, None)
        axis.xaxis.set_major_locator(MaxNLocator(4 if columns < 5 else 3))
        axis.set_yticks([])
    for axis in axes[::columns]:
        axis.set_ylabel("normalised")
    legend_below(figure, axes[0])
    header(figure, title)
    return figure


@house
def average_images(
    means: Sequence[NDArray[np.float64]], extent: float, classes: tuple[str, str], title: str = ""
) -> Figure:
    """Average jet images of background and signal, on one logarithmic colour scale.

    Parameters
    ----------
    means : two arrays (pixels, pixels)
        Average share of the jet's pT in each pixel; rows are the second coordinate.
    extent : float
        The image covers [-extent, extent] in both coordinates of the tagger's frame.
    """
    figure = Figure(figsize=(PAGE * 0.8, 2.7))
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    largest = max(float(mean.max()) for mean in means)
    norm = LogNorm(largest * 1e-4, largest)
    for axis, mean, name in zip(axes, means, classes, strict=True):
        drawn = axis.imshow(
            np.clip(mean, norm.vmin, None), norm=norm, cmap=SEQUENTIAL, extent=(-extent, extent, -extent, extent)
        )
        axis.set_title(name)
        axis.set_xlabel(r"$x^\prime$ / $\Delta R$(subjets)")
    axes[0].set_ylabel(r"$y^\prime$ / $\Delta R$(subjets)")
    figure.colorbar(drawn, ax=axes, label=r"mean share of $p_T$", extend="min", shrink=0.9)
    header(figure, title)
    return figure


def correlation(values: pd.DataFrame, weight: NDArray[np.float64]) -> pd.DataFrame:
    """Pearson correlations, weighted: variable by variable. A constant variable correlates with nothing: zeros."""
    array = values.to_numpy(np.float64)
    centred = array - np.average(array, axis=0, weights=weight)
    covariance = (centred * weight[:, None]).T @ centred / weight.sum()
    spread = np.sqrt(np.diag(covariance))
    scale = np.where(spread > 1e-12 * (1 + np.abs(array).max(axis=0)), spread, np.inf)
    matrix = covariance / scale[:, None] / scale[None, :]
    return pd.DataFrame(matrix, index=values.columns, columns=values.columns)


@house
def correlations(
    matrices: Sequence[pd.DataFrame], labels: Mapping[str, str], classes: tuple[str, str], title: str = ""
) -> Figure:
    """Correlation matrices in one: of background below the diagonal, of signal above.

    Parameters
    ----------
    matrices : two DataFrames
        From `correlation`, of the same variables in the same order: background, signal.
    """
    background, signal = (matrix.to_numpy() for matrix in matrices)
    names = [feature_label(name, labels) for name in matrices[0].columns]
    both = np.where(np.tri(len(names), dtype=bool), background, signal)
    np.fill_diagonal(both, np.nan)
    figure = Figure(figsize=(1.4 + 0.17 * len(names), 1.0 + 0.17 * len(names)))
    axis = figure.subplots()
    drawn = axis.imshow(both, cmap=DIVERGING, vmin=-1, vmax=1, origin="upper")
    axis.plot([-0.5, len(names) - 0.5], [-0.5, len(names) - 0.5], color=GREY, linewidth=0.6)
    axis.set_xlabel(f"below the diagonal: {classes[0]}")
    axis.set_title(f"above the diagonal: {classes[1]}")
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    axis.set_yticks(range(len(names)), names, fontsize=6)
    axis.tick_params(which="both", length=0)
    axis.minorticks_off()
    figure.colorbar(drawn, ax=axis, label="linear correlation", shrink=0.6)
    header(figure, title)
    return figure


@house
def single_variable_aucs(table: pd.DataFrame, labels: Mapping[str, str], title: str = "") -> Figure:
    """AUC of each variable on its own with its bootstrap interval, the best on top.

    Parameters
    ----------
    table : DataFrame
        variable, auc, low, high. An AUC below one half (signal at low values) is drawn at one minus itself, open.
    """
    folded = table.assign(strength=np.maximum(table["auc"], 1 - table["auc"])).sort_values("strength", kind="stable")
    rises = folded["auc"].to_numpy() >= 0.5
    centre = folded["strength"].to_numpy()
    low = np.where(rises, folded["low"], 1 - folded["high"])
    high = np.where(rises, folded["high"], 1 - folded["low"])
    figure = Figure(figsize=(COLUMN, 0.6 + 0.16 * len(folded)))
    axis = figure.subplots()
    place = np.arange(len(folded))
    axis.hlines(place, low, high, color=GREY)
    for chosen, face, name in ((rises, CLASS_COLOURS[1], "signal is higher"), (~rises, "white", "signal is lower")):
        if chosen.any():
            axis.plot(centre[chosen], place[chosen], "o", color=CLASS_COLOURS[1], mfc=face, label=name)
    axis.set_yticks(place, [feature_label(name, labels) for name in folded["variable"]])
    axis.tick_params(axis="y", which="minor", left=False, right=False)
    axis.axvline(0.5, color=GREY, linestyle=":", linewidth=0.8)
    axis.set_ylim(-0.7, len(folded) - 0.3)
    axis.set_xlabel("AUC of the variable alone (68% bootstrap)")
    axis.legend(loc="lower right")
    header(figure, title)
    return figure
