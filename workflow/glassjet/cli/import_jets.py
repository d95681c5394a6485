"""Read published jets into glassjet's own file, checked: no NaN, no negative energy, constituents ordered by pT.

Formats:
  top_reference   the Top Quark Tagging Reference Dataset (zenodo 2603256): train.h5, val.h5, test.h5

Truth columns that would give the label away are not read. Weights are 1: published sets have none.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from glassjet.errors import InputError, unknown
from glassjet.files import locked
from glassjet.jets import top_reference
from glassjet.jets.store import SPLITS, writing
from glassjet.provenance import provenance

EXAMPLE = """  glassjet import test.h5 --format top_reference --sample top_reference --split test \\
    --out results/jets/top_reference/test.h5"""
FORMATS = {"top_reference": top_reference}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the published file")
    parser.add_argument("--format", required=True, help=f"how it is laid out: {', '.join(FORMATS)}")
    parser.add_argument("--sample", required=True, help="the name of the set of jets")
    parser.add_argument("--split", required=True, help=f"the part of the sample that it is: {', '.join(SPLITS)}")
    parser.add_argument("--limit", type=int, metavar="N", help="read the first N jets only")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.h5", help="the jets")


def run(args: argparse.Namespace) -> None:
    """Read in chunks, write in chunks."""
    if args.format not in FORMATS:
        raise unknown("format", args.format, FORMATS)
    if args.split not in SPLITS:
        raise unknown("split", args.split, SPLITS)
    if args.limit is not None and args.limit < 1:
        raise InputError(f"--limit {args.limit}: give at least 1")
    source = FORMATS[args.format]
    jets = source.count(args.file)
    if args.limit is not None:
        jets = min(jets, args.limit)
    metadata = source.METADATA | {"sample": args.sample, "split": args.split, "format": args.format}
    made_by = provenance("import", vars(args))
    progress = tqdm(total=jets, unit="jet", disable=None)
    with locked(args.out), writing(args.out, metadata, made_by) as writer, progress as bar:
        for chunk in source.chunks(args.file, args.split, jets):
            writer.append(chunk)
            bar.update(len(chunk))
