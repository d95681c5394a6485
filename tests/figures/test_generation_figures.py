"""The figures of the generation: their tables by another way, and the notebook on made-up jets."""

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, kstest

from glassjet.errors import InputError
from glassjet.figures import comparison, displaced, generation, histograms, inventory, names, spectra, style, variations
from glassjet.figures.samples import Sample, read_samples
from glassjet.jets import store
from tests.figures.conftest import JETS, METADATA, made_up_jets, made_up_observables

NOTEBOOK = Path(__file__).parents[2] / "workflow" / "notebooks" / "generation.ipynb"
CUTFLOW = {"events": 1000, "leading_jet_in_pt_window": 200, "acceptance": 150, "jets": 120}
IN_PB = {"events": 50.0, "leading_jet_in_pt_window": 4.0, "acceptance": 2.0, "jets": 2.0}
CARD = METADATA | {
    "card": "top",
    "signal_resonance": 6,
    "signal_pthat": [100.0, 900.0],
    "background_pthat": [250.0, 900.0],
    "signal_pthat_power": 3.0,
    "background_pthat_power": 4.5,
    "detector": False,
    "cutflow": {"signal": CUTFLOW | {"matched": 120}, "background": CUTFLOW},
    "cutflow_pb": {"signal": IN_PB | {"matched": 1.5}, "background": IN_PB},
    "cross_sections": {role: {"selected_cross_section_pb": 2.0} for role in ("signal", "background")},
}
NARROW: dict[str, Any] = {f"{role}_pthat": [450.0, 800.0] for role in ("signal", "background")}
NARROW |= {f"{role}_pthat_power": 0.0 for role in ("signal", "background")}
PUBLISHED = {key: METADATA[key] for key in ("level", "signal", "background", "radius")}
OTHERS = ("top_narrow", "top_detector", "h_bb", "truth", "toy", "published")
MADE_UP = ("top", *OTHERS)


def with_tracks(jets: store.Jets, random: np.random.Generator) -> store.Jets:
    """Jets whose every second constituent has a track, and one in two a secondary vertex."""
    n = len(jets.constituents.columns["pt"])
    error = np.where(np.arange(n) % 2, 0.02, 0.0)
    tracks = {"d0": random.normal(0, 2, n) * error, "z0": random.normal(0, 3, n) * error}
    constituents = replace(
        jets.constituents, columns=jets.constituents.columns | tracks | {"d0_error": error, "z0_error": error}
    )
    counts = np.arange(JETS) % 4 // 2
    total = int(counts.sum())
    vertices = {
        "tracks": random.integers(2, 6, total),
        "mass": random.uniform(0.5, 5, total),
        "pt": random.uniform(20, 100, total),
        "d3d": random.uniform(0.5, 30, total),
        "d3d_error": np.full(total, 0.1),
    }
    return replace(jets, constituents=constituents, vertices=store.Ragged(np.append(0, np.cumsum(counts)), vertices))


def with_truth(jets: store.Jets, random: np.random.Generator) -> store.Jets:
    """Jets with true production vertices, of which half are the collision."""
    n = len(jets.constituents.columns["pt"])
    place = np.where(random.random(n) < 0.5, 0.0, random.exponential(1, n))
    truth = {"d0": place, "z0": place, "charge": np.ones(n, np.int8)}
    return replace(jets, constituents=replace(jets.constituents, columns=jets.constituents.columns | truth))


