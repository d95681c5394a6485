"""Perigees against the Lorentz force integrated step by step and against hand calculation; what the tracker sees."""

import math
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from glassjet.errors import InputError
from glassjet.jets.tracks import (
    ABSENT,
    CURVATURE,
    Floats,
    TrackSettings,
    lifetime_sign,
    measure,
    perigee,
    production_vertex,
    resolution,
)

# arXiv:2211.12770 and its code
TRACK_FEATURES = {
    *(f"track_{name}" for name in ("ptrel", "erel", "phirel", "etarel", "deltaR", "drminsv", "drsubjet1", "drsubjet2")),
    *(f"track_{name}" for name in ("dz", "dzsig", "dxy", "dxysig", "normchi2", "quality", "dptdpt", "detadeta")),
    *(f"track_{name}" for name in ("dphidphi", "dxydxy", "dzdz", "dxydz", "dphidxy", "dlambdadz")),
    *(f"trackBTag_{name}" for name in ("EtaRel", "PtRatio", "PParRatio", "Sip2dVal", "Sip2dSig", "Sip3dVal")),
    *(f"trackBTag_{name}" for name in ("Sip3dSig", "JetDistVal")),
}


def particles(n: int, seed: int, pt: tuple[float, float] = (1.0, 50.0)) -> tuple[Floats, Floats, Floats]:
    """Momenta, vertices within 30 mm, and charges of -1 and 1."""
    rng = np.random.default_rng(seed)
    size, phi, eta = (
        pt[0] * (pt[1] / pt[0]) ** rng.random(n),
        rng.uniform(-math.pi, math.pi, n),
        rng.uniform(-2.4, 2.4, n),
    )
    momentum = np.stack([size * np.cos(phi), size * np.sin(phi), size * np.sinh(eta)])
    return momentum, rng.uniform(-20, 20, (3, n)), rng.choice([-1.0, 1.0], n)


def stepped(momentum: Floats, vertex: Floats, charge: float, field: float) -> tuple[float, float, float]:
    """d0, z0, phi0: the Lorentz force dp/dt = q v x B integrated along the path, and the nearest of all points where
    the transverse position and direction are at right angles."""
    size = float(np.linalg.norm(momentum))

    def force(_: float, state: Floats) -> Floats:
        return np.concatenate([state[3:], 0.299792458e-3 * charge / size * np.cross(state[3:], [0.0, 0.0, field])])

    start = np.concatenate([vertex, momentum / size])
    reach = 40.0 * size / math.hypot(momentum[0], momentum[1])
    best = (math.inf, 0.0, 0.0)
    for end in (-reach, reach):
        path = solve_ivp(force, (0, end), start, method="DOP853", rtol=1e-12, atol=1e-12, dense_output=True).sol

        def radial(s: float, path: object = path) -> float:
            x, y, _, ux, uy, _ = path(s)  # type: ignore[operator]
            return float(x * ux + y * uy)

        grid = np.linspace(0, end, 200)
        values = [radial(s) for s in grid]
        for left, right, a, b in zip(grid[:-1], grid[1:], values[:-1], values[1:], strict=True):
            if a * b <= 0:
                x, y, z, ux, uy, _ = path(brentq(radial, left, right, xtol=1e-13))
                if math.hypot(x, y) < abs(best[0]):
                    best = (math.copysign(math.hypot(x, y), ux * y - uy * x), z, math.atan2(uy, ux))
    return best


@pytest.mark.parametrize("pt", [(0.2, 2.0), (2.0, 100.0)])
def test_perigee_is_where_the_integrated_path_is_nearest_to_the_beam_line(pt: tuple[float, float]) -> None:
    momentum, vertex, charge = particles(25, 1, pt)
    found = perigee(momentum, vertex, charge, 3.8)
    for i in range(25):
        d0, z0, phi0 = stepped(momentum[:, i], vertex[:, i], charge[i], 3.8)
        assert found.d0[i] == pytest.approx(d0, abs=1e-8)
        assert found.z0[i] == pytest.approx(z0, abs=1e-8)
        assert math.remainder(found.phi0[i] - phi0, 2 * math.pi) == pytest.approx(0, abs=1e-10)
        assert found.cot_theta[i] == pytest.approx(momentum[2, i] / math.hypot(*momentum[:2, i]))


