"""The names of variables that come in families: for any N, beta, axes, grooming or kappa, as `NAMES` says."""

import re
from collections.abc import Callable
from typing import get_args

from glassjet.errors import InputError
from glassjet.observables import families
from glassjet.observables.families import CORRELATORS, Variable
from glassjet.observables.graphs import GRAPHS
from glassjet.observables.recipes import STANDARD, Axes, Grooming

NAMES = """\
Any other N (at most 8), beta, axes, soft drop or kappa has a name too:
    tau<N>_b<beta>[_<axes>][_<grooming>][_gev]      tau3_b10, tau2_b05_kt, tau1_b20_wta_softdrop, tau1_b10_kt_gev
    tau<N><M>[_b<beta>][_<axes>][_<grooming>]       tau21, tau43_b20, tau32_kt_softdrop
    <correlator>_b<beta>[_<grooming>]               ecf2_b10, ecf3_b10, c2_b20, d2_b10, m2_b05, n2_b10_softdrop
    <quantity>_<grooming>                           mass_softdrop, pt_softdrop, zg_softdrop_z02_b10, rg_softdrop
    charge_k<kappa>                                 charge_k05
    efp_<n>_<d>_<k>_b<beta>                         efp_3_3_0_b05

A number is written without its point, which stands after the first digit: b05 is 0.5, b10 is 1, b025 is
0.25. Axes are kt, wta or onepass_kt (fastjet-contrib's KT_Axes, WTA_KT_Axes, OnePass_KT_Axes); without a word they are
OnePass_WTA_KT_Axes. `softdrop` is z_cut = 0.1, beta = 0; `softdrop_z02_b10` is z_cut = 0.2, beta = 1. A ratio without
b<beta> has beta = 1. A tau is a share of the jet's pT, and with _gev what the sum gives."""

Words = dict[str, str]  # the parts of a name; empty for one that is left out


def number(digits: str) -> float:
    """The number that `families.digits` writes."""
    return float(f"{digits[0]}.{digits[1:]}")


def _axes(words: Words) -> Axes:
    return next((axes for axes in get_args(Axes) if axes == words["axes"]), "onepass_wta")


def _grooming(words: Words) -> Grooming | None:
    if not words["grooming"]:
        return None
    return Grooming(number(words["z_cut"]), number(words["power"])) if words["z_cut"] else STANDARD


def _tau(words: Words) -> Variable | None:
    beta = number(words["beta"])
    return families.tau(int(words["n"]), beta, _axes(words), _grooming(words), bool(words["gev"])) if beta else None


def _ratio(words: Words) -> Variable | None:
    above, below, beta = int(words["n"]), int(words["m"]), number(words["beta"] or "10")
    return families.tau_ratio(above, below, beta, _axes(words), _grooming(words)) if above > below and beta else None


def _correlator(words: Words) -> Variable | None:
    beta = number(words["beta"])
    return families.correlator(words["quantity"], beta, _grooming(words)) if beta else None


def _soft_drop(words: Words) -> Variable | None:
    return families.soft_drop(words["quantity"], _grooming(words) or STANDARD)


def _charge(words: Words) -> Variable | None:
    kappa = number(words["kappa"])
    return families.charge(kappa) if kappa else None


def _flow_polynomial(words: Words) -> Variable | None:
    graph, beta = (int(words["n"]), int(words["d"]), int(words["k"])), number(words["beta"])
    return families.flow_polynomial(graph, beta) if graph in GRAPHS and beta else None


NUMBER = r"\d{2,7}"
GROOMING = rf"_(?P<grooming>softdrop(_z(?P<z_cut>{NUMBER})_b(?P<power>{NUMBER}))?)"
AXES = r"(_(?P<axes>kt|wta|onepass_kt|onepass_wta))?"
FAMILIES: dict[str, Callable[[Words], Variable | None]] = {
    rf"tau(?P<n>[1-8])_b(?P<beta>{NUMBER}){AXES}({GROOMING})?(?P<gev>_gev)?": _tau,
    rf"tau(?P<n>[2-8])(?P<m>[1-7])(_b(?P<beta>{NUMBER}))?{AXES}({GROOMING})?": _ratio,
    rf"(?P<quantity>{'|'.join(CORRELATORS)})_b(?P<beta>{NUMBER})({GROOMING})?": _correlator,
    rf"(?P<quantity>mass|pt|zg|rg){GROOMING}": _soft_drop,
    rf"charge_k(?P<kappa>{NUMBER})": _charge,
    rf"efp_(?P<n>\d)_(?P<d>\d)_(?P<k>\d+)_b(?P<beta>{NUMBER})": _flow_polynomial,
}


def named(name: str) -> Variable | None:
    """The variable of a family that has this name; None if there is none.

    Raises
    ------
    InputError
        If it is another variable's name, written in another way: each has one name.
    """
    for pattern, build in FAMILIES.items():
        if match := re.fullmatch(pattern, name):
            words = match.groupdict(default="")
            if words.get("z_cut") and number(words["z_cut"]) >= 0.5 and number(words["power"]) == 0:
                return None  # z is at most one half: no splitting would ever pass
            variable = build(words)
            if variable is not None and variable.name != name:
                raise InputError(f"the expert variable {name!r} is written {variable.name!r}")
            return variable
    return None
