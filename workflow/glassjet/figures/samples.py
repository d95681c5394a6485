"""The samples that are shown: one split each of any set of jets with its observables: generated, toy or published."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.figures.names import class_names
from glassjet.figures.results import Results
from glassjet.files import open_hdf5, read_parquet
from glassjet.jets import store

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
    observed : DataFrame
        The observables of the first jets of the file, with label, event and weight.
    """

    name: str
    path: Path
    metadata: dict[str, Any]
    observed: pd.DataFrame

    @cached_property
    def jets(self) -> store.Jets:
        """The same jets with their constituents: read when they are asked for, and kept."""
        return store.read(self.path, 0, len(self.observed))

    def chunks(self, size: int = store.CHUNK) -> Iterator[store.Jets]:
        """The same jets a few at a time, so that memory is that of a few."""
        for start in range(0, len(self.observed), size):
            yield store.read(self.path, start, min(start + size, len(self.observed)))

    @property
    def label(self) -> NDArray[np.int8]:
        """0 background, 1 signal."""
        return self.observed["label"].to_numpy()

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weights in pb; 1 in a published or a toy sample."""
        return self.observed["weight"].to_numpy()

    @property
    def classes(self) -> tuple[str, str]:
        """Names of background and signal."""
        return class_names(self.metadata)

    def of(self, label: int) -> NDArray[np.bool_]:
        """Which jets belong to a class."""
        return self.label == label

    def column(self, name: str) -> NDArray[np.float64]:
        """An observable of all jets."""
        return self.observed[name].to_numpy(np.float64)

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
        path, table = lies.jets(split), lies.observables(split)
        store.require_both_classes(path)
        observed = read_parquet(table).head(limit)
        with open_hdf5(path, "jets") as file:
            events = file["jets/event"][:limit]
        if not np.array_equal(observed["event"].to_numpy(), events):
            raise InputError(f"{table}: of other jets; make it again with `glassjet observe`")
        name = sample if shown.count(sample) == 1 else f"{sample}_{split}"
        found.append(Sample(name, path, store.metadata(path), observed))
    return found
