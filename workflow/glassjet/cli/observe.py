"""Compute expert variables of jets: soft drop, N-subjettiness, correlators, Lund plane, shapes, types, displacement.

Reads a file of jets (from `glassjet generate` or `glassjet import`) and writes a Parquet table with a row for each
jet, in the same order. The standard quantities (pT, mass, soft-drop mass, tau32, …) are always in it; --variables adds
single variables (tau3_b10_kt, n2_b10_softdrop) or whole sets, such as the 29 XAUG variables, the N-subjettiness basis,
or all. `glassjet observe --list` says what each variable is, its units and range, where it comes from, what it costs,
and which value it has for a jet with too few constituents for its formula; and how any other variable is named: any N,
any beta, any axes, any soft drop.

Jets are read in chunks, so memory does not grow with the file. The table's numbers do not depend on the size of the
chunks, nor its bytes on the number of processes. The first run compiles for a minute; later ones do not.
"""

import argparse
import os
from pathlib import Path

from glassjet.errors import InputError
from glassjet.files import locked
from glassjet.observables.registry import SETS, members, table

EXAMPLE = """  glassjet observe results/quick/jets/top/train.h5 --variables xaug29 mbns --processes 2 \\
      --out results/quick/observables/top/train.parquet
  glassjet observe --list
  glassjet observe --list --variables xaug36 tau3_b15_wta_softdrop_z02_b10"""

CONSTITUENT_MEMORY = 800  # bytes, measured: clusterings of its jet, and its momenta


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("jets", type=Path, nargs="?", metavar="JETS.h5", help="file of jets")
    parser.add_argument(
        "--variables",
        nargs="*",
        default=[],
        metavar="NAME",
        help=f"what to compute besides the standard quantities: names, or sets of them: {', '.join(SETS)}",
    )
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="processes that share the work (default 1)"
    )
    parser.add_argument(
        "--chunk-size",
        type=int,
        default=5000,
        metavar="N",
        help="jets that a process reads at a time (default 5000): memory grows with it, the table does not change",
    )
    parser.add_argument("--out", type=Path, metavar="F.parquet", help="the table")
    parser.add_argument("--list", action="store_true", help="print the variables (of --variables, or all) and end")


def run(args: argparse.Namespace) -> None:
    """Print the registry, or compute the table."""
    for word in args.variables:
        members(word)
    if args.list:
        print(table(args.variables or SETS))
        return
    if args.jets is None or args.out is None:
        raise InputError("a file of jets and --out are needed (or --list, to see the variables)")
    for flag, value in (("--processes", args.processes), ("--chunk-size", args.chunk_size)):
        if value < 1:
            raise InputError(f"{flag} {value}: at least 1 is needed")
    write_table(args)


def write_table(args: argparse.Namespace) -> None:
    """Compute the table chunk by chunk."""
    from tqdm import tqdm  # imported here, with numba below, because --help and --list need not wait for them

    from glassjet.jets import store
    from glassjet.observables.soft_drop import R0
    from glassjet.observables.table import observe_rows, schema, write
    from glassjet.processes import over_processes
    from glassjet.provenance import provenance

    words = tuple(dict.fromkeys(args.variables))
    total, size = store.count(args.jets), args.chunk_size
    if total == 0:
        raise InputError(f"{args.jets}: holds no jets")
    # How the work was shared is no part of what made the table.
    how = ("processes", "chunk_size")
    made_by = provenance("observe", {name: value for name, value in vars(args).items() if name not in how})
    metadata = store.metadata(args.jets)
    form, radius = schema(words, metadata, made_by), metadata.get("radius", R0)
    tasks = [(args.jets, start, min(start + size, total), words, radius) for start in range(0, total, size)]
    require_memory(args.jets, len(tasks[0 : args.processes]) * (tasks[0][2] - tasks[0][1]))
    with locked(args.out):
        observe_rows(args.jets, 0, 1, words, radius)  # compiles what is not compiled yet, before the clock starts
        parts = over_processes(observe_rows, tasks, min(args.processes, len(tasks)))
        write(tqdm(parts, total=len(tasks), unit=f"{size} jets", disable=None), form, args.out)


def require_memory(path: Path, jets: int) -> None:
    """Refuse chunks that this machine's memory cannot hold, before it is full."""
    from glassjet.jets import store

    needed = jets * store.constituents_per_jet(path) * CONSTITUENT_MEMORY
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise InputError(
            f"--chunk-size: so many jets at a time take {needed / 1e9:.0f} GB, and this machine has {there / 1e9:.0f}; "
            "take fewer, the table has the same numbers"
        )
