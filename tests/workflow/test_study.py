"""The miniature study, run for real: all that it makes is there, and a change re-runs exactly what depends on it."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.study

Run = Callable[..., subprocess.CompletedProcess[str]]
Dry = Callable[[], Counter[str]]
ROOT = Path(__file__).parents[2]
STUDY = ("--profile", "workflow/profiles/default", "--configfile", "tests/mini.yaml")
MINI = yaml.safe_load((ROOT / "tests" / "mini.yaml").read_text())
TAGGERS = [(entry["tagger"], entry["features"]) for entry in MINI["tasks"]["top"]["taggers"]]
NETWORKS = [pair for pair in TAGGERS if pair[0] != "mass_tau32"]
RANKED = [("mbns", "mbns"), ("xaug_dnn", "xaug29")]
METRICS = {"auc", "accuracy", "cross_entropy", "rejection_30", "rejection_50", "rejection_80", "parameters"}
# Everything behind the attributions; the summary holds the conservation too, so what is drawn from it is drawn again.
BEHIND_EXPLAIN = {"rank": 2, "reduce": 4, "score_reduced": 8, "summarise": 1, "figures": 3, "paper": 1}
ALL = {
    "generate": 5, "observe": 5, "train": 15, "score": 22, "explain": 14, "rank": 2, "reduce": 4, "score_reduced": 8,
    "summarise": 1, "figures": 5, "paper": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def results(checkout: Path) -> Path:
    return checkout / "results" / "mini"


def test_summary_has_every_tagger_metric_and_seed(results: Path) -> None:
    summary = pd.read_csv(results / "summary.csv", dtype={"seed": str})
    assert list(summary.columns) == [
        "task", "sample", "tagger", "features", "seed", "metric", "value", "low", "high", "n_background",
    ]  # fmt: skip
    for tagger, features in TAGGERS:
        mine = summary[(summary["tagger"] == tagger) & (summary["features"] == features)]
        seeds = {"0", "all"} if tagger == "mass_tau32" else {"1", "2", "all"}
        for metric, group in mine.groupby("metric"):
            assert set(group["seed"]) == seeds, (tagger, metric)
        assert METRICS - {"cross_entropy", "accuracy"} <= set(mine["metric"])
    reduced = summary[summary["features"].str.contains(":")]
    assert set(reduced["features"].str.extract(r":([a-z_]+)")[0]) == {*MINI["reduce"]["methods"], "random"}
    sure = summary[~summary["metric"].str.startswith("rejection")]
    assert np.isfinite(sure[sure["tagger"] != "mass_tau32"]["value"]).all()
    assert sure[sure["metric"] == "auc"]["value"].between(0, 1).all()
    few = summary[summary["metric"].str.startswith("rejection") & (summary["n_background"] < 30)]
    assert few["value"].isna().all()


def test_published_parameter_counts(results: Path) -> None:
    summary = pd.read_csv(results / "summary.csv", dtype={"seed": str})
    counts = summary[(summary["metric"] == "parameters") & (summary["seed"] == "1")]
    found = {(row.tagger, row.features): row.value for row in counts.itertuples()}
    assert found["mbns", "mbns"] == 57502
    assert found["pfn", "kinematics"] == 82458
    assert found["xaug_image", "image"] == 153922
    assert found["xaug_dnn", "xaug29"] == 10498


def test_relevance_is_conserved(results: Path) -> None:
    table = pd.read_csv(results / "conservation.csv", dtype={"seed": str})
    explained = [*NETWORKS, *((tagger, f"{features}+noise") for tagger, features in RANKED)]
    assert len(table) == len(explained) * 2 * 3  # seeds, presets
    assert table["closure_max"].between(0, 1e-5).all()
    assert set(table["preset"]) == {"p1", "p2", "recommended"}


def test_splits_share_no_event(results: Path) -> None:
    events: list[int] = []
    for path in sorted((results / "jets" / "top").glob("*.h5")):
        with h5py.File(path) as file:
            events += file["jets/event"][:].tolist()
    assert len(events) == len(set(events)) == 240 + 80 + 120 + 280


def test_figures_tables_notebooks_and_rankings_are_there(results: Path) -> None:
    for name in MINI["figures"]["notebooks"]:
        pdfs = {path.stem for path in (results / "figures" / name).glob("*.pdf")}
        assert pdfs
        assert pdfs == {path.stem for path in (results / "figures" / name).glob("*.png")}
        assert list((results / "tables" / name).glob("*.csv"))
        notebook = json.loads((results / "notebooks" / f"{name}.ipynb").read_text())
        assert not [output for cell in notebook["cells"] for output in cell.get("outputs", []) if "ename" in output]
    for tagger, features in RANKED:
        ranking = pd.read_csv(results / "rankings" / "top" / tagger / f"{features}+noise" / "ranking.csv")
        assert {"noise_1", "noise_5"} <= set(ranking["feature"])
        assert set(ranking["seed"]) == {"1", "2", "all"}


def test_paper_is_a_pdf_with_figures(results: Path) -> None:
    content = (results / "paper.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert len(content) > 100_000


def test_nothing_is_left_behind(results: Path) -> None:
    assert not [path for path in (results / ".checkpoints").rglob("*") if path.is_file()]
    assert not [path for path in results.rglob(".*") if path.suffix in (".tmp", ".lock")]


def test_a_second_run_finds_nothing_to_do(checkout: Path, snakemake: Run) -> None:
    before = {path: path.stat().st_mtime_ns for path in (checkout / "results").rglob("*") if path.is_file()}
    done = snakemake(checkout, *STUDY)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in (checkout / "results").rglob("*") if path.is_file()}


@contextmanager
def changed(path: Path, old: str, new: str) -> Iterator[None]:
    """A file of the checkout with other text; put back afterwards, its time included."""
    before, times = path.read_text(), path.stat()
    assert old in before, f"{path}: no {old!r}"
    path.write_text(before.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture
def dry(checkout: Path, snakemake: Run, jobs: Callable[[str], Counter[str]]) -> Dry:
    """The jobs that would run now."""

    def listed() -> Counter[str]:
        done = snakemake(checkout, *STUDY, "--dry-run")
        assert done.returncode == 0, done.stdout
        return jobs(done.stdout)

    return listed


BEHIND_SCORES = {"summarise": 1, "figures": 2, "paper": 1}
JETS = ("generate", "observe")
EDITS: dict[str, tuple[str, dict[str, int]]] = {
    "how jets are clustered": ("jets/clustering.py", ALL),
    "soft drop": ("observables/soft_drop.py", {k: v for k, v in ALL.items() if k != "generate"}),
    "the networks": ("taggers/pfn.py", {**{k: v for k, v in ALL.items() if k not in JETS}, "figures": 3}),
    "masking": ("attribution/masking.py", {"explain": 14, **BEHIND_EXPLAIN}),
    "rankings": ("ranking/agreement.py", {**BEHIND_EXPLAIN, "figures": 2}),
    "the bootstrap of scores": ("cli/score.py", {"score": 22, "score_reduced": 8, **BEHIND_SCORES}),
    "the summary": ("cli/summarise.py", BEHIND_SCORES),
    "two families of figures": ("figures/samples.py", {"figures": 2, "paper": 1}),
    "one family of figures": ("figures/displaced.py", {"figures": 1, "paper": 1}),
    "typesetting": ("cli/paper.py", {"paper": 1}),
    "what no rule runs": ("cli/show.py", {}),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_code_re_runs_its_descendants_and_nothing_else(checkout: Path, dry: Dry, what: str) -> None:
    name, expected = EDITS[what]
    path = checkout / "workflow" / "glassjet" / name
    last = path.read_text().splitlines()[-1]
    with changed(path, last, f"{last}\n\n\nADDED = 1"):
        assert dry() == expected
    with changed(path, last, f"{last}\n# a comment"):
        assert dry() == {}


def test_an_edit_of_a_notebook_or_of_the_manuscript_re_runs_it(checkout: Path, dry: Dry) -> None:
    with changed(checkout / "workflow" / "notebooks" / "ranking.ipynb", "MAIN = (", "LESS = 1\\nMAIN = ("):
        assert dry() == {"figures": 1, "paper": 1}
    with changed(checkout / "paper" / "main.typ", "What top taggers", "What all top taggers"):
        assert dry() == {"paper": 1}


def test_an_edit_of_a_card_or_a_process_makes_its_jets_again_and_of_its_comments_none(checkout: Path, dry: Dry) -> None:
    jets = checkout / "workflow" / "glassjet" / "jets"
    with changed(jets / "tasks" / "top.yaml", "abs_eta: 2.0", "abs_eta: 1.9"):
        assert dry() == ALL
    with changed(jets / "processes" / "qcd.cmnd", "HardQCD:all = on", "HardQCD:gg2gg = on"):
        assert dry() == ALL
    with changed(jets / "processes" / "qcd.cmnd", "! qcd: QCD dijets", "! qcd: all QCD dijets"):
        assert dry() == {}


def test_other_samples_are_scored_by_the_same_taggers(results: Path) -> None:
    summary = pd.read_csv(results / "summary.csv", dtype={"seed": str})
    own, other = (set(map(tuple, summary.loc[summary["sample"] == name, ["tagger", "features", "seed"]].to_numpy()))
                  for name in ("top", "top_detector"))  # fmt: skip
    assert own == other
    assert (results / "figures" / "performance" / "other_samples.png").is_file()


CHANGES: dict[str, tuple[str, str, dict[str, int]]] = {
    "epochs of a tagger": (
        "pfn: {epochs: 2",
        "pfn: {epochs: 3",
        {"train": 2, "score": 4, "explain": 2, "summarise": 1, "figures": 3, "paper": 1},
    ),
    "epochs of a ranked tagger": (
        "mbns: {epochs: 2",
        "mbns: {epochs: 3",
        {"train": 4, "score": 4, "explain": 4, "rank": 1, "reduce": 2, "score_reduced": 4, "summarise": 1, "figures": 3,
         "paper": 1},
    ),
    "repeats of masking": ("masking_repeats: 3", "masking_repeats: 4", {"explain": 14, **BEHIND_EXPLAIN}),
    "shap alone": ("shap_check: 10", "shap_check: 11", {"explain": 8, **BEHIND_EXPLAIN}),
    "a k more": (
        "k: [1, 3]",
        "k: [1, 2, 3]",
        {"reduce": 4, "score_reduced": 8, "summarise": 1, "figures": 2, "paper": 1},
    ),
    "jets of one split": ("test: {signal: 80", "test: {signal: 81", {
        "generate": 1, "observe": 1, "score": 11, "score_reduced": 4, "summarise": 1, "figures": 2, "paper": 1,
    }),
    "a notebook's parameter": ("signal_efficiency: 0.5", "signal_efficiency: 0.6", {"figures": 1, "paper": 1}),
    "a variation": ("detector: true", "detector: true\n    detector_towers: 2", {
        "generate": 1, "observe": 1, "score": 11, "score_reduced": 4, "summarise": 1, "figures": 4, "paper": 1,
    }),
    "the order of keys": ("epochs: 2, batch_size: 40", "batch_size: 40, epochs: 2", {}),
    "a default in words": ("patience: 8}", "patience: 8, milestones: []}", {}),
    "a seed more": ("seeds: [1, 2]", "seeds: [1, 2, 3]", {
        "train": 7, "score": 10, "explain": 7, "rank": 2, "reduce": 6, "score_reduced": 12, "summarise": 1,
        "figures": 3, "paper": 1,
    }),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_the_config_re_runs_what_reads_it(checkout: Path, dry: Dry, what: str) -> None:
    old, new, expected = CHANGES[what]
    with changed(checkout / "tests" / "mini.yaml", old, new):
        assert dry() == expected


def test_a_deleted_result_is_made_again_by_name_with_the_same_bytes(
    checkout: Path, results: Path, snakemake: Run
) -> None:
    path = results / "models" / "top" / "mbns" / "mbns" / "seed1" / "scores" / "top.csv"
    files = [path, path.with_suffix(".h5"), results / "summary.csv"]
    before = [file.read_bytes() for file in files]
    path.unlink()
    done = snakemake(checkout, str(path.relative_to(checkout)), str(files[2].relative_to(checkout)), *STUDY)
    assert done.returncode == 0, done.stdout[-3000:]
    assert [file.read_bytes() for file in files] == before