def made_up(name: str) -> tuple[store.Jets, dict[str, Any]]:
    """Jets of a sample, and what its file says of itself."""
    random = np.random.default_rng(len(name))
    seed = 0 if name == "top_detector" else MADE_UP.index(name)  # a detector sees the events of the nominal sample
    jets = made_up_jets(seed)
    event = 1000 * seed + np.arange(JETS) // 2 + JETS * (np.arange(JETS) % 2)  # even and odd ones in both classes
    jets = replace(jets, columns=jets.columns | {"event": event})
    pthat = np.random.default_rng(seed).uniform(450, 800, JETS).astype("f4")
    pthat = pthat if name == "top_narrow" else np.where(np.arange(JETS) % 5, pthat, 300).astype("f4")
    generated = replace(jets, columns=jets.columns | {"pthat": pthat})
    match name:
        case "h_bb":
            return with_tracks(generated, random), CARD | {"card": "h_bb", "signal": "zh_bb", "signal_resonance": 25}
        case "truth":
            return with_truth(generated, random), CARD | {"card": "own", "signal": "mine", "signal_resonance": 0}
        case "toy":
            return jets, {"level": "toy", "signal": "two_prong", "background": "toy_background"}
        case "published":
            return jets, PUBLISHED
        case "top_narrow":
            return generated, CARD | NARROW
    return generated, CARD | {"detector": name == "top_detector"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """results/<study> with made-up samples of every kind."""
    place = tmp_path_factory.mktemp("generation")
    for number, name in enumerate(MADE_UP):
        jets, metadata = made_up(name)
        path = place / "jets" / name / "explain.h5"
        with store.writing(path, metadata | {"sample": name, "split": "explain"}, "{}") as writer:
            writer.append(jets)
        table = place / "observables" / name / "explain.parquet"
        table.parent.mkdir(parents=True)
        made_up_observables(jets, number).to_parquet(table)
    return place


@pytest.fixture(scope="module")
def samples(root: Path) -> dict[str, Sample]:
    read = read_samples(root, [f"{name}/explain" for name in MADE_UP], 1000)
    return {sample.name: sample for sample in read}


def test_samples_are_read_and_named(root: Path) -> None:
    one, two = read_samples(root, ["top/explain", "top/explain"], 100)
    assert (one.name, len(one.jets), len(one.observed)) == ("top_explain", 100, 100)
    assert two.classes == ("QCD", names.CLASS_NAMES["top"])
    for wrong in ("top", "top/all", "/explain"):
        with pytest.raises(InputError, match="write it as sample/split"):
            read_samples(root, [wrong], 100)


def test_observables_of_other_jets_are_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "jets").symlink_to(root / "jets")
    (tmp_path / "observables" / "top").mkdir(parents=True)
    (tmp_path / "observables" / "top" / "explain.parquet").symlink_to(root / "observables" / "toy" / "explain.parquet")
    with pytest.raises(InputError, match="of other jets"):
        read_samples(tmp_path, ["top/explain"], 100)


def test_entries_of_one_jet_have_one_error() -> None:
    edges = np.array([0.0, 1.0, 2.0])
    values, weight, owner = np.array([0.5, 0.5, 1.5, 5.0]), np.array([2.0, 2.0, 1.0, 3.0]), np.array([0, 0, 1, 2])
    table = histograms.histogram(values, weight, edges, owner)
    assert table["share"].tolist() == pytest.approx([4 / 8, 1 / 8])  # also of the entry outside
    assert table["error"].tolist() == pytest.approx([4 / 8, 1 / 8])  # the two of jet 0 fluctuate together
    alone = histograms.histogram(values, weight, edges)
    assert alone["error"].tolist() == pytest.approx([np.sqrt(8) / 8, 1 / 8])
    logarithmic = histograms.histogram(values + 1, weight, edges + 1, logarithmic=True)
    assert logarithmic["density"].iloc[0] == pytest.approx(4 / 8 / np.log(2))


def test_spectra_hold_their_classes(samples: dict[str, Sample]) -> None:
    table = spectra.spectra(samples["top"])
    assert table.groupby(["variable", "label"])["share"].sum().between(0.95, 1 + 1e-9).all()
    numbers = table[table["variable"] == "multiplicity"]
    assert np.allclose(numbers["low"] % 1, 0.5)


