"""One jet drawn from files, end to end, and what is said if it is not there."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from glassjet.cli.main import main
from glassjet.cli.show import one_jet
from glassjet.figures.jet import OneJet, draw, parton_name
from glassjet.jets import store


def attribution(study: Path, tagger: str, method: str = "lrp_recommended") -> Path:
    return study / "attributions" / "top" / tagger / "seed1" / "top" / f"{method}.h5"


@pytest.mark.parametrize("tagger", [None, "pfn/kinematics", "mbns/mbns", "xaug_image/image+xaug29"])
def test_a_jet_is_drawn_for_every_kind_of_input(tagger: str | None, study: Path, tmp_path: Path) -> None:
    given = ["--attribution", str(attribution(study, tagger))] if tagger else []
    jets = study / "jets" / "top" / "explain.h5"
    assert main(["show", "--jets", str(jets), "--jet", "7", "--out", str(tmp_path / "jet.png"), *given]) == 0
    assert (tmp_path / "jet.png").stat().st_size > 10_000


def test_a_jet_is_drawn_twice_alike(study: Path, tmp_path: Path) -> None:
    jets = study / "jets" / "top" / "explain.h5"
    for name in ("one.pdf", "two.pdf"):
        assert main(["show", "--jets", str(jets), "--jet", "7", "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def refused(arguments: list[str], study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    out = tmp_path / "jet.pdf"
    jets = str(study / "jets" / "top" / "explain.h5")
    assert main(["show", "--jets", jets, "--out", str(out), *arguments]) == 2
    assert not out.exists()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_jet_that_is_not_in_the_file(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "has the jets 0 to 239" in refused(["--jet", "240"], study, tmp_path, capsys)
    assert "has the jets 0 to 239" in refused(["--jet", "-1"], study, tmp_path, capsys)


def test_a_jet_that_is_not_explained(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--jet", "200", "--attribution", str(attribution(study, "mbns/mbns"))]
    assert "explains 120 jets, of the rows 0 to 119" in refused(given, study, tmp_path, capsys)


def test_an_attribution_of_other_jets(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jets = str(study / "jets" / "top" / "test.h5")
    given = ["show", "--jets", jets, "--jet", "3", "--attribution", str(attribution(study, "mbns/mbns"))]
    assert main([*given, "--out", str(tmp_path / "jet.pdf")]) == 2
    assert "was not made from" in capsys.readouterr().err


def test_the_jet_is_drawn_about_its_axis_across_the_seam_of_phi() -> None:
    flat = {"pt": np.array([30.0, 10.0]), "eta": np.array([1.1, 0.9]), "phi": np.array([3.1, -3.1])}
    flat["energy"] = flat["pt"]
    columns = {"eta": np.ones(1, "f4"), "phi": np.full(1, 3.14, "f4"), "pt": np.full(1, 40.0), "mass": np.full(1, 30.0)}
    partons = {name: values[:1] for name, values in flat.items()} | {"pdgid": np.array([-5])}
    jets = store.Jets(columns, store.Ragged(np.array([0, 2]), flat), store.Ragged(np.array([0, 1]), partons))
    jet = one_jet(jets, {"radius": 0.8}, "a jet")
    assert jet.delta_phi == pytest.approx([-0.04, 0.0432], abs=1e-3)
    assert jet.delta_eta == pytest.approx([0.1, -0.1])
    energy, pz = np.sqrt(40**2 * np.cosh(1) ** 2 + 30**2), 40 * np.sinh(1)
    assert jet.shift == pytest.approx(0.5 * np.log((energy + pz) / (energy - pz)) - 1)
    assert jet.partons[0][2] == -5
    assert one_jet(jets, {}, "").radius is None


def test_colours_are_symmetric_and_areas_follow_pt() -> None:
    jet = OneJet(np.array([0.0, 0.1]), np.array([0.0, 0.2]), np.array([10.0, 90.0]), [(0.1, 0.1, 5)], 0.8, 0.0, "a jet")
    figure = draw(jet, np.array([-1.0, 0.5]))
    points = figure.axes[0].collections[0]
    assert isinstance(points, PathCollection)
    assert points.get_clim() == (-1.0, 1.0)
    assert points.get_sizes()[0] == pytest.approx(9 * points.get_sizes()[1])
    assert np.asarray(points.get_array()).tolist() == [0.5, -1.0]  # the hard constituent first
    assert figure.axes[0].get_xlabel() == r"$\Delta\eta$"
    assert {"b"} <= {text.get_text() for text in figure.axes[0].texts}


def test_partons_have_their_symbols() -> None:
    assert parton_name(21) == "g"
    assert parton_name(5) == "b"
    assert parton_name(-5) == r"$\bar{\mathrm{b}}$"
    assert parton_name(9999) == "9999"
