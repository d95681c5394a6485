"""How many published jets a second one core imports, and the memory that takes.

python tests/benchmarks/import_jets.py [FORMAT …] [--jets 100000] [--piece FORMAT=FILE …]

Each format's files are made here, in the original layout and compression, of synthetic jets or, with --piece, of the
jets of a real file repeated; so the disk is warm. A file of a quarter of the jets shows how memory grows. Columns:
constituents of a jet; MB of the file per 100,000 jets; jets per CPU second, the best of three, of the reader alone
(rows), with checks, kinematics and labels (jets), and with the writing of the store (whole), which is what
`glassjet import` does; the peak memory (MB) of a fresh process for both files, and the same carried on to 1.2 million
jets. The last column is the part of the whole that writing takes: most of that is gzip.
"""

import argparse
import multiprocessing
import pickle
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from glassjet.errors import unknown
from glassjet.jets import store
from glassjet.jets.published import importing, top_reference

MANY = 1_200_000
SEED_JETS = 2000  # different ones; a file repeats them


def synthetic(n: int, slots: int, mean: float = 49.0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Massless constituents of jets of about 600 GeV: E, px, py, pz (GeV) in falling pT, shape (n, slots, 4), padded.

    Besides, which slots are taken, shape (n, slots).
    """
    random = np.random.default_rng(1)
    counts = np.clip(random.negative_binomial(8, 8 / (8 + mean), n), 1, slots)
    taken = np.arange(slots) < counts[:, None]
    pt = np.where(taken, -np.sort(-(random.exponential(1.0, (n, slots)) ** 3), axis=1), 0.0)
    pt *= 600 / pt.sum(axis=1, keepdims=True)
    eta, phi = (random.normal(0, spread, (n, 1)) + random.normal(0, 0.2, (n, slots)) for spread in (0.8, 1.5))
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=2), taken


def make_top_reference(path: Path, jets: int, piece: Path | None) -> None:
    """A table as the set's, with its chunks of 40 rows compressed by Blosc as PyTables asks for it."""
    import hdf5plugin

    if piece is None:
        piece = path.with_name("piece.h5")
        momenta, _ = synthetic(SEED_JETS, 200)
        truth = [f"truth{axis}" for axis in top_reference.AXES]
        names = [[f"{axis}_{i}" for i in range(200) for axis in top_reference.AXES] + truth, ["ttv", "is_signal_new"]]
        rows = np.zeros(SEED_JETS, [("index", "<i8"), ("values_block_0", "<f4", 804), ("values_block_1", "<i8", 2)])
        rows["values_block_0"][:, :800] = momenta.reshape(SEED_JETS, 800)
        rows["values_block_1"][:, 1] = np.arange(SEED_JETS) % 2
        blosc = hdf5plugin.Blosc(cname="blosclz", clevel=5, shuffle=hdf5plugin.Blosc.SHUFFLE)
        with h5py.File(piece, "w") as file:
            table = file.create_dataset("table/table", data=rows, chunks=(40,), maxshape=(None,), compression=blosc)
            for block in (0, 1):
                table.attrs[f"values_block_{block}_kind"] = np.bytes_(pickle.dumps(names[block], protocol=0))
    with h5py.File(piece) as source, h5py.File(path, "w") as file:
        table, plan = source["table/table"], source["table/table"].id.get_create_plist()
        size = table.chunks[0]
        chunks = [table.id.read_direct_chunk((start,))[1] for start in range(0, len(table) // size * size, size)]
        space = h5py.h5s.create_simple((jets,), (h5py.h5s.UNLIMITED,))
        copy = h5py.h5d.create(file.create_group("table").id, b"table", table.id.get_type(), space, plan)
        for start in range(0, jets, size):
            copy.write_direct_chunk((start,), chunks[start // size % len(chunks)])
        for name in filter(re.compile(r"values_block_\d+_kind").fullmatch, table.attrs):
            file["table/table"].attrs[name] = table.attrs[name]


class Format(NamedTuple):
    """A reader, and what makes a file for it: of its path, the number of jets and a real file or None."""

    reader: ModuleType
    make: Callable[[Path, int, Path | None], None]


FORMATS = {"top_reference": Format(top_reference, make_top_reference)}


def best(function: Callable[[], object]) -> float:
    """CPU seconds, the best of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return min(seconds)


def peak() -> float:
    """The largest memory of this process until now, MB (Linux; getrusage would count the parent's too)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1e3 if found else np.nan


def write(name: str, path: Path, out: Path) -> tuple[int, int]:
    """All of an import; the numbers of jets and constituents."""
    reader = FORMATS[name].reader
    choice = importing.Choice(reader.SIGNAL, reader.BACKGROUND)
    jets = constituents = 0
    with store.writing(out, {}, "{}") as writer:
        for chunk in importing.read(reader, [path], "test", choice):
            writer.append(chunk)
            jets += len(chunk)
            constituents += int(chunk.constituents.offsets[-1])
    return jets, constituents


def memory(name: str, path: Path, out: Path) -> float:
    """The peak memory (MB) of an import in this process, which must be fresh."""
    write(name, path, out)
    return peak()


def rates(name: str, path: Path, out: Path) -> tuple[float, float, float]:
    """CPU seconds of the rows, the jets and the whole."""
    reader = FORMATS[name].reader
    choice = importing.Choice(reader.SIGNAL, reader.BACKGROUND)

    def rows() -> None:
        with reader.opened(path) as source:
            for start in range(0, len(source), importing.CHUNK):
                source.read(start, min(start + importing.CHUNK, len(source)))

    def jets() -> None:
        for _ in importing.read(reader, [path], "test", choice):
            pass

    return best(rows), best(jets), best(lambda: write(name, path, out))


def line(name: str, jets: int, piece: Path | None, folder: Path) -> str:
    """The measurements of one format."""
    small, large, out = (folder / f"{name}_{what}" for what in ("small", "large", "out.h5"))
    FORMATS[name].make(small, jets // 4, piece)
    FORMATS[name].make(large, jets, piece)
    found, constituents = write(name, large, out)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        low, high = (pool.apply(memory, (name, path, out)) for path in (small, large))
        rows, made, whole = pool.apply(rates, (name, large, out))
    later = high + (high - low) / (jets - jets // 4) * (MANY - jets)
    return (
        f"{name:16s} {constituents / found:12.1f} {large.stat().st_size / jets / 10:7.0f} {found / rows:9.0f} "
        f"{found / made:9.0f} {found / whole:9.0f} {low:6.0f} {high:6.0f} {later:7.0f} {1 - made / whole:8.0%}"
    )


def main() -> None:
    """Measure the formats asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"any of {', '.join(FORMATS)}; all without")
    parser.add_argument("--jets", type=int, default=100_000)
    parser.add_argument("--piece", action="append", default=[], metavar="FORMAT=FILE", help="a real file to repeat")
    args = parser.parse_args()
    pieces = {name: Path(file) for name, _, file in (piece.partition("=") for piece in args.piece)}
    for name in (*args.formats, *pieces):
        if name not in FORMATS:
            parser.error(str(unknown("format", name, FORMATS)))
    titles = ("format", "constituents", "MB/1e5", "rows/s", "jets/s", "whole/s", "small", "large", "1.2M", "writing")
    print(("{:16s} {:>12s} {:>7s} {:>9s} {:>9s} {:>9s} {:>6s} {:>6s} {:>7s} {:>8s}").format(*titles))
    for name in args.formats or FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            print(line(name, args.jets, pieces.get(name), Path(folder)), flush=True)


if __name__ == "__main__":
    main()
