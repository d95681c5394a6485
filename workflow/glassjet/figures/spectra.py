"""Samples and their spectra by class, as tables: what the figures of the generation draw.

A sample is any set of jets with its observables: generated, toy or published; what it does not know is left out.
Classes are normalised to one each: the background's cross section is orders of magnitude above the signal's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.figures.names import class_names
from glassjet.figures.results import Results
from glassjet.figures.samples import bin_edges
from glassjet.files import read_parquet
from glassjet.jets import store
from glassjet.training.metrics import effective_number

Floats = NDArray[np.float64]
QUANTITIES = ("pt", "mass", "mass_softdrop", "multiplicity")
BINS = (14, 60)  # fewest and most
RHO = (1e-5, 1.0)  # the range of rho that is drawn
TAIL = 0.002  # share of the jets, at either end, that a range leaves out


ROLES = ("background", "signal")  # by label


@dataclass(frozen=True)
class Sample:
    """One split of a sample, with its observables.

    Attributes
    ----------
    name : str
        In legends, tables and names of files: the sample's, with the split where several splits are shown.
    path : Path
        The file of its jets.
    metadata : dict
        Of that file.
    jets : Jets
    observed : DataFrame
        The observables of the same jets.
    """

    name: str
    path: Path
    metadata: dict[str, Any]
    jets: store.Jets
    observed: pd.DataFrame

    @property
    def label(self) -> NDArray[np.int8]:
        """0 background, 1 signal."""
        return self.jets.columns["label"]

    @property
    def weight(self) -> Floats:
        """Weights in pb; 1 in a published or a toy sample."""
        return self.jets.columns["weight"]

    @property
    def classes(self) -> tuple[str, str]:
        """Names of background and signal."""
        return class_names(self.metadata)

    def of(self, label: int) -> NDArray[np.bool_]:
        """Which jets belong to a class."""
        return self.label == label

    def pthat_range(self, label: int) -> tuple[float, float] | None:
        """The range of pTHat (GeV) that a class was generated in; None where the file does not say."""
        range_ = self.metadata.get(f"{ROLES[label]}_pthat")
        return tuple(range_) if range_ and "pthat" in self.jets.columns else None


def read_samples(results: Path, samples: Iterable[str], limit: int) -> list[Sample]:
    """Samples, each written sample/split, with at most `limit` jets of each.

    Raises
    ------
    InputError
        If one is not written so, has only one class, or its observables are those of other jets.
    """
    pairs = [text.partition("/") for text in samples]
    if wrong := [sample + slash + split for sample, slash, split in pairs if not sample or split not in store.SPLITS]:
        raise InputError(f"sample {wrong[0]!r}: write it as sample/split, such as top/explain")
    shown = [sample for sample, _, _ in pairs]
    found = []
    for sample, _, split in pairs:
        lies = Results(results, task="", sample=sample)
        store.require_both_classes(lies.jets(split))
        jets = store.read(lies.jets(split), 0, min(limit, store.count(lies.jets(split))))
        observed = read_parquet(lies.observables(split)).head(limit)
        if not np.array_equal(observed["event"].to_numpy(), jets.columns["event"]):
            raise InputError(f"{lies.observables(split)}: of other jets; make it again with `glassjet observe`")
        name = sample if shown.count(sample) == 1 else f"{sample}_{split}"
        found.append(Sample(name, lies.jets(split), store.metadata(lies.jets(split)), jets, observed))
    return found


def quantile(values: Floats, weight: Floats, share: float) -> float:
    """The value below which that share of the weight lies."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    return float(values[order][min(np.searchsorted(total, share * total[-1]), len(values) - 1)])


def bins_for(weight: Floats) -> int:
    """How many bins so many jets fill: 2.5 times the cube root of their effective number, within BINS."""
    return int(np.clip(2.5 * effective_number(weight) ** (1 / 3), *BINS))


def edges_for(values: Floats, label: NDArray[np.int8], weight: Floats) -> Floats:
    """Edges of a histogram of both classes, so fine that the narrower one shows its shape, within BINS.

    The width is 2 IQR / n^(1/3) with the effective number n (Freedman and Diaconis, Z. Wahrscheinlichkeitstheorie 57
    (1981) 453), of the class for which it is smaller.
    """
    totals = np.array([max(weight[label == one].sum(), np.finfo(float).tiny) for one in (0, 1)])
    all_edges = bin_edges(values, weight / totals[label])  # a range for both needs them at equal weight
    low, high = all_edges[0], all_edges[-1]
    widths = []
    for one in (0, 1):
        own, share = values[label == one], weight[label == one]
        inner = quantile(own, share, 0.75) - quantile(own, share, 0.25)
        widths.append(2 * inner / effective_number(share) ** (1 / 3))
    bins = int(np.clip((high - low) / max(min(widths), 1e-9), *BINS))
    if np.array_equal(values, np.rint(values)):
        step = max(1, int(np.ceil((high - low) / bins)))
        return np.arange(low, high + step, step)
    return np.linspace(low, high, bins + 1)


def histogram(
    values: Floats, weight: Floats, edges: Floats, owner: NDArray[np.int64] | None = None, logarithmic: bool = False
) -> pd.DataFrame:
    """A histogram that is normalised to one, by all entries, also by those outside of its range.

    Parameters
    ----------
    values, weight : (n,)
    edges : (m + 1,)
    owner : (n,) or None
        The number of each entry's jet, where a jet has several: entries of a jet are correlated, and the error is that
        of a sum over jets.
    logarithmic : bool
        Whether the density is one per unit of ln x.

    Returns
    -------
    DataFrame
        low, high, share (of the entries' weight), density, error: the statistical one of the density, sqrt(sum w^2).
    """
    bins, total = len(edges) - 1, max(weight.sum(), np.finfo(float).tiny)
    place = np.searchsorted(edges, values, side="right") - 1
    inside = (place >= 0) & (place < bins)
    jet = np.arange(len(values)) if owner is None else np.unique(owner, return_inverse=True)[1]
    cell, number = np.unique(jet[inside] * bins + place[inside], return_inverse=True)
    of_jet = np.bincount(number, weight[inside], minlength=len(cell))  # of each jet in each bin
    content, variance = (np.bincount(cell % bins, power, minlength=bins) for power in (of_jet, of_jet**2))
    width = np.diff(np.log(edges) if logarithmic else edges)
    columns = {"low": edges[:-1], "high": edges[1:], "share": content / total, "density": content / total / width}
    return pd.DataFrame(columns | {"error": np.sqrt(variance) / total / width})


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
        column = sample.observed[name].to_numpy(np.float64)
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
    scale = sample.observed["pt"].to_numpy(np.float64)[background] * sample.metadata["radius"]
    tables = []
    for name in ("mass", "mass_softdrop"):
        rho = (sample.observed[name].to_numpy(np.float64)[background] / scale) ** 2
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
    plain = replace(sample, jets=replace(sample.jets, columns=sample.jets.columns | {"weight": np.ones(len(pt))}))
    parts = [by_class(sample, "pthat", pthat, edges, logarithmic=True), by_class(sample, "pt", pt, pt_edges)]
    return pd.concat([*parts, by_class(plain, "pt_generated", pt, pt_edges)], ignore_index=True)
