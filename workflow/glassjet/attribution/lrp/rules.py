"""The rules of layer-wise relevance propagation, for any linear map z_k = Σ_j x_j w_jk + b_k.

A rule splits the relevance R_k of each output between the inputs and what else made the output: the bias, the rule's
own stabiliser, or nothing that the rule could find (undistributable). Each share has a formula of its own, none is the
rest of the others; that they add up to R_k is tested, not arranged. Below, c_jk = x_j w_jk is the contribution of input
j to neuron k, c⁺ = max(c, 0), c⁻ = min(c, 0), and where a denominator is zero R_k is undistributable.

A neuron's bias is a contribution like those of its inputs. `bias=False` leaves it out of the denominator, and the
inputs share its part.

Sources: [B15] Bach et al., PLOS ONE 10 (2015) e0130140; [M17] Montavon et al., Pattern Recognition 65 (2017) 211;
[M19] Montavon et al., LNCS 11700 (2019) 193; [A21] Andéol et al., arXiv:2106.04923; [L19] Lapuschkin et al., Nature
Communications 10 (2019) 1096.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from glassjet.attribution.lrp.linear import LinearMap
from glassjet.errors import InputError


class Shares(NamedTuple):
    """Where the relevance of a layer's outputs goes: `inputs` in the shape of x, others in that of z, None for nil."""

    inputs: Tensor
    bias: Tensor | None = None
    stabiliser: Tensor | None = None
    undistributable: Tensor | None = None


