"""The detector against its formulae, against a slow loop written from its description, and at its edges."""

import math
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.calorimeters import at_calorimeter
from glassjet.jets.detector import DetectorSettings, respond
from glassjet.jets.events import Events, Particles

Hit = tuple[int, float, float, float]  # PDG id, pT in GeV, eta, phi

MASS = {11: 0.00051099895, 13: 0.1056583755, 22: 0.0, 130: 0.497611, 211: 0.13957039, 321: 0.493677}
MASS |= {2112: 0.939565, 2212: 0.938272, 310: 0.497611, 3122: 1.115683, 12: 0.0, 14: 0.0, 16: 0.0}
CHARGE = {11: -1, 13: -1, 211: 1, 321: 1, 2212: 1}

CARD = DetectorSettings()
EXACT = DetectorSettings(track_losses=0, track_resolution=0, energy_resolution=0, angular_resolution=0)
PERFECT = replace(EXACT, thresholds=0, towers=1000)
STRAIGHT = replace(EXACT, magnetic_field=0)


def events_of(*lists: list[Hit]) -> Events:
    hits = [hit for one in lists for hit in one]
    pt, eta, phi = np.array([hit[1:] for hit in hits]).reshape(-1, 3).T
    mass = np.array([MASS[abs(hit[0])] for hit in hits])
    three = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    return Events(
        offsets=np.cumsum([0, *map(len, lists)]).astype(np.int64),
        pdgid=np.array([hit[0] for hit in hits], np.int32),
        status=np.ones(len(hits), np.int32),
        daughters=np.full((len(hits), 2), -1, np.int64),
        momentum=np.concatenate([three, np.sqrt((three**2).sum(axis=0) + mass**2)[None]]),
        vertex=np.zeros((3, len(hits))),
        weight=np.ones(len(lists)),
        pthat=np.zeros(len(lists)),
    )


def seen(events: Events, settings: DetectorSettings = CARD, seed: int = 1) -> Particles:
    particles = respond(events, settings, np.random.default_rng(seed))
    px, py, pz, energy = particles.momentum
    assert np.isfinite(particles.momentum).all()
    assert (energy * (1 + 1e-12) >= np.sqrt(px**2 + py**2 + pz**2)).all()
    assert len(particles.offsets) == len(events) + 1
    assert particles.offsets[0] == 0
    assert particles.offsets[-1] == len(px) == len(particles.pdgid) == len(particles.charge) == len(particles.origin)
    return particles


def single(code: int, energy: float, eta: float, n: int, settings: DetectorSettings = CARD) -> Particles:
    """One particle of that energy, in each of n events."""
    pt = math.sqrt(energy**2 - MASS[abs(code)] ** 2) / math.cosh(eta)
    return seen(events_of(*[[(code, pt, eta, 0.5)]] * n), settings)


def random_hits(n: int, seed: int, codes: tuple[int, ...], least: float, abs_eta: float) -> list[Hit]:
    rng = np.random.default_rng(seed)
    code = rng.choice(codes, n) * np.where(rng.random(n) < 0.5, -1, 1)
    code = np.where(np.isin(code, (-22, -130, -310)), -code, code)
    pt, eta, phi = least + rng.exponential(6, n), rng.uniform(-abs_eta, abs_eta, n), rng.uniform(-np.pi, np.pi, n)
    return [(int(a), float(b), float(c), float(d)) for a, b, c, d in zip(code, pt, eta, phi, strict=True)]


def eta_phi(particles: Particles) -> NDArray[np.float64]:
    px, py, pz, _ = particles.momentum
    return np.stack([np.arcsinh(pz / np.hypot(px, py)), np.arctan2(py, px)])


# Resolution and efficiency


