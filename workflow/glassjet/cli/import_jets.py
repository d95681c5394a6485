"""Read published jets, or your own, into glassjet's file: labelled, checked, constituents ordered by pT.

Formats, each with its classes:
  top_reference    Top Quark Tagging Reference Dataset (zenodo 2603256): qcd, top
  jetclass         JetClass (zenodo 6619768): QCD, Hbb, Hcc, Hgg, H4q, Hqql, Zqq, Wqq, Tbqq, Tbl
  hbb_open_data    CMS Open Data H->bb ntuples (record 12102), with tracks and vertices: qcd, h_bb
  energyflow       quark and gluon jets of EnergyFlow (zenodo 3164691, 3066475): gluon, quark
  hls4ml           HLS4ML LHC jets (zenodo 3602260): g, q, w, z, t
  nanoaod          CMS PFNano, or NanoAOD with particle-flow candidates: light, c, b, bb
  my_jets.yaml     HDF5, ROOT or Parquet of your own: a YAML that says which column is which; --describe FILE drafts it

--signal and --background choose classes, any groups of them; jets of other classes are left out. Several files are
mixed evenly, and the order within each is kept. --take 1/2 takes every second jet from the second on: so an explain
split is carved out of a published validation split. Truth that would give the label away is not read. Weights are 1
where the data set has none.
"""

import argparse
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from glassjet.errors import InputError, existing, unknown
from glassjet.files import locked
from glassjet.jets.published import datasets
from glassjet.jets.store import SPLITS
from glassjet.provenance import provenance

if TYPE_CHECKING:
    from glassjet.jets.published.rows import Reader

EXAMPLE = """  glassjet import test.h5 --format top_reference --sample top_reference --split test \\
    --out results/jets/top_reference/test.h5
  glassjet import HToBB_120.root ZJetsToNuNu_120.root --format jetclass --signal Hbb --background QCD \\
    --sample jetclass --split validation --take 0/2 --out validation.h5
  glassjet import --describe my_jets.root > my_jets.yaml"""
FORMATS = ("top_reference", "jetclass", "hbb_open_data", "energyflow", "hls4ml", "nanoaod")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="the published files of one split")
    parser.add_argument("--describe", type=Path, metavar="FILE", help="print a YAML that describes a file, and end")
    parser.add_argument("--format", help=f"how they are laid out: {', '.join(FORMATS)}, or a YAML of your own")
    parser.add_argument("--signal", nargs="+", metavar="CLASS", help="classes that are signal (default: the format's)")
    parser.add_argument("--background", nargs="+", metavar="CLASS", help="classes that are background")
    parser.add_argument("--members", nargs="+", default=[], metavar="PATTERN", help="of folders: the files to read")
    parser.add_argument("--sample", help="the name of the set of jets")
    parser.add_argument("--split", help=f"the part of the sample that it is: {', '.join(SPLITS)}")
    parser.add_argument("--take", default="0/1", metavar="K/N", help="of every N jets the one at place K (from 0 on)")
    parser.add_argument("--limit", type=int, metavar="N", help="read the first N jets only")
    parser.add_argument("--dataset", help="verify the files' checksums first, as this data set publishes them")
    parser.add_argument("--out", type=Path, metavar="FILE.h5", help="the jets")


def run(args: argparse.Namespace) -> None:
    """Draft a description, or read in chunks and write in chunks."""
    if args.describe is not None:
        from glassjet.jets.published.describe import describe

        print(describe(args.describe), end="")
        return
    for name in ("files", "format", "sample", "split", "out"):
        if not getattr(args, name):
            raise InputError(f"{'FILE' if name == 'files' else '--' + name} is missing (see glassjet import --help)")
    if args.split not in SPLITS:
        raise unknown("split", args.split, SPLITS)
    if args.limit is not None and args.limit < 1:
        raise InputError(f"--limit {args.limit}: give at least 1")
    if args.dataset is not None:
        verify(args.dataset, args.files)
    convert(args)


