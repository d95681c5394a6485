"""Generated jets against an independent loop over Pythia's events, and against what is known of tops, Ws and QCD."""

import math

import fastjet
import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets import pythia
from glassjet.jets.cards import CARDS, Card
from glassjet.jets.generation import Settings, ShardResult, shard
from glassjet.jets.store import Ragged

SEED = 4321


def near(a: "fastjet.PseudoJet", b: "fastjet.PseudoJet") -> bool:
    return bool(a.delta_R(b) <= 0.8)  # FastJet's distance is in rapidity and azimuth


def slow_top_jets(n: int) -> tuple[list[tuple[int, float, int, list[int]]], int]:
    """Event by event, particle by particle, with Pythia's own navigation: (event, pT, constituents, parton ids)."""
    found: list[tuple[int, float, int, list[int]]] = []
    with pythia.captured_stdout() as sink:
        generator = pythia.start(CARDS["top"], 14000.0, False, (450.0, 800.0), SEED, sink)
        event = -1
        while len(found) < n:
            event += 1
            assert generator.next()
            final, tops = [], []
            for i in range(generator.event.size()):
                particle = generator.event[i]
                if particle.isFinal() and particle.idAbs() not in (12, 14, 16):
                    final.append(fastjet.PseudoJet(particle.px(), particle.py(), particle.pz(), particle.e()))
                if particle.idAbs() == 6 and particle.status() == -62:  # the outgoing top behind all radiation
                    tops.append(particle)
            clusters = fastjet.ClusterSequence(final, fastjet.JetDefinition(fastjet.antikt_algorithm, 0.8))
            jet = fastjet.sorted_by_pt(clusters.inclusive_jets(100.0))[0]
            if not (550 <= jet.pt() <= 650 and abs(jet.eta()) < 2):
                continue
            for top in tops:
                partons = [top]
                for i in top.daughterList():
                    daughter = generator.event[i]
                    if daughter.idAbs() == 24:
                        boson = generator.event[daughter.iBotCopy()]
                        partons += [generator.event[k] for k in boson.daughterList()]
                    else:
                        partons.insert(1, daughter)
                if all(near(jet, fastjet.PseudoJet(p.px(), p.py(), p.pz(), p.e())) for p in partons):
                    found.append((event, jet.pt(), len(jet.constituents()), [p.id() for p in partons]))
                    break
    return found, event + 1


def test_top_jets_equal_a_slow_loop_over_events() -> None:
    made = shard("top", 12, SEED, Settings(), 20000)
    expected, events = slow_top_jets(12)
    assert made.jets.columns["event"].tolist() == [event for event, *_ in expected]
    assert made.jets.columns["pt"] == pytest.approx([pt for _, pt, *_ in expected], rel=1e-6)
    assert made.jets.constituents.counts.tolist() == [n for _, _, n, _ in expected]
    partons = made.jets.partons
    ids = [partons.columns["pdgid"][a:b].tolist() for a, b in zip(partons.offsets, partons.offsets[1:], strict=False)]
    assert [sorted(one) for one in ids] == [sorted(one) for *_, one in expected]
    assert made.cutflow["events"] == made.sum_of_weights == events
    assert made.cutflow["matched"] == 12


def test_a_shard_is_the_beginning_of_a_larger_one(top: ShardResult) -> None:
    small = shard("top", 5, 1, Settings(), 20000)
    assert small.jets.constituents.columns["pt"].tolist() == (
        top.jets.constituents.columns["pt"][: small.jets.constituents.offsets[-1]].tolist()
    )


def reclustered(constituents: Ragged, i: int) -> list[int]:
    columns = {k: v[constituents.offsets[i] : constituents.offsets[i + 1]] for k, v in constituents.columns.items()}
    particles = [
        fastjet.PseudoJet(
            float(pt * math.cos(phi)), float(pt * math.sin(phi)), float(pt * math.sinh(eta)), float(energy)
        )
        for pt, eta, phi, energy in zip(
            *(columns[k].astype(float) for k in ("pt", "eta", "phi", "energy")), strict=True
        )
    ]
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 0.8)
    clusters = fastjet.ClusterSequence(particles, definition)
    return [len(jet.constituents()) for jet in clusters.inclusive_jets(0.0)]


def test_jets_recluster_to_one_jet_with_ordered_visible_constituents(top: ShardResult, qcd: ShardResult) -> None:
    for made in (top, qcd):
        constituents = made.jets.constituents
        with pythia.captured_stdout():
            for i in range(0, len(made.jets), 3):
                assert reclustered(constituents, i) == [constituents.counts[i]]
        for a, b in zip(constituents.offsets, constituents.offsets[1:], strict=False):
            assert (np.diff(constituents.columns["pt"][a:b]) <= 0).all()
        assert not np.isin(np.abs(constituents.columns["pdgid"]), (12, 14, 16)).any()
        charge_of = {211: 1, 22: 0, 2112: 0, 2212: 1, 11: -1, 13: -1, 321: 1, 130: 0}
        for pdgid, charge in charge_of.items():
            for sign in (1, -1):
                chosen = constituents.columns["charge"][constituents.columns["pdgid"] == sign * pdgid]
                assert (chosen == sign * charge).all()


