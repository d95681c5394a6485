"""Training a tagger on some columns of its table, many times on the same jets, and continuing after a kill."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import torch

from glassjet.files import atomic_directory, read_json, write_csv, write_json
from glassjet.taggers import model
from glassjet.taggers.build import build_network
from glassjet.taggers.features import FeatureSet
from glassjet.taggers.inputs import scaling_of
from glassjet.training import data
from glassjet.training.batches import Batches, InMemory
from glassjet.training.fit import fit
from glassjet.training.settings import FitSettings

DONE = "digest.json"


@dataclasses.dataclass(frozen=True)
class Retraining:
    """What all reduced models of a tagger and seed have in common.

    Attributes
    ----------
    tagger : str
    features : FeatureSet
        The whole feature set that columns are chosen from.
    task : str
    seed : int
        Of initial weights, order and dropout.
    settings : FitSettings
    files : tuple of Path
        Jets and observables of the splits train and validation, as of `glassjet.training.data.load`.
    buffer : int
        Jets in memory; more are streamed.
    device : torch.device
    checkpoint : Path or None
        A directory for what is done and what is under way.
    provenance : str
    """

    tagger: str
    features: FeatureSet
    task: str
    seed: int
    settings: FitSettings
    files: tuple[Path, Path, Path, Path]
    buffer: int
    device: torch.device
    checkpoint: Path | None
    provenance: str

    @cached_property
    def jets(self) -> data.TrainingData:
        """The jets with the whole feature set, read once."""
        return data.load(self.features, *self.files, self.device, self.buffer)

    def batches(self, columns: tuple[str, ...]) -> tuple[Batches, Batches]:
        """Training and validation jets with these columns: cut out in memory, or streamed anew."""
        train, validation = self.jets.train, self.jets.validation
        index = [self.features.table.index(name) for name in columns]
        if isinstance(train, InMemory) and isinstance(validation, InMemory):
            return train.columns(index), validation.columns(index)
        again = data.load(self.features.only(columns), *self.files, self.device, self.buffer)
        return again.train, again.validation

    def digest(self, columns: tuple[str, ...]) -> str:
        """Identifies a subset's training: jets, columns, tagger, task, seed, settings."""
        settings = dataclasses.asdict(self.settings)
        content = [self.tagger, self.features.name, columns, self.task, self.seed, settings, self.jets.digest]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def train(self, name: str, columns: tuple[str, ...], out: Path) -> float:
        """Train on these columns and write the model into the directory `out`; returns the validation AUC.

        If the checkpoint holds the finished model of the same training, it is copied instead.
        """
        if self.checkpoint is None:
            return self._fit(name, columns, out)
        done = self.checkpoint / name
        digest = self.digest(columns)
        if not (done / DONE).exists() or read_json(done / DONE) != digest:
            with atomic_directory(done) as directory:
                self._fit(name, columns, directory)
                write_json(digest, directory / DONE)
            self._state(name).unlink(missing_ok=True)
        shutil.copytree(done, out, ignore=shutil.ignore_patterns(DONE))
        return float(read_json(out / "model.json")["training"]["validation_auc"])

    def clean(self, names: Iterable[str]) -> None:
        """Remove the finished models of these subsets from the checkpoint."""
        if self.checkpoint is not None:
            for name in names:
                shutil.rmtree(self.checkpoint / name, ignore_errors=True)

    def _state(self, name: str) -> Path:
        assert self.checkpoint is not None
        return self.checkpoint / f"{name}.safetensors"

    def _fit(self, name: str, columns: tuple[str, ...], out: Path) -> float:
        network = build_network(self.tagger, self.features.only(columns), self.seed)
        state = self._state(name) if self.checkpoint else None
        result = fit(
            network,
            *self.batches(columns),
            self.settings,
            self.seed,
            self.device,
            state,
            self.digest(columns),
            f"{self.tagger} {name} seed {self.seed}",
        )
        training = {
            "settings": dataclasses.asdict(self.settings),
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "validation_loss": result.validation_loss,
            "validation_auc": result.validation_auc,
            "jets": len(self.jets.train),
            "weights": self.jets.weights,
        }
        trained = model.Model(
            network,
            self.tagger,
            self.features.name,
            columns,
            scaling_of(self.jets.scaling, columns),
            self.task,
            self.jets.sample,
            self.jets.level,
            self.seed,
            training,
            self.provenance,
        )
        model.save(trained, out)
        write_csv(result.table(), out / "history.csv")
        return result.validation_auc