def reader_of(name: str) -> "Reader":
    """The reader of a format, or of a YAML of one's own; only that one is imported."""
    match name:
        case "top_reference":
            from glassjet.jets.published import top_reference

            return top_reference
        case "jetclass":
            from glassjet.jets.published import jetclass

            return jetclass
        case "hbb_open_data":
            from glassjet.jets.published import hbb_open_data

            return hbb_open_data
        case "energyflow":
            from glassjet.jets.published import energyflow_jets

            return energyflow_jets
        case "hls4ml":
            from glassjet.jets.published import hls4ml

            return hls4ml
        case "nanoaod":
            from glassjet.jets.published import nanoaod

            return nanoaod
        case own if own.endswith((".yaml", ".yml")):
            from glassjet.jets.published import mapping

            return mapping.reader(existing(Path(own)))
        case _:
            raise unknown("format", name, FORMATS)


def files_of(paths: list[Path], members: list[str]) -> list[Path]:
    """The files; of a folder those that it holds, at any depth, which one of the patterns names, in order of names."""
    found = []
    for path in paths:
        if not path.is_dir():
            found.append(existing(path))
            continue
        inside = sorted(inner for inner in path.rglob("*") if inner.is_file() and not inner.name.startswith("."))
        named = [inner for inner in inside if any(fnmatchcase(inner.name, pattern) for pattern in members or ["*"])]
        if not named:
            held = ", ".join(inner.name for inner in inside[:3]) or "nothing"
            raise InputError(f"{path}: no file is named like {' or '.join(members or ['*'])}; it holds {held}")
        found += named
    return found


def part_of(text: str) -> tuple[int, int]:
    """K and N of "K/N"."""
    place, _, number = text.partition("/")
    if not (place.isdecimal() and number.isdecimal() and int(place) < int(number)):
        raise InputError(f"--take {text}: write K/N with K from 0 to N - 1, such as 1/2")
    return int(place), int(number)


def verify(name: str, paths: list[Path]) -> None:
    """Refuse files that are not what the data set has published; what a folder holds may have been in an archive."""
    from glassjet.jets.published.download import require_right

    known = {file.name: file for file in datasets.dataset(name).files}
    for path in paths:
        if not path.is_dir() and path.name not in known:
            raise unknown(f"file of {name}", path.name, known)
        for file in files_of([path], list(known)) if not path.is_dir() else path.rglob("*"):
            if (published := known.get(file.name)) is not None and file.is_file():
                require_right(file, published.size, published.checksum)


def convert(args: argparse.Namespace) -> None:
    """Read, label, check and write."""
    from glassjet.jets.published import importing
    from glassjet.jets.store import writing

    reader = reader_of(args.format)
    part, parts = part_of(args.take)
    signal, background = (
        tuple(getattr(args, role) or getattr(reader, role.upper())) for role in ("signal", "background")
    )
    for role, classes in (("signal", signal), ("background", background)):
        if not classes:
            raise InputError(f"--{role}: name its classes, of {', '.join(reader.CLASSES)}")
    choice = importing.Choice(signal, background, part, parts, args.limit)
    importing.labels(reader, choice)
    names = {"signal": "+".join(signal), "background": "+".join(background)}
    about = {"sample": args.sample, "split": args.split, "format": Path(args.format).name}
    metadata = reader.METADATA | names | about
    files = files_of(args.files, args.members)
    if args.out.resolve() in {path.resolve() for path in (*files, Path(args.format))}:
        raise InputError(f"--out {args.out}: is one of the files that are read; name another")
    rows = importing.count(reader, files, choice)
    progress = tqdm(total=rows, unit="jet", disable=None)
    with locked(args.out), writing(args.out, metadata, provenance("import", vars(args))) as writer, progress as bar:
        for chunk in importing.read(reader, files, args.split, choice):
            writer.append(chunk)
            bar.update(len(chunk))
