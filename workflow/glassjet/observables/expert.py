"""The variables of arXiv:2011.13466 that have a name of their own, and the standard quantities of every table."""

import math

from glassjet.observables import families
from glassjet.observables.families import P1, UNBOUNDED, Variable
from glassjet.observables.recipes import STANDARD, Count, Displacement, Kinematics, LogProduct, SoftDrop, Tau, Truth

P2 = "arXiv:2210.04371"
PULL = "arXiv:1001.5027"
EVERY = (-math.inf, math.inf)
TURN = (-math.pi, math.pi)


def standard() -> list[Variable]:
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


def soft_drop_subjets() -> list[Variable]:
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


def composites() -> list[Variable]:
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


def types() -> list[Variable]:
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


def displaced() -> list[Variable]:
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


def toy() -> list[Variable]:
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
