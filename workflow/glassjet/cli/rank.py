"""Rank a tagger's features by their attributions, and say how far rankings agree.

Reads the directories that `glassjet explain` made, one for each seed of a tagger, and writes two tables:

  ranking.csv     per method, seed and feature: score, 68% interval, rank, and whether the score is above the noise
                  level. Seed "all" is the mean over seeds with its t-interval.
  agreement.csv   Spearman and Kendall correlation and the overlap of the first five, between seeds of a method and
                  between methods. Noise columns are left out of it.

Scores. For LRP and SHAP a feature's score is its share of |relevance| in a jet, averaged over jets with both classes
weighing the same; an image, or a feature of all constituents, counts as the sum of its relevances. Scores of a tagger
add up to one; the interval is a bootstrap over jets. For masking it is the mean change over the repeats, and the
interval spans 68% of the repeats: delta_auc, delta_cross_entropy and mad are permutations, other replacements have
their name behind (delta_auc_conditional, …).

The noise level is the 95% quantile of the noise columns' scores over columns and seeds; explain a tagger trained on
"<features>+noise" to have one. Attributions of the test split are refused: what is chosen by them is judged there.
"""

import argparse
from pathlib import Path

from glassjet.errors import InputError
from glassjet.files import locked, write_csv

EXAMPLE = """  glassjet rank --attributions results/quick/attributions/top/mbns/mbns+noise/seed1/top \\
      results/quick/attributions/top/mbns/mbns+noise/seed2/top \\
      --bootstrap 100 --out-ranking ranking.csv --out-agreement agreement.csv"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("--attributions", type=Path, nargs="+", required=True, metavar="DIR", help="one per seed")
    parser.add_argument("--bootstrap", type=int, default=100, help="draws of the jets (default 100; 0: no intervals)")
    parser.add_argument("--out-ranking", type=Path, required=True, metavar="CSV")
    parser.add_argument("--out-agreement", type=Path, required=True, metavar="CSV")


def run(args: argparse.Namespace) -> None:
    """Write the two tables."""
    from glassjet.ranking.tables import tables

    if args.bootstrap < 0:
        raise InputError(f"--bootstrap {args.bootstrap}: give the number of draws, 0 for none")
    with locked(args.out_ranking), locked(args.out_agreement):
        ranking, agreement = tables(args.attributions, args.bootstrap)
        write_csv(ranking, args.out_ranking)
        write_csv(agreement, args.out_agreement)
