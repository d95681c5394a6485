"""The ledger: where the explained output of each jet went, and whether that adds up."""

from collections.abc import Mapping

import torch
from torch import Tensor

from glassjet.attribution.lrp.linear import LinearMap
from glassjet.attribution.lrp.rules import Shares

KEPT = ("bias", "stabiliser", "undistributable")


def per_jet(values: Tensor) -> Tensor:
    """The sum of `values` (n, …) for each jet, (n,); rows in their own precision, which is faster, then in float64."""
    if values.ndim > 2:
        values = values.flatten(2).sum(2)
    return values.reshape(len(values), -1).sum(1, dtype=torch.float64)


class Ledger:
    """The accounts of one backward pass, filled layer by layer as relevance travels.

    `layers[name]` has, per jet (n,): `bias`, `stabiliser` and `undistributable`, what that layer kept, and `absolute`,
    the sum of |R| over its outputs (the larger one, where a layer is used twice).

    `constants` has what reached constants, each (n,).

    `presence` (n, m) is the part of `bias` that dense layers applied to each of m = `constituents` kept: what is owed
    to a constituent's being there, whatever its features. None if there is no such layer.
    """

    def __init__(self, jets: int, constituents: int | None = None) -> None:
        self.jets = jets
        self.constituents = constituents
        self.presence: Tensor | None = None
        self.layers: dict[str, dict[str, Tensor]] = {}
        self.constants: list[Tensor] = []

    def record(self, layer: str, linear: LinearMap, R: Tensor, shares: Shares) -> None:
        """Enter what a layer received and what it kept."""
        account = self.layers.setdefault(layer, {})
        size = torch.linalg.vector_norm(R.reshape(len(R), -1), ord=1, dim=1).double()
        account["absolute"] = torch.maximum(account.get("absolute", size), size)
        for name, share in zip(KEPT, shares[1:], strict=True):
            if share is not None:
                account[name] = account.get(name, 0) + per_jet(share)
        if linear.kind == "dense" and R.ndim == 3 and R.shape[1] == self.constituents and shares.bias is not None:
            presence = shares.bias.sum(2)
            self.presence = presence if self.presence is None else self.presence + presence

    def close(self, output: Tensor, relevance: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The ledger per jet, (n,) each, for the explained `output` (n,) and the relevance of the network's inputs.

        Keys: inputs, bias, stabiliser, undistributable, constants, which add up to the output; `absolute`, the largest
        sum of |R| over layers; `closure`, the error of that addition in units of `absolute`.
        """
        zero = torch.zeros(self.jets, dtype=torch.float64, device=output.device)
        total = {"inputs": sum((per_jet(R) for R in relevance.values()), zero)}
        for name in KEPT:
            total[name] = sum((account[name] for account in self.layers.values() if name in account), zero)
        total["constants"] = sum(self.constants, zero)
        error = (output.double() - sum(total.values(), zero)).abs()
        at_inputs = sum((per_jet(R.abs()) for R in relevance.values()), zero)
        sizes = [output.double().abs(), at_inputs, *(account["absolute"] for account in self.layers.values())]
        total["absolute"] = torch.stack(sizes).amax(0)
        total["closure"] = torch.where(error == 0, 0, error / total["absolute"])
        return total
