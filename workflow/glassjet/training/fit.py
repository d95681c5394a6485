"""The training loop: Adam on the weighted binary cross entropy of the log-odds, early stopping, exact resume.

What is random in epoch e, the order of the jets and the dropout, depends on (seed, e) only. So a run that was killed
and is started again ends with the same bytes as one that was not.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim import Adam
from tqdm import tqdm

from glassjet.errors import InputError
from glassjet.files import atomic
from glassjet.training import metrics
from glassjet.training.batches import Batches
from glassjet.training.settings import HISTORY, FitSettings

log = logging.getLogger(__name__)


@dataclass
class FitResult:
    """What a training gave; also its state on the way.

    Attributes
    ----------
    history : list of dict
        A row for each epoch: epoch (from 1), loss, validation_loss, validation_auc, learning_rate.
    best : dict of tensors
        The network's state in the epoch with the lowest validation loss.
    best_epoch : int
        From 1; 0 before the first.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0

    @property
    def validation_loss(self) -> float:
        """The lowest validation loss."""
        return self.history[self.best_epoch - 1]["validation_loss"] if self.best_epoch else float("inf")

    @property
    def validation_auc(self) -> float:
        """The validation AUC of the weights that are kept."""
        return self.history[self.best_epoch - 1]["validation_auc"] if self.best_epoch else float("nan")

    def table(self) -> pd.DataFrame:
        """The learning curves."""
        return pd.DataFrame(self.history, columns=HISTORY)


def fit(
    network: nn.Module,
    train: Batches,
    validation: Batches,
    settings: FitSettings,
    seed: int,
    device: str | torch.device = "cpu",
    checkpoint: Path | None = None,
    digest: str = "",
    name: str = "training",
) -> FitResult:
    """Train a network; afterwards it has the weights of the epoch with the lowest validation loss.

    Parameters
    ----------
    network : nn.Module
        From `glassjet.taggers.build.build_network`; its output is the log-odds (n,).
    train, validation : Batches
        With training weights (mean one) for both; loss and AUC of validation are under these weights.
    settings : FitSettings
    seed : int
        Of the order of jets and of dropout.
    device : str or torch.device
    checkpoint : Path, optional
        A file that is written after each epoch, and continued from if it belongs to the same training.
    digest : str
        Identifies the data (and whatever else the caller wants) in the checkpoint.
    name : str
        For the progress bar.

    Raises
    ------
    InputError
        If a loss is not finite.
    """
    network.to(device)
    optimiser = Adam(network.parameters(), lr=settings.learning_rate)
    digest = _digest(network, settings, seed, digest)
    result = _resume(checkpoint, digest, network, optimiser) if checkpoint else FitResult()
    with _own_random_numbers(device), tqdm(total=settings.epochs, desc=name, unit="epoch", disable=None) as bar:
        bar.update(len(result.history))
        while len(result.history) < settings.epochs and len(result.history) - result.best_epoch < settings.patience:
            epoch = len(result.history)
            loss = _one_epoch(network, train, optimiser, settings, seed, epoch)
            output = evaluate(network, validation)
            row = {
                "epoch": epoch + 1,
                "loss": loss,
                "validation_loss": float(
                    np.average(metrics.surprise(output, validation.label), weights=validation.weight)
                ),
                "validation_auc": float("nan"),
                "learning_rate": settings.rate(epoch),
            }
            if not np.isfinite([row["loss"], row["validation_loss"]]).all():
                raise InputError(
                    f"{name}: the loss is NaN or infinite in epoch {epoch + 1}; "
                    f"try a lower --learning-rate than {settings.learning_rate:g}, or look for huge input values"
                )
            row["validation_auc"] = metrics.auc(output, validation.label, validation.weight)
            improved = row["validation_loss"] < result.validation_loss
            result.history.append(row)
            if improved:
                result.best_epoch = epoch + 1
                result.best = {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}
            if checkpoint:
                _save(checkpoint, digest, network, optimiser, result)
            bar.set_postfix_str(f"validation AUC {row['validation_auc']:.4f}")
            bar.update()
    if result.best:
        network.load_state_dict(result.best)
    network.eval()
    return result


def _one_epoch(
    network: nn.Module, train: Batches, optimiser: Adam, settings: FitSettings, seed: int, epoch: int
) -> float:
    """One pass over the training jets; returns the mean weighted loss."""
    order, dropout = np.random.SeedSequence([seed, epoch]).spawn(2)
    number = int(dropout.generate_state(1)[0])
    torch.default_generator.manual_seed(number)  # torch.manual_seed would seed every GPU too, for good
    if next(network.parameters()).is_cuda:
        torch.cuda.manual_seed(number)
    network.train()
    optimiser.param_groups[0]["lr"] = settings.rate(epoch)
    total: Tensor | float = 0.0
    for batch in train.epoch(np.random.default_rng(order), settings.batch_size):
        optimiser.zero_grad()
        size = sum(len(piece.label) for piece in batch)
        for piece in batch:
            loss = binary_cross_entropy_with_logits(network(piece.inputs), piece.label, piece.weight, reduction="sum")
            (loss / size).backward()
            total += loss.detach().double()
        optimiser.step()
    return float(total) / len(train)


@torch.no_grad()
def evaluate(network: nn.Module, jets: Batches) -> NDArray[np.float64]:
    """The log-odds (n,) of jets in their order, in evaluation mode."""
    network.eval()
    return np.concatenate([network(inputs).double().cpu().numpy() for inputs in jets.in_order()])


@contextmanager
def _own_random_numbers(device: str | torch.device) -> Iterator[None]:
    """Leave torch's global generators as they were."""
    with torch.random.fork_rng(devices=[device] if torch.device(device).type == "cuda" else []):
        yield


def _digest(network: nn.Module, settings: FitSettings, seed: int, data: str) -> str:
    shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
    content = json.dumps([asdict(settings), seed, shapes, data], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _save(path: Path, digest: str, network: nn.Module, optimiser: Adam, result: FitResult) -> None:
    tensors = {f"network.{key}": tensor for key, tensor in network.state_dict().items()}
    tensors |= {f"best.{key}": tensor for key, tensor in result.best.items()}
    moments = optimiser.state_dict()["state"]
    tensors |= {f"adam.{i}.{key}": tensor for i, state in moments.items() for key, tensor in state.items()}
    about = {"digest": digest, "history": result.history, "best_epoch": result.best_epoch}
    with atomic(path) as temporary:
        content = {key: tensor.cpu().contiguous() for key, tensor in tensors.items()}
        temporary.write_bytes(serialised(content, {"fit": json.dumps(about)}))


def _resume(path: Path, digest: str, network: nn.Module, optimiser: Adam) -> FitResult:
    """The state that a checkpoint holds, loaded into network and optimiser; an empty one if there is none that fits."""
    if not path.exists():
        return FitResult()
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["fit"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, KeyError, TypeError):
        log.warning("%s: not a checkpoint, or damaged; training starts from the beginning", path)
        return FitResult()
    if about["digest"] != digest:
        log.info("%s: belongs to other jets or settings; training starts from the beginning", path)
        return FitResult()

    def part(prefix: str) -> dict[str, Tensor]:
        return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}

    network.load_state_dict(part("network."))
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in part("adam.").items():
        number, _, name = key.partition(".")
        moments.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})
    log.info("%s: continuing after epoch %d", path, len(about["history"]))
    return FitResult(about["history"], part("best."), about["best_epoch"])
