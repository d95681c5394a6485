"""Every rule on every layer equals a slow loop written from its formula."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glassjet.attribution.lrp.linear import LINEAR
from glassjet.attribution.lrp.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    RectifiedGamma,
    Rule,
    Shares,
    WSquare,
    ZBox,
    Zero,
)
from glassjet.errors import InputError
from glassjet.taggers.layers import Add, LogOdds, MaskedSum
from tests.attribution.lrp import loops
from tests.attribution.lrp.loops import Loop, Neuron

Case = tuple[nn.Module, tuple[Tensor, ...], list[list[Neuron]]]  # layer, arguments, the neurons of each jet
JETS = 2


def random(*shape: int, seed: int = 0) -> Tensor:
    """Numbers of both signs, some of them zero."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return torch.where(torch.rand(shape, generator=generator) < 0.15, 0, x)


def prepared(layer: nn.Module) -> Any:
    for i, parameter in enumerate(layer.parameters()):
        parameter.data = random(*parameter.shape, seed=10 + i)
    return layer.double()


def dense() -> Case:
    layer = prepared(nn.Linear(5, 4))
    return layer, (random(JETS, 5),), [loops.dense_neurons(layer)] * JETS


def dense_for_each_constituent() -> Case:
    layer = prepared(nn.Linear(3, 4))
    return layer, (random(JETS, 6, 3),), [loops.dense_neurons(layer, rows=6)] * JETS


def dense_without_bias() -> Case:
    layer = prepared(nn.Linear(5, 4, bias=False))
    return layer, (random(JETS, 5),), [loops.dense_neurons(layer)] * JETS


def log_odds() -> Case:
    layer = prepared(LogOdds(5))
    difference = [a - b for a, b in zip(layer.weight[1].tolist(), layer.weight[0].tolist(), strict=True)]
    neuron = Neuron(list(enumerate(difference)), layer.bias[1].item() - layer.bias[0].item())
    return layer, (random(JETS, 5),), [[neuron]] * JETS


def image() -> Case:
    layer = prepared(nn.Conv2d(2, 3, 3, padding=1))
    return layer, (random(JETS, 2, 4, 4),), [loops.convolution_neurons(layer, (2, 4, 4))] * JETS


def image_with_strides() -> Case:
    layer = prepared(nn.Conv2d(2, 4, (2, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2))
    return layer, (random(JETS, 2, 5, 6),), [loops.convolution_neurons(layer, (2, 5, 6))] * JETS


def sequence() -> Case:
    layer = prepared(nn.Conv1d(2, 3, 4, padding=2, stride=2))
    return layer, (random(JETS, 2, 7),), [loops.convolution_neurons(layer, (2, 7))] * JETS


def masked_sum() -> Case:
    mask = torch.tensor([[True, True, False, True, False], [False, True, True, False, False]])
    return MaskedSum(), (random(JETS, 5, 3), mask), [loops.sum_neurons(row, 3) for row in mask]


def addition() -> Case:
    return Add(), (random(JETS, 4), random(JETS, 4, seed=1)), [loops.addition_neurons(4)] * JETS


LAYERS = [
    *(dense, dense_for_each_constituent, dense_without_bias, log_odds),
    *(image, image_with_strides, sequence, masked_sum, addition),
]
Slow = Callable[[list[float], list[Neuron], list[float]], Loop]


def by(pieces: loops.Pieces, rectified: bool = False) -> Slow:
    return partial(loops.shared, pieces=pieces, rectified=rectified)


def alpha_beta(alpha: float, beta: float, with_bias: bool = True) -> Slow:
    return partial(loops.alpha_beta, alpha=alpha, beta=beta, with_bias=with_bias)


def box() -> tuple[Rule, Slow]:
    low, high = torch.tensor(-4.0, dtype=torch.float64), torch.tensor(5.0, dtype=torch.float64)
    return ZBox(low, high), by(loops.z_box([-4.0] * 100, [5.0] * 100))


RULES: dict[str, tuple[Rule, Slow]] = {
    "zero": (Zero(), by(loops.epsilon(0.0))),
    "zero without bias": (Zero(bias=False), by(loops.epsilon(0.0, with_bias=False))),
    "epsilon": (Epsilon(0.3), by(loops.epsilon(0.3))),
    "epsilon relative": (Epsilon(0.2, relative=True), by(loops.epsilon(0.2, relative=True))),
    "epsilon without bias": (
        Epsilon(0.2, relative=True, bias=False),
        by(loops.epsilon(0.2, relative=True, with_bias=False)),
    ),
    "gamma": (Gamma(0.7), by(loops.gamma(0.7))),
    "gamma without bias": (Gamma(0.7, bias=False), by(loops.gamma(0.7, with_bias=False))),
    "rectified gamma": (RectifiedGamma(2.0), by(loops.rectified_gamma(2.0), rectified=True)),
    "rectified gamma without bias": (
        RectifiedGamma(2.0, bias=False),
        by(loops.rectified_gamma(2.0, with_bias=False), rectified=True),
    ),
    "alpha 1 beta 0": (AlphaBeta(), alpha_beta(1, 0)),
    "alpha 2 beta 1": (AlphaBeta(2.0, 1.0), alpha_beta(2, 1)),
    "alpha 2 beta 1 without bias": (AlphaBeta(2.0, 1.0, bias=False), alpha_beta(2, 1, with_bias=False)),
    "z-box": box(),
    "flat": (Flat(), by(loops.flat)),
    "w square": (WSquare(), by(loops.w_square)),
}


def share(rule: Rule, layer: nn.Module, arguments: tuple[Tensor, ...], R: Tensor) -> tuple[Shares, Tensor]:
    """What the rule says, and the tensor that the layer's map reads."""
    with torch.no_grad():
        linear, x = LINEAR[type(layer)]("layer", layer, *arguments)
        return rule.share(linear, x, layer(*arguments), R), x


@pytest.mark.parametrize("positive", [False, True], ids=["both-signs", "positive"])
@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.__name__)
@pytest.mark.parametrize("name", RULES)
def test_rule_equals_its_loop(name: str, case: Callable[[], Case], positive: bool) -> None:
    rule, slow = RULES[name]
    layer, arguments, neurons = case()
    if positive:
        arguments = tuple(x.abs() if x.is_floating_point() else x for x in arguments)
    R = random(*layer(*arguments).shape, seed=5)
    shares, x = share(rule, layer, arguments, R)
    for jet in range(JETS):
        expected = slow(x[jet].flatten().tolist(), neurons[jet], R[jet].flatten().tolist())
        for part, found in shares._asdict().items():
            right = torch.tensor(getattr(expected, part), dtype=torch.float64)
            left = torch.zeros_like(right) if found is None else found[jet].flatten()
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12, err_msg=part)


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.__name__)
@pytest.mark.parametrize("name", RULES)
def test_shares_of_every_neuron_add_up(name: str, case: Callable[[], Case]) -> None:
    layer, arguments, _ = case()
    R = random(*layer(*arguments).shape, seed=5)
    shares, _ = share(RULES[name][0], layer, arguments, R)
    total = sum(part.sum() for part in shares if part is not None)
    assert abs(float(total - R.sum())) < 1e-12 * max(1.0, float(shares.inputs.abs().sum()))


