"""Generated jets against an independent loop over Pythia's events, and against what is known of tops, Ws and QCD."""

import math
from pathlib import Path
from typing import Any

import fastjet
import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets import pythia
from glassjet.jets.cards import process_of
from glassjet.jets.generation import ShardResult, shard
from glassjet.jets.store import Ragged
from tests.jets.card_settings import NARROW, settings

SEED = 4321


def near(a: "fastjet.PseudoJet", b: "fastjet.PseudoJet") -> bool:
    return bool(a.delta_R(b) <= 0.8)  # FastJet's distance is in rapidity and azimuth


def slow_top_jets(n: int) -> tuple[list[tuple[int, float, int, list[int]]], int]:
    """Event by event, particle by particle, with Pythia's own navigation: (event, pT, constituents, parton ids)."""
    found: list[tuple[int, float, int, list[int]]] = []
    with pythia.captured_stdout() as sink:
        generator = pythia.start(process_of("top"), settings(**NARROW).generator, SEED, sink)
        event = -1
        while len(found) < n + 1:
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
    return found[:n], event  # of the jet after the last, which is not counted


def test_top_jets_equal_a_slow_loop_over_events() -> None:
    made = shard("top", 12, SEED, settings(**NARROW), 20000)
    expected, events = slow_top_jets(12)
    assert made.jets.columns["event"].tolist() == [event for event, *_ in expected]
    assert made.jets.columns["pt"] == pytest.approx([pt for _, pt, *_ in expected], rel=1e-6)
    assert made.jets.constituents.counts.tolist() == [n for _, _, n, _ in expected]
    partons = made.jets.partons
    ids = [partons.columns["pdgid"][a:b].tolist() for a, b in zip(partons.offsets, partons.offsets[1:], strict=False)]
    assert [sorted(one) for one in ids] == [sorted(one) for *_, one in expected]
    assert made.cutflow["events"] == made.cutflow_weight["events"] == events
    assert made.cutflow["matched"] == 12


def test_a_shard_is_the_beginning_of_a_larger_one(top: ShardResult) -> None:
    small = shard("top", 5, 1, settings(**NARROW), 20000)
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
    assert list(qcd.cutflow) == ["events", "leading_jet_in_pt_window", "acceptance"]


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


def final_particles(**changes: Any) -> int:
    """How many final particles twenty QCD events have."""
    chosen = settings("top", "background", **NARROW | changes).generator
    with pythia.captured_stdout() as sink:
        events = pythia.batch(pythia.start(process_of("qcd"), chosen, 1, sink), 20)
    return int((events.status > 0).sum())


def test_what_the_card_switches_is_switched() -> None:
    usual = final_particles()
    assert final_particles(mpi=True) > 1.3 * usual
    assert final_particles(isr=False) < 0.9 * usual
    assert final_particles(fsr=False) < 0.8 * usual
    assert final_particles(hadronisation=False) < 0.5 * usual
    assert final_particles(fsr_scale=0.5) > usual > final_particles(fsr_scale=2)
    assert final_particles(tune=21) != usual
    assert final_particles(pdf=8) != usual
    assert final_particles(pythia=["TimeShower:alphaSvalue = 0.10"]) < 0.95 * usual


def test_long_lived_particles_are_stable_if_asked() -> None:
    def has_lambda(**changes: Any) -> bool:
        made = shard("qcd", 20, 1, settings("top", "background", **NARROW | changes), 20000)
        return bool(np.isin(np.abs(made.jets.constituents.columns["pdgid"]), (310, 3122)).any())

    assert not has_lambda()
    assert has_lambda(stable_ctau=10)


