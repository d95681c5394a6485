"""Make jets: hard process and showers by Pythia 8, the leading anti-kT jet of each event by FastJet.

--card says what is made: the two processes, the collision, the shower, the jets, the matching to truth partons. Each
task has a card with comments (workflow/glassjet/jets/tasks), and every key of it is a flag here, which wins over the
card. A card of your own is a YAML file with the same keys. A process of your own is a file of Pythia's settings
(.cmnd), of parton-level events that Pythia showers (.lhe), or of whole events (.hepmc).

The file holds both classes, mixed, with constituents, truth partons and weights in pb: the weights of a class sum to
the cross section of its selection. Its metadata show the cutflow.

Jets are made in shards, each with a seed of its own that follows from --seed, --split and the process: samples with the
same seed have the same events, and splits share none. A killed run goes on where it was: give the same command again.
The file is the same for any --processes.

The range of pTHat (--signal-pthat, --background-pthat) is a choice of physics: jets of the --pt window from softer hard
processes are missing, and they are heavier and have more constituents. Widen it to be complete, with a power (3 to 5)
to pay less time: events are then made with pTHat to that power times their rate, and weigh as much less.
"""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from glassjet.errors import InputError, unknown
from glassjet.files import locked
from glassjet.jets import cards, store
from glassjet.jets.keys import KEYS, checked, settings_of
from glassjet.jets.settings import Settings
from glassjet.jets.store import SPLITS, writing
from glassjet.processes import over_processes
from glassjet.provenance import provenance

log = logging.getLogger(__name__)

EXAMPLE = """  glassjet generate --card top --sample top --split test --jets-signal 500 --jets-background 1500 \\
    --signal-pthat 450 800 --signal-pthat-power 0 --background-pthat 450 800 --background-pthat-power 0 \\
    --out results/jets/top/test.h5"""
MOST = 900_000_000
ROLES = {"signal": 1, "background": 0}


def seed(text: str) -> int:
    """A seed from the command line."""
    if not text.isascii() or not text.isdigit() or int(text) > MOST:
        raise InputError(f"--seed {text}: give a whole number from 0 to {MOST}")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    known = "; ".join(f"{name}: {cards.process_of(name).formula}" for name in cards.PROCESSES)
    parser.add_argument("--card", required=True, help=f"{', '.join(cards.TASKS)}, or a YAML file of your own")
    parser.add_argument("--sample", required=True, help="the name of the set of jets")
    parser.add_argument("--split", required=True, help=f"the part of the sample that is made: {', '.join(SPLITS)}")
    parser.add_argument("--jets-signal", type=int, required=True, metavar="N", help="signal jets to make")
    parser.add_argument("--jets-background", type=int, required=True, metavar="N", help="background jets to make")
    parser.add_argument("--seed", type=seed, default=1, help="whole number; other seeds give other jets (default 1)")
    parser.add_argument("--shard-size", type=int, default=1000, metavar="N", help="jets in a shard (default 1000)")
    parser.add_argument(
        "--processes", type=int, default=1, help="shards made at a time, 0.4 GB each, 0.9 with MPI (default 1)"
    )
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
    group = parser.add_argument_group("what the card says, where you want it otherwise", f"processes: {known}")
    for name, key in KEYS.items():
        told: dict[str, Any] = {"choices": ("on", "off")} if key.kind is bool else {"type": key.kind}
        if key.kind is not bool:
            told["metavar"] = {float: "X", int: "N", str: "WORD"}[key.kind]
        if key.count != 1:
            told["nargs"] = key.count or "+"
        flag, text = f"--{name.replace('_', '-')}", f"{key.text}, {key.unit}" if key.unit else key.text
        group.add_argument(flag, dest=name, default=argparse.SUPPRESS, help=text, **told)


def card_from(args: argparse.Namespace) -> dict[str, Any]:
    """The card with the keys that were given as flags, checked."""
    given = {name: getattr(args, name) for name in KEYS if hasattr(args, name)}
    switches = {name: value == "on" for name, value in given.items() if KEYS[name].kind is bool}
    return checked(cards.card_of(args.card) | given | switches, f"card {args.card}")


def check_request(args: argparse.Namespace) -> None:
    """Refuse a split that does not exist, and numbers of jets that cannot be."""
    if args.split not in SPLITS:
        raise unknown("split", args.split, SPLITS)
    for name in ("jets_signal", "jets_background"):
        if getattr(args, name) < 0:
            raise InputError(f"--{name.replace('_', '-')} {getattr(args, name)}: give at least 0")
    if args.jets_signal + args.jets_background == 0:
        raise InputError("--jets-signal and --jets-background are both 0; ask for some jets")


