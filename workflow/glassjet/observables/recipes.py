"""Recipes: what each expert variable is made of, as data. `glassjet.observables.compute` follows them.

Variables that share a clustering, axes or a grooming have that in their recipes, and it is made once for all of them.
Nothing is imported here that is not light.
"""

from dataclasses import dataclass
from typing import Literal

Axes = Literal["kt", "wta", "onepass_kt", "onepass_wta"]


@dataclass(frozen=True)
class Grooming:
    """Soft drop (arXiv:1402.2657) with z > z_cut (Delta R / R0)^beta; R0 is the jet's radius."""

    z_cut: float = 0.1
    beta: float = 0.0


STANDARD = Grooming()


@dataclass(frozen=True)
class Kinematics:
    """A quantity of the whole jet: pt, eta, phi, mass, rapidity, multiplicity."""

    quantity: str


@dataclass(frozen=True)
class SoftDrop:
    """A quantity of the groomed jet or of its subjets."""

    quantity: str
    grooming: Grooming = STANDARD


@dataclass(frozen=True)
class Tau:
    """tau_N^(beta), over the jet's pT or in GeV."""

    order: int
    beta: float
    axes: Axes
    grooming: Grooming | None = None
    in_gev: bool = False


@dataclass(frozen=True)
class Ratio:
    """One variable over another, 0 where that is 0."""

    above: Tau
    below: Tau


@dataclass(frozen=True)
class LogProduct:
    """ln of a product of powers of variables, 0 where one of them is 0."""

    factors: tuple[tuple[Tau, float], ...]


@dataclass(frozen=True)
class Correlator:
    """An energy correlation function, or a ratio of them: ecf2, ecf3, c2, d2, m2, n2."""

    quantity: str
    beta: float
    grooming: Grooming | None = None


@dataclass(frozen=True)
class Shape:
    """How the jet's pT is spread: width, lha, thrust, ptd, and the pull."""

    quantity: str


@dataclass(frozen=True)
class Subjets:
    """kT splitting scales, masses of exclusive kT subjets, W candidates."""

    quantity: str


@dataclass(frozen=True)
class Lund:
    """What the primary Lund plane holds."""

    quantity: str


@dataclass(frozen=True)
class Count:
    """How many constituents are of a type."""

    kind: str


@dataclass(frozen=True)
class Charge:
    """Jet charge with the exponent kappa."""

    kappa: float


@dataclass(frozen=True)
class Displacement:
    """The largest impact parameter: d0 or z0."""

    column: str


@dataclass(frozen=True)
class FlowPolynomial:
    """The energy-flow polynomial of a multigraph, by its number of vertices, its degree and its place among those."""

    graph: tuple[int, int, int]
    beta: float


@dataclass(frozen=True)
class Truth:
    """A column of the jets that the toy model writes."""

    column: str


Recipe = (
    Kinematics
    | SoftDrop
    | Tau
    | Ratio
    | LogProduct
    | Correlator
    | Shape
    | Subjets
    | Lund
    | Count
    | Charge
    | Displacement
    | FlowPolynomial
    | Truth
)

NEEDS = {Count: "types", Charge: "charges", Displacement: "tracks", Truth: "toy"}
