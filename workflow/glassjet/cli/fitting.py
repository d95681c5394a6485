"""The flags that every verb that trains has: which jets, how they are fitted, where."""

import argparse
from pathlib import Path

from glassjet.errors import InputError
from glassjet.training.settings import FitSettings

DEFAULT = FitSettings()


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """The training and validation jets, task, seed, device, threads and checkpoint."""
    group = parser.add_argument_group("data")
    group.add_argument("--task", required=True, help="the task that the tagger is trained for, a name for the results")
    group.add_argument("--jets", type=Path, required=True, help="training jets (split train), HDF5")
    group.add_argument("--observables", type=Path, required=True, help="their table from glassjet observe, Parquet")
    group.add_argument("--validation-jets", type=Path, required=True, help="validation jets (split validation), HDF5")
    group.add_argument("--validation-observables", type=Path, required=True, help="their table, Parquet")
    group.add_argument(
        "--buffer-jets",
        type=positive,
        default=200_000,
        help="jets in memory; a larger sample is streamed from disk in every epoch (default: %(default)s)",
    )


def add_fit_arguments(parser: argparse.ArgumentParser) -> None:
    """The fields of `glassjet.training.settings.FitSettings`, and seed, device, threads, checkpoint."""
    group = parser.add_argument_group("fit")
    group.add_argument("--epochs", type=positive, default=DEFAULT.epochs, help="epochs at most (default: %(default)s)")
    group.add_argument(
        "--batch-size", type=positive, default=DEFAULT.batch_size, help="jets a step (default: %(default)s)"
    )
    group.add_argument(
        "--learning-rate", type=float, default=DEFAULT.learning_rate, help="of Adam (default: %(default)s)"
    )
    group.add_argument(
        "--patience",
        type=positive,
        default=DEFAULT.patience,
        help="end after so many epochs without a lower validation loss; the best weights stay (default: %(default)s)",
    )
    group.add_argument(
        "--milestones",
        type=positive,
        nargs="*",
        default=[],
        help="epochs after which the learning rate is divided by ten (default: none)",
    )
    group.add_argument(
        "--seed", type=seed, default=1, help="of initial weights, order and dropout (default: %(default)s)"
    )
    add_device_arguments(group)
    group.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="where the state is kept after each epoch; the same command continues from it after a kill",
    )


def add_device_arguments(parser: argparse._ActionsContainer) -> None:
    """Where torch runs."""
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto, cuda if present"
    )
    parser.add_argument(
        "--threads",
        type=positive,
        default=1,
        help="threads of torch on the CPU (default: 1; the bytes of the result depend on it, and two runs of one "
        "thread side by side are faster than one of two)",
    )


def fit_settings(args: argparse.Namespace) -> FitSettings:
    """The FitSettings of parsed arguments."""
    if not 0 < args.learning_rate < float("inf"):
        raise InputError(f"--learning-rate {args.learning_rate}: must be positive")
    return FitSettings(args.epochs, args.batch_size, args.learning_rate, args.patience, tuple(args.milestones))


def positive(text: str) -> int:
    """A whole number from 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def seed(text: str) -> int:
    """A whole number from 0, for argparse."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number
