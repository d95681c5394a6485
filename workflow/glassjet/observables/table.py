"""The table of expert variables on disk: Parquet, the same rows in the same order as the file of jets.

Variables are float32, label int8, event int64, weight float64 (pb). The schema's metadata hold `glassjet` =
"observables", `metadata` (JSON: sample, split, level, radius, and what was asked for) and `provenance` (JSON).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.files import atomic
from glassjet.jets import store
from glassjet.observables.compute import observe
from glassjet.observables.registry import columns

Rows = dict[str, NDArray[Any]]
KEYS = {"label": pa.int8(), "event": pa.int64(), "weight": pa.float64()}


def schema(words: tuple[str, ...], metadata: dict[str, Any], provenance: str) -> pa.Schema:
    """The schema of the table of some variables.

    Parameters
    ----------
    words : tuple of str
        Names of variables or sets in the registry.
    metadata : dict
        The jets' own, with sample, split, level and radius.
    provenance : str
        From `glassjet.provenance.provenance`.
    """
    known = {name: metadata[name] for name in ("sample", "split", "level", "radius") if name in metadata}
    fields = [pa.field(name, pa.float32()) for name in columns(words)]
    return pa.schema(
        [*fields, *(pa.field(name, kind) for name, kind in KEYS.items())],
        {
            "glassjet": "observables",
            "metadata": json.dumps(known | {"variables": list(words)}, sort_keys=True),
            "provenance": provenance,
        },
    )


def observe_rows(path: Path, start: int, stop: int, words: tuple[str, ...], radius: float) -> Rows:
    """The columns of the jets start:stop of a file of jets; what one process computes at a time."""
    try:
        frame = observe(store.read(path, start, stop), words, radius)
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    names = columns(words)
    return {name: frame[name].to_numpy(np.float32) for name in names} | {name: frame[name].to_numpy() for name in KEYS}


def write(parts: Iterable[Rows], form: pa.Schema, path: Path) -> None:
    """Write the parts one after the other, each a row group, so that memory is that of a part."""
    with atomic(path) as temporary, pq.ParquetWriter(temporary, form, compression="zstd") as writer:
        for part in parts:
            writer.write_batch(pa.RecordBatch.from_pydict({name: part[name] for name in form.names}, schema=form))
