"""The primary Lund planes of a sample by class, as a table."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.figures.histograms import FULL, quantile
from glassjet.figures.names import resonances
from glassjet.figures.samples import Sample
from glassjet.observables.clustering import cluster
from glassjet.observables.kinematics import four_momenta, with_momentum
from glassjet.observables.lund import Emissions, density, primary_emissions
from glassjet.training.metrics import effective_number

Floats = NDArray[np.float64]
COLLINEAR = 5.0  # the largest ln(1/Delta) that is drawn: what lies beyond is closer than a detector tells apart
SOFT = -2.0  # the smallest ln(kT/GeV): hadronisation
CELLS = (0.1, 0.2, 0.25, 1 / 3, 0.5)  # the sides that cells may have, in both
FAINT = 0.2  # emissions per jet and unit of area, as of a gluon's radiation, for which cells have FULL jets
CHUNK = 2000  # jets that are clustered at a time


def cell_size(sample: Sample) -> float:
    """The side of the cells that so many jets fill."""
    jets = min(effective_number(sample.weight[sample.of(one)]) for one in (0, 1))
    return next((side for side in CELLS if FAINT * side**2 * jets >= FULL), CELLS[-1])


def emissions(sample: Sample, chunk: int = CHUNK) -> Emissions:
    """The primary emissions of all jets of a sample, which are clustered a few at a time."""

    def parts() -> Iterator[Emissions]:
        for jets in sample.chunks(chunk):
            constituents = with_momentum(jets.constituents)
            yield primary_emissions(cluster(four_momenta(constituents), constituents.offsets, "ca"))

    found = list(parts())
    counts = np.concatenate([np.diff(part.offsets) for part in found])
    columns = [np.concatenate([getattr(part, name) for part in found]) for name in ("delta", "kt", "z", "psi")]
    return Emissions(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), *columns)


def planes(sample: Sample) -> pd.DataFrame:
    """The averaged primary Lund plane of each class, in cells that so many jets fill.

    Returns
    -------
    DataFrame
        sample, label, x_low, x_high (ln 1/Delta), y_low, y_high (ln kT/GeV), density (emissions per jet and unit of
        area, weighted), error (statistical), effective: the effective number of jets in the cell, (density / error)^2.
    """
    side = cell_size(sample)
    hardest = np.ceil(np.log(sample.column("pt").max() / 2))  # of an emission at Delta = 1
    x_edges, y_edges = (
        np.linspace(low, high, round((high - low) / side) + 1) for low, high in ((0.0, COLLINEAR), (SOFT, hardest))
    )
    found = emissions(sample)
    corners = [edges.ravel() for edges in np.meshgrid(x_edges[:-1], y_edges[:-1], indexing="ij")]
    corners += [edges.ravel() for edges in np.meshgrid(x_edges[1:], y_edges[1:], indexing="ij")]
    tables = []
    for one in (0, 1):
        value, error = (each.ravel() for each in density(found, sample.weight * sample.of(one), x_edges, y_edges))
        columns = dict(zip(("x_low", "y_low", "x_high", "y_high"), corners, strict=True))
        effective = np.square(np.divide(value, error, out=np.zeros_like(value), where=error > 0))
        columns |= {"density": value, "error": error, "effective": effective}
        tables.append(pd.DataFrame({"sample": sample.name, "label": one} | columns))
    order = ["sample", "label", "x_low", "x_high", "y_low", "y_high", "density", "error", "effective"]
    return pd.concat(tables, ignore_index=True)[order]


def ratio(table: pd.DataFrame) -> pd.DataFrame:
    """Signal over background of the `planes` of one sample, where both have an effective number of FULL jets in a cell.

    Returns
    -------
    DataFrame
        x_low, x_high, y_low, y_high, ratio, error; NaN where there is no ratio.
    """
    background, signal = (table[table["label"] == one].reset_index(drop=True) for one in (0, 1))
    both = (background["effective"] >= FULL) & (signal["effective"] >= FULL)
    value = (signal["density"] / background["density"]).where(both)
    relative = np.hypot(signal["error"] / signal["density"], background["error"] / background["density"])
    return background[["x_low", "x_high", "y_low", "y_high"]].assign(ratio=value, error=value * relative)


def guides(sample: Sample) -> dict[str, Any]:
    """What is drawn over the planes: radius, pt (median of the signal, largest of all; GeV), masses (GeV)."""
    pt, signal = sample.column("pt"), sample.of(1)
    return {
        "radius": sample.metadata.get("radius"),
        "pt": (quantile(pt[signal], sample.weight[signal], 0.5), float(pt.max())),
        "masses": resonances(sample.metadata),
    }


def on_mass(mass: float, pt: float, delta: Floats) -> Floats:
    """kT (GeV) of an emission at a distance with which two branches of pT in sum have a mass; NaN where none can.

    m^2 = z (1 - z) pT^2 Delta^2 for small angles, and kT = z pT Delta.

    Parameters
    ----------
    mass, pt : float
        In GeV.
    delta : (n,)
    """
    product = np.square(mass / (pt * delta))
    z = (1 - np.sqrt(np.where(product <= 0.25, 1 - 4 * product, np.nan))) / 2
    return z * pt * delta