def test_a_neuron_of_zeros_is_undistributable_and_its_relevance_is_not_lost() -> None:
    layer = nn.Linear(3, 2, bias=False).double()
    x, R = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[2.0, -3.0]], dtype=torch.float64)
    for rule in (Zero(), Gamma(0.5), RectifiedGamma(2.0), AlphaBeta(), Epsilon(0.1, relative=True)):
        shares, _ = share(rule, layer, (x,), R)
        assert shares.inputs.tolist() == [[0, 0, 0]]
        assert shares.undistributable is not None
        torch.testing.assert_close(shares.undistributable, R)
    shares, _ = share(Epsilon(0.1), layer, (x,), R)
    assert shares.stabiliser is not None
    torch.testing.assert_close(shares.stabiliser, R)


def test_an_alpha_beta_neuron_without_a_negative_part_keeps_minus_beta() -> None:
    layer = nn.Linear(2, 1, bias=False).double()
    layer.weight.data = torch.tensor([[1.0, 3.0]], dtype=torch.float64)
    shares, _ = share(AlphaBeta(2.0, 1.0), layer, (torch.ones(1, 2, dtype=torch.float64),), torch.ones(1, 1).double())
    torch.testing.assert_close(shares.inputs, torch.tensor([[0.5, 1.5]], dtype=torch.float64))
    assert shares.undistributable is not None
    assert shares.undistributable.tolist() == [[-1.0]]


def test_relative_epsilon_bounds_amplification_in_any_units() -> None:
    layer = prepared(nn.Linear(5, 4))
    x, R = random(JETS, 5), random(JETS, 4, seed=5)
    shares, _ = share(Epsilon(0.1, relative=True), layer, (x,), R)
    assert float(shares.inputs.abs().sum()) <= float(R.abs().sum()) / 0.1
    layer.weight.data *= 1000
    layer.bias.data *= 1000
    scaled, _ = share(Epsilon(0.1, relative=True), layer, (x,), R)
    torch.testing.assert_close(scaled.inputs, shares.inputs)


def test_gamma_without_gamma_is_lrp_0_and_much_gamma_is_alpha_1_beta_0() -> None:
    layer, arguments, _ = dense()
    R = random(JETS, 4, seed=5)
    zero, gamma = (share(rule, layer, arguments, R)[0].inputs for rule in (Zero(), Gamma(0.0)))
    torch.testing.assert_close(gamma, zero)
    active = torch.where(layer(*arguments) > 0, R, 0)
    large, one_sided = (share(rule, layer, arguments, active)[0].inputs for rule in (Gamma(1e9), AlphaBeta()))
    torch.testing.assert_close(large, one_sided, rtol=1e-6, atol=1e-6)


def test_alpha_and_beta_must_differ_by_one() -> None:
    with pytest.raises(InputError, match="alpha - beta = 1"):
        AlphaBeta(1.0, 1.0)