def test_a_narrow_peak_gets_narrow_bins() -> None:
    random = np.random.default_rng(1)
    label = np.repeat([0, 1], 2000).astype(np.int8)
    values = np.concatenate([random.uniform(0, 300, 2000), random.normal(80, 5, 2000)])
    width = np.diff(histograms.edges_for(values, label, np.ones(4000)))[0]
    assert 2 < width < 6
    smooth = np.diff(histograms.edges_for(values, np.tile(label[::2000], 2000), np.ones(4000)))[0]
    assert smooth > 2 * width


def test_cutflow_is_a_fraction_of_the_cross_section(samples: dict[str, Sample]) -> None:
    table = inventory.cutflow(samples["top"])
    stages = ["events", "leading_jet_in_pt_window", "acceptance"]
    assert table["stage"].tolist() == [*stages, *stages, "matched"]
    assert table["fraction"].tolist() == pytest.approx([1, 0.08, 0.04, 1, 0.08, 0.04, 0.03])
    assert table["error"].iloc[1] == pytest.approx(0.08 * np.sqrt(0.92 / 200))  # equal weights
    assert inventory.cutflow(samples["published"]).empty


def test_weights_of_a_sample(samples: dict[str, Sample]) -> None:
    table = inventory.weights(samples["top"])
    assert table["effective"].tolist() == pytest.approx([JETS / 2, JETS / 2])
    assert table["selected_pb"].tolist() == [2.0, 2.0]
    assert (table["auc_pt_training"] - 0.5).abs().max() < 0.03 + 3 * table["auc_pt_training_error"].max()
    size = samples["top"].path.stat().st_size
    assert table["mb_per_100k"].iloc[0] == pytest.approx(size / 1e6 / JETS * 1e5)
    published = inventory.weights(samples["published"])
    assert published[["selected_pb", "at_edge"]].isna().all(axis=None)


def test_modes_and_medians_follow_the_weights() -> None:
    random = np.random.default_rng(2)
    values = np.concatenate([random.normal(80, 4, 3000), random.exponential(60, 3000) + 80])
    assert abs(inventory.mode(values, np.ones(6000)) - 81) < 3
    weight = random.integers(0, 4, 6000)
    assert inventory.mode(values, weight.astype(float)) == inventory.mode(
        np.repeat(values, weight), np.ones(weight.sum())
    )
    assert histograms.quantile(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 5.0]), 0.5) == 3


def test_peaks_are_beside_the_mass_of_the_resonance(samples: dict[str, Sample]) -> None:
    table = inventory.peaks(samples["top"], replicas=20)
    assert set(table["pdg"]) == {172.6}
    mass = table[table["variable"] == "mass"]
    assert (mass["value"] - 170).abs().max() < 15
    assert (mass["low"] < mass["high"]).all()
    assert names.resonances(samples["published"].metadata) == {"t": 172.6, "W": 80.4}
    assert inventory.peaks(samples["toy"]).empty


def test_chi2_by_hand() -> None:
    first = (np.array([10.0, 20.0]), np.array([10.0, 20.0]))
    second = (np.array([20.0, 10.0]), np.array([20.0, 10.0]))
    expected = 10**2 / 30 + 10**2 / 30  # the totals are equal
    assert comparison.chi2_test(first, second) == pytest.approx((expected, 1, chi2.sf(expected, 1)))
    heavy = (3 * second[0], 9 * second[1])
    assert comparison.chi2_test(first, heavy) == pytest.approx((expected, 1, chi2.sf(expected, 1)), rel=1e-6)
    same = comparison.chi2_test(first, (2 * first[0], 4 * first[1]))
    assert same == pytest.approx((0, 1, 1), abs=1e-6)


