"""Anybody's jets through a YAML: every layout against a slow loop, and one line for every mistake."""

import logging
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glassjet.errors import InputError
from glassjet.jets.kinematics import jets_of
from glassjet.jets.published import importing
from glassjet.jets.published.mapping import Mapping, reader
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import Ragged, concatenate_ragged
from tests.jets.published.mapped_files import LAYOUTS, hdf5_padded, jets, write

REAL = Path(__file__).parents[4] / "shared" / "data" / "jetclass" / "jetclass_500.root"
YAML = """
constituents: {{pt: {part_pt}, eta: {part_eta}, phi: {part_phi}, energy: {part_energy}, pdgid: {part_pid}}}
label: {{column: {is_signal}, signal: [1], background: [0]}}
weight: {w}
event: {evt}
level: detector
radius: 0.8
"""


def mapped(folder: Path, text: str) -> Mapping:
    (folder / "my.yaml").write_text(text)
    return reader(folder / "my.yaml")


def read(mapping: Mapping, path: Path, size: int = 1000) -> list[Rows]:
    with mapping.opened(path) as source:
        return [source.read(start, min(start + size, len(source))) for start in range(0, len(source), size)]


def table(folder: Path, **columns: Any) -> Path:
    """A Parquet file; lists are columns of lists of float64."""
    arrays = {
        k: pa.array(v, pa.list_(pa.float64())) if isinstance(v[0], list) else pa.array(v) for k, v in columns.items()
    }
    pq.write_table(pa.table(arrays), folder / "my.parquet")
    return folder / "my.parquet"


def rows_of(folder: Path, text: str, **columns: Any) -> Rows:
    (rows,) = read(mapped(folder, text), table(folder, **columns))
    return rows


def refusal(folder: Path, text: str, **columns: Any) -> str:
    path = table(folder, **columns)
    with pytest.raises(InputError) as caught:
        read(mapped(folder, text), path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lists(ragged: Ragged, name: str) -> list[list[float]]:
    return [ragged.columns[name][a:b].tolist() for a, b in zip(ragged.offsets, ragged.offsets[1:], strict=False)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [4, 1000])
def test_every_layout_gives_the_jets_that_were_written(tmp_path: Path, layout: str, size: int) -> None:
    columns, singles = jets()
    path, called = write(tmp_path, layout, columns, singles)
    mapping = mapped(tmp_path, YAML.format(**called))
    parts = read(mapping, path, size)
    constituents = concatenate_ragged([part.constituents for part in parts])
    for name, column in (("pt", "part_pt"), ("eta", "part_eta"), ("phi", "part_phi"), ("energy", "part_energy")):
        assert lists(constituents, name) == columns[column]
    assert lists(constituents, "pdgid") == columns["part_pid"]
    assert constituents.columns["pdgid"].dtype == np.int32
    assert np.concatenate([part.columns["weight"] for part in parts]).tolist() == singles["w"].tolist()
    assert np.concatenate([part.columns["event_number"] for part in parts]).tolist() == singles["evt"].tolist()
    classes = [mapping.CLASSES[kind] for part in parts for kind in part.kind]
    assert classes == ["signal" if one else "background" for one in singles["is_signal"]]


def test_the_reader_is_one_as_importing_needs_it(tmp_path: Path) -> None:
    columns, singles = jets()
    path, called = write(tmp_path, "root_jagged", columns, singles)
    mapping = mapped(tmp_path, YAML.format(**called) + "sqrts: 13000\ncite: 'arXiv:0000.00000'\n")
    choice = importing.Choice(mapping.SIGNAL, mapping.BACKGROUND)
    (found,) = importing.read(mapping, [path], "train", choice)
    assert found.columns["label"].tolist() == singles["is_signal"].tolist()
    assert found.columns["weight"].tolist() == singles["w"].tolist()
    assert found.constituents.counts.tolist() == [len(row) for row in columns["part_pt"]]
    assert mapping.METADATA == {"level": "detector", "radius": 0.8, "sqrts": 13000, "source": "arXiv:0000.00000"}


def four(pt: float, eta: float, phi: float, mass: float) -> dict[str, float]:
    px, py, pz = pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta)
    energy = math.sqrt(px**2 + py**2 + pz**2 + mass * abs(mass))
    y = 0.5 * math.log((energy + pz) / (energy - pz))
    return {"px": px, "py": py, "pz": pz, "pt": pt, "eta": eta, "phi": phi, "y": y, "energy": energy, "mass": mass}


