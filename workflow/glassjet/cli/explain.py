"""Attribute a tagger's output, the log-odds of each jet, to its inputs.

Methods, each with a file of its own in the output directory:

  lrp_p1, lrp_p2, lrp_recommended   layer-wise relevance propagation with the rules of arXiv:2011.13466, of
                                    arXiv:2210.04371, or those that this project recommends. For any network.
  shap                              Shapley values (DeepSHAP), checked against the permutation estimate on some jets;
                                    the correlations stand in the file. For taggers on a table only.
  masking                           masking.csv: what the tagger loses when a feature is replaced by another jet's
                                    value, by its conditional mean, its mean or zero. For any network.

conservation.csv has a row per LRP preset: how well relevance adds up to the output, and the shares (median over jets,
of |log-odds|) that bias, stabiliser and undistributable neurons keep.

shap and masking need --background-jets, the training split: what "the feature is not known" means is learnt there. A
table or an image needs --observables; constituents alone do not. Any split can be explained, and the file says which;
rankings accept all but the test split.
"""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from glassjet.cli.fitting import add_device_arguments, positive, seed
from glassjet.errors import InputError, unknown
from glassjet.files import locked, write_csv
from glassjet.provenance import provenance

if TYPE_CHECKING:
    import torch

    from glassjet.taggers.inputs import Inputs
    from glassjet.taggers.model import Model
    from glassjet.taggers.sample import Sample

log = logging.getLogger(__name__)

EXAMPLE = """\
  glassjet explain --model models/top/mbns/mbns+noise/seed1 --jets jets/top/explain.h5 \\
    --observables observables/top/explain.parquet --background-jets jets/top/train.h5 \\
    --background-observables observables/top/train.parquet \\
    --methods lrp_p1 lrp_p2 lrp_recommended shap masking --limit 1000 --out attributions"""

CHUNK = 250  # jets at a time
KEYS = ["task", "sample", "tagger", "features", "seed"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="from glassjet train")
    parser.add_argument("--jets", type=Path, required=True, help="jets to explain, HDF5")
    parser.add_argument("--observables", type=Path, help="their table from glassjet observe, Parquet")
    parser.add_argument("--background-jets", type=Path, help="training jets, for shap and masking")
    parser.add_argument("--background-observables", type=Path, help="their table, Parquet")
    parser.add_argument(
        "--methods", nargs="+", default=["lrp_recommended"], metavar="METHOD", help="default: lrp_recommended"
    )
    parser.add_argument("--limit", type=positive, help="explain the first jets only (default: all)")
    parser.add_argument("--shap-background", type=positive, default=100, help="training jets (default: %(default)s)")
    parser.add_argument(
        "--shap-check",
        type=positive,
        default=100,
        help="jets on which shap is checked against the permutation estimate (default: %(default)s)",
    )
    parser.add_argument(
        "--shap-permutations",
        type=positive,
        default=3,
        help="pairs of orders of the features in that estimate (default: %(default)s)",
    )
    parser.add_argument(
        "--masking-background",
        type=positive,
        default=5000,
        help="training jets that means and conditional means are fitted on (default: %(default)s)",
    )
    parser.add_argument("--masking-repeats", type=positive, default=10, help="permutations (default: %(default)s)")
    parser.add_argument("--seed", type=seed, default=1, help="of all draws (default: %(default)s)")
    add_device_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the methods' files go")


def run(args: argparse.Namespace) -> None:
    """Explain and write."""
    from glassjet.taggers import devices
    from glassjet.taggers.model import load

    model = load(args.model)
    _check_methods(args.methods, model)
    if {"shap", "masking"} & set(args.methods) and not args.background_jets:
        raise InputError("shap and masking need --background-jets: the training split of the model")
    device = devices.prepare(args.device, args.threads)
    args.device = device.type  # for the provenance: what auto was
    model.network.to(device)
    sample = _open(args, model)
    jets = min(args.limit or len(sample), len(sample))
    with locked(args.out):
        args.out.mkdir(parents=True, exist_ok=True)
        rows = []
        for method in dict.fromkeys(args.methods):
            if method == "shap":
                _shap(args, model, sample, jets, device)
            elif method == "masking":
                _masking(args, model, sample, jets, device)
            else:
                rows.append(_lrp(args, model, sample, jets, device, method))
        _write_conservation(rows, args.out / "conservation.csv")