@pytest.mark.parametrize(
    ("code", "energy", "eta", "sigma"),
    [
        (22, 50.0, 0.25, math.hypot(0.0017 * 50, 0.101 * math.sqrt(50))),
        (22, 200.0, 3.6, math.hypot(0.035 * 200, 0.285 * math.sqrt(200))),
        (130, 50.0, 0.25, math.hypot(0.0302 * 50, 0.5205 * math.sqrt(50), 1.59)),
        (2112, 80.0, -2.15, math.hypot(0.05 * 80, 0.706 * math.sqrt(80))),
        (130, 300.0, 4.0, math.hypot(0.0942 * 300, 1.0 * math.sqrt(300))),
    ],
)
def test_neutral_energies_have_the_resolution_of_the_card(code: int, energy: float, eta: float, sigma: float) -> None:
    n = 4000
    particles = single(code, energy, eta, n)
    assert len(particles.pdgid) == n
    assert set(particles.pdgid.tolist()) == {22 if code == 22 else 130}
    measured = particles.momentum[3]
    assert abs(measured.mean() - energy) < 4 * sigma / math.sqrt(n)
    assert measured.std() == pytest.approx(sigma, rel=0.06)  # 5 sigma of 4000


@pytest.mark.parametrize(
    ("code", "pt", "eta", "relative"),
    [
        (211, 5.0, 0.2, math.hypot(0.06, 1.3e-3 * 5)),
        (-211, 8.0, 1.0, math.hypot(0.10, 1.7e-3 * 8)),
        (13, 100.0, 0.2, math.hypot(0.02, 2.0e-4 * 100)),
        (-13, 50.0, 2.2, math.hypot(0.06, 6.0e-4 * 50)),
        (11, 1.0, 0.2, math.hypot(0.06, 1.3e-3)),
    ],
)
def test_tracks_have_the_resolution_of_the_card(code: int, pt: float, eta: float, relative: float) -> None:
    n = 4000
    settings = replace(CARD, track_losses=0, angular_resolution=0)
    particles = seen(events_of(*[[(code, pt, eta, 0.5)]] * n), settings)
    px, py, _, energy = particles.momentum[:, particles.charge != 0]
    assert len(px) == n
    measured = np.hypot(px, py)
    assert abs(measured.mean() - pt) < 4 * relative * pt / math.sqrt(n)
    assert measured.std() == pytest.approx(relative * pt, rel=0.06)
    assert energy == pytest.approx(np.hypot(measured * math.cosh(eta), MASS[abs(code)]), rel=1e-12)


def test_an_energetic_pion_is_measured_by_the_calorimeter() -> None:
    particles = single(211, 200.0, 0.2, 4000, replace(CARD, track_losses=0))
    assert set(particles.pdgid.tolist()) == {211}
    sigma = math.hypot(0.0302 * 200, 0.5205 * math.sqrt(200), 1.59)  # the tracker's is 52 GeV
    assert particles.momentum[3].std() == pytest.approx(sigma, rel=0.06)


def test_tracks_have_the_angular_resolution_of_the_inner_detector() -> None:
    for pt, eta, phi_scale, cot_scale in (
        (1.0, 0.3, (7.0e-5, 39), (7.0e-4, 5)),
        (20.0, 2.0, (9.2e-5, 49), (1.2e-3, 10)),
    ):
        particles = seen(events_of(*[[(13, pt, eta, 0.5)]] * 4000), replace(CARD, track_losses=0))
        px, py, pz, _ = particles.momentum
        for value, (scale, scattering) in ((np.arctan2(py, px), phi_scale), (pz / np.hypot(px, py), cot_scale)):
            assert value.std() == pytest.approx(scale * math.hypot(1, scattering / pt), rel=0.06)


@pytest.mark.parametrize(
    ("code", "pt", "eta", "expected"),
    [
        (211, 0.6, 0.3, 0.70),
        (-211, 5.0, -1.4, 0.95),
        (321, 0.6, 2.0, 0.60),
        (2212, 5.0, 2.0, 0.85),
        (11, 0.6, 0.3, 0.73),
        (11, 120.0, 0.3, 0.99),
        (-11, 120.0, 2.0, 0.90),
        (13, 0.6, 2.0, 0.70),
        (13, 30.0, 0.3, 0.99),
        (211, 0.09, 0.0, 0.0),
        (211, 5.0, 2.6, 0.0),
    ],
)
def test_tracking_efficiency(code: int, pt: float, eta: float, expected: float) -> None:
    n = 4000
    particles = seen(events_of(*[[(code, pt, eta, 0.5)]] * n), replace(CARD, magnetic_field=0))
    found = (particles.charge != 0).mean() * len(particles.charge) / n if len(particles.charge) else 0.0
    assert abs(found - expected) <= 4.5 * math.sqrt(expected * (1 - expected) / n)
    track = particles.charge != 0
    code_seen = code if abs(code) in (11, 13) else int(math.copysign(211, code))
    assert set(particles.pdgid[track].tolist()) <= {code_seen}


