"""The registry of expert variables: what each one is, in which units, from which source, and the sets of them.

Every variable is finite for every jet with pT > 0: its field `undefined` says which value stands where the formula has
none. Nothing heavy is imported here: what computes the variables is in `glassjet.observables.compute`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from glassjet.errors import unknown

P1 = "arXiv:2011.13466"
P2 = "arXiv:2210.04371"
SOFT_DROP = "arXiv:1402.2657"
NSUBJETTINESS = "arXiv:1011.2268"
PULL = "arXiv:1001.5027"

CONVENTIONS = """\
The jet is the sum of its constituents' four-momenta (E scheme); constituents with pT = 0 are left out.
Distances are Delta R = sqrt(Delta y^2 + Delta phi^2) with the rapidity y, and Delta phi in [-pi, pi].
tau_N^(beta) = sum_i pT_i min_k Delta R_ik^beta / pT, with the pT of the whole (ungroomed) jet and no power of a radius.
Axes are named as in fastjet-contrib: KT_Axes and WTA_KT_Axes are exclusive, with no beam distance.
Soft drop: z_cut = 0.1, beta = 0, reclustered with Cambridge/Aachen; if no splitting passes, the last prong is left."""

BETAS = {"b05": 0.5, "b10": 1.0, "b20": 2.0}


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
    source : str
        The paper it comes from.
    label : str
        An axis label in LaTeX, with the units.
    undefined : str
        The value where the formula has none, and when that happens; empty if it never does.
    """

    name: str
    formula: str
    units: str
    source: str
    label: str
    undefined: str = ""


def _standard() -> list[Variable]:
    """The quantities that every table has."""
    no_second = "that of subjet 1 if no splitting passes"
    return [
        Variable("pt", "transverse momentum of the jet", "GeV", P1, r"$p_\mathrm{T}$ [GeV]"),
        Variable("eta", "pseudorapidity of the jet", "1", P1, r"$\eta$"),
        Variable("phi", "azimuth of the jet, in [-pi, pi]", "rad", P1, r"$\phi$ [rad]"),
        Variable("mass", "invariant mass of the jet", "GeV", P1, r"$m$ [GeV]"),
        Variable("rapidity", "rapidity y of the jet", "1", "arXiv:1111.6097", r"$y$"),
        Variable("multiplicity", "number of constituents with pT > 0", "1", P2, r"$N_\mathrm{constituents}$"),
        Variable(
            "mass_softdrop",
            "invariant mass after soft drop",
            "GeV",
            f"{P1}, {SOFT_DROP}",
            r"$m_\mathrm{SD}$ [GeV]",
            "the mass of the last prong if no splitting passes",
        ),
        Variable(
            "tau21",
            "tau_2^(1) / tau_1^(1), OnePass_WTA_KT_Axes",
            "1",
            f"{P1}, {NSUBJETTINESS}",
            r"$\tau_{2}^{(1)} / \tau_{1}^{(1)}$",
            "0 with one constituent (0/0)",
        ),
        Variable(
            "tau32",
            "tau_3^(1) / tau_2^(1), OnePass_WTA_KT_Axes",
            "1",
            f"{P2}, {NSUBJETTINESS}",
            r"$\tau_{3}^{(1)} / \tau_{2}^{(1)}$",
            "0 with one or two constituents (0/0)",
        ),
        Variable("subjet1_eta", "pseudorapidity of the soft-drop subjet of higher pT", "1", P1, r"$\eta_{1}$"),
        Variable("subjet1_phi", "azimuth of the soft-drop subjet of higher pT", "rad", P1, r"$\phi_{1}$ [rad]"),
        Variable("subjet2_eta", "pseudorapidity of the other subjet", "1", P1, r"$\eta_{2}$", no_second),
        Variable("subjet2_phi", "azimuth of the other subjet", "rad", P1, r"$\phi_{2}$ [rad]", no_second),
        Variable("has_two_subjets", "1 if a splitting passes soft drop, else 0", "1", P1, "two soft-drop subjets"),
    ]


def _subjets() -> list[Variable]:
    """XAUG variables of the two subjets that are not in every table."""
    return [
        Variable(
            "delta_r_subjets",
            "Delta R of the two soft-drop subjets",
            "1",
            P1,
            r"$\Delta R_\mathrm{subjets}$",
            "0 if no splitting passes",
        ),
        Variable(
            "z_subjets", "|p1| / (|p1| + |p2|) of the soft-drop subjets", "1", P1, r"$z$", "1 if no splitting passes"
        ),
        Variable(
            "pull_angle",
            "|angle| from the pull of subjet 1, sum_i pT_i r_i (Delta y, Delta phi)_i, to the direction of subjet 2",
            "rad",
            f"{P1}, {PULL}",
            r"$|\phi_\mathrm{pull}|$ [rad]",
            "0 if no splitting passes, or if subjet 1 is one constituent",
        ),
    ]


def _xaug_tau(order: int, power: str, groomed: bool) -> Variable:
    """tau_N of the XAUG set: winner-take-all kT axes, refined in one pass."""
    index = rf"{order}, \mathrm{{SD}}" if groomed else f"{order}"
    return Variable(
        f"tau{order}_{power}" + ("_softdrop" if groomed else ""),
        f"tau_{order}^({BETAS[power]:g}){' after soft drop' if groomed else ''}, OnePass_WTA_KT_Axes",
        "1",
        f"{P1}, {NSUBJETTINESS}",
        rf"$\tau_{{{index}}}^{{({BETAS[power]:g})}}$",
        f"0 with at most {order} constituent{'s' if order > 1 else ''}",
    )


