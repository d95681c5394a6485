"""Draw jets of the two-prong toy model of arXiv:2011.13466: no physics, but a truth that is known.

Two subjets of ten particles each, with an opening angle theta, a momentum share z, and radii r1 and r2; signal and
background differ in the distributions of theta and z alone. --overlap says by how much: 0, 1 (the paper's) or 2.
The truth stands beside each jet (toy_r1, toy_r2, toy_theta, toy_z), and its two axes among the truth partons.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glassjet.cli.generate import check_request, seed
from glassjet.files import locked
from glassjet.jets import store
from glassjet.jets.store import SPLITS, Jets, event_numbers
from glassjet.jets.toy import toy_jets
from glassjet.provenance import provenance

EXAMPLE = """  glassjet toy --sample toy --split train --jets-signal 5000 --jets-background 5000 \\
    --overlap 1 --seed 1 --out results/jets/toy/train.h5"""
CHUNK = 5000  # jets drawn at a time, and the memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--sample", required=True, help="the name of the set of jets")
    parser.add_argument("--split", required=True, help=f"the part of the sample that is made: {', '.join(SPLITS)}")
    parser.add_argument("--jets-signal", type=int, required=True, metavar="N", help="signal jets to draw")
    parser.add_argument("--jets-background", type=int, required=True, metavar="N", help="background jets to draw")
    parser.add_argument("--overlap", type=int, default=1, help="how far the classes overlap: 0, 1 or 2 (default 1)")
    parser.add_argument("--seed", type=seed, default=1, help="whole number; other seeds give other jets (default 1)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.h5", help="the jets")


def run(args: argparse.Namespace) -> None:
    """Draw in chunks, write in chunks."""
    check_request(args)
    metadata = {
        "sample": args.sample,
        "split": args.split,
        "signal": "two_prong",
        "background": "toy_background",
        "level": "toy",
        "overlap": args.overlap,
        "seed": args.seed,
    }
    total = args.jets_signal + args.jets_background
    made_by = provenance("toy", vars(args))
    with locked(args.out), store.writing(args.out, metadata, made_by) as writer, tqdm(total=total, disable=None) as bar:
        for jets in drawn(args):
            writer.append(jets)
            bar.update(len(jets))


def drawn(args: argparse.Namespace) -> Iterator[Jets]:
    """Both classes mixed, each group with a random number generator of its own."""
    counts = {1: args.jets_signal, 0: args.jets_background}
    groups = math.ceil(sum(counts.values()) / CHUNK)
    place = SPLITS.index(args.split)
    for group in range(groups):
        parts = []
        for label, count in counts.items():
            first, last = (count * edge // groups for edge in (group, group + 1))
            jets = toy_jets(label, args.overlap, last - first, np.random.default_rng([args.seed, place, label, group]))
            jets.columns["event"] = event_numbers(args.split, label, 0, first + jets.columns["event"])
            parts.append(jets)
        together = store.concatenate(parts)
        yield together.take(np.random.default_rng([args.seed, place, 2, group]).permutation(len(together)))
