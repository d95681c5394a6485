"""The presets against other programs and against what is known: captum, the code of the papers, Shapley values."""

import json
from copy import deepcopy
from itertools import combinations
from math import factorial

import numpy as np
import pytest
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule
from scipy.stats import spearmanr
from torch import Tensor, nn

from glassjet.attribution.lrp.engine import relevance
from glassjet.attribution.lrp.presets import P1, P2, PRESETS, RECOMMENDED, Preset
from glassjet.attribution.lrp.rules import Epsilon, Gamma, Zero
from glassjet.taggers.layers import LogOdds
from glassjet.taggers.mbns import MBNS
from glassjet.taggers.pfn import PFN
from glassjet.taggers.xaug import XAUGDNN
from tests.attribution.lrp import loops
from tests.attribution.lrp.networks import Inputs, randomised, sets, tables


def plain(network: nn.Module) -> nn.Sequential:
    """The layers of a dense tagger as copies in a row, with the merged neuron at the end, in float64."""
    layers: list[nn.Module] = []
    for module in deepcopy(network).double().modules():
        if isinstance(module, nn.Linear):
            weight, bias = module.merged() if isinstance(module, LogOdds) else (module.weight, module.bias)
            layers.append(nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64))
            layers[-1].weight.data, layers[-1].bias.data = weight.detach(), bias.detach()
        elif isinstance(module, nn.ReLU):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


