"""The layers that share relevance out, each seen as one linear map z = x·w + b.

A rule asks a map for two products only, with the map's own weight or with one that the rule made of it (w⁺, w², …):
x·w, and its adjoint s·wᵀ. So every rule holds for every map: dense layers, convolutions, the merged log-odds neuron,
the masked sum of a Deep Set (its weights are the mask), the addition of a skip connection (its weights are ones).
Padding, of a convolution as of a jet, is outside the map, so it gets nothing, whatever the rule.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.grad import conv1d_input, conv2d_input

from glassjet.errors import InputError
from glassjet.taggers.layers import Add, LogOdds, MaskedSum

Kind = Literal["dense", "convolution", "head", "sum", "addition"]


@dataclass(frozen=True, eq=False)
class LinearMap(ABC):
    """z = x·w + b for the jets of a batch, which the first dimension of x and z counts.

    `bias` broadcasts against z; None stands for no bias.
    """

    kind: ClassVar[Kind]
    weight: Tensor
    bias: Tensor | None

    @abstractmethod
    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """x·w in the shape of z, without bias, for a weight in the shape of the map's."""

    @abstractmethod
    def transpose(self, s: Tensor, weight: Tensor, x: Tensor) -> Tensor:
        """The adjoint s·wᵀ in the shape of `x`, for `s` in the shape of z."""

    def ones(self) -> Tensor:
        """The weight of the map that counts a neuron's inputs."""
        return torch.ones_like(self.weight)

    def real(self, x: Tensor) -> Tensor:
        """Ones in the shape of `x`, with zeros where there is padding."""
        return torch.ones_like(x)


class Dense(LinearMap):
    """A dense layer: x (n, …, in), weight (out, in), z (n, …, out)."""

    kind = "dense"

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        return nn.functional.linear(x, weight)

    def transpose(self, s: Tensor, weight: Tensor, x: Tensor) -> Tensor:
        return s @ weight


class Head(LinearMap):
    """The log-odds as one merged neuron: x (n, in), weight (1, in), z (n,)."""

    kind = "head"

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        return nn.functional.linear(x, weight)[:, 0]

    def transpose(self, s: Tensor, weight: Tensor, x: Tensor) -> Tensor:
        return s[:, None] * weight


@dataclass(frozen=True, eq=False)
class Convolution(LinearMap):
    """A convolution: x (n, in, …), weight (out, in / groups, …), z (n, out, …); bias (out, 1, …).

    `padded` counts the rows and columns of padding that x has already, as `nn.functional.pad` does.
    """

    kind = "convolution"
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    padded: tuple[int, ...] = ()

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        convolve = nn.functional.conv1d if weight.ndim == 3 else nn.functional.conv2d
        return convolve(x, weight, None, self.stride, self.padding, self.dilation, self.groups)

    def transpose(self, s: Tensor, weight: Tensor, x: Tensor) -> Tensor:
        adjoint = conv1d_input if weight.ndim == 3 else conv2d_input
        return adjoint(x.shape, weight, s, self.stride, self.padding, self.dilation, self.groups)

    def real(self, x: Tensor) -> Tensor:
        inside = nn.functional.pad(torch.ones_like(x), [-pad for pad in self.padded])
        return nn.functional.pad(inside, self.padded)


class ConstituentSum(LinearMap):
    """The masked sum: x (n, m, f), z (n, f); the weight is the mask (n, m) of ones and zeros."""

    kind = "sum"

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        return torch.einsum("nmf,nm->nf", x, weight)

    def transpose(self, s: Tensor, weight: Tensor, x: Tensor) -> Tensor:
        return s[:, None, :] * weight[:, :, None]

    def ones(self) -> Tensor:
        return self.weight


class Addition(LinearMap):
    """The sum of two tensors that were stacked: x (n, 2, …), z (n, …); the weight is a single one."""

    kind = "addition"

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        return (x * weight).sum(1)

    def transpose(self, s: Tensor, weight: Tensor, x: Tensor) -> Tensor:
        return (s[:, None] * weight).expand_as(x)


def _dense(layer: str, module: nn.Linear, x: Tensor) -> tuple[LinearMap, Tensor]:
    return Dense(module.weight, module.bias), x


def _head(layer: str, module: LogOdds, x: Tensor) -> tuple[LinearMap, Tensor]:
    return Head(*module.merged()), x


def _convolution(layer: str, module: nn.Conv1d | nn.Conv2d, x: Tensor) -> tuple[LinearMap, Tensor]:
    if x.ndim != module.weight.ndim:
        raise InputError(
            f"layer {layer!r} reads a tensor of {x.ndim} dimensions; it needs {module.weight.ndim}, jets first"
        )
    if module.padding_mode != "zeros" or isinstance(module.padding, str):
        raise InputError(
            f"layer {layer!r} has padding={module.padding!r}, padding_mode={module.padding_mode!r}, for which no rule "
            f"is known; give the numbers of padded pixels, or put nn.ZeroPad2d before an even kernel"
        )
    bias = None if module.bias is None else module.bias.reshape(-1, *[1] * (module.weight.ndim - 2))
    behind = getattr(getattr(x.grad_fn, "step", None), "module", None)  # the layer that made x
    padded = behind.padding if isinstance(behind, nn.ZeroPad1d | nn.ZeroPad2d) else ()
    return Convolution(module.weight, bias, module.stride, module.padding, module.dilation, module.groups, padded), x


def _sum(layer: str, module: MaskedSum, x: Tensor, mask: Tensor) -> tuple[LinearMap, Tensor]:
    return ConstituentSum(mask.to(x.dtype), None), x


def _addition(layer: str, module: Add, x: Tensor, y: Tensor) -> tuple[LinearMap, Tensor]:
    pair = torch.stack(torch.broadcast_tensors(x, y), dim=1)
    return Addition(torch.ones((), dtype=pair.dtype, device=pair.device), None), pair


# A module's type -> the map (under the layer's name) and its one argument, for what the module was called with.
LINEAR: dict[type[nn.Module], Callable[..., tuple[LinearMap, Tensor]]] = {
    nn.Linear: _dense,
    LogOdds: _head,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    MaskedSum: _sum,
    Add: _addition,
}
