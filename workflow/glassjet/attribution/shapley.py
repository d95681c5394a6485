"""Shapley values of a tagger on a table: DeepSHAP, checked against the permutation estimate.

phi_i(x) is the average, over the jets of a fixed background, of DeepLIFT's multipliers times the difference of the
inputs: sum_i phi_i(x) + mean f(background) = f(x) for every jet (efficiency), asserted here for each of them.
DeepSHAP is an approximation of the Shapley values (Lundberg and Lee, arXiv:1705.07874, section 4.2; exact for a
linear network), hence the check against `shap.PermutationExplainer`, which evaluates the network on coalitions, with
the same background.

shap walks modules by their exact class, so it gets the plain `nn.Sequential` that the tagger amounts to: the two
outputs merged into one Linear (the log-odds), dropout absent, float64.
"""

import warnings
from dataclasses import asdict, dataclass

import numpy as np
import shap
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import nn

from glassjet.errors import InputError
from glassjet.taggers.layers import LogOdds

TOLERANCE = 1e-6  # of |sum phi + base - f|, relative to 1 + |f|; float64 leaves about 1e-13

Table = NDArray[np.floating]


def plain(network: nn.Module) -> nn.Sequential:
    """The sequence of Linear and ReLU that a dense tagger amounts to, in float64, with the log-odds as its one output.

    Raises
    ------
    InputError
        Names the first layer that is not dense: such a tagger has no table as its only input.
    """
    layers: list[nn.Module] = []
    for name, module in network.named_modules():
        if isinstance(module, LogOdds):
            weight, bias = module.merged()
            layers.append(linear(weight.detach(), bias.detach()))
        elif isinstance(module, nn.Linear):
            layers.append(linear(module.weight.detach(), module.bias.detach()))
        elif isinstance(module, nn.ReLU):
            layers.append(nn.ReLU())
        elif not isinstance(module, nn.Dropout) and not list(module.children()):
            raise InputError(
                f"shap: layer {name or 'network'} ({type(module).__name__}) is not dense; "
                "shap explains taggers on a table only"
            )
    return nn.Sequential(*layers).eval()


def linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    """A linear layer in float64 with these weights (out, in) and biases (out,)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64, device=weight.device)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


@dataclass(frozen=True)
class Explained:
    """Shapley values of some jets: phi (n, F) and f (n,), in units of the log-odds; `base` is mean f(background)."""

    phi: NDArray[np.float64]
    output: NDArray[np.float64]
    base: float


def explain(sequence: nn.Sequential, background: Table, table: Table, first: int = 0) -> Explained:
    """DeepSHAP of each row of `table`.

    Parameters
    ----------
    sequence : nn.Sequential
        From `plain`.
    background : array (b, F)
        The jets that stand for "feature unknown": every one counts the same, so draw them by weight.
    table : array (n, F)
        The jets to explain, scaled as the network takes them.
    first : int
        The number of the first of them, for messages.

    Raises
    ------
    InputError
        If a jet breaks efficiency by more than TOLERANCE * (1 + |f|).
    """
    device = next(sequence.parameters()).device
    explainer = shap.DeepExplainer(sequence, torch.as_tensor(background, dtype=torch.float64, device=device))
    base = float(np.asarray(explainer.expected_value)[0])
    rows = torch.as_tensor(table, dtype=torch.float64, device=device)
    with torch.no_grad():
        output = sequence(rows)[:, 0].cpu().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy, on how shap reads a tensor
        phi = np.asarray(explainer.shap_values(rows, check_additivity=True))[:, :, 0]
    gap = np.abs(phi.sum(1) + base - output) / (1 + np.abs(output))
    broken = ~(gap <= TOLERANCE)  # NaN too
    if broken.any():
        jet = int(np.flatnonzero(broken)[0])
        raise InputError(f"shap: jet {first + jet} breaks efficiency: sum(phi) + base is {gap[jet]:.1e} away from f")
    return Explained(phi, output, base)


@dataclass(frozen=True)
class Agreement:
    """How DeepSHAP compares with the permutation estimate on the same jets and background.

    Attributes
    ----------
    jets : int
        Number of jets compared.
    pearson : float
        Correlation of all phi, jets and features together.
    spearman_jets : float
        Rank correlation over the features of a jet, the mean over jets.
    spearman_ranking : float
        Rank correlation of mean |phi| over features: what a ranking sees.
    """

    jets: int
    pearson: float
    spearman_jets: float
    spearman_ranking: float

    def as_dict(self) -> dict[str, float]:
        """For a file's metadata."""
        return asdict(self)


class Coalitions:
    """A masker of shap: the whole background (b, F) with the known features of one jet put in.

    shap's own, `maskers.Independent`, keeps 100 jets unless told otherwise, and compiles for seconds in each process.
    """

    immutable_outputs = True

    def __init__(self, background: NDArray[np.float64]) -> None:
        self.background = background

    def shape(self, row: NDArray[np.float64]) -> tuple[int, int]:
        """Number of background jets, and of features."""
        return len(self.background), len(row)

    def __call__(self, known: NDArray[np.bool_], row: NDArray[np.float64]) -> tuple[NDArray[np.float64]]:
        """The background with the features of `row` that are `known`."""
        return (np.where(known, row, self.background),)


def permutation_phi(
    sequence: nn.Sequential, background: Table, table: Table, seed: int, permutations: int = 10
) -> NDArray[np.float64]:
    """Shapley values (n, F) by shap's PermutationExplainer: antithetic orders of the features, the network on
    coalitions.

    Each order is walked forwards and backwards, 2 F evaluations on every background jet; `permutations` of them a jet.
    """
    device = next(sequence.parameters()).device

    def log_odds(rows: Table) -> Table:
        with torch.no_grad():
            return sequence(torch.as_tensor(rows, dtype=torch.float64, device=device))[:, 0].cpu().numpy()

    explainer = shap.PermutationExplainer(log_odds, Coalitions(np.asarray(background, np.float64)), seed=seed)
    evaluations = 2 * table.shape[1] * permutations + 1
    return np.asarray(explainer(np.asarray(table, np.float64), max_evals=evaluations, silent=True).values)


def agreement(deep: Table, permutation: Table) -> Agreement:
    """Compare two sets of Shapley values (n, F) of the same jets; a single feature has no rank correlation (NaN)."""
    if deep.shape[1] < 2:
        return Agreement(len(deep), float(np.corrcoef(deep.ravel(), permutation.ravel())[0, 1]), np.nan, np.nan)
    of_jets = [spearmanr(a, b).statistic for a, b in zip(deep, permutation, strict=True)]
    of_ranking = spearmanr(np.abs(deep).mean(0), np.abs(permutation).mean(0)).statistic
    pearson = np.corrcoef(deep.ravel(), permutation.ravel())[0, 1]
    return Agreement(len(deep), float(pearson), float(np.mean(of_jets)), float(of_ranking))
