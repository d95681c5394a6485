"""Download published jets, each file complete and verified: its size and checksum are those that its authors published.

An interrupted download goes on where it stopped when the same command is run again. A file that is there already is
verified and kept; one that is not the published file is refused, never overwritten. Where a machine has no network, put
the files there by hand: the same command then verifies them. `glassjet download --list` says what there is.

Files go to data/NAME, or to $GLASSJET_DATA/NAME if that variable is set.
"""

import argparse
import os
from pathlib import Path

from glassjet.errors import InputError
from glassjet.jets.published import datasets

EXAMPLE = """  glassjet download --list
  glassjet download top_reference --files test.h5
  glassjet download energyflow_pythia --files test --to jets/quark_gluon
  glassjet download jetclass --files validation --unpack 'HToBB_*' 'ZJetsToNuNu_*'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"the data set: {', '.join(datasets.DATASETS)}")
    parser.add_argument(
        "--files",
        nargs="+",
        metavar="F",
        help="some of its files only: names, patterns (QG_jets_1?.npz) or splits (train, validation, test)",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="the folder they go to")
    parser.add_argument(
        "--unpack",
        nargs="*",
        metavar="MEMBER",
        help="unpack archives, each into a folder of its name: all they hold, or the members named (or patterns)",
    )
    parser.add_argument("--list", action="store_true", help="print the data sets, or the files of one, and end")


def run(args: argparse.Namespace) -> None:
    """Print the table, or download and verify."""
    if args.list:
        print(datasets.table(args.name))
        return
    if args.name is None:
        raise InputError("the name of a data set is needed (or --list, to see them)")
    of = datasets.dataset(args.name)
    files = datasets.chosen(of, args.files)
    if args.unpack is not None and not any(datasets.is_archive(file) for file in files):
        raise InputError(f"--unpack: {of.name} has no archives, its files are read as they are")
    folder = args.to or Path(os.environ.get("GLASSJET_DATA") or "data") / of.name
    print(f"{of.title}: licence {of.licence}; cite {of.cite}")
    download(of, files, folder, args.unpack)


def download(of: datasets.DataSet, files: list[datasets.File], folder: Path, members: list[str] | None) -> None:
    """Bring the files, one after the other; those that are there are verified before anything is downloaded."""
    from glassjet.files import require_space  # imported here because --help and --list need not wait for them
    from glassjet.jets.published.archives import unpack
    from glassjet.jets.published.download import fetch, on_disk, part_of, require_right

    missing = []
    for file in files:
        path = folder / file.name
        if path.exists():
            require_right(path, file.size, file.checksum)
            print(f"{path}: already there, {verified(file)}")
        else:
            missing.append(file)
    with on_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    parts = {file: part_of(folder / file.name) for file in missing}
    there = sum(part.stat().st_size for part in parts.values() if part.exists())
    require_space(folder / of.name, sum(file.size or 0 for file in missing) - there)
    for file in missing:
        fetch(file.url, folder / file.name, file.size, file.checksum, page=of.page)
        print(f"{folder / file.name}: {verified(file)}")
    for file in files if members is not None else []:
        if datasets.is_archive(file):
            inside = folder / file.name.removesuffix(".gz").rsplit(".", 1)[0]
            found = unpack(folder / file.name, inside, members or None)
            print(f"{inside}: {len(found)} files unpacked")


def verified(file: datasets.File) -> str:
    """What of a file was compared with what is published."""
    if file.checksum is None:
        return "size as published" if file.size is not None else "neither size nor checksum is published"
    return "size and checksum as published" if file.size is not None else "checksum as published"
