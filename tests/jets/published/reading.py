"""Reading whole files in pieces, and comparing what was read: what the tests of several readers share."""

from pathlib import Path

import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets.published.rows import Reader, Rows
from glassjet.jets.store import concatenate_ragged


def read(reader: Reader, path: Path, size: int = 1000) -> Rows:
    """All rows of a file, read `size` at a time: classes and constituents."""
    with reader.opened(path) as source:
        starts = range(0, len(source), size)
        parts = [source.read(start, min(start + size, len(source))) for start in starts]
    kind = np.concatenate([part.kind for part in parts])
    return Rows(kind, concatenate_ragged([part.constituents for part in parts]))


def told(reader: Reader, path: Path) -> str:
    """The one line that reading the file ends with."""
    with pytest.raises(InputError) as caught:
        read(reader, path)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"{path}: ")
    return said


def equal(found: Rows, expected: Rows) -> None:
    """Whether two readings are the same."""
    assert found.kind.tolist() == expected.kind.tolist()
    assert found.constituents.offsets.tolist() == expected.constituents.offsets.tolist()
    assert found.constituents.columns.keys() == expected.constituents.columns.keys()
    for name, column in expected.constituents.columns.items():
        assert found.constituents.columns[name].tolist() == column.tolist()
