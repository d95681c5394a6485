"""FastJet on the constituents of each jet: the independent implementation that tests compare with."""

import awkward as ak
import fastjet
import numpy as np
from numpy.typing import NDArray

RADIUS = 100.0  # so that all constituents end in one jet


def clusters(
    momenta: NDArray[np.float64], offsets: NDArray[np.int64], algorithm: int
) -> "fastjet.AwkwardClusterSequence":
    """One cluster sequence for each jet's own list of constituents."""
    axes = dict(zip(("px", "py", "pz", "E"), momenta.T, strict=True))
    lists = ak.unflatten(ak.zip(axes, with_name="Momentum4D"), np.diff(offsets))
    return fastjet.ClusterSequence(lists, fastjet.JetDefinition(algorithm, RADIUS))


def njettiness(
    momenta: NDArray[np.float64], offsets: NDArray[np.int64], axes: str, orders: list[int], beta: float
) -> NDArray[np.float64]:
    """tau_N in GeV (n, orders) of fastjet-contrib with those axes, by name: it has a default that is not KT_Axes."""
    sequences = clusters(momenta, offsets, fastjet.kt_algorithm)
    return np.asarray(sequences.njettiness("UnnormalizedMeasure", axes, orders, beta=beta))


def soft_drop(momenta: NDArray[np.float64], offsets: NDArray[np.int64], z_cut: float, beta: float) -> ak.Array:
    """fastjet-contrib's SoftDrop with R0 = 0.8."""
    sequences = clusters(momenta, offsets, fastjet.cambridge_algorithm)
    return sequences.exclusive_jets_softdrop_grooming(1, beta=beta, symmetry_cut=z_cut, R0=0.8)
