"""Random jets for tests: massless constituents around an axis, in one to three prongs, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.store import Jets, Ragged, no_partons


def jets_from(lists: Sequence[NDArray[np.float64]]) -> Jets:
    """Jets from a list of arrays (m, 3) of pT (GeV), eta, phi of massless constituents."""
    flat = np.concatenate(lists)
    pt, eta, phi = flat.T
    offsets = np.concatenate([[0], np.cumsum([len(jet) for jet in lists])]).astype(np.int64)
    n = len(lists)
    columns: dict[str, NDArray[Any]] = {name: np.zeros(n) for name in ("pt", "eta", "phi", "mass")} | {
        "label": (np.arange(n) % 2).astype(np.int8),
        "event": np.arange(n, dtype=np.int64) + 1000,
        "weight": np.linspace(1.0, 2.0, n),
    }
    energy = pt * np.cosh(eta)
    return Jets(columns, Ragged(offsets, {"pt": pt, "eta": eta, "phi": phi, "energy": energy}), no_partons(n))


def random_lists(sizes: Sequence[int], seed: int = 1) -> list[NDArray[np.float64]]:
    """For each size a jet of that many constituents; some lie across phi = pi."""
    generator = np.random.default_rng(seed)
    lists = []
    for number, size in enumerate(sizes):
        prongs = generator.normal(0.0, 0.25, (3, 2))
        axis = np.array([generator.uniform(-2, 2), (np.pi, 0.0, -2.0)[number % 3]])
        pt = np.sort(generator.exponential(1.0, size) ** 2 * 10 + 0.2)[::-1]
        points = axis + prongs[generator.integers(1 + number % 3, size=size)] + generator.normal(0, 0.08, (size, 2))
        points[:, 1] = np.arctan2(np.sin(points[:, 1]), np.cos(points[:, 1]))
        lists.append(np.column_stack([pt, points]))
    return lists


def rotated(lists: Sequence[NDArray[np.float64]], angle: float) -> list[NDArray[np.float64]]:
    """The same jets, turned around the beam."""
    turned = [jet.copy() for jet in lists]
    for jet in turned:
        jet[:, 2] = np.arctan2(np.sin(jet[:, 2] + angle), np.cos(jet[:, 2] + angle))
    return turned
