from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from glassjet.cli.main import main
from glassjet.cli.summarise import SCORE_COLUMNS

KEYS = {"task": "top", "sample": "top", "tagger": "mbns", "features": "mbns"}


def write(path: Path, rows: list[dict[str, object]], columns: list[str] = SCORE_COLUMNS) -> Path:
    pd.DataFrame([KEYS | row for row in rows], columns=columns).to_csv(path, index=False)
    return path


def scores(path: Path, seed: int, auc: float, rejection: float, passing: int, **other: object) -> Path:
    passed = {"n_background": passing}
    return write(
        path,
        [
            {"seed": seed, "metric": "auc", "value": auc, "low": auc - 0.1, "high": auc + 0.2} | other,
            {"seed": seed, "metric": "rejection_50", "value": rejection, "low": 1, "high": 2} | passed | other,
            {"seed": seed, "metric": "parameters", "value": 5} | other,
        ],
    )


def summarise(tmp_path: Path, files: list[Path], conservation: list[Path] | None = None) -> int:
    words = ["summarise", "--scores", *map(str, files)]
    words += ["--conservation", *map(str, conservation)] if conservation else []
    return main([*words, "--out-summary", str(tmp_path / "s.csv"), "--out-conservation", str(tmp_path / "c.csv")])


def test_a_row_over_seeds_with_a_t_interval(tmp_path: Path) -> None:
    values = [0.7, 0.9, 0.74]
    files = [scores(tmp_path / f"{i}.csv", i, value, 10 * i, 40 - i) for i, value in enumerate(values, 1)]
    assert summarise(tmp_path, files[::-1]) == 0
    table = pd.read_csv(tmp_path / "s.csv", dtype={"seed": str})
    assert list(table.columns) == SCORE_COLUMNS
    assert table["seed"].tolist() == ["1", "2", "3", "all"] * 3
    auc = table[(table["metric"] == "auc") & (table["seed"] == "all")].iloc[0]
    low, high = t.interval(0.6827, 2, np.mean(values), np.std(values, ddof=1) / np.sqrt(3))
    assert (auc["value"], auc["low"], auc["high"]) == pytest.approx((np.mean(values), low, high))
    rejection = table[(table["metric"] == "rejection_50") & (table["seed"] == "all")].iloc[0]
    assert (rejection["value"], rejection["n_background"]) == (20, 37)
    first = table[(table["metric"] == "auc") & (table["seed"] == "1")].iloc[0]
    assert (first["value"], first["low"], first["high"]) == pytest.approx((0.7, 0.6, 0.9))
    parameters = table[(table["metric"] == "parameters") & (table["seed"] == "all")].iloc[0]
    assert parameters["value"] == 5
    assert np.isnan(parameters["low"])


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    files = [scores(tmp_path / f"{i}.csv", i, 0.7, 10, 40) for i in (2, 10, 1)]
    assert summarise(tmp_path, files) == 0
    first = (tmp_path / "s.csv").read_bytes()
    assert pd.read_csv(tmp_path / "s.csv")["seed"].tolist()[:4] == ["1", "2", "10", "all"]
    assert summarise(tmp_path, files[::-1]) == 0
    assert (tmp_path / "s.csv").read_bytes() == first


def test_one_seed_keeps_its_bootstrap_and_an_empty_rejection_stays_empty(tmp_path: Path) -> None:
    single = scores(tmp_path / "a.csv", 0, 0.8, 5, 50, tagger="mass_tau32")
    few = [scores(tmp_path / f"{i}.csv", i, 0.8, np.nan if i == 1 else 90, 29 + i) for i in (0, 1)]
    assert summarise(tmp_path, [single, *few]) == 0
    table = pd.read_csv(tmp_path / "s.csv")
    table = table[table["seed"] == "all"]
    baseline = table[(table["tagger"] == "mass_tau32") & (table["metric"] == "auc")].iloc[0]
    assert (baseline["value"], baseline["low"], baseline["high"]) == pytest.approx((0.8, 0.7, 1.0))
    rejection = table[(table["tagger"] == "mbns") & (table["metric"] == "rejection_50")].iloc[0]
    assert np.isnan(rejection["value"])
    assert np.isnan(rejection["low"])
    assert rejection["n_background"] == 29


def test_reduced_models_come_in_the_order_of_their_size(tmp_path: Path) -> None:
    names = ["mbns:shap@16", "mbns:shap@2", "mbns:random10@2", "mbns:random9@2", "mbns"]
    files = [scores(tmp_path / f"{i}.csv", 1, 0.7, 10, 40, features=name) for i, name in enumerate(names)]
    assert summarise(tmp_path, files) == 0
    order = list(dict.fromkeys(pd.read_csv(tmp_path / "s.csv")["features"]))
    assert order == ["mbns", "mbns:random9@2", "mbns:random10@2", "mbns:shap@2", "mbns:shap@16"]


def test_conservation_tables_are_put_together(tmp_path: Path) -> None:
    columns = [*KEYS, "seed", "preset", "closure_max"]
    rows: list[dict[str, object]] = [{"seed": i, "preset": "p1", "closure_max": 1e-7} for i in (2, 1)]
    files = [write(tmp_path / f"{i}.csv", [row], columns) for i, row in enumerate(rows)]
    assert summarise(tmp_path, [scores(tmp_path / "s1.csv", 1, 0.7, 10, 40)], files) == 0
    table = pd.read_csv(tmp_path / "c.csv")
    assert table["seed"].tolist() == [1, 2]
    assert table["closure_max"].tolist() == [1e-7, 1e-7]


def test_bad_tables_are_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = scores(tmp_path / "a.csv", 1, 0.7, 10, 40)
    twice = scores(tmp_path / "b.csv", 1, 0.7, 10, 40)
    lacking, other = tmp_path / "c.csv", tmp_path / "d.csv"
    pd.read_csv(good).drop(columns="value").to_csv(lacking, index=False)
    pd.read_csv(scores(other, 2, 0.7, 10, 40)).assign(more=1).to_csv(other, index=False)
    for files, message in [
        ([good, twice], f"{twice}: has top, top, mbns, mbns, auc, 1, which another table has too"),
        ([good, lacking], f"{lacking}: no column value"),
        ([good, other], f"{other}: has other columns than {good}"),
        ([good, tmp_path / "none.csv"], f"{tmp_path / 'none.csv'}: no such file"),
    ]:
        assert summarise(tmp_path, files) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
