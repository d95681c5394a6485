"""Expert variables: their tables by another way, and the notebook on made-up jets."""

import contextlib
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from glassjet.errors import InputError
from glassjet.figures import histograms, lund, planes, separation, style, variables
from glassjet.figures.samples import Sample, read_samples
from glassjet.jets import store
from glassjet.jets.kinematics import cartesian
from glassjet.observables.registry import SETS
from glassjet.training.metrics import effective_number
from tests.figures.conftest import JETS, METADATA, made_up_jets, made_up_observables

NOTEBOOK = Path(__file__).parents[2] / "workflow" / "notebooks" / "variables.ipynb"
LACKING = ("tau3_b05", "tau7_b20_kt")


def write(place: Path, name: str, jets: store.Jets, observed: pd.DataFrame) -> None:
    """A sample's explain split in results/<study>."""
    path = place / "jets" / name / "explain.h5"
    with store.writing(path, METADATA | {"sample": name, "split": "explain", "signal_resonance": 6}, "{}") as writer:
        writer.append(jets)
    table = place / "observables" / name / "explain.parquet"
    table.parent.mkdir(parents=True)
    observed.to_parquet(table)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """results/<study> with a plain sample, and one that lacks variables and has peculiar ones."""
    place = tmp_path_factory.mktemp("variables")
    jets = made_up_jets(1)
    observed = made_up_observables(jets, 1)
    write(place, "top", jets, observed)
    random = np.random.default_rng(3)
    observed["z_subjets"] = 0.25  # constant
    observed["pull_angle"] = np.where(np.arange(JETS) % 3, 0.0, random.uniform(0, 3, JETS))  # most are zero
    observed["delta_r_subjets"] = random.integers(0, 4, JETS)  # whole numbers
    observed["beta3"] = 0  # a whole number that is constant
    observed["tau1_b20"] = np.exp(random.normal(-5, 2, JETS))  # orders of magnitude
    observed["tau2_b20"] = np.where(jets.columns["label"] == 1, 0.0, random.uniform(0, 1, JETS))  # a class at one value
    write(place, "odd", jets, observed.drop(columns=[*LACKING]))
    return place


@pytest.fixture(scope="module")
def samples(root: Path) -> dict[str, Sample]:
    return {one.name: one for one in read_samples(root, ["top/explain", "odd/explain"], 1000)}


def test_distributions_are_normalised_by_all_jets_of_the_class() -> None:
    random = np.random.default_rng(1)
    label = np.repeat([0, 1], [800, 400]).astype(np.int8)
    weight = np.where(label == 1, 1e-4, random.uniform(1, 3, 1200))
    values = random.normal(0, 1, 1200)
    table = separation.distribution(values, label, weight)
    for one, part in table.groupby("label"):
        own, share = values[label == one], weight[label == one]
        edges = np.append(part["low"], part["high"].iloc[-1])
        content = np.histogram(own, edges, weights=share)[0] / share.sum()
        squares = np.histogram(own, edges, weights=share**2)[0]
        assert part["share"].to_numpy() == pytest.approx(content)
        assert part["density"].to_numpy() == pytest.approx(content / np.diff(edges))
        assert part["error"].to_numpy() == pytest.approx(np.sqrt(squares) / share.sum() / np.diff(edges))
        assert 0.99 < part["share"].sum() <= 1 + 1e-9
        filled = [effective_number(share[(own >= a) & (own < b)]) for a, b in pairwise(edges)]
        full = np.array(filled) >= histograms.FULL * (1 - 1e-9)
        assert (full[1:] | full[:-1]).all()  # no two neighbours with few jets
    assert not table["logarithmic"].any()


def test_full_bins_stay_and_others_are_joined() -> None:
    counts = [3, 40, 0, 0, 20, 6, 6, 2, 1]
    values = np.repeat(np.arange(9) + 0.5, counts)
    edges = histograms.joined(np.arange(10.0), values, np.ones(len(values)))
    assert edges.tolist() == [0, 1, 2, 4, 5, 7, 9]
    assert histograms.joined(np.arange(10.0), values[:0], np.ones(0)).tolist() == [0, 9]
    assert histograms.joined(np.arange(3.0), np.repeat([0.5, 1.5], 10), np.ones(20)).tolist() == [0, 1, 2]


