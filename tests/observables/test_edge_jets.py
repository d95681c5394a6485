"""Jets at the edge: every variable is finite and in its range, and where it is undefined has the documented value."""

import itertools
import math
import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.store import Jets
from glassjet.observables.compute import observe
from glassjet.observables.graphs import GRAPHS
from glassjet.observables.recipes import FlowPolynomial, Ratio, SoftDrop
from glassjet.observables.registry import SETS, columns, variable
from tests.observables.synthetic_jets import jets_from, random_lists

Floats = NDArray[np.float64]

WORDS = ("all", "efp5", "types", "displaced", "xaug36")
NAMES = columns(WORDS)
SIZES = tuple(range(1, 9))
KINDS = ((22, 0), (211, 1), (-211, -1), (130, 0), (11, -1), (-13, 1), (12, 0))  # PDG codes and charges


def jets_of(lists: Sequence[Floats], energy: Callable[[Floats], Floats] = lambda momentum: momentum) -> Jets:
    """Jets from arrays (m, 3) of pT (GeV), eta, phi, the energy from |p|, with types, charges and tracks.

    Some of the charged constituents have no measured track.
    """
    jets = jets_from(lists)
    found = jets.constituents.columns
    found["energy"] = energy(found["energy"])
    generator, n = np.random.default_rng(1), len(found["pt"])
    pdgid, charge = np.array(KINDS)[generator.integers(len(KINDS), size=n)].T
    found |= {"pdgid": pdgid.astype(np.int32), "charge": charge.astype(np.int8)}
    for name in ("d0", "z0"):
        size = 10.0 ** generator.uniform(-6, 3, n) * generator.choice([-1.0, 1.0], n)
        size[generator.random(n) < 0.1] = np.nan
        found[name] = np.where(charge == 0, 0.0, size)
    return jets


def in_float32(jets: Jets) -> Jets:
    """The jets as the store has them."""
    found = jets.constituents.columns
    found |= {name: found[name].astype(np.float32) for name in ("pt", "eta", "phi", "energy", "d0", "z0")}
    return jets


def collinear(sizes: Sequence[int], smear: float = 0.0) -> list[Floats]:
    """Jets whose constituents have one direction, but for a smearing of it."""
    generator, lists = np.random.default_rng(2), random_lists(sizes, 2)
    return [
        np.column_stack([jet[:, 0], np.tile(jet[0, 1:], (len(jet), 1)) + smear * generator.normal(size=(len(jet), 2))])
        for jet in lists
    ]


def in_pairs(sizes: Sequence[int]) -> list[Floats]:
    """Jets of that many constituents, each of them twice, but for the last of an odd number."""
    return [np.repeat(jet, 2, axis=0)[: len(jet)] for jet in random_lists(sizes, 3)]


def back_to_back(pairs: Sequence[int]) -> list[Floats]:
    """Pairs whose transverse momenta cancel, but for rounding, of a part of 1e-16, or a part of 1e-12."""
    lists = [
        np.array([[100.0, 0.3, phi], [100.0, eta, phi - math.pi]]) for phi in (math.pi, 1.5) for eta in (0.3, -0.3)
    ]
    for jet in random_lists(pairs, 4):
        turned = np.arctan2(-np.sin(jet[:, 2]), -np.cos(jet[:, 2]))
        lists.append(np.concatenate([jet, np.column_stack([jet[:, 0] * (1 + 1e-12), -jet[:, 1], turned])]))
    return lists


def hard_and_soft(share: float) -> Jets:
    """One hard constituent and many that have such a share of its pT."""
    lists = random_lists([2, 3, 5, 20, 60], 5)
    for jet in lists:
        jet[1:, 0] *= share
        jet[0, 0] = 500.0
    return jets_of(lists)


def at_pt(pt: float) -> list[Floats]:
    """Jets with that scalar sum of pT."""
    lists = random_lists([*SIZES, 40], 6)
    return [jet * [pt / jet[:, 0].sum(), 1.0, 1.0] for jet in lists]


def forward(eta: float) -> list[Floats]:
    """Jets with a constituent at that pseudorapidity."""
    lists = random_lists([*SIZES, 40], 7)
    for jet in lists:
        jet[-1, 1] = eta
    return lists


def below_its_momentum(momentum: Floats) -> Floats:
    """The float32 below |p|."""
    return np.nextafter(momentum.astype(np.float32), np.float32(0)).astype(np.float64)


