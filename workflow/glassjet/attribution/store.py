"""The attribution file: what every method says of every jet, in one layout.

HDF5, written in chunks. Attributes: `glassjet` = "attribution", `metadata` (JSON: task, sample, split, tagger,
features, seed, method, …), `provenance` (JSON).

    /jet /event /label /weight /output       one entry per jet: its row in the jets file, …, the explained log-odds
    /relevance/table (n, F)                   relevance of each column of the table
    /relevance/image (n, 16, 16)              of each pixel
    /relevance/constituents (N, f), offsets   of each feature of each real constituent; padding is not stored
    /inputs/…                                 the scaled inputs that the network saw, in the same layout
    /ledger/…                                 one entry per jet: what did not reach an input; for shap the base value

Only the groups that a tagger has are there. `metadata` names the features: `table` (columns), `constituents` (features
of a constituent). Relevance is float32, the ledger float64.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.files import atomic, open_hdf5

JET_COLUMNS = {"jet": "i8", "event": "i8", "label": "i1", "weight": "f8", "output": "f8"}

Array = NDArray[Any]


@dataclass(frozen=True)
class Attribution:
    """One method's attributions in memory.

    Attributes
    ----------
    metadata : dict
        task, sample, split, tagger, features, seed, method, table, constituents, …
    jets : dict of arrays (n,)
        jet, event, label, weight (pb), output (log-odds).
    relevance, inputs : dict of arrays
        "table" (n, F), "image" (n, 16, 16), "constituents" (N, f) with "offsets" (n + 1); those that the tagger has.
    ledger : dict of arrays (n,)
        What is not in `relevance`.
    """

    metadata: dict[str, Any]
    jets: dict[str, Array]
    relevance: dict[str, Array]
    inputs: dict[str, Array]
    ledger: dict[str, Array]

    def __len__(self) -> int:
        return len(self.jets["jet"])


def flat(arrays: Mapping[str, Array], mask: Array | None) -> dict[str, Array]:
    """Inputs, or relevance, in the layout of the file: pixels without the channel, constituents without padding.

    Parameters
    ----------
    arrays : dict of arrays
        table (n, F), image (n, 1, 16, 16), constituents (n, m, f); other keys are left out.
    mask : array (n, m), bool, or None
        The real constituents; needed with constituents.
    """
    out = {}
    if "table" in arrays:
        out["table"] = np.asarray(arrays["table"], np.float32)
    if "image" in arrays:
        out["image"] = np.asarray(arrays["image"], np.float32)[:, 0]
    if "constituents" in arrays:
        if mask is None:
            raise ValueError("constituents need their mask")
        out["constituents"] = np.asarray(arrays["constituents"], np.float32)[mask]
        out["offsets"] = np.concatenate([[0], np.cumsum(mask.sum(1))]).astype(np.int64)
    return out


@dataclass
class AttributionWriter:
    """Appends chunks to an open file; `writing` makes one. `metadata` may be added to until the file is closed."""

    file: h5py.File
    metadata: dict[str, Any]

    def append(
        self,
        jets: Mapping[str, Array],
        relevance: Mapping[str, Array],
        inputs: Mapping[str, Array],
        ledger: Mapping[str, Array],
    ) -> None:
        """Append jets: `jets` and `ledger` hold arrays (n,), `relevance` and `inputs` come from `flat`."""
        for name, kind in JET_COLUMNS.items():
            self._extend(name, np.asarray(jets[name]).astype(kind))
        for name, values in ledger.items():
            self._extend(f"ledger/{name}", np.asarray(values, np.float64))
        for group, arrays in (("relevance", relevance), ("inputs", inputs)):
            for name, values in arrays.items():
                key = f"{group}/{name}"
                if name == "offsets" and key in self.file:
                    values = values[1:] + self.file[key][-1]
                self._extend(key, values)

    def _extend(self, key: str, values: Array) -> None:
        if key in self.file:
            data = self.file[key]
            data.resize(len(data) + len(values), axis=0)
            data[len(data) - len(values) :] = values
            return
        rows = max(1, 65536 // max(1, int(np.prod(values.shape[1:]))))
        self.file.create_dataset(
            key,
            data=values,
            maxshape=(None, *values.shape[1:]),
            chunks=(rows, *values.shape[1:]),
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )


@contextmanager
def writing(path: Path, metadata: dict[str, Any], provenance: str) -> Iterator[AttributionWriter]:
    """Open an attribution file for appending; it appears under its name only when everything is in it."""
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        writer = AttributionWriter(file, dict(metadata))
        yield writer
        file.attrs["glassjet"] = "attribution"
        file.attrs["metadata"] = json.dumps(writer.metadata, sort_keys=True)
        file.attrs["provenance"] = provenance


def read_metadata(path: Path) -> dict[str, Any]:
    """What an attribution file says of itself: task, tagger, features, seed, split, method, …"""
    with open_hdf5(path, "attribution") as file:
        return dict(json.loads(file.attrs["metadata"]))


def read(path: Path) -> Attribution:
    """Read an attribution file.

    Raises
    ------
    InputError
        If it is missing, truncated, of another form, or lacks a data set.
    """
    with open_hdf5(path, "attribution") as file:
        missing = [name for name in (*JET_COLUMNS, "relevance", "inputs", "ledger") if name not in file]
        if missing:
            raise InputError(f"{path}: no {', '.join(missing)}; make it again with `glassjet explain`")
        try:
            return Attribution(
                metadata=dict(json.loads(file.attrs["metadata"])),
                jets={name: file[name][:] for name in JET_COLUMNS},
                relevance={name: data[:] for name, data in file["relevance"].items()},
                inputs={name: data[:] for name, data in file["inputs"].items()},
                ledger={name: data[:] for name, data in file["ledger"].items()},
            )
        except OSError as error:
            raise InputError(f"{path}: damaged ({error}); make it again with `glassjet explain`") from None