def check(args: argparse.Namespace, card: dict[str, Any]) -> None:
    """Refuse values that cannot be, each in one line."""
    check_request(args)
    for role in ROLES:
        cards.process_of(card[role])
    if card["signal"] == card["background"]:
        raise InputError(f"--signal and --background are both {card['signal']!r}; name two processes")
    for name in ("shard_size", "processes", "give_up_after"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} {getattr(args, name)}: give at least 1")


def run(args: argparse.Namespace) -> None:
    """Make the shards that are missing, then merge them."""
    card = card_from(args)
    check(args, card)
    try:
        from glassjet.jets import shards
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed; jets are made with pythia8mc, fastjet and awkward") from None
    settings = {role: settings_of(card, role) for role in ROLES}
    wanted = {role: getattr(args, f"jets_{role}") for role in ROLES if getattr(args, f"jets_{role}")}
    checkpoint = args.checkpoint or args.out.with_name(f".{args.out.name}.shards")
    with locked(args.out):
        shards.clear(checkpoint, ".*.shard.h5.*.tmp")
        paths = made(args, card, settings, wanted, checkpoint)
        summaries = {role: shards.summary_of(paths[role], wanted[role]) for role in wanted}
        metadata = metadata_of(args, card, settings, summaries)
        with writing(args.out, metadata, provenance("generate", recorded(args, card))) as writer:
            classes = [(paths[role], wanted[role], summaries[role]["weight"]) for role in wanted]
            for group in shards.mixed(classes, args.seed):
                writer.append(group)
        shards.clear(checkpoint, "*.shard.h5")
    say_effective(args.out)


def made(
    args: argparse.Namespace,
    card: dict[str, Any],
    settings: dict[str, Settings],
    wanted: dict[str, int],
    checkpoint: Path,
) -> dict[str, list[Path]]:
    """The shards of each class, made where they are missing; of a file of events no more than hold the jets wanted."""
    from glassjet.jets import shards

    work = {
        role: shards.plan(args.split, card[role], ROLES[role], jets, args.shard_size, args.seed, settings[role])
        for role, jets in wanted.items()
    }
    endless = [role for role in work if not cards.process_of(card[role]).is_file]
    paths: dict[str, list[Path]] = {role: [] for role in work}

    def results(roles: list[str]) -> Iterator[tuple[str, Path]]:
        tasks = [(role, shard) for role in roles for shard in work[role]]
        calls = [(shard, checkpoint, args.give_up_after) for _, shard in tasks]
        for (role, _), path in zip(tasks, over_processes(shards.make, calls, args.processes), strict=False):
            yield role, path

    with tqdm(total=sum(wanted.values()), unit="jet", disable=None) as bar:
        for role, path in results(endless):
            paths[role].append(path)
            bar.update(store.count(path))
        for role in set(work) - set(endless):
            found = 0
            for _, path in results([role]):
                paths[role].append(path)
                found += store.count(path)
                bar.update(store.count(path))
                if found >= wanted[role]:
                    break
            else:
                raise InputError(
                    f"{card[role]}: has {found} jets of the split {args.split} that pass, and {wanted[role]} are asked "
                    f"for; give --jets-{role} {found}, or a longer file"
                )
    return paths


def say_effective(path: Path) -> None:
    """Log how many jets of equal weight the jets of each class count as."""
    label, weight = store.labels_and_weights(path)
    for role, value in ROLES.items():
        chosen = weight[label == value]
        if chosen.size:
            effective = chosen.sum() ** 2 / np.square(chosen).sum()
            log.info("%s: %d jets, of %.4g pb, count as %.0f", role, chosen.size, chosen.sum(), effective)


def recorded(args: argparse.Namespace, card: dict[str, Any]) -> dict[str, Any]:
    """The arguments that the bytes of the file depend on; files by their names and digests, for files move."""
    without = {"processes", "give_up_after", "checkpoint", *KEYS}
    plain = {name: value for name, value in vars(args).items() if name not in without}
    made_of = {role: f"{cards.process_of(card[role]).name} {cards.digest(card[role])}" for role in ROLES}
    return plain | card | {"card": Path(args.card).stem} | made_of


def metadata_of(
    args: argparse.Namespace,
    card: dict[str, Any],
    settings: dict[str, Settings],
    summaries: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """What the file says of itself: the card, the cutflow and the cross sections."""
    names = {role: cards.process_of(card[role]).name for role in ROLES}
    named = {"sample": args.sample, "split": args.split, "card": Path(args.card).stem, "seed": args.seed}
    numbers = ("cutflow", "cutflow_pb")
    return (
        card
        | names
        | named
        | {"level": "detector" if settings["signal"].detector else "particle"}
        | {name: {role: summary[name] for role, summary in summaries.items()} for name in numbers}
        | {
            "cross_sections": {
                role: {name: summary[name] for name in summary if name.endswith("_pb") and name != "cutflow_pb"}
                for role, summary in summaries.items()
            }
        }
    )