@pytest.mark.parametrize("form", ["pt eta phi", "pt y phi", "px py pz"])
@pytest.mark.parametrize("size", ["energy", "mass", ""])
@pytest.mark.parametrize(("unit", "factor"), [("MeV", 1e-3), ("GeV", 1.0), ("TeV", 1e3), ("keV", 1e-6)])
def test_every_form_of_a_momentum(tmp_path: Path, form: str, size: str, unit: str, factor: float) -> None:
    rng = np.random.default_rng(1)
    expected = [
        [four(rng.uniform(1, 50), rng.normal(0, 1.5), rng.uniform(-3.1, 3.1), m if size else 0) for m in masses]
        for masses in ([0.14], [0.94, 0, 5], [-0.01, 0.5])
    ]
    names = [*form.split(), *([size] if size else [])]
    scale = {name: 1.0 if name in ("eta", "phi", "y") else 1 / factor for name in names}
    columns = {f"c_{name}": [[one[name] * scale[name] for one in row] for row in expected] for name in names}
    text = f"constituents: {{{', '.join(f'{name}: c_{name}' for name in names)}}}\nunits: {{momentum: {unit}}}"
    rows = rows_of(tmp_path, f"{text}\nlabel: signal\nlevel: particle\nradius: 1", **columns)
    for name in ("pt", "eta", "phi", "energy"):
        found = lists(rows.constituents, name)
        for row, wanted in zip(found, expected, strict=True):
            assert row == pytest.approx([one[name] for one in wanted], rel=1e-9, abs=1e-9)
    assert rows.kind.tolist() == [0, 0, 0]


def test_massless_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    mapped(tmp_path, PLAIN)
    assert caplog.text == ""
    mapped(tmp_path, PLAIN.replace(", energy: e", ""))
    assert "neither energy nor mass of the constituents: they are taken as massless" in caplog.text


PLAIN = """
constituents: {pt: pt, eta: eta, phi: phi, energy: e}
label: {column: label, signal: [1], background: [0]}
level: detector
radius: 0.8
"""
TWO: dict[str, Any] = {
    "pt": [[3.0, 2.0], [4.0]],
    "eta": [[0.1, 0.2], [0.3]],
    "phi": [[1.0, 2.0], [3.0]],
    "e": [[4.0, 3.0], [5.0]],
    "label": [1, 0],
}


def test_lengths_and_charges(tmp_path: Path) -> None:
    text = PLAIN.replace("energy: e", "energy: e, charge: q, d0: d, z0: z, d0_error: de, z0_error: ze")
    nan = math.nan
    more = {"q": [[1.0, 0.0], [-1.0]], "d": [[0.5, nan], [0.0]], "z": [[2.0, nan], [-1.0]]}
    errors = {"de": [[0.1, nan], [0.2]], "ze": [[0.3, nan], [0.4]]}
    rows = rows_of(tmp_path, text + "units: {length: cm}", **TWO, **more, **errors)
    assert lists(rows.constituents, "charge") == [[1, 0], [-1]]
    assert rows.constituents.columns["charge"].dtype == np.int8
    assert lists(rows.constituents, "d0") == [[5, 0], [0]]  # no track: 0
    assert lists(rows.constituents, "z0") == [[20, 0], [-10]]
    assert lists(rows.constituents, "d0_error") == [[1, 0], [2]]
    assert lists(rows.constituents, "z0_error") == [[3, 0], [4]]
    more["z"] = [[2.0, 1.0], [-1.0]]
    assert "row 0: d is NaN or infinite; remove the row" in refusal(tmp_path, text, **TWO, **more, **errors)
    more["q"] = [[1.0, 0.5], [-1.0]]
    assert "row 0: q is no whole number" in refusal(tmp_path, text, **TWO, **more, **errors)
    more["q"] = [[1.0, 0.0], [-200.0]]
    assert "row 1: q is out of reach" in refusal(tmp_path, text, **TWO, **more, **errors)