def test_a_bias_in_pthat_changes_weights_and_not_cross_sections() -> None:
    def made(power: float) -> tuple[float, float, np.ndarray, np.ndarray]:
        chosen = settings("top", "background", pthat=[400, 700], pthat_power=power, fsr=False, isr=False)
        result = shard("qcd", 300, 3, chosen, 20000)
        kept = result.jets.columns["weight"].sum()
        efficiency = kept / result.cutflow_weight["events"]
        relative = np.sqrt(1 / len(result.jets))
        return (
            result.cross_section[0] * efficiency,
            result.cross_section[0] * efficiency * relative,
            result.jets.columns["weight"],
            result.jets.columns["pthat"].astype(float),
        )

    plain, plain_error, weight, _ = made(0)
    biased, biased_error, biased_weight, pthat = made(4.5)
    assert (weight == 1).all()
    # the weight undoes the bias: (400 / pTHat)^4.5 and nothing else
    assert biased_weight * (pthat / 400) ** 4.5 == pytest.approx(1, rel=1e-4)  # stored in float32
    assert abs(plain - biased) < 3 * np.hypot(plain_error, 1.5 * biased_error)


def test_rapidity_and_soft_drop_are_required_where_the_card_says_so() -> None:
    chosen = settings("z_bb", "signal", mpi=False, pthat=[200, 600], tracks="off", abs_rapidity=0.8)
    made = shard("zz_bb", 25, 1, chosen, 20000)
    assert list(made.cutflow) == ["events", "leading_jet_in_pt_window", "acceptance", "soft_drop", "matched"]
    columns = made.jets.columns
    rapidity = np.arcsinh(columns["pt"] * np.sinh(columns["eta"]) / np.hypot(columns["pt"], columns["mass"]))
    assert np.abs(rapidity).max() < 0.8
    assert columns["pt"].min() >= 200
    constituents = made.jets.constituents
    with pythia.captured_stdout():
        for a, b in zip(constituents.offsets, constituents.offsets[1:], strict=False):
            mass, two = slow_soft_drop({k: v[a:b].astype(float) for k, v in constituents.columns.items()})
            assert 50 <= mass <= 150
            assert two
    pdgid = made.jets.partons.columns["pdgid"].reshape(-1, 3)
    assert (np.abs(pdgid) == [23, 5, 5]).all()
    assert made.jets.partons.columns["delta_r"].max() <= 0.8


def slow_soft_drop(columns: dict[str, np.ndarray]) -> tuple[float, bool]:
    """Down the Cambridge/Aachen tree until the softer branch has a tenth of the pT: (mass, whether one had)."""
    momenta = zip(*(columns[k] for k in ("pt", "eta", "phi", "energy")), strict=True)
    particles = [
        fastjet.PseudoJet(pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta), energy)
        for pt, eta, phi, energy in momenta
    ]
    clusters = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.cambridge_algorithm, 100.0))
    jet = fastjet.sorted_by_pt(clusters.inclusive_jets(0.0))[0]
    while True:
        first, second = fastjet.PseudoJet(), fastjet.PseudoJet()
        if not jet.has_parents(first, second):
            return jet.m(), False
        if min(first.pt(), second.pt()) / (first.pt() + second.pt()) > 0.1:
            return jet.m(), True
        jet = first if first.pt() > second.pt() else second


def test_tracks_of_b_jets_are_displaced_and_meet() -> None:
    quick = {"mpi": False, "pthat": [200, 600]}
    made = {
        role: shard(process, 40, 1, settings("h_bb", role, **quick), 20000).jets
        for role, process in (("signal", "zh_bb"), ("background", "qcd"))
    }
    share = {}
    for role, jets in made.items():
        columns = jets.constituents.columns
        has_track = columns["d0_error"] > 0
        assert (has_track == (columns["z0_error"] > 0)).all()
        assert (columns["charge"][has_track] != 0).all()
        assert (columns["d0"][~has_track] == 0).all()
        share[role] = (np.abs(columns["d0"][has_track]) > 4 * columns["d0_error"][has_track]).mean()
        assert jets.vertices is not None
        for name in ("d3d", "dxy", "mass", "pt"):
            assert (jets.vertices.columns[name] > 0).all()
    assert share["signal"] > 3 * share["background"]
    found = {role: (jets.vertices.counts > 0).mean() for role, jets in made.items() if jets.vertices is not None}
    assert found["signal"] > 0.4 > 0.2 > found["background"]


