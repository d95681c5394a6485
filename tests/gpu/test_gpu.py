"""The verbs on a GPU: the same bytes twice, the numbers of the CPU, and memory that does not grow with the jets.

All of it is skipped where torch finds no CUDA device. With GLASSJET_TEST_DEVICE=cpu the same tests run on the CPU
alone: then most of them compare a thing with itself, which shows that they run, not that a GPU is right.

Dropout draws other numbers on a GPU than on the CPU. So trainings are compared without it, where only rounding
differs; with it a tagger can only be as good.
"""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from glassjet.attribution.lrp.engine import LIMIT, relevance
from glassjet.attribution.lrp.presets import PRESETS
from glassjet.attribution.store import Attribution, read
from glassjet.cli.main import main
from glassjet.observables.registry import SETS
from glassjet.taggers import devices
from glassjet.taggers.build import build_network
from glassjet.taggers.features import parse
from glassjet.taggers.model import load, tensors
from glassjet.taggers.sample import open_sample
from glassjet.training import fit
from tests.taggers.synthetic import write_sample

DEVICE = os.environ.get("GLASSJET_TEST_DEVICE", "cuda")
pytestmark = pytest.mark.skipif(
    DEVICE == "cuda" and not torch.cuda.is_available(),
    reason="torch finds no CUDA device here (GLASSJET_TEST_DEVICE=cpu runs these tests on the CPU)",
)

Case = tuple[str, str]  # tagger, features
CASES: list[Case] = [
    ("mbns", "mbns+noise"),
    ("xaug_dnn", "xaug29"),
    ("xaug_image", "image"),
    ("xaug_image", "image+xaug29"),
    ("pfn", "kinematics"),
]
DROPOUT = [CASES[0], CASES[2]]  # cases with it, one for each tagger
JETS = {"train": 1000, "validation": 300, "explain": 600, "test": 600}
MODEL = ("model.json", "weights.safetensors", "history.csv")
LRP = [f"lrp_{name}" for name in PRESETS]
EPOCHS = 3
each_case = pytest.mark.parametrize("case", CASES, ids=" ".join)


