"""The variables that have a name of their own, and those of the families that the sets are made of.

Every variable is finite for every jet with pT > 0: its field `undefined` says which value stands where the formula has
none. Nothing heavy is imported here.
"""

import math

from glassjet.observables import families
from glassjet.observables.families import P1, UNBOUNDED, Variable
from glassjet.observables.graphs import GRAPHS
from glassjet.observables.recipes import (
    STANDARD,
    Count,
    Displacement,
    Grooming,
    Kinematics,
    LogProduct,
    Lund,
    Shape,
    SoftDrop,
    Subjets,
    Tau,
    Truth,
)

P2 = "arXiv:2210.04371"
KT = "arXiv:hep-ph/9305266"
PULL = "arXiv:1001.5027"
GIRTH = "arXiv:1106.3076"
ANGULARITIES = "arXiv:1408.3122"
LUND_PLANE = "arXiv:1807.04758"
EVERY = (-math.inf, math.inf)
TURN = (-math.pi, math.pi)
BETAS = (0.5, 1.0, 2.0)
SOFT_DROPS = (STANDARD, Grooming(0.1, 1.0), Grooming(0.1, 2.0), Grooming(0.2, 0.0))


def _standard() -> list[Variable]:
    """The quantities that every table has."""
    no_second = "that of subjet 1 if no splitting passes"
    eta, phi = r"$\eta$", r"$\phi$ [rad]"
    return [
        Variable("pt", "transverse momentum", "GeV", UNBOUNDED, P1, r"$p_\mathrm{T}$ [GeV]", Kinematics("pt")),
        Variable("eta", "pseudorapidity", "1", EVERY, P1, eta, Kinematics("eta")),
        Variable("phi", "azimuth, in [-pi, pi]", "rad", TURN, P1, phi, Kinematics("phi")),
        Variable("mass", "invariant mass", "GeV", UNBOUNDED, P1, r"$m$ [GeV]", Kinematics("mass")),
        Variable("rapidity", "rapidity y", "1", EVERY, "arXiv:1111.6097", r"$y$", Kinematics("rapidity")),
        Variable(
            "multiplicity",
            "number of constituents with pT > 0",
            "1",
            (1.0, math.inf),
            P2,
            r"$N_\mathrm{constituents}$",
            Kinematics("multiplicity"),
        ),
        families.soft_drop("mass"),
        families.tau_ratio(2, 1, 1.0, "onepass_wta"),
        families.tau_ratio(3, 2, 1.0, "onepass_wta"),
        Variable(
            "subjet1_eta",
            "pseudorapidity of the soft-drop subjet of higher pT",
            "1",
            EVERY,
            P1,
            r"$\eta_{1}$",
            SoftDrop("subjet1_eta"),
        ),
        Variable(
            "subjet1_phi",
            "azimuth of the soft-drop subjet of higher pT",
            "rad",
            TURN,
            P1,
            r"$\phi_{1}$ [rad]",
            SoftDrop("subjet1_phi"),
        ),
        Variable(
            "subjet2_eta",
            "pseudorapidity of the other subjet",
            "1",
            EVERY,
            P1,
            r"$\eta_{2}$",
            SoftDrop("subjet2_eta"),
            no_second,
        ),
        Variable(
            "subjet2_phi",
            "azimuth of the other subjet",
            "rad",
            TURN,
            P1,
            r"$\phi_{2}$ [rad]",
            SoftDrop("subjet2_phi"),
            no_second,
        ),
        Variable(
            "has_two_subjets",
            "1 if a splitting passes soft drop, else 0",
            "1",
            (0.0, 1.0),
            P1,
            "two soft-drop subjets",
            SoftDrop("has_two_subjets"),
        ),
    ]


def _subjets_of_p1() -> list[Variable]:
    """XAUG variables of the two soft-drop subjets that are not in every table."""
    return [
        Variable(
            "delta_r_subjets",
            "Delta R of the two soft-drop subjets",
            "1",
            UNBOUNDED,
            P1,
            r"$\Delta R_\mathrm{subjets}$",
            SoftDrop("rg"),
            "0 if no splitting passes",
        ),
        Variable(
            "z_subjets",
            "|p1| / (|p1| + |p2|) of the soft-drop subjets",
            "1",
            (0.0, 1.0),
            P1,
            r"$z$",
            SoftDrop("z_subjets"),
            "1 if no splitting passes",
        ),
        Variable(
            "pull_angle",
            "|angle| from the pull of subjet 1, sum_i pT_i r_i (Delta y, Delta phi)_i, to the direction of subjet 2",
            "rad",
            (0.0, math.pi),
            f"{P1}, {PULL}",
            r"$|\phi_\mathrm{pull}|$ [rad]",
            SoftDrop("pull_angle"),
            "0 if no splitting passes, or if subjet 1 is one constituent",
        ),
    ]


