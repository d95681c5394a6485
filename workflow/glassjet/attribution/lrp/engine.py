"""Relevance of a network's inputs: one forward pass, one backward pass, and the ledger of both."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.graph import Node

from glassjet.attribution.lrp.graph import check, nearest, reads_inputs_only
from glassjet.attribution.lrp.ledger import Ledger, per_jet
from glassjet.attribution.lrp.linear import Kind
from glassjet.attribution.lrp.presets import Preset
from glassjet.attribution.lrp.propagation import has_rule, install
from glassjet.attribution.lrp.rules import Rule, ZBox
from glassjet.errors import InputError

LIMIT = {torch.float32: 1e-4, torch.float64: 1e-11}  # of the closure: a hundred times what rounding leaves


@dataclass(frozen=True, eq=False)
class Explanation:
    """What each input of n jets contributed to the network's output.

    Attributes
    ----------
    output : array (n,)
        The explained log-odds.
    relevance : dict of arrays
        In the shape of each input, in units of the output; padding has zero.
    ledger : dict of arrays (n,)
        inputs, bias, stabiliser, undistributable and constants, which add up to the output; absolute, the largest sum
        of |R| over layers; closure, the error of that addition in units of absolute.
    layers : dict of dicts of arrays (n,)
        What each layer kept (bias, stabiliser, undistributable), and the sum of |R| over its outputs (absolute).
    presence : array (n, m), or None without constituents
        The part of the ledger's bias that belongs to single constituents: owed to their being there, whatever their
        features. What a constituent as a whole contributes is the sum over its features and this.
    """

    output: NDArray[np.float64]
    relevance: dict[str, NDArray[np.floating]]
    ledger: dict[str, NDArray[np.float64]]
    layers: dict[str, dict[str, NDArray[np.float64]]]
    presence: NDArray[np.floating] | None = None


def _leaves(inputs: Mapping[str, Tensor], dtype: torch.dtype) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The inputs that get relevance, as leaves of a graph, and the masks."""
    lengths = {name: len(tensor) for name, tensor in inputs.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"the inputs hold different numbers of jets: {lengths}")
    leaves, masks = {}, {}
    for name, tensor in inputs.items():
        if not tensor.is_floating_point():
            masks[name] = tensor
        elif tensor.isfinite().all():
            leaves[name] = tensor.detach().to(dtype, copy=True).requires_grad_()
        else:
            raise InputError(f"input {name!r} has values that are not finite: there is no relevance for such a jet")
    if not leaves or not any(lengths.values()):
        raise InputError("there are no jets, or no input of floating point that could get relevance")
    return leaves, masks


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}


def _boxes(preset: Preset, leaves: Mapping[str, Tensor], mask: Tensor | None) -> dict[str, ZBox]:
    """The preset's z-boxes as tensors like the inputs, once no input lies outside; padded constituents may."""
    boxes = {}
    for name, box in preset.boxes.items():
        if (x := leaves.get(name)) is None:
            raise InputError(f"preset {preset.name!r} has a z-box for {name!r}, the inputs are {', '.join(leaves)}")
        boxes[name] = ZBox(box.low.to(x), box.high.to(x))
        outside = (x < boxes[name].low) | (x > boxes[name].high)
        if name == "constituents" and mask is not None:
            outside &= mask[:, :, None]
        if outside.any():
            raise InputError(
                f"{int(outside.sum())} values of input {name!r} lie outside its z-box (the range of the training "
                f"split): clip them, or take a preset without box"
            )
    return boxes


