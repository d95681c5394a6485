"""Families of expert variables: for any N, beta, axes, grooming or kappa the variable, with its name and description.

How the names are built, and read, stands in `glassjet.observables.grammar`.
"""

import math
from dataclasses import dataclass

from glassjet.observables import graphs
from glassjet.observables.recipes import (
    STANDARD,
    Axes,
    Charge,
    Correlator,
    FlowPolynomial,
    Grooming,
    Ratio,
    Recipe,
    SoftDrop,
    Tau,
)

P1 = "arXiv:2011.13466"
SOFT_DROP = "arXiv:1402.2657"
NSUBJETTINESS = "arXiv:1011.2268"
CORRELATORS = {"ecf2": "arXiv:1305.0007", "ecf3": "arXiv:1305.0007", "c2": "arXiv:1305.0007", "d2": "arXiv:1409.6298"}
CORRELATORS |= {"m2": "arXiv:1609.07483", "n2": "arXiv:1609.07483"}
AXES = {"onepass_wta": "OnePass_WTA_KT_Axes", "onepass_kt": "OnePass_KT_Axes", "wta": "WTA_KT_Axes", "kt": "KT_Axes"}
UNBOUNDED = (0.0, math.inf)


@dataclass(frozen=True)
class Variable:
    """One expert variable.

    Attributes
    ----------
    name : str
        The column's name.
    formula : str
        What is computed, in words and symbols.
    units : str
        "GeV", "rad" or "1".
    range : (float, float)
        The least and the largest value that the formula can have.
    source : str
        The paper it comes from.
    label : str
        An axis label in LaTeX, with the units.
    recipe : Recipe
        How it is computed.
    undefined : str
        The value where the formula has none, and when that happens; empty if it never does.
    """

    name: str
    formula: str
    units: str
    range: tuple[float, float]
    source: str
    label: str
    recipe: Recipe
    undefined: str = ""


def digits(number: float) -> str:
    """A number of a name: 0.5 is 05, 1 is 10, 0.25 is 025."""
    if not 0 <= number < 10:
        raise ValueError(f"{number}: a number of a name lies between 0 and 10")
    text = f"{number:.6f}".rstrip("0")
    return text.replace(".", "") + ("0" if text.endswith(".") else "")


def suffix(grooming: Grooming | None) -> str:
    """The end of a groomed variable's name."""
    if grooming is None:
        return ""
    return "_softdrop" if grooming == STANDARD else f"_softdrop_z{digits(grooming.z_cut)}_b{digits(grooming.beta)}"


def _after(grooming: Grooming | None) -> str:
    """The grooming of a formula."""
    if grooming is None:
        return ""
    return f" after soft drop (z_cut = {grooming.z_cut:.7g}, beta = {grooming.beta:.7g})"


def _mark(grooming: Grooming | None) -> str:
    """The grooming of a label."""
    if grooming is None:
        return ""
    return r"\mathrm{SD}" if grooming == STANDARD else rf"\mathrm{{SD}}({grooming.z_cut:.7g}, {grooming.beta:.7g})"


def _few(order: int, grooming: Grooming | None) -> str:
    return f"at most {order} constituent{'s' if order > 1 else ''}{' left' if grooming else ''}"


def tau(order: int, beta: float, axes: Axes, grooming: Grooming | None = None, in_gev: bool = False) -> Variable:
    """tau_N^(beta), as a share of the jet's pT or in GeV."""
    index = f"{order}, {_mark(grooming)}" if grooming else f"{order}"
    about = {"onepass_wta": "", "onepass_kt": r" (one-pass $k_\mathrm{T}$ axes)"}
    about |= {"wta": " (WTA axes)", "kt": r" ($k_\mathrm{T}$ axes)"}
    symbol = rf"$\tau_{{{index}}}^{{({beta:.7g})}}$"
    if in_gev:
        symbol = rf"$p_\mathrm{{T}}\,${symbol}"
    return Variable(
        f"tau{order}_b{digits(beta)}{'' if axes == 'onepass_wta' else '_' + axes}{suffix(grooming)}"
        + ("_gev" if in_gev else ""),
        f"tau_{order}^({beta:.7g}){' pT' if in_gev else ''}{_after(grooming)}, {AXES[axes]}",
        "GeV" if in_gev else "1",
        UNBOUNDED,
        f"{P1}, {NSUBJETTINESS}" if axes == "onepass_wta" else f"arXiv:2210.04371, {NSUBJETTINESS}",
        f"{symbol}{about[axes]}{' [GeV]' if in_gev else ''}",
        Tau(order, beta, axes, grooming, in_gev),
        f"0 with {_few(order, grooming)}",
    )