def test_columns_relative_to_the_jet(tmp_path: Path) -> None:
    text = PLAIN.replace(", energy: e", "") + "relative_to_jet: [eta, phi, pt]\nunits: {momentum: MeV}\n"
    text += "jet: {eta: jeta, phi: jphi, pt: jpt, tau21: tau}"
    jet: dict[str, Any] = {"jeta": [1.0, -2.0], "jphi": [3.0, -1.0], "jpt": [1e6, 2e6], "tau": [0.25, 0.5]}
    rows = rows_of(tmp_path, text, **(TWO | jet | {"pt": [[0.5, 0.25], [1.0]]}))
    assert lists(rows.constituents, "eta") == [[1.1, 1.2], [-1.7]]
    assert lists(rows.constituents, "phi")[0] == pytest.approx([4 - 2 * math.pi, 5 - 2 * math.pi])
    assert lists(rows.constituents, "phi")[1] == [2]
    assert lists(rows.constituents, "pt") == [[500, 250], [2000]]
    assert lists(rows.constituents, "energy")[1] == pytest.approx([2000 * math.cosh(-1.7)])
    assert list(rows.columns) == ["tau21"]
    assert rows.columns["tau21"].tolist() == [0.25, 0.5]
    jet["jeta"] = [1.0, math.nan]
    assert "row 1: jeta (jet.eta) is NaN or infinite; remove the row" in refusal(tmp_path, text, **(TWO | jet))


@pytest.mark.parametrize("size", [5, 100])
def test_padding_with_nan(tmp_path: Path, size: int) -> None:
    columns, singles = jets()
    hdf5_padded(tmp_path / "a.h5", columns, singles, math.nan)
    names = {name: name for name in (*columns, *singles)}
    parts = read(mapped(tmp_path, YAML.format(**names)), tmp_path / "a.h5", size)
    assert lists(concatenate_ragged([part.constituents for part in parts]), "pt") == columns["part_pt"]


def test_padding_with_anything_beyond_a_count(tmp_path: Path) -> None:
    columns, singles = jets()
    hdf5_padded(tmp_path / "a.h5", columns, singles, -999.0)
    names = {name: name for name in (*columns, *singles)}
    (rows,) = read(mapped(tmp_path, YAML.format(**names) + "count: n_part"), tmp_path / "a.h5")
    assert lists(rows.constituents, "pdgid") == columns["part_pid"]
    singles["n_part"][5] = 13
    hdf5_padded(tmp_path / "a.h5", columns, singles, -999.0)
    with pytest.raises(InputError, match="row 5: n_part is not between 0 and the length of the lists"):
        read(mapped(tmp_path, YAML.format(**names) + "count: n_part"), tmp_path / "a.h5", 4)


def test_entries_without_momentum_are_none(tmp_path: Path) -> None:
    nan = math.nan
    rows = rows_of(
        tmp_path,
        PLAIN,
        pt=[[0.0, 3.0, 0.0, 2.0, nan, 0.0], [nan]],
        eta=[[9.0, 1.0, 0.0, 1.0, nan, 0.0], [nan]],
        phi=[[9.0, 1.0, 0.0, 1.0, nan, 0.0], [nan]],
        e=[[0.0, 9.0, nan, 9.0, nan, 0.0], [nan]],
        label=[1, 1],
    )
    assert lists(rows.constituents, "pt") == [[3, 2], []]
    inside = TWO | {name: [[math.nan, *TWO[name][0][1:]], TWO[name][1]] for name in ("pt", "eta", "phi", "e")}
    assert "row 0: pt is NaN or infinite; remove the row, or, if it is padding" in refusal(tmp_path, PLAIN, **inside)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("pt", math.inf, "row 0: pt is NaN or infinite"),
        ("eta", math.nan, "row 0: eta is NaN or infinite"),
        ("e", math.nan, "row 0: e is NaN or infinite"),
        ("pt", 0.0, "row 0: a constituent has energy but no pT; remove the row"),
        ("e", 1.9, "row 0: the energy of a constituent is below its momentum"),
        ("eta", 3.0, "row 0: the energy of a constituent is below its momentum"),
    ],
)
def test_bad_constituents_are_named(tmp_path: Path, column: str, value: float, told: str) -> None:
    bad = TWO | {column: [[TWO[column][0][0], value], TWO[column][1]]}
    message = refusal(tmp_path, PLAIN, **bad)
    assert told in message
    assert message.startswith(str(tmp_path / "my.parquet"))


