"""The variables of the sets: those that have a name of their own, and of the families what is used most.

Every variable is finite for every jet with pT > 0: its field `undefined` says which value stands where the formula has
none. Nothing heavy is imported here.
"""

from glassjet.observables import expert, families, substructure
from glassjet.observables.families import Variable
from glassjet.observables.graphs import GRAPHS
from glassjet.observables.recipes import STANDARD, Grooming

BETAS = (0.5, 1.0, 2.0)
SOFT_DROPS = (STANDARD, Grooming(0.1, 1.0), Grooming(0.1, 2.0), Grooming(0.2, 0.0))

STANDARD_VARIABLES, SOFT_DROP_SUBJETS, COMPOSITES = expert.standard(), expert.soft_drop_subjets(), expert.composites()
TYPES, DISPLACED, TOY = expert.types(), expert.displaced(), expert.toy()
SHAPES, SUBJETS, LUND = substructure.shapes(), substructure.subjets(), substructure.lund()
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
        *SOFT_DROP_SUBJETS,
        *XAUG_TAUS,
        *COMPOSITES,
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
