"""`glassjet explain`: what it writes, what it refuses."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassjet.attribution.conservation import conservation
from glassjet.attribution.replacement import features, zeros
from glassjet.attribution.store import read
from glassjet.cli.main import main
from glassjet.taggers.baseline import MassTau32
from glassjet.taggers.inputs import Inputs
from glassjet.taggers.model import Model, load, save
from tests.attribution.toy_sample import LEAK, write_sample

ALL = ["lrp_p1", "lrp_p2", "lrp_recommended", "shap", "masking"]


def explain(toy: Path, model: str, out: Path, methods: list[str], *more: str, observables: bool = True) -> int:
    words = ["explain", "--model", f"{toy}/{model}", "--jets", f"{toy}/explain.h5", "--out", str(out)]
    words += ["--observables", f"{toy}/explain.parquet"] if observables else []
    words += ["--background-jets", f"{toy}/train.h5", "--background-observables", f"{toy}/train.parquet"]
    words += ["--shap-background", "20", "--shap-check", "5", "--masking-background", "200", "--masking-repeats", "3"]
    return main([*words, "--device", "cpu", "--methods", *methods, *more])


@pytest.fixture(scope="session")
def explained(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("explained") / "top"
    assert explain(toy, "mbns1", out, ALL, "--limit", "300") == 0
    return out


def test_each_method_has_its_file(explained: Path) -> None:
    names = {path.name for path in explained.iterdir()}
    assert names == {"lrp_p1.h5", "lrp_p2.h5", "lrp_recommended.h5", "shap.h5", "masking.csv", "conservation.csv"}


@pytest.mark.parametrize("method", ["lrp_p1", "lrp_p2", "lrp_recommended"])
def test_relevance_and_ledger_add_up_to_the_output_of_the_tagger(explained: Path, toy: Path, method: str) -> None:
    found = read(explained / f"{method}.h5")
    model, table = load(toy / "mbns1"), pd.read_parquet(toy / "explain.parquet")[:300]
    np.testing.assert_allclose(found.jets["output"], model.outputs(model.inputs(None, table)), atol=1e-5)
    kept = sum(found.ledger[name] for name in ("bias", "stabiliser", "undistributable", "constants"))
    gap = np.abs(found.relevance["table"].sum(1, dtype=np.float64) + kept - found.jets["output"])
    assert (gap <= 2e-6 * found.ledger["absolute"]).all()
    np.testing.assert_array_equal(found.jets["event"], table["event"])
    assert found.metadata["table"] == list(model.columns)
    assert found.metadata["split"] == "explain"


def test_shapley_values_and_base_add_up_and_the_check_is_stored(explained: Path) -> None:
    found = read(explained / "shap.h5")
    total = found.relevance["table"].sum(1, dtype=np.float64) + found.ledger["base"]
    np.testing.assert_allclose(total, found.jets["output"], rtol=1e-5, atol=1e-5)
    assert found.metadata["permutation_check"]["jets"] == 5
    assert found.metadata["permutation_check"]["pearson"] > 0.9


def test_masking_covers_every_feature_and_replacement(explained: Path, toy: Path) -> None:
    table = pd.read_csv(explained / "masking.csv")
    counts = table.groupby(["feature", "replacement"]).size().unstack()
    assert set(counts.index) == set(load(toy / "mbns1").columns)
    assert (counts[["conditional", "mean", "zero"]] == 1).to_numpy().all()
    assert (counts["permutation"] == 3).all()
    assert (table["split"] == "explain").all()
    assert table.groupby("feature")["delta_auc"].mean().idxmax() == LEAK


def test_conservation_has_a_row_per_preset(explained: Path) -> None:
    table = pd.read_csv(explained / "conservation.csv")
    assert list(table["preset"]) == ["p1", "p2", "recommended"]
    assert (table["closure_max"] < 1e-6).all()
    assert (table["jets"] == 300).all()


def test_conservation_by_hand() -> None:
    ledger = {
        "bias": np.array([1.0, -1.0, 0.5]),
        "stabiliser": np.zeros(3),
        "undistributable": np.array([0.0, 0.0, 4.0]),
        "closure": np.array([1e-8, 3e-8, 2e-8]),
        "absolute": np.array([6.0, 2.0, 10.0]),
    }
    found = conservation(np.array([2.0, -2.0, 1.0]), ledger)
    expected = {"closure_max": 3e-8, "bias_share": 0.5, "stabiliser_share": 0, "undistributable_share": 0}
    assert found == expected | {"relevance_over_output_max": 10, "jets": 3}


def test_two_runs_have_the_same_bytes(explained: Path, toy: Path, tmp_path: Path) -> None:
    assert explain(toy, "mbns1", tmp_path / "top", ALL, "--limit", "300") == 0
    for path in explained.iterdir():
        assert path.read_bytes() == (tmp_path / "top" / path.name).read_bytes(), path.name


def test_constituents_need_no_observables_and_padding_is_not_stored(toy: Path, tmp_path: Path) -> None:
    assert explain(toy, "pfn", tmp_path / "out", ["lrp_recommended"], "--limit", "30", observables=False) == 0
    found = read(tmp_path / "out" / "lrp_recommended.h5")
    assert len(found) == 30
    assert found.relevance["constituents"].shape == (found.relevance["offsets"][-1], 3)
    np.testing.assert_array_equal(found.relevance["offsets"], found.inputs["offsets"])
    assert (np.diff(found.relevance["offsets"]) >= 3).all()
    owner = np.repeat(np.arange(30), np.diff(found.relevance["offsets"]))
    total = np.bincount(owner, found.relevance["constituents"].sum(1, dtype=np.float64))
    np.testing.assert_allclose(total, found.ledger["inputs"], atol=1e-5)


def test_every_kind_of_input_can_be_masked(toy: Path, tmp_path: Path) -> None:
    for model, expected in (("pfn", {"pt_fraction", "constituents"}), ("xaug_image", {"image", LEAK})):
        assert explain(toy, model, tmp_path / model, ["masking"], "--limit", "20") == 0
        table = pd.read_csv(tmp_path / model / "masking.csv")
        assert expected <= set(table["feature"])
        assert np.isfinite(table["delta_cross_entropy"]).all()


def test_a_chunk_more_gives_the_same_numbers(toy: Path, tmp_path: Path, explained: Path) -> None:
    """300 jets are two chunks; the first 250 alone have the same relevance."""
    assert explain(toy, "mbns1", tmp_path / "out", ["lrp_p2"], "--limit", "250") == 0
    first, both = read(tmp_path / "out" / "lrp_p2.h5"), read(explained / "lrp_p2.h5")
    np.testing.assert_array_equal(first.relevance["table"], both.relevance["table"][:250])
    np.testing.assert_array_equal(both.jets["jet"], np.arange(300))


def test_without_lrp_an_empty_conservation_table_is_there(toy: Path, tmp_path: Path) -> None:
    assert explain(toy, "mbns1", tmp_path / "out", ["shap"], "--limit", "6") == 0
    assert pd.read_csv(tmp_path / "out" / "conservation.csv").empty


def test_zero_is_zero_before_scaling() -> None:
    scaling = {
        "table": {"columns": ["a", "b"], "mean": [1.0, -6.0], "std": [2.0, 1.0], "clip": 3.0},
        "constituents": {"names": ["u"], "std": [4.0]},
    }
    inputs: Inputs = {
        "table": np.ones((5, 2), np.float32),
        "constituents": np.ones((5, 3, 1)),
        "mask": np.ones((5, 3), bool),
    }
    found = zeros(inputs, scaling)
    np.testing.assert_array_equal(found["table"], [[-0.5, 3.0]])
    np.testing.assert_array_equal(found["constituents"], [[[0.0]]])
    assert [one.name for one in features(inputs, ("a", "b"), ("u",))] == ["u", "constituents", "a", "b"]


@pytest.mark.parametrize(
    ("model", "methods", "more", "message"),
    [
        ("pfn", ["shap"], [], "shap: for taggers on a table only"),
        ("mbns1", ["lrp_p3"], [], "there is no method 'lrp_p3' (did you mean"),
        ("mbns1", ["masking"], ["--limit", "1"], "of one class, masking needs both; raise --limit"),
        (
            "mbns1",
            ["shap"],
            ["--background-jets", "{toy}/test.h5"],
            "test.h5: is the split 'test', but train is needed",
        ),
        ("nothing", ["shap"], [], "nothing: no such directory"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    toy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    model: str,
    methods: list[str],
    more: list[str],
    message: str,
) -> None:
    if "{toy}/test.h5" in more:
        more = ["--background-jets", f"{toy}/test.h5", "--background-observables", f"{toy}/test.parquet"]
    assert explain(toy, model, tmp_path / "out", methods, *more) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("glassjet explain:")]
    assert len(error) == 1
    assert message in error[0]


def test_missing_files_are_named(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explain", "--jets", f"{toy}/explain.h5", "--out", f"{tmp_path}/out", "--model"]
    assert main([*words, f"{toy}/mbns1"]) == 2
    assert "--observables: features 'mbns+noise' need the table of" in capsys.readouterr().err
    assert main([*words, f"{toy}/pfn", "--methods", "masking"]) == 2
    assert "shap and masking need --background-jets" in capsys.readouterr().err


def test_jets_of_another_level_are_explained_with_a_warning(
    toy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jets, _ = write_sample(tmp_path, "explain", 20, level="detector")
    with caplog.at_level(logging.WARNING):
        assert main(["explain", "--model", f"{toy}/pfn", "--jets", str(jets), "--out", f"{tmp_path}/out"]) == 0
    assert "trained on particle-level jets, explained on detector-level jets" in caplog.text


def test_a_tagger_without_network_has_nothing_to_explain(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ("mass_softdrop", "tau32")
    baseline = Model(MassTau32(), "mass_tau32", "mass_tau32", columns, {}, "toy", "toy", "particle", 0)
    save(baseline, tmp_path / "model")
    assert main(["explain", "--model", f"{tmp_path}/model", "--jets", f"{toy}/explain.h5", "--out", "x"]) == 2
    assert "tagger mass_tau32 has no network: there is nothing to explain" in capsys.readouterr().err