def verb(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


def training(data: Path, case: Case, device: str, out: Path) -> list[object]:
    """The command that trains a tagger."""
    words: list[object] = ["train", "--tagger", case[0], "--features", case[1], "--device", device, "--out", out]
    words += ["--checkpoint", checkpoint_of(out)]
    return [*words, *splits(data), "--epochs", EPOCHS, "--batch-size", 50, "--learning-rate", 3e-4]


def checkpoint_of(out: Path) -> Path:
    """The directory where the training of a model keeps its state."""
    return out.with_name(f"{out.name}-checkpoint")


def splits(data: Path) -> list[object]:
    """The options of what is trained on."""
    words: list[object] = ["--task", "toy", "--seed", 3]
    for flag, split in (("", "train"), ("validation-", "validation")):
        words += [f"--{flag}jets", data / f"{split}.h5", f"--{flag}observables", data / f"{split}.parquet"]
    return words


def scored(data: Path, model: Path, device: str, out: Path) -> NDArray[np.float64]:
    """The log-odds of the test jets, by the verb."""
    files = ["--jets", data / "test.h5", "--observables", data / "test.parquet"]
    verb("score", "--model", model, *files, "--device", device, "--bootstrap", 5, "--out", out)
    with h5py.File(out) as file:
        return np.asarray(file["output"][:])


def explained(data: Path, model: Path, device: str, out: Path, methods: list[str], *more: object) -> None:
    """Explain by the verb."""
    words: list[object] = ["explain", "--model", model, "--device", device, "--methods", *methods, "--out", out]
    for flag, split in (("", "explain"), ("background-", "train")):
        words += [f"--{flag}jets", data / f"{split}.h5", f"--{flag}observables", data / f"{split}.parquet"]
    verb(*words, "--masking-background", 200, "--masking-repeats", 2, *more)


class Taggers:
    """Trained taggers, each trained when it is first asked for."""

    def __init__(self, data: Path, directory: Path) -> None:
        self.data, self.directory = data, directory

    def __call__(self, case: Case, device: str, dropout: bool = True) -> Path:
        """The directory of a model."""
        out = self.directory / "-".join((*case, device, "dropout" if dropout else "plain"))
        if not (out / "model.json").exists():
            with pytest.MonkeyPatch.context() as patch:
                if not dropout:
                    patch.setattr(nn.Dropout, "forward", lambda self, x: x)
                verb(*training(self.data, case, device, out))
        return out


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with jets and observables of every split."""
    directory = tmp_path_factory.mktemp("jets")
    for i, (split, n) in enumerate(JETS.items()):
        write_sample(directory, split, n, seed=i, first_event=10_000 * i)
    return directory


@pytest.fixture(scope="module")
def taggers(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Taggers:
    return Taggers(data, tmp_path_factory.mktemp("models"))


def same_bytes(a: Path, b: Path, names: tuple[str, ...] = MODEL) -> None:
    for name in names:
        assert (a / name).read_bytes() == (b / name).read_bytes(), name


def peak(function: Callable[[], None]) -> int:
    """The most bytes that tensors on the GPU took within a call, beyond those before it; zero on the CPU."""
    if DEVICE == "cpu":
        function()
        return 0
    gc.collect()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    return torch.cuda.max_memory_allocated() - before


def test_auto_is_the_gpu() -> None:
    assert DEVICE == "cpu" or devices.prepare("auto").type == "cuda"


# --- training and scoring --------------------------------------------------------------------------------------------


@each_case
def test_the_same_command_gives_the_same_bytes(case: Case, taggers: Taggers, data: Path, tmp_path: Path) -> None:
    model = taggers(case, DEVICE)
    verb(*training(data, case, DEVICE, tmp_path / "again"))
    same_bytes(model, tmp_path / "again")
    for name in ("a", "b"):
        scored(data, model, DEVICE, tmp_path / name / "toy.h5")
    same_bytes(tmp_path / "a", tmp_path / "b", ("toy.h5", "toy.csv"))


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An operation without a deterministic implementation is an error, where the verbs only warn of it."""
    mode, before = torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode()
    monkeypatch.setattr(torch, "set_deterministic_debug_mode", lambda _: mode("error"))
    yield
    mode(before)


@each_case
@pytest.mark.usefixtures("strict")
def test_every_operation_is_deterministic(case: Case, data: Path, tmp_path: Path) -> None:
    verb(*training(data, case, DEVICE, tmp_path / "model"), "--epochs", 1)
    explained(data, tmp_path / "model", DEVICE, tmp_path / "out", LRP, "--limit", 20)


@each_case
def test_training_without_dropout_is_that_of_the_cpu(case: Case, taggers: Taggers, data: Path, tmp_path: Path) -> None:
    """Rounding alone: 1e-7 at each step at first, and more with every step, as the network amplifies it."""
    models = [taggers(case, device, dropout=False) for device in (DEVICE, "cpu")]
    found, expected = (pd.read_csv(model / "history.csv") for model in models)
    np.testing.assert_allclose(found["loss"][:1], expected["loss"][:1], rtol=1e-4)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-2)
    np.testing.assert_allclose(found["validation_loss"], expected["validation_loss"], rtol=5e-2)
    np.testing.assert_array_equal(found["learning_rate"], expected["learning_rate"])
    f, g = (
        pd.Series(scored(data, model, where, tmp_path / f"{where}.h5"))
        for model, where in zip(models, (DEVICE, "cpu"), strict=True)
    )
    assert f.corr(g) > 0.999


@pytest.mark.parametrize("case", DROPOUT, ids=" ".join)
def test_with_dropout_a_tagger_is_as_good(case: Case, taggers: Taggers) -> None:
    found, expected = (pd.read_csv(taggers(case, device) / "history.csv") for device in (DEVICE, "cpu"))
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=0.1)
    np.testing.assert_allclose(found["validation_auc"], expected["validation_auc"], atol=0.03)


