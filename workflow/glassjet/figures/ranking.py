"""Figures of rankings: scores above the noise, ranks by method, agreement, and what the first features can do alone."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

from glassjet.figures.names import feature_label, in_order, method_name
from glassjet.figures.performance import metric_label
from glassjet.figures.style import (
    BLACK,
    COLUMN,
    DIVERGING,
    GREY,
    PAGE,
    SEED_MARKERS,
    grid,
    header,
    house,
    legend_below,
    method_style,
)

REDUCED = re.compile(r"(?P<features>[^:]+):(?P<method>.+?)@(?P<k>\d+)")
RANDOM = re.compile(r"random(?P<draw>\d+)")


def is_noise(feature: str) -> bool:
    """Whether a feature is one of the canaries."""
    return feature.startswith("noise_")


@house
def rankings(table: pd.DataFrame, labels: Mapping[str, str], title: str = "", most: int = 16) -> Figure:
    """Scores of the first features, a panel per method: seeds as points, their mean as a bar, the noise as a line.

    Parameters
    ----------
    table : DataFrame
        method, seed ("all" for all seeds together), feature, score, rank, noise_level; with `group`, one row of
        panels or more for each of its values, which stands in the titles.
    most : int
        Features drawn per method.
    """
    table = table if "group" in table else table.assign(group="")
    panels = [(group, method) for group in dict.fromkeys(table["group"]) for method in in_order(table["method"])]
    drawn = min(most, table["feature"].nunique())
    figure, axes = grid(len(panels), 3, max(0.7 + 0.155 * drawn, 1.7))
    for axis, (group, method) in zip(axes, panels, strict=True):
        part = table[(table["group"] == group) & (table["method"] == method)]
        together = part[part["seed"] == "all"].sort_values("rank").head(most).iloc[::-1]
        order = together["feature"].tolist()
        colour = method_style(method)["color"]
        bars = axis.barh(range(len(order)), together["score"], color=colour, alpha=0.3, height=0.7)
        for feature, bar in zip(order, bars, strict=True):
            if is_noise(feature):
                bar.set_facecolor(GREY)
        seeds = [seed for seed in dict.fromkeys(part["seed"]) if seed != "all"]
        for number, seed in enumerate(seeds):
            scores = part[part["seed"] == seed].set_index("feature")["score"].reindex(order)
            marker = SEED_MARKERS[number % len(SEED_MARKERS)]
            axis.plot(scores, range(len(order)), marker, color=colour, markersize=2.5)
        for level in together["noise_level"].dropna().unique():
            axis.axvline(level, color=BLACK, linestyle="--", linewidth=0.8)
        axis.set_title(": ".join(word for word in (group, method_name(method)) if word))
        axis.set_yticks(range(len(order)), [feature_label(name, labels) for name in order], fontsize=6)
        axis.tick_params(axis="y", which="minor", left=False, right=False)
        axis.set_ylim(-0.6, len(order) - 0.4)
        axis.xaxis.set_major_locator(MaxNLocator(3))
        axis.set_xlabel(r"mean share of $|R|$" if method.startswith(("lrp", "shap")) else method_name(method))
    header(figure, title)
    return figure


def rank_table(ranking: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ranks of the features (all seeds together) by method, ordered by their mean rank over the methods.

    Parameters
    ----------
    ranking : DataFrame
        method, seed, feature, rank, above_noise.

    Returns
    -------
    ranks, above : DataFrames (features, methods)
    """
    together = ranking[ranking["seed"] == "all"]
    methods = in_order(together["method"])
    ranks = together.pivot(index="feature", columns="method", values="rank")[methods]
    order = ranks.mean(axis=1).sort_values(kind="stable").index
    above = together.pivot(index="feature", columns="method", values="above_noise")[methods]
    # Without noise among the features there is no level, and nothing is known to lie below it.
    return ranks.loc[order], above.loc[order].map(lambda found: str(found) != "False")


@house
def ranks(table: pd.DataFrame, above: pd.DataFrame, labels: Mapping[str, str], title: str = "") -> Figure:
    """Ranks by method as a coloured table; ranks in brackets are not above the noise.

    Parameters
    ----------
    table, above : DataFrames (features, methods)
        From `rank_table`.
    """
    figure = Figure(figsize=(0.5 * PAGE + 0.25 * table.shape[1], 1.1 + 0.17 * len(table)))
    axis = figure.subplots()
    text = table.map(lambda rank: f"{rank:g}").where(above, table.map(lambda rank: f"({rank:g})"))
    sns.heatmap(
        table, annot=text, fmt="", cmap="cividis_r", ax=axis, annot_kws={"fontsize": 6}, cbar_kws={"label": "rank"}
    )
    axis.set_xticklabels([method_name(str(method)) for method in table.columns], rotation=30, ha="right")
    axis.set_yticks(np.arange(len(table)) + 0.5, [feature_label(str(name), labels) for name in table.index], rotation=0)
    axis.set(xlabel="", ylabel="")
    axis.tick_params(which="both", length=0)
    axis.minorticks_off()
    header(figure, title)
    return figure


