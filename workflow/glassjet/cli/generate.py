"""Make jets: hard process and showers by Pythia 8, the leading anti-kT jet of each event by FastJet.

The file holds both classes, mixed, with constituents, truth partons and weights in pb: the weights of a class sum to
the cross section of its selection. Its metadata show the cutflow.

Jets are made in shards, each with a seed of its own that follows from --seed, --sample, --split and the process. A
killed run goes on where it was: give the same command again. The file is the same for any --processes.

--pthat is a choice of physics: jets of the --pt window from softer hard processes are missing, and they are heavier and
have more constituents. Widen it to be complete, and pay with time.
"""

import argparse
from pathlib import Path
from typing import Any

from tqdm import tqdm

from glassjet.errors import InputError, unknown
from glassjet.files import locked
from glassjet.jets.cards import CARDS
from glassjet.jets.store import SPLITS, writing
from glassjet.processes import over_processes
from glassjet.provenance import provenance

EXAMPLE = """  glassjet generate --sample top --split test --signal top --background qcd \\
    --jets-signal 500 --jets-background 1500 --pthat 450 800 --pt 550 650 --seed 1 --out results/jets/top/test.h5"""
MOST = 900_000_000


def seed(text: str) -> int:
    """A seed from the command line."""
    if not text.isascii() or not text.isdigit() or int(text) > MOST:
        raise InputError(f"--seed {text}: give a whole number from 0 to {MOST}")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    processes = "; ".join(f"{card.name}: {card.formula}" for card in CARDS.values())
    parser.add_argument("--sample", required=True, help="the name of the set of jets")
    parser.add_argument("--split", required=True, help=f"the part of the sample that is made: {', '.join(SPLITS)}")
    parser.add_argument("--signal", required=True, metavar="PROCESS", help=processes)
    parser.add_argument("--background", required=True, metavar="PROCESS", help="one of the same processes")
    parser.add_argument("--jets-signal", type=int, required=True, metavar="N", help="signal jets to make")
    parser.add_argument("--jets-background", type=int, required=True, metavar="N", help="background jets to make")
    parser.add_argument("--sqrts", type=float, default=14000.0, help="energy of the collision, GeV (default 14000)")
    parser.add_argument(
        "--mpi", choices=("on", "off"), default="off", help="multiparton interactions, 4 times slower (default off)"
    )
    parser.add_argument(
        "--pthat",
        type=float,
        nargs=2,
        default=(450.0, 800.0),
        metavar=("LO", "HI"),
        help="transverse momentum of the hard process, GeV (default 450 800)",
    )
    parser.add_argument(
        "--pt",
        type=float,
        nargs=2,
        default=(550.0, 650.0),
        metavar=("LO", "HI"),
        help="window of the jet's pT, GeV (default 550 650)",
    )
    parser.add_argument("--abs-eta", type=float, default=2.0, help="largest |eta| of the jet (default 2)")
    parser.add_argument("--radius", type=float, default=0.8, help="radius of the anti-kT jets (default 0.8)")
    parser.add_argument(
        "--match-radius",
        type=float,
        default=0.8,
        help="largest distance of a signal's truth partons from the jet's axis (default 0.8)",
    )
    parser.add_argument("--seed", type=seed, default=1, help="whole number; other seeds give other jets (default 1)")
    parser.add_argument("--shard-size", type=int, default=1000, metavar="N", help="jets in a shard (default 1000)")
    parser.add_argument("--processes", type=int, default=1, help="shards made at a time, 0.4 GB each (default 1)")
    parser.add_argument(
        "--give-up-after",
        type=int,
        default=20000,
        metavar="N",
        help="events without a selected jet after which the run stops and shows the cutflow (default 20000)",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="where finished shards lie until the file is whole, for this file alone (default: hidden, beside --out)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.h5", help="the jets")


def checked(args: argparse.Namespace) -> None:
    """Refuse values that cannot be, each in one line."""
    if args.split not in SPLITS:
        raise unknown("split", args.split, SPLITS)
    for process in (args.signal, args.background):
        if process not in CARDS:
            raise unknown("process", process, CARDS)
    if args.signal == args.background:
        raise InputError(f"--signal and --background are both {args.signal!r}; name two processes")
    for name, least in (("jets_signal", 0), ("jets_background", 0), ("shard_size", 1), ("processes", 1)):
        if getattr(args, name) < least:
            raise InputError(f"--{name.replace('_', '-')} {getattr(args, name)}: give at least {least}")
    if args.give_up_after < 1:
        raise InputError(f"--give-up-after {args.give_up_after}: give at least 1")
    if args.jets_signal + args.jets_background == 0:
        raise InputError("--jets-signal and --jets-background are both 0; ask for some jets")


def run(args: argparse.Namespace) -> None:
    """Make the shards that are missing, then merge them."""
    checked(args)
    try:
        from glassjet.jets import shards
        from glassjet.jets.generation import Settings
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed; jets are made with pythia8mc, fastjet and awkward") from None
    settings = Settings(
        args.sqrts,
        args.mpi == "on",
        (args.pthat[0], args.pthat[1]),
        (args.pt[0], args.pt[1]),
        args.abs_eta,
        args.radius,
        args.match_radius,
    )
    checkpoint = args.checkpoint or args.out.with_name(f".{args.out.name}.shards")
    with locked(args.out):
        shards.clear(checkpoint, ".*.shard.h5.*.tmp")
        work = {
            role: shards.plan(args.sample, args.split, process, label, jets, args.shard_size, args.seed, settings)
            for role, process, label, jets in (
                ("signal", args.signal, 1, args.jets_signal),
                ("background", args.background, 0, args.jets_background),
            )
            if jets
        }
        tasks = [(shard, checkpoint, args.give_up_after) for role in work for shard in work[role]]
        with tqdm(total=args.jets_signal + args.jets_background, unit="jet", disable=None) as bar:
            made = over_processes(shards.make, tasks, args.processes)
            for (shard, *_), _path in zip(tasks, made, strict=True):
                bar.update(shard.jets)
        paths = {role: [shard.path(checkpoint) for shard in work[role]] for role in work}
        summaries = {role: shards.summary_of(paths[role]) for role in work}
        with writing(args.out, metadata_of(args, summaries), provenance("generate", recorded(args))) as writer:
            classes = [(paths[role], summaries[role]["weight"]) for role in work]
            for group in shards.mixed(classes, args.seed):
                writer.append(group)
        shards.clear(checkpoint, "*.shard.h5")


def recorded(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments that the bytes of the file depend on."""
    return {
        name: value for name, value in vars(args).items() if name not in ("processes", "give_up_after", "checkpoint")
    }


def metadata_of(args: argparse.Namespace, summaries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the file says of itself."""
    names = ("sample", "split", "signal", "background", "sqrts", "pthat", "pt", "abs_eta", "radius", "match_radius")
    return {name: getattr(args, name) for name in names} | {
        "level": "particle",
        "mpi": args.mpi == "on",
        "seed": args.seed,
        "cutflow": {role: summary["cutflow"] for role, summary in summaries.items()},
        "cross_sections": {
            role: {name: summary[name] for name in summary if name.endswith("_pb")}
            for role, summary in summaries.items()
        },
    }
