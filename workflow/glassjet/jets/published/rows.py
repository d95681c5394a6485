"""What every reader of published jets gives: rows of a file, each a jet, with its class as the file names it.

A reader is a module (or, for files of one's own, an object) as `Reader` says. What all files have in common (checks,
kinematics, splits, mixing of several files, writing) is in `glassjet.jets.published.importing`.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.store import Ragged


@dataclass(frozen=True)
class Rows:
    """Some rows of a file in their order.

    Attributes
    ----------
    kind : array (n,) of int64
        Which of the reader's CLASSES each jet is; -1 for a jet of none of them, which nobody can ask for.
    constituents : Ragged
        Columns pt, eta, phi, energy (GeV, float64 or float32), and where known pdgid (int32; of particle flow 211 or
        -211 for a charged hadron, 130 for a neutral one), charge (int8), and d0, z0, d0_error, z0_error (mm; 0 where a
        constituent has no track). Padding is left out; the order is the file's.
    columns : dict of arrays (n,)
        Further numbers of each jet, float32, as the file names them; none of them truth that gives the label away.
        `weight` (float64) becomes the jets' weight, `event_number` (int64) their `source_event`.
    tracks, vertices : Ragged or None
        Further lists, with columns as the file names them, float32.
    """

    kind: NDArray[np.int64]
    constituents: Ragged
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    tracks: Ragged | None = None
    vertices: Ragged | None = None

    def __len__(self) -> int:
        return len(self.kind)


class Source(Protocol):
    """An open file."""

    def __len__(self) -> int:
        """How many rows it has."""

    def read(self, start: int, stop: int) -> Rows:
        """The rows start:stop, read from disk now; calls come with rising `start`, so a stream can serve them.

        Raises InputError, in one line that names the file and the row or the column, for what cannot be read.
        """


class Reader(Protocol):
    """What reads files of one layout.

    Attributes
    ----------
    CLASSES : tuple of str
        The names of its classes, in the order of `Rows.kind`.
    SIGNAL, BACKGROUND : tuple of str
        The classes that make the signal and the background if nobody asks for others.
    METADATA : dict
        What is known of its jets: level, sqrts, radius, pt, … (see `glassjet.jets.store`), and source with citation.
    """

    @property
    def CLASSES(self) -> tuple[str, ...]: ...  # noqa: N802
    @property
    def SIGNAL(self) -> tuple[str, ...]: ...  # noqa: N802
    @property
    def BACKGROUND(self) -> tuple[str, ...]: ...  # noqa: N802
    @property
    def METADATA(self) -> dict[str, Any]: ...  # noqa: N802

    def opened(self, path: Path, /) -> AbstractContextManager[Source]:
        """The file, open."""