ZERO = loops.epsilon(0.0)
BY_HAND = {  # rules of the first, the middle and the last layer of XAUGDNN; whether a ReLU is on denominators
    "p1": ([loops.epsilon(0.1)] * 3, [False] * 3),
    "p2": ([loops.rectified_gamma(2.0), loops.rectified_gamma(2.0), loops.gamma(2.0)], [True, True, False]),
    "recommended": ([ZERO, loops.gamma(0.05), ZERO], [False] * 3),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_the_loops_of_its_rules_layer_by_layer(preset: str) -> None:
    network, inputs = randomised(XAUGDNN(5)), tables(4, 5)
    found = relevance(network, inputs, PRESETS[preset], torch.float64)
    layers = [layer for layer in plain(network) if isinstance(layer, nn.Linear)]
    for jet in range(4):
        values = [inputs["table"][jet].double()]
        for layer in layers:
            values.append(layer(values[-1]).detach())
            if layer is not layers[-1]:
                values[-1] = values[-1].clamp(min=0)
        R = values[-1].tolist()
        kept = np.zeros(3)
        for i in (2, 1, 0):
            pieces, rectified = BY_HAND[preset][0][i], BY_HAND[preset][1][i]
            shares = loops.shared(values[i].tolist(), loops.dense_neurons(layers[i]), R, pieces, rectified)
            R, kept = (
                shares.inputs,
                kept + [sum(part) for part in (shares.bias, shares.stabiliser, shares.undistributable)],
            )
        np.testing.assert_allclose(found.relevance["table"][jet], R, rtol=1e-9, atol=1e-13)
        ledger = [found.ledger[name][jet] for name in ("bias", "stabiliser", "undistributable")]
        np.testing.assert_allclose(ledger, kept, rtol=1e-9, atol=1e-13)


def by_captum(network: nn.Module, x: Tensor, rule: type, *arguments: float) -> np.ndarray:
    layers = plain(network)
    for layer in layers:
        if isinstance(layer, nn.Linear):
            layer.rule = rule(*arguments)
    return LRP(layers).attribute(x.double().requires_grad_()).detach().numpy()


def test_epsilon_agrees_with_captum_where_captum_is_right() -> None:
    network, inputs = randomised(XAUGDNN(29)), tables(20, 29)
    found = relevance(network, inputs, P1, torch.float64)
    np.testing.assert_allclose(
        found.relevance["table"], by_captum(network, inputs["table"], EpsilonRule, 0.1), atol=1e-9
    )


def test_gamma_agrees_with_captum_on_positive_values() -> None:
    network, inputs = randomised(XAUGDNN(29)), {"table": tables(20, 29)["table"].abs()}
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.bias.data.zero_()  # captum's rule leaves the bias without gamma
    gamma = Preset("gamma", "", {"dense": Gamma(0.25), "head": Gamma(0.25)})
    found = relevance(network, inputs, gamma, torch.float64)
    positive = found.output > 0  # of a negative output captum turns every sign round
    expected = by_captum(network, inputs["table"], GammaRule, 0.25)
    assert 5 < positive.sum() < 20
    np.testing.assert_allclose(found.relevance["table"][positive], expected[positive], rtol=1e-6, atol=1e-9)


def test_captum_multiplies_relevance_by_the_multiplicity_where_glassjet_does_not() -> None:
    """A PFN with a functional sum: every constituent gets the relevance of the whole jet, without a word."""

    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            pfn = randomised(PFN(3)).double()
            for module in pfn.modules():
                if isinstance(module, nn.Linear):
                    module.bias.data.zero_()
            self.phi, self.f, self.head, self.pfn = pfn.phi, pfn.f, plain(pfn.head), [pfn]

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.f(self.phi(x).sum(1)))

    network = Functional()
    for n in (5, 11):
        x = torch.randn(4, n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
        f = network(x)[:, 0].detach().numpy()
        R = LRP(network).attribute(x.clone().requires_grad_()).detach().numpy()
        np.testing.assert_allclose(R.sum((1, 2)) / f, n, rtol=1e-4)
        right = relevance(
            network.pfn[0], {"constituents": x, "mask": torch.ones(4, n).bool()}, RECOMMENDED, torch.float64
        )
        np.testing.assert_allclose(right.relevance["constituents"].sum((1, 2)), f, rtol=1e-10)


def by_the_code_of_p2(network: nn.Module, x: Tensor) -> np.ndarray:
    """Its algorithm, on the merged neuron: gradient times input of layers with w + 2 w⁺, behind a ReLU but the last.

    Without its factor that makes up, over the batch, for what neurons with a zero denominator lose.
    """
    layers = [layer for layer in plain(network) if isinstance(layer, nn.Linear)]
    values = [x.double()]
    for layer in layers[:-1]:
        values.append(layer(values[-1]).clamp(min=0).detach())
    R = layers[-1](values[-1]).detach()
    for i, layer in reversed(list(enumerate(layers))):
        a = values[i].requires_grad_()
        z = nn.functional.linear(
            a, layer.weight + 2 * layer.weight.clamp(min=0), layer.bias + 2 * layer.bias.clamp(min=0)
        )
        z = z if i == len(layers) - 1 else z.clamp(min=0)
        (gradient,) = torch.autograd.grad(z, a, torch.where(z == 0, 0, R / z).detach())
        R = (a * gradient).detach()
    return R.numpy()


@pytest.mark.parametrize("positive", [True, False], ids=["as-published", "both-signs"])
def test_p2_is_the_papers_algorithm_where_the_output_is_positive(positive: bool) -> None:
    network, table = randomised(MBNS(22)), tables(30, 22)["table"]
    inputs = {"table": table.abs() if positive else table}
    found = relevance(network, inputs, P2, torch.float64)
    signal = found.output > 0
    expected = by_the_code_of_p2(network, inputs["table"])
    assert 5 < signal.sum() < 30
    np.testing.assert_allclose(found.relevance["table"][signal], expected[signal], rtol=1e-9, atol=1e-12)
    assert (found.ledger["undistributable"] != 0).any() == (not positive)


def test_p2_explains_background_like_signal_turned_round() -> None:
    network, inputs = randomised(MBNS(22)), tables(30, 22)
    turned = randomised(MBNS(22))
    turned.head.weight.data, turned.head.bias.data = network.head.weight.data.flip(0), network.head.bias.data.flip(0)
    for preset in PRESETS.values():
        found, other = (relevance(net, inputs, preset, torch.float64) for net in (network, turned))
        np.testing.assert_allclose(other.output, -found.output, atol=1e-12)
        np.testing.assert_allclose(other.relevance["table"], -found.relevance["table"], atol=1e-9)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_linear_network_is_explained_exactly(preset: str) -> None:
    """f = w·x + b: R_j = w_j x_j and b for the bias, but for the stabiliser of p1 and the gamma of p2."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = LogOdds(5)

        def forward(self, inputs: Inputs) -> Tensor:
            return self.head(inputs["table"])

    network, inputs = randomised(Linear()).double(), tables(8, 5)
    weight, bias = (part.detach().numpy() for part in network.head.merged())
    exact = inputs["table"].numpy() * weight
    found = relevance(network, inputs, PRESETS[preset], torch.float64)
    if preset == "recommended":
        np.testing.assert_allclose(found.relevance["table"], exact, rtol=1e-12)
        np.testing.assert_allclose(found.ledger["bias"], np.full(8, bias), rtol=1e-12)
    if preset == "p1":
        factor = np.abs(found.output) / (np.abs(found.output) + 0.1)
        np.testing.assert_allclose(found.relevance["table"], exact * factor[:, None], rtol=1e-12)
        np.testing.assert_allclose(found.ledger["stabiliser"], found.output * (1 - factor), rtol=1e-9)
    if preset == "p2":
        favoured = np.where(exact * np.sign(found.output)[:, None] > 0, 3 * exact, exact)
        ratio = found.relevance["table"] / favoured
        np.testing.assert_allclose(ratio, ratio[:, :1] * np.ones((1, 5)), rtol=1e-10)
        assert (ratio > 0).all()


def test_every_preset_says_what_it_is_and_can_be_stored() -> None:
    assert set(PRESETS) == {"p1", "p2", "recommended"}
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.description
        json.dumps([preset.description, preset.departures])
        assert set(preset.rules) == {"dense", "head", "convolution", "sum", "addition"}
    assert len(P1.departures) >= 3
    assert len(P2.departures) >= 4
    assert not RECOMMENDED.departures


def fitted(network: nn.Module, table: Tensor, label: Tensor, steps: int = 250) -> nn.Module:
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(steps):
        rows = slice(step * 200 % 4000, step * 200 % 4000 + 200)
        loss = nn.functional.binary_cross_entropy_with_logits(network({"table": table[rows]}), label[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def physics(jets: int, columns: int) -> tuple[Tensor, Tensor]:
    """Standard normal columns and a label that three of them decide, with a product and a curve."""
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(jets, columns, generator=generator).clamp(-3, 3)
    logit = 2 * x[:, 0] + 2 * x[:, 1] * x[:, 2] + torch.sin(2 * x[:, 0])
    return x, (torch.rand(jets, generator=generator) < logit.sigmoid()).float()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_leaked_label_ranks_first(preset: str) -> None:
    x, label = physics(5000, 8)
    x[:, 5] = (2 * label - 1) * (1 + 0.2 * x[:, 5])
    network = fitted(XAUGDNN(8), x, label)
    found = relevance(network, {"table": x[4000:]}, PRESETS[preset])
    assert np.abs(found.relevance["table"]).mean(0).argmax() == 5


def exact_shapley(network: nn.Module, x: Tensor, background: Tensor) -> np.ndarray:
    """Shapley values of columns from all coalitions; absent columns come from each background jet in turn."""
    n, d = x.shape
    value = {}
    with torch.no_grad():
        for size in range(d + 1):
            for present in combinations(range(d), size):
                mixed = background[None].repeat(n, 1, 1)
                mixed[:, :, present] = x[:, None, present]
                value[present] = network({"table": mixed.reshape(-1, d)}).reshape(n, -1).mean(1).double().numpy()
    phi = np.zeros((n, d))
    for present, v in value.items():
        weight = factorial(len(present)) * factorial(d - len(present) - 1) / factorial(d) if len(present) < d else 0.0
        for j in set(range(d)) - set(present):
            phi[:, j] += weight * (value[tuple(sorted((*present, j)))] - v)
    return phi


def test_recommended_is_nearest_to_exact_shapley_values() -> None:
    """A trained MBNS on six columns: agreement jet by jet, and of the ranking, against that of the papers' presets."""
    x, label = physics(5000, 6)
    network = fitted(MBNS(6), x, label)
    phi = exact_shapley(network, x[4000:4060], x[:30])
    residual, agreement = {}, {}
    for name, preset in PRESETS.items():
        R = relevance(network, {"table": x[4000:4060]}, preset).relevance["table"]
        residual[name] = np.sqrt(((R - phi) ** 2).sum() / (phi**2).sum())
        agreement[name] = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(R, phi, strict=True)])
        if name == "recommended":
            assert spearmanr(np.abs(R).mean(0)[:3], np.abs(phi).mean(0)[:3]).statistic == 1
            assert np.abs(R).mean(0)[:3].min() > 2 * np.abs(R).mean(0)[3:].max()
    assert min(residual, key=lambda name: residual[name]) == "recommended"
    assert agreement["recommended"] > 0.75
    assert agreement["recommended"] > agreement["p2"] + 0.1


