"""Names of families: each is read as what it was made of, and what is no name is refused with help."""

import re
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from glassjet.errors import InputError
from glassjet.observables import families, grammar
from glassjet.observables.families import CORRELATORS, Variable
from glassjet.observables.graphs import GRAPHS
from glassjet.observables.recipes import (
    STANDARD,
    Axes,
    Charge,
    Correlator,
    FlowPolynomial,
    Grooming,
    Ratio,
    SoftDrop,
    Tau,
)
from glassjet.observables.registry import VARIABLES, is_known, labels, members, need, variable

PARSER = MathTextParser("path")

many = settings(derandomize=True, deadline=None, max_examples=300)


def decimals(most: int) -> st.SearchStrategy[float]:
    """Numbers above 0 and below `most`, with up to six decimals, or with up to two."""
    return st.integers(1, most * 10**6 - 1).map(lambda n: n / 1e6) | st.integers(1, most * 20 - 1).map(lambda n: n / 20)


EXPONENTS = decimals(10)
PASSING = st.builds(Grooming, decimals(1), EXPONENTS | st.just(0.0)).filter(lambda cut: cut.z_cut < 0.5 or cut.beta > 0)
GROOMINGS = PASSING | st.just(STANDARD)
ANY_GROOMING = st.none() | GROOMINGS
ANY_AXES = st.sampled_from(get_args(Axes))
ORDERS = st.integers(1, 8)
PAIRS = st.tuples(ORDERS, ORDERS).filter(lambda pair: pair[0] > pair[1])


@st.composite
def ratios(draw: st.DrawFn) -> Variable:
    above, below = draw(PAIRS)
    return families.tau_ratio(above, below, draw(EXPONENTS), draw(ANY_AXES), draw(ANY_GROOMING))


FAMILIES = {
    "tau": st.builds(families.tau, ORDERS, EXPONENTS, ANY_AXES, ANY_GROOMING, st.booleans()),
    "ratio": ratios(),
    "correlator": st.builds(families.correlator, st.sampled_from(list(CORRELATORS)), EXPONENTS, ANY_GROOMING),
    "soft drop": st.builds(families.soft_drop, st.sampled_from(["mass", "pt", "zg", "rg"]), GROOMINGS),
    "charge": st.builds(families.charge, EXPONENTS),
    "flow polynomial": st.builds(families.flow_polynomial, st.sampled_from(list(GRAPHS)), EXPONENTS),
}
ANY = st.one_of(*FAMILIES.values())
OF_FAMILIES = (Tau, Ratio, Correlator, SoftDrop, Charge, FlowPolynomial)


def test_listed_variables_of_families_are_what_the_grammar_names() -> None:
    """The quantities of the two soft-drop subjets have names of their own, and belong to no family."""
    single = {"has_two_subjets", "delta_r_subjets", "z_subjets", "pull_angle"}
    single |= {f"subjet{number}_{axis}" for number in (1, 2) for axis in ("eta", "phi")}
    for name, listed in VARIABLES.items():
        found = grammar.named(name)
        if isinstance(listed.recipe, OF_FAMILIES) and name not in single:
            assert found == listed
        else:
            assert found is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_name_is_read_as_what_it_was_made_of(family: str) -> None:
    @many
    @given(FAMILIES[family])
    def check(made: Variable) -> None:
        assert re.fullmatch(r"[a-z0-9_]+", made.name)
        assert grammar.named(made.name) == made
        assert variable(made.name) == made
        assert members(made.name) == (made.name,)
        assert is_known(made.name)
        assert labels[made.name] == made.label
        assert need(made.name) == ("charges" if family == "charge" else "")

    check()


@pytest.mark.parametrize("name", ["tau3_b15_wta", "c2_b025_softdrop_z005_b20"])
def test_a_name_is_made_of_what_is_read(name: str) -> None:
    expected = {
        "tau3_b15_wta": Tau(3, 1.5, "wta"),
        "c2_b025_softdrop_z005_b20": Correlator("c2", 0.25, Grooming(0.05, 2.0)),
    }
    assert variable(name).recipe == expected[name]


def test_a_grooming_that_nothing_passes_has_no_name() -> None:
    """z is at most one half."""
    assert grammar.named("mass_softdrop_z05_b00") is None
    assert grammar.named("tau2_b10_softdrop_z08_b00") is None
    assert grammar.named("mass_softdrop_z05_b10") is not None


@many
@given(ANY)
def test_every_variable_is_described_as_those_of_the_sets_are(made: Variable) -> None:
    unit = {"GeV^2": "GeV$^2$", "GeV^3": "GeV$^3$"}.get(made.units, made.units)
    assert made.units in ("1", "GeV", "GeV^2", "GeV^3")
    assert made.label.endswith(f" [{unit}]") == (made.units != "1")
    assert ("[" in made.label) == (made.units != "1")
    assert "arXiv:" in made.source
    assert made.formula
    low, high = made.range
    assert low < high
    PARSER.parse(made.label)