@each_case
@pytest.mark.parametrize("trained_on", [DEVICE, "cpu"])
def test_a_model_is_scored_alike_everywhere(
    case: Case, trained_on: str, taggers: Taggers, data: Path, tmp_path: Path
) -> None:
    model = taggers(case, trained_on)
    found, expected = (scored(data, model, device, tmp_path / f"{device}.h5") for device in (DEVICE, "cpu"))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.std(expected) > 0.1


@pytest.mark.parametrize("case", [*DROPOUT, CASES[4]], ids=" ".join)
def test_a_killed_training_continues(case: Case, taggers: Taggers, data: Path, tmp_path: Path) -> None:
    """To the same bytes on the same device; and on the other one, from the epochs that are done."""
    whole, save, saves = taggers(case, DEVICE), fit._save, []

    def killed(*arguments: Any) -> None:
        save(*arguments)
        saves.append(arguments)
        if len(saves) == 2:
            raise KeyboardInterrupt

    words = training(data, case, DEVICE, tmp_path / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "_save", killed)
        assert main(list(map(str, words))) == 130
    assert not (tmp_path / "model" / "model.json").exists()
    shutil.copytree(checkpoint_of(tmp_path / "model"), checkpoint_of(tmp_path / "moved"))
    verb(*words)
    same_bytes(whole, tmp_path / "model")

    verb(*training(data, case, "cpu", tmp_path / "moved"))
    found, expected = (pd.read_csv(model / "history.csv") for model in (tmp_path / "moved", whole))
    pd.testing.assert_frame_equal(found[:2], expected[:2])
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=0.1)


@pytest.mark.parametrize("case", CASES[3:], ids=" ".join)
def test_jets_streamed_from_disk(case: Case, data: Path, tmp_path: Path) -> None:
    """The same bytes twice, and the first loss of the CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Dropout, "forward", lambda self, x: x)
        for name, device in (("a", DEVICE), ("b", DEVICE), ("c", "cpu")):
            verb(*training(data, case, device, tmp_path / name), "--epochs", 1, "--buffer-jets", 150)
    same_bytes(tmp_path / "a", tmp_path / "b")
    found, expected = (pd.read_csv(tmp_path / name / "history.csv") for name in ("a", "c"))
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-4)


def test_reduced_models(data: Path, tmp_path: Path) -> None:
    """Columns are cut out of jets that lie on the GPU."""
    rows = [["toy", "xaug_dnn", "shap", "3", name, i + 1] for i, name in enumerate(SETS["xaug29"])]
    columns = ["task", "tagger", "method", "seed", "feature", "rank"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "ranking.csv", index=False)
    words = ["reduce", "--tagger", "xaug_dnn", "--features", "xaug29", "--ranking", tmp_path / "ranking.csv"]
    words += [*splits(data), "--methods", "shap", "--k", 3, "--random", 1, "--epochs", 2, "--learning-rate", 1e-2]
    for name, device in (("a", DEVICE), ("b", DEVICE), ("c", "cpu")):
        verb(*words, "--device", device, "--out", tmp_path / name)
        files = ["--jets", data / "test.h5", "--observables", data / "test.parquet", "--bootstrap", 0]
        verb("score", "--model", tmp_path / name, *files, "--device", device, "--out", tmp_path / f"{name}.csv")
    subsets = pd.read_csv(tmp_path / "a" / "subsets.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    for name in subsets["subset"].unique():
        same_bytes(tmp_path / "a" / "subsets" / name, tmp_path / "b" / "subsets" / name)
    expected = pd.read_csv(tmp_path / "c" / "subsets.csv")
    np.testing.assert_allclose(subsets["validation_auc"], expected["validation_auc"], atol=1e-2)


def test_the_random_numbers_of_the_device_stay() -> None:
    state = torch.get_rng_state if DEVICE == "cpu" else torch.cuda.get_rng_state
    before = state()
    build_network("mbns", parse("mbns"), 1)
    assert (state() == before).all()


# --- explaining ------------------------------------------------------------------------------------------------------


Arrays = dict[str, NDArray[Any]]


def close(found: Arrays, expected: Arrays, tolerance: float) -> None:
    """Equal to a part of the largest value of each array."""
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerance * np.abs(values).max(), err_msg=name)


def close_in_nearly_all_jets(found: Arrays, expected: Arrays) -> None:
    """In 95% of jets, and for each kind of input, equal to 1e-4 of that jet's largest relevance.

    Rounding is amplified without bound in few jets: where a denominator of a rule comes near zero, as those of lrp_p2
    may for inputs of both signs, and where another pixel wins a maximum.
    """
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        if name == "offsets":
            np.testing.assert_array_equal(found[name], values)
            continue
        sizes = [np.abs(array).reshape(len(array), -1).max(1) for array in (found[name] - values, values)]
        if "offsets" in expected:
            sizes = [np.maximum.reduceat(size, expected["offsets"][:-1]) for size in sizes]
        assert np.quantile(sizes[0] / np.maximum(sizes[1], 1e-30), 0.95) < 1e-4, name


def relevances(out: Path, method: str) -> Attribution:
    """What a method found, once its ledger was seen to add up to the output, within the engine's own limit."""
    found = read(out / f"{method}.h5")
    limit, ledger = LIMIT[torch.float32], found.ledger
    kept = sum(ledger[name] for name in ("inputs", "bias", "stabiliser", "undistributable", "constants"))
    assert (np.abs(kept - found.jets["output"]) <= limit * ledger["absolute"]).all()
    assert (ledger["closure"] <= limit).all()
    assert pd.read_csv(out / "conservation.csv")["closure_max"].max() <= limit
    return found