def test_p_values_of_equal_samples_are_uniform() -> None:
    """300 pairs with weights that differ from bin to bin, in which a fixed normalisation rejects too often.

    Tolerance: Kolmogorov and Smirnov at 1%, and 5% +- 4 sigma of rejections at the 5% level.
    """
    random = np.random.default_rng(3)

    def sample(n: int) -> histograms.Weighted:
        x = np.exp(random.uniform(0, 3, n))
        return x * np.exp(random.normal(0, 0.3, n)), x**-2.7

    found = []
    for _ in range(300):
        both = [sample(1500), sample(900)]
        edges = histograms.merged(np.exp(np.linspace(0, 3, 9)), both)
        first, second = (histograms.contents(*one, edges) for one in both)
        found.append(comparison.chi2_test(first, second)[2])
    assert kstest(found, "uniform").pvalue > 0.01
    assert abs(np.mean(np.array(found) < 0.05) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 300)


def test_merged_bins_are_full() -> None:
    random = np.random.default_rng(4)
    both = [(random.exponential(1, n), random.uniform(0.5, 2, n)) for n in (300, 500)]
    edges = histograms.merged(np.linspace(0, 6, 31), both)
    assert 5 < len(edges) < 31
    assert (edges[0], edges[-1]) == (0, 6)
    for values, weight in both:
        w, s = histograms.contents(values, weight, edges)
        assert (w**2 / s).min() >= histograms.FULL
        assert w.sum() == pytest.approx(weight.sum())  # what lies beyond belongs to the outermost bins
    assert histograms.merged(np.linspace(0, 6, 31), [(np.ones(5), np.ones(5))]).tolist() == [0, 6]


def test_groups_are_cards_and_published_samples(samples: dict[str, Sample]) -> None:
    found = comparison.groups(list(samples.values()))
    assert [(group.name, group.reference.name) for group in found] == [("top", "top"), ("published", "published")]
    assert [one.name for one in found[1].others] == ["top", "top_narrow", "top_detector"]


def test_comparisons_say_what_differs(samples: dict[str, Sample]) -> None:
    group = comparison.groups(list(samples.values()))[0]
    table = comparison.pairwise_tests(group, ["pt", "multiplicity"])
    assert table["p_value"].between(0, 1).all()
    narrow, seen = (table[table["sample"] == name] for name in ("top_narrow", "top_detector"))
    assert set(narrow["range"]) == {"all", "common"}
    assert set(narrow["differs"]) == {"pthat 450-800, pthat_power 0"}
    whole, common = (narrow[narrow["range"] == name]["effective_reference"].iloc[0] for name in ("all", "common"))
    assert (whole, common) == pytest.approx((JETS / 2, 0.8 * JETS / 2))
    assert set(seen["differs"]) == {"detector on"}
    assert set(seen["shared"]) == {1.0}
    assert set(narrow["shared"]) == {0.0}


def test_shared_events_are_compared_in_halves(samples: dict[str, Sample]) -> None:
    group = comparison.Group("top", samples["top"], [samples["top_detector"]])
    table = comparison.pairwise_tests(group)
    assert table["effective_reference"].tolist() == pytest.approx([JETS / 4] * len(table))
    assert table["effective_sample"].tolist() == pytest.approx([JETS / 4] * len(table))


def test_ratios_of_a_sample_to_itself_are_one(samples: dict[str, Sample]) -> None:
    table = comparison.ratios(comparison.Group("top", samples["top"], [samples["top"]]))
    assert table["ratio"].to_numpy() == pytest.approx(1)
    assert (table["error"] > 0).all()


def test_tracks_are_counted(samples: dict[str, Sample]) -> None:
    sample = samples["h_bb"]
    values = displaced.track_values(sample)
    error = sample.jets.constituents.columns["d0_error"]
    far = sample.jets.constituents.columns["d0"] > displaced.DISPLACED * error
    assert values["tracks"][0].sum() == (error > 0).sum() == len(values["d0_significance"][0])
    assert values["displaced"][0].sum() == (far & (error > 0)).sum()
    assert displaced.has_tracks(sample)
    assert not displaced.has_tracks(samples["top"])
    assert displaced.vertex_values(sample)["vertices"][0].sum() == JETS // 2
    truth = displaced.tables(samples["truth"], displaced.truth_values(samples["truth"]))
    shares = truth.groupby(["variable", "label"])["share"].sum()
    assert shares.between(0.4, 0.6).all()  # the rest comes from the collision


