"""Energy-flow polynomials of jets (arXiv:1712.07124): sums over the constituents, one for each multigraph.

EFP_G = sum_i1 … sum_iN z_i1 … z_iN prod_(k,l) theta_(ik,il), with N the vertices and (k, l) the edges of the graph G,
z_i = pT_i / sum_j pT_j and theta_ij = Delta R_ij^beta.

The sums are done one vertex at a time (variable elimination, as in the paper). What is summed over a vertex with one
neighbour depends on the neighbour's constituent, a vector; over one with two neighbours it is a matrix, and costs m^3
operations for m constituents. No graph of up to five edges needs more. `plan` writes the sums of all graphs as one list
of steps, in which equal intermediate results occur once; it has three matrix products for all of `graphs.GRAPHS`.
"""

import functools
import itertools
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numba import njit

from glassjet.observables.clustering import distance_squared
from glassjet.observables.graphs import GRAPHS, Edges, Name
from glassjet.observables.kinematics import Floats, Integers

Term: TypeAlias = tuple[Any, ...]  # an intermediate result: an operation, and the results it is done with

Z, MULTIPLY_VECTORS, CONTRACT, THETA, MULTIPLY_MATRICES, CHAIN, TRANSPOSE, SUM = range(8)
VECTORS = (Z, MULTIPLY_VECTORS, CONTRACT)  # these make a vector, the others but SUM a matrix


@dataclass(frozen=True)
class Plan:
    """Steps that give the polynomials of some graphs.

    Attributes
    ----------
    steps : array (steps, 5)
        Operation, number of the vector, matrix or (of SUM) graph it makes, and the numbers of up to three operands.
    vectors, matrices : int
        How many of them there are; z and theta are the first.
    """

    steps: Integers
    vectors: int
    matrices: int


def _product(operation: int, factors: list[Term]) -> Term:
    """The elementwise product; in a fixed order, so that equal products are recognised."""
    first, *others = sorted(factors)
    return functools.reduce(lambda product, factor: (operation, product, factor), others, first)


def _eliminated(edges: Edges) -> Term:
    """The vector whose sum is the polynomial, after the sums over all vertices but one.

    The next vertex is always one with the fewest neighbours and the plainest factors: what is left over then is shared
    by many graphs.
    """
    weights: dict[int, list[Term]] = {vertex: [(Z,)] for edge in edges for vertex in edge}
    # links[one][other]: factors with a row for each constituent of `one` and a column for each of `other`
    links: dict[int, dict[int, list[Term]]] = {vertex: {} for vertex in weights}
    for first, second in edges:
        for one, other in ((first, second), (second, first)):
            links[one].setdefault(other, []).append((THETA,))
    while len(links) > 1:
        vertex = min(links, key=lambda v: (len(links[v]), len(weights[v]), sorted(itertools.chain(*links[v].values()))))
        weight = _product(MULTIPLY_VECTORS, weights.pop(vertex))
        neighbours = links.pop(vertex)
        for neighbour in neighbours:
            del links[neighbour][vertex]
        sides = sorted((_product(MULTIPLY_MATRICES, factors), other) for other, factors in neighbours.items())
        if len(sides) == 1:
            [(matrix, other)] = sides
            weights[other].append((CONTRACT, matrix, weight))
        else:
            (left, one), (right, other) = sides
            chain = (CHAIN, left, right, weight)
            links[one].setdefault(other, []).append(chain)
            links[other].setdefault(one, []).append(chain if left == right else (TRANSPOSE, chain))
    [last] = weights.values()
    return _product(MULTIPLY_VECTORS, last)