def _check_methods(methods: list[str], model: "Model") -> None:
    """Refuse methods that do not exist, or do not apply to the tagger."""
    from glassjet.attribution.lrp.presets import PRESETS
    from glassjet.taggers.registry import TAGGERS

    known = [*(f"lrp_{name}" for name in PRESETS), "shap", "masking"]
    for method in methods:
        if method not in known:
            raise unknown("method", method, known)
    if not TAGGERS[model.tagger].trained:
        raise InputError(f"tagger {model.tagger} has no network: there is nothing to explain")
    if "shap" in methods and model.feature_set.inputs != {"table"}:
        others = ", ".join(name for name in known if name != "shap")
        raise InputError(
            f"--methods shap: for taggers on a table only, {model.tagger} takes {model.features}; others: {others}"
        )


def _open(args: argparse.Namespace, model: "Model") -> "Sample":
    """The jets with the observables that the model needs; warns if it was trained at another level."""
    from glassjet.attribution.sample import open_for

    sample = open_for(model.feature_set, args.jets, args.observables, "--observables")
    level = sample.metadata.get("level")
    if model.level != level:
        log.warning("trained on %s-level jets, explained on %s-level jets", model.level, level)
    return sample


def _about(model: "Model", sample: "Sample") -> dict[str, Any]:
    """What every file says of itself."""
    return {
        "task": model.task,
        "sample": sample.metadata.get("sample", ""),
        "split": sample.metadata.get("split", ""),
        "level": sample.metadata.get("level", ""),
        "tagger": model.tagger,
        "features": model.features,
        "seed": model.seed,
        "table": list(model.feature_set.table),
        "constituents": list(model.feature_set.constituent_names),
    }


def _columns(sample: "Sample", start: int, stop: int, output: Any) -> dict[str, Any]:
    """What every file has of each jet."""
    columns = {name: sample.columns[name][start:stop] for name in ("event", "label", "weight")}
    return columns | {"jet": range(start, stop), "output": output}


def _lrp(
    args: argparse.Namespace, model: "Model", sample: "Sample", jets: int, device: "torch.device", method: str
) -> dict[str, Any]:
    """Write the relevance by one preset; returns its row of conservation.csv."""
    import numpy as np
    from tqdm import tqdm

    from glassjet.attribution.conservation import conservation
    from glassjet.attribution.lrp.engine import relevance
    from glassjet.attribution.lrp.presets import PRESETS
    from glassjet.attribution.store import flat, writing
    from glassjet.taggers.model import tensors

    preset = PRESETS[method.removeprefix("lrp_")]
    about = _about(model, sample)
    description = {"method": method, "preset": preset.description, "departures": list(preset.departures)}
    outputs, ledgers = [], []
    with writing(args.out / f"{method}.h5", about | description, provenance("explain", vars(args))) as writer:
        for start in tqdm(range(0, jets, CHUNK), desc=method, unit_scale=CHUNK, unit="jet", disable=None):
            stop = min(start + CHUNK, jets)
            inputs = sample.inputs(model.feature_set, start, stop, model.scaling)
            found = relevance(model.network, tensors(inputs, slice(None), device), preset)
            mask = inputs.get("mask")
            writer.append(
                _columns(sample, start, stop, found.output),
                flat(found.relevance, mask),
                flat(inputs, mask),
                found.ledger,
            )
            outputs.append(found.output)
            ledgers.append(found.ledger)
    ledger = {name: np.concatenate([part[name] for part in ledgers]) for name in ledgers[0]}
    summary = conservation(np.concatenate(outputs), ledger)
    log.info("%s: closure %.1e, bias share %.2f", method, summary["closure_max"], summary["bias_share"])
    return {key: about[key] for key in KEYS} | {"preset": preset.name} | summary


