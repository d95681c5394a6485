"""Training jets in batches: from memory, or streamed from disk where a sample is larger than the buffer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glassjet.jets.store import CHUNK
from glassjet.taggers.features import FeatureSet
from glassjet.taggers.inputs import Inputs, Scaling, join
from glassjet.taggers.model import at_a_time
from glassjet.taggers.sample import Sample

PIECE = 20  # jets of similar length; on a CPU core 3 times as fast as a whole batch: little padding, all in the cache


@dataclass(frozen=True)
class Piece:
    """Some jets of a batch: inputs of the network, labels (n,) and training weights (n,)."""

    inputs: dict[str, Tensor]
    label: Tensor
    weight: Tensor


class Batches(Protocol):
    """Jets that can be trained on; labels and weights of all of them are arrays (n,)."""

    label: NDArray[np.int64]
    weight: NDArray[np.float64]

    def __len__(self) -> int: ...

    def epoch(self, order: np.random.Generator, batch_size: int) -> Iterator[list[Piece]]:
        """Every jet once, in a random order: batches, each in one or more pieces."""
        ...

    def in_order(self) -> Iterator[dict[str, Tensor]]:
        """The inputs of every jet once, in the order of the sample, some jets at a time."""
        ...


class InMemory:
    """Jets whose inputs are tensors on the device.

    Parameters
    ----------
    inputs : Inputs
        Scaled, see `glassjet.taggers.inputs`.
    label, weight : arrays (n,)
        1 for signal; training weights.
    device : torch.device
    """

    def __init__(
        self,
        inputs: Inputs,
        label: NDArray[np.integer],
        weight: NDArray[np.floating],
        device: str | torch.device = "cpu",
    ) -> None:
        self.label = label.astype(np.int64)
        self.weight = weight.astype(np.float64)
        self.device = torch.device(device)
        self._tensors = {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(device) for name, array in inputs.items()
        }
        self._lengths = inputs["mask"].sum(1) if "mask" in inputs else None
        self._label = torch.from_numpy(self.label.astype(np.float32)).to(device)
        self._weight = torch.from_numpy(self.weight.astype(np.float32)).to(device)

    def __len__(self) -> int:
        return len(self.label)

    def columns(self, index: list[int]) -> "InMemory":
        """The same jets with only these columns of the table."""
        inputs = {name: tensor.cpu().numpy() for name, tensor in self._tensors.items()}
        return InMemory(inputs | {"table": inputs["table"][:, index]}, self.label, self.weight, self.device)

    def epoch(self, order: np.random.Generator, batch_size: int) -> Iterator[list[Piece]]:
        """See `Batches.epoch`."""
        permutation = order.permutation(len(self))
        for start in range(0, len(self), batch_size):
            rows = permutation[start : start + batch_size]
            yield [self._piece(part) for part in self._split(rows)]

    def in_order(self) -> Iterator[dict[str, Tensor]]:
        """See `Batches.in_order`."""
        size = at_a_time(set(self._tensors), self.device)
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield self._take(rows, torch.from_numpy(rows).to(self.device))

    def _split(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """A batch in pieces of jets of similar length, so that little padding is computed; gradients add up."""
        if self._lengths is None or self.device.type != "cpu" or len(rows) < 2 * PIECE:
            return [rows]
        return np.array_split(rows[np.argsort(self._lengths[rows], kind="stable")], len(rows) // PIECE)

    def _take(self, rows: NDArray[np.int64], index: Tensor) -> dict[str, Tensor]:
        """The inputs of jets `rows`, which `index` has on the device."""
        longest = None if self._lengths is None else max(int(self._lengths[rows].max()), 1)
        taken = {}
        for name, tensor in self._tensors.items():
            whole = tensor if name not in ("constituents", "mask") else tensor[:, :longest]
            taken[name] = whole.index_select(0, index)
        return taken

    def _piece(self, rows: NDArray[np.int64]) -> Piece:
        index = torch.from_numpy(rows).to(self.device)
        return Piece(self._take(rows, index), self._label.index_select(0, index), self._weight.index_select(0, index))


class Streamed:
    """Jets read from disk anew in each epoch: memory is that of the buffer, twice while it is filled.

    Blocks of the file come in a random order; as many as the buffer holds are shuffled together.

    Parameters
    ----------
    sample : Sample
    features : FeatureSet
    scaling : dict
    weight : array (n,)
        Training weights of all jets.
    buffer : int
        Jets in memory.
    """

    def __init__(
        self,
        sample: Sample,
        features: FeatureSet,
        scaling: Scaling,
        weight: NDArray[np.floating],
        buffer: int,
        device: str | torch.device = "cpu",
    ) -> None:
        self.label = sample.label
        self.weight = weight.astype(np.float64)
        self._sample, self._features, self._scaling = sample, features, scaling
        self._buffer, self._device = buffer, device
        self._block = min(CHUNK, buffer)

    def __len__(self) -> int:
        return len(self.label)

    def epoch(self, order: np.random.Generator, batch_size: int) -> Iterator[list[Piece]]:
        """See `Batches.epoch`."""
        blocks = order.permutation(-(-len(self) // self._block))
        at_once = max(self._buffer // self._block, 1)
        for first in range(0, len(blocks), at_once):
            yield from self._filled(blocks[first : first + at_once]).epoch(order, batch_size)

    def in_order(self) -> Iterator[dict[str, Tensor]]:
        """See `Batches.in_order`."""
        for block in range(-(-len(self) // self._block)):
            yield from self._filled(np.array([block])).in_order()

    def _filled(self, blocks: NDArray[np.int64]) -> InMemory:
        ranges = [(int(b) * self._block, min((int(b) + 1) * self._block, len(self))) for b in blocks]
        rows = np.concatenate([np.arange(*limits) for limits in ranges])
        parts = [self._sample.inputs(self._features, start, stop, self._scaling) for start, stop in ranges]
        return InMemory(join(parts), self.label[rows], self.weight[rows], self._device)
