"""Typeset the paper from the results.

The manuscript (a Typst source, `main.typ`) reads every number and figure from the results of a study: it is compiled in
a folder of its own that holds a copy of the source and, under `results/`, the study's tables and figures. A number or
a figure that the results lack stops the compilation and is named.
"""

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import typst

from glassjet.errors import InputError, existing
from glassjet.files import atomic, locked, open_hdf5, read_csv, write_json
from glassjet.jets import store

EXAMPLE = "  glassjet paper --source paper --results results/quick --task top --out results/quick/paper.pdf"
TABLES = ("*.csv", "rankings/**/*.csv", "reduced/**/subsets.csv", "tables/**/*.csv", "figures/**/*.pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, required=True, help="folder with main.typ")
    parser.add_argument("--results", type=Path, required=True, help="a study's results, results/<study>")
    parser.add_argument("--task", required=True, help="the task that the paper is about")
    parser.add_argument("--out", type=Path, required=True, help="the PDF")


def run(args: argparse.Namespace) -> None:
    main = existing(args.source / "main.typ")
    with locked(args.out), tempfile.TemporaryDirectory(prefix="glassjet-paper-") as folder:
        root = Path(folder)
        shutil.copytree(args.source, root, dirs_exist_ok=True)
        for pattern in TABLES:
            for path in args.results.glob(pattern):
                target = root / "results" / path.relative_to(args.results)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        write_json(study(args.results, args.task), root / "results" / "study.json")
        with atomic(args.out) as temporary:
            try:
                # Fonts come with Typst and the date from the environment: the same results give the same bytes.
                pdf = typst.compile(
                    str(root / main.name),
                    root=str(root),
                    ignore_system_fonts=True,
                    timestamp=int(os.environ.get("SOURCE_DATE_EPOCH", "0")),
                )
            except typst.TypstError as error:
                raise InputError(f"{main}: {error.message} (is {args.results} complete?)") from None
            temporary.write_bytes(pdf)


def study(results: Path, task: str) -> dict[str, Any]:
    """What the study is made of: its jets by split and class, how they were made, seeds and versions."""
    summary = read_csv(results / "summary.csv", ["task", "sample", "seed"])
    mine = summary[summary["task"] == task]
    if mine.empty:
        known = ", ".join(sorted(summary["task"].unique()))
        raise InputError(f"{results / 'summary.csv'}: no task {task!r}; it has {known}")
    sample = str(mine["sample"].iloc[0])
    jets: dict[str, dict[str, int]] = {}
    splits = {split: results / "jets" / sample / f"{split}.h5" for split in store.SPLITS}
    for split, path in splits.items():
        labels, _ = store.labels_and_weights(path)
        jets[split] = {"signal": int((labels == 1).sum()), "background": int((labels == 0).sum())}
    with open_hdf5(splits["train"], "jets") as file:
        made_by = json.loads(file.attrs["provenance"])
    seeds = sorted({seed for seed in mine["seed"] if seed not in ("all", "0")}, key=int)
    return {
        "task": task,
        "sample": sample,
        "jets": jets,
        "seeds": seeds,
        "metadata": store.metadata(splits["train"]),
        "versions": made_by["versions"],
    }
