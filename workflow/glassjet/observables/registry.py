"""The registry of expert variables: what each one is, in which units and range, from which source, and sets of them.

`glassjet.observables.variables` lists those of the sets, `glassjet.observables.grammar` names any other of their
families. Nothing heavy is imported here: what computes them is in `glassjet.observables.compute`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from glassjet.errors import InputError
from glassjet.observables import costs, grammar
from glassjet.observables.expert import P2
from glassjet.observables.families import NSUBJETTINESS, P1, Variable
from glassjet.observables.recipes import NEEDS, Recipe
from glassjet.observables.variables import (
    CHARGES,
    CORRELATORS,
    DISPLACED,
    FLOW_POLYNOMIALS,
    KT_TAUS,
    LUND,
    RATIOS,
    SHAPES,
    SOFT_DROP,
    STANDARD_VARIABLES,
    SUBJETS,
    TOY,
    TYPES,
    VARIABLES,
    XAUG_TAUS,
)

CONVENTIONS = """\
The jet is the sum of its constituents' four-momenta (E scheme); constituents with pT = 0 are left out.
Distances are Delta R = sqrt(Delta y^2 + Delta phi^2) with the rapidity y, and Delta phi in [-pi, pi].
tau_N^(beta) = sum_i pT_i min_k Delta R_ik^beta / pT, with the pT of the whole (ungroomed) jet and no power of a radius.
Axes are named as in fastjet-contrib: KT_Axes and WTA_KT_Axes are exclusive, with no beam distance.
Soft drop reclusters with Cambridge/Aachen; R0 is the jets' radius; if no splitting passes, the last prong is left.
Correlators are those of fastjet-contrib: sums over i < j < k, e_N = ECF(N) / (sum pT)^N; EnergyFlow's C2 and D2 are 1.5
and 0.75 times these. EFPs have z_i = pT_i / sum pT and sums over all i, j, k, as in their paper."""


def _names(variables: Iterable[Variable]) -> tuple[str, ...]:
    return tuple(one.name for one in variables)


# P2 takes N = 1..6 with three betas and, of N = 7, the betas 1 and 2: 20 numbers fix the phase space of eight bodies.
_MBNS = [name for name in (one.name for one in KT_TAUS[:21]) if name != "tau7_b05_kt"]
_XAUG29 = (
    *("pt", "eta", "phi", "mass", "mass_softdrop", "delta_r_subjets", "z_subjets"),
    *_names(XAUG_TAUS),
    *("beta3", "beta3_softdrop", "tau21", "pull_angle"),
)
SETS: dict[str, tuple[str, ...]] = {
    "standard": _names(STANDARD_VARIABLES),
    "xaug29": _XAUG29,
    "xaug36": (*_XAUG29, *_names(TYPES[:5]), *_names(DISPLACED)),
    "mbns": (*_MBNS, "pt", "mass"),
    "mass_tau32": ("mass_softdrop", "tau32"),
    "soft_drop": _names(SOFT_DROP),
    "nsubjettiness": (*_names(KT_TAUS), *_names(RATIOS)),
    "correlators": _names(CORRELATORS),
    "shapes": _names(SHAPES),
    "subjets": _names(SUBJETS),
    "lund": _names(LUND),
    "types": (*_names(TYPES), *_names(CHARGES)),
    "displaced": _names(DISPLACED),
    "efp4": _names(FLOW_POLYNOMIALS[4]),
    "efp5": _names(FLOW_POLYNOMIALS[5]),
    "toy": _names(TOY),
}
ALL = ("standard", "xaug29", "soft_drop", "nsubjettiness", "correlators", "shapes", "subjets", "lund", "efp5")


def _every() -> tuple[str, ...]:
    """The variables of ALL; of what has two names (delta_r_subjets is rg_softdrop) the first."""
    names: dict[Recipe, str] = {}
    for part in ALL:
        for name in SETS[part]:
            names.setdefault(VARIABLES[name].recipe, name)
    return tuple(names.values())


SETS["all"] = _every()

SET_SOURCES: dict[str, str] = {
    "standard": "in every table",
    "xaug29": f"the XAUG variables of {P1} without its seven of flavour",
    "xaug36": f"all XAUG variables of {P1}; needs types and tracks",
    "mbns": f"the 8-body N-subjettiness basis of {P2}",
    "mass_tau32": "the classical top tagger: soft-drop mass and tau32",
    "soft_drop": "groomed mass, pT, z_g and R_g for four (z_cut, beta)",
    "nsubjettiness": f"tau_1 to tau_8 for three beta, and ratios ({NSUBJETTINESS})",
    "correlators": "energy correlation functions and their ratios for three beta",
    "shapes": "angularities, pTD and pull",
    "subjets": "kT splitting scales, masses of two and three kT subjets, W candidates",
    "lund": "what the primary Lund plane holds",
    "types": "multiplicities and jet charge; needs the constituents' types",
    "displaced": "the largest impact parameters; needs tracks",
    "efp4": "connected energy-flow polynomials of degree 4 at most, beta = 0.5",
    "efp5": "the same of degree 5 at most",
    "toy": f"the truth of the toy model of {P1}: for its jets only",
    "all": f"all that any jet gives: {', '.join(ALL)}",
}


class _Labels(Mapping[str, str]):
    """Axis labels of all variables, also of those that only the grammar names."""

    def __getitem__(self, name: str) -> str:
        try:
            return variable(name).label
        except InputError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(VARIABLES)

    def __len__(self) -> int:
        return len(VARIABLES)


labels: Mapping[str, str] = _Labels()


def _unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that does not exist, with the nearest ones; all of them are too many for a line."""
    near = get_close_matches(name, list(known), n=3)
    hint = f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
    return InputError(f"there is no {kind} {name!r}{hint}; glassjet observe --list shows all")