@each_case
def test_relevance_is_that_of_the_cpu(case: Case, taggers: Taggers, data: Path, tmp_path: Path) -> None:
    model = taggers(case, DEVICE)
    for name, device in (("a", DEVICE), ("b", DEVICE), ("c", "cpu")):
        explained(data, model, device, tmp_path / name, LRP, "--limit", 300)
    same_bytes(tmp_path / "a", tmp_path / "b", (*(f"{method}.h5" for method in LRP), "conservation.csv"))
    for method in LRP:
        found, expected = (relevances(tmp_path / name, method) for name in ("a", "c"))
        np.testing.assert_allclose(found.jets["output"], expected.jets["output"], rtol=1e-4, atol=1e-4)
        close(found.inputs, expected.inputs, 0)
        close_in_nearly_all_jets(found.relevance, expected.relevance)
        if method != "lrp_p2" and "image" not in found.relevance:
            close(found.relevance, expected.relevance, 1e-4)


@each_case
@pytest.mark.parametrize("preset", PRESETS)
def test_relevance_in_double_precision(case: Case, preset: str, taggers: Taggers, data: Path) -> None:
    found = []
    for device in (DEVICE, "cpu"):
        model = load(taggers(case, DEVICE))
        sample = open_sample(data / "explain.h5", data / "explain.parquet", model.feature_set.observables)
        inputs = tensors(sample.inputs(model.feature_set, 0, 100, model.scaling), slice(None), device)
        found.append(relevance(model.network.to(device), inputs, PRESETS[preset], torch.float64))
    close({"output": found[0].output}, {"output": found[1].output}, 1e-11)
    close(found[0].relevance, found[1].relevance, 1e-7)
    a, b = ({name: x for name, x in one.ledger.items() if name != "closure"} for one in found)
    close(a, b, 1e-7)


