"""Noise columns, the canaries: standard normal numbers that depend on the event's number and on nothing else.

A counter-based generator: the same jet has the same noise in whatever file, chunk or order it is read.
"""

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def splitmix64(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijection of 64-bit numbers whose output looks random: one step of SplitMix64.

    Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
        z = x + GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def normals(
    event: NDArray[np.integer], column: int, constituent: NDArray[np.integer] | None = None
) -> NDArray[np.float64]:
    """Standard normal numbers, one for each event (Box-Muller of two hashes).

    Parameters
    ----------
    event : array (n,)
        Event numbers.
    column : int
        The number of the noise column.
    constituent : array (n,), optional
        The place of a constituent in its jet, for noise on constituents.
    """
    key = splitmix64(event.astype(np.uint64) ^ splitmix64(np.full(1, column + 1, np.uint64)))
    if constituent is not None:
        key = splitmix64(key ^ splitmix64(constituent.astype(np.uint64) + np.uint64(1 << 32)))
    first, second = splitmix64(key), splitmix64(~key)
    radius = np.sqrt(-2 * np.log(((first >> np.uint64(11)).astype(np.float64) + 1) * 2.0**-53))
    return radius * np.cos(2 * np.pi * 2.0**-53 * (second >> np.uint64(11)).astype(np.float64))
