"""The rules as slow loops over single neurons, written from their formulas; nothing here uses the library's rules.

A layer is a list of neurons; a neuron its bias and its wires (j, w): input number j comes with weight w. Padding is no
wire.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor, nn


@dataclass
class Neuron:
    """One output of a layer."""

    wires: list[tuple[int, float]]
    bias: float = 0.0


@dataclass
class Loop:
    """What a loop over neurons found: relevance of the inputs, and per neuron what did not reach them."""

    inputs: list[float]
    bias: list[float] = field(default_factory=list)
    stabiliser: list[float] = field(default_factory=list)
    undistributable: list[float] = field(default_factory=list)


def dense_neurons(layer: nn.Linear, rows: int = 1) -> list[Neuron]:
    """The neurons of a dense layer applied to each of `rows` rows."""
    weight = layer.weight.detach().numpy()
    out, n = weight.shape
    bias = [0.0] * out if layer.bias is None else layer.bias.tolist()
    return [
        Neuron([(row * n + j, float(weight[k, j])) for j in range(n)], bias[k])
        for row in range(rows)
        for k in range(out)
    ]


def convolution_neurons(layer: nn.Conv2d | nn.Conv1d, shape: tuple[int, ...]) -> list[Neuron]:
    """The neurons of a convolution of images of `shape` (channels, …)."""
    weight = layer.weight.detach().numpy()
    padding = [int(pad) for pad in layer.padding]
    sides, kernel = shape[1:], weight.shape[2:]
    span = [d * (k - 1) + 1 for d, k in zip(layer.dilation, kernel, strict=True)]
    geometry = zip(sides, padding, span, layer.stride, strict=True)
    places = [range((side + 2 * pad - reach) // stride + 1) for side, pad, reach, stride in geometry]
    group_in, group_out = weight.shape[1], weight.shape[0] // layer.groups
    number = np.arange(np.prod(shape)).reshape(shape)
    neurons = []
    for channel in range(weight.shape[0]):
        for place in itertools.product(*places):
            wires = []
            for c, *tap in itertools.product(range(group_in), *map(range, kernel)):
                axes = zip(place, tap, layer.stride, padding, layer.dilation, strict=True)
                at = [p * stride - pad + t * dilation for p, t, stride, pad, dilation in axes]
                if all(0 <= a < side for a, side in zip(at, sides, strict=True)):
                    j = int(number[(channel // group_out * group_in + c, *at)])
                    wires.append((j, float(weight[(channel, c, *tap)])))
            neurons.append(Neuron(wires, 0.0 if layer.bias is None else layer.bias[channel].item()))
    return neurons


def sum_neurons(mask: Tensor, features: int) -> list[Neuron]:
    """The masked sum over the constituents of one jet, `mask` (m,)."""
    return [Neuron([(i * features + f, 1.0) for i in range(len(mask)) if mask[i]]) for f in range(features)]


def addition_neurons(size: int) -> list[Neuron]:
    """The sum of two tensors of `size` numbers each, one behind the other."""
    return [Neuron([(k, 1.0), (size + k, 1.0)]) for k in range(size)]


Pieces = Callable[
    [Neuron, list[float]], tuple[list[float], float, float]
]  # of each wire, of the bias, of the stabiliser


def shared(x: list[float], neurons: list[Neuron], R: list[float], pieces: Pieces, rectified: bool = False) -> Loop:
    """Share each R_k in proportion to its neuron's pieces; where their sum is zero, or negative, it is lost."""
    found = Loop([0.0] * len(x))
    for neuron, r in zip(neurons, R, strict=True):
        wires, bias, stabiliser = pieces(neuron, x)
        d = sum(wires) + bias + stabiliser
        lost = d == 0 or (rectified and d < 0)
        for (j, _), piece in zip(neuron.wires, wires, strict=True):
            found.inputs[j] += 0.0 if lost else piece / d * r
        found.bias.append(0.0 if lost else bias / d * r)
        found.stabiliser.append(0.0 if lost else stabiliser / d * r)
        found.undistributable.append(r if lost else 0.0)
    return found


def epsilon(size: float, relative: bool = False, with_bias: bool = True) -> Pieces:
    def pieces(neuron: Neuron, x: list[float]) -> tuple[list[float], float, float]:
        c, b = [x[j] * w for j, w in neuron.wires], neuron.bias if with_bias else 0.0
        e = size * (sum(map(abs, c)) + abs(b)) if relative else size
        return c, b, e if sum(c) + b >= 0 else -e

    return pieces


def gamma(g: float, with_bias: bool = True) -> Pieces:
    def pieces(neuron: Neuron, x: list[float]) -> tuple[list[float], float, float]:
        c, b = [x[j] * w for j, w in neuron.wires], neuron.bias if with_bias else 0.0
        sign = 1 if sum(c) + b >= 0 else -1
        return [v * (1 + g) if sign * v > 0 else v for v in c], b * (1 + g) if sign * b > 0 else b, 0.0

    return pieces


def rectified_gamma(g: float, with_bias: bool = True) -> Pieces:
    def pieces(neuron: Neuron, x: list[float]) -> tuple[list[float], float, float]:
        b = neuron.bias if with_bias else 0.0
        return [x[j] * (w + g * max(w, 0)) for j, w in neuron.wires], b + g * max(b, 0), 0.0

    return pieces


def one_sided(sign: int, with_bias: bool = True) -> Pieces:
    """The contributions of one sign: the positive or the negative half of the alpha-beta rule."""

    def pieces(neuron: Neuron, x: list[float]) -> tuple[list[float], float, float]:
        c, b = [x[j] * w for j, w in neuron.wires], neuron.bias if with_bias else 0.0
        return [v if sign * v > 0 else 0.0 for v in c], b if sign * b > 0 else 0.0, 0.0

    return pieces


def z_box(low: list[float], high: list[float]) -> Pieces:
    def pieces(neuron: Neuron, x: list[float]) -> tuple[list[float], float, float]:
        return [x[j] * w - low[j] * max(w, 0) - high[j] * min(w, 0) for j, w in neuron.wires], 0.0, 0.0

    return pieces


def flat(neuron: Neuron, x: list[float]) -> tuple[list[float], float, float]:
    return [1.0 for _ in neuron.wires], 0.0, 0.0


def w_square(neuron: Neuron, x: list[float]) -> tuple[list[float], float, float]:
    return [w**2 for _, w in neuron.wires], 0.0, 0.0


def alpha_beta(
    x: list[float], neurons: list[Neuron], R: list[float], alpha: float, beta: float, with_bias: bool
) -> Loop:
    """alpha times the positive half less beta times the negative half."""
    up = shared(x, neurons, [alpha * r for r in R], one_sided(+1, with_bias))
    down = shared(x, neurons, [-beta * r for r in R], one_sided(-1, with_bias))
    names = ("inputs", "bias", "stabiliser", "undistributable")
    return Loop(*([a + b for a, b in zip(getattr(up, name), getattr(down, name), strict=True)] for name in names))