@many
@given(st.lists(ANY, min_size=2, max_size=30, unique_by=lambda made: made.name))
def test_no_two_variables_have_the_same_label_or_are_made_in_the_same_way(made: list[Variable]) -> None:
    """But for R_g and Delta R of the two subjets, which are one number with two names."""
    everything = {one.name: one for one in [*VARIABLES.values(), *made]}
    assert len({one.label for one in everything.values()}) == len(everything)
    assert variable("rg_softdrop").recipe == variable("delta_r_subjets").recipe
    del everything["delta_r_subjets"]
    assert len({one.recipe for one in everything.values()}) == len(everything)
    assert len({(one.formula, one.units) for one in everything.values()}) == len(everything)


@pytest.mark.parametrize(
    ("one", "other"),
    [("tau1_b1234567", "tau1_b1234568"), ("mass_softdrop_z0123456_b1234567", "mass_softdrop_z0123456_b1234568")],
)
def test_numbers_of_seven_digits_are_told_apart(one: str, other: str) -> None:
    assert variable(one).label != variable(other).label
    assert variable(one).formula != variable(other).formula


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("tau32_b10", "tau32"),
        ("tau43_b100_kt", "tau43_kt"),
        ("tau1_b100", "tau1_b10"),
        ("tau1_b0500_wta", "tau1_b05_wta"),
        ("tau2_b050_kt_softdrop_z010_b00", "tau2_b05_kt_softdrop"),
        ("mass_softdrop_z01_b00", "mass_softdrop"),
        ("zg_softdrop_z02_b100", "zg_softdrop_z02_b10"),
        ("d2_b10_softdrop_z01_b00", "d2_b10_softdrop"),
        ("charge_k0300", "charge_k03"),
        ("efp_3_3_1_b050", "efp_3_3_1_b05"),
        pytest.param(
            *("tau2_b10_onepass_wta", "tau2_b10"),
        ),
    ],
)
def test_another_spelling_is_refused_with_the_right_one(name: str, written: str) -> None:
    assert is_known(written)
    for look_up in (grammar.named, variable, members):
        with pytest.raises(InputError) as caught:
            look_up(name)
        assert str(caught.value) == f"the expert variable {name!r} is written {written!r}"
    assert not is_known(name)


@pytest.mark.parametrize(
    ("name", "near"),
    [("tau1_b1", "tau1_b10"), ("mass_softdrop_z1_b0", "mass_softdrop_z01_b10"), ("d2_b1", "d2_b10")],
)
def test_what_is_no_name_is_unknown_with_a_near_one(name: str, near: str) -> None:
    assert grammar.named(name) is None
    with pytest.raises(InputError, match=rf"there is no expert variable '{name}' .did you mean .*'{near}'"):
        variable(name)
    assert not is_known(name)


@pytest.mark.parametrize(
    "name",
    [
        *("tau23", "tau22", "tau11", "tau9_b10", "tau0_b10", "tau10", "tau91", "tau21_gev"),  # no such N, M
        *("tau1_b00", "tau21_b00", "c2_b00", "charge_k00", "efp_2_1_0_b00"),  # no exponent of 0
        *("tau1", "tau1_kt", "ecf2", "c2_softdrop", "charge", "efp_2_1_0"),  # exponent left out
        *("tau1_b10_ca", "tau1_b10_onepass", "tau1_b10_kt_wta", "tau1_softdrop_b10", "tau1_b10_gev_kt"),  # axes, order
        *("ecf4_b10", "c3_b10", "n3_b10", "c2_b10_kt", "c2_b10_gev"),  # no such correlator
        *("efp_9_9_0_b05", "efp_3_3_2_b05", "efp_2_1_0_b05_softdrop", "efp_1_0_0_b05"),  # no such graph
        *("mass_softdrop_z02", "mass_softdrop_b10", "eta_softdrop", "width_softdrop", "multiplicity_softdrop"),
        *(
            "tau1_b12345678",
            "TAU1_b10",
            " tau1_b10",
            "tau1_b10 ",
            "tau1_b10\n",
            "tau1_b-1",
            "tau1_b1.0",
            "tau¹_b10",
            "",
        ),
    ],
)
def test_what_is_no_name_is_unknown(name: str) -> None:
    assert grammar.named(name) is None
    assert not is_known(name)
    with pytest.raises(InputError, match="there is no expert variable"):
        variable(name)
    with pytest.raises(KeyError):
        labels[name]