def test_rows_are_counted_from_the_beginning_of_the_file(tmp_path: Path) -> None:
    many = {name: values * 10 for name, values in TWO.items()}
    many["e"] = [*many["e"][:13], [0.5], *many["e"][14:]]
    path = table(tmp_path, **many)
    with pytest.raises(InputError, match="row 13: the energy of a constituent is below its momentum"):
        read(mapped(tmp_path, PLAIN), path, 4)


def test_lists_of_different_lengths(tmp_path: Path) -> None:
    bad = TWO | {"phi": [[1.0, 2.0], [3.0, 4.0]]}
    assert "row 1: pt and phi have lists of different lengths" in refusal(tmp_path, PLAIN, **bad)


def label(text: str) -> str:
    return PLAIN.replace("{column: label, signal: [1], background: [0]}", text)


def test_labels_of_values(tmp_path: Path) -> None:
    one = {name: TWO[name][:1] * 4 for name in ("pt", "eta", "phi", "e")}
    text = label("{column: label, signal: [5, 4], background: [0], ignore: [15]}")
    assert rows_of(tmp_path, text, **one, label=[0, 5, 15, 4]).kind.tolist() == [1, 0, -1, 0]
    text = label("{column: label, signal: [true], background: [false]}")
    assert rows_of(tmp_path, text, **one, label=[True, False, False, True]).kind.tolist() == [0, 1, 1, 0]
    text = label("{column: label, signal: [top], background: [qcd, W]}")
    assert rows_of(tmp_path, text, **one, label=["qcd", "top", "W", "W"]).kind.tolist() == [1, 0, 1, 1]
    message = refusal(tmp_path, text, **one, label=["qcd", "top", "Z", "W"])
    assert "row 2: label is 'Z', which `label` does not list; add it to signal, background or ignore" in message
    assert "row 3: label is 2.5, which" in refusal(tmp_path, PLAIN, **one, label=[0, 1, 1, 2.5])
    assert "row 1: label is nan; remove the row" in refusal(tmp_path, PLAIN, **one, label=[0, math.nan, 1, 2.5])


def test_labels_of_columns(tmp_path: Path) -> None:
    one = {name: TWO[name][:1] * 3 for name in ("pt", "eta", "phi", "e")}
    text = label("{columns: {qcd: a, w: b, top: c}, signal: [top, w], background: [qcd]}")
    mapping = mapped(tmp_path, text)
    assert (mapping.CLASSES, mapping.SIGNAL, mapping.BACKGROUND) == (("qcd", "w", "top"), ("top", "w"), ("qcd",))
    good: dict[str, Any] = {"a": [1, 0, 0], "b": [0.0, 0.0, 0.0], "c": [False, True, False]}
    assert rows_of(tmp_path, text, **one, **good).kind.tolist() == [0, 2, -1]
    message = refusal(tmp_path, text, **one, **(good | {"b": [0.0, 1.0, 0.0]}))
    assert "row 1: both b and c are 1; mend it" in message
    assert "row 2: b is 0.5, neither 0 nor 1" in refusal(tmp_path, text, **one, **(good | {"b": [0, 0, 0.5]}))
    assert "row 2: b (label.columns.w) is NaN" in refusal(tmp_path, text, **one, **(good | {"b": [0, 0, math.nan]}))


