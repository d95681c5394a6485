"""Score jets with a trained tagger, and say how well it does.

Writes two files: X.h5 with the log-odds of every jet beside its label, weight, event, pt, eta, mass and
mass_softdrop, and X.csv with the numbers: auc, the background rejection at each signal efficiency (rejection_50 is 1
/ eps_B at eps_S = 0.5), accuracy, cross_entropy and the number of parameters.

The weights of the jets enter everywhere, within each class; the classes count the same. Intervals are 68% of a
bootstrap of the jets within each class, with the same jets drawn for every tagger, so that differences between
taggers are paired. A rejection that rests on fewer than 30 background jets is left empty; n_background says how many
pass.

--model may also be a directory of glassjet reduce: every reduced model in it is scored, into X.csv alone, with
"mbns:shap@4" for the four best features by shap, and "mbns:random0@4" for a first random draw.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.cli.fitting import add_device_arguments
from glassjet.errors import InputError
from glassjet.files import atomic, locked, read_csv, write_csv
from glassjet.provenance import provenance

if TYPE_CHECKING:
    import torch

    from glassjet.taggers.model import Model
    from glassjet.taggers.sample import Sample

log = logging.getLogger(__name__)

EXAMPLE = """\
  glassjet score --model models/top/mbns/mbns/seed1 --jets jets/top/test.h5 \\
    --observables observables/top/test.parquet --out models/top/mbns/mbns/seed1/scores/top.h5"""

COLUMNS = ["task", "sample", "tagger", "features", "seed", "metric", "value", "low", "high", "n_background"]
KEPT = {"label": "i1", "weight": "f8", "event": "i8", "pt": "f4", "mass": "f4", "eta": "f4", "mass_softdrop": "f4"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `glassjet score`."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="from glassjet train, or glassjet reduce"
    )
    parser.add_argument("--jets", type=Path, required=True, help="jets to score, HDF5")
    parser.add_argument("--observables", type=Path, required=True, help="their table from glassjet observe, Parquet")
    parser.add_argument("--out", type=Path, required=True, help="X.h5; X.csv is written beside it")
    parser.add_argument(
        "--signal-efficiencies",
        type=float,
        nargs="+",
        default=[0.3, 0.5, 0.8],
        help="where the background rejection is given (default: 0.3 0.5 0.8)",
    )
    parser.add_argument(
        "--bootstrap", type=int, default=200, help="bootstrap samples, 0 for no intervals (default: %(default)s)"
    )
    add_device_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Score and write."""
    for efficiency in args.signal_efficiencies:
        if not 0 < efficiency < 1:
            raise InputError(f"--signal-efficiencies {efficiency}: must lie between 0 and 1")
    if args.bootstrap < 0:
        raise InputError(f"--bootstrap {args.bootstrap}: must not be negative")
    if args.out.suffix not in (".h5", ".csv"):
        raise InputError(f"--out {args.out}: must end in .h5 (the table is written beside it, in .csv)")
    with locked(args.out):
        if (args.model / "subsets.csv").exists():
            _score_subsets(args)
        else:
            _score_model(args)


def _score_model(args: argparse.Namespace) -> None:
    from glassjet.taggers import devices
    from glassjet.taggers.model import load

    model = load(args.model)
    sample = _open(args, [model])
    device = devices.prepare(args.device, args.threads)
    args.device = device.type  # for the provenance: what auto was
    output = _outputs(model, sample, device)
    about = {
        "task": model.task,
        "sample": sample.metadata.get("sample", ""),
        "split": sample.metadata.get("split", ""),
        "level": sample.metadata.get("level", ""),
        "tagger": model.tagger,
        "features": model.features,
        "seed": model.seed,
    }
    rows = _rows(args, model, sample, output, model.features)
    with atomic(args.out.with_suffix(".h5")) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["glassjet"] = "scores"
        file.attrs["metadata"] = json.dumps(about, sort_keys=True)
        file.attrs["provenance"] = provenance("score", vars(args))
        columns = {"output": output} | {name: _column(sample, name).astype(kind) for name, kind in KEPT.items()}
        for name, column in columns.items():
            file.create_dataset(name, data=column, compression="gzip", compression_opts=1, shuffle=True)
    write_csv(pd.DataFrame(rows, columns=COLUMNS).astype({"n_background": "Int64"}), args.out.with_suffix(".csv"))
    found = {row["metric"]: row["value"] for row in rows}
    log.info("%s %s seed %d on %s: AUC %.4f", model.tagger, model.features, model.seed, about["sample"], found["auc"])


def _score_subsets(args: argparse.Namespace) -> None:
    from glassjet.taggers import devices
    from glassjet.taggers.model import load

    table = read_csv(args.model / "subsets.csv", ["method", "k", "draw", "subset"])
    models = {str(name): load(args.model / "subsets" / str(name)) for name in dict.fromkeys(table["subset"])}
    sample = _open(args, list(models.values()))
    device = devices.prepare(args.device, args.threads)
    scored = {name: _rows(args, model, sample, _outputs(model, sample, device), "") for name, model in models.items()}
    rows = []
    for entry in table.to_dict("records"):
        method = f"random{int(entry['draw'])}" if entry["method"] == "random" else entry["method"]
        features = f"{models[str(entry['subset'])].features}:{method}@{int(entry['k'])}"
        rows += [row | {"features": features} for row in scored[str(entry["subset"])]]
    write_csv(pd.DataFrame(rows, columns=COLUMNS).astype({"n_background": "Int64"}), args.out.with_suffix(".csv"))
    log.info("%d reduced models -> %s", len(models), args.out.with_suffix(".csv"))


def _open(args: argparse.Namespace, models: list["Model"]) -> "Sample":
    """The sample, with the columns that all models need; warns if they were trained at another level."""
    from glassjet.taggers.sample import open_sample

    needed = dict.fromkeys(name for model in models for name in model.feature_set.observables)
    sample = open_sample(args.jets, args.observables, (*needed, "mass_softdrop"))
    level = sample.metadata.get("level")
    for trained in dict.fromkeys(model.level for model in models):
        if trained != level:
            log.warning("trained on %s-level jets, scored on %s-level jets", trained, level)
    return sample


def _outputs(model: "Model", sample: "Sample", device: "torch.device") -> NDArray[np.float64]:
    model.network.to(device)
    blocks = sample.blocks(model.feature_set, model.scaling)
    return np.concatenate([model.outputs(inputs, device) for _, inputs in blocks])


def _column(sample: "Sample", name: str) -> NDArray[Any]:
    return sample.columns[name] if name in sample.columns else sample.observables[name].to_numpy()


def _rows(
    args: argparse.Namespace, model: "Model", sample: "Sample", output: NDArray[np.float64], features: str
) -> list[dict[str, Any]]:
    from glassjet.taggers.registry import TAGGERS
    from glassjet.training.bootstrap import Score, scores

    found = scores(
        output,
        sample.label,
        sample.columns["weight"],
        list(dict.fromkeys(args.signal_efficiencies)),
        args.bootstrap,
        TAGGERS[model.tagger].trained,
    )
    about = {
        "task": model.task,
        "sample": sample.metadata.get("sample", ""),
        "tagger": model.tagger,
        "features": features,
        "seed": model.seed,
    }
    return [about | vars(score) for score in [*found, Score("parameters", model.parameters)]]
