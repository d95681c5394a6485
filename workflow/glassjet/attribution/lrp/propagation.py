"""Relevance as a gradient: the layers of a network, made to pass relevance backward in the place of gradients.

A layer's forward stays what it was; its backward is its rule. Autograd does the rest: where branches meet, where a
layer is used twice or a tensor was reshaped, relevance adds up and travels as it should. `graph` checks that nothing
else happened on the way.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from glassjet.attribution.lrp.ledger import Ledger, per_jet
from glassjet.attribution.lrp.linear import LINEAR, Kind, LinearMap
from glassjet.attribution.lrp.rules import Rule
from glassjet.errors import InputError

# Relevance passes an activation unchanged: what the neuron has, its sum has next.
ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid)
# The winner takes all, the first one of equals.
MAXIMA = (nn.MaxPool1d, nn.MaxPool2d)
# What is inside gets its relevance back; the rules of convolutions leave nothing for the zeros around it.
PADDING = (nn.ZeroPad1d, nn.ZeroPad2d)
# Nothing happens in them when a trained network is read, or a reshape that autograd shows.
TRANSPARENT = (
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity, nn.Flatten, nn.Unflatten),
    *(nn.Sequential, nn.ModuleList, nn.ModuleDict),
)


@dataclass(frozen=True)
class Step:
    """One call of a layer, as autograd's graph remembers it; `rule` is None where relevance passes as it is."""

    layer: str
    module: nn.Module
    rule: Rule | None = None


class Shared(torch.autograd.Function):
    """A linear map: forward the layer's own, backward its rule."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, evaluate: Callable[[], Tensor], linear: LinearMap, step: Step, ledger: Ledger
    ) -> Tensor:
        z = evaluate()
        ctx.save_for_backward(x, z)
        ctx.linear, ctx.step, ctx.ledger = linear, step, ledger
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, R: Tensor) -> tuple[Tensor | None, ...]:
        x, z = ctx.saved_tensors
        shares = ctx.step.rule.share(ctx.linear, x, z, R)
        ctx.ledger.record(ctx.step.layer, ctx.linear, R, shares)
        return shares.inputs, None, None, None, None


class Passed(torch.autograd.Function):
    """An activation: forward its own, backward the identity."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, evaluate: Callable[[Tensor], Tensor], step: Step, ledger: Ledger) -> Tensor:
        ctx.step = step
        return evaluate(x.clone() if getattr(step.module, "inplace", False) else x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, R: Tensor) -> tuple[Tensor | None, ...]:
        return R, None, None, None


class Won(torch.autograd.Function):
    """A maximum: forward its own, backward its own gradient, which picks the winner."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, evaluate: Callable[[Tensor], Tensor], step: Step, ledger: Ledger) -> Tensor:
        ctx.step = step
        with torch.enable_grad():
            ctx.x = x.detach().requires_grad_()
            ctx.y = evaluate(ctx.x)
        return ctx.y.detach().clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, R: Tensor) -> tuple[Tensor | None, ...]:
        return *torch.autograd.grad(ctx.y, ctx.x, R), None, None, None


class Padded(torch.autograd.Function):
    """Zeros around a tensor, which are constants: what they get is in the ledger."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, evaluate: Callable[[Tensor], Tensor], step: Step, ledger: Ledger) -> Tensor:
        ctx.step, ctx.ledger, ctx.border = step, ledger, 1 - evaluate(torch.ones_like(x[:1]))
        return evaluate(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, R: Tensor) -> tuple[Tensor | None, ...]:
        ctx.ledger.constants.append(per_jet(R * ctx.border))  # not R itself: layers and ledger live until Python's gc
        return nn.functional.pad(R, [-pad for pad in ctx.step.module.padding]), None, None, None


FUNCTIONS: dict[type[nn.Module], type[torch.autograd.Function]] = {
    **dict.fromkeys(ACTIVATIONS, Passed),
    **dict.fromkeys(MAXIMA, Won),
    **dict.fromkeys(PADDING, Padded),
}