def _beta3() -> list[Variable]:
    """The two composites of P1."""
    plain = [Tau(1, 0.5, "onepass_wta"), Tau(2, 1.0, "onepass_wta"), Tau(2, 2.0, "onepass_wta")]
    groomed = [Tau(tau.order, tau.beta, tau.axes, STANDARD) for tau in plain]
    return [
        Variable(
            "beta3",
            "ln[(tau_1^(0.5))^2 sqrt(tau_2^(1)) / tau_2^(2)]",
            "1",
            EVERY,
            P1,
            r"$\beta_{3}$",
            LogProduct(tuple(zip(plain, (2.0, 0.5, -1.0), strict=True))),
            "0 with at most 2 constituents (0/0)",
        ),
        Variable(
            "beta3_softdrop",
            "ln[tau_2^(2) / (tau_1^(0.5) tau_2^(1))], each tau after soft drop",
            "1",
            EVERY,
            P1,
            r"$\beta_{3}^\mathrm{SD}$",
            LogProduct(tuple(zip(groomed, (-1.0, -1.0, 1.0), strict=True))),
            "0 with at most 2 constituents left (0/0)",
        ),
    ]


def _shapes() -> list[Variable]:
    """How the jet's pT is spread over its constituents."""
    alone = "0 with one constituent"
    rows: list[tuple[str, str, str, tuple[float, float], str, str, str]] = [
        ("width", "sum_i z_i Delta R_i about the jet's axis, z_i = pT_i / sum pT", "1", UNBOUNDED, GIRTH, "$w$", alone),
        (
            "lha",
            "Les Houches angularity, sum_i z_i sqrt(Delta R_i) about the winner-take-all kT axis",
            "1",
            UNBOUNDED,
            ANGULARITIES,
            r"$\lambda_{0.5}^{1}$",
            alone,
        ),
        (
            "thrust",
            "sum_i z_i Delta R_i^2 about the jet's axis",
            "1",
            UNBOUNDED,
            ANGULARITIES,
            r"$\lambda_{2}^{1}$",
            alone,
        ),
        ("ptd", "sqrt(sum pT_i^2) / sum pT_i", "1", (0.0, 1.0), ANGULARITIES, r"$p_\mathrm{T}^D$", ""),
        (
            "pull_magnitude",
            "length of the jet's pull vector t = sum_i pT_i r_i (Delta y, Delta phi)_i / pT",
            "1",
            UNBOUNDED,
            PULL,
            r"$|t|$",
            alone,
        ),
        (
            "pull_theta",
            "angle of the jet's pull vector from the y axis towards phi",
            "rad",
            TURN,
            PULL,
            r"$\theta_t$ [rad]",
            alone,
        ),
    ]
    return [
        Variable(name, text, units, limits, source, label, Shape(name), undefined)
        for name, text, units, limits, source, label, undefined in rows
    ]


def _subjets() -> list[Variable]:
    """kT splitting scales, and the exclusive kT subjets."""
    found = []
    for n in (1, 2, 3):
        name = f"sqrt_d{n}{n + 1}"
        text = f"kT splitting scale, min(pT_i, pT_j) Delta R_ij of the merge from {n + 1} to {n} objects"
        label = rf"$\sqrt{{d_{{{n}{n + 1}}}}}$ [GeV]"
        few = f"0 with at most {n} constituent{'s' if n > 1 else ''}"
        found.append(Variable(name, text, "GeV", UNBOUNDED, "arXiv:1306.4945", label, Subjets(name), few))
    for number in (2, 3):
        for place in range(1, number + 1):
            name = f"mass_subjet{place}_of_{number}"
            text = f"mass of the exclusive kT subjet of {('highest', 'second', 'third')[place - 1]} pT, of {number}"
            label = rf"$m_{{\mathrm{{subjet}}\,{place}/{number}}}$ [GeV]"
            few = f"0 with fewer than {number} constituents"
            found.append(Variable(name, text, "GeV", UNBOUNDED, KT, label, Subjets(name), few))
    return [
        *found,
        Variable(
            "mass_w_of_2",
            "W candidate: the larger mass of the two exclusive kT subjets",
            "GeV",
            UNBOUNDED,
            KT,
            r"$m_W^{(2)}$ [GeV]",
            Subjets("mass_w_of_2"),
            "0 with fewer than 2 constituents",
        ),
        Variable(
            "mass_w_of_3",
            "W candidate: the smallest mass of two of the three exclusive kT subjets (ATLAS's Q_W)",
            "GeV",
            UNBOUNDED,
            "arXiv:1808.07858",
            r"$Q_W$ [GeV]",
            Subjets("mass_w_of_3"),
            "0 with fewer than 3 constituents",
        ),
    ]


