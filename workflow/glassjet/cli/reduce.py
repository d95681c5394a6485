"""Retrain a tagger on its highest-ranked features, and on random ones to compare with.

For each method and each k, the first k features of this seed's ranking are taken, a new network is trained on them from
scratch, and its validation AUC noted. Noise columns are never chosen. With --random N, N draws of k random features are
trained too: a ranking is worth something only where it beats them. Equal sets of features are trained once. Only the
columns of the table are chosen from: an image stays, whatever is chosen.

The output directory holds subsets.csv (method, k, draw, subset, features, validation_auc) and, for each subset,
subsets/<subset>/ with model.json, weights.safetensors and history.csv, as glassjet train makes them; glassjet score
takes the whole directory. The model with all features is not trained again here: it is that of glassjet train.

The split train is fitted, validation ends the training; the test split is refused, as it was for the ranking. With
--checkpoint, subsets that are done stay done when the verb is killed, and the one in training goes on from its last
epoch.
"""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from glassjet.cli.fitting import add_data_arguments, add_fit_arguments, fit_settings, positive
from glassjet.errors import InputError
from glassjet.files import atomic_directory, locked, read_csv, write_csv
from glassjet.provenance import provenance

if TYPE_CHECKING:
    from glassjet.ranking.reduced import Choice

log = logging.getLogger(__name__)

EXAMPLE = """\
  glassjet reduce --tagger mbns --features mbns --task top --ranking rankings/top/mbns/mbns+noise/ranking.csv \\
    --methods lrp_recommended shap delta_auc --k 1 2 4 8 --random 3 --jets jets/top/train.h5 \\
    --observables observables/top/train.parquet --validation-jets jets/top/validation.h5 \\
    --validation-observables observables/top/validation.parquet --seed 1 --out reduced/top/mbns/mbns/seed1"""

COLUMNS = ["method", "k", "draw", "subset", "features", "validation_auc"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("--tagger", required=True, help="the tagger that was ranked, and is trained")
    parser.add_argument("--features", required=True, help="the feature set to choose from, such as mbns")
    parser.add_argument("--ranking", type=Path, required=True, metavar="CSV", help="from glassjet rank")
    parser.add_argument("--methods", nargs="*", default=[], metavar="METHOD", help="rankings to follow")
    parser.add_argument("--k", type=positive, nargs="+", required=True, help="numbers of features")
    parser.add_argument("--random", type=int, default=0, help="random draws for each k (default: %(default)s)")
    add_data_arguments(parser)
    add_fit_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the reduced models")


def run(args: argparse.Namespace) -> None:
    """Choose, train and write."""
    from glassjet.ranking.reduced import choices
    from glassjet.taggers.features import parse
    from glassjet.taggers.registry import tagger_of

    features = parse(args.features)
    if not tagger_of(args.tagger, features).trained:
        raise InputError(f"tagger {args.tagger} is not trained, so there is nothing to reduce")
    if not features.table:
        raise InputError(f"--features {args.features}: there is no table to choose columns from")
    if args.random < 0:
        raise InputError(f"--random {args.random}: give the number of draws, 0 for none")
    if not args.methods and not args.random:
        raise InputError("--methods: name rankings to follow, or give --random draws")
    ranking = read_csv(args.ranking, ["task", "tagger", "method", "seed", "feature", "rank"])
    for name in ("task", "tagger"):
        others = sorted(set(ranking[name]) - {getattr(args, name)})
        if others:
            raise InputError(f"{args.ranking}: is of {name} {others[0]}, not of {getattr(args, name)}")
    try:
        chosen = choices(
            ranking,
            args.tagger,
            args.seed,
            features.table,
            list(dict.fromkeys(args.methods)),
            list(dict.fromkeys(args.k)),
            args.random,
        )
    except InputError as error:
        raise InputError(f"{args.ranking}: {error}") from None
    with locked(args.out):
        _train(args, chosen)


def _train(args: argparse.Namespace, chosen: list["Choice"]) -> None:
    """Train each subset once and write the directory."""
    from glassjet.ranking.retraining import Retraining
    from glassjet.taggers import devices
    from glassjet.taggers.features import parse

    device = devices.prepare(args.device, args.threads)
    args.device = device.type  # for the provenance: what auto was
    retraining = Retraining(
        args.tagger,
        parse(args.features),
        args.task,
        args.seed,
        fit_settings(args),
        (args.jets, args.observables, args.validation_jets, args.validation_observables),
        args.buffer_jets,
        device,
        args.checkpoint,
        provenance("reduce", vars(args)),
    )
    subsets = {choice.subset: choice.columns for choice in chosen}
    log.info("%d choices of features, %d of them different", len(chosen), len(subsets))
    with atomic_directory(args.out) as directory:
        auc = {name: retraining.train(name, columns, directory / "subsets" / name) for name, columns in subsets.items()}
        rows = [[one.method, one.k, one.draw, one.subset, " ".join(one.columns), auc[one.subset]] for one in chosen]
        write_csv(pd.DataFrame(rows, columns=COLUMNS), directory / "subsets.csv")
    retraining.clean(subsets)
