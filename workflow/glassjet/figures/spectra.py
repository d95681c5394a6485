"""Spectra of samples by class, as tables: what the figures of the generation draw.

Classes are normalised to one each: the background's cross section is orders of magnitude above the signal's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.figures.histograms import TAIL, bins_for, edges_for, histogram
from glassjet.figures.samples import Sample

Floats = NDArray[np.float64]
QUANTITIES = ("pt", "mass", "mass_softdrop", "multiplicity")
RHO = (1e-5, 1.0)  # the range of rho that is drawn


def by_class(
    sample: Sample, variable: str, values: Floats, edges: Floats, logarithmic: bool = False, owner: Any = None
) -> pd.DataFrame:
    """The `histogram` of both classes: sample, variable, label and its columns.

    Parameters
    ----------
    values : (n,)
        One for each jet, or for each entry with the jet numbers `owner` (n,).
    """
    jet = np.arange(len(values)) if owner is None else owner
    tables = []
    for one in (0, 1):
        chosen = sample.label[jet] == one
        table = histogram(values[chosen], sample.weight[jet][chosen], edges, jet[chosen], logarithmic)
        tables.append(table.assign(sample=sample.name, variable=variable, label=one))
    columns = ["sample", "variable", "label", "low", "high", "share", "density", "error"]
    return pd.concat(tables, ignore_index=True)[columns]


def spectra(sample: Sample, quantities: Sequence[str] = QUANTITIES) -> pd.DataFrame:
    """Spectra of observables by class; that of pT falls steeply, and its bins are of equal width in ln pT."""
    tables = []
    for name in quantities:
        column = sample.column(name)
        if name == "pt":
            edges = np.exp(edges_for(np.log(column), sample.label, sample.weight))
        else:
            edges = edges_for(column, sample.label, sample.weight)
        tables.append(by_class(sample, name, column, edges))
    return pd.concat(tables, ignore_index=True)


def background_rho(sample: Sample) -> pd.DataFrame:
    """d sigma / d ln rho of the background, rho = m^2 / (pT R)^2, of the jet and of what soft drop leaves of it.

    Jets without mass, of one particle, count in the normalisation and lie left of the range.
    """
    background = sample.of(0)
    weight = sample.weight[background]
    edges = np.geomspace(*RHO, bins_for(weight) + 1)
    scale = sample.column("pt")[background] * sample.metadata["radius"]
    tables = []
    for name in ("mass", "mass_softdrop"):
        rho = (sample.column(name)[background] / scale) ** 2
        tables.append(histogram(rho, weight, edges, logarithmic=True).assign(sample=sample.name, variable=name))
    return pd.concat(tables, ignore_index=True)[["sample", "variable", "low", "high", "share", "density", "error"]]


def hard_process(sample: Sample) -> pd.DataFrame:
    """Spectra of pTHat (in ln pTHat, from the lower edge on), of the jets' pT, and of that without weights.

    The latter is the variable pt_generated.
    """
    bins = min(bins_for(sample.weight[sample.of(one)]) for one in (0, 1))
    pthat, pt = (sample.jets.columns[name].astype(np.float64) for name in ("pthat", "pt"))
    lowest = min(range_[0] for one in (0, 1) if (range_ := sample.pthat_range(one)))
    edges = np.geomspace(lowest, np.quantile(pthat, 1 - TAIL), bins + 1)
    pt_edges = np.geomspace(np.quantile(pt, TAIL), np.quantile(pt, 1 - TAIL), bins + 1)
    plain = replace(sample, observed=sample.observed.assign(weight=1.0))
    parts = [by_class(sample, "pthat", pthat, edges, logarithmic=True), by_class(sample, "pt", pt, pt_edges)]
    return pd.concat([*parts, by_class(plain, "pt_generated", pt, pt_edges)], ignore_index=True)
