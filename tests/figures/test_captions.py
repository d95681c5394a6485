"""The captions of the workflow's report: one for every figure of the notebooks."""

from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest

CAPTION = Path(__file__).parents[2] / "workflow" / "report" / "figure.rst"


def caption(notebook: str, figure: str) -> str:
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(CAPTION.read_text())
    return template.render(snakemake=SimpleNamespace(wildcards=SimpleNamespace(notebook=notebook, figure=figure)))


@pytest.mark.parametrize(
    ("notebook", "figure", "words"),
    [
        ("generation", "spectra_top", "soft-drop mass and multiplicity"),
        ("variables", "variables_top_mbns", "Every expert variable of the group"),
        ("variables", "single_variable_auc_top_mbns", "AUC of each variable alone"),
        ("variables", "lund_plane_top", "primary Lund plane"),
        ("performance", "rejection", "at least 30 background jets"),
        ("attribution", "pixels_xaug_image_image_xaug29", "Mean relevance of each pixel by class"),
        ("attribution", "ledger", "nowhere"),
        ("ranking", "ranking", "main methods"),
        ("ranking", "ranks_mbns_mbns", "in brackets"),
        ("ranking", "scores_mbns_mbns", "every method"),
        ("of_my_own", "anything", "notebooks/of_my_own.ipynb"),
    ],
)
def test_every_figure_has_its_caption(notebook: str, figure: str, words: str) -> None:
    text = caption(notebook, figure)
    assert words in text
    assert text.count("main methods") <= 1
