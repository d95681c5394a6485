"""The reader of EnergyFlow's quark and gluon jets, on small files of the layout made here, and on a real piece."""

import io
import math
import os
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets.kinematics import jets_of, rapidity
from glassjet.jets.published import energyflow_jets, importing
from glassjet.jets.published.rows import Rows
from glassjet.jets.store import concatenate
from tests.jets.published import reading

REAL = Path(__file__).parents[4] / "shared" / "data" / "quark_gluon" / "QG_jets_2000.npz"
MOST = 30  # particles
IDS = (22, 211, -211, 130, 321, -321, 2112, -2112, 2212, -2212, 11, -11, 13, -13)  # as in the originals
CHARGED = {11: -1, 13: -1, 211: 1, 321: 1, 2212: 1}
MASSES = {11: 0.000511, 13: 0.10566, 22: 0, 130: 0.49761, 211: 0.13957, 321: 0.49368, 2112: 0.93957, 2212: 0.93827}


def particles(n: int, seed: int = 0) -> np.ndarray:
    """Padded pT, y, phi, PDG id (n, MOST, 4)."""
    rng = np.random.default_rng(seed)
    out = np.zeros((n, MOST, 4))
    for row in out:
        count = rng.integers(1, MOST)
        row[:count, 0] = np.sort(rng.exponential(10, count))[::-1] + 0.05
        row[:count, 1] = rng.normal(0, 0.8, count)
        row[:count, 2] = rng.uniform(-math.pi, 3 * math.pi, count)  # within pi of a jet's, which is in [0, 2 pi]
        row[:count, 3] = rng.choice(IDS, count)
    out[0, 0, 3] = 211
    return out


def labels(n: int) -> np.ndarray:
    return (np.arange(n) % 3 == 0).astype(float)


def archive(path: Path, x: np.ndarray, y: np.ndarray | None = None) -> Path:
    np.savez_compressed(path, X=x, y=labels(len(x)) if y is None else y)
    return path


read, told = partial(reading.read, energyflow_jets), partial(reading.told, energyflow_jets)


def test_jets_equal_a_slow_loop(tmp_path: Path) -> None:
    x = particles(40)
    rows = read(archive(tmp_path / "in.npz", x))
    columns = rows.constituents.columns
    assert set(columns) == {"pt", "eta", "phi", "energy", "pdgid", "charge"}
    assert rows.kind.tolist() == [1 if i % 3 == 0 else 0 for i in range(40)]
    entry, seen = 0, set()
    for i in range(40):
        for pt, y, phi, pdgid in x[i].tolist():
            if pt == 0:
                continue
            # energy and rapidity must give back what the file says, whatever way they were computed
            energy, pz = columns["energy"][entry], columns["pt"][entry] * math.sinh(columns["eta"][entry])
            assert columns["pt"][entry] == pt
            assert 0.5 * math.log((energy + pz) / (energy - pz)) == pytest.approx(y, rel=1e-9, abs=1e-9)
            mass = MASSES[abs(int(pdgid))]
            assert energy**2 - pt**2 - pz**2 == pytest.approx(mass**2, rel=1e-4, abs=1e-9 * energy**2)
            assert math.cos(columns["phi"][entry] - phi) == pytest.approx(1, abs=1e-12)
            assert abs(columns["phi"][entry]) <= math.pi
            assert columns["pdgid"][entry] == pdgid
            assert columns["charge"][entry] == CHARGED.get(abs(int(pdgid)), 0) * (1 if pdgid > 0 else -1)
            seen.add(pdgid)
            entry += 1
        assert rows.constituents.offsets[i + 1] == entry
    assert entry == len(columns["pt"])
    assert seen == set(IDS)
    massive = np.abs(columns["pdgid"]) == 2112
    assert np.abs(columns["eta"][massive]).mean() > np.abs(x[..., 1][np.abs(x[..., 3]) == 2112]).mean()  # eta is not y


@pytest.mark.parametrize("size", [1, 7, 13, 39])
def test_the_size_of_pieces_does_not_matter(tmp_path: Path, size: int) -> None:
    path = archive(tmp_path / "in.npz", particles(40))
    reading.equal(read(path, size), read(path))


def test_rows_may_be_skipped_and_read_again(tmp_path: Path) -> None:
    path = archive(tmp_path / "in.npz", particles(2500))
    expected = read(path)
    with energyflow_jets.opened(path) as source:
        assert len(source) == 2500
        for start, stop in ((3, 5), (5, 9), (2300, 2305), (2499, 2500), (3, 5)):
            found, index = source.read(start, stop), np.arange(start, stop)
            reading.equal(found, Rows(expected.kind[index], expected.constituents.take(index)))


def test_memory_is_that_of_a_piece(tmp_path: Path) -> None:
    x = np.tile(particles(50), (400, 1, 1))  # 20,000 jets, 19 MB
    path = archive(tmp_path / "in.npz", x)
    size = x.nbytes
    del x
    tracemalloc.start()
    with energyflow_jets.opened(path) as source:
        for start in range(0, len(source), 500):
            source.read(start, start + 500)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < size / 5


