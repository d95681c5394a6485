"""Expert variables of jets: what the registry names, computed.

The recipes of the variables that are asked for are sorted by kind, and each kind is computed in one go from what
`glassjet.observables.shared` holds: the constituents are clustered once for each algorithm that is needed.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from glassjet.errors import InputError
from glassjet.jets.store import Jets
from glassjet.observables import correlators, flavour, kinematics, lund, shapes, subjets
from glassjet.observables.clustering import Recombination
from glassjet.observables.flow_polynomials import flow_polynomials
from glassjet.observables.kinematics import Floats
from glassjet.observables.nsubjettiness import ratio, tau
from glassjet.observables.pull import pull_angle, pull_vector
from glassjet.observables.recipes import (
    Axes,
    Charge,
    Correlator,
    Count,
    Displacement,
    FlowPolynomial,
    Grooming,
    Kinematics,
    LogProduct,
    Lund,
    Ratio,
    Recipe,
    Shape,
    SoftDrop,
    Subjets,
    Tau,
    Truth,
)
from glassjet.observables.registry import columns, variable
from glassjet.observables.shared import Shared
from glassjet.observables.soft_drop import R0

Values = dict[Recipe, Floats]


def observe(jets: Jets, words: Iterable[str], radius: float = R0) -> pd.DataFrame:
    """The standard quantities and the variables asked for, float64, with label, event and weight of each jet.

    Parameters
    ----------
    jets : Jets
        n jets; each needs a constituent with pT > 0.
    words : iterable of str
        Names of variables or sets in the registry.
    radius : float
        The jets' radius, R0 of soft drop.

    Returns
    -------
    DataFrame
        n rows in the order of the jets. Every number is finite.

    Raises
    ------
    InputError
        If a momentum is not one, a jet has no constituents, or the jets lack what a variable needs.
    """
    recipes = {name: variable(name).recipe for name in columns(words)}
    for name, recipe in recipes.items():
        _require(name, recipe, jets)
    _require_momenta(jets)
    shared = Shared(kinematics.with_momentum(jets.constituents), radius)
    composed = [recipe for recipe in recipes.values() if isinstance(recipe, Ratio | LogProduct)]
    parts = [part for recipe in composed for part in _parts(recipe)]
    wanted = list(dict.fromkeys([*recipes.values(), *parts]))
    values: Values = {}
    for kind, compute in COMPUTE.items():
        if mine := [recipe for recipe in wanted if isinstance(recipe, kind)]:
            values |= compute(shared, mine)
    values |= {recipe: jets.columns[recipe.column].astype(float) for recipe in wanted if isinstance(recipe, Truth)}
    values |= {recipe: _composed(recipe, values) for recipe in composed}
    frame = pd.DataFrame({name: values[recipe] for name, recipe in recipes.items()})
    require_finite(frame, jets)
    for name in ("label", "event", "weight"):
        frame[name] = jets.columns[name]
    return frame


def _require(name: str, recipe: Recipe, jets: Jets) -> None:
    """Refuse a variable that the jets cannot give."""
    match recipe:
        case Truth():
            if recipe.column not in jets.columns:
                raise InputError(f"{name}: only jets of the toy model have it; leave it out")
        case Count(kind="charged") | Charge():
            flavour.require(jets.constituents.columns, name, ["charge"])
        case Count():
            flavour.require(jets.constituents.columns, name, ["pdgid", "charge"])
        case Displacement():
            flavour.require(jets.constituents.columns, name, [recipe.column])


def _require_momenta(jets: Jets) -> None:
    """Refuse momenta that are none: NaN or infinite, pT or energy below 0, and jets of nothing."""
    constituents = jets.constituents
    jet = np.repeat(np.arange(len(jets)), constituents.counts)
    for name in ("pt", "eta", "phi", "energy"):
        column = constituents.columns[name]
        bad = ~np.isfinite(column)
        if name in ("pt", "energy"):
            bad |= column < 0
        if bad.any():
            place = int(bad.argmax())
            event = jets.columns["event"][jet[place]]
            raise InputError(f"a constituent of the jet of event {event} has {name} {column[place]}; remove that jet")
    carrying = np.bincount(jet[constituents.columns["pt"] > 0], minlength=len(jets))
    if len(jets) and carrying.min() < 1:
        event = jets.columns["event"][carrying.argmin()]
        raise InputError(f"the jet of event {event} has no constituent with pT > 0; remove it")


def require_finite(frame: pd.DataFrame, jets: Jets) -> None:
    """Refuse a number that is NaN or infinite, naming the variable and the jet: none is ever written."""
    for name in frame:
        bad = np.flatnonzero(~np.isfinite(frame[name].to_numpy()))
        if bad.size:
            event = jets.columns["event"][bad[0]]
            raise InputError(f"{name} is {frame[name].iloc[bad[0]]} for the jet of event {event}; remove that jet")


def _parts(recipe: Ratio | LogProduct) -> list[Tau]:
    """The variables that another one is composed of."""
    if isinstance(recipe, Ratio):
        return [recipe.above, recipe.below]
    return [part for part, _ in recipe.factors]


def _composed(recipe: Ratio | LogProduct, values: Values) -> Floats:
    """A ratio, or the logarithm of a product: 0 where a part that it divides by, or takes the logarithm of, is 0."""
    parts = np.stack([values[part] for part in _parts(recipe)])
    if isinstance(recipe, Ratio):
        return ratio(*parts)
    logs = np.log(parts, out=np.zeros_like(parts), where=(parts > 0).all(axis=0))
    powers = np.array([power for _, power in recipe.factors])
    return np.sum(powers[:, None] * logs, axis=0)


def _kinematics(shared: Shared, recipes: list[Kinematics]) -> Values:
    """Quantities of the sum of the constituents."""
    found: dict[str, Callable[[], Floats]] = {
        "pt": lambda: shared.pt,
        "eta": lambda: kinematics.pseudorapidity(shared.jets),
        "phi": lambda: kinematics.azimuth(shared.jets),
        "mass": lambda: kinematics.mass(shared.jets),
        "rapidity": lambda: kinematics.rapidity(shared.jets),
        "multiplicity": lambda: np.diff(shared.offsets).astype(np.float64),
    }
    return {recipe: found[recipe.quantity]() for recipe in recipes}


def _soft_drop(shared: Shared, recipes: list[SoftDrop]) -> Values:
    """The groomed jet and its subjets. Where no splitting passed, subjet 2 is subjet 1 again, without momentum in z."""
    values: Values = {}
    for recipe in recipes:
        groomed = shared.groomed(recipe.grooming)
        first, second = groomed.subjets[:, 0], groomed.subjets[:, 1]
        other = np.where(groomed.passed[:, None], second, first)
        match recipe.quantity:
            case "mass":
                found = kinematics.mass(first + second)
            case "pt":
                found = kinematics.transverse_momentum(first + second)
            case "zg":
                found = groomed.z
            case "rg":
                found = groomed.delta_r
            case "z_subjets":
                found = kinematics.momentum(first) / (kinematics.momentum(first) + kinematics.momentum(second))
            case "subjet1_eta":
                found = kinematics.pseudorapidity(first)
            case "subjet1_phi":
                found = kinematics.azimuth(first)
            case "subjet2_eta":
                found = kinematics.pseudorapidity(other)
            case "subjet2_phi":
                found = kinematics.azimuth(other)
            case "has_two_subjets":
                found = groomed.passed.astype(np.float64)
            case "pull_angle":
                found = pull_angle(shared.momenta, shared.offsets, groomed)
            case quantity:
                raise ValueError(quantity)
        values[recipe] = found
    return values


def _tau(shared: Shared, recipes: list[Tau]) -> Values:
    """N-subjettiness: one clustering for all orders and betas of the same axes and grooming."""
    values: Values = {}
    together: dict[tuple[Axes, Grooming | None], list[Tau]] = {}
    for recipe in recipes:
        together.setdefault((recipe.axes, recipe.grooming), []).append(recipe)
    for (axes, grooming), mine in together.items():
        scheme: Recombination = "winner_takes_all" if axes in ("wta", "onepass_wta") else "four_momentum"
        history = shared.history("kt", scheme, grooming)
        orders = tuple(sorted({recipe.order for recipe in mine}))
        betas = tuple(sorted({recipe.beta for recipe in mine}))
        taus = tau(history, orders, betas, one_pass=axes.startswith("onepass"))
        for recipe in mine:
            found = taus[:, orders.index(recipe.order), betas.index(recipe.beta)]
            values[recipe] = found if recipe.in_gev else found / shared.pt
    return values


def _correlators(shared: Shared, recipes: list[Correlator]) -> Values:
    """Energy correlators: all of one grooming together."""
    values: Values = {}
    for grooming in dict.fromkeys(recipe.grooming for recipe in recipes):
        mine = [recipe for recipe in recipes if recipe.grooming == grooming]
        betas = tuple(sorted({recipe.beta for recipe in mine}))
        _, points, offsets = shared.kept(grooming)
        found = correlators.correlations(points, offsets, betas)
        tables = {"ecf2": found.ecf2, "ecf3": found.ecf3}
        for recipe in mine:
            if recipe.quantity not in tables:
                tables[recipe.quantity] = getattr(correlators, recipe.quantity)(found)
            values[recipe] = tables[recipe.quantity][:, betas.index(recipe.beta)]
    return values


def _shapes(shared: Shared, recipes: list[Shape]) -> Values:
    """Angularities, pTD and pull."""
    axes = kinematics.plane(shared.jets)
    pull = pull_vector(shared.points, shared.offsets, axes)

    def winner() -> Floats:
        history = shared.history("kt", "winner_takes_all")
        return history.nodes[history.offsets[1:] - 1, 1:]

    found: dict[str, Callable[[], Floats]] = {
        "width": lambda: shapes.angularity(shared.points, shared.offsets, axes[:, 1:], 1.0),
        "thrust": lambda: shapes.angularity(shared.points, shared.offsets, axes[:, 1:], 2.0),
        "lha": lambda: shapes.angularity(shared.points, shared.offsets, winner(), 0.5),
        "ptd": lambda: shapes.momentum_dispersion(shared.points[:, 0], shared.offsets),
        "pull_magnitude": lambda: pull[0],
        "pull_theta": lambda: pull[1],
    }
    return {recipe: found[recipe.quantity]() for recipe in recipes}


def _subjets(shared: Shared, recipes: list[Subjets]) -> Values:
    """kT splitting scales and exclusive subjets."""
    history = shared.history("kt")
    scales = subjets.splitting_scales(history)
    two, three = subjets.exclusive_subjets(history, 2), subjets.exclusive_subjets(history, 3)
    found = {f"sqrt_d{n}{n + 1}": scales[:, n - 1] for n in (1, 2, 3)}
    for number, table in ((2, subjets.masses(two)), (3, subjets.masses(three))):
        found |= {f"mass_subjet{place + 1}_of_{number}": table[:, place] for place in range(number)}
    found |= {"mass_w_of_2": subjets.largest_mass(two), "mass_w_of_3": subjets.smallest_pair_mass(three)}
    return {recipe: found[recipe.quantity] for recipe in recipes}


def _lund(shared: Shared, recipes: list[Lund]) -> Values:
    """What the primary Lund plane holds."""
    found = lund.scalars(lund.primary_emissions(shared.history("ca")))
    return {recipe: found[recipe.quantity] for recipe in recipes}


def _count(shared: Shared, recipes: list[Count]) -> Values:
    """Multiplicities by type."""
    known = shared.constituents.columns
    found: dict[str, Floats] = {}
    if any(recipe.kind in flavour.PARTICLE_TYPES for recipe in recipes):
        counts = flavour.multiplicities(known["pdgid"], known["charge"], shared.offsets)
        found = dict(zip(flavour.PARTICLE_TYPES, counts.T, strict=True))
    found["charged"] = flavour.charged_multiplicity(known["charge"], shared.offsets)
    return {recipe: found[recipe.kind] for recipe in recipes}


def _charge(shared: Shared, recipes: list[Charge]) -> Values:
    """Jet charge."""
    charge, pt = shared.constituents.columns["charge"], shared.points[:, 0]
    return {recipe: flavour.jet_charge(pt, charge, shared.offsets, shared.pt, recipe.kappa) for recipe in recipes}


def _displacement(shared: Shared, recipes: list[Displacement]) -> Values:
    """The largest impact parameters."""
    known, pt = shared.constituents.columns, shared.points[:, 0]
    return {recipe: flavour.impact_parameter_max(known[recipe.column], pt, shared.offsets) for recipe in recipes}


def _polynomials(shared: Shared, recipes: list[FlowPolynomial]) -> Values:
    """Energy-flow polynomials: all graphs of one beta together."""
    values: Values = {}
    for beta in dict.fromkeys(recipe.beta for recipe in recipes):
        mine = [recipe for recipe in recipes if recipe.beta == beta]
        graphs = tuple(recipe.graph for recipe in mine)
        found = flow_polynomials(shared.points, shared.offsets, graphs, beta)
        values |= dict(zip(mine, found.T, strict=True))
    return values


COMPUTE: dict[type[Any], Callable[[Shared, list[Any]], Values]] = {
    Kinematics: _kinematics,
    SoftDrop: _soft_drop,
    Tau: _tau,
    Correlator: _correlators,
    Shape: _shapes,
    Subjets: _subjets,
    Lund: _lund,
    Count: _count,
    Charge: _charge,
    Displacement: _displacement,
    FlowPolynomial: _polynomials,
}
