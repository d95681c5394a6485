"""`glassjet rank`: a leaked label ranks first in every method, and what is refused."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from glassjet.cli.main import main
from glassjet.files import read_csv
from glassjet.ranking.scores import MASKING_METHODS
from glassjet.taggers.features import NOISE
from tests.attribution.toy_sample import LEAK

METHODS = ["lrp_p1", "lrp_p2", "lrp_recommended", "shap", *MASKING_METHODS]


def rank(out: Path, *directories: Path) -> int:
    words = ["rank", "--bootstrap", "10", "--out-ranking", f"{out}/ranking.csv", "--out-agreement"]
    return main([*words, f"{out}/agreement.csv", "--attributions", *map(str, directories)])


@pytest.fixture(scope="session")
def ranked(explained: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ranked")
    assert rank(out, *explained) == 0
    return out


@pytest.mark.parametrize("method", METHODS)
def test_the_leaked_label_ranks_first_and_noise_does_not_count(ranked: Path, method: str) -> None:
    rows = read_csv(ranked / "ranking.csv").query("method == @method")
    assert set(rows["seed"]) == {"1", "2", "all"}
    for _, of_seed in rows.groupby("seed"):
        assert of_seed.set_index("feature")["rank"].idxmin() == LEAK
        assert sorted(of_seed["rank"]) == list(range(1, 28))
    leak = rows[rows["feature"] == LEAK]
    assert leak["above_noise"].all()
    noise = rows[rows["feature"].isin(NOISE) & (rows["seed"] != "all")]
    assert noise["above_noise"].sum() == 1  # of ten scores, the largest lies above their 95% quantile
    assert rows["noise_level"].nunique() == 1


def test_relevance_scores_of_a_seed_add_up_to_one(ranked: Path) -> None:
    table = read_csv(ranked / "ranking.csv")
    totals = table[table["method"].isin(METHODS[:4])].groupby(["method", "seed"])["score"].sum()
    np.testing.assert_allclose(totals, 1, atol=1e-6)


def test_the_agreement_table_has_every_pair(ranked: Path) -> None:
    table = read_csv(ranked / "agreement.csv")
    counts = table["kind"].value_counts()
    assert counts["seeds"] == len(METHODS)
    assert counts["methods"] == 3 * len(METHODS) * (len(METHODS) - 1) // 2
    assert table["top5_overlap"].between(0, 1).all()


def test_ranking_twice_gives_the_same_bytes(ranked: Path, explained: tuple[Path, Path], tmp_path: Path) -> None:
    assert rank(tmp_path, *explained) == 0
    for name in ("ranking.csv", "agreement.csv"):
        assert (tmp_path / name).read_bytes() == (ranked / name).read_bytes()


def as_split(directory: Path, split: str) -> None:
    for path in directory.glob("*.h5"):
        with h5py.File(path, "r+") as file:
            file.attrs["metadata"] = json.dumps(json.loads(file.attrs["metadata"]) | {"split": split})


@pytest.mark.parametrize("kind", ["h5", "csv"])
def test_the_test_split_is_refused(
    explained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    copy = tmp_path / "seed1"
    shutil.copytree(explained[0], copy)
    if kind == "h5":
        as_split(copy, "test")
    else:
        pd.read_csv(copy / "masking.csv").assign(split="test").to_csv(copy / "masking.csv", index=False)
    assert rank(tmp_path, copy) == 2
    assert "split is test; rankings come from the explain split" in capsys.readouterr().err
    assert not (tmp_path / "ranking.csv").exists()


def test_seeds_that_do_not_belong_together_are_refused(
    explained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rank(tmp_path, explained[0], explained[0]) == 2
    assert "seed 1 is given twice" in capsys.readouterr().err
    fewer = tmp_path / "seed2"
    shutil.copytree(explained[1], fewer)
    (fewer / "shap.h5").unlink()
    assert rank(tmp_path, explained[0], fewer) == 2
    assert "method shap is not there for every seed" in capsys.readouterr().err
    shutil.copy(explained[0] / "shap.h5", fewer)
    assert rank(tmp_path, fewer) == 2
    assert "is of toy/mbns/mbns+noise/" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert rank(tmp_path, tmp_path / "empty") == 2
    assert "holds no attributions; make some with glassjet explain" in capsys.readouterr().err