@pytest.mark.parametrize("kind", [np.dtype("f4"), np.dtype(">f8"), np.dtype("f8")])
@pytest.mark.parametrize("compressed", [True, False])
def test_other_floats_and_plain_archives_are_read(tmp_path: Path, kind: np.dtype[Any], compressed: bool) -> None:
    x = particles(10).astype("f4").astype(kind)
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "in.npz", X=x, y=labels(10).astype(bool))
    reading.equal(read(tmp_path / "in.npz"), read(archive(tmp_path / "same.npz", x.astype(float))))


def test_without_ids_they_are_massless_and_left_out(tmp_path: Path) -> None:
    x = particles(20)
    x[..., 3] = 0
    columns = read(archive(tmp_path / "in.npz", x)).constituents.columns
    assert set(columns) == {"pt", "eta", "phi", "energy"}
    assert columns["eta"] == pytest.approx(x[..., 1][x[..., 0] > 0], rel=1e-12)
    assert columns["energy"] == pytest.approx(columns["pt"] * np.cosh(columns["eta"]), rel=1e-12)
    x[7, 0, 3] = 211
    assert "row 7 has a particle with a PDG id, but the first jet has none" in told(archive(tmp_path / "in.npz", x))


def test_one_unknown_particle_is_massless(tmp_path: Path) -> None:
    x = particles(20)
    x[3, 0, 3] = 0
    rows = read(archive(tmp_path / "in.npz", x)).constituents
    first = rows.offsets[3]
    assert (rows.columns["pdgid"][first], rows.columns["charge"][first]) == (0, 0)
    assert rows.columns["eta"][first] == pytest.approx(x[3, 0, 1], rel=1e-12)


def test_masses_and_charges_are_those_of_the_pdg() -> None:
    """The package particle that Pythia brings has its own table."""
    pythia8 = pytest.importorskip("pythia8mc")
    data = pythia8.Pythia("", False).particleData
    for pdgid, (mass, charge) in energyflow_jets.PARTICLES.items():
        if pdgid:
            assert data.m0(pdgid) == pytest.approx(mass, abs=3e-5)
            assert data.charge(pdgid) == charge


