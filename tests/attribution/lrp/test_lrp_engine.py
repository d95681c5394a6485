"""Structure: what relevance may travel through, and the errors that name what it may not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glassjet.attribution.lrp.engine import Explanation, relevance
from glassjet.attribution.lrp.presets import P1, P2, PRESETS, RECOMMENDED, Preset, with_box
from glassjet.attribution.lrp.rules import Epsilon, Flat, Gamma, Rule, Zero
from glassjet.errors import InputError
from glassjet.taggers.layers import Add, LogOdds, MaskedSum
from glassjet.taggers.mbns import MBNS
from glassjet.taggers.pfn import PFN
from tests.attribution.lrp.networks import Inputs, images, randomised, sets, tables, taggers


def everywhere(rule: Rule) -> Preset:
    return Preset("test", "one rule", dict.fromkeys(("dense", "head", "convolution", "sum", "addition"), rule))


ZERO = everywhere(Zero())


class Table(nn.Module):
    """A network on a table of six columns whose middle, and the layers that it needs, are given by the test."""

    second: Any
    third: Any
    add: Any
    sum: Any
    act: Any
    norm: Any
    block: Any
    squash: Any

    def __init__(self, forward: Callable[["Table", Tensor], Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.first, self.relu, self.head = nn.Linear(6, 6), nn.ReLU(), LogOdds(6)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.middle = forward

    def forward(self, inputs: Inputs) -> Tensor:
        return self.head(self.middle(self, self.relu(self.first(inputs["table"]))))


def explain(network: nn.Module, inputs: Inputs | None = None, preset: Preset = ZERO) -> Explanation:
    return relevance(randomised(network), inputs or tables(4, 6), preset, torch.float64)


def gradient_times_input(network: nn.Module, inputs: Inputs, name: str) -> np.ndarray:
    network = network.double()
    given = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
    x = given[name].requires_grad_()
    (gradient,) = torch.autograd.grad(network(given).sum(), x)
    return (gradient * x).detach().numpy()


@pytest.mark.parametrize("tagger", taggers())
def test_lrp_0_is_gradient_times_input_in_a_relu_network(tagger: str) -> None:
    """With the bias kept as a contribution that holds with biases too; without any, relevance is the whole output."""
    network, inputs = taggers()[tagger]
    found = relevance(network, inputs, ZERO, torch.float64)
    for name in found.relevance:
        np.testing.assert_allclose(found.relevance[name], gradient_times_input(network, inputs, name), atol=1e-12)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
            module.bias.data.zero_()
    found = relevance(network, inputs, ZERO, torch.float64)
    for name in found.relevance:
        np.testing.assert_allclose(found.relevance[name], gradient_times_input(network, inputs, name), atol=1e-12)
    np.testing.assert_allclose(found.ledger["inputs"], found.output, atol=1e-12)


def test_the_network_and_the_inputs_are_left_as_they_were() -> None:
    network, inputs = randomised(MBNS(22)).train(), tables(4, 22)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    kept = inputs["table"].clone()
    relevance(network, inputs, RECOMMENDED, torch.float64)
    assert network.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert "forward" not in vars(network.head)
    assert torch.equal(inputs["table"], kept)
    assert not inputs["table"].requires_grad


def test_dropout_is_off_and_grad_mode_does_not_matter() -> None:
    network, inputs = randomised(MBNS(22)).train(), tables(4, 22)
    first = relevance(network, inputs, RECOMMENDED)
    with torch.no_grad():
        second = relevance(network, inputs, RECOMMENDED)
    np.testing.assert_array_equal(first.relevance["table"], second.relevance["table"])


def test_a_skip_connection_adds_up_where_its_branches_meet() -> None:
    """x + second(x): by hand, first the shares of the sum, then those of the dense layer, both to x."""
    network = Table(lambda net, x: net.add(x, net.second(x)), second=nn.Linear(6, 6), add=Add())
    found = explain(network)
    table = tables(4, 6)["table"].double()
    net = network.double()
    with torch.no_grad():
        a = net.first(table).clamp(min=0)
        b = net.second(a)
        weight, bias = net.head.merged()
        f = ((a + b) * weight).sum(1) + bias
        R = (a + b) * weight  # LRP-0 of f: each part, and bias for the bias
        at_a, at_b = R * a / (a + b), R * b / (a + b)
        z = net.second.bias + a @ net.second.weight.T
        for jet in range(4):
            for j in range(6):
                for k in range(6):
                    at_a[jet, j] += a[jet, j] * net.second.weight[k, j] / z[jet, k] * at_b[jet, k]
        expected = torch.zeros_like(table)
        for jet in range(4):
            for k in range(6):
                if a[jet, k] > 0:
                    expected[jet] += table[jet] * net.first.weight[k] / a[jet, k] * at_a[jet, k]
    np.testing.assert_allclose(found.output, f, rtol=1e-12)
    np.testing.assert_allclose(found.relevance["table"], expected, atol=1e-12)
    gradient = gradient_times_input(network, tables(4, 6), "table")
    np.testing.assert_allclose(found.relevance["table"], gradient, atol=1e-12)


@pytest.mark.parametrize("preset", [ZERO, P1, P2, RECOMMENDED], ids=["zero", "p1", "p2", "recommended"])
def test_a_layer_used_twice_is_two_layers_with_the_same_weights(preset: Preset) -> None:
    once = Table(lambda net, x: net.third(net.relu(net.second(x))), second=nn.Linear(6, 6), third=nn.Linear(6, 6))
    twice = Table(lambda net, x: net.second(net.relu(net.second(x))), second=nn.Linear(6, 6))
    randomised(once)
    randomised(twice).load_state_dict({k: v for k, v in once.state_dict().items() if "third" not in k})
    once.third.load_state_dict(once.second.state_dict())
    expected = relevance(once, tables(4, 6), preset, torch.float64)
    found = relevance(twice, tables(4, 6), preset, torch.float64)
    np.testing.assert_allclose(found.relevance["table"], expected.relevance["table"], atol=1e-13)
    for name in ("bias", "stabiliser", "undistributable"):
        np.testing.assert_allclose(found.ledger[name], expected.ledger[name], atol=1e-13)
    apart = Table(lambda net, x: net.third(net.relu(net.second(x))), second=nn.Linear(6, 6))
    apart.third = apart.second  # one module under two names
    randomised(apart).load_state_dict(once.state_dict())
    again = relevance(apart, tables(4, 6), preset, torch.float64)
    np.testing.assert_allclose(again.relevance["table"], expected.relevance["table"], atol=1e-13)


def test_maximum_gives_all_to_the_winner() -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool, self.flat, self.head = nn.MaxPool2d(3, stride=2, padding=1), nn.Flatten(), LogOdds(64)

        def forward(self, inputs: Inputs) -> Tensor:
            return self.head(self.flat(self.pool(inputs["image"])))

    network, image = randomised(Pooled()).double(), images(3)["image"]
    found = relevance(network, {"image": image}, ZERO, torch.float64)
    weight = network.double().head.merged()[0].detach().reshape(8, 8)
    expected = np.zeros((3, 16, 16))
    for jet in range(3):
        pixels = image[jet, 0].double().numpy()
        for row in range(8):
            for column in range(8):
                window = [
                    (pixels[i, j], -i, -j)
                    for i in range(2 * row - 1, 2 * row + 2)
                    for j in range(2 * column - 1, 2 * column + 2)
                    if i >= 0 and j >= 0
                ]
                value, i, j = max(window)  # of equals the first in reading order
                expected[jet, -i, -j] += value * float(weight[row, column])
    np.testing.assert_allclose(found.relevance["image"][:, 0], expected, atol=1e-13)


def test_overwriting_activations_do_not_break_it() -> None:
    kept = Table(lambda net, x: net.act(net.second(x)), second=nn.Linear(6, 6), act=nn.ReLU())
    overwritten = Table(lambda net, x: net.act(net.second(x)), second=nn.Linear(6, 6), act=nn.ReLU(inplace=True))
    for preset in PRESETS.values():
        expected, found = explain(kept, preset=preset), explain(overwritten, preset=preset)
        np.testing.assert_array_equal(found.relevance["table"], expected.relevance["table"])


def moving(net: Table, x: Tensor) -> Tensor:
    x = torch.cat([x[:, 3:], x[:, :3]], dim=1).reshape(-1, 2, 3).transpose(1, 2)
    x = x[..., None].permute(0, 1, 3, 2).squeeze(2).flatten(1)
    left, right = x[:, [5, 4, 3, 2, 1, 0]].chunk(2, dim=1)
    return torch.stack([left, right], dim=1).view(-1, 6).clone()


def test_moving_numbers_about_moves_relevance_with_them() -> None:
    network = Table(moving)
    found = explain(network)
    expected = gradient_times_input(network, tables(4, 6), "table")
    np.testing.assert_allclose(found.relevance["table"], expected, atol=1e-12)
    assert (found.ledger["closure"] < 1e-14).all()


def test_what_is_expanded_gets_the_sum_back() -> None:
    network = Table(lambda net, x: net.sum(x[:, None].expand(-1, 3, 6), torch.ones(len(x), 3).bool()), sum=MaskedSum())
    found = explain(network)
    expected = gradient_times_input(network, tables(4, 6), "table")
    np.testing.assert_allclose(found.relevance["table"], expected, atol=1e-12)


def test_learned_tokens_and_buffers_keep_their_share_as_constants() -> None:
    class Token(nn.Module):
        scale: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.tensor([0.7, -0.4]))
            self.register_buffer("scale", torch.tensor([0.5]))
            self.first, self.relu, self.head = nn.Linear(9, 5), nn.ReLU(), LogOdds(5)

        def forward(self, inputs: Inputs) -> Tensor:
            x = inputs["table"]
            constants = [self.token[None].expand(len(x), -1), self.scale.expand(len(x), 1)]
            return self.head(self.relu(self.first(torch.cat([constants[0], x, constants[1]], dim=1))))

    network, inputs = randomised(Token()), tables(4, 6)
    found = relevance(network, inputs, ZERO, torch.float64)
    plain = nn.Sequential(network.first, network.relu, network.head).double()
    ends = network.token.detach().expand(4, 2).double(), torch.full((4, 1), 0.5).double()
    x = torch.cat([ends[0], inputs["table"].double(), ends[1]], dim=1).requires_grad_()
    (gradient,) = torch.autograd.grad(plain(x).sum(), x)
    expected = (gradient * x).detach().numpy()
    np.testing.assert_allclose(found.relevance["table"], expected[:, 2:8], atol=1e-13)
    np.testing.assert_allclose(found.ledger["constants"], expected[:, [0, 1, 8]].sum(1), atol=1e-13)
    assert (found.ledger["closure"] < 1e-13).all()


def test_zeros_around_an_image_get_nothing_from_a_convolution_and_constants_otherwise() -> None:
    class Frame(nn.Module):
        def __init__(self, last: nn.Module) -> None:
            super().__init__()
            self.pad, self.last, self.flat, self.head = nn.ZeroPad2d((0, 1, 2, 0)), last, nn.Flatten(), LogOdds(18 * 17)

        def forward(self, inputs: Inputs) -> Tensor:
            return self.head(self.flat(self.last(self.pad(inputs["image"]))))

    seen = explain(Frame(nn.Conv2d(1, 1, 3, padding=1)), images(3), everywhere(Flat()))
    assert (seen.ledger["constants"] == 0).all()
    bare = explain(Frame(nn.Identity()), images(3), everywhere(Flat()))
    np.testing.assert_allclose(bare.ledger["constants"], bare.output * (1 - 256 / (18 * 17)), rtol=1e-12)


def test_a_parametrised_layer_is_read_with_the_weight_it_has() -> None:
    network = Table(lambda net, x: net.second(x), second=nn.Linear(6, 6))
    torch.nn.utils.parametrizations.weight_norm(network.second)
    found = relevance(network, tables(4, 6), ZERO, torch.float64)
    expected = gradient_times_input(network, tables(4, 6), "table")
    np.testing.assert_allclose(found.relevance["table"], expected, atol=1e-12)


def test_an_input_that_the_network_does_not_read_gets_zero() -> None:
    found = relevance(randomised(MBNS(22)), tables(4, 22) | images(4), RECOMMENDED)
    assert (found.relevance["image"] == 0).all()
    assert found.relevance["image"].shape == (4, 1, 16, 16)


# What is refused. Each error is one line that names the layer or the operation, and the way out.


class FunctionalPFN(PFN):
    """A PFN as it is often written: captum and zennit give it a relevance that is wrong by the multiplicity."""

    def forward(self, inputs: Inputs) -> Tensor:
        x = self.phi(inputs["constituents"]) * inputs["mask"][..., None]
        return self.head(self.f(x.sum(1)))


class SummedPFN(PFN):
    def forward(self, inputs: Inputs) -> Tensor:
        return self.head(self.f(self.phi(inputs["constituents"]).sum(1)))


def refusal(network: nn.Module, inputs: Inputs | None = None, preset: Preset = ZERO) -> str:
    with pytest.raises(InputError) as caught:
        explain(network, inputs, preset)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_functional_sum_is_an_error_that_names_masked_sum() -> None:
    message = refusal(SummedPFN(3), sets(4))
    assert "between 'phi.5' and 'f.0' the network computes 'Sum'" in message
    assert "MaskedSum" in message
    assert "'Sum'" in refusal(FunctionalPFN(3), sets(4))


@pytest.mark.parametrize(
    ("middle", "operation"),
    [
        (lambda net, x: x + 1 * x, "Add"),
        (lambda net, x: x * x, "Mul"),
        (lambda net, x: torch.relu(x), "Relu"),
        (lambda net, x: nn.functional.linear(x, net.second.weight, net.second.bias), "Addmm"),
        (lambda net, x: x @ net.second.weight, "Mm"),
        (lambda net, x: x - x.mean(1, keepdim=True), "Sub"),
        (lambda net, x: torch.einsum("ni,ij->nj", x, net.second.weight), "Bmm"),
        (lambda net, x: x.softmax(1), "Softmax"),
        (lambda net, x: x.masked_fill(x < 1, 0.5), "MaskedFill"),
        (lambda net, x: x.clone().index_put_((torch.arange(4),), torch.tensor(1.0).double()), "IndexPut"),
        (lambda net, x: net.second(x).relu_(), "Relu"),
        (lambda net, x: net.second(x).add_(1.0), "Add"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_operations_outside_of_modules_are_named(middle: Callable[[Table, Tensor], Tensor], operation: str) -> None:
    message = refusal(Table(middle, second=nn.Linear(6, 6)))
    assert f"computes {operation!r} outside of modules" in message
    assert "and 'head'" in message or "and 'second'" in message


def test_overwriting_a_part_of_a_tensor_is_refused() -> None:
    def middle(net: Table, x: Tensor) -> Tensor:
        y = x.clone()
        y[:, 0] = 0
        return y

    assert "'CopySlices'" in refusal(Table(middle))


def test_a_layer_without_rule_is_named_with_its_type() -> None:
    message = refusal(Table(lambda net, x: net.norm(x), norm=nn.BatchNorm1d(6)))
    assert "layer 'norm' is a BatchNorm1d, for which no rule is known" in message
    assert "MaskedSum" in message
    nested = Table(lambda net, x: net.block(x), block=nn.Sequential(nn.Linear(6, 6), nn.Softmax(1)))
    assert "layer 'block.1' is a Softmax" in refusal(nested)


def test_a_subclass_with_another_forward_is_another_layer() -> None:
    class Doubled(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            return 2 * super().forward(input)

    assert "layer 'second' is a Doubled" in refusal(Table(lambda net, x: net.second(x), second=Doubled(6, 6)))


def test_a_layer_without_rule_that_is_not_called_does_no_harm() -> None:
    assert (explain(Table(lambda net, x: x, loss=nn.BCEWithLogitsLoss())).ledger["closure"] < 1e-13).all()


def test_a_detach_that_loses_a_path_is_named() -> None:
    second = {"second": nn.Linear(6, 6)}
    message = refusal(Table(lambda net, x: net.second(x.detach()), **second))
    assert "layer 'second' (Linear) reads a tensor that relevance cannot go back from: it was detached" in message
    with_add = Table(lambda net, x: net.add(x, net.second(x).detach()), add=Add(), **second)
    assert "layer 'add' (Add)" in refusal(with_add)
    assert "layer 'relu'" in refusal(Table(lambda net, x: net.relu(x.data)))
    message = refusal(Table(lambda net, x: torch.cat([x[:, :3], x[:, 3:].detach()], 1)))
    assert "before 'head' a tensor is concatenated" in message
    made = Table(lambda net, x: net.add(x, torch.ones(4, 6).double()), add=Add())
    assert "made inside forward" in refusal(made)

    class Shielded(MBNS):
        def forward(self, inputs: Inputs) -> Tensor:
            with torch.no_grad():
                return super().forward(inputs)

    assert "relevance cannot go back" in refusal(Shielded(6))
    assert "something was detached" in refusal(Sealed(6))


class Sealed(MBNS):
    def forward(self, inputs: Inputs) -> Tensor:
        return super().forward(inputs).detach()


def test_jets_must_come_first_in_every_layer() -> None:
    class Packed(PFN):
        def forward(self, inputs: Inputs) -> Tensor:
            x = inputs["constituents"]
            latent = self.phi(x.reshape(-1, 3)).reshape(*x.shape[:2], -1)
            return self.head(self.f(self.sum(latent, inputs["mask"])))

    message = refusal(Packed(3), sets(4))
    assert (
        "layer 'phi.0' (Linear) reads a tensor of shape (48, 3): its first dimension must count the 4 jets" in message
    )


def test_a_network_that_mixes_jets_does_not_add_up_and_is_refused() -> None:
    assert "mixes jets" in refusal(Table(lambda net, x: x.flip(0)))


def test_lrp_0_through_a_sigmoid_is_refused() -> None:
    network = Table(lambda net, x: net.squash(net.relu(net.second(x))), second=nn.Linear(6, 6), squash=nn.Sigmoid())
    assert "LRP-0 in layer 'second' before the sigmoid 'squash'" in refusal(network)
    assert "take the epsilon rule" in refusal(network, preset=everywhere(Epsilon(0.0)))
    assert (explain(network, preset=everywhere(Epsilon(0.1))).ledger["closure"] < 1e-13).all()


def test_the_output_must_be_one_number_a_jet() -> None:
    network = nn.Sequential(nn.Linear(6, 2))
    assert "(4, 2), not one number for each of 4 jets" in refusal(Wrapped(network))


class Wrapped(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Inputs) -> Tensor:
        return self.network(inputs["table"])


def test_convolutions_whose_padding_has_no_rule_are_named() -> None:
    class Convolved(nn.Module):
        def __init__(self, **how: str) -> None:
            super().__init__()
            self.first = nn.Conv2d(1, 1, 3, **how)  # type: ignore[arg-type]

        def forward(self, inputs: Inputs) -> Tensor:
            return self.first(inputs["image"]).flatten(1)[:, 0]

    assert "layer 'first' has padding='same'" in refusal(Convolved(padding="same"), images(2))
    assert "padding_mode='circular'" in refusal(Convolved(padding_mode="circular"), images(2))


def test_inputs_that_make_no_sense_are_named() -> None:
    network = MBNS(22)
    assert "different numbers of jets" in refusal(network, tables(4, 22) | {"mask": torch.ones(3, 2).bool()})
    table = tables(4, 22)["table"].clone()
    table[2, 3] = float("nan")
    assert "'table' has values that are not finite" in refusal(network, {"table": table})
    assert "no input of floating point" in refusal(network, {"mask": torch.ones(3, 2).bool()})
    assert "there are no jets" in refusal(network, tables(0, 22))
    with pytest.raises(InputError, match="float32 or float64"):
        relevance(network, tables(4, 22), ZERO, torch.float16)


def test_a_preset_without_a_rule_for_a_layer_names_the_layer() -> None:
    network, inputs = taggers()["xaug_image"]
    dense = Preset("dense", "", {"dense": Gamma(0.1), "head": Zero()})
    with pytest.raises(InputError, match=r"'dense' has no rule for layer 'image.0': none for 'convolution'"):
        relevance(network, inputs, dense)


def test_a_box_refuses_inputs_outside_but_not_padding() -> None:
    network, inputs = taggers()["pfn"]
    shifted = inputs | {"constituents": torch.where(inputs["mask"][..., None], inputs["constituents"].abs() + 1, 0)}
    low, high = shifted["constituents"][shifted["mask"]].amin(0), shifted["constituents"][shifted["mask"]].amax(0)
    boxed = with_box(RECOMMENDED, {"constituents": low}, {"constituents": high})
    found = relevance(network, shifted, boxed, torch.float64)
    assert (found.ledger["closure"] < 1e-13).all()
    high[2] -= 1e-6
    with pytest.raises(InputError, match="1 values of input 'constituents' lie outside its z-box"):
        relevance(network, shifted, with_box(RECOMMENDED, {"constituents": low}, {"constituents": high}))


def test_a_box_for_what_no_layer_reads_alone_is_refused() -> None:
    network, inputs = taggers()["xaug_image+table"]
    with pytest.raises(InputError, match="no layer reads table alone"):
        relevance(network, inputs, with_box(RECOMMENDED, {"table": -3.0}, {"table": 3.0}))
    with pytest.raises(InputError, match="z-box for 'constituents', the inputs are image, table"):
        relevance(network, inputs, with_box(RECOMMENDED, {"constituents": -3.0}, {"constituents": 3.0}))


def test_the_box_rule_is_where_the_input_is_read() -> None:
    network, inputs = randomised(MBNS(22)), tables(4, 22)
    low, high = torch.full((22,), -3.0), torch.full((22,), 3.0)
    found = relevance(network, inputs, with_box(everywhere(Flat()), {"table": low}, {"table": high}), torch.float64)
    R = relevance(network, inputs, everywhere(Flat()), torch.float64)
    first: Any = network.body[0]
    x, w = inputs["table"].double(), first.weight.detach().double()
    at_first = torch.as_tensor(R.output[:, None] / 200)  # flat rules give every neuron of the first layer the same
    pieces = x[:, None] * w - low * w.clamp(min=0) - high * w.clamp(max=0)
    expected = (pieces / pieces.sum(2, keepdim=True)).sum(1) * at_first
    np.testing.assert_allclose(found.relevance["table"], expected, rtol=1e-10)