@pytest.mark.parametrize(("name", "kind"), [("signal", 0), ("background", 1)])
def test_one_label_for_a_file(tmp_path: Path, name: str, kind: int) -> None:
    mapping = mapped(tmp_path, label(name))
    assert (mapping.CLASSES[kind], mapping.SIGNAL + mapping.BACKGROUND) == (name, (name,))
    (rows,) = read(mapping, table(tmp_path, **TWO))
    assert rows.kind.tolist() == [kind, kind]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("radius: 0.8", "radius: 0.8\nradis: 1", "the top: there is no key 'radis' (did you mean 'radius'?)"),
        ("radius: 0.8", "", "radius: the key is missing"),
        ("radius: 0.8", "radius: -1", "radius: -1 is not a positive number"),
        ("radius: 0.8", "radius: TODO", "radius: is still TODO; give a number"),
        ("radius: 0.8", "radius: .nan", "radius: nan is not a positive number"),
        ("level: detector", "level: detectr", "level: there is no level 'detectr' (did you mean 'detector'?)"),
        ("energy: e", "enrgy: e", "constituents: there is no key 'enrgy' (did you mean 'energy'?)"),
        ("energy: e", "energy: e, mass: m", "constituents.mass: energy is given too; keep one of them"),
        ("energy: e", "energy: e, y: y", "needs pt, eta (or y) and phi, or px, py and pz, but has pt, eta, y, phi"),
        ("eta: eta, ", "", "constituents: needs pt, eta (or y) and phi, or px, py and pz, but has pt, phi"),
        ("eta: eta", "eta: pt", "constituents.eta: the column 'pt' stands at constituents.pt too"),
        ("column: label", "column: pt", "label.column: the column 'pt' stands at constituents.pt too"),
        ("eta: eta", "eta: 3", "constituents.eta: 3 is not a column; give `name` or `{name: [index]}`"),
        ("eta: eta", "eta: yes", "constituents.eta: True is not a column"),
        ("eta: eta", "eta: {X: [-1]}", "constituents.eta: {'X': [-1]} is not a column"),
        ("eta: eta", "eta: TODO", "constituents.eta: is still TODO; name the column"),
        ("label: {", "label: TODO  # {", "label: is still TODO"),
        ("label: {", "label: sgnal  # {", "label: 'sgnal' is neither signal nor background"),
        ("signal: [1]", "sgnal: [1]", "label: there is no key 'sgnal' (did you mean 'signal'?)"),
        ("signal: [1]", "signal: 1", "label.signal: 1 is no list of numbers or words"),
        ("signal: [1]", "signal: [1, 1]", "label.signal: 1 stands twice"),
        ("signal: [1]", "signal: [0]", "label.background: 0 has another meaning already"),
        ("signal: [1]", "signal: [top]", "label: has both numbers and text"),
        ("signal: [1], background: [0]", "ignore: [3]", "label: no value is signal or background"),
        ("column: label, ", "", "label: needs a column, or columns for the classes"),
        ("{column: label, signal: [1]", "{columns: {a: b, c: d}, signal: [d]", "there is no class 'd'"),
        ("{column: label, signal: [1]", "{columns: {a: b}, signal: [a], ignore: []", "there is no key 'ignore'"),
        ("radius: 0.8", "radius: 0.8\nunits: {momentum: Mev}", "units.momentum: there is no unit 'Mev' (did you mean"),
        ("radius: 0.8", "radius: 0.8\nunits: {length: GeV}", "units.length: there is no unit 'GeV'"),
        (
            "radius: 0.8",
            "radius: 0.8\nunits: {lengths: mm}",
            "units: there is no key 'lengths' (did you mean 'length'?)",
        ),
        ("radius: 0.8", "radius: 0.8\nunits: MeV", "units: 'MeV' is no mapping"),
        (
            "radius: 0.8",
            "radius: 0.8\nrelative_to_jet: [eta]",
            "relative_to_jet: eta needs the jet's; give jet: {eta: …}",
        ),
        ("radius: 0.8", "radius: 0.8\nrelative_to_jet: [px]", "relative_to_jet: there is no relative column 'px'"),
        ("radius: 0.8", "radius: 0.8\njet: {label: truth}", "jet.label: cannot be the name of a column of jets"),
        ("radius: 0.8", "radius: 0.8\njet: {a/b: c}", "jet.a/b: cannot be the name of a column of jets"),
        ("radius: 0.8", "radius: 0.8\nlevel: particle", "line 5: the key 'level' stands twice"),
        ("eta: eta", "eta: eta, eta: eta2", "line 1: the key 'eta' stands twice"),
        ("level: detector", "level: [detector", "line 4: not YAML (expected ',' or ']', but got ':')"),
        ("level: detector", "level: !!python/object/apply:os.system ['touch bomb']", "line 3: not YAML (could not"),
        ("level: detector", "level: !!python/name:os.system", "line 3: not YAML (could not determine a constructor"),
        ("level: detector", "level: !!timestamp never", "my.yaml: not YAML"),
        ("level: detector", "level: " + "[" * 5000, "not YAML"),
        ("level: detector", "level: \x07", "not YAML"),
        ("level: detector", "level: detector\n---\nlevel: detector", "not YAML (but found another document)"),
    ],
)
def test_mistakes_in_the_yaml_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, told: str
) -> None:
    assert old in PLAIN
    text = PLAIN.strip().replace(old, new)
    monkeypatch.chdir(tmp_path)  # where a command in the YAML would leave its file
    with pytest.raises(InputError) as caught:
        mapped(tmp_path, text)
    message = str(caught.value)
    assert told in message
    assert message.startswith(str(tmp_path / "my.yaml"))
    assert "\n" not in message
    assert len(message) < 500
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "holds None, not keys with values"),
        (b"- a\n- b\n", "holds ['a', 'b'], not keys"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"x" * 200_000, "too large for a YAML that names columns; is it the file of jets?"),
    ],
)
def test_other_files_than_yaml(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "my.yaml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        reader(tmp_path / "my.yaml")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_pyyaml_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(InputError, match=r"my\.yaml: is YAML; install the package pyyaml"):
        mapped(tmp_path, PLAIN)


def test_a_yaml_of_many_aliases_is_no_bomb(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    with pytest.raises(InputError, match=r"there is no key 'a'"):
        mapped(tmp_path, "\n".join(lines))
    with pytest.raises(InputError) as caught:
        mapped(tmp_path, "\n".join([*lines, "label: *i"]).replace("a: &a", "cite: &a"))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("eta: eta", "eta: etaa", "no column 'etaa' (constituents.eta in my.yaml); did you mean 'eta'?"),
        ("column: label", "column: lable", "no column 'lable' (label.column in my.yaml); did you mean 'label'?"),
        ("eta: eta", "eta: label", "'label' (constituents.eta in my.yaml) has one number in each row, but a list"),
        ("eta: eta", "eta: cube", "'cube' (constituents.eta in my.yaml) has any number x any number of them in each"),
        (
            "column: label",
            "column: e2",
            "'e2' (label.column in my.yaml) has any number of them in each row, but one num",
        ),
        ("column: label", "column: when", "'when' (label.column in my.yaml) holds date32[day], not numbers"),
        ("radius: 0.8", "radius: 0.8\nweight: text", "'text' (weight in my.yaml) holds text, not numbers"),
        ("radius: 0.8", "radius: 0.8\nweight: w", "row 1: w (weight) is NaN or infinite; remove the row"),
        ("radius: 0.8", "radius: 0.8\nevent: half", "row 0: half is no whole number"),
        ("radius: 0.8", "radius: 0.8\ntree: Events", "a Parquet file has no trees, but the key tree asks for 'Events'"),
        (
            "eta: eta",
            "eta: {label: [0]}",
            "'label' (constituents.eta in my.yaml) has one value in each row, so no place 0",
        ),
    ],
)
def test_what_the_file_lacks_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = PLAIN.replace(old, new)
    if "eta: label" in new or "eta: {label" in new:
        text = text.replace("{column: label, signal: [1], background: [0]}", "signal")
    columns = pa.table(
        {name: pa.array(values) for name, values in TWO.items()}
        | {"e2": pa.array(TWO["e"]), "text": ["a", "b"], "w": [1, math.nan], "half": [0.5, 1.0]}
        | {"cube": [[[1.0]], [[2.0]]], "when": pa.array([0, 1], pa.date32())}
    )
    pq.write_table(columns, tmp_path / "my.parquet")
    with pytest.raises(InputError) as caught:
        read(mapped(tmp_path, text), tmp_path / "my.parquet")
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "my.parquet"))


