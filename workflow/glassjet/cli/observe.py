"""Compute expert variables of jets: soft drop, N-subjettiness, subjets, pull, and the jets' kinematics.

Reads a file of jets (from `glassjet generate` or `glassjet import`) and writes a Parquet table with a row for each
jet, in the same order. The standard quantities (pT, mass, soft-drop mass, tau32, …) are always in it; --sets adds
whole sets, such as the 29 XAUG variables or the N-subjettiness basis. `glassjet observe --list` says what each
variable is, where it comes from, and which value it has for a jet with too few constituents for its formula.

Jets are read in chunks, so memory does not grow with the file, and the table's bytes do not depend on the number of
processes. The first run compiles for some seconds; later ones do not.
"""

import argparse
from pathlib import Path

from glassjet.errors import InputError
from glassjet.files import locked
from glassjet.observables.registry import SETS, members, table

EXAMPLE = """  glassjet observe results/quick/jets/top/train.h5 --sets xaug29 mbns --processes 2 \\
      --out results/quick/observables/top/train.parquet
  glassjet observe --list"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("jets", type=Path, nargs="?", metavar="JETS.h5", help="file of jets")
    parser.add_argument(
        "--sets", nargs="*", default=[], metavar="SET", help=f"what to compute besides the standard: {', '.join(SETS)}"
    )
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="processes that share the work (default 1)"
    )
    parser.add_argument("--out", type=Path, metavar="F.parquet", help="the table")
    parser.add_argument("--list", action="store_true", help="print the variables (of --sets, or all) and end")


def run(args: argparse.Namespace) -> None:
    """Print the registry, or compute the table."""
    for name in args.sets:
        members(name)
    if args.list:
        print(table(args.sets or SETS))
        return
    if args.jets is None or args.out is None:
        raise InputError("a file of jets and --out are needed (or --list, to see the variables)")
    if args.processes < 1:
        raise InputError(f"--processes {args.processes}: at least 1 is needed")
    write_table(args)


def write_table(args: argparse.Namespace) -> None:
    """Compute the table chunk by chunk."""
    from tqdm import tqdm  # imported here, with numba below, because --help and --list need not wait for them

    from glassjet.jets import store
    from glassjet.observables.table import observe_rows, schema, write
    from glassjet.processes import over_processes
    from glassjet.provenance import provenance

    sets = tuple(dict.fromkeys(args.sets))
    total = store.count(args.jets)
    if total == 0:
        raise InputError(f"{args.jets}: holds no jets")
    # How many processes shared the work is no part of what made the table.
    made_by = provenance("observe", {name: value for name, value in vars(args).items() if name != "processes"})
    form = schema(sets, store.metadata(args.jets), made_by)
    tasks = [(args.jets, start, min(start + store.CHUNK, total), sets) for start in range(0, total, store.CHUNK)]
    with locked(args.out):
        parts = over_processes(observe_rows, tasks, min(args.processes, len(tasks)))
        write(tqdm(parts, total=len(tasks), unit=f"{store.CHUNK} jets", disable=None), form, args.out)
