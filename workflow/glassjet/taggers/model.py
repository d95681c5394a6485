"""A trained tagger: the network, what it takes and how that is scaled; in memory, and on disk as a directory."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import Tensor, nn

from glassjet.errors import InputError, existing
from glassjet.files import atomic, read_json, write_json
from glassjet.jets.store import Jets
from glassjet.taggers.baseline import WINDOW, MassTau32
from glassjet.taggers.build import build_network
from glassjet.taggers.features import FeatureSet, parse
from glassjet.taggers.inputs import Inputs, Scaling, build, scale
from glassjet.taggers.registry import TAGGERS


@dataclass(frozen=True)
class Model:
    """A tagger after its training.

    Attributes
    ----------
    network : nn.Module
        In evaluation mode; `network(dict of tensors)` gives the log-odds (n,).
    tagger, features : str
        Name in TAGGERS; the feature string.
    columns : tuple of str
        Columns of the table that are used, in order; fewer than the feature set's for a reduced model.
    scaling : dict
        From `inputs.fit_scaling` on the training split.
    task, sample, level : str
        What it was trained for and on; level is "particle" or "detector".
    seed : int
    training : dict
        What is worth knowing of the training: settings, best epoch, effective number of jets, …
    provenance : str
        JSON, from `glassjet.provenance.provenance`.
    """

    network: nn.Module
    tagger: str
    features: str
    columns: tuple[str, ...]
    scaling: Scaling
    task: str
    sample: str
    level: str
    seed: int
    training: dict[str, Any] = field(default_factory=dict)
    provenance: str = "{}"

    @property
    def feature_set(self) -> FeatureSet:
        """The feature set, with the columns that are used."""
        return parse(self.features).only(self.columns)

    @property
    def parameters(self) -> int:
        """The number of trained parameters."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def inputs(self, jets: Jets | None, observables: pd.DataFrame) -> Inputs:
        """The scaled inputs of jets, see `glassjet.taggers.inputs.build`."""
        return scale(build(self.feature_set, jets, observables), self.scaling)

    def outputs(self, inputs: Inputs, device: str | torch.device = "cpu") -> NDArray[np.float64]:
        """The log-odds (n,) of scaled inputs."""
        return outputs(self.network, inputs, device)


def tensors(inputs: Inputs, rows: slice | NDArray[np.int64], device: str | torch.device = "cpu") -> dict[str, Tensor]:
    """Some rows of inputs as tensors; padding behind the longest of these jets is cut off."""
    taken = {name: array[rows] for name, array in inputs.items()}
    if "mask" in taken:
        longest = max(int(taken["mask"].sum(1).max(initial=1)), 1)
        for name in ("constituents", "mask"):
            taken[name] = taken[name][:, :longest]
    return {name: torch.from_numpy(np.ascontiguousarray(array)).to(device) for name, array in taken.items()}


def at_a_time(kinds: Collection[str], device: str | torch.device) -> int:
    """How many jets are evaluated at a time: few where the per-constituent layers would outgrow a CPU core's cache."""
    return 50 if "constituents" in kinds and torch.device(device).type == "cpu" else 1000


@torch.no_grad()
def outputs(network: nn.Module, inputs: Inputs, device: str | torch.device = "cpu") -> NDArray[np.float64]:
    """A network's output (n,) for scaled inputs, in evaluation mode, in batches that suit the inputs."""
    network.eval()
    n = len(next(iter(inputs.values())))
    batch = at_a_time(inputs, device)
    parts = [network(tensors(inputs, slice(i, i + batch), device)).double().cpu().numpy() for i in range(0, n, batch)]
    return np.concatenate(parts) if parts else np.zeros(0)


def save(model: Model, directory: Path) -> None:
    """Write `weights.safetensors`, then `model.json`, into a directory; equal models give equal bytes.

    An older model.json goes first, so that a killed run never leaves one beside weights that are not its own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.json").unlink(missing_ok=True)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    with atomic(directory / "weights.safetensors") as temporary:
        temporary.write_bytes(serialised(state))  # save_file would make it unreadable for others
    content = {
        "glassjet": "model",
        "tagger": model.tagger,
        "features": model.features,
        "columns": list(model.columns),
        "constituent_names": list(model.feature_set.constituent_names),
        "scaling": model.scaling,
        "task": model.task,
        "sample": model.sample,
        "level": model.level,
        "seed": model.seed,
        "parameters": model.parameters,
        "training": model.training,
        "provenance": model.provenance,
    }
    if isinstance(model.network, MassTau32):
        content["window"] = list(model.network.window)
    write_json(content, directory / "model.json")


def load(directory: Path) -> Model:
    """Read a trained tagger.

    Raises
    ------
    InputError
        If the directory holds none, or weights that do not fit the network.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: no such directory; a model is a directory that glassjet train made")
    path = directory / "model.json"
    content = read_json(path)
    needed = ("tagger", "features", "columns", "scaling", "task", "sample", "level", "seed")
    missing = [key for key in needed if key not in content]
    if content.get("glassjet") != "model" or missing:
        raise InputError(f"{path}: not a model of glassjet{'; no key ' + ', '.join(missing) if missing else ''}")
    features = parse(content["features"]).only(content["columns"])
    network = build_network(content["tagger"], features, content["seed"])
    if not TAGGERS[content["tagger"]].trained:
        low, high = content.get("window", WINDOW)
        network = MassTau32((low, high))
    _load_weights(network, directory / "weights.safetensors")
    return Model(
        network.eval(),
        content["tagger"],
        content["features"],
        features.table,
        content["scaling"],
        content["task"],
        content["sample"],
        content["level"],
        content["seed"],
        content.get("training", {}),
        content.get("provenance", "{}"),
    )


def _load_weights(network: nn.Module, path: Path) -> None:
    try:
        state = load_file(existing(path))
    except SafetensorError:
        raise InputError(f"{path}: not a safetensors file, or truncated; train again") from None
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise InputError(
                f"{path}: layer {name} has shape {found.get(name)}, the network needs {expected.get(name)}"
            )
    bad = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise InputError(f"{path}: layer {bad[0]} holds NaN or infinite weights; train again")
    network.load_state_dict(state)
