"""The verbs train and score from the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from glassjet.cli.main import main
from glassjet.taggers.model import load, save
from glassjet.training.metrics import Ranked, auc, rejection, roc, threshold
from tests.taggers.synthetic import write_sample

TAGGERS = [
    ("mbns", "mbns+noise"),
    ("xaug_dnn", "xaug29"),
    ("xaug_image", "image+xaug29"),
    ("pfn", "kinematics"),
    ("mass_tau32", "mass_tau32"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("jets")
    for i, (split, n) in enumerate([("train", 300), ("validation", 100), ("test", 400)]):
        write_sample(directory, split, n, seed=i, first_event=1000 * i)
    write_sample(directory / "detector", "test", 400, seed=2, first_event=2000, level="detector")
    return directory


def train(data: Path, tagger: str, features: str, out: Path, *more: str) -> list[str]:
    words = ["train", "--tagger", tagger, "--features", features, "--task", "toy", "--out", str(out)]
    for flag, name in [("jets", "train.h5"), ("observables", "train.parquet")]:
        words += [f"--{flag}", str(data / name)]
        words += [f"--validation-{flag}", str(data / name.replace("train", "validation"))]
    settings = {"--seed": "0", "--epochs": "2", "--batch-size": "50", "--device": "cpu"}
    settings |= dict(zip(more[::2], more[1::2], strict=True))
    return [*words, *(word for pair in settings.items() for word in pair)]


def score(data: Path, model: Path, out: Path, *more: str) -> list[str]:
    files = ["--jets", str(data / "test.h5"), "--observables", str(data / "test.parquet")]
    return ["score", "--model", str(model), *files, "--out", str(out), "--bootstrap", "20", *more]


def numbers(path: Path) -> dict[str, dict[str, float]]:
    """The rows of a score table by metric."""
    table = pd.read_csv(path).set_index("metric")[["value", "low", "high", "n_background"]]
    return {str(metric): {str(key): float(value) for key, value in row.items()} for metric, row in table.iterrows()}


@pytest.mark.parametrize(("tagger", "features"), TAGGERS)
def test_a_tagger_is_trained_and_scored_and_the_same_bytes_come_twice(
    data: Path, tmp_path: Path, tagger: str, features: str
) -> None:
    for name in ("a", "b"):
        assert main(train(data, tagger, features, tmp_path / name)) == 0
        assert main(score(data, tmp_path / name, tmp_path / name / "scores" / "toy.h5")) == 0
    files = ["model.json", "weights.safetensors", "history.csv", "scores/toy.h5", "scores/toy.csv"]
    found = sorted(str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert found == sorted(files)
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()

    table = numbers(tmp_path / "a" / "scores" / "toy.csv")
    with h5py.File(tmp_path / "a" / "scores" / "toy.h5") as file:
        assert file.attrs["glassjet"] == "scores"
        about = json.loads(file.attrs["metadata"])
        output, label, weight = (file[name][:] for name in ("output", "label", "weight"))
        assert set(file) == {"output", "label", "weight", "event", "pt", "mass", "mass_softdrop", "eta"}
        observables = pd.read_parquet(data / "test.parquet")
        assert (file["event"][:] == observables["event"]).all()
    assert (about["task"], about["sample"], about["split"], about["tagger"]) == ("toy", "toy", "test", tagger)
    assert table["auc"]["value"] == pytest.approx(auc(output, label, weight), rel=1e-8)
    assert table["auc"]["low"] < table["auc"]["value"] < table["auc"]["high"]
    assert table["parameters"]["value"] == load(tmp_path / "a").parameters
    passing = (label == 0) & (output >= threshold(Ranked(output, label), weight, 0.8)[0])
    assert table["rejection_80"]["n_background"] == passing.sum()
    counts_as = weight[passing].sum() ** 2 / np.square(weight[passing]).sum()
    expected = rejection(*roc(output, label, weight), 0.8) if counts_as >= 30 else np.nan
    assert table["rejection_80"]["value"] == pytest.approx(expected, nan_ok=True)
    if tagger == "mass_tau32":
        inside = (observables["mass_softdrop"] > 105) & (observables["mass_softdrop"] < 210)
        np.testing.assert_allclose(output[inside], -observables["tau32"][inside], rtol=1e-6)
        assert output[~inside].max() < output[inside].min()
        assert np.isnan(table["accuracy"]["value"])
    else:
        assert table["auc"]["value"] > 0.55


def test_a_killed_run_continues_to_the_same_bytes(data: Path, tmp_path: Path) -> None:
    more = ("--epochs", "40", "--patience", "40", "--batch-size", "10", "--checkpoint")
    assert main(train(data, "mbns", "mbns", tmp_path / "whole", *more, str(tmp_path / "w"))) == 0
    words = train(data, "mbns", "mbns", tmp_path / "killed", *more, str(tmp_path / "c"))
    run = subprocess.Popen(
        [sys.executable, "-m", "glassjet", *words], stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "c" / "fit.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert (tmp_path / "c" / "fit.safetensors").exists()
    assert not (tmp_path / "killed" / "model.json").exists()
    assert main(words) == 0
    for name in ("model.json", "weights.safetensors", "history.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "c" / "fit.safetensors").exists()


def test_reduced_models_are_scored_together(data: Path, tmp_path: Path) -> None:
    reduced = tmp_path / "reduced"
    assert main(train(data, "mbns", "mbns", tmp_path / "m")) == 0
    model = load(tmp_path / "m")
    for subset in ("x", "y"):
        save(model, reduced / "subsets" / subset)
    rows = [("shap", 4, 0, "x"), ("random", 4, 0, "y"), ("random", 4, 1, "x")]
    table = pd.DataFrame(rows, columns=["method", "k", "draw", "subset"]).assign(features="pt", validation_auc=0.5)
    table.to_csv(reduced / "subsets.csv", index=False)
    assert main(score(data, reduced, reduced / "scores" / "toy.csv")) == 0
    assert [path.name for path in (reduced / "scores").iterdir()] == ["toy.csv"]
    assert main(score(data, tmp_path / "m", tmp_path / "toy.h5")) == 0
    found, single = pd.read_csv(reduced / "scores" / "toy.csv"), pd.read_csv(tmp_path / "toy.csv")
    assert list(found.columns) == list(single.columns)
    assert list(dict.fromkeys(found["features"])) == ["mbns:shap@4", "mbns:random0@4", "mbns:random1@4"]
    for _, group in found.groupby("features"):
        pd.testing.assert_frame_equal(
            group.drop(columns="features").reset_index(drop=True), single.drop(columns="features")
        )


def test_another_level_is_said(data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert main(train(data, "mass_tau32", "mass_tau32", tmp_path / "m")) == 0
    assert main(score(data, tmp_path / "m", tmp_path / "a.h5")) == 0
    assert "level" not in caplog.text
    assert main(score(data / "detector", tmp_path / "m", tmp_path / "b.h5")) == 0
    assert "trained on particle-level jets, scored on detector-level jets" in caplog.text


def test_what_differs_only_in_the_seed_differs(data: Path, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        assert main(train(data, "mbns", "mbns", tmp_path / seed, "--seed", seed)) == 0
    assert (tmp_path / "1/weights.safetensors").read_bytes() != (tmp_path / "2/weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("tagger", "features", "more", "message"),
    [
        ("mbnz", "mbns", (), "there is no tagger 'mbnz' (did you mean 'mbns'?)"),
        ("mbns", "mbnz", (), "there is no feature set 'mbnz' (did you mean 'mbns'?)"),
        ("pfn", "mbns", (), "tagger pfn takes constituents"),
        ("mbns", "mbns", ("--learning-rate", "-1"), "--learning-rate -1.0: must be positive"),
        ("mbns", "mbns", ("--learning-rate", "1e18"), "the loss is NaN or infinite in epoch 1"),
        ("mass_tau32", "mass_tau32", ("--seed", "1"), "its only seed is 0"),
        ("mbns", "mbns", ("--jets", "validation.h5"), "is the split 'validation', but train is needed here"),
        ("mbns", "mbns", ("--validation-jets", "test.h5"), "is the split 'test', but validation is needed here"),
        ("mbns", "mbns", ("--observables", "validation.parquet"), "has 100 rows and"),
        ("mbns", "mbns", ("--observables", "nowhere.parquet"), "nowhere.parquet: no such file"),
    ],
)
def test_bad_input_is_one_line(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tagger: str,
    features: str,
    more: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(data)
    words = train(data, tagger, features, tmp_path / "m")
    assert main([*words, *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.splitlines()[-1].startswith("glassjet train: ")
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_missing(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert main(train(data, "mbns", "mbns", tmp_path / "m", "--device", "cuda")) == 2
    assert "--device cuda: torch finds no CUDA device here; use --device cpu or auto" in capsys.readouterr().err


def test_score_refuses_bad_numbers_and_missing_models(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, message in [
        (score(data, tmp_path / "none", tmp_path / "x.h5"), "none: no such directory"),
        (score(data, tmp_path, tmp_path / "x.h5", "--signal-efficiencies", "1.5"), "--signal-efficiencies 1.5"),
        (score(data, tmp_path, tmp_path / "x.npz"), "must end in .h5"),
    ]:
        assert main(words) == 2
        assert message in capsys.readouterr().err
