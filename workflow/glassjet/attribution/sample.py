"""The jets that are explained, or stand behind an explanation, with as little as the tagger's features need."""

from pathlib import Path

import pandas as pd

from glassjet.errors import InputError
from glassjet.files import open_hdf5
from glassjet.jets import store
from glassjet.taggers.features import FeatureSet
from glassjet.taggers.sample import KEYS, Sample, open_sample


def open_for(
    features: FeatureSet, jets: Path, observables: Path | None, flag: str, splits: tuple[str, ...] = ()
) -> Sample:
    """Open a sample for a feature set; constituents alone need no observables, and then one class is enough.

    Parameters
    ----------
    features : FeatureSet
    jets : Path
    observables : Path or None
    flag : str
        The option that would give the observables, for the message.
    splits : tuple of str
        The splits that are allowed here; any if empty.

    Raises
    ------
    InputError
        If the features need observables and there are none; and as `open_sample`.
    """
    if observables is not None:
        return open_sample(jets, observables, features.observables, splits)
    if features.observables:
        raise InputError(f"{flag}: features {features.name!r} need the table of {jets}, from glassjet observe")
    metadata = store.metadata(jets)
    if splits and metadata.get("split") not in splits:
        raise InputError(f"{jets}: is the split {metadata.get('split')!r}, but {' or '.join(splits)} is needed here")
    with open_hdf5(jets, "jets") as file:
        columns = {name: data[:] for name, data in file["jets"].items()}
    return Sample(jets, jets, metadata, columns, pd.DataFrame({name: columns[name] for name in KEYS}))
