"""A sample as taggers read it: a file of jets and the table of observables made from it, row by row the same jets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.files import open_hdf5, read_parquet
from glassjet.jets import store
from glassjet.taggers.features import FeatureSet
from glassjet.taggers.inputs import Inputs, Scaling, build, scale

KEYS = ("label", "event", "weight")


@dataclass(frozen=True)
class Sample:
    """Jets with their observables; the constituents stay on disk until they are asked for.

    Attributes
    ----------
    jets_path, observables_path : Path
    metadata : dict
        Of the jets: sample, split, level, …
    columns : dict of arrays (n,)
        pt, eta, phi, mass (GeV), label, event, weight (pb), … of every jet.
    observables : DataFrame
        label, event, weight and the columns that were asked for; about 4 to 8 bytes a jet and column.
    """

    jets_path: Path
    observables_path: Path
    metadata: dict[str, Any]
    columns: dict[str, NDArray[Any]]
    observables: pd.DataFrame

    def __len__(self) -> int:
        return len(self.observables)

    @property
    def label(self) -> NDArray[np.int64]:
        """1 for signal, 0 for background."""
        return self.columns["label"].astype(np.int64)

    def inputs(self, features: FeatureSet, start: int, stop: int, scaling: Scaling | None = None) -> Inputs:
        """The inputs of jets start:stop, scaled if a scaling is given; constituents are read only where needed."""
        low_level = features.constituents or features.image
        jets = store.read(self.jets_path, start, stop) if low_level else None
        try:
            inputs = build(features, jets, self.observables.iloc[start:stop])
        except InputError as error:
            raise InputError(f"{self.observables_path}: {error}") from None
        return scale(inputs, scaling) if scaling else inputs

    def blocks(
        self, features: FeatureSet, scaling: Scaling | None = None, size: int = store.CHUNK
    ) -> Iterator[tuple[slice, Inputs]]:
        """All jets in blocks of `size`: which rows, and their inputs."""
        for start in range(0, len(self), size):
            stop = min(start + size, len(self))
            yield slice(start, stop), self.inputs(features, start, stop, scaling)


def open_sample(jets: Path, observables: Path, columns: tuple[str, ...] = (), splits: tuple[str, ...] = ()) -> Sample:
    """Open a sample, and check that the two files belong together.

    Parameters
    ----------
    jets : Path
        From `glassjet generate` or `glassjet import`.
    observables : Path
        From `glassjet observe` on that file.
    columns : tuple of str
        Observables to keep in memory, such as `FeatureSet.observables`.
    splits : tuple of str
        The splits that are allowed here; any if empty.

    Raises
    ------
    InputError
        If a file or a column is missing, the rows differ, there is one class only, the split is not allowed, or a
        weight is negative.
    """
    metadata = store.metadata(jets)
    if splits and metadata.get("split") not in splits:
        raise InputError(f"{jets}: is the split {metadata.get('split')!r}, but {' or '.join(splits)} is needed here")
    store.require_both_classes(jets)
    with open_hdf5(jets, "jets") as file:
        known = {name: data[:] for name, data in file["jets"].items()}
    for value, role in ((0, "background"), (1, "signal")):
        weight = known["weight"][known["label"] == value]
        if (weight < 0).any() or weight.sum() == 0:
            raise InputError(f"{jets}: jets/weight is negative, or zero for all {role}; weigh every jet with 0 or more")
    table = read_parquet(observables, list(dict.fromkeys([*KEYS, *columns])))
    if len(table) != len(known["label"]):
        raise InputError(
            f"{observables}: has {len(table)} rows and {jets} has {len(known['label'])} jets; "
            "make it again from these jets with glassjet observe"
        )
    for key in ("event", "label"):
        differ = np.flatnonzero(table[key].to_numpy() != known[key])
        if differ.size:
            row = int(differ[0])
            raise InputError(
                f"{observables}: row {row} has {key} {table[key].iloc[row]}, but the jet in {jets} has "
                f"{known[key][row]}; make it again from these jets with glassjet observe"
            )
    return Sample(jets, observables, metadata, known, table)
