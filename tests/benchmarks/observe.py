"""How many jets a second one core observes, and fastjet-contrib for the same N-subjettiness beside it.

python tests/benchmarks/observe.py [JETS.h5] [--jets 4000]

Without a file the jets are synthetic: three prongs of 67 constituents on average, as QCD and top jets of 600 GeV have.
Times are CPU seconds after compilation, the best of three.
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
from glassjet.observables.compute import observe
from glassjet.observables.kinematics import four_momenta

REPEATS = 3


def synthetic(n: int) -> Jets:
    """Jets of massless constituents."""
    generator = np.random.default_rng(1)
    counts = generator.integers(20, 115, n)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    size = int(offsets[-1])
    prong = generator.normal(0, 0.3, (3, n, 2))[generator.integers(3, size=size), np.repeat(np.arange(n), counts)]
    pt = generator.exponential(3.0, size) ** 2 + 0.2
    eta, phi = (prong + generator.normal(0, 0.1, (size, 2))).T
    columns = {"label": np.arange(n) % 2, "event": np.arange(n), "weight": np.ones(n)}
    return Jets(
        columns, Ragged(offsets, {"pt": pt, "eta": eta, "phi": phi, "energy": pt * np.cosh(eta)}), no_partons(n)
    )


def rate(function: Callable[[], object], n: int) -> float:
    """Jets per CPU second, the best of a few runs after one that compiles."""
    function()
    best = np.inf
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return n / best


def njettiness(jets: Jets, axes: str, orders: list[int]) -> None:
    """fastjet-contrib's N-subjettiness for the three betas."""
    momenta = dict(zip(("px", "py", "pz", "E"), four_momenta(jets.constituents).T, strict=True))
    lists = ak.unflatten(ak.zip(momenta, with_name="Momentum4D"), jets.constituents.counts)
    sequences = fastjet.ClusterSequence(lists, fastjet.JetDefinition(fastjet.kt_algorithm, 100.0))
    for beta in (0.5, 1.0, 2.0):
        sequences.njettiness("UnnormalizedMeasure", axes, orders, beta=beta)


def main() -> None:
    """Print a table of rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--jets", type=int, default=4000)
    args = parser.parse_args()
    jets = store.read(args.file, 0, min(args.jets, store.count(args.file))) if args.file else synthetic(args.jets)
    n, size = len(jets), jets.constituents.counts.mean()
    print(f"{n} jets of {size:.0f} constituents on average; jets per CPU second of one core ({os.cpu_count()} here)")
    for sets in ((), ("xaug29",), ("mbns",), ("xaug29", "mbns")):
        name = " + ".join(sets) or "standard quantities alone"
        print(f"  {name:<42} {rate(partial(observe, jets, sets), n):>8,.0f}")
    for axes, orders in (("OnePass_WTA_KT_Axes", [1, 2, 3]), ("KT_Axes", [1, 2, 3, 4, 5, 6, 7])):
        name = f"fastjet-contrib, {axes}, N <= {orders[-1]}"
        print(f"  {name:<42} {rate(partial(njettiness, jets, axes, orders), n):>8,.0f}")


if __name__ == "__main__":
    main()
