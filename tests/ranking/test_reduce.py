"""`glassjet reduce`: which columns are chosen, each subset trained once, resumed after a kill, loadable."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassjet.cli.main import main
from glassjet.errors import InputError
from glassjet.ranking import retraining
from glassjet.ranking.reduced import choices
from glassjet.taggers.features import NOISE
from glassjet.taggers.model import load
from tests.attribution.toy_sample import LEAK

COLUMNS = ("a", "b", "c", "d")


def ranking(**orders: str) -> pd.DataFrame:
    """A ranking in which "x1" = "cab…" is the order of method x and seed 1; noise stands where "n" does."""
    rows = []
    for key, order in orders.items():
        names = [NOISE[0] if letter == "n" else letter for letter in order]
        rows += [{"method": key[0], "seed": key[1], "feature": name, "rank": i + 1} for i, name in enumerate(names)]
    return pd.DataFrame(rows)


def test_the_first_k_of_the_own_seed_are_chosen_without_noise() -> None:
    table = ranking(x1="ncabd", x2="abcdn", y1="abcdn")
    found = choices(table, "mbns", 1, (*COLUMNS, NOISE[0]), ["x", "y"], [1, 2], 0)
    assert [(one.method, one.k, one.columns) for one in found] == [
        ("x", 1, ("c",)),
        ("x", 2, ("a", "c")),
        ("y", 1, ("a",)),
        ("y", 2, ("a", "b")),
    ]


def test_equal_sets_have_equal_names_whatever_their_order() -> None:
    found = choices(ranking(x1="cabd", y1="acbd"), "mbns", 1, COLUMNS, ["x", "y"], [2], 0)
    assert found[0].subset == found[1].subset
    assert found[0].columns == ("a", "c")


def test_random_draws_are_those_of_tagger_and_seed_whatever_the_methods() -> None:
    table = ranking(x1="abcd", y1="dcba", x2="abcd")

    def drawn(tagger: str, seed: int, methods: list[str]) -> list[tuple[str, ...]]:
        found = choices(table, tagger, seed, COLUMNS, methods, [2, 3], 8)
        return [one.columns for one in found if one.method == "random"]

    first = drawn("mbns", 1, ["x"])
    assert [len(columns) for columns in first] == [2] * 8 + [3] * 8
    assert first == drawn("mbns", 1, ["x", "y"]) == drawn("mbns", 1, [])
    assert first != drawn("mbns", 2, ["x"])
    assert first != drawn("pfn", 1, ["x"])
    assert len(set(first)) > 3


def test_what_cannot_be_chosen_is_refused() -> None:
    table = ranking(x1="abcd")
    with pytest.raises(InputError, match="--k 5: there are 4 features to choose from; give 1 to 4"):
        choices(table, "mbns", 1, COLUMNS, ["x"], [5], 0)
    with pytest.raises(InputError, match="no method in the ranking 'z'"):
        choices(table, "mbns", 1, COLUMNS, ["z"], [1], 0)
    with pytest.raises(InputError, match="no seed 3 of x"):
        choices(table, "mbns", 3, COLUMNS, ["x"], [1], 0)
    with pytest.raises(InputError, match="does not rank e"):
        choices(table, "mbns", 1, (*COLUMNS, "e"), ["x"], [1], 0)


def reduce(toy: Path, table: Path, out: Path, *more: str) -> int:
    words = ["reduce", "--tagger", "mbns", "--features", "mbns", "--task", "toy", "--ranking", str(table)]
    for flag, split in (("", "train"), ("validation-", "validation")):
        words += [f"--{flag}jets", f"{toy}/{split}.h5", f"--{flag}observables", f"{toy}/{split}.parquet"]
    words += ["--methods", "shap", "delta_auc", "--k", "1", "2", "--random", "1", "--seed", "1", "--epochs", "3"]
    return main([*words, "--learning-rate", "1e-2", "--device", "cpu", "--out", str(out), *more])


@pytest.fixture(scope="session")
def table(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both methods put the leak first; shap and delta_auc differ in the second."""
    names = list(load(toy / "mbns1").columns)
    rest = [name for name in names if name not in (LEAK, *NOISE)]
    rows = []
    for method, order in (("shap", [LEAK, NOISE[0], *rest]), ("delta_auc", [LEAK, *rest[::-1]])):
        rows += [("toy", "mbns", method, "1", name, i + 1) for i, name in enumerate(order)]
    path = tmp_path_factory.mktemp("ranking") / "ranking.csv"
    pd.DataFrame(rows, columns=["task", "tagger", "method", "seed", "feature", "rank"]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def reduced(toy: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reduced") / "seed1"
    assert reduce(toy, table, out, "--checkpoint", f"{out.parent}/checkpoint") == 0
    return out


def test_equal_subsets_are_trained_once_and_can_be_loaded(reduced: Path) -> None:
    table = pd.read_csv(reduced / "subsets.csv")
    assert list(table["method"]) == ["shap", "shap", "delta_auc", "delta_auc", "random", "random"]
    one = table[(table["k"] == 1) & (table["method"] != "random")]
    assert one["subset"].nunique() == 1
    assert one["validation_auc"].nunique() == 1
    assert {path.name for path in (reduced / "subsets").iterdir()} == set(table["subset"])
    assert table["subset"].nunique() == 5
    for row in table.itertuples():
        model = load(reduced / "subsets" / str(row.subset))
        assert " ".join(model.columns) == row.features
        assert len(model.columns) == row.k
        assert model.training["validation_auc"] == pytest.approx(row.validation_auc)
        assert (reduced / "subsets" / str(row.subset) / "history.csv").exists()
    assert one["validation_auc"].iloc[0] > 0.95


def test_a_reduced_model_equals_one_trained_alone_on_these_columns(reduced: Path, toy: Path) -> None:
    """The columns cut out of the table in memory are those of the files, scaled alike."""
    table = pd.read_csv(reduced / "subsets.csv")
    model = load(reduced / "subsets" / table["subset"][1])
    observables = pd.read_parquet(toy / "validation.parquet")
    whole = load(toy / "mbns1").scaling["table"]
    for i, name in enumerate(model.columns):
        at = whole["columns"].index(name)
        assert model.scaling["table"]["mean"][i] == pytest.approx(whole["mean"][at])
    output = model.outputs(model.inputs(None, observables))
    assert np.corrcoef(output, observables["label"])[0, 1] > 0.8


def test_a_killed_run_trains_only_what_is_missing_and_ends_with_the_same_bytes(
    toy: Path, table: Path, reduced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []
    original = retraining.fit

    def counting(*args: object, **kwargs: object) -> object:
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(str(args[-1]))
        return original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(retraining, "fit", counting)
    assert reduce(toy, table, tmp_path / "out", "--checkpoint", f"{tmp_path}/checkpoint") == 130
    assert not (tmp_path / "out").exists()
    first, trained = trained, []
    assert reduce(toy, table, tmp_path / "out", "--checkpoint", f"{tmp_path}/checkpoint") == 0
    assert len(first) == 3
    assert len(trained) == 2
    assert not set(first) & set(trained)
    for path in sorted(reduced.rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "out" / path.relative_to(reduced)).read_bytes(), path.name
    assert not list((tmp_path / "checkpoint").iterdir())


def test_other_settings_do_not_take_what_was_done(
    toy: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining.Retraining, "clean", lambda self, names: None)
    more = ["--methods", "shap", "--k", "1", "--random", "0", "--checkpoint", f"{tmp_path}/checkpoint"]
    assert reduce(toy, table, tmp_path / "a", *more) == 0
    assert reduce(toy, table, tmp_path / "b", *more, "--learning-rate", "3e-2") == 0
    losses = [pd.read_csv(next((tmp_path / name / "subsets").iterdir()) / "history.csv") for name in "ab"]
    assert (losses[0]["learning_rate"] == 1e-2).all()
    assert (losses[1]["learning_rate"] == 3e-2).all()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--k", "40"], "ranking.csv: --k 40: there are 22 features to choose from"),
        (["--jets", "{toy}/test.h5", "--observables", "{toy}/test.parquet"], "test.h5: is the split 'test'"),
        (["--features", "kinematics", "--tagger", "pfn"], "there is no table to choose columns from"),
        (["--tagger", "xaug_dnn"], "ranking.csv: is of tagger mbns, not of xaug_dnn"),
        (["--seed", "7"], "ranking.csv: the ranking has no seed 7 of shap"),
        (["--methods", "--random", "0"], "--methods: name rankings to follow"),
    ],
)
def test_what_cannot_be_reduced_is_one_line(
    toy: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert reduce(toy, table, tmp_path / "out", *(word.format(toy=toy) for word in more)) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("glassjet reduce:")]
    assert len(error) == 1
    assert message in error[0]
    assert not (tmp_path / "out").exists()