def test_many_jets_at_one_value_stand_apart() -> None:
    random = np.random.default_rng(2)
    label = np.repeat([0, 1], 500).astype(np.int8)
    weight = random.uniform(0.5, 2, 1000)
    values = random.uniform(0.1, 1, 1000)
    values[:100] = 0.0
    table = separation.distribution(values, label, weight)
    apart = table[table["low"] == table["high"]]
    assert apart["low"].tolist() == [0, 0]
    assert apart["share"].tolist() == pytest.approx([weight[:100].sum() / weight[:500].sum(), 0])
    assert apart["error"].iloc[0] == pytest.approx(np.sqrt((weight[:100] ** 2).sum()) / weight[:500].sum())
    bins = table[table["low"] < table["high"]]
    assert bins["low"].min() >= 0.1  # the others alone
    whole = table.groupby("label")["share"].sum()
    assert whole.between(0.98, 1 + 1e-9).all()
    assert separation.spike(np.round(values), label, weight) is None


def test_constants_and_whole_numbers_have_bins() -> None:
    label = np.repeat([0, 1], 50).astype(np.int8)
    weight = np.ones(100)
    constant = separation.distribution(np.full(100, 0.3), label, weight)
    assert constant[["low", "high", "share"]].to_numpy().tolist() == [[0.3, 0.3, 1.0]] * 2
    zero = separation.distribution(np.zeros(100), label, weight)
    assert zero[["low", "high", "share"]].to_numpy().tolist() == [[-0.5, 0.5, 1.0]] * 2
    rare = separation.distribution(np.where(np.arange(100) == 10, 0.0, 1.0), label, weight)
    assert rare[rare["label"] == 0]["share"].tolist() == pytest.approx([0.02, 0.98])
    numbers = separation.distribution(np.tile(np.arange(5.0), 20), label, weight)
    assert np.allclose(numbers["low"] % 1, 0.5)
    assert numbers["share"].to_numpy() == pytest.approx(0.2)


def test_orders_of_magnitude_are_logarithmic() -> None:
    random = np.random.default_rng(4)
    label = np.tile([0, 1], 500).astype(np.int8)
    values = np.exp(random.normal(-5, 2, 1000))
    table = separation.distribution(values, label, np.ones(1000))
    assert table["logarithmic"].all()
    width = np.log(table["high"] / table["low"])
    assert (table["density"] * width).to_numpy() == pytest.approx(table["share"].to_numpy())
    assert not separation.spreads(values - 1, np.ones(1000))  # negative ones
    assert not separation.spreads(np.linspace(1, 100, 1000), np.ones(1000))


def test_a_constant_correlates_with_nothing() -> None:
    table = pd.DataFrame({"a": np.arange(5.0), "b": -2 * np.arange(5.0), "c": np.ones(5)})
    found = separation.correlation(table, np.ones(5)).to_numpy()
    assert found == pytest.approx(np.array([[1, -1, np.nan], [-1, 1, np.nan], [np.nan] * 3]), nan_ok=True)


def test_weights_are_repetitions_in_a_correlation() -> None:
    random = np.random.default_rng(2)
    table = pd.DataFrame(random.normal(size=(50, 3)), columns=list("abc"))
    times = random.integers(1, 4, 50)
    found = separation.correlation(table, times.astype(float))
    assert found.to_numpy() == pytest.approx(table.loc[table.index.repeat(times)].corr().to_numpy())


def test_correlations_are_of_each_class(samples: dict[str, Sample]) -> None:
    table = separation.correlations(samples["top"], ["mass", "tau21"])
    observed = samples["top"].observed
    for one in (0, 1):
        own = table[table["label"] == one].set_index(["variable", "other"])["correlation"]
        expected = observed.loc[observed["label"] == one, ["mass", "tau21"]].corr()  # equal weights in a class
        assert own["mass", "tau21"] == pytest.approx(expected.loc["mass", "tau21"])
    assert table["effective"].to_numpy() == pytest.approx(JETS / 2)


