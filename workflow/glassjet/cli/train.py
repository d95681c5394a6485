"""Train one tagger with one seed.

The tagger sees the features that are named (words joined by "+"):

    kinematics       the constituents                     for pfn
    image            the 16 x 16 image                    for xaug_image, alone or with a table
    mbns, xaug29 …   a set of expert variables            for mbns, xaug_dnn, xaug_image
    noise            canaries, for rankings               with any of these
    mass_tau32       soft-drop mass and tau32             for mass_tau32, a cut that is not trained (seed 0)

Scaling and training weights are fitted on the training jets alone. The weights balance the classes and give the
background the signal's pT and |eta|; early stopping watches the loss on the validation jets. The output is a
directory: model.json (all that is needed to use the weights), weights.safetensors, and history.csv with the learning
curves.
"""

import argparse
import dataclasses
import logging
from pathlib import Path

import pandas as pd

from glassjet.cli.fitting import add_data_arguments, add_fit_arguments, fit_settings
from glassjet.errors import InputError
from glassjet.files import locked, write_csv
from glassjet.provenance import provenance
from glassjet.training.settings import HISTORY, FitSettings

log = logging.getLogger(__name__)

EXAMPLE = """\
  glassjet train --tagger mbns --features mbns --task top --jets jets/top/train.h5 \\
    --observables observables/top/train.parquet --validation-jets jets/top/validation.h5 \\
    --validation-observables observables/top/validation.parquet --seed 1 --out models/top/mbns/mbns/seed1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `glassjet train`."""
    parser.add_argument("--tagger", required=True, help="mbns, xaug_dnn, xaug_image, pfn or mass_tau32")
    parser.add_argument("--features", required=True, help='what it sees, such as "kinematics" or "image+xaug29"')
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model, a directory")
    add_data_arguments(parser)
    add_fit_arguments(parser)
    parser.add_argument(
        "--window",
        type=float,
        nargs=2,
        default=[105.0, 210.0],
        metavar=("LOW", "HIGH"),
        help="of mass_tau32: soft-drop mass in GeV (default: 105 210)",
    )


def run(args: argparse.Namespace) -> None:
    """Train and write the model."""
    from glassjet.taggers.features import parse
    from glassjet.taggers.registry import tagger_of

    features = parse(args.features)
    trained = tagger_of(args.tagger, features).trained
    settings = fit_settings(args)
    with locked(args.out):
        if trained:
            _train(args, settings)
        else:
            _write_baseline(args)


def _train(args: argparse.Namespace, settings: FitSettings) -> None:
    from glassjet.taggers import devices, model
    from glassjet.taggers.build import build_network
    from glassjet.taggers.features import parse
    from glassjet.training import data
    from glassjet.training.fit import fit

    device = devices.prepare(args.device, args.threads)
    args.device = device.type  # for the provenance: what auto was
    features = parse(args.features)
    jets = data.load(
        features,
        args.jets,
        args.observables,
        args.validation_jets,
        args.validation_observables,
        device,
        args.buffer_jets,
    )
    network = build_network(args.tagger, features, args.seed)
    checkpoint = args.checkpoint / "fit.safetensors" if args.checkpoint else None
    name = f"{args.tagger} {args.features} seed {args.seed}"
    result = fit(network, jets.train, jets.validation, settings, args.seed, device, checkpoint, jets.digest, name)
    trained = model.Model(
        network,
        args.tagger,
        args.features,
        features.table,
        jets.scaling,
        args.task,
        jets.sample,
        jets.level,
        args.seed,
        {
            "settings": dataclasses.asdict(settings),
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "validation_loss": result.validation_loss,
            "validation_auc": result.validation_auc,
            "jets": len(jets.train),
            "weights": jets.weights,
        },
        provenance("train", vars(args)),
    )
    write_csv(result.table(), args.out / "history.csv")
    model.save(trained, args.out)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    log.info(
        "%s: %d epochs, best %d, validation AUC %.4f -> %s",
        name,
        len(result.history),
        result.best_epoch,
        result.validation_auc,
        args.out,
    )


def _write_baseline(args: argparse.Namespace) -> None:
    from glassjet.taggers import model
    from glassjet.taggers.baseline import MassTau32
    from glassjet.taggers.features import parse
    from glassjet.taggers.sample import open_sample

    if args.seed != 0:
        raise InputError(f"--seed {args.seed}: {args.tagger} has nothing to train, so its only seed is 0")
    low, high = args.window
    if not 0 <= low < high:
        raise InputError(f"--window {low:g} {high:g}: the first mass must be below the second")
    features = parse(args.features)
    sample = open_sample(args.jets, args.observables, features.observables, splits=("train",))
    baseline = model.Model(
        MassTau32((low, high)),
        args.tagger,
        args.features,
        features.table,
        {},
        args.task,
        str(sample.metadata.get("sample", "")),
        str(sample.metadata.get("level", "")),
        0,
        {"jets": 0, "epochs": 0},
        provenance("train", vars(args)),
    )
    write_csv(pd.DataFrame(columns=HISTORY), args.out / "history.csv")
    model.save(baseline, args.out)