def _mbns_tau(order: int, power: str) -> Variable:
    """tau_N of the MBNS set: exclusive kT axes."""
    return Variable(
        f"mbns_tau{order}_{power}",
        f"tau_{order}^({BETAS[power]:g}), KT_Axes",
        "1",
        f"{P2}, {NSUBJETTINESS}",
        rf"$\tau_{{{order}}}^{{({BETAS[power]:g})}}$ ($k_\mathrm{{T}}$ axes)",
        f"0 with at most {order} constituent{'s' if order > 1 else ''}",
    )


def _beta3() -> list[Variable]:
    """The two composites of P1."""
    zero = "0 with one or two constituents (0/0)"
    return [
        Variable("beta3", "ln[(tau_1^(0.5))^2 sqrt(tau_2^(1)) / tau_2^(2)]", "1", P1, r"$\beta_{3}$", zero),
        Variable(
            "beta3_softdrop",
            "ln[tau_2^(2) / (tau_1^(0.5) tau_2^(1))], each tau after soft drop",
            "1",
            P1,
            r"$\beta_{3}^\mathrm{SD}$",
            "0 with one or two constituents left (0/0)",
        ),
    ]


def _toy() -> list[Variable]:
    """The truth of the toy model's jets, which only these have."""
    texts = {
        "toy_r1": ("radius of the first subjet", r"$r_1$"),
        "toy_r2": ("radius of the second subjet", r"$r_2$"),
        "toy_theta": ("opening angle of the two subjets", r"true $\theta$"),
        "toy_z": ("momentum share of the first subjet", r"true $z$"),
    }
    return [Variable(name, f"{text}, the toy model's truth", "1", P1, label) for name, (text, label) in texts.items()]


_XAUG_TAUS = [_xaug_tau(order, power, groomed) for power in BETAS for groomed in (False, True) for order in (1, 2, 3)]
# P2 takes N = 1..6 with three betas and, of N = 7, the betas 1 and 2: 20 numbers fix the phase space of eight bodies.
_MBNS_TAUS = [_mbns_tau(order, power) for order in range(1, 8) for power in BETAS if (order, power) != (7, "b05")]

VARIABLES: dict[str, Variable] = {
    variable.name: variable for variable in [*_standard(), *_subjets(), *_XAUG_TAUS, *_beta3(), *_MBNS_TAUS, *_toy()]
}

SETS: dict[str, tuple[str, ...]] = {
    "standard": tuple(variable.name for variable in _standard()),
    "xaug29": (
        *("pt", "eta", "phi", "mass", "mass_softdrop", "delta_r_subjets", "z_subjets"),
        *(variable.name for variable in _XAUG_TAUS),
        *("beta3", "beta3_softdrop", "tau21", "pull_angle"),
    ),
    "mbns": (*(variable.name for variable in _MBNS_TAUS), "pt", "mass"),
    "mass_tau32": ("mass_softdrop", "tau32"),
    "toy": tuple(variable.name for variable in _toy()),
}

SET_SOURCES: dict[str, str] = {
    "standard": "in every table",
    "xaug29": f"the XAUG variables of {P1} without its seven of flavour",
    "mbns": f"the 8-body N-subjettiness basis of {P2}",
    "mass_tau32": "the classical top tagger: soft-drop mass and tau32",
    "toy": f"the truth of the toy model of {P1}: for its jets only",
}

labels: dict[str, str] = {name: variable.label for name, variable in VARIABLES.items()}


def variable(name: str) -> Variable:
    """The variable of that name; InputError with the nearest names if there is none."""
    if name not in VARIABLES:
        raise unknown("expert variable", name, VARIABLES)
    return VARIABLES[name]


def members(name: str) -> tuple[str, ...]:
    """The variables of a set, in its order; InputError with the nearest names if there is no such set."""
    if name not in SETS:
        raise unknown("set of expert variables", name, SETS)
    return SETS[name]


def columns(sets: Iterable[str]) -> tuple[str, ...]:
    """The variables of a table: the standard ones, then those of the sets, each once, in the order of the sets."""
    names = dict.fromkeys(members("standard"))
    for name in sets:
        names.update(dict.fromkeys(members(name)))
    return tuple(names)


def table(sets: Iterable[str]) -> str:
    """The registry as text for a terminal, a paragraph for each set; a variable is described once."""
    told: set[str] = set()
    paragraphs = [CONVENTIONS]
    for name in sets:
        entries = [variable(member) for member in members(name)]
        lines = [f"{name}: {len(entries)} variables, {SET_SOURCES[name]}"]
        for entry in entries:
            if entry.name not in told:
                unless = f"; {entry.undefined}" if entry.undefined else ""
                lines.append(f"  {entry.name:<18} {entry.units:<4} {entry.formula}{unless}  [{entry.source}]")
        if again := [entry.name for entry in entries if entry.name in told]:
            lines.append(f"  and from above: {', '.join(again)}")
        told.update(members(name))
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)