@pytest.mark.parametrize(
    ("slot", "values", "said"),
    [
        (0, [math.nan, 0, 0, 22], "row 5 has a particle with a NaN or infinite number; remove it"),
        (0, [1, math.inf, 0, 22], "row 5 has a particle with a NaN or infinite number; remove it"),
        (0, [1, 0, -math.inf, 22], "row 5 has a particle with a NaN or infinite number; remove it"),
        (0, [1, 0, 0, math.nan], "row 5 has a particle with a NaN or infinite number; remove it"),
        (0, [-1, 0, 0, 22], "row 5 has a particle with a pT that is not above 0; remove it"),
        (MOST - 1, [0, 0, 0, 22], "row 5 has a particle with a pT that is not above 0; remove it"),
        (0, [1, 101, 0, 22], "row 5 has a particle with a rapidity beyond 100; remove it"),
        (0, [1, 0, 0, 211.5], "row 5 has a particle with a PDG id that is not whole; remove it"),
        (0, [1, 0, 0, -999], "row 5 has a particle with the PDG id -999, whose mass is not known here; remove it"),
        (0, [1, 0, 0, 1e10], "row 5 has a particle with the PDG id 10000000000, whose mass is not known here"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, slot: int, values: list[float], said: str) -> None:
    x = particles(8)
    x[5, slot] = values
    assert said in told(archive(tmp_path / "in.npz", x))


@pytest.mark.parametrize("value", [2, -1, 0.5, math.nan])
def test_wrong_labels_are_named(tmp_path: Path, value: float) -> None:
    y = labels(6)
    y[4] = value
    said = told(archive(tmp_path / "in.npz", particles(6), y))
    assert said.endswith(f"row 4 has y = {float(value)}; 0 (gluon) and 1 (quark) are known")


def test_a_jet_without_particles_is_named(tmp_path: Path) -> None:
    x = particles(6)
    x[2] = 0
    path = archive(tmp_path / "in.npz", x)
    choice = importing.Choice(energyflow_jets.SIGNAL, energyflow_jets.BACKGROUND)
    with pytest.raises(InputError, match="row 2 has no constituents; remove it"):
        list(importing.read(energyflow_jets, [path], "train", choice))


def test_jets_reach_the_store(tmp_path: Path) -> None:
    path = archive(tmp_path / "in.npz", particles(30))
    choice = importing.Choice(energyflow_jets.SIGNAL, energyflow_jets.BACKGROUND)
    jets = concatenate(list(importing.read(energyflow_jets, [path], "test", choice, size=7)))
    assert jets.columns["label"].tolist() == labels(30).tolist()
    assert jets.columns["mass"] == pytest.approx(jets_of(read(path).constituents)["mass"], rel=1e-3, abs=0.02)


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    path, x, y = tmp_path / "in.npz", particles(6), labels(6)

    def saved(**arrays: np.ndarray) -> str:
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # none is named allow_pickle
        return told(path)

    assert saved(x=x, y=y).endswith("no array X; it has x, y")
    assert saved(X=x, labels=y).endswith("no array y; it has X, labels")
    assert "X is float64 of shape (6, 30, 3); floats of shape (jets, M, 4) are needed" in saved(X=x[..., :3], y=y)
    assert "X is float64 of shape (6, 120); floats" in saved(X=x.reshape(6, -1), y=y)
    assert "X is int64 of shape (6, 30, 4); floats" in saved(X=x.astype(int), y=y)
    assert "X has the shape (6, 30, 4), y (5,); both must have a row for each jet" in saved(X=x, y=y[:5])
    assert "X has the shape (6, 30, 4), y (6, 2); both must have a row" in saved(X=x, y=np.stack([y, 1 - y], axis=1))
    said = saved(X=np.asfortranarray(x), y=y)
    assert "X is in Fortran order, which cannot be streamed; save it in C order" in said
    assert "y holds <U5, but numbers are needed" in saved(X=x, y=np.array(["quark"] * 6))
    assert saved(X=x[:0], y=y[:0]).endswith("holds no jets")


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["BOMB"],)


def test_objects_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOMB", str(tmp_path / "bomb"))
    x = np.empty(2, object)
    x[:] = Bomb()
    for arrays in ({"X": x, "y": labels(2)}, {"X": particles(2), "y": x}):
        np.savez(tmp_path / "in.npz", **arrays)  # type: ignore[arg-type]  # none is named allow_pickle
        assert "holds objects, which are never unpickled" in told(tmp_path / "in.npz")
    assert not (tmp_path / "bomb").exists()


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.npz"
    assert told(path).endswith("no such file")
    path.write_bytes(b"")
    assert "the file is empty" in told(path)
    assert "is a directory" in told(tmp_path)
    path.write_text("pt,y,phi,pdgid\n")
    assert told(path).endswith("not an npz file")
    np.save(tmp_path / "x.npy", particles(2))
    assert told(tmp_path / "x.npy").endswith("not an npz file")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("X.npy", b"no array")
        file.writestr("y.npy", b"no array")
    assert "the array X cannot be read (the magic string is not correct" in told(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", b"")
    assert told(path).endswith("no array X; it has readme.txt")


def test_a_shape_that_its_bytes_do_not_fill_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 150, 4)})
    with zipfile.ZipFile(tmp_path / "in.npz", "w") as file:
        file.writestr("X.npy", buffer.getvalue() + bytes(320))
    assert "X has 448 bytes, which do not fit its shape (1000000000, 150, 4)" in told(tmp_path / "in.npz")


def test_cut_and_damaged_files_are_refused(tmp_path: Path) -> None:
    data = archive(tmp_path / "whole.npz", particles(300)).read_bytes()
    path = tmp_path / "cut.npz"
    for part in (0.001, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(data[: int(part * len(data))])
        assert "the file is truncated or damaged (" in told(path)
    path.write_bytes(data[:-1])
    assert "the file is truncated or damaged (" in told(path)
    for place in (len(data) // 3, len(data) // 2):
        path.write_bytes(data[:place] + bytes(40) + data[place + 40 :])
        assert "X is damaged near row 0 (" in told(path)
    # wrong numbers that decompress: the sum of the archive tells, at its end
    with zipfile.ZipFile(tmp_path / "stored.npz", "w") as file:
        for name, array in (("X", particles(300)), ("y", labels(300))):
            buffer = io.BytesIO()
            np.save(buffer, array)
            file.writestr(f"{name}.npy", buffer.getvalue())
    stored = bytearray((tmp_path / "stored.npz").read_bytes())
    stored[1000] ^= 1
    path.write_bytes(bytes(stored))
    assert "X is damaged near row 0 (Bad CRC-32 for file 'X.npy')" in told(path)


@pytest.mark.skipif(not REAL.exists(), reason="the published jets are not here")
def test_the_real_piece_has_the_published_properties() -> None:
    rows = read(REAL, 300)
    assert np.bincount(rows.kind).tolist() == [1010, 990]
    assert set(rows.constituents.columns) == {"pt", "eta", "phi", "energy"}
    jets = jets_of(rows.constituents)
    assert jets["pt"].min() >= 500
    assert jets["pt"].max() <= 550
    pz = jets["pt"] * np.sinh(jets["eta"])
    energy = np.sqrt(jets["mass"] ** 2 + jets["pt"] ** 2 + pz**2)
    assert np.abs(rapidity(energy, pz)).max() < 1.7
    counts = rows.constituents.counts
    assert counts[rows.kind == 0].mean() > 1.3 * counts[rows.kind == 1].mean()  # gluons radiate more
