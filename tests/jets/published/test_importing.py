"""What all readers have in common: classes, mixing of files, carved splits, limits, and what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets.published import importing
from glassjet.jets.published.importing import Choice
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import Jets, Ragged, concatenate

CLASSES = ("qcd", "w", "top")


class Made:
    """A file that stands in memory: row i has i % 4 + 1 constituents and the class `kind[i]`."""

    def __init__(self, kind: list[int], change: dict[str, Any] | None = None) -> None:
        self.kind = np.array(kind, np.int64)
        self.change = change or {}

    def __len__(self) -> int:
        return len(self.kind)

    def read(self, start: int, stop: int) -> Rows:
        number = np.arange(start, stop)
        counts = number % 4 + 1
        if "empty" in self.change:
            counts[number == self.change["empty"]] = 0
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        owner = np.repeat(number, counts)
        place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
        pt = 10.0 + owner + place  # rising: to be ordered
        columns = {"pt": pt, "eta": 0.1 * place, "phi": np.zeros(len(pt)), "energy": pt * np.cosh(0.1 * place)}
        for name, (row, value) in self.change.get("momenta", {}).items():
            columns[name] = np.where(owner == row, value, columns[name])
        return Rows(self.kind[start:stop], Ragged(offsets, columns), {"extra": number.astype(np.float32)})


def reader(**files: Made) -> Any:
    """A reader of these files by their names."""

    @contextmanager
    def opened(path: Path) -> Iterator[Made]:
        yield files[path.name]

    return SimpleNamespace(CLASSES=CLASSES, SIGNAL=("top",), BACKGROUND=("qcd",), METADATA={}, opened=opened)


def read(files: dict[str, Made], choice: Choice | None = None, size: int = 7) -> Jets:
    paths = [Path(name) for name in files]
    return concatenate(list(importing.read(reader(**files), paths, "test", choice or TOP, size)))


def rows_of(jets: Jets) -> list[int]:
    return jets.columns["extra"].astype(int).tolist()


def test_classes_become_labels_and_others_are_left_out() -> None:
    kinds = [0, 1, 2, -1] * 5
    jets = read({"a": Made(kinds)})
    assert rows_of(jets) == [i for i, kind in enumerate(kinds) if kind in (0, 2)]
    assert jets.columns["label"].tolist() == [int(kinds[i] == 2) for i in rows_of(jets)]
    groups = read({"a": Made(kinds)}, Choice(("top", "w"), ("qcd",)))
    assert groups.columns["label"].tolist() == [int(kinds[i] > 0) for i in rows_of(groups)]
    assert len(groups) == 15


def test_kinematics_are_the_sums_of_ordered_constituents() -> None:
    jets = read({"a": Made([0, 2] * 6)})
    for i, row in enumerate(rows_of(jets)):
        own = slice(jets.constituents.offsets[i], jets.constituents.offsets[i + 1])
        pt = np.array([10.0 + row + place for place in range(row % 4 + 1)])
        assert jets.constituents.columns["pt"][own].tolist() == pt[::-1].tolist()
        assert jets.columns["pt"][i] == pytest.approx(pt.sum(), rel=1e-6)
        pz = (pt * np.sinh(0.1 * np.arange(len(pt)))).sum()
        assert np.sinh(jets.columns["eta"][i]) * pt.sum() == pytest.approx(pz, rel=1e-5, abs=1e-6)
    assert (jets.columns["weight"] == 1).all()


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_chunks_change_nothing_of_one_file(size: int) -> None:
    whole, pieces = read({"a": Made([0, 2, 1] * 9)}, size=1000), read({"a": Made([0, 2, 1] * 9)}, size=size)
    for name, column in whole.columns.items():
        assert pieces.columns[name].tolist() == column.tolist(), name
    assert pieces.constituents.columns["pt"].tolist() == whole.constituents.columns["pt"].tolist()


def test_files_of_one_class_each_are_mixed_and_keep_their_order() -> None:
    jets = read({"a": Made([0] * 40), "b": Made([2] * 20)}, size=12)
    label, extra = jets.columns["label"], jets.columns["extra"]
    assert len(jets) == 60
    for start in range(0, 60, 12):
        assert label[start : start + 12].sum() in (3, 4, 5)
    assert extra[label == 0].tolist() == list(range(40))
    assert extra[label == 1].tolist() == list(range(20))
    assert len(set(jets.columns["event"].tolist())) == 60


def test_parts_share_no_jet_and_leave_none_out() -> None:
    kinds = [0, 2] * 11
    parts = [read({"a": Made(kinds)}, Choice(("top",), ("qcd",), part, 3)) for part in range(3)]
    assert sorted(row for part in parts for row in rows_of(part)) == list(range(22))
    for number, part in enumerate(parts):
        assert all(row % 3 == number for row in rows_of(part))
    events = [set(part.columns["event"].tolist()) for part in parts]
    assert not events[0] & events[1]


def test_a_jets_event_number_does_not_depend_on_how_much_is_read() -> None:
    few = read({"a": Made([0, 2] * 20)}, Choice(("top",), ("qcd",), limit=7))
    assert len(few) == 7
    whole = read({"a": Made([0, 2] * 20)})
    assert few.columns["event"].tolist() == whole.columns["event"][:7].tolist()


def test_the_number_of_rows_is_known_before() -> None:
    made = reader(a=Made([0] * 10), b=Made([2] * 5))
    paths = [Path("a"), Path("b")]
    assert importing.count(made, paths, Choice(("top",), ("qcd",))) == 15
    assert importing.count(made, paths, Choice(("top",), ("qcd",), limit=4)) == 4


TOP = Choice(("top",), ("qcd",))


@pytest.mark.parametrize(
    ("made", "choice", "message"),
    [
        (Made([0, 2]), Choice(("tops",), ("qcd",)), "there is no class for the signal 'tops' (did you mean 'top'?)"),
        (Made([0, 2]), Choice(("top",), ("qcd", "top")), "the class 'top' stands twice"),
        (Made([]), TOP, "a: holds no jets"),
        (Made([1, 1]), TOP, "a: no jet is of the classes asked for (top, qcd)"),
        (Made([0] * 9, {"empty": 5}), TOP, "a: row 5 has no constituents"),
        (Made([0] * 9, {"momenta": {"pt": (6, np.nan)}}), TOP, "a: row 6 has a constituent with a NaN or infinite pt"),
        (
            Made([0] * 9, {"momenta": {"eta": (3, np.inf)}}),
            TOP,
            "a: row 3 has a constituent with a NaN or infinite",
        ),
        (Made([0] * 9, {"momenta": {"energy": (8, -1.0)}}), TOP, "a: row 8 has a constituent with a negative energy"),
    ],
)
def test_what_is_refused_is_named(made: Made, choice: Choice, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read({"a": made}, choice, size=4)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
