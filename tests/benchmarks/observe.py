"""How many jets a second one core observes, and the fastjet package for the same quantities in the same run.

python tests/benchmarks/observe.py [JETS.h5] [--jets 4000] [--constituents 50]

Without a file the jets are synthetic: three prongs of so many constituents. Times are CPU seconds of one thread after
compilation, the best of five for glassjet and of two for fastjet (on fewer jets). Columns: jets per CPU second of
both, and the ratio. The first rows start from the jets' four-momenta, as fastjet does, and have the clustering in them;
the last are whole tables, as `glassjet observe` makes them.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import awkward as ak
import fastjet
import numpy as np

from glassjet.jets import store
from glassjet.jets.store import Jets, Ragged, no_partons
from glassjet.observables import correlators, lund, subjets
from glassjet.observables.compute import observe
from glassjet.observables.flow_polynomials import flow_polynomials
from glassjet.observables.graphs import GRAPHS
from glassjet.observables.nsubjettiness import tau
from glassjet.observables.recipes import STANDARD
from glassjet.observables.shared import Shared

BETAS = (0.5, 1.0, 2.0)
RADIUS = 100.0  # of fastjet's clustering: all constituents end in one jet


def synthetic(n: int, size: int) -> Jets:
    """Jets of `size` massless constituents in three prongs."""
    generator = np.random.default_rng(1)
    offsets = np.arange(n + 1, dtype=np.int64) * size
    prong = generator.normal(0, 0.3, (3, n, 2))[generator.integers(3, size=n * size), np.repeat(np.arange(n), size)]
    pt = generator.exponential(3.0, n * size) ** 2 + 0.2
    eta, phi = (prong + generator.normal(0, 0.1, (n * size, 2))).T
    columns = {"label": np.arange(n) % 2, "event": np.arange(n), "weight": np.ones(n)}
    return Jets(
        columns, Ragged(offsets, {"pt": pt, "eta": eta, "phi": phi, "energy": pt * np.cosh(eta)}), no_partons(n)
    )


def rate(function: Callable[[], object], n: int, repeats: int) -> float:
    """Jets per CPU second, the best of a few runs after one that compiles."""
    function()
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return n / best


def sequences(jets: Jets, algorithm: int) -> "fastjet.ClusterSequence":
    """Fastjet's clustering of each jet's own constituents."""
    shared = Shared(jets.constituents, 0.8)
    momenta = dict(zip(("px", "py", "pz", "E"), shared.momenta.T, strict=True))
    lists = ak.unflatten(ak.zip(momenta, with_name="Momentum4D"), jets.constituents.counts)
    return fastjet.ClusterSequence(lists, fastjet.JetDefinition(algorithm, RADIUS))


def fastjet_tau(jets: Jets, axes: str, orders: list[int]) -> None:
    """N-subjettiness for the three betas."""
    clustered = sequences(jets, fastjet.kt_algorithm)
    for beta in BETAS:
        clustered.njettiness("UnnormalizedMeasure", axes, orders, beta=beta)


def fastjet_soft_drop_and_lund(jets: Jets) -> None:
    """Soft drop and the primary Lund plane."""
    clustered = sequences(jets, fastjet.cambridge_algorithm)
    clustered.exclusive_jets_softdrop_grooming(1, beta=0, symmetry_cut=0.1, R0=0.8)
    clustered.exclusive_jets_lund_declusterings(1)


def fastjet_correlators(jets: Jets) -> None:
    """C2, D2, M2, N2 of beta = 1."""
    clustered = sequences(jets, fastjet.cambridge_algorithm)
    for name in ("C2", "D2", "M2", "N2"):
        clustered.exclusive_jets_energy_correlator(1, beta=1, func=name)


def fastjet_subjets(jets: Jets) -> None:
    """kT splitting scales and the masses of two and three subjets."""
    clustered = sequences(jets, fastjet.kt_algorithm)
    for n in (1, 2, 3):
        clustered.exclusive_dmerge(n)
    for n in (2, 3):
        clustered.exclusive_jets(n_jets=n)


def taus(jets: Jets, orders: tuple[int, ...], one_pass: bool) -> None:
    """N-subjettiness for the three betas."""
    shared = Shared(jets.constituents, 0.8)
    history = shared.history("kt", "winner_takes_all" if one_pass else "four_momentum")
    tau(history, orders, BETAS, one_pass)


def soft_drop_and_lund(jets: Jets) -> None:
    """Soft drop and the primary Lund plane."""
    shared = Shared(jets.constituents, 0.8)
    shared.groomed(STANDARD)
    lund.primary_emissions(shared.history("ca"))


def ratios(jets: Jets, betas: tuple[float, ...]) -> None:
    """C2, D2, M2, N2."""
    shared = Shared(jets.constituents, 0.8)
    found = correlators.correlations(shared.points, shared.offsets, betas)
    for ratio in (correlators.c2, correlators.d2, correlators.m2, correlators.n2):
        ratio(found)


def kt_subjets(jets: Jets) -> None:
    """kT splitting scales and the masses of two and three subjets."""
    history = Shared(jets.constituents, 0.8).history("kt")
    subjets.splitting_scales(history)
    for n in (2, 3):
        subjets.masses(subjets.exclusive_subjets(history, n))


def polynomials(jets: Jets, degree: int) -> None:
    """Energy-flow polynomials."""
    shared = Shared(jets.constituents, 0.8)
    graphs = tuple(graph for graph in GRAPHS if graph[1] <= degree)
    flow_polynomials(shared.points, shared.offsets, graphs, 0.5)


def main() -> None:
    """Print a table of rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--jets", type=int, default=4000)
    parser.add_argument("--constituents", type=int, default=50)
    args = parser.parse_args()
    if args.file:
        jets = store.read(args.file, 0, min(args.jets, store.count(args.file)))
    else:
        jets = synthetic(args.jets, args.constituents)
    n, few = len(jets), jets.take(np.arange(min(len(jets), 500)))
    print(f"{n} jets of {jets.constituents.counts.mean():.0f} constituents on average, one core of {os.cpu_count()}")
    print(f"{'jets per CPU second':<44} {'glassjet':>9} {'fastjet':>9} {'ratio':>6}")
    eight = tuple(range(1, 9))
    both = {
        "tau_1..8, three beta, KT_Axes": (
            partial(taus, jets, eight, False),
            partial(fastjet_tau, few, "KT_Axes", list(eight)),
        ),
        "tau_1..3, three beta, OnePass_WTA_KT_Axes": (
            partial(taus, jets, eight[:3], True),
            partial(fastjet_tau, few, "OnePass_WTA_KT_Axes", [1, 2, 3]),
        ),
        "soft drop and primary Lund plane": (
            partial(soft_drop_and_lund, jets),
            partial(fastjet_soft_drop_and_lund, few),
        ),
        "C2, D2, M2, N2 of one beta": (partial(ratios, jets, (1.0,)), partial(fastjet_correlators, few)),
        "kT scales and subjets": (partial(kt_subjets, jets), partial(fastjet_subjets, few)),
    }
    for name, (ours, theirs) in both.items():
        own, other = rate(ours, n, 5), rate(theirs, len(few), 2)
        print(f"{name:<44} {own:>9,.0f} {other:>9,.0f} {own / other:>6.1f}")
    alone: dict[str, Callable[[], object]] = {
        "C2, D2, M2, N2 of three beta": partial(ratios, jets, BETAS),
        "EFPs of degree 4": partial(polynomials, jets, 4),
        "EFPs of degree 5": partial(polynomials, jets, 5),
    }
    words: tuple[tuple[str, ...], ...] = ((), ("xaug29",), ("mbns",), ("xaug29", "mbns"), ("all",))
    alone |= {f"table: {' + '.join(each) or 'standard'}": partial(observe, jets, each) for each in words}
    for name, function in alone.items():
        print(f"{name:<44} {rate(function, n, 5):>9,.0f}")


if __name__ == "__main__":
    main()