def test_the_scale_of_electromagnetic_energy_is_right_and_that_of_pions_as_documented() -> None:
    n = 3000
    for code, energy, low, high in (
        (22, 5.0, -0.005, 0.005),
        (11, 20.0, -0.005, 0.005),
        (130, 20.0, -0.015, 0.015),
        (211, 300.0, -0.005, 0.005),
        (211, 5.0, 0.05, 0.15),  # what the calorimeter reads too much counts as neutral, too little does not
        (211, 20.0, 0.02, 0.08),
    ):
        assert low < single(code, energy, 0.25, n).momentum[3].sum() / (n * energy) - 1 < high


# Towers and energy flow


def test_close_photons_merge_and_far_ones_do_not() -> None:
    close = seen(events_of([(22, 10.0, 0.33, 0.40), (22, 20.0, 0.36, 0.45)]), EXACT)
    assert close.pdgid.tolist() == [22]
    assert close.momentum[3, 0] == pytest.approx(10 * math.cosh(0.33) + 20 * math.cosh(0.36))
    assert eta_phi(close)[:, 0] == pytest.approx([0.35, math.radians(25)])  # the centre
    far = seen(events_of([(22, 10.0, 0.33, 0.40), (22, 20.0, 0.53, 0.40)]), EXACT)
    assert far.pdgid.tolist() == [22, 22]
    finer = seen(events_of([(22, 10.0, 0.33, 0.40), (22, 20.0, 0.36, 0.45)]), replace(EXACT, towers=5))
    assert finer.pdgid.tolist() == [22, 22]


def test_directions_are_uniform_in_the_tower_and_shared_by_what_it_emits() -> None:
    particles = seen(events_of(*[[(22, 10.0, 0.33, 0.40), (130, 40.0, 0.36, 0.45)]] * 2000))
    assert particles.pdgid.tolist() == [22, 130] * 2000
    places = eta_phi(particles)
    assert np.allclose(places[:, ::2], places[:, 1::2], atol=1e-12)
    eta, phi = places[:, ::2]
    for value, low, width in ((eta, 0.3, 0.1), (phi, math.radians(20), math.radians(10))):
        assert value.min() >= low
        assert value.max() <= low + width
        assert value.std() == pytest.approx(width / math.sqrt(12), rel=0.06)


def test_an_isolated_charged_particle_counts_once() -> None:
    for code in (211, -211, 11, -13):
        particles = seen(events_of([(code, 10.0, 0.33, 0.40)]), EXACT)
        assert particles.pdgid.tolist() == [code]
        assert particles.charge.tolist() == [int(math.copysign(1, code)) * CHARGE[abs(code)]]
        assert particles.origin.tolist() == [0]


def test_what_tracks_do_not_explain_is_neutral() -> None:
    tower: list[Hit] = [(211, 10.0, 0.33, 0.40), (130, 20.0, 0.35, 0.42), (22, 5.0, 0.34, 0.41), (-11, 7.0, 0.32, 0.43)]
    events = events_of(tower)
    particles = seen(events, STRAIGHT)
    assert particles.pdgid.tolist() == [211, -11, 22, 130]
    assert particles.origin.tolist() == [0, 3, -1, -1]
    assert particles.momentum[3] == pytest.approx(events.momentum[3, [0, 3, 2, 1]])


def test_tracks_share_what_a_better_calorimeter_measures() -> None:
    events = events_of([(211, 60.0, 0.33, 0.40), (-211, 30.0, 0.35, 0.42), (130, 20.0, 0.34, 0.41)])
    particles = seen(events, replace(STRAIGHT, track_resolution=1))
    assert particles.pdgid.tolist() == [211, -211]
    assert particles.momentum[3].sum() == pytest.approx(events.momentum[3].sum(), rel=1e-4)  # the mass is not scaled