def _lund() -> list[Variable]:
    """What the primary Lund plane holds."""
    none = "0 without an emission"
    hardest = "of the emission of largest kt"
    rows = [
        (
            "lund_multiplicity",
            "emissions with kt > 1 GeV in the primary Lund plane",
            "1",
            UNBOUNDED,
            r"$N_\mathrm{Lund}$",
        ),
        (
            "lund_kt",
            f"kt = pT Delta R {hardest} in the primary Lund plane",
            "GeV",
            UNBOUNDED,
            r"$k_\mathrm{T}^\mathrm{max}$ [GeV]",
        ),
        ("lund_delta", f"Delta R {hardest}", "1", UNBOUNDED, r"$\Delta(k_\mathrm{T}^\mathrm{max})$"),
        ("lund_z", f"z = pT_2 / (pT_1 + pT_2) {hardest}", "1", (0.0, 0.5), r"$z(k_\mathrm{T}^\mathrm{max})$"),
    ]
    return [
        Variable(name, text, units, limits, LUND_PLANE, label, Lund(name), none)
        for name, text, units, limits, label in rows
    ]


def _types() -> list[Variable]:
    """How many constituents are of a type."""
    kinds = {
        "charged_hadrons": ("charged hadrons", "h^\\pm"),
        "neutral_hadrons": ("neutral hadrons", "h^0"),
        "photons": ("photons", r"\gamma"),
        "electrons": ("electrons and positrons", "e"),
        "muons": ("muons", r"\mu"),
        "charged": ("charged constituents", r"\mathrm{charged}"),
    }
    return [
        Variable(f"multiplicity_{kind}", f"number of {text}", "1", UNBOUNDED, P1, rf"$N_{{{symbol}}}$", Count(kind))
        for kind, (text, symbol) in kinds.items()
    ]


def _displaced() -> list[Variable]:
    """The largest impact parameters."""
    text = "ln(largest |{}| / mm) of the 20 constituents of highest pT"
    none = "the logarithm of the floor, with no track above it"
    return [
        Variable(
            "dxy_max",
            text.format("d0"),
            "1",
            EVERY,
            P1,
            r"$\ln(|d_0|_\mathrm{max}/\mathrm{mm})$",
            Displacement("d0"),
            none,
        ),
        Variable(
            "dz_max",
            text.format("z0"),
            "1",
            EVERY,
            P1,
            r"$\ln(|z_0|_\mathrm{max}/\mathrm{mm})$",
            Displacement("z0"),
            none,
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
    return [
        Variable(name, f"{text}, the toy model's truth", "1", UNBOUNDED, P1, label, Truth(name))
        for name, (text, label) in texts.items()
    ]


STANDARD_VARIABLES, SUBJETS_OF_P1, BETA3 = _standard(), _subjets_of_p1(), _beta3()
SHAPES, SUBJETS, LUND, TYPES, DISPLACED, TOY = _shapes(), _subjets(), _lund(), _types(), _displaced(), _toy()
XAUG_TAUS = [
    families.tau(order, beta, "onepass_wta", grooming)
    for beta in BETAS
    for grooming in (None, STANDARD)
    for order in (1, 2, 3)
]
KT_TAUS = [families.tau(order, beta, "kt") for order in range(1, 9) for beta in BETAS]
RATIOS = [
    families.tau_ratio(above, above - 1, 1.0, "onepass_wta", grooming)
    for grooming in (None, STANDARD)
    for above in (2, 3, 4)
]
SOFT_DROP = [families.soft_drop(quantity, cut) for cut in SOFT_DROPS for quantity in ("mass", "pt", "zg", "rg")]
CORRELATORS = [
    *(families.correlator(name, beta) for beta in BETAS for name in ("ecf2", "ecf3", "c2", "d2", "m2", "n2")),
    *(families.correlator(name, 1.0, STANDARD) for name in ("c2", "d2", "m2", "n2")),
]
CHARGES = [families.charge(kappa) for kappa in (0.3, 0.5, 1.0)]
FLOW_POLYNOMIALS = {
    degree: [families.flow_polynomial(graph, 0.5) for graph in GRAPHS if graph[1] <= degree] for degree in (4, 5)
}

VARIABLES: dict[str, Variable] = {
    one.name: one
    for one in [
        *STANDARD_VARIABLES,
        *SUBJETS_OF_P1,
        *XAUG_TAUS,
        *BETA3,
        *KT_TAUS,
        *RATIOS,
        *SOFT_DROP,
        *CORRELATORS,
        *SHAPES,
        *SUBJETS,
        *LUND,
        *TYPES,
        *CHARGES,
        *DISPLACED,
        *FLOW_POLYNOMIALS[5],
        *TOY,
    ]
}