SOFT = (1e-3, 1e-8, 1e-12, 1e-16, 1e-20, 1e-29, 1e-40, 1e-100)
FEW = [*SIZES, *SIZES, *SIZES]
JETS: dict[str, Callable[[], Jets]] = {
    "one to eight": lambda: jets_of(random_lists(FEW)),
    "one to eight, massive": lambda: jets_of(random_lists(FEW), lambda momentum: np.hypot(momentum, 0.938)),
    "one to eight, heavy": lambda: jets_of(random_lists(FEW), lambda momentum: 3.0 * momentum),
    "one to eight, space-like by rounding": lambda: jets_of(random_lists(FEW), below_its_momentum),
    "one to eight, float32": lambda: in_float32(jets_of(random_lists(FEW))),
    "collinear": lambda: jets_of(collinear([*SIZES, 30])),
    "collinear, float32": lambda: in_float32(jets_of(collinear([*SIZES, 30]))),
    "collinear within 1e-12": lambda: jets_of(collinear([*SIZES, 30], 1e-12)),
    "collinear within 1e-8": lambda: jets_of(collinear([*SIZES, 30], 1e-8)),
    "collinear within 1e-6": lambda: jets_of(collinear([*SIZES, 30], 1e-6)),
    "duplicated in pairs": lambda: jets_of(in_pairs([*SIZES, 30])),
    "all duplicated": lambda: jets_of([np.tile([[50.0, 1.2, 3.0]], (n, 1)) for n in (*SIZES, 40)]),
    "back to back": lambda: jets_of(back_to_back([1, 1, 1, 2, 3, 10])),
    **{f"soft {share:g}": partial(hard_and_soft, share) for share in SOFT},
    "eta 5": lambda: jets_of(forward(5.0)),
    "eta -5, float32": lambda: in_float32(jets_of(forward(-5.0))),
    "pt 1e-3": lambda: jets_of(at_pt(1e-3)),
    "pt 1e5": lambda: jets_of(at_pt(1e5)),
    "pt 1e5, float32": lambda: in_float32(jets_of(at_pt(1e5))),
    "300 constituents": lambda: jets_of(random_lists([300, 300], 8)),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", JETS)
def test_every_variable_is_finite_and_in_its_range(case: str) -> None:
    frame = observe(JETS[case](), WORDS)
    assert set(NAMES) >= {*SETS["all"], *SETS["efp5"], *SETS["types"], *SETS["displaced"]}
    for name in NAMES:
        values, (low, high) = frame[name].to_numpy(), variable(name).range
        assert values.dtype == np.float64
        assert np.isfinite(values).all(), name
        assert np.isfinite(values.astype(np.float32)).all(), f"{name}: {np.abs(values).max():.3g}"
        assert low - 1e-9 <= values.min(), f"{name}: {values.min()}"
        assert values.max() <= high + 1e-9, f"{name}: {values.max()}"


def test_a_jet_without_transverse_momentum_is_refused() -> None:
    """What cancels to the last bit has neither rapidity nor azimuth."""
    phi = np.linspace(0.1, 1.5, 1000)
    phi = phi[(np.cos(phi) == -np.cos(phi - math.pi)) & (np.sin(phi) == -np.sin(phi - math.pi))]
    nothing = np.array([[100.0, 0.3, phi[0]], [100.0, 0.3, phi[0] - math.pi]])
    with pytest.raises(InputError, match="for the jet of event 1000; remove that jet"), np.errstate(all="ignore"):
        observe(jets_of([nothing]), WORDS)


# Values where a variable is undefined: `undefined` of the registry, read.


def few(text: str) -> int | None:
    """With how many constituents at most a variable is 0, from its text; None if that says something else."""
    if match := re.fullmatch(r"0 with at most (\d) constituents?( left)?( \(0/0\))?", text):
        return int(match[1])
    if match := re.fullmatch(r"0 with fewer than (\d) constituents", text):
        return int(match[1]) - 1
    return 1 if text in ("0 with one constituent", "0 without an emission") else None


def colours(edges: Sequence[tuple[int, int]]) -> int:
    """How many colours a graph needs: with fewer constituents each term has two equal ones at the ends of an edge."""
    vertices = 1 + max(itertools.chain(*edges))
    for number in itertools.count(2):
        for chosen in itertools.product(range(number), repeat=vertices):
            if all(chosen[one] != chosen[other] for one, other in edges):
                return number
    raise AssertionError


def most_without(name: str) -> int:
    """The largest number of constituents with which a variable is 0: by its formula, or where that has no value."""
    recipe, number = variable(name).recipe, few(variable(name).undefined)
    assert number is not None
    if isinstance(recipe, Ratio):  # tau_N / tau_M has a value with more than M constituents: it is 0 with up to N
        assert number == recipe.below.order
        return recipe.above.order
    return colours(GRAPHS[recipe.graph]) - 1 if isinstance(recipe, FlowPolynomial) else number


def core(size: int) -> Floats:
    """Two groups of constituents of about the same pT, of which soft drop with any cut of the sets takes none away."""
    generator = np.random.default_rng(size)
    points = generator.normal(0.0, 0.02, (size, 2)) + np.where(np.arange(size) % 2, 0.1, -0.1)[:, None]
    return np.column_stack([generator.uniform(90.0, 110.0, size), points])


def around(number: int) -> Floats:
    """Soft constituents at wide angles, all of which soft drop with any cut of the sets takes away."""
    angle = 2.0 + np.arange(number)
    return np.column_stack([0.02 - 0.001 * angle, 0.6 * np.cos(angle), 0.6 * np.sin(angle)])


def massive(lists: Sequence[Floats]) -> pd.DataFrame:
    """The variables of jets whose constituents have m = 0.01 |p|, so that subjets of one have a mass."""
    return observe(jets_of(lists, lambda momentum: np.hypot(momentum, 0.01 * momentum)), WORDS)


FEW_NAMES = [name for name in NAMES if few(variable(name).undefined) is not None]
GROOMED = [name for name in FEW_NAMES if "softdrop" in name]


def test_variables_are_0_with_as_few_constituents_as_they_say_and_with_no_more() -> None:
    frame = massive([core(size) for size in SIZES])
    assert (frame["mass_softdrop_z02_b00"] == frame["mass_softdrop"]).all()
    np.testing.assert_allclose(frame["mass_softdrop"], frame["mass"], rtol=1e-6)
    for name in FEW_NAMES:
        assert (frame[name] == 0).tolist() == [size <= most_without(name) for size in SIZES], name
    assert len(FEW_NAMES) > 100
    assert len(GROOMED) > 10


def test_of_groomed_jets_it_is_the_constituents_left_that_count() -> None:
    frame = massive([np.concatenate([core(left), around(9 - left)]) for left in SIZES])
    assert (frame["multiplicity"] == 9).all()
    for name in GROOMED:
        assert (frame[name] == 0).tolist() == [size <= most_without(name) for size in SIZES], name
    for name in ("tau1_b10", "tau3_b20", "tau8_b10_kt", "tau43", "c2_b10", "beta3"):
        assert (frame[name] != 0).all()


def test_texts_of_groomed_variables_say_that_they_count_what_is_left() -> None:
    assert [name for name in GROOMED if " left" not in variable(name).undefined] == []


def same(values: pd.Series, expected: pd.Series | float) -> NDArray[np.bool_]:
    return np.isclose(values, expected, rtol=1e-5, atol=0)


def test_where_no_splitting_passes_stands_what_the_text_says() -> None:
    """Each text is true of the jets in which none passes, and of no jet in which one does."""
    hardest = core(1)
    pt, momentum = float(hardest[0, 0]), float(hardest[0, 0] * np.cosh(hardest[0, 1]))
    fail = [np.concatenate([hardest, around(number)]) for number in range(1, 8)]
    frame = massive([*fail, *(core(size) for size in range(3, 9))])
    passed = np.arange(len(frame)) >= len(fail)
    expected: dict[str, Callable[[str], pd.Series | float]] = {
        "0 if no splitting passes": lambda name: 0.0,
        "0 if no splitting passes, or if subjet 1 is one constituent": lambda name: 0.0,
        "1 if no splitting passes": lambda name: 1.0,
        "that of subjet 1 if no splitting passes": lambda name: frame[name.replace("subjet2", "subjet1")],
        "that of the last prong if no splitting passes": lambda name: pt,
        "the mass of the last prong if no splitting passes": lambda name: 0.01 * momentum,
    }
    told = [name for name in NAMES if "passes" in variable(name).undefined]
    assert {variable(name).undefined for name in told} == set(expected)
    for name in told:
        assert (same(frame[name], expected[variable(name).undefined](name)) != passed).all(), name
    groomed = {name for name in NAMES if isinstance(variable(name).recipe, SoftDrop)}
    assert groomed - set(told) == {"has_two_subjets", "subjet1_eta", "subjet1_phi"}
    assert (frame["has_two_subjets"] == passed).all()
    for axis, value in (("eta", hardest[0, 1]), ("phi", hardest[0, 2])):
        assert same(frame[f"subjet1_{axis}"], value)[~passed].all()


def test_a_subjet_of_one_constituent_has_no_pull_angle() -> None:
    """Wherever the other subjet lies; one of two constituents has one."""
    one, lone, other = core(3)
    mirrors = [np.array([1.0, y, phi]) for y in (1.0, -1.0) for phi in (1.0, -1.0)]
    hard, soft = (
        massive([np.array([one, lone * [factor, 1.0, 1.0], other]) * mirror for mirror in mirrors])
        for factor in (3.0, 0.5)
    )
    assert (soft["has_two_subjets"] == 1).all()
    assert (soft["pull_angle"] != 0).all()
    assert (hard["has_two_subjets"] == 1).all()
    assert hard["pull_angle"].tolist() == [0.0] * 4


def test_without_a_track_the_largest_impact_parameter_is_the_floor() -> None:
    jets = jets_of([core(3), core(3), core(3)])
    nothing, below, above = [0.0, np.nan, 0.0], [9e-5, -9e-5, 0.0], [0.0, -1.0, 9e-5]
    jets.constituents.columns.update({name: np.array(nothing + below + above) for name in ("d0", "z0")})
    frame = observe(jets, ("displaced",))
    for name in SETS["displaced"]:
        assert variable(name).undefined == "the logarithm of the floor, with no track above it"
        np.testing.assert_allclose(frame[name], [math.log(1e-4), math.log(1e-4), 0.0], rtol=1e-12, atol=1e-12)


def test_every_text_is_one_of_those_above() -> None:
    texts = {variable(name).undefined for name in NAMES if few(variable(name).undefined) is None}
    texts = {text for text in texts if "passes" not in text}
    assert texts == {"", "the logarithm of the floor, with no track above it"}
