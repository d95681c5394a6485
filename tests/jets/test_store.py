"""The jet store: what is written is read, ragged operations equal slow loops, and what cannot be is named."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from glassjet import files
from glassjet.errors import InputError
from glassjet.jets import store
from glassjet.jets.store import Jets, Ragged

COUNTS = [3, 1, 0, 4, 2]


def ragged(counts: list[int], seed: int = 0, **names: str) -> Ragged:
    rng = np.random.default_rng(seed)
    total = sum(counts)
    types = names or store.CONSTITUENT_COLUMNS
    columns = {name: (100 * rng.random(total)).astype(kind) for name, kind in types.items()}
    return Ragged(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), columns)


def some_jets(n: int, seed: int = 0) -> Jets:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, n).tolist()
    columns: dict[str, Any] = {name: rng.random(n).astype(kind) for name, kind in store.JET_COLUMNS.items()}
    columns["label"] = rng.integers(0, 2, n).astype("i1")
    columns["event"] = rng.permutation(n) + 10 * n * seed
    kinds = store.CONSTITUENT_COLUMNS | {"pdgid": "i4"}
    return Jets(columns, ragged(counts, seed, **kinds), ragged(rng.integers(0, 3, n).tolist(), seed, **kinds))


def lists(part: Ragged, name: str) -> list[list[float]]:
    return [part.columns[name][part.offsets[i] : part.offsets[i + 1]].tolist() for i in range(len(part))]


def assert_equal(one: Jets, two: Jets) -> None:
    for name, column in one.columns.items():
        assert column.tolist() == two.columns[name].tolist(), name
    for a, b in ((one.constituents, two.constituents), (one.partons, two.partons)):
        assert a.columns.keys() == b.columns.keys()
        for name in a.columns:
            assert lists(a, name) == lists(b, name), name


def written(path: Path, jets: Jets, metadata: dict[str, Any] | None = None) -> Path:
    with store.writing(path, metadata or {}, "{}") as writer:
        writer.append(jets)
    return path


def test_taking_equals_a_slow_loop() -> None:
    part = ragged(COUNTS)
    index = np.array([4, 0, 2, 2, 3])
    for name in part.columns:
        assert lists(part.take(index), name) == [lists(part, name)[i] for i in index]
    assert len(part.take(np.zeros(0, np.int64))) == 0


@pytest.mark.parametrize("length", [1, 3, 6])
def test_padding_equals_a_slow_loop(length: int) -> None:
    part = ragged(COUNTS)
    expected = [(one + [0.0] * length)[:length] for one in lists(part, "pt")]
    assert part.padded("pt", length).tolist() == expected


def test_concatenation_equals_a_slow_loop() -> None:
    one, two, three = ragged(COUNTS, 1), ragged([0, 2], 2), ragged([5], 3)
    together = store.concatenate_ragged([one, two, three])
    for name in one.columns:
        assert lists(together, name) == lists(one, name) + lists(two, name) + lists(three, name)


def test_what_is_written_in_pieces_is_read_whole_and_in_chunks(tmp_path: Path) -> None:
    parts = [some_jets(n, seed) for seed, n in enumerate((7, 1, 12))]
    path = tmp_path / "jets.h5"
    with store.writing(path, {"sample": "top", "split": "test"}, '{"verb": "generate"}') as writer:
        for part in parts:
            writer.append(part)
    everything = store.concatenate(parts)
    assert_equal(store.read(path), everything)
    assert_equal(store.concatenate(list(store.chunks(path, 6))), everything)
    assert_equal(store.read(path, 5, 9), everything.take(np.arange(5, 9)))
    assert store.count(path) == 20
    assert store.metadata(path) == {"sample": "top", "split": "test"}
    labels, weights = store.labels_and_weights(path)
    assert labels.tolist() == everything.columns["label"].tolist()
    assert weights.tolist() == everything.columns["weight"].tolist()
    with h5py.File(path) as file:
        for name, kind in store.JET_COLUMNS.items():
            assert file[f"jets/{name}"].dtype == kind, name


@pytest.mark.parametrize(
    ("group", "name", "value", "words"),
    [
        ("constituents", "eta", np.nan, "constituents/eta is NaN or infinite in jet 2"),
        ("constituents", "pt", np.inf, "constituents/pt is NaN or infinite in jet 2"),
        ("constituents", "energy", -1.0, "constituents/energy is negative in jet 2"),
        ("jets", "weight", np.nan, "jets/weight is NaN or infinite in jet 2"),
        ("jets", "label", 2, "jets/label must be 0"),
    ],
)
def test_jets_that_cannot_be_are_named(tmp_path: Path, group: str, name: str, value: float, words: str) -> None:
    path = written(tmp_path / "jets.h5", some_jets(6))
    with h5py.File(path, "r+") as file:
        entry = file["constituents/offsets"][2] if group == "constituents" else 2
        file[f"{group}/{name}"][entry] = value
    with pytest.raises(InputError, match=words):
        store.read(path)
    with pytest.raises(InputError, match=words):
        list(store.chunks(path, 2))
    bad = some_jets(6)
    place = int(bad.constituents.offsets[2]) if group == "constituents" else 2
    (bad.constituents.columns if group == "constituents" else bad.columns)[name][place] = value
    with pytest.raises(InputError, match=words), store.writing(tmp_path / "other.h5", {}, "{}") as writer:
        writer.append(bad)
    assert not (tmp_path / "other.h5").exists()


def test_a_jet_without_constituents_is_named(tmp_path: Path) -> None:
    jets = some_jets(5)
    empty = Jets(jets.columns, ragged(COUNTS), jets.partons)
    with pytest.raises(InputError, match="jet 2 has no constituents"):
        written(tmp_path / "jets.h5", empty)


def test_missing_and_damaged_parts_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "jets.h5", some_jets(6))
    with h5py.File(path, "r+") as file:
        del file["constituents/energy"]
        del file["jets/weight"]
    with pytest.raises(InputError, match="no column weight, constituents/energy"):
        store.read(path)
    with h5py.File(path, "r+") as file:
        del file["partons"]
    with pytest.raises(InputError, match=r"damaged or truncated"):
        store.read(path)
    with pytest.raises(InputError, match="no jets were left"), store.writing(tmp_path / "none.h5", {}, "{}"):
        pass


def test_one_class_is_refused_where_two_are_needed(tmp_path: Path) -> None:
    jets = some_jets(6)
    store.require_both_classes(written(tmp_path / "both.h5", jets))
    jets.columns["label"][:] = 1
    with pytest.raises(InputError, match="holds only signal jets"):
        store.require_both_classes(written(tmp_path / "signal.h5", jets))


def test_event_numbers_are_unique_and_exact_in_float64() -> None:
    last = np.array([0, store.MOST_EVENTS - 1])
    numbers = np.concatenate(
        [
            store.event_numbers(split, label, shard, last)
            for split in store.SPLITS
            for label in (0, 1)
            for shard in (0, 1, store.MOST_SHARDS - 1)
        ]
    )
    assert len(set(numbers.tolist())) == len(numbers)
    assert numbers.max() < 2**53
    assert store.event_numbers("explain", 1, 12, np.array([345])).tolist() == [5_000012_000000345]
    with pytest.raises(InputError, match="--shard-size"):
        store.event_numbers("test", 0, 0, np.array([store.MOST_EVENTS]))


def test_a_full_disk_stops_before_anything_is_written_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(path: Path) -> Any:
        assert path == tmp_path
        return type("usage", (), {"free": next(free)})

    monkeypatch.setattr(files.shutil, "disk_usage", usage)
    free = iter([files.SPARE + 10**6, files.SPARE + 100])
    told = pytest.raises(
        InputError, match=r"jets.h5: no space left on the disk \(8 MB are free, .* MB needed to go on\)"
    )
    with told, store.writing(tmp_path / "jets.h5", {}, "{}") as writer:
        writer.append(some_jets(50))
        writer.append(some_jets(50, seed=1))
    assert not list(tmp_path.iterdir())


def test_secondary_vertices_come_and_go_with_their_jets(tmp_path: Path) -> None:
    jets = some_jets(5)
    vertices = ragged(COUNTS, 3, mass="f4", tracks="i4")
    with_vertices = Jets(jets.columns, jets.constituents, jets.partons, vertices)
    with store.writing(tmp_path / "jets.h5", {}, "{}") as writer:
        writer.append(with_vertices)
        writer.append(with_vertices)
    read = store.read(tmp_path / "jets.h5", 3, 8).vertices
    assert read is not None
    assert lists(read, "mass") == [lists(vertices, "mass")[i] for i in (3, 4, 0, 1, 2)]
    taken = with_vertices.take(np.array([4, 0])).vertices
    assert taken is not None
    assert lists(taken, "tracks") == [lists(vertices, "tracks")[i] for i in (4, 0)]
    both = store.concatenate([with_vertices, with_vertices]).vertices
    assert both is not None
    assert both.counts.tolist() == COUNTS + COUNTS
    assert store.concatenate([jets, jets]).vertices is None
