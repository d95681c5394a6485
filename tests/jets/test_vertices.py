"""Vertices against a general minimiser of the same chi2, and on toy jets whose truth is known."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from glassjet.jets.store import Ragged
from glassjet.jets.tracks import Floats, Tracks, TrackSettings, measure
from glassjet.jets.vertices import COLUMNS, K0S_MASS, PION_MASS, Integers, find

SEEN = TrackSettings(efficiency=(1.0, 1.0))
FLIGHT = np.array([math.cos(0.4), math.sin(0.4), 0.5]) / math.sqrt(
    1.25
)  # of what decays in the toy jets, and their axis


def directions(rng: np.random.Generator, n: int, spread: float) -> Floats:
    """n directions (3, n) around FLIGHT, off it by angles of about `spread`."""
    raw = FLIGHT[:, None] + spread * rng.standard_normal((3, n))
    return raw / np.linalg.norm(raw, axis=0)


def toy(n: int, prompt: int, displaced: int, distance: float, seed: int, settings: TrackSettings = SEEN) -> Tracks:
    """n jets of prompt tracks, and behind them tracks from `distance` (mm) along FLIGHT."""
    rng = np.random.default_rng(seed)
    size = n * (prompt + displaced)
    momentum = (1.5 + rng.exponential(3.0, size)) * directions(rng, size, 0.12)
    born = np.tile(np.arange(prompt + displaced) >= prompt, n)
    vertex = distance * FLIGHT[:, None] * born
    return measure(momentum, vertex, rng.choice([-1.0, 1.0], size), settings, np.random.default_rng(seed + 1))


def find_all(tracks: Tracks, jets: int, radius_max: float = 30.0, axis: Floats = FLIGHT) -> Ragged:
    """The vertices of jets that have equal numbers of particles."""
    offsets = np.linspace(0, len(tracks.d0), jets + 1).astype(np.int64)
    return find(tracks, offsets, np.repeat(axis[:, None], jets, axis=1), radius_max)


def taken(tracks: Tracks, index: Integers) -> Tracks:
    return Tracks(**{field.name: getattr(tracks, field.name)[index] for field in fields(Tracks)})


def residuals(point: Floats, t: Tracks) -> Floats:
    """D / sigma and Z / sigma of every track, from the centre of its circle; loses digits for stiff tracks."""
    radius = 1 / t.curvature
    centre_x, centre_y = -(t.d0 + radius) * np.sin(t.phi0), (t.d0 + radius) * np.cos(t.phi0)
    to_x, to_y = np.sign(radius) * (centre_x - point[0]), np.sign(radius) * (centre_y - point[1])
    distance = np.sign(radius) * np.hypot(to_x, to_y) - radius
    turn = np.arctan2(-to_x, to_y) - t.phi0
    path = (np.remainder(turn + math.pi, 2 * math.pi) - math.pi) * radius
    return np.concatenate([distance / t.d0_error, (t.z0 + path * t.cot_theta - point[2]) / t.z0_error])


def hessian(point: Floats, t: Tracks, step: float = 0.02) -> Floats:
    """Second derivatives of chi2 by central differences."""
    steps = step * np.eye(3)
    out = np.empty((3, 3))
    for a in range(3):
        for b in range(3):
            corners = ((1, 1), (1, -1), (-1, 1), (-1, -1))
            out[a, b] = sum(
                i * j * (residuals(point + i * steps[a] + j * steps[b], t) ** 2).sum() for i, j in corners
            ) / (4 * step**2)
    return out


def test_fit_is_the_minimum_of_chi2_and_its_errors_are_those_of_the_hessian() -> None:
    jets = 40
    tracks = toy(jets, 0, 5, 8.0, 1)
    found = find_all(tracks, jets)
    checked = 0
    for jet in range(jets):
        for place in range(found.offsets[jet], found.offsets[jet + 1]):
            vertex = {name: column[place] for name, column in found.columns.items()}
            if vertex["tracks"] < 5:
                continue
            own = taken(tracks, np.arange(5 * jet, 5 * jet + 5))
            best = least_squares(residuals, 8 * FLIGHT, args=(own,), xtol=1e-14, ftol=1e-14, gtol=1e-14)
            covariance = np.linalg.inv(hessian(best.x, own) / 2)
            error = math.sqrt(covariance.trace())
            point = np.array([vertex["x"], vertex["y"], vertex["z"]])
            assert np.linalg.norm(point - best.x) < 2e-3 * error
            assert 2 * best.cost == pytest.approx(vertex["chi2_ndf"] * 7, rel=1e-5)
            across = np.array([best.x[0], best.x[1], 0]) / math.hypot(best.x[0], best.x[1])
            along = best.x / np.linalg.norm(best.x)
            assert vertex["dxy_error"] == pytest.approx(math.sqrt(across @ covariance @ across), rel=0.01)
            assert vertex["d3d_error"] == pytest.approx(math.sqrt(along @ covariance @ along), rel=0.01)
            checked += 1
    assert checked > 25


def test_toy_b_jets() -> None:
    """Ten prompt tracks and four from 8 mm: found in the right place, with the right error."""
    jets = 2000
    found = find_all(toy(jets, 10, 4, 8.0, 2), jets)
    near = np.abs(found.columns["d3d"] - 8.0) < 5 * found.columns["d3d_error"]
    owner = np.repeat(np.arange(jets), found.counts)
    assert len(np.unique(owner[near])) > 0.98 * jets
    assert near.mean() > 0.96
    whole = near & (found.columns["tracks"] == 4)
    assert whole.sum() > 0.85 * jets
    for pull in (
        (found.columns["dxy"] - 8.0 * math.hypot(*FLIGHT[:2]))[whole] / found.columns["dxy_error"][whole],
        (found.columns["d3d"] - 8.0)[whole] / found.columns["d3d_error"][whole],
    ):
        assert abs(pull.mean()) < 0.1
        assert pull.std() == pytest.approx(1.0, abs=0.06)
    assert found.columns["chi2_ndf"][whole].mean() == pytest.approx(1.0, abs=0.1)
    assert found.columns["cos_theta"].min() > 0.9


def test_every_track_of_a_vertex_fits() -> None:
    """Where one that joined early no longer fits in the end, it has left: rare, so many jets are looked at."""
    jets = 3000
    tracks = toy(jets, 0, 6, 8.0, 31)
    found = find_all(tracks, jets)
    points = np.stack([found.columns[name] for name in "xyz"], axis=1)
    for jet, place in zip(np.repeat(np.arange(jets), found.counts), range(len(points)), strict=True):
        own = taken(tracks, np.arange(6 * jet, 6 * jet + 6))
        own = taken(own, np.flatnonzero(own.d0_error))
        chi2 = (residuals(points[place], own).reshape(2, -1) ** 2).sum(axis=0)
        assert (chi2 < 9 + 1e-6).sum() >= found.columns["tracks"][place]


@pytest.mark.parametrize(("distance", "most"), [(1.0, 0.25), (8.0, 0.03)])
def test_prompt_tracks_seldom_join(distance: float, most: float) -> None:
    jets = 2000
    found = find_all(toy(jets, 10, 4, distance, 14), jets)
    assert (found.counts > 0).mean() > 0.9
    assert (found.columns["tracks"] > 4).mean() < most


def test_a_vertex_on_the_beam_line_is_none() -> None:
    """Two tracks at right angles meet at (0, 0, 5) exactly: no transverse flight, so no direction of its error."""
    zero, one = np.zeros(2), np.ones(2)
    phi0 = np.array([0.0, math.pi / 2])
    tracks = Tracks(zero, 0.01 * one, 5 * one, 0.01 * one, phi0, zero, zero, 3 * one, np.array([1.0, -1.0]))
    assert find_all(tracks, 1).counts.tolist() == [0]


def test_prompt_jets_hardly_have_vertices() -> None:
    found = find_all(toy(5000, 15, 0, 0.0, 3), 5000)
    assert 0 < (found.counts > 0).mean() < 0.04


def test_two_decays_in_a_jet_are_two_vertices_the_more_significant_first() -> None:
    jets = 300
    near, far = toy(jets, 8, 3, 4.0, 4), toy(jets, 0, 3, 15.0, 5)
    columns = {
        field.name: np.concatenate(
            [getattr(near, field.name).reshape(jets, 11), getattr(far, field.name).reshape(jets, 3)], axis=1
        ).ravel()
        for field in fields(Tracks)
    }
    found = find_all(Tracks(**columns), jets)
    assert (found.counts == 2).mean() > 0.7
    significance = Ragged(found.offsets, {"s": found.columns["d3d"] / found.columns["d3d_error"]}).padded("s", 5)
    assert (np.diff(significance, axis=1) <= 0).all()
    distances = found.padded("d3d", 2)[found.counts == 2]
    assert np.median(distances.min(axis=1)) == pytest.approx(4, abs=0.1)
    assert np.median(distances.max(axis=1)) == pytest.approx(15, abs=0.2)


def exact(momentum: Floats, vertex: Floats, charge: Floats, field: float = 3.8) -> Tracks:
    """Tracks with errors of 1 um in d0 and z0."""
    sharp = (1e-3, 0.0)
    settings = TrackSettings(field, 0.1, 4.0, 900.0, (1.0, 1.0), sharp, sharp)
    return measure(momentum, vertex, charge, settings, np.random.default_rng(6))


@pytest.mark.parametrize("field", [0.0, 3.8])
def test_columns_by_hand(field: float) -> None:
    """Three tracks of 3, 4, 5 GeV from (6, 0, 8) mm, whose momenta there add up to (10, 2, 6) GeV."""
    momentum = np.array([[2.0, 4.0, 4.0], [2.0, 0.0, 0.0], [1.0, 0.0, 5.0]])
    momentum[:, 2] = 4.0, 0.0, 3.0
    momentum[:, 2] += 0.0, 0.0, 2.0
    vertex = np.repeat([[6.0], [0.0], [8.0]], 3, axis=1)
    found = find_all(exact(momentum, vertex, np.array([1.0, -1.0, 1.0]), field), 1, axis=np.array([1.0, 0.0, 1.0]))
    assert found.counts.tolist() == [1]
    vertex_found = {name: column[0] for name, column in found.columns.items()}
    assert tuple(vertex_found) == COLUMNS
    energy = sum(math.sqrt(p2 + PION_MASS**2) for p2 in (9, 16, 41))
    expected = {
        "pt": math.hypot(10, 2),
        "eta": math.asinh(6 / math.hypot(10, 2)),
        "phi": math.atan2(2, 10),
        "energy": energy,
        "mass": math.sqrt(energy**2 - 140),
        "cos_theta": (60 + 48) / (10 * math.sqrt(140)),
    }
    for name, value in expected.items():
        assert vertex_found[name] == pytest.approx(value, rel=1e-4), name
    for name, value in {"x": 6, "y": 0, "z": 8, "dxy": 6, "d3d": 10}.items():
        assert vertex_found[name] == pytest.approx(value, abs=0.02), name
    assert vertex_found["tracks"] == 3


def test_a_vertex_upstream_or_too_far_out_is_none() -> None:
    tracks = toy(50, 0, 4, 8.0, 7)
    assert (find_all(tracks, 50).counts == 1).mean() > 0.9
    assert find_all(tracks, 50, axis=-FLIGHT).counts.sum() == 0
    assert find_all(tracks, 50, radius_max=5.0).counts.sum() == 0


def test_a_vertex_heavier_than_b_hadrons_is_none() -> None:
    tracks = toy(50, 0, 4, 8.0, 7)
    found = find_all(tracks, 50)
    assert found.columns["mass"].max() < 6.5
    assert find_all(replace(tracks, pt=10 * tracks.pt), 50).counts.sum() < 0.2 * found.counts.sum()


def kaon_tracks(charges: tuple[float, float]) -> Tracks:
    """K0S of 10 GeV along x that decay to two pions after 15 mm, in the plane z = 0 but for 30 degrees."""
    inside = math.sqrt(K0S_MASS**2 / 4 - PION_MASS**2)
    along = 10 / K0S_MASS * inside * 0.5 * np.array([1, -1]) + 5.0
    aside = inside * math.sqrt(0.75) * np.array([1, -1])
    momentum = np.stack([along, aside * math.cos(0.5), aside * math.sin(0.5)])
    return exact(momentum, np.repeat([[15.0], [0.0], [0.0]], 2, axis=1), np.array(charges))


def test_kaons_are_vetoed_by_mass_and_charge() -> None:
    axis = np.array([1.0, 0.0, 0.0])
    alike = find_all(kaon_tracks((1.0, 1.0)), 1, axis=axis)
    assert alike.columns["mass"] == pytest.approx([K0S_MASS], abs=5e-3)
    assert alike.columns["d3d"] == pytest.approx([15.0], abs=0.1)
    assert find_all(kaon_tracks((1.0, -1.0)), 1, axis=axis).counts.tolist() == [0]


def test_jets_with_no_one_or_two_tracks() -> None:
    two = toy(200, 0, 2, 8.0, 8)
    one, none = taken(two, np.arange(0, 400, 2)), taken(two, np.zeros(0, np.int64))
    assert find_all(none, 3).counts.tolist() == [0, 0, 0]
    assert len(find(none, np.zeros(1, np.int64), np.zeros((3, 0)), 30.0)) == 0
    assert find_all(one, 200).counts.sum() == 0
    assert 0.5 < find_all(two, 200).counts.mean() <= 1.0


def test_identical_tracks_make_no_vertex() -> None:
    single = toy(1, 0, 1, 8.0, 9)
    found = find_all(taken(single, np.zeros(6, np.int64)), 1)
    assert found.counts.tolist() == [0]


def test_neither_the_order_of_tracks_nor_particles_without_one_matter() -> None:
    jets, size = 300, 15
    tracks = toy(jets, 10, 4, 3.0, 10)
    rng = np.random.default_rng(11)
    padded = Tracks(
        **{f.name: np.pad(getattr(tracks, f.name).reshape(jets, 14), ((0, 0), (0, 1))).ravel() for f in fields(Tracks)}
    )
    order = (rng.permuted(np.tile(np.arange(size), (jets, 1)), axis=1) + size * np.arange(jets)[:, None]).ravel()
    plain, shuffled = find_all(tracks, jets), find_all(taken(padded, order), jets)
    assert plain.counts.sum() > jets / 2
    np.testing.assert_array_equal(plain.offsets, shuffled.offsets)
    for name in COLUMNS:
        np.testing.assert_array_equal(plain.columns[name], shuffled.columns[name])


def test_jets_do_not_influence_each_other() -> None:
    jets = 60
    tracks = toy(jets, 10, 4, 3.0, 12)
    together = find_all(tracks, jets)
    for jet in range(jets):
        alone = find_all(taken(tracks, np.arange(14 * jet, 14 * jet + 14)), 1)
        np.testing.assert_array_equal(alone.columns["x"], together.take(np.array([jet])).columns["x"])


def test_nothing_is_nan_whatever_the_tracks() -> None:
    """Wild helices: any direction, impact parameters up to centimetres, circles of millimetres, straight lines."""
    rng = np.random.default_rng(13)
    jets, size = 400, 12
    n = jets * size
    curvature = rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(-8, -0.5, n) * (rng.random(n) < 0.9)
    wild = Tracks(
        d0=rng.normal(0, 10, n) * (rng.random(n) < 0.9),
        d0_error=10.0 ** rng.uniform(-4, 1, n),
        z0=rng.normal(0, 20, n) * (rng.random(n) < 0.9),
        z0_error=10.0 ** rng.uniform(-4, 1, n),
        phi0=rng.uniform(-math.pi, math.pi, n),
        cot_theta=rng.standard_cauchy(n),
        curvature=curvature,
        pt=10.0 ** rng.uniform(-1, 3, n),
        charge=-np.sign(curvature),
    )
    found = find_all(wild, jets)
    assert found.counts.sum() > 100
    assert all(np.isfinite(column).all() for column in found.columns.values())
    assert found.columns["tracks"].min() >= 2
    assert (found.columns["chi2_ndf"] >= 0).all()
    assert np.abs(found.columns["cos_theta"]).max() <= 1 + 1e-12
