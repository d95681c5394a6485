"""Chains of decays by hand, and the match against a slow loop over random partons."""

import math

import numpy as np
import pytest

from glassjet.jets import matching
from glassjet.jets.events import Events

# t -> t (recoil) -> t g -> W b, W -> W -> u dbar, in the second of two events; the first holds a gluon alone
RECORD = [
    # pdgid, status, first daughter, last daughter
    (21, 23, -1, -1),
    (6, -22, 2, 2),
    (6, -44, 3, 4),
    (6, -51, 5, 6),
    (21, 51, -1, -1),
    (24, -22, 7, 7),
    (5, 23, -1, -1),
    (24, -52, 8, 9),
    (2, 23, -1, -1),
    (-1, 23, -1, -1),
]


def record() -> Events:
    pdgid, status, first, last = np.array(RECORD).T
    n = len(RECORD)
    return Events(
        np.array([0, 1, n]),
        pdgid.astype(np.int32),
        status.astype(np.int32),
        np.stack([first, last], axis=1),
        np.ones((4, n)),
        np.zeros((3, n)),
        np.ones(2),
        np.zeros(2),
    )


def test_a_decay_is_followed_through_copies_and_radiation() -> None:
    assert matching.decays(record(), 6).tolist() == [[3, 6, 8, 9]]
    assert matching.decays(record(), 24).tolist() == [[7, 8, 9]]
    assert matching.last_copies(record(), np.array([1, 2, 5])).tolist() == [3, 3, 7]
    assert matching.decays(record(), 25).shape[0] == 0


def test_the_match_equals_a_slow_loop() -> None:
    rng = np.random.default_rng(5)
    n_events, k = 200, 3
    per_event = rng.integers(0, 4, n_events)
    offsets = np.concatenate([[0], np.cumsum(k * per_event)])
    n = int(offsets[-1])
    pt, y, phi = rng.uniform(10, 100, n), rng.normal(0, 0.5, n), rng.uniform(-1, 1, n) + math.pi
    mass = rng.uniform(0, 50, n)
    transverse = np.hypot(pt, mass)
    momentum = np.stack([pt * np.cos(phi), pt * np.sin(phi), transverse * np.sinh(y), transverse * np.cosh(y)])
    events = Events(
        offsets,
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.full((n, 2), -1),
        momentum,
        np.zeros((3, n)),
        np.ones(n_events),
        np.zeros(n_events),
    )
    candidates = np.arange(n).reshape(-1, k)
    event = np.flatnonzero(rng.random(n_events) < 0.7)
    jet_y, jet_phi = rng.normal(0, 0.3, len(event)), np.full(len(event), -math.pi + 0.01)
    jets = np.stack([100 * np.cos(jet_phi), 100 * np.sin(jet_phi), 110 * np.sinh(jet_y), 110 * np.cosh(jet_y)])

    found = matching.match(events, candidates, event, jets, 0.8)
    partons_of_jets = matching.partons_of(events, candidates, found, jets)
    for i, number in enumerate(event):
        best, nearest, of_best = -1, math.inf, []
        for row, partons in enumerate(candidates):
            if not offsets[number] <= partons[0] < offsets[number + 1]:
                continue
            distances = []
            for p in partons:
                turn = abs(phi[p] - jet_phi[i])
                while turn > math.pi:
                    turn = abs(turn - 2 * math.pi)
                distances.append(math.sqrt((y[p] - jet_y[i]) ** 2 + turn**2))
            if max(distances) <= 0.8 and distances[0] < nearest:
                best, nearest, of_best = row, distances[0], distances
        assert found[i] == best
        stored = partons_of_jets.columns["delta_r"][partons_of_jets.offsets[i] : partons_of_jets.offsets[i + 1]]
        assert stored == pytest.approx(of_best, rel=1e-5)
    assert 10 < (found >= 0).sum() < len(event)


def test_no_candidates_or_no_jets_match_nothing() -> None:
    events = record()
    none = np.zeros((0, 4), np.int64)
    one = matching.decays(events, 6)
    assert matching.match(events, none, np.array([1]), np.ones((4, 1)), 0.8).tolist() == [-1]
    assert matching.match(events, one, np.zeros(0, np.int64), np.ones((4, 0)), 0.8).tolist() == []
