"""Relevance and the ledger add up to the output, for every network, preset and precision; padding gets nothing."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from glassjet.attribution.lrp.engine import relevance
from glassjet.attribution.lrp.presets import PRESETS, RECOMMENDED, Preset, with_box
from glassjet.attribution.lrp.rules import AlphaBeta, Epsilon, Flat, Gamma, Rule, WSquare, Zero
from glassjet.taggers.pfn import PFN
from glassjet.taggers.xaug import XAUGDNN
from tests.attribution.lrp.networks import randomised, sets, taggers

TAGGERS = taggers()


def everywhere(rule: Rule) -> Preset:
    return Preset("test", "one rule", dict.fromkeys(("dense", "head", "convolution", "sum", "addition"), rule))


MORE = {
    "zero": everywhere(Zero()),
    "zero without bias": everywhere(Zero(bias=False)),
    "epsilon relative": everywhere(Epsilon(0.1, relative=True)),
    "gamma": everywhere(Gamma(0.5)),
    "alpha 2 beta 1": everywhere(AlphaBeta(2.0, 1.0)),
    "flat": everywhere(Flat()),
    "w square": everywhere(WSquare()),
    "z-box": RECOMMENDED,
}


CASES = [(name, torch.float64) for name in (*PRESETS, *MORE)] + [(name, torch.float32) for name in PRESETS]


@pytest.mark.parametrize(("preset", "dtype"), CASES, ids=lambda value: str(value).removeprefix("torch."))
@pytest.mark.parametrize("tagger", TAGGERS)
def test_relevance_and_ledger_add_up(tagger: str, preset: str, dtype: torch.dtype) -> None:
    network, inputs = TAGGERS[tagger]
    chosen = (PRESETS | MORE)[preset]
    if preset == "z-box":
        name = next(name for name in ("image", "constituents", "table") if name in inputs)
        chosen = with_box(chosen, {name: -9.0}, {name: 9.0})
    found = relevance(network, inputs, chosen, dtype)
    with torch.no_grad():
        expected = network.to(dtype)({k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()})
        network.to(torch.float32)
    np.testing.assert_allclose(found.output, expected.double(), rtol=1e-5 if dtype is torch.float32 else 1e-12)
    total = sum(found.ledger[name] for name in ("inputs", "bias", "stabiliser", "undistributable", "constants"))
    limit = 1e-6 if dtype is torch.float32 else 1e-13
    assert (np.abs(found.output - total) <= limit * found.ledger["absolute"]).all()
    assert (found.ledger["closure"] <= limit).all()
    assert (found.ledger["constants"] == 0).all()  # padding around the images got nothing
    given = sum(R.reshape(len(R), -1).sum(1, dtype=np.float64) for R in found.relevance.values())
    np.testing.assert_allclose(found.ledger["inputs"], given, rtol=1e-6, atol=1e-6 * found.ledger["absolute"].max())
    assert {name: R.shape for name, R in found.relevance.items()} == {
        name: tuple(x.shape) for name, x in inputs.items() if name != "mask"
    }


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("tagger", TAGGERS)
def test_every_layer_adds_up_by_itself(tagger: str, preset: str) -> None:
    """Closure of the whole could hide errors that cancel: what all layers kept is the ledger, layer by layer."""
    network, inputs = TAGGERS[tagger]
    found = relevance(network, inputs, PRESETS[preset], torch.float64)
    for name in ("bias", "stabiliser", "undistributable"):
        kept = sum(account.get(name, np.zeros(6)) for account in found.layers.values())
        np.testing.assert_allclose(kept, found.ledger[name], atol=1e-13)
    linear = {name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)}
    assert linear <= set(found.layers)
    largest = np.max([account["absolute"] for account in found.layers.values()], axis=0)
    assert (found.ledger["absolute"] >= largest).all()
    assert (found.ledger["absolute"] >= np.abs(found.output)).all()


def test_absolute_is_the_largest_sum_of_absolute_relevance_over_layers() -> None:
    """By hand for LRP-0, whose relevance of any layer is gradient times value."""
    network, inputs = TAGGERS["xaug_dnn"]
    found = relevance(network, inputs, MORE["zero"], torch.float64)
    x, sums = inputs["table"].double().requires_grad_(), []
    copy = deepcopy(network).double()
    assert isinstance(copy, XAUGDNN)
    values = [x, copy.dense[1](copy.dense[0](x))]
    values.append(copy.dense[3](copy.dense[2](values[1])))
    f = copy.head(values[2])
    for value, gradient in zip(values, torch.autograd.grad(f.sum(), values), strict=True):
        sums.append((value * gradient).abs().sum(1).detach())
    layers = [found.layers[name]["absolute"] for name in ("dense.0", "dense.2", "head")]
    np.testing.assert_allclose(layers, torch.stack([sums[1], sums[2], f.detach().abs()]), rtol=1e-12)
    np.testing.assert_allclose(
        found.ledger["absolute"], torch.stack(sums).amax(0).maximum(f.detach().abs()), rtol=1e-12
    )


@pytest.mark.parametrize("preset", [*PRESETS, *MORE])
def test_padding_gets_exactly_zero_and_adding_padding_changes_nothing(preset: str) -> None:
    network, inputs = TAGGERS["pfn"]
    chosen = (PRESETS | MORE)[preset]
    mask = inputs["mask"].numpy()
    found = relevance(network, inputs, chosen, torch.float64)
    assert (found.relevance["constituents"][~mask] == 0).all()
    longer = {
        "constituents": torch.nn.functional.pad(inputs["constituents"], (0, 0, 0, 5)),
        "mask": torch.nn.functional.pad(inputs["mask"], (0, 5)),
    }
    again = relevance(network, longer, chosen, torch.float64)
    assert (again.relevance["constituents"][:, 12:] == 0).all()
    np.testing.assert_allclose(again.relevance["constituents"][:, :12], found.relevance["constituents"], atol=1e-12)
    np.testing.assert_allclose(again.ledger["bias"], found.ledger["bias"], atol=1e-12)


@pytest.mark.parametrize("preset", PRESETS)
def test_permuting_constituents_permutes_relevance(preset: str) -> None:
    network, inputs = TAGGERS["pfn"]
    order = torch.randperm(12, generator=torch.Generator().manual_seed(4))
    found = relevance(network, inputs, PRESETS[preset], torch.float64)
    shuffled = relevance(network, {k: v[:, order] for k, v in inputs.items()}, PRESETS[preset], torch.float64)
    expected = found.relevance["constituents"][:, order]
    np.testing.assert_allclose(shuffled.relevance["constituents"], expected, atol=1e-12)
    assert np.abs(expected).max() > 1e-3


def test_jets_do_not_know_of_each_other() -> None:
    for network, inputs in TAGGERS.values():
        for preset in PRESETS.values():
            together = relevance(network, inputs, preset, torch.float64)
            for i in (1, 4):
                alone = relevance(network, {k: v[i : i + 1] for k, v in inputs.items()}, preset, torch.float64)
                for name, R in together.relevance.items():
                    np.testing.assert_allclose(alone.relevance[name][0], R[i], atol=1e-12)
                for name in ("bias", "stabiliser", "undistributable", "absolute"):
                    np.testing.assert_allclose(alone.ledger[name][0], together.ledger[name][i], atol=1e-12)


def test_a_jet_without_constituents_is_all_bias() -> None:
    network, inputs = TAGGERS["pfn"]
    found = relevance(network, inputs, RECOMMENDED, torch.float64)
    assert not inputs["mask"][0].any()
    assert (found.relevance["constituents"][0] == 0).all()
    np.testing.assert_allclose(found.ledger["bias"][0], found.output[0], rtol=1e-12)


def test_presence_is_the_bias_of_the_layers_of_single_constituents() -> None:
    network, inputs = TAGGERS["pfn"]
    found = relevance(network, inputs, RECOMMENDED, torch.float64)
    assert found.presence is not None
    assert found.presence.shape == tuple(inputs["mask"].shape)
    assert (found.presence[~inputs["mask"].numpy()] == 0).all()
    phi = sum(account["bias"] for layer, account in found.layers.items() if layer.startswith("phi."))
    np.testing.assert_allclose(found.presence.sum(1), phi, rtol=1e-12)
    table, jets = TAGGERS["mbns"]
    assert relevance(table, jets, RECOMMENDED).presence is None


def test_biases_of_zero_leave_nothing_but_inputs() -> None:
    network, inputs = randomised(PFN(3)), sets(6)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.bias.data.zero_()
    found = relevance(network, inputs, RECOMMENDED, torch.float64)
    np.testing.assert_allclose(found.ledger["inputs"], found.output, atol=1e-12)
