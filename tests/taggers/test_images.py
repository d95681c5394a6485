import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.jets.store import Jets, Ragged, no_partons
from glassjet.taggers.images import images
from tests.taggers.synthetic import tagged_jets


def one_jet(constituents: list[tuple[float, float, float]], axes: list[float], two: bool) -> tuple[Jets, pd.DataFrame]:
    """A jet from (pt, eta, phi) of its constituents and [eta1, phi1, eta2, phi2] of its subjets."""
    pt, eta, phi = (np.array(column, np.float64) for column in zip(*constituents, strict=True))
    columns = {"pt": pt.sum(keepdims=True), "eta": np.zeros(1), "phi": np.zeros(1)}
    flat = {"pt": pt, "eta": eta, "phi": phi}
    names = ["subjet1_eta", "subjet1_phi", "subjet2_eta", "subjet2_phi"]
    table = pd.DataFrame([dict(zip(names, axes, strict=True)) | {"has_two_subjets": float(two)}])
    return Jets(columns, Ragged(np.array([0, len(pt)]), flat), no_partons(1)), table


def slow_image(jets: Jets, table: pd.DataFrame, i: int) -> NDArray[np.float64]:
    """The image of jet i from the words of the definition, with complex numbers."""
    constituents = jets.take(np.array([i])).constituents.columns
    row = table.iloc[i]

    def difference(phi: float, reference: float) -> float:
        return math.remainder(phi - reference, 2 * math.pi)

    if row.has_two_subjets:
        eta0, phi0 = row.subjet1_eta, row.subjet1_phi
        down = complex(row.subjet2_eta - eta0, difference(row.subjet2_phi, phi0))
    else:
        eta0, phi0 = float(jets.columns["eta"][i]), float(jets.columns["phi"][i])
        points = np.array(
            [[e - eta0, difference(p, phi0)] for e, p in zip(constituents["eta"], constituents["phi"], strict=True)]
        )
        pt = constituents["pt"].astype(np.float64)
        _, vectors = np.linalg.eigh((points * pt[:, None]).T @ points)
        axis = vectors[:, 1]
        if (pt * np.sign(points @ axis)).sum() > 0:
            axis = -axis
        down = complex(axis[0], axis[1])
    image = np.zeros((16, 16))
    for pt_i, eta, phi in zip(constituents["pt"], constituents["eta"], constituents["phi"], strict=True):
        place = complex(eta - eta0, difference(phi, phi0)) / down * -1j
        row_number, column = math.floor((place.imag + 2) * 4), math.floor((place.real + 2) * 4)
        if 0 <= row_number < 16 and 0 <= column < 16:
            image[row_number, column] += pt_i / jets.columns["pt"][i]
    if image[:, :8].sum() > image[:, 8:].sum():
        image = image[:, ::-1]
    return image


def test_images_equal_a_slow_loop() -> None:
    jets, table = tagged_jets(300, seed=4)
    found = images(jets, table)
    assert found.shape == (300, 1, 16, 16)
    assert found.dtype == np.float32
    for i in range(300):
        np.testing.assert_allclose(found[i, 0], slow_image(jets, table, i), atol=1e-6)


def test_the_leading_subjet_is_at_the_origin_and_the_other_below() -> None:
    jets, table = one_jet([(300, 0.11, 3.01), (200, 0.31, -3.09), (100, 0.22, 3.2)], [0.1, 3.0, 0.3, -3.1], True)
    image = images(jets, table)[0, 0]
    assert image[8, 8] + image[8, 7] + image[7, 8] + image[7, 7] >= 0.5
    assert image[3:5, 7:9].sum() >= 1 / 3 - 1e-6
    np.testing.assert_allclose(image.sum(), 1, rtol=1e-6)


def test_turned_mirrored_and_scaled_jets_have_the_same_image() -> None:
    generator = np.random.default_rng(3)
    points = generator.normal(0, 0.2, (12, 2))
    subjets = np.array([[0.02, 0.03], [0.22, -0.11]])
    pt = generator.uniform(1, 50, 12)
    plain = None
    for angle, size, mirror in [(0, 1, 1), (1.1, 1, 1), (0.3, 1.7, 1), (2.0, 0.6, -1)]:
        turn = size * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        moved, axes = points * [1, mirror] @ turn.T + [0.4, 0.2], subjets * [1, mirror] @ turn.T + [0.4, 0.2]
        found = images(*one_jet([(p, *m) for p, m in zip(pt, moved, strict=True)], list(axes.ravel()), True))[0, 0]
        plain = found if plain is None else plain
        np.testing.assert_allclose(found, plain, atol=1e-6)
    assert plain is not None
    assert plain[:, 8:].sum() > plain[:, :8].sum()


def test_without_two_subjets_the_principal_axis_points_up_and_nothing_is_scaled() -> None:
    jets, table = one_jet([(300, 0.6, 0.06), (100, -0.6, 0.06)], [0, 0, 0, 0], False)
    image = images(jets, table)[0, 0]
    assert image[10, 7:9].sum() == np.float32(0.75)  # 0.6 above the axis, in the row from 0.5 to 0.75
    assert image[5, 7:9].sum() == np.float32(0.25)


def test_one_constituent_makes_an_image() -> None:
    image = images(*one_jet([(600, 0.0, 0.0)], [0, 0, 0, 0], True))
    assert np.isfinite(image).all()
    assert image.sum() == 1