def test_density_labels_have_the_units_of_one_over_x() -> None:
    assert generation.density_label("$m$ [GeV]").endswith("$ [1/GeV]")
    assert r"\mathrm{d}\ln |d_0|" in generation.density_label("$|d_0|$ [mm]", logarithmic=True).replace(
        "{d}\\", "{d}\\"
    )
    assert "(d_0/\\sigma)" in generation.density_label(r"signed $d_0/\sigma$")


def test_masses_are_marked_where_they_belong(samples: dict[str, Sample]) -> None:
    table = spectra.spectra(samples["top"])
    figure = generation.by_class(table, {}, ("QCD", "top"), masses={"t": 172.6, "W": 1e6})
    axis = figure.axes[1]
    assert [text.get_text() for text in axis.texts] == ["$m_t$ = 172.6 GeV"]
    assert axis.get_xlim()[0] < 172.6 < axis.get_xlim()[1]
    assert not figure.axes[0].texts


def test_far_ratios_are_logarithmic() -> None:
    rows = [
        {"sample": sample, "label": label, "variable": variable, "low": low, "high": low + 1, "ratio": ratio}
        for sample, change in (("top", 1.0), ("other", 5.0))
        for label in (0, 1)
        for variable, ratio in (("pt", 1.0), ("mass", change))
        for low in (0, 1)
    ]
    table = pd.DataFrame(rows).assign(error=0.1)
    labels = {"pt": "a", "mass": "b"}
    figure = variations.variations(table, {"top": "top", "other": "other"}, labels, ("QCD", "top"))
    assert [axis.get_yscale() for axis in figure.axes] == ["linear", "linear", "log", "log"]
    assert figure.axes[2].get_ylim()[1] > 5.1


def execute(root: Path, out: Path, shown: list[str]) -> None:
    """The notebook's cells in this process, where a kernel's start would cost seconds."""
    scope: dict[str, Any] = {"display": lambda *shown: None}
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        exec(compile(cell.source, NOTEBOOK.name, "exec"), scope)
        if "parameters" in cell.metadata.get("tags", []):
            scope |= {"results": str(root), "out_figures": str(out / "figures"), "out_tables": str(out / "tables")}
            scope |= {"samples": shown, "limit": 200}


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("shown", [MADE_UP, ("toy",), ("published",)])
def test_every_cell_passes(shown: tuple[str, ...], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: dict[str, Any] = {}

    def save(figure: Any, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path.with_suffix(".png"), dpi=20)
        saved[path.name] = figure
        return path.with_suffix(".png")

    monkeypatch.setattr(style, "save", save)
    with contextlib.redirect_stdout(io.StringIO()):
        execute(root, tmp_path, [f"{name}/explain" for name in shown])
    expected = {"average_images", *(f"spectra_{name}" for name in shown)}
    if shown == MADE_UP:
        expected |= {"background_rho", "cutflow", "tracks_h_bb", "vertices_h_bb", "production_truth"}
        expected |= {"variations_top", "variations_published"}
        expected |= {f"hard_process_{name}" for name in MADE_UP if name not in ("toy", "published")}
    if shown == ("published",):
        expected |= {"background_rho"}
    assert set(saved) == expected
    for name, figure in saved.items():
        for axis in figure.axes:
            drawn = [*axis.lines, *axis.patches, *axis.images, *axis.collections]
            assert drawn, f"an empty panel in {name}"
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "tables").glob("*.csv")}
    assert {"spectra", "average_images", "weights"} <= set(tables)
    for name, table in tables.items():
        assert len(table), name
        assert not np.isinf(table.select_dtypes(float)).any(axis=None), name


def test_the_notebook_is_stored_without_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    assert [("parameters" in cell.metadata.get("tags", [])) for cell in cells].count(True) == 1