def test_tracks_of_one_b_quark_lie_downstream(tmp_path: Path) -> None:
    (tmp_path / "bb.cmnd").write_text("HardQCD:hardbbbar = on\n")
    chosen = settings("h_bb", "background", mpi=False, pthat=[200, 400], radius=0.4)
    columns = shard(str(tmp_path / "bb.cmnd"), 60, 1, chosen, 20000).jets.constituents.columns
    significance = columns["d0"][columns["d0_error"] > 0] / columns["d0_error"][columns["d0_error"] > 0]
    assert (significance > 4).mean() > 0.1
    assert (significance < -4).mean() < 0.4 * (significance > 4).mean()


def test_production_vertices_are_the_truth_and_have_no_errors() -> None:
    made = shard("zh_bb", 10, 1, settings("h_bb", "signal", mpi=False, pthat=[200, 600], tracks="production"), 20000)
    columns = made.jets.constituents.columns
    assert "d0_error" not in columns
    assert made.jets.vertices is None
    assert (columns["d0"] >= 0).all()
    assert (columns["d0"][columns["charge"] == 0] == 0).all()
    assert (columns["d0"][columns["charge"] != 0] == 0).mean() > 0.3  # many come from the collision itself
    assert columns["d0"][columns["d0"] > 0].min() > 1e-6  # no trace of how far the H boson flew
    assert columns["d0"].max() > 0.5


def test_a_detector_sees_the_same_events_with_fewer_constituents(top: ShardResult) -> None:
    seen = shard("top", 60, 1, settings("top", "signal", detector=True, **NARROW), 20000).jets
    both, here, there = np.intersect1d(top.jets.columns["event"], seen.columns["event"], return_indices=True)
    assert len(both) > 30  # of 60: the others crossed an edge of the pT window
    particles, detected = top.jets.constituents.counts[here], seen.constituents.counts[there]
    assert np.median(detected / particles) < 0.9
    ratio = seen.columns["pt"][there].astype(float) / top.jets.columns["pt"][here]
    assert 0.002 < np.std(ratio) < 0.1
    charge = seen.constituents.columns["charge"]
    assert set(np.unique(np.abs(seen.constituents.columns["pdgid"][charge == 0]))) <= {22, 130}
    assert set(np.unique(np.abs(seen.constituents.columns["pdgid"][charge != 0]))) <= {11, 13, 211}


def test_the_detector_comes_with_tracks_too() -> None:
    made = shard("zh_bb", 10, 1, settings("h_bb", "signal", mpi=False, pthat=[200, 600], detector=True), 20000).jets
    columns = made.constituents.columns
    assert ((columns["d0_error"] > 0) <= (columns["charge"] != 0)).all()
    assert (columns["d0_error"] > 0).sum() > 30


def test_the_estimate_of_the_efficiency_is_unbiased() -> None:
    """Events are counted up to the jet after the last: the mean over many small shards is that of one large shard."""
    chosen = settings("top", "background", pthat=[450, 800], pthat_power=0, isr=False, fsr=False, hadronisation=False)
    small = [shard("qcd", 1, seed, chosen, 20000) for seed in range(1, 41)]
    estimates = np.array([1 / one.cutflow["events"] for one in small])
    large = shard("qcd", 1500, 99, chosen, 20000)
    expected = 1500 / large.cutflow["events"]
    error = np.hypot(estimates.std(ddof=1) / np.sqrt(len(estimates)), expected / np.sqrt(1500))
    assert abs(estimates.mean() - expected) < 3 * error


def test_a_window_that_nothing_passes_ends_with_its_cutflow() -> None:
    words = (
        r"'qcd': no jet passed in the last \d+ events \(events \d+, leading_jet_in_pt_window 0, acceptance 0\); widen"
    )
    with pytest.raises(InputError, match=words):
        shard("qcd", 3, 1, settings("top", "background", pthat=[100, 120], pthat_power=0), 60)
