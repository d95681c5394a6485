"""The attribution file: what is written in chunks is read as one, and what is damaged is named."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.attribution import store
from glassjet.errors import InputError


def chunk(start: int, n: int) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]], NDArray[np.bool_]]:
    random = np.random.default_rng(start)
    rows = np.arange(start, start + n)
    jets = {"jet": rows, "event": rows + 100, "label": rows % 2, "weight": rows / 7, "output": random.normal(size=n)}
    mask = np.arange(5) < random.integers(1, 6, size=n)[:, None]
    arrays = {"table": random.normal(size=(n, 3)), "image": random.normal(size=(n, 1, 16, 16))}
    return jets, arrays | {"constituents": random.normal(size=(n, 5, 2)), "mask": mask}, mask


def write(path: Path, sizes: list[int]) -> None:
    with store.writing(path, {"method": "shap"}, "{}") as writer:
        start = 0
        for n in sizes:
            jets, arrays, mask = chunk(start, n)
            writer.append(jets, store.flat(arrays, mask), store.flat(arrays, mask), {"base": np.full(n, 0.1)})
            start += n
        writer.metadata["known at the end"] = True


def test_chunks_are_read_as_one(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", [4, 3])
    found = store.read(tmp_path / "a.h5")
    assert len(found) == 7
    assert found.metadata == {"method": "shap", "known at the end": True} == store.read_metadata(tmp_path / "a.h5")
    parts = [chunk(0, 4), chunk(4, 3)]
    for i in range(7):
        jets, arrays, mask = parts[i // 4]
        row = i % 4
        for name in store.JET_COLUMNS:
            assert found.jets[name][i] == jets[name][row]
        np.testing.assert_allclose(found.relevance["table"][i], arrays["table"][row], rtol=1e-6)
        np.testing.assert_allclose(found.inputs["image"][i], arrays["image"][row, 0], rtol=1e-6)
        own = slice(found.relevance["offsets"][i], found.relevance["offsets"][i + 1])
        np.testing.assert_allclose(
            found.relevance["constituents"][own], arrays["constituents"][row][mask[row]], rtol=1e-6
        )
    assert found.ledger["base"].tolist() == [0.1] * 7


def test_a_failed_run_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), store.writing(tmp_path / "a.h5", {}, "{}"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_what_is_no_whole_attribution_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", [3])
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["weight"], file["ledger"]
    with pytest.raises(InputError, match=r"a\.h5: no weight, ledger; make it again with `glassjet explain`"):
        store.read(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.attrs["glassjet"] = "jets"
    with pytest.raises(InputError, match=r"b\.h5: holds jets, but attribution are needed"):
        store.read(tmp_path / "b.h5")
    with pytest.raises(ValueError, match="constituents need their mask"):
        store.flat({"constituents": np.zeros((1, 2, 3))}, None)
