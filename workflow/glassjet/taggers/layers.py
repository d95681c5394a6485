"""Structural layers: what a tagger does besides dense layers, convolutions and ReLU, as plain torch modules.

Relevance travels through modules that have a rule (see `glassjet.attribution.lrp`), so a tagger uses these where others
write `x.sum(1)` or `y[:, 1] - y[:, 0]`. They know nothing of attribution.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn


class MaskedSum(nn.Module):
    """Sum over the constituents of a jet, padding left out: the permutation-invariant sum of a Deep Set.

    Source: Komiske, Metodiev, Thaler, Energy Flow Networks, arXiv:1810.05165, eq. 1.4 (PFN).
    """

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Sum `x` (n, m, f) over m where `mask` (n, m) is true; returns (n, f)."""
        return torch.einsum("nmf,nm->nf", x, mask.to(x.dtype))


class Add(nn.Module):
    """The sum of two tensors: a skip connection."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """`x` + `y`, of shapes that broadcast; both have the jets first."""
        return x + y


class LogOdds(nn.Linear):
    """A linear layer with two outputs, background and signal, read as one: f = f1 - f0.

    The softmax of two outputs depends on nothing but their difference, and its cross entropy is the binary cross
    entropy of f. So f is the merged neuron w1 - w0, b1 - b0: what is trained on, scored and explained. The parameters
    are those of the published two-output networks.
    """

    def __init__(self, in_features: int) -> None:
        super().__init__(in_features, 2)

    def merged(self) -> tuple[Tensor, Tensor]:
        """Weight (1, in) and bias (1,) of the merged neuron."""
        return self.weight[1:] - self.weight[:1], self.bias[1:] - self.bias[:1]

    def forward(self, x: Tensor) -> Tensor:
        """The log-odds (n,) of signal for `x` (n, in)."""
        weight, bias = self.merged()
        return nn.functional.linear(x, weight, bias)[:, 0]


def dense(widths: list[int], dropout: list[float] | None = None) -> nn.Sequential:
    """Linear and ReLU for each width after the first, with dropout behind a ReLU where its rate is not zero."""
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(widths)):
        layers += [nn.Linear(before, after), nn.ReLU()]
        if dropout and dropout[i]:
            layers.append(nn.Dropout(dropout[i]))
    return nn.Sequential(*layers)