class Rule(Protocol):
    """A way to split the relevance R of the outputs z = x·w + b of a linear map."""

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R, which is in the shape of z."""
        ...


Terms = Sequence[tuple[Tensor, Tensor]]  # contributions as a sum of products: parts of x, each with a weight


def _total(linear: LinearMap, terms: Terms, bias: Tensor | None) -> Tensor:
    """The sum of all contributions to each neuron."""
    (x, weight), *rest = terms
    total = linear.multiply(x, weight)
    for x, weight in rest:
        total = total + linear.multiply(x, weight)
    return total if bias is None else total + bias


def _distribute(linear: LinearMap, terms: Terms, bias: Tensor | None, d: Tensor, R: Tensor) -> Shares:
    """Shares in proportion to the contributions: contribution · R / d, for a denominator `d` in the shape of z."""
    s, lost = R / d, None
    if not d.all():
        s, lost = torch.where(d == 0, 0, s), torch.where(d == 0, R, 0)
    (x, weight), *rest = terms
    inputs = x * linear.transpose(s, weight, x)
    for x, weight in rest:
        inputs = inputs + x * linear.transpose(s, weight, x)
    return Shares(inputs, None if bias is None else bias * s, None, lost)


def _signed(x: Tensor, rising: Tensor, falling: Tensor) -> Terms:
    """`x` with the weight `rising` where it is positive and with `falling` where it is negative."""
    if not (x < 0).any():  # behind a ReLU
        return [(x, rising)]
    return [(x.clamp(min=0), rising), (x.clamp(max=0), falling)]


def _both(a: Shares, b: Shares) -> Shares:
    """The sum of two shares."""
    pairs = zip(a, b, strict=True)
    return Shares(*(v if u is None else u if v is None else u + v for u, v in pairs))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Epsilon:
    """LRP-ε: R_j = Σ_k c_jk R_k / (z_k + e_k), with e_k of the sign of z_k (+ for 0). [B15 eq. 58, M19]

    e_k = ε, or, if `relative`, ε (Σ_j |c_jk| + |b_k|): then no share exceeds |R_k| / ε, whatever a layer's units are.
    The stabiliser e_k keeps e_k R_k / (z_k + e_k).
    """

    epsilon: float
    relative: bool = False
    bias: bool = True

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        terms = [(x, linear.weight)]
        bias = linear.bias if self.bias else None
        if bias is not linear.bias:
            z = _total(linear, terms, None)
        if not self.epsilon:
            return _distribute(linear, terms, bias, z, R)
        e = torch.full_like(z, self.epsilon)
        if self.relative:
            e *= _total(linear, [(x.abs(), linear.weight.abs())], None if bias is None else bias.abs())
        e = e.copysign_(z)
        d = z + e
        stabiliser = e * R / d
        if self.relative:
            stabiliser = torch.where(d == 0, 0, stabiliser)
        return _distribute(linear, terms, bias, d, R)._replace(stabiliser=stabiliser)


@dataclass(frozen=True)
class Zero:
    """LRP-0: R_j = Σ_k c_jk R_k / z_k. [B15 eq. 56, M19]"""

    bias: bool = True

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        return Epsilon(0.0, bias=self.bias).share(linear, x, z, R)


@dataclass(frozen=True)
class Gamma:
    """LRP-γ for values of both signs: what pushed a neuron the way it went counts 1 + γ times. [A21; M19 for x ≥ 0]

    R_j = Σ_k (c_jk + γ c_jk⁺) R_k / (z_k + γ Σ_j c_jk⁺ + γ b_k⁺) for z_k ≥ 0; with c⁻ and b⁻ for z_k < 0. So a
    denominator is on z_k's side of zero, and no nearer to it.
    """

    gamma: float
    bias: bool = True

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        w, b = linear.weight, linear.bias if self.bias else None
        if b is not linear.bias:
            z = _total(linear, [(x, w)], None)
        up, down = w + self.gamma * w.clamp(min=0), w + self.gamma * w.clamp(max=0)
        below = (z < 0) & (R != 0)
        terms = _signed(x, up, down)
        bias = None if b is None else b + self.gamma * b.clamp(min=0)
        shares = _distribute(linear, terms, bias, _total(linear, terms, bias), torch.where(below, 0, R))
        if not below.any():  # behind a layer with a ReLU
            return shares
        terms = _signed(x, down, up)
        bias = None if b is None else b + self.gamma * b.clamp(max=0)
        return _both(shares, _distribute(linear, terms, bias, _total(linear, terms, bias), torch.where(below, R, 0)))


@dataclass(frozen=True)
class RectifiedGamma:
    """LRP-γ as in the code of arXiv:2210.04371: w + γ w⁺, b + γ b⁺, and a ReLU on the denominator. [M19]

    R_j = Σ_k x_j (w_jk + γ w_jk⁺) R_k / max(0, Σ_j x_j (w_jk + γ w_jk⁺) + b_k + γ b_k⁺); the relevance of a neuron
    whose denominator is zero is undistributable. The same as `Gamma` for x ≥ 0 and z > 0, which it was made for.
    """

    gamma: float
    bias: bool = True

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        b = linear.bias if self.bias else None
        terms = [(x, linear.weight + self.gamma * linear.weight.clamp(min=0))]
        bias = None if b is None else b + self.gamma * b.clamp(min=0)
        return _distribute(linear, terms, bias, _total(linear, terms, bias).clamp(min=0), R)


@dataclass(frozen=True)
class AlphaBeta:
    """LRP-αβ, α - β = 1: R_j = Σ_k (α c_jk⁺ / (Σ_j c_jk⁺ + b_k⁺) - β c_jk⁻ / (Σ_j c_jk⁻ + b_k⁻)) R_k. [B15 eq. 60]

    A neuron without a positive part keeps α R_k, one without a negative part -β R_k, as undistributable.
    """

    alpha: float = 1.0
    beta: float = 0.0
    bias: bool = True

    def __post_init__(self) -> None:
        if self.alpha - self.beta != 1 or self.beta < 0:
            raise InputError(f"the alpha-beta rule needs alpha - beta = 1, beta >= 0; got {self.alpha}, {self.beta}")

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        up, down = linear.weight.clamp(min=0), linear.weight.clamp(max=0)
        b = linear.bias if self.bias else None
        terms, bias = _signed(x, up, down), None if b is None else b.clamp(min=0)
        shares = _distribute(linear, terms, bias, _total(linear, terms, bias), self.alpha * R)
        if not self.beta:
            return shares
        terms, bias = _signed(x, down, up), None if b is None else b.clamp(max=0)
        return _both(shares, _distribute(linear, terms, bias, _total(linear, terms, bias), -self.beta * R))


@dataclass(frozen=True, eq=False)
class ZBox:
    """The z-box rule, for inputs known to lie between `low` and `high`, which broadcast against x. [M17]

    R_j = Σ_k ((x_j - l_j) w_jk⁺ + (x_j - h_j) w_jk⁻) R_k / Σ_j(…): the numerators of x_j w_jk - l_j w_jk⁺ - h_j w_jk⁻,
    none of them negative. The bias gets nothing. A constituent's padding may lie outside: it has no relevance.
    """

    low: Tensor
    high: Tensor

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        w = linear.weight
        real = linear.real(x)
        terms = [((x - self.low) * real, w.clamp(min=0)), ((x - self.high) * real, w.clamp(max=0))]
        return _distribute(linear, terms, None, _total(linear, terms, None), R)


@dataclass(frozen=True)
class Flat:
    """Equal shares for all inputs of a neuron, none for padding: R_j = Σ_k R_k / n_k. [L19]"""

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        terms = [(linear.real(x), linear.ones())]
        return _distribute(linear, terms, None, _total(linear, terms, None), R)


@dataclass(frozen=True)
class WSquare:
    """Shares in proportion to squared weights, whatever the inputs: R_j = Σ_k w_jk² R_k / Σ_j w_jk². [M17]"""

    def share(self, linear: LinearMap, x: Tensor, z: Tensor, R: Tensor) -> Shares:
        """The shares of R; see the class."""
        terms = [(linear.real(x), linear.weight.square())]
        return _distribute(linear, terms, None, _total(linear, terms, None), R)
