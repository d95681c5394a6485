"""Seeds, digests, weights and the merge of shards; the merge is tested with jets that no generator had to make."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets import shards, store
from glassjet.jets.generation import ShardResult
from glassjet.jets.keys import KEYS, PER_CLASS
from glassjet.jets.store import Jets, Ragged, no_partons
from tests.jets.card_settings import settings

GOLDEN = 2709682
# Every key of a card with another value than that of the card `top`; those about one class only act on that class.
OTHER: dict[str, Any] = {
    "sqrts": 13000,
    "tune": 21,
    "pdf": 8,
    "mpi": True,
    "isr": False,
    "fsr": False,
    "hadronisation": False,
    "fsr_scale": 2,
    "stable_ctau": 10,
    "signal_pthat": [450, 801],
    "signal_pthat_power": 2,
    "pythia": ["TimeShower:alphaSvalue = 0.12"],
    "pt": [550, 649],
    "abs_eta": 1.9,
    "abs_rapidity": 1.9,
    "radius": 0.7,
    "mass_softdrop": [50, 150],
    "two_subjets": True,
    "signal_resonance": 24,
    "match_radius": 0.7,
    "signal_cross_section": 2.0,
    "tracks": "measured",
    "detector": True,
    "track_field": 2.0,
    "track_pt_min": 2.0,
    "track_abs_eta": 2.0,
    "track_radius_max": 20.0,
    "track_efficiency": [0.9, 0.8],
    "track_d0_resolution": [0.02, 0.1],
    "track_z0_resolution": [0.02, 0.1],
}


def test_seeds_are_in_range_and_never_meet_in_a_sample() -> None:
    seeds = [shards.shard_seed(1, split, "qcd", number) for split in store.SPLITS for number in range(3000)]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= 1
    assert max(seeds) <= 900_000_000
    # spread over the range, so neighbours are not neighbours
    assert np.corrcoef(seeds[:3000], np.arange(3000))[0, 1] == pytest.approx(0, abs=0.2)


def test_seeds_are_the_same_in_every_version() -> None:
    assert shards.shard_seed(1, "train", "top", 0) == GOLDEN
    others = [(2, "train", "top"), (1, "test", "top"), (1, "train", "qcd")]
    assert len({shards.shard_seed(s, split, process, 0) for s, split, process in others} | {GOLDEN}) == 4


def test_the_plan_fills_all_shards_but_the_last() -> None:
    plan = shards.plan("test", "qcd", 0, 250, 100, 1, settings())
    assert [shard.jets for shard in plan] == [100, 100, 50]
    assert [shard.number for shard in plan] == [0, 1, 2]
    assert len({shard.seed for shard in plan}) == 3
    with pytest.raises(InputError, match="--shard-size 1 makes 2000000 shards"):
        shards.plan("test", "qcd", 0, 2_000_000, 1, 1, settings())


def test_any_other_setting_is_another_shard(tmp_path: Path) -> None:
    (shard,) = shards.plan("test", "qcd", 0, 10, 10, 1, settings())
    changed = [
        replace(shard, jets=9),
        replace(shard, seed=shard.seed + 1),
        replace(shard, split="train"),
        replace(shard, label=1),
        replace(shard, process="top"),
        *(replace(shard, settings=settings(**{key: other})) for key, other in OTHER.items()),
    ]
    assert shard.path(tmp_path) == replace(shard).path(tmp_path)
    assert len({one.path(tmp_path) for one in [shard, *changed]}) == len(changed) + 1
    others = {"signal", "background", *(f"background_{name}" for name in PER_CLASS)}
    assert set(KEYS) == {*OTHER, *others, *(key for key in KEYS if key.startswith("detector_"))}


def test_a_damaged_shard_is_not_finished(tmp_path: Path) -> None:
    path = fake_shard(tmp_path / "a.h5", 1, range(500), 1000, 2.0)
    assert shards.is_finished(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert not shards.is_finished(path)
    path.write_bytes(b"")
    assert not shards.is_finished(path)
    assert not shards.is_finished(tmp_path / "none.h5")


def fake_shard(path: Path, label: int, events: range, tried: int, cross_section: float) -> Path:
    n = len(events)
    number = np.array(events)
    columns = {name: np.ones(n) for name in store.JET_COLUMNS} | {"label": np.full(n, label), "event": number}
    constituents = Ragged(np.arange(n + 1), {name: number.astype("f4") for name in store.CONSTITUENT_COLUMNS})
    metadata = {
        "cutflow": {"events": tried, "acceptance": n},
        "cutflow_weight": {"events": float(tried), "acceptance": float(n)},
        "cross_section_pb": cross_section,
        "cross_section_error_pb": 0.3 * cross_section,
    }
    with store.writing(path, metadata, "{}") as writer:
        writer.append(Jets(columns, constituents, no_partons(n)))
    return path


def test_cross_sections_of_shards_merge_by_events(tmp_path: Path) -> None:
    paths = [
        fake_shard(tmp_path / "a.h5", 1, range(10), 100, 2.0),
        fake_shard(tmp_path / "b.h5", 1, range(5), 300, 4.0),
    ]
    summary = shards.summary_of(paths, 15)
    assert summary["cutflow"] == {"events": 400, "acceptance": 15, "jets": 15}
    assert summary["cutflow_pb"]["acceptance"] == pytest.approx(3.5 * 15 / 400)
    assert summary["cross_section_pb"] == pytest.approx((100 * 2 + 300 * 4) / 400)
    assert summary["cross_section_error_pb"] == pytest.approx((60**2 + 360**2) ** 0.5 / 400)
    assert summary["weight"] * 400 == pytest.approx(3.5)
    assert summary["selected_cross_section_pb"] == pytest.approx(3.5 * 15 / 400)
    # of a file of events the first jets may be enough: they stand for all
    fewer = shards.summary_of(paths, 12)
    assert fewer["weight"] * 12 == pytest.approx(fewer["selected_cross_section_pb"])
    assert fewer["selected_cross_section_pb"] == pytest.approx(3.5 * 15 / 400)


def test_the_merge_is_mixed_all_along_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "GROUP", 40)
    signal = [
        fake_shard(tmp_path / f"s{i}.h5", 1, range(first, last), 100, 1.0)
        for i, (first, last) in enumerate([(0, 30), (30, 31), (31, 100)])
    ]
    background = [fake_shard(tmp_path / "b.h5", 0, range(1000, 1300), 500, 1.0)]
    groups = list(shards.mixed([(signal, 100, 0.5), (background, 300, 2.0)], seed=7))
    assert len(groups) == 10
    for group in groups:
        assert len(group) == 40
        assert group.columns["label"].sum() == 10
        assert (np.diff(group.columns["label"]) != 0).sum() >= 5  # not one class behind the other
    together = store.concatenate(groups)
    events, labels = together.columns["event"], together.columns["label"]
    assert sorted(events[labels == 1].tolist()) == list(range(100))
    assert sorted(events[labels == 0].tolist()) == list(range(1000, 1300))
    assert (together.columns["weight"] == np.where(labels == 1, 0.5, 2.0)).all()
    assert (together.constituents.columns["pt"] == events).all()  # constituents move with their jets
    again = store.concatenate(list(shards.mixed([(signal, 100, 0.5), (background, 300, 2.0)], seed=7)))
    assert again.columns["event"].tolist() == events.tolist()
    other = store.concatenate(list(shards.mixed([(signal, 100, 0.5), (background, 300, 2.0)], seed=8)))
    assert other.columns["event"].tolist() != events.tolist()


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_jets_without_a_cross_section_are_refused(
    value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = ShardResult(Jets({}, no_partons(0), no_partons(0)), {}, {}, (value, 0.0))
    monkeypatch.setattr(shards, "shard", lambda *args: nothing)
    (work,) = shards.plan("test", "qcd", 0, 10, 10, 1, settings())
    with pytest.raises(InputError, match=r"process 'qcd' has no cross section \(.* pb\), so its jets no weight"):
        shards.make(work, tmp_path, 100)
    assert not list(tmp_path.iterdir())
