"""Classes that stand in a file as a column for each, of which one is 1."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError


def kinds(hot: NDArray[Any], names: Sequence[str], path: Path, first: int) -> NDArray[np.int64]:
    """The class of each row: the column that is 1; -1 where none is.

    Parameters
    ----------
    hot : array (n, classes)
        The columns of these names; the first row is row `first` of the file.

    Raises
    ------
    InputError
        For a number that is neither 0 nor 1, and for a row of two classes.
    """
    bad = (hot != 0) & (hot != 1)
    if bad.any():
        row, place = (int(index[0]) for index in np.nonzero(bad))
        raise InputError(f"{path}: row {first + row}: {names[place]} is {hot[row, place]:g}, neither 0 nor 1; mend it")
    many = hot.sum(axis=1) > 1
    if many.any():
        row = int(many.argmax())
        one, other = np.flatnonzero(hot[row])[:2]
        raise InputError(f"{path}: row {first + row}: both {names[one]} and {names[other]} are 1; mend it")
    return np.where(hot.any(axis=1), hot.argmax(axis=1), -1).astype(np.int64)