def agreement_matrix(agreement: pd.DataFrame, statistic: str = "spearman") -> pd.DataFrame:
    """Mean agreement of two methods on one network; on the diagonal that of one method's seeds (NaN with one seed).

    Parameters
    ----------
    agreement : DataFrame
        kind ("methods" or "seeds"), method_a, method_b, seed_a and the statistic. Rows of seed "all", which is no
        network, are left out.
    """
    agreement = agreement[agreement["seed_a"].astype(str) != "all"]
    methods = in_order([*agreement["method_a"], *agreement["method_b"]])
    matrix = pd.DataFrame(np.nan, index=methods, columns=methods)
    for (kind, a, b), part in agreement.groupby(["kind", "method_a", "method_b"]):
        if (kind == "seeds") == (a == b):
            matrix.loc[a, b] = matrix.loc[b, a] = part[statistic].mean()
    return matrix


@house
def agreement(matrix: pd.DataFrame, title: str = "") -> Figure:
    """Rank correlation of every two methods, and on the framed diagonal of the seeds of one method.

    Parameters
    ----------
    matrix : DataFrame (methods, methods)
        From `agreement_matrix`.
    """
    size = 0.42 * len(matrix)
    figure = Figure(figsize=(2.3 + size, 1.2 + size))
    axis = figure.subplots()
    sns.heatmap(
        matrix,
        annot=True,
        fmt=".2f",
        cmap=DIVERGING,
        vmin=-1,
        vmax=1,
        square=True,
        ax=axis,
        annot_kws={"fontsize": 6.5},
        cbar_kws={"label": r"Spearman's $\rho$", "shrink": 0.8},
    )
    for place in range(len(matrix)):
        axis.plot(
            [place, place + 1, place + 1, place, place],
            [place, place, place + 1, place + 1, place],
            color=BLACK,
            linewidth=1,
            clip_on=False,
        )
    names = [method_name(str(method)) for method in matrix.columns]
    axis.set_xticks(np.arange(len(names)) + 0.5, names, rotation=40, ha="right")
    axis.set_yticks(np.arange(len(names)) + 0.5, names, rotation=0)
    axis.tick_params(which="both", length=0)
    axis.minorticks_off()
    axis.set_title(title)
    return figure


def reduced_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of reduced models in a summary, whose features read "mbns:shap@5" or "mbns:random2@5".

    Parameters
    ----------
    summary : DataFrame
        With the column `features`.

    Returns
    -------
    DataFrame
        The same columns, `features` that of the whole set, with method ("random" for random draws), draw and k.
    """
    rows = []
    for record in summary.to_dict("records"):
        if found := REDUCED.fullmatch(str(record["features"])):
            random = RANDOM.fullmatch(found["method"])
            record |= {
                "features": found["features"],
                "method": "random" if random else found["method"],
                "draw": int(random["draw"]) if random else 0,
                "k": int(found["k"]),
            }
            rows.append(record)
    return pd.DataFrame(rows, columns=[*summary.columns, "method", "draw", "k"])


def _over_k(part: pd.DataFrame) -> pd.DataFrame:
    """Mean, smallest and largest value for each k, over seeds and draws."""
    return part.groupby("k")["value"].agg(["mean", "min", "max"])


@house
def reduced(
    table: pd.DataFrame, full: pd.DataFrame, metrics: Sequence[str], title: str = "", height: float = 2.8
) -> Figure:
    """Performance of models retrained on k features against k: ranked, random, and the full model's seeds as a band.

    Parameters
    ----------
    table : DataFrame
        From `reduced_rows`, seeds only: method, draw, k, seed, metric, value; with `group`, panels for each
        of its values.
    full : DataFrame
        seed, metric, value (and group) of the model with all features, seeds only.
    metrics : sequence of str
        One panel each.
    """
    table = table if "group" in table else table.assign(group="")
    # A rejection that rests on too few jets is empty, of the best models first: then none is drawn for that k.
    whole = (
        table["value"].notna().groupby([table[name] for name in ("group", "metric", "method", "k")]).transform("all")
    )
    table = table[whole]
    full = full if "group" in full else full.assign(group="")
    panels = [
        (group, metric)
        for group in dict.fromkeys(table["group"])
        for metric in metrics
        if ((table["group"] == group) & (table["metric"] == metric)).any()
    ]
    figure, axes = grid(len(panels), 2, height, COLUMN if len(panels) == 1 else PAGE)
    for axis, (group, metric) in zip(axes, panels, strict=True):
        part = table[(table["group"] == group) & (table["metric"] == metric)]
        best = full.loc[(full["group"] == group) & (full["metric"] == metric), "value"]
        if len(best) and best.notna().all():
            axis.axhspan(best.min(), best.max(), color=BLACK, alpha=0.15, linewidth=0)
            axis.axhline(best.mean(), color=BLACK, linewidth=0.8, label="all features")
        chance = _over_k(part[part["method"] == "random"])
        if len(chance):
            axis.fill_between(chance.index, chance["min"], chance["max"], color=GREY, alpha=0.2, linewidth=0)
            axis.plot(chance.index, chance["mean"], color=GREY, linestyle=":", label="random features")
        for method in in_order(set(part["method"]) - {"random"}):
            ranked = part[part["method"] == method]
            style, mean = method_style(method), _over_k(ranked)["mean"]
            axis.plot(mean.index, mean, color=style["color"], linewidth=1)
            axis.plot(ranked["k"], ranked["value"], style["marker"], color=style["color"], markersize=2.5, alpha=0.8)
            axis.plot([], [], marker=style["marker"], color=style["color"], label=method_name(method))
        axis.set_xscale("log", base=2)
        axis.set_xticks(np.unique(part["k"]))
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_title(group)
        axis.set_xlabel("number of features $k$")
        axis.set_ylabel(metric_label(metric))
    legend_below(figure, axes[0], columns=5)
    header(figure, title)
    return figure
