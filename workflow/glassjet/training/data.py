"""From files to what a training needs: scaled inputs with training weights, in memory or streamed."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from glassjet.taggers.features import FeatureSet
from glassjet.taggers.inputs import Inputs, Scaling, fit_scaling, join, scale
from glassjet.taggers.sample import Sample, open_sample
from glassjet.training.batches import Batches, InMemory, Streamed
from glassjet.training.weights import fit_weights, report

log = logging.getLogger(__name__)

BUFFER = 200_000  # jets
TAUGHT = 0.02  # a distance of the AUC of pT alone from 0.5 that is said, if it is no chance


@dataclass(frozen=True)
class TrainingData:
    """Everything about the jets of a training.

    Attributes
    ----------
    features : FeatureSet
    train, validation : Batches
    scaling : dict
        Fitted on the training jets.
    sample, level : str
        From the training jets' metadata.
    weights : dict
        How good the training weights are: auc_of_pt, effective_signal, effective_background.
    digest : str
        Identifies jets, features and scaling.
    """

    features: FeatureSet
    train: Batches
    validation: Batches
    scaling: Scaling
    sample: str
    level: str
    weights: dict[str, float]
    digest: str


def load(
    features: FeatureSet,
    jets: Path,
    observables: Path,
    validation_jets: Path,
    validation_observables: Path,
    device: str | torch.device = "cpu",
    buffer: int = BUFFER,
) -> TrainingData:
    """Read the training and validation jets, fit scaling and training weights on the former and apply them to both.

    Parameters
    ----------
    features : FeatureSet
    jets, observables, validation_jets, validation_observables : Path
        The splits train and validation of a sample; others are refused.
    device : str or torch.device
    buffer : int
        A sample of more jets than these is streamed from disk.

    Raises
    ------
    InputError
        If the files do not belong together, are of another split, or lack a column or a class.
    """
    train = open_sample(jets, observables, features.observables, splits=("train",))
    validation = open_sample(validation_jets, validation_observables, features.observables, splits=("validation",))
    weights = fit_weights(*(train.columns[name] for name in ("label", "pt", "eta", "weight")))

    def weight_of(sample: Sample) -> NDArray[np.float64]:
        return weights(*(sample.columns[name] for name in ("label", "pt", "eta", "weight")))

    found = report(train.label, train.columns["pt"], weight_of(train))
    log.info(
        "training weights: %d jets count as %.0f signal and %.0f background jets, AUC of pT alone %.3f",
        len(train),
        found["effective_signal"],
        found["effective_background"],
        found["auc_of_pt"],
    )
    chance = np.sqrt((1 / found["effective_signal"] + 1 / found["effective_background"]) / 12)
    if abs(found["auc_of_pt"] - 0.5) > max(TAUGHT, 3 * chance):
        log.warning("pT alone still tells the classes apart: are there background jets wherever there is signal?")
    if len(train) <= buffer:
        parts = list(_weighted(train, features, weight_of(train)))
        scaling = fit_scaling(features, parts)
        scaled: list[Inputs] = []
        while parts:  # an unscaled block is freed before the next one is scaled
            scaled.append(scale(parts.pop(0)[0], scaling))
        batches: Batches = InMemory(join(scaled), train.label, weight_of(train), device)
    else:
        scaling = fit_scaling(features, _weighted(train, features, weight_of(train)))
        batches = Streamed(train, features, scaling, weight_of(train), buffer, device)
    return TrainingData(
        features,
        batches,
        _validation(validation, features, scaling, weight_of(validation), buffer, device),
        scaling,
        str(train.metadata.get("sample", "")),
        str(train.metadata.get("level", "")),
        found,
        _digest(features, scaling, train, validation),
    )


def _weighted(
    sample: Sample, features: FeatureSet, weight: NDArray[np.float64]
) -> Iterator[tuple[Inputs, NDArray[np.float64]]]:
    for rows, inputs in sample.blocks(features):
        yield inputs, weight[rows]


def _validation(
    sample: Sample,
    features: FeatureSet,
    scaling: Scaling,
    weight: NDArray[np.float64],
    buffer: int,
    device: str | torch.device,
) -> Batches:
    if len(sample) > buffer:
        return Streamed(sample, features, scaling, weight, buffer, device)
    return InMemory(join([inputs for _, inputs in sample.blocks(features, scaling)]), sample.label, weight, device)


def _digest(features: FeatureSet, scaling: Scaling, *samples: Sample) -> str:
    digest = hashlib.sha256(json.dumps([features.name, features.table, scaling], sort_keys=True).encode())
    for sample in samples:
        digest.update(json.dumps(sample.metadata, sort_keys=True).encode())
        for name in ("event", "label", "weight", "pt"):
            digest.update(np.ascontiguousarray(sample.columns[name]).tobytes())
    return digest.hexdigest()
