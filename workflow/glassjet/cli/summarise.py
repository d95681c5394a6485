"""Collect every seed's numbers in two tables.

summary.csv has the rows of all score tables (one for each seed, with the bootstrap's interval over the test jets)
and, for each metric, a row with seed "all": the mean over seeds, and a 68% t-interval of that mean. The latter is the
spread of training alone (initial weights, order, dropout) on fixed jets; with one seed only, such as the baseline's,
the bootstrap's interval stays. A rejection that is empty for one seed is empty for all; n_background of "all" is the
smallest of the seeds.

conservation.csv has the rows of all conservation tables.
"""

import argparse
import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd

from glassjet.errors import InputError
from glassjet.files import locked, read_csv, write_csv

log = logging.getLogger(__name__)

EXAMPLE = """\
  glassjet summarise --scores models/top/mbns/mbns/seed*/scores/top.csv \\
    --conservation attributions/top/mbns/mbns/seed*/top/conservation.csv \\
    --out-summary summary.csv --out-conservation conservation.csv"""

GROUP = ["task", "sample", "tagger", "features", "metric"]
SCORE_COLUMNS = ["task", "sample", "tagger", "features", "seed", "metric", "value", "low", "high", "n_background"]
CONSERVATION_KEYS = ["task", "sample", "tagger", "features", "seed", "preset"]
LEVEL = 0.6827


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `glassjet summarise`."""
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="tables of glassjet score, CSV")
    parser.add_argument("--conservation", type=Path, nargs="*", default=[], help="tables of glassjet explain, CSV")
    parser.add_argument("--out-summary", type=Path, required=True, help="the summary, CSV")
    parser.add_argument("--out-conservation", type=Path, required=True, help="the conservation of relevance, CSV")


def run(args: argparse.Namespace) -> None:
    """Read, summarise and write."""
    scores = _together(args.scores, SCORE_COLUMNS, [*GROUP, "seed"])
    with locked(args.out_summary):
        write_csv(summary(scores), args.out_summary)
    with locked(args.out_conservation):
        if args.conservation:
            write_csv(_together(args.conservation, CONSERVATION_KEYS, CONSERVATION_KEYS), args.out_conservation)
        else:
            write_csv(pd.DataFrame(columns=CONSERVATION_KEYS), args.out_conservation)
    log.info("%d rows of scores -> %s", len(scores), args.out_summary)


def _together(paths: list[Path], columns: list[str], keys: list[str]) -> pd.DataFrame:
    """The rows of several tables in a fixed order.

    Raises
    ------
    InputError
        If a table lacks a column, differs in its columns, or two tables have the same row.
    """
    parts: list[pd.DataFrame] = []
    for path in paths:
        part = read_csv(path, columns)
        part["from"] = str(path)
        if parts and list(part.columns) != list(parts[0].columns):
            raise InputError(f"{path}: has other columns than {paths[0]}; make both with the same version")
        parts.append(part)
    whole = pd.concat(parts, ignore_index=True)
    again = whole[whole.duplicated(keys)].to_dict("records")
    if again:
        row = ", ".join(str(again[0][key]) for key in keys)
        raise InputError(f"{again[0]['from']}: has {row}, which another table has too; name each file once")
    return _ordered(whole.drop(columns="from"), keys)


def _ordered(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows in the order of their keys, numbers in words by their value ("@2" before "@16"), seed "all" last."""

    def natural(text: str) -> list[tuple[int, int, str]]:
        pieces = re.split(r"(\d+)", "~" if text == "all" else text)
        return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces if piece]

    rows = frame[keys].astype(str).to_numpy()
    order = sorted(range(len(frame)), key=lambda i: [natural(text) for text in rows[i]])
    return frame.iloc[order].reset_index(drop=True)


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Score rows with a row `seed = all` for each task, sample, tagger, features and metric.

    Parameters
    ----------
    scores : DataFrame
        Columns task, sample, tagger, features, seed, metric, value, low, high, n_background.
    """
    over_seeds = []
    for names, group in scores.groupby(GROUP, sort=False):
        over_seeds.append(dict(zip(GROUP, names, strict=True)) | _over_seeds(group))
    whole = pd.concat([scores, pd.DataFrame(over_seeds, columns=SCORE_COLUMNS)], ignore_index=True)
    return _ordered(whole[SCORE_COLUMNS].astype({"n_background": "Int64"}), [*GROUP, "seed"])


def _over_seeds(group: pd.DataFrame) -> dict[str, object]:
    from scipy.stats import t

    value = group["value"].to_numpy(np.float64)
    mean = value.mean()
    low, high = mean, mean
    if len(value) == 1:
        low, high = group["low"].iloc[0], group["high"].iloc[0]
    elif not group["low"].isna().all():
        half = t.ppf((1 + LEVEL) / 2, len(value) - 1) * value.std(ddof=1) / np.sqrt(len(value))
        low, high = mean - half, mean + half
    else:
        low = high = np.nan
    return {"seed": "all", "value": mean, "low": low, "high": high, "n_background": group["n_background"].min()}