def test_relevance_is_precise_whatever_the_caller_allows(taggers: Taggers, data: Path) -> None:
    """TF32 has ten bits; it is off within the engine, and as it was afterwards."""
    model = load(taggers(CASES[4], DEVICE))
    sample = open_sample(data / "explain.h5", data / "explain.parquet", model.feature_set.observables)
    inputs = tensors(sample.inputs(model.feature_set, 0, 100, model.scaling), slice(None), DEVICE)
    network, before = model.network.to(DEVICE), torch.get_float32_matmul_precision()
    expected = relevance(network, inputs, PRESETS["recommended"])
    try:
        torch.set_float32_matmul_precision("high")
        found = relevance(network, inputs, PRESETS["recommended"])
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)
    close(found.relevance, expected.relevance, 0)


@each_case
def test_masking_is_that_of_the_cpu(case: Case, taggers: Taggers, data: Path, tmp_path: Path) -> None:
    model = taggers(case, DEVICE)
    for name, device in (("a", DEVICE), ("b", DEVICE), ("c", "cpu")):
        explained(data, model, device, tmp_path / name, ["masking"], "--limit", 300)
    same_bytes(tmp_path / "a", tmp_path / "b", ("masking.csv",))
    found, expected = (pd.read_csv(tmp_path / name / "masking.csv") for name in ("a", "c"))
    names = ["feature", "replacement", "repeat"]
    pd.testing.assert_frame_equal(found[names], expected[names])
    # the AUC moves by whole pairs of jets, some of which are next to equal
    for name, tolerance in (("delta_auc", 2e-3), ("delta_cross_entropy", 1e-4), ("mad", 1e-4)):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("case", CASES[:2], ids=" ".join)
def test_shapley_values_are_those_of_the_cpu(case: Case, taggers: Taggers, data: Path, tmp_path: Path) -> None:
    """In float64, so to the precision of the file; but DeepLIFT divides by differences that may be next to zero."""
    pytest.importorskip("shap")
    model = taggers(case, DEVICE)
    for name, device in (("a", DEVICE), ("b", DEVICE), ("c", "cpu")):
        more = ["--limit", 40, "--shap-background", 30, "--shap-check", 3, "--shap-permutations", 1]
        explained(data, model, device, tmp_path / name, ["shap"], *more)
    same_bytes(tmp_path / "a", tmp_path / "b", ("shap.h5",))
    found, expected = (read(tmp_path / name / "shap.h5") for name in ("a", "c"))
    close(found.relevance, expected.relevance, 1e-4)
    np.testing.assert_allclose(found.ledger["base"], expected.ledger["base"], rtol=1e-9, atol=1e-9)


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Directories with a sample, and with one of three times as many jets."""
    found = []
    for n in (1000, 3000):
        found.append(tmp_path_factory.mktemp(f"jets{n}"))
        for split, jets in (("train", n), ("validation", 300), ("explain", n), ("test", n)):
            write_sample(found[-1], split, jets, seed=1)
    return found


@pytest.mark.parametrize("case", [CASES[3], CASES[4]], ids=" ".join)
@pytest.mark.parametrize("what", ["score", "explain", "train"])
def test_memory_does_not_grow_with_the_jets(
    case: Case, what: str, taggers: Taggers, many: list[Path], tmp_path: Path
) -> None:
    """Chunks of 250 jets are explained, batches of 1000 are scored; trained on is what the buffer holds."""
    model = taggers(case, DEVICE)

    def run(jets: Path) -> None:
        out = tmp_path / jets.name
        if what == "score":
            scored(jets, model, DEVICE, out / "toy.h5")
        elif what == "explain":
            explained(jets, model, DEVICE, out, LRP[2:])
        else:
            verb(*training(jets, case, DEVICE, out), "--epochs", 1, "--buffer-jets", 500)

    peaks = [peak(partial(run, jets)) for jets in many]
    if DEVICE == "cpu":
        pytest.skip("the peak of memory is known on a GPU only; the verbs did run")
    assert 0 < peaks[1] < 1.2 * peaks[0] + 1e6