def tau_ratio(above: int, below: int, beta: float, axes: Axes, grooming: Grooming | None = None) -> Variable:
    """tau_N / tau_M."""
    up, down = tau(above, beta, axes, grooming), tau(below, beta, axes, grooming)
    power = "" if beta == 1 else f"_b{digits(beta)}"
    symbols = [one.label.split("$")[1] for one in (up, down)]
    about = up.label.split("$", 2)[2]
    assert isinstance(up.recipe, Tau)
    assert isinstance(down.recipe, Tau)
    return Variable(
        f"tau{above}{below}{power}{'' if axes == 'onepass_wta' else '_' + axes}{suffix(grooming)}",
        f"tau_{above}^({beta:.7g}) / tau_{below}^({beta:.7g}){_after(grooming)}, {AXES[axes]}",
        "1",
        UNBOUNDED,
        up.source,
        f"${symbols[0]} / {symbols[1]}${about}",
        Ratio(up.recipe, down.recipe),
        f"0 with {_few(below, grooming)} (0/0)",
    )


def correlator(quantity: str, beta: float, grooming: Grooming | None = None) -> Variable:
    """ECF(2), ECF(3) or a ratio of them."""
    formulas = {
        "ecf2": "ECF(2) = sum_(i<j) pT_i pT_j R_ij^beta",
        "ecf3": "ECF(3) = sum_(i<j<k) pT_i pT_j pT_k (R_ij R_ik R_jk)^beta",
        "c2": "C2 = e3 / e2^2",
        "d2": "D2 = e3 / e2^3",
        "m2": "M2 = 1e3 / 1e2",
        "n2": "N2 = 2e3 / (1e2)^2",
    }
    units = {"ecf2": "GeV^2", "ecf3": "GeV^3"}.get(quantity, "1")
    symbol = r"\mathrm{ECF}_" + quantity[-1] if quantity.startswith("ecf") else f"{quantity[0].upper()}_{quantity[1]}"
    base = symbol[:-1] + rf"{{{symbol[-1]}{', ' + _mark(grooming) if grooming else ''}}}"
    unit = {"1": "", "GeV^2": r" [GeV$^2$]", "GeV^3": r" [GeV$^3$]"}[units]
    return Variable(
        f"{quantity}_b{digits(beta)}{suffix(grooming)}",
        f"{formulas[quantity]}, beta = {beta:.7g}{_after(grooming)}",
        units,
        UNBOUNDED,
        CORRELATORS[quantity],
        rf"${base}^{{({beta:.7g})}}${unit}",
        Correlator(quantity, beta, grooming),
        f"0 with {_few(1, grooming)}" if quantity == "ecf2" else f"0 with {_few(2, grooming)}",
    )


def soft_drop(quantity: str, grooming: Grooming = STANDARD) -> Variable:
    """Mass, pT, momentum sharing or opening angle after soft drop."""
    mark = _mark(grooming)
    fail = "if no splitting passes"
    text, units, limits, label, undefined = {
        "mass": ("invariant mass", "GeV", UNBOUNDED, rf"$m_{{{mark}}}$ [GeV]", f"the mass of the last prong {fail}"),
        "pt": (
            "transverse momentum",
            "GeV",
            UNBOUNDED,
            rf"$p_{{\mathrm{{T}}, {mark}}}$ [GeV]",
            f"that of the last prong {fail}",
        ),
        "zg": (
            "momentum sharing z_g = min(pT_1, pT_2) / (pT_1 + pT_2) of the splitting that passes",
            "1",
            (0.0, 0.5),
            rf"$z_{{g, {mark}}}$",
            f"0 {fail}",
        ),
        "rg": ("Delta R of the splitting that passes", "1", UNBOUNDED, rf"$R_{{g, {mark}}}$", f"0 {fail}"),
    }[quantity]
    return Variable(
        f"{quantity}{suffix(grooming)}",
        f"{text}{_after(grooming)}",
        units,
        limits,
        f"{P1}, {SOFT_DROP}" if quantity == "mass" else SOFT_DROP,
        label,
        SoftDrop(quantity, grooming),
        undefined,
    )


def charge(kappa: float) -> Variable:
    """Jet charge."""
    return Variable(
        f"charge_k{digits(kappa)}",
        f"jet charge, sum_i q_i pT_i^kappa / pT^kappa, kappa = {kappa:.7g}",
        "1",
        (-math.inf, math.inf),
        "arXiv:1209.2421",
        rf"$Q_{{\kappa={kappa:.7g}}}$",
        Charge(kappa),
    )


def flow_polynomial(graph: tuple[int, int, int], beta: float) -> Variable:
    """The energy-flow polynomial of a connected multigraph."""
    n, d, k = graph
    return Variable(
        f"efp_{n}_{d}_{k}_b{digits(beta)}",
        f"energy-flow polynomial of the graph with {graphs.text(graph)}, beta = {beta:.7g}",
        "1",
        UNBOUNDED,
        "arXiv:1712.07124",
        rf"$\mathrm{{EFP}}_{{{n},{d},{k}}}^{{({beta:.7g})}}$",
        FlowPolynomial(graph, beta),
        "0 with one constituent",
    )
