"""Energy-flow polynomials against their formula, written out as loops, and against the package EnergyFlow."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.observables.flow_polynomials import CHAIN, flow_polynomials, plan
from glassjet.observables.graphs import GRAPHS, Edges, Name, text
from tests.observables.synthetic_jets import random_lists, rotated

ALL = tuple(GRAPHS)
TO_FOUR = tuple(name for name in GRAPHS if name[1] <= 4)
ONE_EDGE, TRIANGLE = (2, 1, 0), (3, 3, 1)
BETAS = (0.5, 1.0, 2.0)
EDGE = [  # one constituent, two, duplicates only, a duplicate and another, many
    np.array([[7.0, 0.3, -1.0]]),
    np.array([[30.0, 0.1, 3.1], [10.0, 0.4, -3.1]]),
    np.array([[5.0, 0.2, 1.0]] * 4),
    np.array([[5.0, 0.2, 1.0], [5.0, 0.2, 1.0], [1e-3, -0.2, 1.4]]),
    random_lists([200], seed=4)[0],
]


def polynomials(lists: Sequence[NDArray[np.float64]], graphs: tuple[Name, ...], beta: float) -> NDArray[np.float64]:
    """Of jets that are arrays (m, 3) of pT, y, phi."""
    offsets = np.concatenate([[0], np.cumsum([len(jet) for jet in lists])]).astype(np.int64)
    found = flow_polynomials(np.concatenate(lists), offsets, graphs, beta)
    assert found.shape == (len(lists), len(graphs))
    assert np.isfinite(found).all()
    return found


def relabelled(edges: Edges, labels: Sequence[int]) -> Edges:
    """The graph with other labels, in a unique form."""
    return tuple(sorted(tuple(sorted((labels[one], labels[other]))) for one, other in edges))  # type: ignore[misc]


def connected(edges: Edges, vertices: int) -> bool:
    reached = {0}
    for _ in range(vertices):
        reached |= {vertex for edge in edges if reached & set(edge) for vertex in edge}
    return len(reached) == vertices


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_every_graph_is_there_once(degree: int) -> None:
    """Each connected multigraph with all its relabellings, by brute force, has one graph of the table among them."""
    table = {name: relabelled(edges, range(6)) for name, edges in GRAPHS.items() if name[1] == degree}
    matched: list[Name] = []
    for vertices in range(2, degree + 2):
        seen: set[Edges] = set()
        for edges in itertools.combinations_with_replacement(itertools.combinations(range(vertices), 2), degree):
            if edges in seen or not connected(edges, vertices):
                continue
            same = {relabelled(edges, labels) for labels in itertools.permutations(range(vertices))}
            seen |= same
            names = [name for name, known in table.items() if known in same]
            assert len(names) == 1, edges
            assert names[0][0] == vertices
            matched += names
    assert sorted(matched) == sorted(table)
    assert len(table) == (1, 2, 5, 12, 33)[degree - 1]


def test_names_count_from_zero() -> None:
    for vertices, degree in {name[:2] for name in GRAPHS}:
        numbers = sorted(name[2] for name in GRAPHS if name[:2] == (vertices, degree))
        assert numbers == list(range(len(numbers)))


def test_text_of_a_graph() -> None:
    assert text(TRIANGLE) == "edges 01 02 12"
    assert text((2, 2, 0)) == "edges 01 01"


@pytest.mark.parametrize("beta", BETAS)
def test_polynomials_are_the_sums_of_their_formula(beta: float) -> None:
    graphs = (*TO_FOUR, (3, 5, 3), (4, 5, 6), (4, 5, 10), (5, 5, 10))
    lists = random_lists([1, 2, 3, 4, 5], seed=2)
    found = polynomials(lists, graphs, beta)
    for number, jet in enumerate(lists):
        z = (jet[:, 0] / jet[:, 0].sum()).tolist()
        turn = np.angle(np.exp(1j * np.subtract.outer(jet[:, 2], jet[:, 2])))
        theta = (np.hypot(np.subtract.outer(jet[:, 1], jet[:, 1]), turn) ** beta).tolist()
        for column, name in enumerate(graphs):
            total = 0.0
            for chosen in itertools.product(range(len(jet)), repeat=name[0]):
                term = 1.0
                for i in chosen:
                    term *= z[i]
                for one, other in GRAPHS[name]:
                    term *= theta[chosen[one]][chosen[other]]
                total += term
            assert found[number, column] == pytest.approx(total, rel=1e-10, abs=0.0), (name, len(jet))


@pytest.mark.parametrize("beta", BETAS)
def test_one_edge_and_triangle_by_hand(beta: float) -> None:
    (jet,) = random_lists([12], seed=6)
    z = jet[:, 0] / jet[:, 0].sum()
    pairs = triples = 0.0

    def theta(i: int, j: int) -> float:
        return float(np.hypot(jet[i, 1] - jet[j, 1], np.angle(np.exp(1j * (jet[i, 2] - jet[j, 2])))) ** beta)

    for i, j in itertools.combinations(range(12), 2):
        pairs += z[i] * z[j] * theta(i, j)
    for i, j, k in itertools.combinations(range(12), 3):
        triples += z[i] * z[j] * z[k] * theta(i, j) * theta(j, k) * theta(i, k)
    found = polynomials([jet], (ONE_EDGE, TRIANGLE), beta)[0]
    np.testing.assert_allclose(found, [2 * pairs, 6 * triples], rtol=1e-12)


def reference_jets() -> list[NDArray[np.float64]]:
    """The jets of data/energyflow.json, the second one across phi = pi."""
    generator = np.random.default_rng(1712)
    jets = []
    for y, phi in ((0.0, 1.0), (1.5, np.pi), (-0.7, -2.0)):
        random = generator.random((12, 3))
        pt, turned = 1.0 + 50.0 * random[:, 0] ** 3, phi + 0.8 * (random[:, 2] - 0.5)
        turned = np.where(turned > np.pi, turned - 2 * np.pi, turned)
        jets.append(np.column_stack([pt, y + 0.8 * (random[:, 1] - 0.5), turned]))
    return jets


@pytest.mark.parametrize("beta", BETAS)
def test_polynomials_are_those_of_energyflow(beta: float) -> None:
    stored = json.loads((Path(__file__).parent / "data" / "energyflow.json").read_text())[str(beta)]
    assert len(stored) == len(ALL)
    expected = np.array([stored[f"{n} {d} {k}"] for n, d, k in ALL]).T
    np.testing.assert_allclose(polynomials(reference_jets(), ALL, beta), expected, rtol=1e-10)


def test_three_matrix_products_are_enough() -> None:
    """What the polynomials cost: m^3 operations for each matrix product, all else m^2."""
    assert np.count_nonzero(plan(ALL).steps[:, 0] == CHAIN) == 3
    assert np.count_nonzero(plan(TO_FOUR).steps[:, 0] == CHAIN) == 1


@pytest.mark.parametrize("beta", BETAS)
def test_nothing_but_distances_and_fractions_matters(beta: float) -> None:
    """Turned around the beam, boosted along it, in another unit and in another order a jet has the same polynomials."""
    lists = random_lists([2, 5, 30], seed=8)
    before = polynomials(lists, ALL, beta)
    np.testing.assert_allclose(polynomials(rotated(lists, 2.5), ALL, beta), before, rtol=1e-9)
    moved = [jet * [1e-3, 1.0, 1.0] + [0.0, 0.7, 0.0] for jet in lists]
    np.testing.assert_allclose(polynomials(moved, ALL, beta), before, rtol=1e-9)
    generator = np.random.default_rng(1)
    shuffled = [generator.permutation(jet) for jet in lists]
    np.testing.assert_allclose(polynomials(shuffled, ALL, beta), before, rtol=1e-11)


@pytest.mark.parametrize("beta", BETAS)
def test_infrared_and_collinear_safety(beta: float) -> None:
    lists = random_lists([3, 30], seed=8)
    before = polynomials(lists, ALL, beta)
    split = [np.concatenate([jet, jet[:1] * [0.3, 1.0, 1.0]]) for jet in lists]
    for jet in split:
        jet[0, 0] *= 0.7
    np.testing.assert_allclose(polynomials(split, ALL, beta), before, rtol=1e-11)
    soft = [np.concatenate([jet, [[1e-15, *(jet[0, 1:] + 0.3)]]]) for jet in lists]
    np.testing.assert_allclose(polynomials(soft, ALL, beta), before, rtol=1e-8)
    hard = [np.concatenate([jet, [[10.0, *(jet[0, 1:] + 0.3)]]]) for jet in lists]
    assert (np.abs(polynomials(hard, ALL, beta) / before - 1) > 1e-6).all()


@pytest.mark.parametrize("beta", BETAS)
def test_edge_jets(beta: float) -> None:
    found = polynomials(EDGE, ALL, beta)
    assert (found[[0, 2]] == 0).all()
    np.testing.assert_allclose(found[3], polynomials([EDGE[3][1:] * [[2.0, 1.0, 1.0], [1.0] * 3]], ALL, beta)[0], 1e-12)
    assert (found[4] > 0).all()
    distance = np.hypot(0.3, 2 * np.pi - 6.2) ** beta
    for column, name in enumerate(ALL):
        ways = 0.0  # the two constituents of the second jet must alternate along every edge
        for chosen in itertools.product((0, 1), repeat=name[0]):
            if all(chosen[one] != chosen[other] for one, other in GRAPHS[name]):
                ways += np.prod(np.array([0.75, 0.25])[list(chosen)])
        assert found[1, column] == pytest.approx(ways * distance ** name[1], rel=1e-12, abs=0.0)


def test_bytes_depend_on_neither_the_grouping_of_jets_nor_the_other_graphs() -> None:
    lists = random_lists([50, 1, 7, 120, 33], seed=3)
    together = polynomials(lists, ALL, 0.5)
    alone = np.concatenate([polynomials([jet], ALL, 0.5) for jet in lists])
    assert alone.tobytes() == together.tobytes()
    single = np.concatenate([polynomials(lists, (name,), 0.5) for name in ALL], axis=1)
    assert single.tobytes() == together.tobytes()


def test_no_jets() -> None:
    assert flow_polynomials(np.empty((0, 3)), np.zeros(1, np.int64), ALL, 1.0).shape == (0, 53)
