"""The expert variables of jet shapes, kT subjets and the Lund plane, which have a name of their own."""

from glassjet.observables.expert import PULL, TURN
from glassjet.observables.families import UNBOUNDED, Variable
from glassjet.observables.recipes import Lund, Shape, Subjets

KT = "arXiv:hep-ph/9305266"
GIRTH = "arXiv:1106.3076"
ANGULARITIES = "arXiv:1408.3122"
LUND_PLANE = "arXiv:1807.04758"


def shapes() -> list[Variable]:
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


def subjets() -> list[Variable]:
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


def lund() -> list[Variable]:
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