def test_the_selection_holds_for_the_stored_values(top: ShardResult, qcd: ShardResult, w: ShardResult) -> None:
    for made in (top, qcd, w):
        columns = made.jets.columns
        assert columns["pt"].min() >= 550
        assert columns["pt"].max() <= 650
        assert np.abs(columns["eta"]).max() < 2
        steps = list(made.cutflow.values())
        assert steps == sorted(steps, reverse=True)
        assert steps[-1] == len(made.jets)
    assert list(qcd.cutflow) == ["events", "leading_jet_in_pt_window", "eta"]


def test_masses_peak_where_they_must(top: ShardResult, qcd: ShardResult, w: ShardResult) -> None:
    assert np.median(top.jets.columns["mass"]) == pytest.approx(174, abs=4)
    assert np.median(w.jets.columns["mass"]) == pytest.approx(82, abs=3)
    assert np.median(qcd.jets.columns["mass"]) < 100


def test_the_truth_partons_make_up_the_resonance(top: ShardResult, w: ShardResult, qcd: ShardResult) -> None:
    for made, ids, mass in ((top, [6, 5], 172.5), (w, [24], 80.4)):
        partons = made.jets.partons
        each = len(ids) + 2
        assert (partons.counts == each).all()
        pdgid = np.abs(partons.columns["pdgid"].reshape(-1, each))
        assert (pdgid[:, : len(ids)] == ids).all()
        assert (pdgid[:, len(ids) :] <= 4).all()
        pt, eta, phi, energy = (
            partons.columns[k].astype(float).reshape(-1, each) for k in ("pt", "eta", "phi", "energy")
        )
        px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        mass_squared = (energy**2 - px**2 - py**2 - pz**2)[:, 0]
        assert np.sqrt(np.median(mass_squared)) == pytest.approx(mass, abs=1)
        for axis in (px, py, pz, energy):  # the quarks carry the whole of it, but for the shower's recoil
            assert np.median(np.abs(axis[:, 1:].sum(axis=1) - axis[:, 0]) / energy[:, 0]) < 0.01
    hard = np.abs(qcd.jets.partons.columns["pdgid"])
    assert qcd.jets.partons.counts.max() == 1
    assert len(hard) > 0.9 * len(qcd.jets)
    assert np.isin(hard, (1, 2, 3, 4, 5, 21)).all()


def test_multiparton_interactions_are_switched() -> None:
    particles = []
    for mpi in (False, True):
        with pythia.captured_stdout() as sink:
            events = pythia.batch(pythia.start(CARDS["qcd"], 14000.0, mpi, (450.0, 800.0), 1, sink), 20)
        particles.append((events.status > 0).sum())
    assert particles[1] > 1.3 * particles[0]


def test_a_setting_that_pythia_does_not_know_is_named() -> None:
    card = Card("broken", "", ("HardQCD:al = on",))
    told = pytest.raises(InputError, match=r"process 'broken': Pythia refuses the setting 'HardQCD:al = on'")
    with told, pythia.captured_stdout() as sink:
        pythia.start(card, 14000.0, False, (450.0, 800.0), 1, sink)


def test_a_process_that_cannot_start_says_why() -> None:
    told = pytest.raises(InputError, match=r"process 'none' cannot start at sqrts 14000 GeV.*PYTHIA Abort")
    with told, pythia.captured_stdout() as sink:
        pythia.start(Card("none", "", ()), 14000.0, False, (450.0, 800.0), 1, sink)


def test_a_window_that_nothing_passes_ends_with_its_cutflow() -> None:
    words = r"'qcd': no jet passed in the last \d+ events \(events \d+, leading_jet_in_pt_window 0, eta 0\); widen"
    with pytest.raises(InputError, match=words):
        shard("qcd", 3, 1, Settings(pthat=(100.0, 120.0)), 60)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pt": (650.0, 550.0)}, "--pt 650 550: give a lower and a higher"),
        ({"pthat": (-1.0, 550.0)}, "--pthat -1 550: give a lower"),
        ({"abs_eta": 0.0}, "--abs-eta 0: give a positive number"),
        ({"radius": math.nan}, "--radius nan: give a positive number"),
        ({"sqrts": 800.0}, "out of reach at --sqrts 800"),
    ],
)
def test_settings_that_cannot_be_are_named(change: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Settings(**change)  # type: ignore[arg-type]
