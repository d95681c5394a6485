"""The house style: equal figures give equal bytes, names and colours are the same everywhere."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from glassjet.errors import InputError
from glassjet.figures import names, style


@style.house
def line(slope: float = 1.0) -> Figure:
    figure, axes = style.grid(3, 2, 1.5)
    for axis in axes:
        axis.plot([0, 1], [0, slope], label=r"$p_T$ [GeV]")
    style.header(figure, "top, particle level")
    return figure


def test_equal_figures_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        style.save(line(), tmp_path / name)
    style.save(line(slope=2), tmp_path / "other")
    for suffix in (".pdf", ".png"):
        first, second, other = (
            tmp_path.joinpath(name).with_suffix(suffix).read_bytes() for name in ("one", "two", "other")
        )
        assert first == second
        assert first != other
    assert b"CreationDate" not in (tmp_path / "one.pdf").read_bytes()


def test_names_with_dots_keep_them(tmp_path: Path) -> None:
    assert style.save(line(), tmp_path / "k0.5") == tmp_path / "k0.5.png"
    assert {path.name for path in tmp_path.iterdir()} == {"k0.5.pdf", "k0.5.png"}


def test_the_house_style_ends_with_the_figure() -> None:
    mpl.rcParams["xtick.direction"] = "out"
    axis = line().axes[0]
    assert axis.xaxis.get_major_ticks()[0].get_tickdir() == "in"
    assert mpl.rcParams["xtick.direction"] == "out"


def test_a_grid_has_no_empty_axes() -> None:
    assert len(line().axes) == 3


def test_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"jet\.gif: a figure is written as \.pdf or \.png"):
        style.write(line(), tmp_path / "jet.gif")


def test_provenance_stands_in_the_files(tmp_path: Path) -> None:
    style.write(line(), tmp_path / "one.png", provenance="made by hand")
    style.write(line(), tmp_path / "one.pdf", provenance="made by hand")
    assert b"made by hand" in (tmp_path / "one.png").read_bytes()
    assert b"made by hand" in (tmp_path / "one.pdf").read_bytes()


def test_colour_says_the_tagger_and_line_its_inputs() -> None:
    both = [("xaug_image", "image"), ("xaug_image", "image+xaug29")]
    styles = style.tagger_styles([("mbns", "mbns"), *both, ("mine", "a"), ("yours", "a")])
    plain, augmented = styles[both[0]], styles[both[1]]
    assert plain["color"] == augmented["color"]
    assert plain["linestyle"] != augmented["linestyle"]
    colours = {each["color"] for each in styles.values()}
    assert len(colours) == 4


def test_names_of_taggers_and_samples() -> None:
    assert names.tagger_name("mbns", "mbns") == "MBNS"
    assert names.tagger_name("xaug_image", "image+xaug29") == "CNN (image + 29 XAUG)"
    assert names.tagger_name("my_tagger", "tracks") == "my tagger (tracks)"
    known = {"sample": "top", "level": "particle", "sqrts": 14000.0, "radius": 0.8, "pt": [550.0, 650.0]}
    expected = r"top, particle level, $\sqrt{s}$ = 14 TeV, anti-$k_T$ $R$ = 0.8, 550 < $p_T$ < 650 GeV"
    assert names.sample_line(known) == expected
    assert names.sample_line({"sample": "top_reference"}) == "top reference"
    assert names.class_names({"signal": "top", "background": "qcd"}) == ("QCD", r"$t\to bq\bar{q}^\prime$")


def test_labels_of_features_lose_units_and_remarks() -> None:
    labels = {"pt": r"$p_T$ [GeV]", "tau1_b10_kt": r"$\tau_1^{(1)}$ ($k_T$ axes)"}
    assert names.feature_label("pt", labels) == r"$p_T$"
    assert names.feature_label("tau1_b10_kt", labels) == r"$\tau_1^{(1)}$"
    assert names.feature_label("noise_3", labels) == "noise 3"
    assert names.feature_label("delta_eta", labels) == r"$\Delta\eta$"
    assert names.feature_label("my_variable", labels) == "my variable"


def test_white_is_zero() -> None:
    norm = style.symmetric(np.array([-0.5, 2.0]))
    assert (norm.vmin, norm.vmax) == (-2.0, 2.0)
    assert norm(0.0) == 0.5
    assert style.symmetric(np.zeros(3))(0.0) == 0.5


def test_a_long_header_takes_two_lines() -> None:
    figure = Figure(figsize=(3.4, 2))
    style.header(figure, "an imported sample, detector level, anti-$k_T$ $R$ = 0.8, 550 < $p_T$ < 650 GeV, and more")
    assert figure.get_suptitle().count("\n") == 1
    style.header(figure, "top, particle level")
    assert "\n" not in figure.get_suptitle()