def test_perigee_by_hand() -> None:
    """A positive charge of 1.2 GeV flies along x at (5, 0, 7), in 4 T on a circle of R = 1000.69 mm to the right."""
    found = perigee(np.array([[1.2], [0.0], [2.4]]), np.array([[5.0], [0.0], [7.0]]), np.array([1]), 4.0)
    radius = 1.2 / (0.299792458e-3 * 4)
    assert found.curvature[0] == pytest.approx(-1 / radius)
    assert found.d0[0] == pytest.approx(-(math.hypot(radius, 5) - radius), rel=1e-9)
    turned = math.atan(5 / radius)  # on the way from the perigee, clockwise
    assert found.phi0[0] == pytest.approx(turned, rel=1e-12)
    assert found.z0[0] == pytest.approx(7 - 2 * radius * turned, rel=1e-12)


def test_without_a_field_or_a_charge_the_path_is_straight() -> None:
    momentum, vertex, charge = particles(50, 2)
    phi = np.arctan2(momentum[1], momentum[0])
    left = vertex[1] * np.cos(phi) - vertex[0] * np.sin(phi)
    along = vertex[0] * np.cos(phi) + vertex[1] * np.sin(phi)
    for found in (perigee(momentum, vertex, charge, 0.0), perigee(momentum, vertex, 0 * charge, 3.8)):
        np.testing.assert_allclose(found.d0, left, atol=1e-12)
        np.testing.assert_allclose(found.phi0, phi, atol=1e-12)
        np.testing.assert_allclose(found.z0, vertex[2] - along * found.cot_theta, atol=1e-11)
        assert (found.curvature == 0).all()
    left_of_x = perigee(np.array([[2.0], [0.0], [0.0]]), np.array([[9.0], [1.0], [0.0]]), np.array([0]), 3.8)
    assert left_of_x.d0[0] == 1.0


@pytest.mark.parametrize("pt", [1.0, 1e3, 1e6, 1e12])
def test_perigee_keeps_its_digits_for_stiff_tracks(pt: float) -> None:
    """Against |C| - R in 60 digits; R is up to 1e18 mm and d0 a few mm."""
    found = perigee(np.array([[pt], [0.0], [0.0]]), np.array([[8.0], [3.0], [0.0]]), np.array([-1]), 3.8)
    with localcontext() as context:
        context.prec = 60
        radius = 1 / (Decimal(CURVATURE) * Decimal("3.8") / Decimal(pt))
        exact = (64 + (3 + radius) ** 2).sqrt() - radius
    assert found.d0[0] == pytest.approx(float(exact), rel=1e-14)


def test_charge_field_and_mirror_images() -> None:
    momentum, vertex, charge = particles(50, 3)
    plain = perigee(momentum, vertex, charge, 3.8)
    other = perigee(momentum, vertex, -charge, -3.8)
    for name in ("d0", "z0", "phi0", "curvature"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(other, name))
    mirror = np.array([[1.0], [-1.0], [1.0]])
    mirrored = perigee(mirror * momentum, mirror * vertex, -charge, 3.8)
    np.testing.assert_allclose(mirrored.d0, -plain.d0, atol=1e-12)
    np.testing.assert_allclose(mirrored.z0, plain.z0, atol=1e-11)
    assert np.abs(perigee(momentum, vertex, -charge, 3.8).d0 - plain.d0).min() > 0


def test_the_perigee_lies_on_the_helix_at_d0_to_the_left() -> None:
    momentum, vertex, charge = particles(50, 4)
    p = perigee(momentum, vertex, charge, 3.8)
    path = (p.z0 - vertex[2]) / p.cot_theta  # from the vertex to the perigee
    phi = np.arctan2(momentum[1], momentum[0])
    x = vertex[0] + (np.sin(phi + p.curvature * path) - np.sin(phi)) / p.curvature
    y = vertex[1] - (np.cos(phi + p.curvature * path) - np.cos(phi)) / p.curvature
    np.testing.assert_allclose(x, -p.d0 * np.sin(p.phi0), atol=1e-9)
    np.testing.assert_allclose(y, p.d0 * np.cos(p.phi0), atol=1e-9)