@functools.lru_cache
def plan(graphs: tuple[Name, ...]) -> Plan:
    """The steps for some graphs, each polynomial the same to the last bit whatever the other graphs."""
    numbers: dict[Term, int] = {(Z,): 0, (THETA,): 0}
    vectors, matrices = itertools.count(1), itertools.count(1)
    steps: list[list[int]] = []

    def number(term: Term) -> int:
        """The number of the term, after the steps that make it."""
        if term not in numbers:
            operation, operands = term[0], [number(operand) for operand in term[1:]]
            numbers[term] = next(vectors if operation in VECTORS else matrices)
            steps.append([operation, numbers[term], *operands])
        return numbers[term]

    for column, name in enumerate(graphs):
        last = number(_eliminated(GRAPHS[name]))
        steps.append([SUM, column, last])
    padded = np.array([step + [0] * (5 - len(step)) for step in steps], np.int64).reshape(-1, 5)
    return Plan(padded, next(vectors), next(matrices))


@njit(cache=True)
def _start(points: Floats, beta: float, z: Floats, theta: Floats) -> None:
    """z and theta of a jet."""
    total = 0.0
    for i in range(len(points)):
        total += points[i, 0]
    for i in range(len(points)):
        z[i] = points[i, 0] / total
        theta[i, i] = 0.0
        for j in range(i):
            gap = distance_squared(points[i, 1], points[i, 2], points[j, 1], points[j, 2])
            theta[i, j] = gap ** (0.5 * beta)
            theta[j, i] = theta[i, j]


@njit(cache=True)
def _multiply(one: Floats, other: Floats, out: Floats) -> None:
    """The elementwise product of two vectors."""
    for i in range(len(out)):
        out[i] = one[i] * other[i]


@njit(cache=True)
def _contract(matrix: Floats, weight: Floats, out: Floats) -> None:
    """out_i = sum_k weight_k matrix_ki."""
    out[:] = 0.0
    for k in range(len(out)):
        for i in range(len(out)):
            out[i] += weight[k] * matrix[k, i]


@njit(cache=True)
def _chain(left: Floats, right: Floats, weight: Floats, out: Floats) -> None:
    """out_ij = sum_k weight_k left_ki right_kj."""
    out[:] = 0.0
    for i in range(len(out)):
        for k in range(len(out)):
            factor = weight[k] * left[k, i]
            for j in range(len(out)):
                out[i, j] += factor * right[k, j]


@njit(cache=True)
def _execute(
    points: Floats, offsets: Integers, beta: float, steps: Integers, registers: tuple[int, int], out: Floats
) -> None:
    """The polynomials of every jet."""
    for jet in range(len(offsets) - 1):
        own = points[offsets[jet] : offsets[jet + 1]]
        size = len(own)
        vectors, matrices = np.empty((registers[0], size)), np.empty((registers[1], size, size))
        _start(own, beta, vectors[0], matrices[0])
        for step in range(len(steps)):
            operation, made, first, second, third = steps[step]
            if operation == SUM:
                total = 0.0
                for i in range(size):
                    total += vectors[first, i]
                out[jet, made] = total
            elif operation == MULTIPLY_VECTORS:
                _multiply(vectors[first], vectors[second], vectors[made])
            elif operation == CONTRACT:
                _contract(matrices[first], vectors[second], vectors[made])
            elif operation == MULTIPLY_MATRICES:
                for i in range(size):
                    _multiply(matrices[first, i], matrices[second, i], matrices[made, i])
            elif operation == CHAIN:
                _chain(matrices[first], matrices[second], vectors[third], matrices[made])
            else:
                matrices[made] = matrices[first].T


def flow_polynomials(points: Floats, offsets: Integers, graphs: tuple[Name, ...], beta: float) -> Floats:
    """Energy-flow polynomials (n, graphs), without units; 0 for a jet of one constituent or of coinciding ones.

    Parameters
    ----------
    points : array (N, 3)
        pT (GeV; any unit will do), y and phi of all constituents; pT > 0.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    graphs : tuple of (n, d, k)
        Names from `graphs.GRAPHS`.
    beta : float
        The exponent of Delta R, above 0.
    """
    todo = plan(graphs)
    out = np.zeros((len(offsets) - 1, len(graphs)))
    _execute(points, offsets, float(beta), todo.steps, (todo.vectors, todo.matrices), out)
    return out