def _copy(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy to read: no dropout, no gradients of weights; constants (learned tokens, buffers) are leaves."""
    copy = deepcopy(network).to(dtype).eval().requires_grad_(False)
    for module in copy.modules():
        if not has_rule(module):
            for constant in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                constant.requires_grad_(constant.is_floating_point())
    return copy


@contextmanager
def _precisely(device: torch.device) -> Iterator[None]:
    """Gradients on; no autocast, no TF32: both passes must agree to the last digits for relevance to add up."""
    flags = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
    products = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.enable_grad(), torch.autocast(device.type, enabled=False), flags:
            yield
    finally:
        torch.set_float32_matmul_precision(products)


def _keep_constants(nodes: list[Node], ledger: Ledger) -> list[Tensor]:
    """Enter in the ledger what reaches the nodes that lead to constants only; returns those constants."""

    def enter(*gradients: Tensor | None) -> None:
        for R in gradients:
            if R is not None and len(R) != ledger.jets:
                raise InputError(
                    f"a learned token or buffer of shape {tuple(R.shape)} is used without the {ledger.jets} jets as "
                    f"its first dimension: expand it"
                )
            if R is not None:
                ledger.constants.append(per_jet(R.detach()))

    for node in nodes:
        if hasattr(node, "variable"):
            node.variable.register_hook(enter)
        else:
            node.register_prehook(lambda gradients: enter(*gradients))
    return [leaf.variable for leaf in nearest(nodes)]  # type: ignore[attr-defined]


def relevance(
    network: nn.Module, inputs: Mapping[str, Tensor], preset: Preset, dtype: torch.dtype = torch.float32
) -> Explanation:
    """Relevance of every input of every jet for the output of `network`, which is left as it was.

    Parameters
    ----------
    network : nn.Module
        Takes the dict `inputs`, returns the log-odds (n,). It is read in eval mode, on the device it is on.
    inputs : dict of tensors (n, …)
        Those of floating point get relevance; others are masks. Cut many jets into chunks: 50 to 250 are fastest.
    preset : Preset
        From `presets`.
    dtype : torch.float32 or torch.float64
        The precision of both passes: they close to 1e-6 or 1e-13.

    Raises
    ------
    InputError
        Names the layer or the operation, where relevance is not defined on some path from the output to the inputs;
        or if relevance does not add up.
    """
    if dtype not in LIMIT:
        raise InputError(f"relevance needs float32 or float64, not {dtype}")
    leaves, masks = _leaves(inputs, dtype)
    jets = len(next(iter(leaves.values())))
    boxes = _boxes(preset, leaves, masks.get("mask"))
    used: set[str] = set()

    def choose(layer: str, kind: Kind, x: Tensor) -> Rule:
        for name, box in boxes.items():
            if x is leaves[name]:
                used.add(name)
                return box
        rules = {**preset.rules, **preset.at_input} if reads_inputs_only(x) else preset.rules
        if kind not in rules:
            raise InputError(f"preset {preset.name!r} has no rule for layer {layer!r}: none for {kind!r}")
        return rules[kind]

    ledger = Ledger(jets, leaves["constituents"].shape[1] if "constituents" in leaves else None)
    network = _copy(network, dtype)
    install(network, choose, ledger)
    with _precisely(next(iter(leaves.values())).device):
        output = network({**leaves, **masks})
        if output.shape != (jets,):
            raise InputError(
                f"the network returns shape {tuple(output.shape)}, not one number for each of {jets} jets: end it with "
                f"LogOdds"
            )
        if unused := sorted(boxes.keys() - used):
            raise InputError(f"no layer reads {', '.join(unused)} alone and as it is, so it can have no z-box")
        constants = _keep_constants(check(output, leaves.values()), ledger)
        f = output.detach()
        gradients = torch.autograd.grad(output, [*leaves.values(), *constants], f, allow_unused=True)
    found = {
        name: torch.zeros_like(x) if R is None else R for (name, x), R in zip(leaves.items(), gradients, strict=False)
    }
    accounts = ledger.close(f, found)
    if not (accounts["closure"] <= LIMIT[dtype]).all():
        raise InputError(
            f"relevance does not add up to the output (closure {accounts['closure'].max():.1e}): the network mixes "
            f"jets, or numbers became too large; try float64"
        )
    return Explanation(
        output=f.double().cpu().numpy(),
        relevance=_arrays(found),
        ledger=_arrays(accounts),
        layers={layer: _arrays(account) for layer, account in ledger.layers.items()},
        presence=None if ledger.presence is None else ledger.presence.cpu().numpy(),
    )
