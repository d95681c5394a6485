"""Facts about published jets (arXiv:1902.09914, 2202.03772, 1810.05165), where pieces lie beside the project."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pytest
import uproot
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from glassjet.jets.published import importing, top_reference
from glassjet.jets.published.importing import Choice
from glassjet.jets.store import Jets, Ragged, concatenate, no_partons
from glassjet.observables.compute import observe
from glassjet.observables.kinematics import four_momenta
from tests.observables import fastjet_oracle

DATA = Path(__file__).parents[3] / "shared" / "data"
TOP = DATA / "top_reference" / "test_first2000.h5"
JETCLASS = DATA / "jetclass" / "jetclass_500.root"
QUARK_GLUON = DATA / "quark_gluon" / "QG_jets_2000.npz"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="needs the published jets")


def from_momenta(momenta: NDArray[np.float64], offsets: NDArray[np.int64]) -> Jets:
    """Jets of constituents (N, 4) of px, py, pz, E in GeV."""
    n = len(offsets) - 1
    px, py, pz, energy = momenta.T.astype(np.float64)
    pt = np.hypot(px, py)
    columns = {"pt": pt, "eta": np.arcsinh(pz / pt), "phi": np.arctan2(py, px), "energy": energy}
    jet: dict[str, NDArray[Any]] = {"label": np.zeros(n, np.int8), "event": np.arange(n), "weight": np.ones(n)}
    return Jets(jet, Ragged(offsets, columns), no_partons(n))


@pytest.fixture(scope="module")
def jets() -> Jets:
    return concatenate(list(importing.read(top_reference, [TOP], "test", Choice(("top",), ("qcd",)))))


@pytest.fixture(scope="module")
def table(jets: Jets) -> pd.DataFrame:
    return observe(jets, ("all",))


@pytest.mark.parametrize(
    ("name", "sign", "expected", "tolerance"),
    [("mass", 1, 0.912, 0.001), ("mass_softdrop", 1, 0.900, 0.001), ("tau32", -1, 0.855, 0.003)],
)
def test_discrimination_is_that_of_the_data_set(
    table: pd.DataFrame, name: str, sign: int, expected: float, tolerance: float
) -> None:
    assert roc_auc_score(table["label"], sign * table[name]) == pytest.approx(expected, abs=tolerance)


def test_the_top_quark_is_at_its_mass(table: pd.DataFrame) -> None:
    top = table[table["label"] == 1]
    assert top["mass"].median() == pytest.approx(174, abs=1)
    counts, edges = np.histogram(top["mass_softdrop"], bins=50, range=(0, 250))
    assert edges[counts.argmax()] in (165, 170)


def test_every_value_of_real_jets_is_finite(table: pd.DataFrame) -> None:
    assert np.isfinite(table.to_numpy(np.float64)).all()
    assert table["pt"].between(549.9, 650.1).all()


@pytest.mark.parametrize(("power", "beta"), [("b05", 0.5), ("b10", 1.0), ("b20", 2.0)])
def test_tau_of_real_jets_is_that_of_fastjet_contrib(jets: Jets, table: pd.DataFrame, power: str, beta: float) -> None:
    some = jets.take(np.arange(300))
    momenta, offsets = four_momenta(some.constituents), some.constituents.offsets
    pt = table["pt"].to_numpy()[:300, None]
    names = [f"tau{order}_{power}_kt" for order in range(1, 9)]
    expected = fastjet_oracle.njettiness(momenta, offsets, "KT_Axes", list(range(1, 9)), beta) / pt
    np.testing.assert_allclose(table[names].to_numpy()[:300], expected, rtol=1e-11)
    names = [f"tau{order}_{power}" for order in (1, 2, 3)]
    expected = fastjet_oracle.njettiness(momenta, offsets, "OnePass_WTA_KT_Axes", [1, 2, 3], beta) / pt
    found = table[names].to_numpy()[:300]
    assert (found <= expected * (1 + 1e-6)).all()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_jetclass_has_its_particles_at_their_masses() -> None:
    """Medians of the soft-drop mass by class, and the window of pT."""
    tree = uproot.open(JETCLASS)["tree"]
    axes = ("px", "py", "pz", "energy")
    parts = [tree[f"part_{axis}"].array() for axis in axes]
    offsets = np.concatenate([[0], np.cumsum(np.asarray(ak.num(parts[0])))]).astype(np.int64)
    jets = from_momenta(np.stack([np.asarray(ak.flatten(part)) for part in parts], axis=1), offsets)
    table = observe(jets, ("all",))
    assert np.isfinite(table.to_numpy(np.float64)).all()
    assert table["pt"].between(499, 998).all()
    # 166.5 GeV is the top quark's after clustering again with anti-kT of R = 0.8, which splits an eighth of the jets
    for label, median in {"Wqq": 80.0, "Zqq": 88.5, "Hbb": 116.4, "Tbqq": 167.1, "QCD": 33.0}.items():
        own = ak.to_numpy(tree[f"label_{label}"].array()).astype(bool)
        assert table["mass_softdrop"][own].median() == pytest.approx(median, abs=0.5), label


def test_quark_and_gluon_jets_lie_in_their_window_and_gluons_are_wider() -> None:
    with np.load(QUARK_GLUON, allow_pickle=False) as file:
        padded, quark = file["X"], file["y"].astype(int)
    there = padded[:, :, 0] > 0
    pt, y, phi = padded[there][:, :3].T
    momenta = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(y), pt * np.cosh(y)], axis=1)
    table = observe(from_momenta(momenta, np.concatenate([[0], np.cumsum(there.sum(axis=1))])), ("all",), radius=0.4)
    assert np.isfinite(table.to_numpy(np.float64)).all()
    assert table["pt"].between(499.9, 550.1).all()
    assert table["rapidity"].abs().max() < 1.7 + 1e-3
    assert (int(quark.sum()), len(quark)) == (990, 2000)
    for name in ("multiplicity", "width", "lha", "c2_b05", "mass"):  # arXiv:1408.3122, arXiv:1305.0007
        assert roc_auc_score(1 - quark, table[name]) > 0.65, name
    assert roc_auc_score(quark, table["ptd"]) > 0.65