def test_a_lost_track_is_a_neutral_hadron_and_a_lost_electron_a_photon() -> None:
    events = events_of([(211, 20.0, 0.33, 0.40), (11, 20.0, -0.33, 0.40), (13, 20.0, 0.33, 2.0)])
    particles = seen(events, replace(STRAIGHT, abs_eta_tracks=0))
    assert particles.pdgid.tolist() == [22, 130]
    assert particles.momentum[3] == pytest.approx(events.momentum[3, [1, 0]])


def test_kaons_and_lambdas_share_their_energy() -> None:
    for code in (310, 3122, -3122):
        events = events_of([(code, 20.0, 0.33, 0.40)])
        particles = seen(events, EXACT)
        assert particles.pdgid.tolist() == [22, 130]
        assert particles.momentum[3] == pytest.approx(events.momentum[3, 0] * np.array([0.3, 0.7]))


def test_thresholds() -> None:
    hits: list[Hit] = [(22, 0.49, 0.05, 0.1), (22, 0.52, 0.05, 1.0), (2112, 0.2, 0.05, 2.0), (2112, 0.6, 0.05, 3.0)]
    assert seen(events_of(hits), EXACT).pdgid.tolist() == [22, 130]  # energies 0.49, 0.52, 0.96, 1.11 GeV
    assert len(seen(events_of(hits), replace(EXACT, thresholds=0)).pdgid) == 4
    # a neutral hadron of 1.2 GeV is not significant: sigma is 1.7 GeV
    loose = replace(CARD, thresholds=0)
    assert len(single(130, 1.2, 0.25, 500).pdgid) < 200 < len(single(130, 1.2, 0.25, 500, loose).pdgid) == 500


# Geometry


def test_azimuth_wraps() -> None:
    near = math.pi - 0.01
    two = seen(events_of([(22, 10.0, 0.05, near), (22, 20.0, 0.05, -near)]), EXACT)
    assert sorted(eta_phi(two)[1]) == pytest.approx([-math.radians(175), math.radians(175)])
    one = seen(events_of([(22, 10.0, 0.05, math.pi), (22, 20.0, 0.05, -math.pi)]), EXACT)
    assert len(one.pdgid) == 1
    bent = seen(events_of([(211, 1.0, 0.05, -near)]), replace(EXACT, abs_eta_tracks=0))  # clockwise, over the seam
    assert eta_phi(bent)[1] == pytest.approx([math.radians(165)])


def test_acceptance() -> None:
    hits: list[Hit] = [(22, 5.0, 4.85, 0.1), (22, 5.0, -4.85, 0.1), (22, 5.0, 4.95, 1.0), (22, 5.0, -4.9001, 1.0)]
    particles = seen(events_of(hits), EXACT)
    assert sorted(eta_phi(particles)[0]) == pytest.approx([-4.8, 4.8])
    particles = seen(events_of([(211, 5.0, 2.49, 0.1), (211, 5.0, -2.51, 0.1), (13, 5.0, 2.51, 0.1)]), STRAIGHT)
    assert particles.pdgid.tolist() == [211, 130]
    along_the_beam = events_of([(22, 5.0, 0.0, 0.0), (211, 5.0, 0.0, 0.0), (22, 0.0, 0.0, 0.0)])
    along_the_beam.momentum[:3] = [[0, 0, 0], [0, 0, 0], [9, -9, 0]]
    assert len(seen(along_the_beam).pdgid) == 0


def exit_point(pt: float, eta: float, phi: float, charge: int, field: float) -> tuple[float, float] | None:
    """Leave the cylinder step by step: the velocity turns, the position follows (midpoint rule)."""
    step, x, y, z, direction = 2e-4, 0.0, 0.0, 0.0, phi
    turn = -0.299792458 * charge * field / pt * step
    for _ in range(200_000):
        direction += turn / 2
        x += math.cos(direction) * step
        y += math.sin(direction) * step
        z += math.sinh(eta) * step
        direction += turn / 2
        if math.hypot(x, y) >= 1.15 or abs(z) >= 3.51:
            return math.asinh(z / math.hypot(x, y)), math.atan2(y, x)
    return None