@pytest.mark.parametrize(("distance", "sign"), [(5.0, 1.0), (-5.0, -1.0)])
def test_lifetime_sign_of_decays_along_and_against_the_jet(distance: float, sign: float) -> None:
    """Decay products fly within 90 degrees of the jet; their parent flew along it, or, wrongly, against it."""
    rng = np.random.default_rng(5)
    jet_phi = rng.uniform(-math.pi, math.pi, 500)
    phi = jet_phi + rng.uniform(-1.2, 1.2, 500)
    momentum = 20 * np.stack([np.cos(phi), np.sin(phi), 0 * phi])
    vertex = distance * np.stack([np.cos(jet_phi), np.sin(jet_phi), 0 * phi])
    p = perigee(momentum, vertex, np.zeros(500), 3.8)
    assert (lifetime_sign(p.d0, p.phi0, jet_phi) == sign).all()
    across = sign * p.d0 * (-np.sin(p.phi0) * np.cos(jet_phi) + np.cos(p.phi0) * np.sin(jet_phi))
    assert (across > 0).all()
    assert lifetime_sign(np.zeros(1), np.zeros(1), np.ones(1)).tolist() == [1.0]


def test_prompt_tracks_have_both_lifetime_signs_alike() -> None:
    momentum, _, charge = particles(20_000, 6)
    tracks = measure(momentum, np.zeros_like(momentum), charge, TrackSettings(), np.random.default_rng(1))
    seen = tracks.d0_error > 0
    signs = lifetime_sign(tracks.d0[seen], tracks.phi0[seen], tracks.phi0[seen] + 0.2)
    assert abs(signs.mean()) < 4 / math.sqrt(seen.sum())


def test_resolutions_are_those_of_the_paper() -> None:
    """arXiv:1405.6569: 10 and 30 um at 100 GeV, 90 and 150 um at 1 GeV, means over |eta| < 1.4."""
    cot = np.sinh(np.linspace(0, 1.4, 1001))
    settings = TrackSettings()
    for pt, d0, z0 in ((100.0, 0.010, 0.030), (1.0, 0.090, 0.150), (10.0, 0.0134, 0.0337)):
        assert resolution(settings.d0_resolution, pt + 0 * cot, cot, 0.5).mean() == pytest.approx(d0, rel=0.03)
        assert resolution(settings.z0_resolution, pt + 0 * cot, cot, 1.5).mean() == pytest.approx(z0, rel=0.03)
    # by hand: theta = 30 degrees, p = 4 GeV: b / (p sin^(3/2)) and b / (p sin^(5/2))
    one = (np.array([2.0]), np.array([math.sqrt(3)]))
    assert resolution((0.0, 0.08), *one, 0.5)[0] == pytest.approx(0.08 / (4 * 0.5**1.5))
    assert resolution((0.05, 0.08), *one, 1.5)[0] == pytest.approx(math.hypot(0.05, 0.08 / (4 * 0.5**2.5)))


def test_impact_parameters_are_smeared_with_their_errors() -> None:
    momentum, vertex, charge = particles(20_000, 7)
    settings = TrackSettings(radius_max=100.0)
    tracks = measure(momentum, vertex, charge, settings, np.random.default_rng(2))
    truth = perigee(momentum, vertex, charge, settings.field)
    seen = np.flatnonzero(tracks.d0_error)
    pulls = np.stack(
        [
            (tracks.d0[seen] - truth.d0[seen]) / tracks.d0_error[seen],
            (tracks.z0[seen] - truth.z0[seen]) / tracks.z0_error[seen],
        ]
    )
    n = len(seen)
    assert np.abs(pulls.mean(axis=1)).max() < 4 / math.sqrt(n)
    assert np.abs(np.std(pulls, axis=1) - 1).max() < 4 / math.sqrt(2 * n)
    assert abs((pulls[0] * pulls[1]).mean()) < 4 / math.sqrt(n)
    pt = np.hypot(momentum[0], momentum[1])
    d0_error = resolution(settings.d0_resolution, pt, truth.cot_theta, 0.5)
    z0_error = resolution(settings.z0_resolution, pt, truth.cot_theta, 1.5)
    np.testing.assert_array_equal(tracks.d0_error[seen], d0_error[seen])
    np.testing.assert_array_equal(tracks.z0_error[seen], z0_error[seen])
    for name in ("phi0", "cot_theta", "curvature"):
        np.testing.assert_array_equal(getattr(tracks, name)[seen], getattr(truth, name)[seen])
    np.testing.assert_array_equal(tracks.pt[seen], pt[seen])