def test_an_auc_is_a_share_of_pairs(samples: dict[str, Sample]) -> None:
    sample = samples["odd"]
    table = separation.alone(sample, ["mass", "delta_r_subjets", "z_subjets"], replicas=20).set_index("variable")
    for name in table.index:
        values = sample.column(name)
        signal, background = values[sample.of(1)][:, None], values[sample.of(0)][None, :]
        pairs = (signal > background) + 0.5 * (signal == background)  # equal weights in a class
        assert table.loc[name, "auc"] == pytest.approx(pairs.mean())
    assert (table.loc["z_subjets", ["auc", "low", "high"]].to_numpy() == 0.5).all()
    assert (table["low"] <= table["auc"]).all()
    assert (table["auc"] <= table["high"]).all()


def test_the_best_variables_separate_either_way() -> None:
    rows = [("a", "x", 0.6), ("a", "y", 0.1), ("a", "z", 0.7), ("b", "x", 0.5)]
    table = pd.DataFrame(rows, columns=["sample", "variable", "auc"]).assign(
        low=lambda t: t["auc"] - 0.01, high=lambda t: t["auc"] + 0.03
    )
    found = separation.best(table, 2)
    assert found["variable"].tolist() == ["y", "z", "x"]
    assert found["rises"].tolist() == [False, True, True]
    assert found[["auc", "low", "high"]].to_numpy()[0] == pytest.approx([0.9, 0.87, 0.91])


def test_lund_planes_hold_the_emissions(samples: dict[str, Sample]) -> None:
    sample = samples["top"]
    table = lund.planes(sample)
    found = lund.emissions(sample, chunk=7)
    for name in ("offsets", "delta", "kt"):  # chunks make no difference
        np.testing.assert_array_equal(getattr(found, name), getattr(lund.emissions(sample), name))
    jet = np.repeat(np.arange(JETS), np.diff(found.offsets))
    for one, part in table.groupby("label"):
        inside = (found.ln_inverse_delta >= part["x_low"].min()) & (found.ln_inverse_delta < part["x_high"].max())
        inside &= (found.ln_kt >= part["y_low"].min()) & (found.ln_kt < part["y_high"].max())
        mean = (inside & (sample.label[jet] == one)).sum() / (JETS / 2)  # equal weights in a class
        area = (part["x_high"] - part["x_low"]) * (part["y_high"] - part["y_low"])
        assert (part["density"] * area).sum() == pytest.approx(mean)
    full = table[table["effective"] >= histograms.FULL]
    assert (full["error"] <= full["density"] / np.sqrt(histograms.FULL) * (1 + 1e-9)).all()


def test_a_ratio_needs_jets_in_both_classes() -> None:
    cells = pd.DataFrame({"x_low": [0.0, 1.0], "x_high": [1.0, 2.0], "y_low": 0.0, "y_high": 1.0})
    planes_ = [
        cells.assign(label=0, density=[2.0, 1.0], error=[0.2, 0.5], effective=[100.0, 4.0]),
        cells.assign(label=1, density=[4.0, 1.0], error=[0.4, 0.1], effective=[100.0, 100.0]),
    ]
    found = lund.ratio(pd.concat(planes_))
    assert found["ratio"].tolist() == pytest.approx([2.0, np.nan], nan_ok=True)
    assert found["error"].iloc[0] == pytest.approx(2 * np.hypot(0.1, 0.1))


def test_two_branches_on_the_line_have_the_mass() -> None:
    pt, delta = 600.0, 0.3
    kt = float(lund.on_mass(80.4, pt, np.array([delta]))[0])
    z = kt / (pt * delta)
    both = {"pt": np.array([z * pt, (1 - z) * pt]), "eta": np.array([0.0, delta]), "phi": np.zeros(2)}
    momenta = cartesian(both | {"energy": both["pt"] * np.cosh(both["eta"])}).sum(axis=1)
    mass = np.sqrt(momenta[3] ** 2 - (momenta[:3] ** 2).sum())
    assert mass == pytest.approx(80.4, rel=0.01)  # small angles
    assert 0 < z <= 0.5
    assert np.isnan(lund.on_mass(80.4, pt, np.array([0.2]))).all()  # too near