def _known(module: nn.Module, types: Iterable[type[nn.Module]]) -> type[nn.Module] | None:
    """The type among `types` whose forward the module has; a subclass with another forward is another layer."""
    for ancestor in type(module).__mro__:
        if ancestor in types:
            same = type(module).forward is ancestor.forward  # type: ignore[attr-defined]
            return ancestor if same and "forward" not in vars(module) else None
    return None


def has_rule(module: nn.Module) -> bool:
    """Whether the type of `module` defines how relevance passes it, so that its parameters are weights of a rule."""
    return _known(module, (*LINEAR, *FUNCTIONS)) is not None


Choose = Callable[[str, Kind, Tensor], Rule]  # (layer, kind of linear map, what the layer reads) -> rule


def _need_path(layer: str, module: nn.Module, x: Tensor) -> None:
    if not x.requires_grad:
        raise InputError(
            f"layer {layer!r} ({type(module).__name__}) reads a tensor that relevance cannot go back from: it was "
            f"detached, or made inside forward; remove the detach, or register a constant as a buffer"
        )


def _shared(
    layer: str, module: nn.Module, builder: Callable[..., tuple[LinearMap, Tensor]], choose: Choose, ledger: Ledger
) -> Callable[..., Tensor]:
    """The forward of a linear map that passes relevance backward by the rule chosen for it."""
    forward = module.forward
    parameters = signature(forward)

    def ruled(*arguments: Any, **keywords: Any) -> Tensor:
        bound = parameters.bind(*arguments, **keywords).arguments
        for name, tensor in bound.items():
            if name != "mask":
                _need_path(layer, module, tensor)
        linear, x = builder(layer, module, *bound.values())
        if len(x) != ledger.jets:
            raise InputError(
                f"layer {layer!r} ({type(module).__name__}) reads a tensor of shape {tuple(x.shape)}: its first "
                f"dimension must count the {ledger.jets} jets, for relevance is accounted for jet by jet"
            )
        step = Step(layer, module, choose(layer, linear.kind, x))
        return Shared.apply(x, lambda: forward(*bound.values()), linear, step, ledger)

    return ruled


def _unary(
    layer: str, module: nn.Module, function: type[torch.autograd.Function], ledger: Ledger
) -> Callable[..., Tensor]:
    """The forward of a layer that passes relevance without a rule."""
    forward = module.forward

    def ruled(x: Tensor) -> Tensor:
        _need_path(layer, module, x)
        return function.apply(x, forward, Step(layer, module), ledger)

    return ruled


def _refused(layer: str, module: nn.Module) -> Callable[..., Tensor]:
    def refuse(*arguments: Any, **keywords: Any) -> Tensor:
        known = ", ".join(sorted(kind.__name__ for kind in (*LINEAR, *FUNCTIONS)))
        raise InputError(f"layer {layer!r} is a {type(module).__name__}, for which no rule is known; known: {known}")

    return refuse


def install(network: nn.Module, choose: Choose, ledger: Ledger) -> None:
    """Replace the forward of each layer of `network` by one that passes relevance backward and enters it in `ledger`.

    A layer that nobody knows how to pass raises InputError when it is called. The network is changed for good: give a
    copy. Call it with grad mode on, in eval mode, its weights without `requires_grad`.
    """
    below: set[nn.Module] = set()
    for name, module in network.named_modules():
        if module in below:
            continue
        layer = name or type(module).__name__
        if (known := _known(module, LINEAR)) is not None:
            forward = _shared(layer, module, LINEAR[known], choose, ledger)
        elif (known := _known(module, FUNCTIONS)) is not None:
            forward = _unary(layer, module, FUNCTIONS[known], ledger)
        elif next(module.children(), None) is not None or module is network or _known(module, TRANSPARENT):
            continue
        else:
            forward = _refused(layer, module)
        below.update(module.modules())  # what a layer is made of is no layer: a parametrisation of its weight
        module.forward = forward
