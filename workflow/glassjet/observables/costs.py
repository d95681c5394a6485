"""What an expert variable costs: the parts it is made of, which variables share, and the time of each."""

from glassjet.observables.recipes import (
    Axes,
    Correlator,
    FlowPolynomial,
    Grooming,
    LogProduct,
    Lund,
    Ratio,
    Recipe,
    Shape,
    SoftDrop,
    Subjets,
    Tau,
)

TEXT = """\
The cost of a variable is its parts, each made once for all variables that need it. In microseconds of one core for a
jet of 50 constituents: sum 1 to 3 (none is larger), C/A, kT, WTA 20 (a clustering), 1-pass 20 (axes moved to a
minimum), ECF 40 (triples), EFP 70 and 140 (all graphs of degree 4 and 5). Groomed jets have fewer constituents."""

_CLUSTERINGS: dict[Axes, str] = {"kt": "kT", "wta": "WTA", "onepass_kt": "kT 1-pass", "onepass_wta": "WTA 1-pass"}


def _groomed(grooming: Grooming | None) -> str:
    return "C/A " if grooming else ""


def cost(recipe: Recipe) -> str:
    """The parts that a variable is made of, in the words of `TEXT`."""
    match recipe:
        case Tau():
            return _groomed(recipe.grooming) + _CLUSTERINGS[recipe.axes]
        case Ratio():
            return cost(recipe.above)
        case LogProduct():
            return cost(recipe.factors[0][0])
        case Correlator():
            return _groomed(recipe.grooming) + "ECF"
        case SoftDrop() | Lund():
            return "C/A"
        case Subjets():
            return "kT"
        case Shape(quantity="lha"):
            return "WTA"
        case FlowPolynomial():
            return "EFP"
        case _:
            return "sum"
