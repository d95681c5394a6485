"""Shapley values: exact where they can be computed by hand, and efficient everywhere."""

import numpy as np
import pytest
import torch
from torch import nn

from glassjet.attribution import shapley
from glassjet.errors import InputError
from glassjet.taggers.layers import LogOdds, dense
from glassjet.taggers.mbns import MBNS
from glassjet.taggers.pfn import PFN
from glassjet.taggers.xaug import XAUGDNN

RANDOM = np.random.default_rng(0)


def gather(sequence: nn.Sequential, background: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    found = shapley.explain(sequence, background, table)
    return found.phi, found.output, found.base


@pytest.mark.parametrize("network", [MBNS(6), XAUGDNN(6)])
def test_the_plain_sequence_is_the_network(network: nn.Module) -> None:
    network.eval()
    x = torch.from_numpy(RANDOM.normal(size=(20, 6)).astype(np.float32))
    expected = network({"table": x}).detach().numpy()
    np.testing.assert_allclose(shapley.plain(network)(x.double())[:, 0].detach().numpy(), expected, atol=1e-6)


def test_a_network_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"layer sum \(MaskedSum\)"):
        shapley.plain(PFN(3))


def test_a_linear_tagger_has_the_exact_values() -> None:
    """phi_i = w_i (x_i - mean of x_i over the background)."""
    head = LogOdds(4)
    background, table = RANDOM.normal(size=(30, 4)), RANDOM.normal(size=(40, 4))
    phi, _, _ = gather(shapley.plain(head), background, table)
    weight = (head.weight[1] - head.weight[0]).detach().numpy().astype(np.float64)
    np.testing.assert_allclose(phi, weight * (table - background.mean(0)), atol=1e-7)


def test_every_jet_is_efficient() -> None:
    network = nn.Sequential(*dense([5, 20, 20]), LogOdds(20)).eval()
    background, table = RANDOM.normal(size=(50, 5)), RANDOM.normal(size=(40, 5))
    sequence = shapley.plain(network)
    phi, output, base = gather(sequence, background, table)
    with torch.no_grad():
        expected = sequence(torch.from_numpy(background)).numpy().mean()
    assert base == pytest.approx(expected)
    np.testing.assert_allclose(phi.sum(1) + base, output, atol=1e-12)


def test_the_permutation_estimate_equals_the_sum_over_all_coalitions() -> None:
    """Shapley's formula for three features, by hand, against both methods."""
    network = nn.Sequential(*dense([3, 8]), LogOdds(8)).eval()
    sequence = shapley.plain(network)
    background, table = RANDOM.normal(size=(20, 3)), RANDOM.normal(size=(6, 3))

    def value(x: np.ndarray, known: tuple[int, ...]) -> float:
        rows = background.copy()
        rows[:, list(known)] = x[list(known)]
        with torch.no_grad():
            return float(sequence(torch.from_numpy(rows)).mean())

    def exact(x: np.ndarray, i: int) -> float:
        j, k = [f for f in range(3) if f != i]
        alone = value(x, (i,)) - value(x, ())
        second = value(x, (i, j)) - value(x, (j,)) + value(x, (i, k)) - value(x, (k,))
        return alone / 3 + second / 6 + (value(x, (0, 1, 2)) - value(x, (j, k))) / 3

    expected = np.array([[exact(x, i) for i in range(3)] for x in table])
    estimate = shapley.permutation_phi(sequence, background, table, seed=1, permutations=40)
    np.testing.assert_allclose(estimate, expected, atol=0.02)
    deep, _, _ = gather(sequence, background, table)
    assert shapley.agreement(deep, expected).pearson > 0.9


def test_agreement_by_hand() -> None:
    deep = np.array([[1.0, 2.0, 3.0], [3.0, -1.0, 0.5]])
    same = shapley.agreement(deep, 2 * deep)
    assert (same.jets, same.pearson, same.spearman_jets, same.spearman_ranking) == pytest.approx((2, 1, 1, 1))
    opposite = shapley.agreement(deep, -deep)
    assert (opposite.pearson, opposite.spearman_jets, opposite.spearman_ranking) == pytest.approx((-1, -1, 1))