def test_presence_completes_the_relevance_of_constituents() -> None:
    """In a PFN whose F is linear and positive, leaving a constituent out changes f by its whole contribution."""

    class Additive(PFN):
        def forward(self, inputs: Inputs) -> Tensor:
            return self.head(self.sum(self.phi(inputs["constituents"]), inputs["mask"]))

    network, inputs = randomised(Additive(3)), sets(6)
    network.head = randomised(LogOdds(256))
    zero = Preset("zero", "", {"dense": Zero(), "head": Zero(), "sum": Zero()})
    found = relevance(network, inputs, zero, torch.float64)
    assert found.presence is not None
    whole = found.relevance["constituents"].sum(2) + found.presence
    network = network.double()
    with torch.no_grad():
        full = {"constituents": inputs["constituents"].double(), "mask": inputs["mask"]}
        for i in range(12):
            mask = inputs["mask"].clone()
            mask[:, i] = False
            change = network(full) - network(full | {"mask": mask})
            np.testing.assert_allclose(whole[:, i], change, atol=1e-12)


def test_the_stabiliser_of_p1_is_absolute_and_the_ledger_shows_what_it_takes() -> None:
    network, inputs = randomised(MBNS(22)), tables(10, 22)
    found = relevance(network, inputs, P1, torch.float64)
    none = relevance(network, inputs, Preset("e", "", {"dense": Epsilon(1e-12), "head": Epsilon(1e-12)}), torch.float64)
    assert (np.abs(none.ledger["stabiliser"]) < 1e-9 * none.ledger["absolute"]).all()
    assert (np.abs(found.ledger["stabiliser"]) > 1e-3 * np.abs(found.output)).all()
