"""The notebooks of a task on made-up results: every cell passes, and every figure and table is there and finite."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from glassjet.figures import style

NOTEBOOKS = Path(__file__).parents[2] / "workflow" / "notebooks"
NAMES = ("performance", "attribution", "ranking")
TAGGERS = ["mbns/mbns", "xaug_image/image", "pfn/kinematics"]
GIVEN: dict[str, dict[str, Any]] = {
    "performance": {"taggers": ["mass_tau32/mass_tau32", *TAGGERS], "seeds": [1, 2]},
    "attribution": {"taggers": TAGGERS, "seeds": [1, 2], "methods": ["lrp_p1", "lrp_recommended", "shap", "masking"]},
    "ranking": {"taggers": ["mbns/mbns"]},
}


def code_cells(name: str) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(name: str, study: Path, out: Path) -> dict[str, Any]:
    """Execute the notebook's cells in this process, where a kernel's start would cost seconds."""
    scope: dict[str, Any] = {"display": lambda *shown: None}
    for cell in code_cells(name):
        exec(compile(cell.source, f"{name}.ipynb", "exec"), scope)
        if "parameters" in cell.metadata.get("tags", []):
            scope |= {"results": str(study), "out_figures": str(out / "figures"), "out_tables": str(out / "tables")}
            scope |= GIVEN[name]
    return scope


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Figures are drawn as small PNG, with the names that they were saved under."""
    saved: list[str] = []

    def save(figure: Any, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path.with_suffix(".png"), dpi=30)
        saved.append(path.name)
        return path.with_suffix(".png")

    monkeypatch.setattr(style, "save", save)
    return lambda: saved


EXPECTED = {
    "performance": {"rejection", "working_points", "scores", "efficiency", "background_mass", "learning_curves"},
    "attribution": {"ledger", "image_relevance", "feature_relevance_mbns_mbns", "places_pfn_kinematics"}
    | {"plane_pfn_kinematics", "profiles_mbns_mbns", "masking_pfn_kinematics", "pixels_xaug_image_image"},
    "ranking": {"ranking", "scores_mbns_mbns", "ranks_mbns_mbns", "agreement_mbns_mbns", "reduced"},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("error::UserWarning")
def test_every_cell_passes(name: str, study: Path, tmp_path: Path, quickly: Callable[[], list[str]]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        run(name, study, tmp_path)
    assert EXPECTED[name] <= set(quickly())
    tables = sorted((tmp_path / "tables").glob("*.csv"))
    assert tables
    for path in tables:
        table = pd.read_csv(path)
        assert len(table), path.name
        assert not np.isinf(table.select_dtypes(float)).any(axis=None), path.name


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_stored_without_outputs(name: str) -> None:
    cells = code_cells(name)
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert {"results", "out_figures", "out_tables"} <= set(tagged[0].source.replace("=", " ").split())


def test_performance_stops_at_nan_scores(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from glassjet.figures import results

    read = results.read_scores
    monkeypatch.setattr(results, "read_scores", lambda path: read(path) | {"output": np.full(240, np.nan)})
    with pytest.raises(AssertionError, match="NaN among the scores"):
        run("performance", study, tmp_path)