def _shap(args: argparse.Namespace, model: "Model", sample: "Sample", jets: int, device: "torch.device") -> None:
    """Write the Shapley values, with their agreement with the permutation estimate on the first jets."""
    import numpy as np
    from tqdm import tqdm

    from glassjet.attribution import shapley
    from glassjet.attribution.store import flat, writing

    sequence = shapley.plain(model.network).to(device)
    background = _background(args, model, args.shap_background)["table"]
    checked = min(args.shap_check, jets)
    first: list[Any] = []
    metadata = _about(model, sample) | {"method": "shap", "background": len(background)}
    with writing(args.out / "shap.h5", metadata, provenance("explain", vars(args))) as writer:
        for start in tqdm(range(0, jets, CHUNK), desc="shap", unit_scale=CHUNK, unit="jet", disable=None):
            stop = min(start + CHUNK, jets)
            inputs = sample.inputs(model.feature_set, start, stop, model.scaling)
            found = shapley.explain(sequence, background, inputs["table"], start)
            writer.append(
                _columns(sample, start, stop, found.output),
                {"table": found.phi.astype(np.float32)},
                flat(inputs, None),
                {"base": np.full(stop - start, found.base)},
            )
            first.append(found.phi[: max(checked - start, 0)])
        table = sample.inputs(model.feature_set, 0, checked, model.scaling)["table"]
        estimate = shapley.permutation_phi(sequence, background, table, args.seed, args.shap_permutations)
        agreement = shapley.agreement(np.concatenate(first), estimate)
        writer.metadata["permutation_check"] = agreement.as_dict()
    log.info(
        "shap: correlation with the permutation estimate on %d jets %.3f, of the rankings %.3f",
        agreement.jets,
        agreement.pearson,
        agreement.spearman_ranking,
    )


def _masking(args: argparse.Namespace, model: "Model", sample: "Sample", jets: int, device: "torch.device") -> None:
    """Write the masking table."""
    import numpy as np

    from glassjet.attribution.branch import remembered
    from glassjet.attribution.masking import Masking, masking
    from glassjet.attribution.replacement import features, zeros
    from glassjet.taggers.inputs import join

    labels, weights = sample.label[:jets], sample.columns["weight"][:jets]
    if len(np.unique(labels)) < 2:
        raise InputError(f"{args.jets}: the first {jets} jets are of one class, masking needs both; raise --limit")
    blocks = [(start, min(start + CHUNK, jets)) for start in range(0, jets, CHUNK)]
    inputs = join([sample.inputs(model.feature_set, *block, model.scaling) for block in blocks])
    with remembered(model.network, "image"):
        table = masking(
            lambda masked: model.outputs(masked, device),
            inputs,
            _background(args, model, args.masking_background),
            zeros(inputs, model.scaling),
            labels,
            weights,
            features(inputs, model.feature_set.table, model.feature_set.constituent_names),
            Masking(args.masking_repeats, args.seed),
        )
    about = {key: value for key, value in _about(model, sample).items() if key in (*KEYS, "split")}
    write_csv(pd.DataFrame([about | row for row in table.to_dict("records")]), args.out / "masking.csv")


def _background(args: argparse.Namespace, model: "Model", number: int) -> "Inputs":
    from glassjet.attribution.background import background

    return background(
        args.background_jets, args.background_observables, model.feature_set, model.scaling, number, args.seed
    )


def _write_conservation(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the table of this run's presets; without any, leave one that is there and write an empty one otherwise."""
    from glassjet.attribution.conservation import COLUMNS

    if rows or not path.exists():
        write_csv(pd.DataFrame(rows, columns=[*KEYS, "preset", *COLUMNS]), path)
