"""Facts about the published top jets (arXiv:1902.09914), where a piece of the data set lies beside the project."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from glassjet.jets import top_reference
from glassjet.jets.store import Jets, concatenate
from glassjet.observables.compute import observe
from glassjet.observables.kinematics import four_momenta
from tests.observables import fastjet_oracle

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "top_reference" / "test_first2000.h5"
pytestmark = pytest.mark.skipif(not PUBLISHED.exists(), reason="needs the published top jets")


@pytest.fixture(scope="module")
def jets() -> Jets:
    return concatenate(list(top_reference.chunks(PUBLISHED, "test", 2000)))


@pytest.fixture(scope="module")
def table(jets: Jets) -> pd.DataFrame:
    return observe(jets, ("xaug29", "mbns"))


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
    for axes, names in (
        ("OnePass_WTA_KT_Axes", [f"tau{order}_{power}" for order in (1, 2, 3)]),
        ("KT_Axes", [f"mbns_tau{order}_{power}" for order in (1, 2, 3, 4, 5, 6)]),
    ):
        expected = fastjet_oracle.njettiness(momenta, offsets, axes, list(range(1, len(names) + 1)), beta) / pt
        np.testing.assert_allclose(table[names].to_numpy()[:300], expected, rtol=1e-9, atol=1e-7 if beta < 1 else 1e-12)
