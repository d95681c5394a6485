"""Symmetries of every variable: rotations, boosts, mirrors, order, units, collinear splittings and soft emissions.

Jets come from `random_lists`, with sizes and seed drawn by hypothesis: positions and momenta are continuous, so that
two distances, momenta or a splitting and its cut agree to a part of 1e-12 in one of some 1e10 jets. Where more than
rounding changes (soft emissions), jets near the cut of soft drop are left out.

Quantities are compared as pure numbers: GeV^n over the n-th power of the jet's pT, and masses as m^2 / pT^2, which is
what rounding or an emission changes in proportion (m itself is 1e-8 pT from rounding 1e-16 if it should be 0).
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from glassjet.jets.store import Jets
from glassjet.observables import families, kinematics
from glassjet.observables.compute import observe
from glassjet.observables.kinematics import Floats, wrapped
from glassjet.observables.pull import pull_vector
from glassjet.observables.recipes import (
    Correlator,
    FlowPolynomial,
    Grooming,
    LogProduct,
    Lund,
    Ratio,
    Recipe,
    Shape,
    SoftDrop,
    Tau,
)
from glassjet.observables.registry import columns, variable
from glassjet.observables.shared import Shared
from glassjet.observables.soft_drop import R0
from tests.observables.synthetic_jets import jets_from, random_lists

ONLY_NAMED = (  # by the grammar: other exponents, axes and groomings than those of the sets
    *("tau3_b15_wta", "tau2_b025_onepass_kt_softdrop_z02_b10", "tau8_b10_kt_gev", "tau43_b20_kt", "tau31_b05_wta"),
    *("d2_b15_softdrop", "n2_b025_softdrop_z005_b10", "mass_softdrop_z005_b10", "zg_softdrop_z03_b00"),
    *("efp_3_3_1_b10", "efp_2_3_0_b20"),
)
PI = math.pi
MASSES = (0.0, 0.13957, 0.93827)  # GeV: photons, pions, protons
# y has 1e-13 at |y| = 4, and R^beta of a constituent 1e-6 off its axis 0.25 (1e-6)^(-3/4) times this, 1e-9;
# logarithms and ratios of small tau have it over that tau
ROUNDING = 1e-9
ROUNDING_OF_VALUE = 1e-7
SOFTNESS = 1e-9  # of the jet's pT
SHARE = 10 * SOFTNESS  # its distances from the others are below 2, and it is added up to twice (5 vertices of an EFP)
PARALLEL = 1e-12  # the rounding of y at |y| < 3 is 1e-14: so parallel are the two of an exactly collinear splitting
EDGE = 1e-3  # of z_cut: soft drop must do the same with cuts that much higher and lower
SINGULAR = 0.02  # a relative change of more than that, by the limits below, tells nothing

# Nothing is shrunk: a seed has no simpler neighbours.
few = settings(derandomize=True, deadline=None, max_examples=40, phases=(Phase.explicit, Phase.generate))
SIZES = st.lists(st.integers(1, 40), min_size=12, max_size=12)
SEEDS = st.integers(0, 2**32 - 1)
ANGLES = st.floats(-PI, PI)
SHIFTS = st.floats(-1.0, -0.5) | st.floats(0.5, 1.0)


def grooming_of(recipe: Recipe) -> Grooming | None:
    """What a variable is groomed with."""
    match recipe:
        case Ratio():
            return recipe.above.grooming
        case LogProduct():
            return recipe.factors[0][0].grooming
        case SoftDrop() | Tau() | Correlator():
            return recipe.grooming
    return None


def name_of(tau: Tau) -> str:
    return families.tau(tau.order, tau.beta, tau.axes, tau.grooming).name


def edges(grooming: Grooming) -> list[str]:
    """R_g of two groomings with nearly the same cut."""
    cuts = [Grooming(grooming.z_cut * factor, grooming.beta) for factor in (1 - EDGE, 1 + EDGE)]
    return [families.soft_drop("rg", cut).name for cut in cuts]


def helpers(names: Iterable[str]) -> list[str]:
    """Variables that the limits of others are made of."""
    found: list[str] = []
    for recipe in (variable(name).recipe for name in names):
        if grooming := grooming_of(recipe):
            found += [families.soft_drop(quantity, grooming).name for quantity in ("zg", "pt", "rg")]
        match recipe:
            case Ratio():
                found += [name_of(recipe.above), name_of(recipe.below)]
            case LogProduct():
                found += [name_of(tau) for tau, _ in recipe.factors]
            case Correlator():
                found.append(families.correlator("ecf2", recipe.beta, recipe.grooming).name)
    return list(dict.fromkeys(found))


_ASKED = columns(("all", "efp4", *ONLY_NAMED))
NAMES = tuple(dict.fromkeys([*_ASKED, *helpers(_ASKED)]))
GROOMINGS = {grooming for name in NAMES if (grooming := grooming_of(variable(name).recipe))}
EDGES = {grooming: edges(grooming) for grooming in GROOMINGS}


def massive(sizes: Sequence[int], seed: int) -> list[Floats]:
    """For each size, and for one to four constituents, a jet as an array (m, 4) of pT (GeV), y, phi, mass (GeV)."""
    generator = np.random.default_rng(seed)
    lists = random_lists([1, 2, 3, 4, *sizes], seed)
    return [np.column_stack([jet, generator.choice(MASSES, len(jet))]) for jet in lists]


def jets_of(lists: Sequence[Floats]) -> Jets:
    """Jets from a list of arrays (m, 4) of pT (GeV), y, phi, mass (GeV)."""
    pt, y, phi, mass = np.concatenate(lists).T
    transverse = np.hypot(pt, mass)
    flat = np.column_stack([pt, np.arcsinh(transverse / pt * np.sinh(y)), wrapped(phi)])
    jets = jets_from(np.split(flat, np.cumsum([len(jet) for jet in lists])[:-1]))
    jets.constituents.columns["energy"] = transverse * np.cosh(y)
    return jets


def moved(lists: Sequence[Floats], y: float = 0.0, phi: float = 0.0) -> list[Floats]:
    """The jets elsewhere."""
    by = np.array([0.0, y, phi, 0.0])
    return [jet + by for jet in lists]


def table(jets: Jets) -> pd.DataFrame:
    frame = observe(jets, NAMES)
    assert np.isfinite(frame.to_numpy(np.float64)).all()
    return frame


def pure(frame: pd.DataFrame, name: str, pt: Floats) -> Floats:
    """A variable as a pure number."""
    values = frame[name].to_numpy() / pt ** {"GeV": 1, "GeV^2": 2, "GeV^3": 3}.get(variable(name).units, 0)
    return values**2 if name.startswith("mass") else values


def changes(before: pd.DataFrame, after: pd.DataFrame, name: str, scale: float = 1.0) -> Floats:
    """By how much a variable has changed, after momenta were multiplied by `scale`."""
    pt = before["pt"].to_numpy()
    difference = pure(after, name, scale * pt) - pure(before, name, pt)
    return np.abs(wrapped(difference) if variable(name).range == (-PI, PI) else difference)


def size_of(before: pd.DataFrame, name: str) -> Floats:
    """What a relative change is relative to: 1, or the value where that is larger."""
    return np.maximum(np.abs(pure(before, name, before["pt"].to_numpy())), 1.0)


def require_same(before: pd.DataFrame, after: pd.DataFrame, changing: Iterable[str] = (), scale: float = 1.0) -> None:
    """All variables are the same, but for those that are said to change: and these do, or they would be left out."""
    for name in NAMES:
        found = changes(before, after, name, scale)
        allowed = ROUNDING + ROUNDING_OF_VALUE * np.abs(pure(before, name, before["pt"].to_numpy()))
        if name in changing:
            assert (found > allowed).any(), f"{name} does not change"
        else:
            worst = int((found / allowed).argmax())
            assert found[worst] <= allowed[worst], f"{name} of jet {worst} changes by {found[worst]:.2g}"


@few
@given(sizes=SIZES, seed=SEEDS, angle=ANGLES)
def test_a_turn_about_the_beam_changes_azimuths_by_its_angle(sizes: list[int], seed: int, angle: float) -> None:
    lists = massive(sizes, seed)
    before, after = table(jets_of(lists)), table(jets_of(moved(lists, phi=angle)))
    for name in ("phi", "subjet1_phi", "subjet2_phi"):
        assert (after[name].abs() <= PI).all()
        after[name] -= angle
    require_same(before, after)


@few
@given(sizes=SIZES, seed=SEEDS, shift=SHIFTS)
def test_a_boost_along_the_beam_shifts_the_rapidity(sizes: list[int], seed: int, shift: float) -> None:
    """Pseudorapidities of what has a mass, and `z_subjets`, which has |p| in it, are not invariant: they do change."""
    lists = massive(sizes, seed)
    before, after = table(jets_of(lists)), table(jets_of(moved(lists, y=shift)))
    after["rapidity"] -= shift
    require_same(before, after, changing=("eta", "subjet1_eta", "subjet2_eta", "z_subjets"))
    transverse_mass = np.hypot(before["mass"], before["pt"]) / before["pt"]
    expected = np.arcsinh(transverse_mass * np.sinh(before["rapidity"] + shift))
    np.testing.assert_allclose(after["eta"], expected, rtol=0, atol=ROUNDING)


@few
@given(sizes=SIZES, seed=SEEDS)
def test_the_order_of_constituents_does_not_matter(sizes: list[int], seed: int) -> None:
    generator, lists = np.random.default_rng(seed), massive(sizes, seed)
    require_same(table(jets_of(lists)), table(jets_of([generator.permutation(jet) for jet in lists])))


@few
@given(sizes=SIZES, seed=SEEDS, scale=st.floats(0.01, 0.2) | st.floats(5.0, 100.0))
def test_variables_scale_with_momenta_as_their_units_say(sizes: list[int], seed: int, scale: float) -> None:
    """But for `lund_multiplicity`, whose emissions have kt > 1 GeV."""
    lists = massive(sizes, seed)
    after = table(jets_of([jet * [scale, 1.0, 1.0, scale] for jet in lists]))
    require_same(table(jets_of(lists)), after, changing=("lund_multiplicity",), scale=scale)


@few
@given(sizes=SIZES, seed=SEEDS)
def test_a_jet_and_its_mirror_image_differ_in_signs(sizes: list[int], seed: int) -> None:
    """At -y and -phi; the pull vector then points the other way, where there is one."""
    lists = massive(sizes, seed)
    before, after = table(jets_of(lists)), table(jets_of([jet * [1.0, -1.0, -1.0, 1.0] for jet in lists]))
    for name in ("eta", "rapidity", "phi", "subjet1_eta", "subjet1_phi", "subjet2_eta", "subjet2_phi"):
        after[name] *= -1
    after["pull_theta"] += PI * (before["pull_magnitude"] > 0)
    require_same(before, after)


def pull_of_subjet1(jets: Jets) -> Floats:
    """|sum pT_i r_i (Delta y, Delta phi)_i| of the harder soft-drop subjet, over the pT of the jet."""
    shared = Shared(jets.constituents, R0)
    keep = shared.groomed(Grooming()).prong == 1
    subjets = kinematics.plane(kinematics.sums(shared.momenta, shared.offsets, keep))
    offsets = np.concatenate([[0], np.cumsum(keep)])[shared.offsets]
    return pull_vector(shared.points[keep], offsets, subjets)[0] * subjets[:, 0] / shared.pt


def limits(frame: pd.DataFrame, name: str, share: float, angle: float) -> Floats:
    """By how much an emission of that share of the jet's pT, or a splitting by that angle, may change a variable.

    Sums change by the share. An axis, or a soft-drop subjet of share f, moves by share / f, which changes a tau by
    f (share / f)^beta, at most share^beta for beta < 1. A direction turns by the shift over the length, a ratio and a
    logarithm have the errors of their parts: infinite where a denominator, a pull or all emissions vanish.
    """
    recipe, pt = variable(name).recipe, frame["pt"].to_numpy()
    grooming = grooming_of(recipe)
    groomed, fraction = pt, np.ones(len(pt))
    if grooming:
        groomed, zg = (frame[families.soft_drop(quantity, grooming).name].to_numpy() for quantity in ("pt", "zg"))
        fraction = np.where(zg > 0, zg, 1.0) * groomed / pt
    match recipe:
        case SoftDrop(quantity="pull_angle"):
            return share / frame["pull_of_subjet1"].to_numpy() + share / fraction / frame["rg_softdrop"].to_numpy()
        case SoftDrop(quantity=quantity) if quantity not in ("mass", "pt"):
            return share / fraction
        case Tau(beta=beta):
            return np.full(len(pt), (share + angle) ** min(beta, 1.0))
        case Ratio():
            above, below = (limits(frame, name_of(tau), share, angle) for tau in (recipe.above, recipe.below))
            return (above + frame[name].to_numpy() * below) / frame[name_of(recipe.below)].to_numpy()
        case LogProduct():
            parts = [(name_of(tau), abs(power)) for tau, power in recipe.factors]
            return np.sum([power * limits(frame, tau, share, angle) / frame[tau] for tau, power in parts], axis=0)
        case Correlator(quantity=quantity) if not quantity.startswith("ecf"):
            # e3, 1e3 and 2e3 change by share e2; half is for sum pT, which is larger than pT
            e2 = frame[families.correlator("ecf2", recipe.beta, grooming).name].to_numpy() / groomed**2 / 2
            power = {"c2": 2, "d2": 3, "m2": 1, "n2": 2}[quantity]
            return share * pt / groomed * (e2 ** (1 - power) + power * frame[name].to_numpy() / e2)
        case FlowPolynomial(beta=beta):
            return np.full(len(pt), share + angle ** min(beta, 1.0))
        case Shape(quantity="lha"):
            return np.full(len(pt), share + angle**0.5)
        case Shape(quantity="pull_theta"):
            return share / frame["pull_magnitude"].to_numpy()
        case Lund(quantity="lund_delta" | "lund_z"):
            return share * pt / frame["lund_kt"].to_numpy()
    return np.full(len(pt), share)


def require_safe(
    before: pd.DataFrame,
    after: pd.DataFrame,
    changing: Iterable[str],
    holds: Callable[[Grooming], NDArray[np.bool_]],
    share: float,
    angle: float,
) -> None:
    """All variables but those that change keep their values within their limits, where these say anything at all.

    `holds` marks the jets for which it is true after a grooming.
    """
    compared = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in NAMES:
            if name in changing:
                continue
            found, allowed = changes(before, after, name), limits(before, name, share, angle)
            where = allowed < SINGULAR * size_of(before, name)
            if grooming := grooming_of(variable(name).recipe):
                where &= holds(grooming)
            excess = np.where(where, found - allowed, -np.inf)
            worst = int(excess.argmax())
            assert excess[worst] <= 0, f"{name} of jet {worst}: {found[worst]:.2g}, not below {allowed[worst]:.2g}"
            compared[name] = where.sum()
    assume(min(compared.values()) > 0)  # else the example tells nothing about a variable


def with_edges(jets: Jets) -> pd.DataFrame:
    """The table, with what limits and the distance from the cut of soft drop need."""
    frame = observe(jets, (*NAMES, *(name for pair in EDGES.values() for name in pair)))
    frame["pull_of_subjet1"] = pull_of_subjet1(jets)
    return frame


@few
@given(sizes=SIZES, seed=SEEDS, share=st.floats(0.05, 0.95), place=st.floats(0.0, 1.0, exclude_max=True))
def test_a_collinear_splitting_changes_nothing(sizes: list[int], seed: int, share: float, place: float) -> None:
    """But numbers of constituents and pTD, which it lowers.

    Left out are jets in which no splitting passed soft drop: of the one constituent that is left, the two halves pass,
    since soft drop with beta <= 0 is not collinear safe there and with beta > 0 finds them at no distance.
    """
    lists = random_lists([1, 2, 3, 4, *sizes], seed)
    split = []
    for jet in lists:
        chosen = int(place * len(jet))
        first, second = jet[chosen] * [share, 1.0, 1.0], jet[chosen] * [1.0 - share, 1.0, 1.0]
        split.append(np.concatenate([jet[:chosen], [first], jet[chosen + 1 :], [second]]))
    before, after = with_edges(jets_from(lists)), table(jets_from(split))

    def holds(grooming: Grooming) -> NDArray[np.bool_]:
        return before[families.soft_drop("zg", grooming).name].to_numpy() > 0

    require_safe(before, after, ("multiplicity", "ptd"), holds, share=PARALLEL, angle=PARALLEL)
    assert (after["multiplicity"] == before["multiplicity"] + 1).all()
    assert (after["ptd"] < before["ptd"]).all()


@few
@given(sizes=SIZES, seed=SEEDS, radius=st.floats(0.0, R0), angle=ANGLES)
def test_a_soft_emission_changes_nothing(sizes: list[int], seed: int, radius: float, angle: float) -> None:
    """But the number of constituents.

    It merges first in kT, with its nearest neighbour, so exclusive axes stay (also where N constituents were axes), and
    winner-take-all axes do not move at all: from there the one-pass minimisation, whose result does jump if its start
    crosses the border between two minima, starts at the same place. What is only Sudakov safe, ratios, logarithms and
    directions, has limits that grow where the denominator vanishes.

    Left out are jets with a splitting at the cut of soft drop; and for beta > 0 those in which none passed: an emission
    of z < z_cut (Delta R / R0)^beta passes then, so R_g is safe only where it is not 0.
    """
    lists = random_lists([1, 2, 3, 4, *sizes], seed)
    before = with_edges(jets_from(lists))
    softer = []
    for jet, (pt, y, phi) in zip(lists, before[["pt", "rapidity", "phi"]].to_numpy(), strict=True):
        place = [SOFTNESS * pt, y + radius * math.cos(angle), wrapped(phi + radius * math.sin(angle))]
        softer.append(np.concatenate([jet, [place]]))
    after = table(jets_from(softer))

    def holds(grooming: Grooming) -> NDArray[np.bool_]:
        lower, upper = EDGES[grooming]
        passed = before[families.soft_drop("zg", grooming).name].to_numpy() > 0
        return (before[lower] == before[upper]).to_numpy() & (passed | (grooming.beta == 0))

    require_safe(before, after, ("multiplicity",), holds, share=SHARE, angle=0.0)
    assert (after["multiplicity"] == before["multiplicity"] + 1).all()


def test_a_collinear_subjet_has_no_pull_angle() -> None:
    one, two = [300.0, 0.1, 0.2], [100.0, 0.4, 0.3]
    split = np.array([[200.3, *one[1:]], [99.7, *one[1:]], two])
    frame = observe(jets_from([np.array([one, two]), split]), ("pull_angle",))
    assert frame["pull_angle"].tolist() == [0.0, 0.0]