def test_efficiency_below_and_above_eta_0_9() -> None:
    momentum, _, charge = particles(40_000, 8)
    tracks = measure(momentum, np.zeros_like(momentum), charge, TrackSettings(), np.random.default_rng(3))
    abs_eta = np.abs(np.arcsinh(momentum[2] / np.hypot(momentum[0], momentum[1])))
    for inside, expected in ((abs_eta < 0.9, 0.94), (abs_eta > 0.9, 0.85)):
        seen = (tracks.d0_error > 0)[inside]
        assert seen.mean() == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / len(seen)))


def test_what_has_no_track_has_no_numbers() -> None:
    """Neutral, soft, forward, born outside, along the beam, at rest; the last one is seen."""
    momentum = np.array([[5, 0.9, 1, 5, 0, 0, 5.0], [0, 0, 0, 0, 0, 0, 0], [0, 0, 6.1, 0, 9, 0, 0]])
    vertex = np.zeros((3, 7))
    vertex[:2, 3] = 22, 22
    charge = np.array([0, 1, 1, 1, 1, 1, -1], np.int8)
    with np.errstate(all="raise"):
        tracks = measure(momentum, vertex, charge, TrackSettings(efficiency=(1, 1)), np.random.default_rng(4))
    assert (tracks.d0_error > 0).tolist() == [False] * 6 + [True]
    for column in vars(tracks).values():
        assert column.dtype == np.float64
        assert (column[:6] == 0).all()
    assert tracks.charge[6] == -1
    none = measure(np.zeros((3, 0)), np.zeros((3, 0)), np.zeros(0), TrackSettings(), np.random.default_rng(4))
    assert len(none.d0) == 0


def test_a_setting_changes_only_the_tracks_that_it_is_about() -> None:
    momentum, vertex, charge = particles(500, 9)
    wide, narrow, again = (
        measure(momentum, vertex, charge, TrackSettings(abs_eta=abs_eta), np.random.default_rng(5))
        for abs_eta in (2.5, 1.0, 2.5)
    )
    seen = narrow.d0_error > 0
    assert 0 < seen.sum() < (wide.d0_error > 0).sum()
    np.testing.assert_array_equal(wide.d0[seen], narrow.d0[seen])
    np.testing.assert_array_equal(wide.z0, again.z0)


def test_production_vertex_is_the_truth_and_y_enters() -> None:
    dxy, dz = production_vertex(np.array([[3.0, 0.0], [4.0, -2.0], [-7.0, 1.0]]))
    assert dxy.tolist() == [5.0, 2.0]
    assert dz.tolist() == [7.0, 1.0]


def test_users_are_told_which_features_are_absent() -> None:
    text = (Path(__file__).parents[2] / "config" / "README.md").read_text()
    assert all(f"`{name}`" in text for name in ABSENT)


def test_absent_features_are_eight_of_the_thirty() -> None:
    assert len(TRACK_FEATURES) == 30
    assert set(ABSENT) < TRACK_FEATURES
    assert len(ABSENT) == 8
    assert not {"track_dxydxy", "track_dzdz"} & set(ABSENT)
    assert all(ABSENT.values())


@pytest.mark.parametrize(
    ("setting", "flag"),
    [
        ({"field": -1.0}, "--track-field -1"),
        ({"pt_min": 0.0}, "--track-pt-min 0"),
        ({"abs_eta": math.inf}, "--track-abs-eta inf"),
        ({"radius_max": math.nan}, "--track-radius-max nan"),
        ({"efficiency": (0.9, 1.1)}, "--track-efficiency 0.9 1.1"),
        ({"efficiency": (0.9,)}, "--track-efficiency 0.9:"),
        ({"d0_resolution": (0.0, 0.0)}, "--track-d0-resolution 0 0"),
        ({"z0_resolution": (0.1, -0.1)}, "--track-z0-resolution 0.1 -0.1"),
    ],
)
def test_settings_that_cannot_be_are_refused(setting: dict[str, float], flag: str) -> None:
    with pytest.raises(InputError) as caught:
        TrackSettings(**setting)  # type: ignore[arg-type]
    assert str(caught.value).startswith(flag)
    assert "\n" not in str(caught.value)


def test_a_resonances_own_flight_is_no_production_vertex() -> None:
    dxy, dz = production_vertex(np.array([[3e-13, 1e-4], [4e-13, 0.0], [-2e-13, 2e-7]]))
    assert dxy.tolist() == [0.0, 1e-4]
    assert dz.tolist() == [0.0, 0.0]