@variables.house
def drawn(table: pd.DataFrame) -> Any:
    return variables.distributions(table, {}, ("QCD", "top"))


def test_a_share_at_one_value_is_written_above_its_panel(samples: dict[str, Sample]) -> None:
    figure = drawn(separation.distributions(samples["odd"], ["pull_angle", "mass", "z_subjets", "tau1_b20"]))
    texts = [[text.get_text() for text in axis.texts] for axis in figure.axes]
    assert texts[0] == ["67% at 0", "67% at 0"]
    assert texts[1] == []
    assert texts[2] == ["100% at 0.25", "100% at 0.25"]
    assert [axis.get_xscale() for axis in figure.axes] == ["linear", "linear", "linear", "log"]


def test_empty_planes_are_drawn() -> None:
    cells = pd.DataFrame({"x_low": [0.0, 1.0], "x_high": [1.0, 2.0], "y_low": 0.0, "y_high": 1.0})
    empty = cells.assign(density=0.0, error=0.0, effective=0.0)
    figure = planes.lund_planes(pd.concat([empty.assign(label=one) for one in (0, 1)]), ("QCD", "top"), pt=(5.0, 6.0))
    figure.draw_without_rendering()
    assert [axis.get_title() for axis in figure.axes[:3]] == ["QCD", "top", "top / QCD"]


def execute(root: Path, out: Path, **given: Any) -> None:
    """The notebook's cells in this process, where a kernel's start would cost seconds."""
    scope: dict[str, Any] = {"display": lambda *shown: None}
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        exec(compile(cell.source, NOTEBOOK.name, "exec"), scope)
        if "parameters" in cell.metadata.get("tags", []):
            scope |= {"results": str(root), "out_figures": str(out / "figures"), "out_tables": str(out / "tables")}
            scope |= {"limit": 200} | given


@pytest.mark.filterwarnings("error::UserWarning")
def test_every_cell_passes(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[str] = []

    def save(figure: Any, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path.with_suffix(".png"), dpi=20)
        saved.append(path.name)
        return path.with_suffix(".png")

    monkeypatch.setattr(style, "save", save)
    with contextlib.redirect_stdout(io.StringIO()):
        execute(root, tmp_path, samples=["top/explain", "odd/explain"], variables=["xaug29", "mbns"])
    kinds = ("variables", "correlations", "single_variable_auc")
    expected = {f"{kind}_{name}_{group}" for kind in kinds for name in ("top", "odd") for group in ("xaug29", "mbns")}
    expected |= {"best_variables", "lund_plane_top", "lund_plane_odd"}
    assert set(saved) == expected
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "tables").glob("*.csv")}
    assert set(tables) == expected
    for name, table in tables.items():
        assert len(table), name
        assert "sample" in table, name
        assert not np.isinf(table.select_dtypes(float)).any(axis=None), name
    assert set(tables["variables_top_xaug29"]["variable"]) == set(SETS["xaug29"])
    assert set(tables["variables_odd_xaug29"]["variable"]) == set(SETS["xaug29"]) - set(LACKING)
    assert tables["best_variables"].groupby("sample").size().tolist() == [10, 10]


def test_variables_that_no_table_has_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"name them in observables\.variables"):
        execute(root, tmp_path, samples=["top/explain"], variables=["displaced"])


def test_a_sample_of_one_class_is_refused(root: Path, tmp_path: Path) -> None:
    jets = made_up_jets(1)
    signal = np.flatnonzero(jets.columns["label"] == 1)
    write(tmp_path, "signal", jets.take(signal), made_up_observables(jets, 1).iloc[signal])
    with pytest.raises(InputError, match="holds only signal jets"):
        execute(tmp_path, tmp_path, samples=["signal/explain"])


def test_the_notebook_is_stored_without_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    assert [("parameters" in cell.metadata.get("tags", [])) for cell in cells].count(True) == 1
