"""Which rule each layer of a network gets: the choices of the papers, and a recommended one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from numpy.typing import ArrayLike

from glassjet.attribution.lrp.linear import Kind
from glassjet.attribution.lrp.rules import AlphaBeta, Epsilon, Gamma, RectifiedGamma, Rule, ZBox, Zero


@dataclass(frozen=True)
class Preset:
    """A rule for each kind of layer.

    `at_input` has the rules of layers that read the network's inputs and nothing else, where they differ from `rules`;
    `boxes` the z-boxes of inputs by name, which go before both. `departures` says where a preset that reproduces a
    paper differs from it.
    """

    name: str
    description: str
    rules: Mapping[Kind, Rule]
    at_input: Mapping[Kind, Rule] = field(default_factory=dict)
    boxes: Mapping[str, ZBox] = field(default_factory=dict)
    departures: tuple[str, ...] = ()


LOG_ODDS = "explains the log-odds f1 - f0 as one merged neuron, "
SETS = "Deep Sets, which the paper does not explain by LRP: the sum shares in proportion to the latents (LRP-0)"

P1 = Preset(
    name="p1",
    description="arXiv:2011.13466 (LRPSequentialPresetA of iNNvestigate 1.0): epsilon = 0.1 with the sum's sign in "
    "dense layers, alpha = 1 and beta = 0 in convolutions, the bias kept in both",
    rules={
        "dense": Epsilon(0.1),
        "head": Epsilon(0.1),
        "convolution": AlphaBeta(alpha=1.0, beta=0.0),
        "sum": Zero(),
        "addition": Zero(),
    },
    departures=(
        LOG_ODDS + "not the logit of the predicted class",
        "convolutions: the positive part has the positive biases; iNNvestigate adds the negative ones to it too",
        "no division by the largest |R| of a jet: relevance is in units of the log-odds",
        SETS,
    ),
)

P2 = Preset(
    name="p2",
    description="arXiv:2210.04371: gamma = 2 on weights and biases, a ReLU on the denominators",
    rules={
        "dense": RectifiedGamma(2.0),
        "head": Gamma(2.0),
        "convolution": RectifiedGamma(2.0),
        "sum": Zero(),
        "addition": Zero(),
    },
    departures=(
        LOG_ODDS
        + "not the logit of the true class; where f < 0 gamma favours what makes f negative, else all signs would "
        "turn round",
        "relevance of neurons without a positive denominator is undistributable, jet by jet; the paper's code makes up "
        "for it by one factor for a whole batch",
        "no division by a jet's sum of R, and outliers stay",
        "the columns of a table are shifted to zero mean, where the paper's are positive as its rule supposes: "
        "denominators of the first layer come near zero, and relevance becomes large",
        "convolutions, which the paper has not, get the rule of its dense layers",
        SETS,
    ),
)

# Why these (figures: tests/benchmarks/lrp.py). LRP-0 alone is gradient x input: faithful in shallow networks, but its
# relevances of either sign grow with depth and cancel in the sum. A little gamma ends that; much of it (1, 2,
# alpha-beta) drops what speaks against the output, and the agreement with Shapley values goes. Inputs of both signs
# need the rule that treats both alike, and LRP-0 does not diverge there: the layers behind give a neuron relevance in
# proportion to its value. z-box, w^2 and flat give relevance to inputs at their mean. There is no stabiliser to lose
# relevance in; what the bias keeps, like the base value of Shapley values, is in the ledger. Correlation with Shapley
# values over columns (MBNS), constituents (PFN), pixels (XAUGImage) of toy jets: this .74 .93 .96, LRP-0 .73 .94 .93,
# p1 .71 .92 .89, gamma = .25 .68 .90 .81, p2 .36 .53 .36; sum of |R| over |f|: this 3.2 4.5 3.6, LRP-0 4.4 9.2 5.7.
RECOMMENDED = Preset(
    name="recommended",
    description="gamma = 0.05, for values of both signs, between hidden layers; LRP-0 where inputs are read, in sums "
    "and at the head; the bias kept",
    rules={"dense": Gamma(0.05), "head": Zero(), "convolution": Gamma(0.05), "sum": Zero(), "addition": Zero()},
    at_input={"dense": Zero(), "convolution": Zero()},
)

PRESETS = {preset.name: preset for preset in (P1, P2, RECOMMENDED)}


def with_box(preset: Preset, low: Mapping[str, ArrayLike], high: Mapping[str, ArrayLike]) -> Preset:
    """The preset with the z-box rule in the layers that read the inputs named in `low` and `high`.

    `low[name]` and `high[name]` are the smallest and largest scaled values in the training split, in a shape that
    broadcasts against a jet's input: (features,) for constituents, (columns,) for a table, () for images.
    """
    boxes = {name: ZBox(torch.as_tensor(low[name]), torch.as_tensor(high[name])) for name in low}
    return replace(preset, boxes={**preset.boxes, **boxes})
