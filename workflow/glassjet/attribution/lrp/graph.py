"""What autograd's graph says about a forward pass: which layers were called, and whether anything else happened.

Operations between modules are invisible to hooks on modules: that is how implementations of LRP go silently wrong. Here
the graph itself is read, from the output to the inputs. It may hold calls of layers (`propagation.Step`) and operations
that only move numbers about; anything else is an InputError that names it.
"""

from collections.abc import Iterable, Iterator
from typing import cast

from torch import Tensor, nn
from torch.autograd.graph import Node

from glassjet.attribution.lrp.propagation import Step
from glassjet.attribution.lrp.rules import Epsilon, Zero
from glassjet.errors import InputError

# Operations that only move numbers about. Their gradient moves relevance back, and adds up that of a number's uses.
CARRIERS = {
    *(
        "Alias",
        "Clone",
        "Permute",
        "ReshapeAlias",
        "Squeeze",
        "T",
        "ToCopy",
        "Transpose",
        "UnsafeView",
        "Unsqueeze",
        "View",
    ),
    *("Flip", "Gather", "Index", "IndexSelect", "Select", "Slice", "Split", "SplitWithSizes", "Unbind"),
    *("Cat", "Expand", "Repeat", "Stack"),
}
INSTEAD = {
    "Add": "Add for two tensors, LogOdds for a difference of outputs",
    "Addmm": "nn.Linear",
    "Bmm": "MaskedSum",
    "ConstantPadNd": "nn.ZeroPad2d",
    "Convolution": "nn.Conv2d",
    "MaxPool2DWithIndices": "nn.MaxPool2d",
    "Mm": "nn.Linear",
    "Relu": "nn.ReLU",
    "Sub": "LogOdds for a difference of outputs",
    "Sum": "MaskedSum",
}


def _step(node: Node) -> Step | None:
    return cast(Step | None, getattr(node, "step", None))


def _operation(node: Node) -> str:
    """The name of a node without what autograd adds to it: Add for AddBackward0."""
    return node.name().rsplit("::")[-1].rstrip("0123456789").removesuffix("Backward")


def _next(node: Node) -> list[Node]:
    return [below for below, _ in node.next_functions if below is not None]


def nearest(nodes: Iterable[Node]) -> Iterator[Node]:
    """The calls of layers, and the leaves, that are met first from `nodes` on (themselves too) to the inputs."""
    waiting, seen = list(nodes), set[Node]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if _step(node) or hasattr(node, "variable"):
            yield node
        else:
            waiting += _next(node)


def reads_inputs_only(x: Tensor) -> bool:
    """Whether `x` holds numbers of the network's inputs only: no layer was called on the way to it."""
    return x.grad_fn is None or not any(_step(node) for node in nearest([x.grad_fn]))


def _rules_below(node: Node) -> Iterator[Step]:
    """The calls with a rule that are met first below `node`, through activations."""
    for below in nearest(_next(node)):
        if (step := _step(below)) is not None:
            yield from [step] if step.rule else _rules_below(below)


def _check(node: Node, behind: str) -> None:
    """Raise InputError unless relevance passes this node in a way that is defined; `behind` names what it leads to."""
    step = _step(node)
    if step is not None:
        for below in _rules_below(node) if isinstance(step.module, nn.Sigmoid) else ():
            if isinstance(below.rule, Zero) or (isinstance(below.rule, Epsilon) and not below.rule.epsilon):
                raise InputError(
                    f"LRP-0 in layer {below.layer!r} before the sigmoid {step.layer!r} divides by sums near zero where "
                    f"the sigmoid is not zero: explain the log-odds, or take the epsilon rule"
                )
    elif hasattr(node, "variable"):
        return
    elif (operation := _operation(node)) not in CARRIERS:
        names = {made.layer for below in nearest(_next(node)) if (made := _step(below))}
        raise InputError(
            f"between {' and '.join(map(repr, sorted(names))) or 'the inputs'} and {behind} the network computes "
            f"{operation!r} outside of modules, where no rule can follow relevance; use the module "
            f"{INSTEAD.get(operation, 'for it, if it has a rule')}"
        )
    elif operation in ("Cat", "Stack") and any(below is None for below, _ in node.next_functions):
        raise InputError(
            f"before {behind} a tensor is concatenated that relevance cannot go back from: it was detached, or made "
            f"inside forward; remove the detach, or register a constant as a buffer"
        )


def check(output: Tensor, inputs: Iterable[Tensor]) -> list[Node]:
    """Raise InputError unless all between the inputs and `output` is layers with a rule and moving numbers about.

    Returns the nodes through which relevance leaves to constants (buffers, learned tokens): they lead nowhere else.
    """
    leaves, constant, behind = set(map(id, inputs)), dict[Node, bool](), dict[Node, str]()
    waiting = [(output.grad_fn, "the output")] if output.grad_fn is not None else []
    while waiting:  # depth first; a node stays until all below it are known
        node, ahead = waiting[-1]
        if node not in behind:
            _check(node, ahead)
            behind[node] = ahead
            step = _step(node)
            waiting += [(below, repr(step.layer) if step else ahead) for below in _next(node) if below not in behind]
            continue
        waiting.pop()
        is_input = id(getattr(node, "variable", None)) in leaves
        constant[node] = not is_input and not _step(node) and all(constant[below] for below in _next(node))
    if all(constant.values()):
        raise InputError(
            "no path leads from the network's output to its inputs: something was detached, or no_grad is on"
        )
    return list(
        {below: None for node, still in constant.items() if not still for below in _next(node) if constant[below]}
    )
