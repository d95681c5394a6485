"""The paper is typeset from tables and figures alone, the same bytes twice; what is missing is named."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from glassjet.cli.main import main
from glassjet.jets.store import Jets, Ragged, no_partons, writing
from glassjet.provenance import provenance

SOURCE = Path(__file__).parents[2] / "paper"
TAGGERS = {
    "mass_tau32": ["mass_tau32"],
    "mbns": ["mbns"],
    "pfn": ["kinematics"],
    "xaug_dnn": ["xaug29"],
    "xaug_image": ["image", "image+xaug29"],
}
METHODS = ["lrp_p1", "lrp_p2", "lrp_recommended", "shap", "delta_auc"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A study's results as the rules lay them out, with invented numbers and blank figures."""
    root = tmp_path / "results" / "tiny"
    about = {
        "sample": "top", "level": "particle", "sqrts": 14000.0, "radius": 0.8, "pt": [550.0, 650.0], "abs_eta": 2.0,
        "match_radius": 0.8, "signal_pthat": [450.0, 800.0],
        "background_pthat": [450.0, 800.0], "signal_pthat_power": 0.0, "background_pthat_power": 0.0,
        "tune": 14, "mpi": False, "isr": True, "fsr": True, "hadronisation": True,
    }  # fmt: skip
    for split in ("train", "validation", "explain", "test"):
        n = 4
        columns: dict[str, Any] = {name: np.ones(n) for name in ("pt", "eta", "phi", "mass", "weight")}
        columns |= {"label": np.array([0, 1, 0, 1]), "event": np.arange(n)}
        constituents = Ragged(np.arange(n + 1), {name: np.ones(n) for name in ("pt", "eta", "phi", "energy")})
        with writing(
            root / "jets" / "top" / f"{split}.h5", about | {"split": split}, provenance("generate", {})
        ) as writer:
            writer.append(Jets(columns, constituents, no_partons(n)))
    rows = []
    for tagger, sets in TAGGERS.items():
        for features in sets:
            for metric in ("auc", "accuracy", "rejection_30", "rejection_50", "rejection_80", "parameters"):
                for seed in ("1", "2", "all"):
                    value = float("nan") if metric == "rejection_30" else 0.9123
                    rows.append(["top", "top", tagger, features, seed, metric, value, 0.9, 0.92, 50])
    names = ["task", "sample", "tagger", "features", "seed", "metric", "value", "low", "high", "n_background"]
    pd.DataFrame(rows, columns=names).to_csv(root / "summary.csv", index=False)
    ledger = pd.DataFrame({"preset": ["p1", "p2", "recommended"]})
    for name in ("closure_max", "bias_share", "stabiliser_share", "undistributable_share"):
        ledger[name] = 1.5e-7
    ledger.to_csv(root / "conservation.csv", index=False)
    for tagger, features in (("mbns", "mbns"), ("xaug_dnn", "xaug29")):
        folder = root / "rankings" / "top" / tagger / f"{features}+noise"
        folder.mkdir(parents=True)
        scores = [
            {"method": method, "seed": "all", "feature": feature, "rank": rank, "above_noise": rank < 4}
            for method in METHODS
            for rank, feature in enumerate(["pt", "mass", "a", "b", "c", "d", "noise_1"], 1)
        ]
        pd.DataFrame(scores).to_csv(folder / "ranking.csv", index=False)
        pairs = [{"kind": "seeds", "method_a": m, "method_b": m, "seed_a": "1", "spearman": 0.5} for m in METHODS]
        pairs += [
            {"kind": "methods", "method_a": "shap", "method_b": m, "seed_a": "1", "spearman": -0.5} for m in METHODS[:3]
        ]
        pd.DataFrame(pairs).to_csv(folder / "agreement.csv", index=False)
    for path, of_sample in re.findall(
        r'#(?:wide|narrow)\("([^"]+)"( \+ study\.sample)?', (SOURCE / "main.typ").read_text()
    ):
        file = root / "figures" / f"{path}{'top' if of_sample else ''}.pdf"
        file.parent.mkdir(parents=True, exist_ok=True)
        Figure((3, 2)).savefig(file, metadata={"CreationDate": None})
    return root


def paper(results: Path, out: Path) -> int:
    words = ["--source", str(SOURCE), "--results", str(results), "--task", "top", "--out", str(out)]
    return main(["paper", *words])


def test_the_paper_is_a_pdf_and_the_same_bytes_twice(results: Path, tmp_path: Path) -> None:
    assert paper(results, tmp_path / "one.pdf") == 0
    assert paper(results, tmp_path / "two.pdf") == 0
    content = (tmp_path / "one.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content == (tmp_path / "two.pdf").read_bytes()


def test_a_missing_number_is_named(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = pd.read_csv(results / "summary.csv")
    summary[~((summary["tagger"] == "pfn") & (summary["metric"] == "auc"))].to_csv(results / "summary.csv", index=False)
    assert paper(results, tmp_path / "one.pdf") == 2
    error = capsys.readouterr().err
    assert "0 rows of pfn / kinematics / auc / all" in error
    assert not (tmp_path / "one.pdf").exists()


def test_a_missing_figure_is_named(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (results / "figures" / "performance" / "rejection.pdf").unlink()
    assert paper(results, tmp_path / "one.pdf") == 2
    assert "rejection.pdf" in capsys.readouterr().err


def test_an_unknown_task_is_named(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--source", str(SOURCE), "--results", str(results), "--task", "tpo", "--out", str(tmp_path / "one.pdf")]
    assert main(["paper", *words]) == 2
    assert "no task 'tpo'; it has top" in capsys.readouterr().err