@pytest.mark.parametrize("charge", [1, -1, 0])
@pytest.mark.parametrize(("pt", "eta"), [(0.2, 0.8), (0.3, -1.5), (0.36, 0.1), (1.0, 0.7), (1.0, -2.4), (30.0, 1.0)])
def test_the_way_through_the_field(pt: float, eta: float, charge: int) -> None:
    found = at_calorimeter(np.array([pt]), np.array([eta]), np.array([0.7]), np.array([charge], np.int8), 2.0)
    expected = exit_point(pt, eta, 0.7, charge, 2.0)
    assert expected is not None
    # steps of 0.2 mm; a particle that hardly reaches the barrel comes in flat
    assert found[0][0] == pytest.approx(expected[0], abs=5e-3)
    assert math.remainder(found[1][0] - expected[1], 2 * math.pi) == pytest.approx(0, abs=5e-3)


def test_a_particle_that_circles_for_ever_is_not_seen() -> None:
    assert len(seen(events_of([(211, 0.3, 0.0, 0.0)]), replace(EXACT, thresholds=0)).pdgid) == 0


# The whole


def slow_detector(hits: list[Hit], settings: DetectorSettings) -> list[tuple[int, float, float, float]]:
    """One event without smearing, particle by particle and tower by tower: (id, E, eta, phi)."""
    positive = [i / 10 for i in range(26)] + [2.6, 2.8, 3.0, 3.2, 3.3, 3.5, 3.7, 3.9, 4.1, 4.3, 4.5, 4.7, 4.9]
    edges = sorted({-e for e in positive} | set(positive))
    towers: dict[tuple[float, float, float, float], list[float]] = {}
    found = []
    for code, pt, eta, phi in hits:
        kind, charge = abs(code), int(math.copysign(1, code)) * CHARGE.get(abs(code), 0)
        if kind in (12, 14, 16):
            continue
        energy = math.sqrt((pt * math.cosh(eta)) ** 2 + MASS[kind] ** 2)
        there = at_calorimeter(
            np.array([pt]), np.array([eta]), np.array([phi]), np.array([charge], np.int8), settings.magnetic_field
        )
        eta_there, phi_there = float(there[0][0]), math.remainder(float(there[1][0]), 2 * math.pi)
        cell = None
        for low, high in pairwise(edges):
            if low <= eta_there < high:
                centre = abs(low + high) / 2
                wide = math.radians(10 if centre < 2.6 or 3.2 < centre < 3.3 else 20)
                start = math.floor(phi_there / wide) * wide
                cell = (low, high, start, start + wide)
        if cell is not None and kind != 13:
            ecal = 1.0 if kind in (11, 22) else 0.3 if kind in (310, 3122) else 0.0
            sums = towers.setdefault(cell, [0.0, 0.0])
            sums[0] += ecal * energy
            sums[1] += (1 - ecal) * energy
        if charge and pt > settings.track_pt_min and abs(eta_there) < settings.abs_eta_tracks:
            mass = MASS[kind] if kind in (11, 13) else 0.13957039
            measured = math.sqrt((pt * math.cosh(eta)) ** 2 + mass**2)
            found.append((code if kind in (11, 13) else 211 * charge, measured, eta, phi))
            if cell is not None and kind != 13:
                towers[cell][0 if kind == 11 else 1] -= measured
    for (low, high, start, stop), rest in towers.items():
        for code, energy, least in ((22, rest[0], 0.5), (130, rest[1], 1.0)):
            if energy >= least:
                found.append((code, energy, (low + high) / 2, (start + stop) / 2))
    return sorted(found)


def test_a_slow_loop_over_towers_agrees() -> None:
    codes = (11, 13, 22, 22, 130, 211, 211, 211, 321, 2112, 2212, 310, 3122, 14)
    lists = [random_hits(n, n, codes, 0.05, 5.2) for n in (300, 0, 150, 400)]
    particles = seen(events_of(*lists), EXACT)
    assert np.diff(particles.offsets).tolist() == [len(slow_detector(one, EXACT)) for one in lists]
    places = eta_phi(particles)
    for i, one in enumerate(lists):
        part = slice(particles.offsets[i], particles.offsets[i + 1])
        rows = zip(particles.pdgid[part], particles.momentum[3, part], *places[:, part], strict=True)
        for row, expected in zip(sorted(rows), slow_detector(one, EXACT), strict=True):
            assert row[:3] == pytest.approx(expected[:3], rel=1e-9)
            assert math.remainder(row[3] - expected[3], 2 * math.pi) == pytest.approx(0, abs=1e-9)