def variable(name: str) -> Variable:
    """The variable of that name; InputError with the nearest names if there is none."""
    found = VARIABLES.get(name) or grammar.named(name)
    if found is None:
        raise _unknown("expert variable", name, VARIABLES)
    return found


def members(word: str) -> tuple[str, ...]:
    """The variables of a set, in its order, or the one that the word names; InputError with the nearest names."""
    if word in SETS:
        return SETS[word]
    if word in VARIABLES or grammar.named(word) is not None:
        return (word,)
    raise _unknown("expert variable or set", word, [*SETS, *VARIABLES])


def is_known(word: str) -> bool:
    """Whether there is a variable or a set of that name."""
    try:
        return bool(members(word))
    except InputError:
        return False


def columns(words: Iterable[str]) -> tuple[str, ...]:
    """The variables of a table: the standard ones, then those of the words (sets or names), each once, in order."""
    names = dict.fromkeys(members("standard"))
    for word in words:
        names.update(dict.fromkeys(members(word)))
    return tuple(names)


def groups(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Variables that are shown together: those of each set, of `all` those of its parts; single ones are `others`."""
    found: dict[str, tuple[str, ...]] = {}
    single: tuple[str, ...] = ()
    for word in words:
        if word == "all":
            found |= {part: SETS[part] for part in ALL}
        elif word in SETS:
            found[word] = SETS[word]
        else:
            single += members(word)
    return found | ({"others": single} if single else {})


def need(name: str) -> str:
    """What jets must have for a variable: "types", "charges", "tracks", "toy"; empty if their momenta are enough."""
    return NEEDS.get(type(variable(name).recipe), "")


def _bounds(limits: tuple[float, float]) -> str:
    """A range as text."""
    symbols = {-math.inf: "-inf", math.inf: "inf", -math.pi: "-pi", math.pi: "pi"}
    low, high = (symbols.get(limit, f"{limit:g}") for limit in limits)
    return f"{'(' if low == '-inf' else '['}{low}, {high}{')' if high == 'inf' else ']'}"


def table(words: Iterable[str]) -> str:
    """The registry as text for a terminal, a paragraph for each set or name; a variable is described once."""
    told: set[str] = set()
    paragraphs = [CONVENTIONS, costs.TEXT, grammar.NAMES]
    for word in words:
        entries = [variable(member) for member in members(word)]
        title = f"{word}: {len(entries)} variables, {SET_SOURCES[word]}" if word in SETS else f"{word}:"
        lines = [title]
        for entry in entries:
            if entry.name not in told:
                unless = f"; {entry.undefined}" if entry.undefined else ""
                about = f"{entry.units:<5} {_bounds(entry.range):<11} {costs.cost(entry.recipe):<14}"
                lines.append(f"  {entry.name:<22} {about} {entry.formula}{unless}  [{entry.source}]")
        if again := [entry.name for entry in entries if entry.name in told]:
            lines.append(f"  and from above: {', '.join(again)}")
        told.update(members(word))
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)