def test_columns_of_different_lengths(tmp_path: Path) -> None:
    columns, singles = jets()
    singles["w"] = singles["w"][:-1]
    hdf5_padded(tmp_path / "a.h5", columns, singles)
    mapping = mapped(tmp_path, YAML.format(**{name: name for name in (*columns, *singles)}))
    with pytest.raises(InputError, match="'part_pt' has 37 rows, but 'w' 36; all columns need one for each jet"):
        read(mapping, tmp_path / "a.h5")


@pytest.mark.parametrize("layout", ["hdf5_padded", "root_jagged", "parquet_lists"])
def test_files_without_rows(tmp_path: Path, layout: str) -> None:
    columns, singles = jets()
    empty = {name: values[:0] for name, values in singles.items()}
    if layout == "root_jagged":
        import uproot

        path = tmp_path / "a.root"
        with uproot.recreate(path) as file:
            types = dict.fromkeys(singles, "f8") | dict.fromkeys(columns, "var * float32")
            file.mktree("Events", types)
    elif layout == "parquet_lists":
        path, _ = write(tmp_path, layout, {name: [] for name in columns}, empty)
    else:
        import h5py

        path = tmp_path / "a.h5"
        with h5py.File(path, "w") as file:
            for name in columns:
                file[f"jets/{name}"] = np.zeros((0, 5))
            for name, values in empty.items():
                file[f"jets/{name}"] = values
    mapping = mapped(tmp_path, YAML.format(**{name: name for name in (*columns, *singles)}))
    with pytest.raises(InputError, match=r"holds no jets|has no rows"):
        list(importing.read(mapping, [path], "train", importing.Choice(("signal",), ("background",))))


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_jetclass_has_the_published_jets(tmp_path: Path) -> None:
    text = """
constituents: {px: part_px, py: part_py, pz: part_pz, energy: part_energy}
label: {columns: {qcd: label_QCD, top: label_Tbqq}, signal: [top], background: [qcd]}
jet: {published_pt: jet_pt, constituents: jet_nparticles}
level: detector
radius: 0.8
"""
    mapping = mapped(tmp_path, text)
    choice = importing.Choice(mapping.SIGNAL, mapping.BACKGROUND)
    assert sum(map(len, importing.read(mapping, [REAL], "test", choice))) == 113
    (rows,) = read(mapping, REAL)
    assert len(rows) == 500
    assert rows.constituents.counts.tolist() == rows.columns["constituents"].tolist()
    assert np.abs(jets_of(rows.constituents)["pt"] / rows.columns["published_pt"] - 1).max() < 1e-3


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_the_sign_of_jetclass_is_noticed(tmp_path: Path) -> None:
    text = PLAIN.replace(
        "{pt: pt, eta: eta, phi: phi, energy: e}", "{pt: P, eta: part_deta, phi: part_dphi, energy: part_energy}"
    )
    import awkward as ak
    import uproot

    file = uproot.open(REAL)["tree"].arrays()
    arrays = {"P": np.hypot(file.part_px, file.part_py), "label": file.label_QCD}
    arrays |= {name: file[name] for name in ("part_deta", "part_dphi", "part_energy", "jet_eta", "jet_phi")}
    ak.to_parquet(ak.Array(arrays), tmp_path / "a.parquet")
    text += "relative_to_jet: [eta, phi]\njet: {eta: jet_eta, phi: jet_phi}"
    with pytest.raises(InputError, match="the energy of a constituent is below its momentum"):
        read(mapped(tmp_path, text), tmp_path / "a.parquet")