def test_a_perfect_detector_returns_the_particles() -> None:
    events = events_of(*(random_hits(80, i, (11, 13, 22, 130, 211, 2112), 0.6, 2.3) for i in range(20)))
    particles = seen(events, PERFECT)
    assert particles.offsets.tolist() == events.offsets.tolist()
    track = particles.origin >= 0
    assert particles.momentum[:, track] == pytest.approx(events.momentum[:, particles.origin[track]], rel=1e-9)
    assert particles.pdgid[track].tolist() == events.pdgid[particles.origin[track]].tolist()
    neutral = np.isin(np.abs(events.pdgid), (22, 130, 2112))
    for code, codes in ((22, (22,)), (130, (130, 2112))):
        mine = particles.momentum[:, particles.pdgid == code]
        true = events.momentum[:, np.isin(np.abs(events.pdgid), codes)]
        nearest = np.abs(mine[3][:, None] - true[3]).argmin(axis=1)
        assert sorted(nearest) == list(range(true.shape[1]))
        assert mine[3] == pytest.approx(true[3, nearest], rel=1e-9)
        cosine = (mine[:3] * true[:3, nearest]).sum(axis=0) / mine[3] / np.linalg.norm(true[:3, nearest], axis=0)
        assert cosine.min() > 1 - 2e-8  # half a tower is 1.0e-4 in each direction
    assert neutral.sum() == (~track).sum()


def test_order_and_determinism() -> None:
    events = events_of(*(random_hits(200, i, (11, 13, 22, 130, 211, 321, 2112), 0.1, 4.0) for i in range(10)))
    one, same, other = seen(events), seen(events), seen(events, seed=2)
    for column in fields(Particles):
        assert np.array_equal(getattr(one, column.name), getattr(same, column.name))
    assert not np.array_equal(one.momentum, other.momentum)
    for a, b in pairwise(one.offsets):
        origin, pdgid = one.origin[a:b], one.pdgid[a:b]
        tracks = int((origin >= 0).sum())
        assert (np.diff(origin[:tracks]) > 0).all()
        assert (pdgid[tracks:][origin[tracks:] >= 0]).tolist() == []
        assert pdgid[tracks:].tolist() == sorted(pdgid[tracks:])


def test_losses_leave_the_other_tracks_as_they_are() -> None:
    events = events_of(*(random_hits(100, i, (13,), 0.5, 2.0) for i in range(10)))
    every, some = seen(events, replace(CARD, track_losses=0)), seen(events)
    assert 0.8 < len(some.origin) / len(every.origin) < 1
    assert np.array_equal(some.momentum, every.momentum[:, np.isin(every.origin, some.origin)])


def test_neutrinos_and_decayed_particles_are_invisible() -> None:
    nothing = seen(events_of([(12, 50.0, 0.1, 0.1), (-14, 50.0, 0.1, 0.1), (16, 50.0, 0.1, 0.1)], []))
    assert nothing.offsets.tolist() == [0, 0, 0]
    assert nothing.momentum.shape == (4, 0)
    decayed = events_of([(211, 50.0, 0.1, 0.1), (22, 10.0, 0.1, 1.0)])
    decayed.status[0] = -91
    assert seen(decayed).pdgid.tolist() == [22]
    assert len(seen(events_of()).offsets) == 1


@pytest.mark.parametrize(
    ("setting", "value", "flag"),
    [
        ("abs_eta_tracks", -1.0, "--detector-abs-eta-tracks -1"),
        ("track_losses", math.nan, "--detector-track-losses nan"),
        ("energy_resolution", math.inf, "--detector-energy-resolution inf"),
        ("towers", 0, "--detector-towers 0: give a whole number from 1 to 1000"),
        ("towers", 1.5, "--detector-towers 1.5"),
        ("towers", 1001, "--detector-towers 1001"),
    ],
)
def test_bad_settings_name_their_flag(setting: str, value: float, flag: str) -> None:
    with pytest.raises(InputError, match=flag):
        replace(CARD, **{setting: value})  # type: ignore[arg-type]
