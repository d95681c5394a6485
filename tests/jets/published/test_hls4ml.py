"""The reader of the hls4ml LHC jets, on small files of the layout made here."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets.kinematics import jets_of
from glassjet.jets.published import hls4ml, importing
from glassjet.jets.store import concatenate
from tests.jets.published import reading

MOST = 30  # particles; the originals have 150
PARTICLE_NAMES = ["j1_px", "j1_py", "j1_pz", "j1_e", "j1_erel", "j1_pt", "j1_ptrel", "j1_eta", "j1_etarel", "j1_etarot"]
PARTICLE_NAMES += ["j1_phi", "j1_phirel", "j1_phirot", "j1_deltaR", "j1_costheta", "j1_costhetarel"]
JET_NAMES = [f"j_feature_{i}" for i in range(53)] + ["j_g", "j_q", "j_w", "j_z", "j_t", "j_undef"]


def particles(n: int, seed: int = 0) -> np.ndarray:
    """Padded px, py, pz, E and twelve more (n, MOST, 16)."""
    rng = np.random.default_rng(seed)
    out = np.zeros((n, MOST, 16))
    for row in out:
        for slot in row[: rng.integers(1, MOST)]:
            pt, eta, phi = rng.exponential(20) + 0.1, rng.normal(0, 0.7), rng.uniform(-math.pi, math.pi)
            energy = math.sqrt((pt * math.cosh(eta)) ** 2 + rng.uniform(0, 0.5))
            slot[:4] = pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta), energy
            slot[4:] = rng.normal(size=12)
    return out.astype(np.float32).astype(float)  # the originals are doubles that a float holds


def features(n: int) -> np.ndarray:
    """The features of the jets (n, 59); the classes follow each other."""
    out = np.random.default_rng(1).normal(size=(n, 59))
    out[:, 53:] = 0
    out[np.arange(n), 53 + np.arange(n) % 5] = 1
    return out


def hdf5_file(path: Path, particle: np.ndarray, jet: np.ndarray | None = None, **other: Any) -> Path:
    """A file of the layout; `other` replaces data sets, None leaves one out; `compression` is for the particles."""
    compression = other.pop("compression", None)
    content: dict[str, Any] = {
        "jetConstituentList": particle,
        "jets": features(len(particle)) if jet is None else jet,
        "particleFeatureNames": np.array([*PARTICLE_NAMES, "j1_pdgid"], "S"),  # one more than columns
        "jetFeatureNames": np.array([name.encode() for name in JET_NAMES], object),
        "jetImage": np.zeros((len(particle), 2, 2)),
    } | other
    with h5py.File(path, "w") as file:
        for name, data in content.items():
            if data is not None:
                squeeze = {"compression": compression} if name == "jetConstituentList" and compression else {}
                file.create_dataset(name, data=data, **squeeze)
    return path


read, told = partial(reading.read, hls4ml), partial(reading.told, hls4ml)


def test_jets_equal_a_slow_loop(tmp_path: Path) -> None:
    x = particles(40)
    rows = read(hdf5_file(tmp_path / "in.h5", x))
    columns = rows.constituents.columns
    assert set(columns) == {"pt", "eta", "phi", "energy"}
    assert [hls4ml.CLASSES[kind] for kind in rows.kind] == ["g", "q", "w", "z", "t"] * 8
    entry = 0
    for i in range(40):
        for px, py, pz, energy in x[i, :, :4].tolist():
            if energy == 0:
                continue
            assert columns["pt"][entry] == pytest.approx(math.hypot(px, py), rel=1e-12)
            assert columns["eta"][entry] == pytest.approx(math.atanh(pz / math.hypot(px, py, pz)), rel=1e-9, abs=1e-12)
            assert columns["phi"][entry] == pytest.approx(math.atan2(py, px), rel=1e-12)
            assert columns["energy"][entry] == energy
            entry += 1
        assert rows.constituents.offsets[i + 1] == entry
    assert entry == len(columns["pt"])


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
@pytest.mark.parametrize("size", [1, 7, 39])
def test_the_size_of_pieces_does_not_matter(tmp_path: Path, size: int, compression: str | None) -> None:
    path = hdf5_file(tmp_path / "in.h5", particles(40), compression=compression)
    reading.equal(read(path, size), read(hdf5_file(tmp_path / "plain.h5", particles(40))))


@pytest.mark.parametrize("width", [16, 17])
def test_columns_are_found_by_name(tmp_path: Path, width: int) -> None:
    """In any order; and the name without a column may get one."""
    names = [*PARTICLE_NAMES, "j1_pdgid"][:width]
    x = np.concatenate([particles(20), np.full((20, MOST, 1), 211.0)], axis=2)[..., :width]
    order, jet_order = np.random.default_rng(2).permutation(width), np.random.default_rng(3).permutation(59)
    path = hdf5_file(
        tmp_path / "in.h5",
        x[..., order],
        features(20)[:, jet_order],
        particleFeatureNames=np.array([names[place] for place in order], object),
        jetFeatureNames=np.array([JET_NAMES[place] for place in jet_order], "S"),
    )
    reading.equal(read(path), read(hdf5_file(tmp_path / "plain.h5", particles(20))))


def test_floats_are_read(tmp_path: Path) -> None:
    path = hdf5_file(tmp_path / "in.h5", particles(20).astype("f4"), features(20).astype("f4"))
    reading.equal(read(path), read(hdf5_file(tmp_path / "plain.h5", particles(20))))


def test_a_jet_of_no_class_has_kind_minus_1(tmp_path: Path) -> None:
    jet = features(10)
    jet[3, 53:] = [0, 0, 0, 0, 0, 1]  # j_undef
    jet[4, 53:] = 0
    assert read(hdf5_file(tmp_path / "in.h5", particles(10), jet)).kind.tolist() == [0, 1, 2, -1, -1, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 1, 0, 0, 1], "row 7: both j_q and j_t are 1; mend it"),
        ([0, 0, 0, 2, 0], "row 7: j_z is 2, neither 0 nor 1"),
        ([0, 0, 0.5, 0, 0], "row 7: j_w is 0.5, neither 0 nor 1"),
        ([math.nan, 0, 0, 1, 0], "row 7: j_g is nan, neither 0 nor 1"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, values: list[float], said: str) -> None:
    jet = features(10)
    jet[7, 53:58] = values
    assert said in told(hdf5_file(tmp_path / "in.h5", particles(10), jet))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([math.nan, 1, 1, 2], "row 5 has a NaN or infinite momentum; remove it"),
        ([math.inf, -math.inf, 1, 2], "row 5 has a NaN or infinite momentum; remove it"),
        ([1, 1, 1, math.inf], "row 5 has a NaN or infinite momentum; remove it"),
        ([1, 1, 1, 0], "row 5 has a particle without energy (j1_e), or with a negative one; remove it"),
        ([1, 1, 1, -2], "row 5 has a particle without energy (j1_e), or with a negative one; remove it"),
        ([0, 0, 1, 1], "row 5 has a particle along the beam; remove it"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_bad_rows_are_named(tmp_path: Path, values: list[float], said: str) -> None:
    x = particles(8)
    x[5, 0, :4] = values
    assert said in told(hdf5_file(tmp_path / "in.h5", x))


def test_a_jet_without_particles_is_named(tmp_path: Path) -> None:
    x = particles(10)
    x[4] = 0
    path = hdf5_file(tmp_path / "in.h5", x)
    choice = importing.Choice(hls4ml.SIGNAL, hls4ml.BACKGROUND)
    with pytest.raises(InputError, match="row 4 has no constituents; remove it"):
        list(importing.read(hls4ml, [path], "train", choice))


def test_jets_reach_the_store(tmp_path: Path) -> None:
    path = hdf5_file(tmp_path / "in.h5", particles(30))
    choice = importing.Choice(hls4ml.SIGNAL, hls4ml.BACKGROUND)
    jets = concatenate(list(importing.read(hls4ml, [path], "test", choice, size=7)))
    assert jets.columns["label"].tolist() == [0, 0, 1] * 6  # g, q and t; not w and z
    rows = read(path)
    kept = np.flatnonzero(np.isin(rows.kind, (0, 1, 4)))
    assert jets.columns["mass"] == pytest.approx(jets_of(rows.constituents.take(kept))["mass"], rel=1e-3, abs=0.02)


def test_other_layouts_are_refused(tmp_path: Path) -> None:
    x, path = particles(6), tmp_path / "in.h5"

    def saved(**other: Any) -> str:
        return told(hdf5_file(path, x, **other))

    said = saved(jetConstituentList=None, jetConstituentsList=x)
    assert "no data set jetConstituentList (did you mean 'jetConstituentsList'?); not a file of the hls4ml" in said
    said = saved(jets=None, jetImage=None, jetFeatureNames=None)
    assert "no data set jets; not a file of the hls4ml LHC jets" in said
    assert "no data set particleFeatureNames" in saved(particleFeatureNames=None)
    assert "no data set jetFeatureNames" in saved(jetFeatureNames=None)
    names = np.array([name.replace("j1_pz", "j1_z") for name in PARTICLE_NAMES], "S")
    assert "no column j1_pz in /jetConstituentList (did you mean 'j1_" in saved(particleFeatureNames=names)
    names = np.array([name.replace("j_t", "j_top") for name in JET_NAMES], "S")
    assert "no column j_t in /jets (did you mean 'j_" in saved(jetFeatureNames=names)
    assert "no column j1_e in /jetConstituentList" in saved(jetConstituentList=x[..., :3])
    said = saved(jetConstituentList=x[..., 0])
    assert "jetConstituentList is float64 of shape (6, 30), but numbers in 3 dimensions" in said
    assert "jets is |S4 of shape (6, 59), but numbers in 2 dimensions" in saved(jets=np.full((6, 59), b"text"))
    said = saved(particleFeatureNames=np.bytes_(b"j1_px,j1_"))
    assert "particleFeatureNames is |S9 of shape (), but names in 1 dimension are needed" in said
    assert "jetConstituentList has 6 rows, jets 5; both must have all" in saved(jets=features(5))
    assert told(hdf5_file(path, x[:0])).endswith("holds no jets")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.h5"
    assert told(path).endswith("no such file")
    path.write_bytes(b"")
    assert "the file is empty" in told(path)
    assert "is a directory" in told(tmp_path)
    path.write_text("j1_px,j1_py\n")
    assert told(path).endswith("not an HDF5 file")


def test_cut_and_damaged_files_are_refused(tmp_path: Path) -> None:
    path, cut = tmp_path / "whole.h5", tmp_path / "cut.h5"
    data = hdf5_file(path, particles(200), compression="gzip").read_bytes()
    for part in (0.01, 0.1, 0.5, 0.9, 0.99):
        cut.write_bytes(data[: int(part * len(data))])
        assert "the file is truncated; download it again" in told(cut)
    with h5py.File(path) as file:
        chunk = file["jetConstituentList"].id.get_chunk_info(0)
    begin = chunk.byte_offset + chunk.size // 2
    cut.write_bytes(data[:begin] + bytes(20) + data[begin + 20 :])
    said = told(cut)
    assert "/jetConstituentList cannot be read near row 0 (" in said
    assert said.endswith("damaged? download it again")


def test_a_missing_filter_is_named(tmp_path: Path) -> None:
    path = tmp_path / "in.h5"
    hdf5_file(path, particles(20), jetConstituentList=None)
    with h5py.File(path, "a") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((20, MOST, 16))
        plist.set_filter(h5py.h5z.FILTER_DEFLATE, h5py.h5z.FLAG_OPTIONAL, (4,))
        space = h5py.h5s.create_simple((20, MOST, 16))
        h5py.h5d.create(file.id, b"jetConstituentList", h5py.h5t.IEEE_F64LE, space, plist)
        file["jetConstituentList"][:] = particles(20)
    data = path.read_bytes()
    # the filter's number, and what follows in its message: 1 is gzip, 300 is nobody's
    place = data.index(b"\x01\x00\x08\x00\x01\x00\x01\x00deflate\x00")
    path.write_bytes(data[:place] + (300).to_bytes(2, "little") + data[place + 2 :])
    assert "/jetConstituentList is compressed with the filter 300; install the package hdf5plugin" in told(path)
