"""How fast jets are made: selected jets per CPU second on one core, efficiency, effective number, peak memory and size.

Run it by hand: `python tests/benchmarks/generate.py [events]`, for each class of each task. Machines differ: compare
ratios.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from glassjet.jets import cards, pythia, store
from glassjet.jets.generation import BATCH, Tally
from glassjet.jets.keys import checked, settings_of
from glassjet.jets.settings import Settings
from glassjet.training.metrics import effective_number

NARROW: dict[str, Any] = {f"{role}_pthat": [450, 800] for role in ("signal", "background")}  # the quick study's
NARROW |= {f"{role}_pthat_power": 0 for role in ("signal", "background")}


def made(process: str, events: int, settings: Settings) -> str:
    """Jets of as many events, as one line."""
    begun = time.process_time()
    with pythia.captured_stdout() as sink:
        generator = pythia.start(cards.process_of(process), settings.generator, 1, sink)
        tally = Tally(settings)
        while tally.events < events:
            tally.add(pythia.batch(generator, BATCH), 1, tally.events)
        result = tally.result(pythia.cross_section(generator))
    seconds = time.process_time() - begun
    jets, weight = len(result.jets), result.jets.columns["weight"]
    counts, pb = result.cutflow_weight, result.cross_section[0]
    efficiency = counts[list(counts)[-1]] / counts["events"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jets.h5"
        with store.writing(path, {}, "{}") as writer:
            writer.append(result.jets)
        size = path.stat().st_size / jets * 1e5 / 1e6
    return (
        f"{jets / seconds:6.1f} jets per CPU second, {jets / tally.events:.4f} of the events made, "
        f"efficiency {efficiency:.2e} of {pb:.3g} pb, jets count as {effective_number(weight) / jets:.2f} each, "
        f"{size:.0f} MB per 100,000 jets, {result.jets.constituents.counts.mean():.0f} constituents, "
        f"{psutil.Process(os.getpid()).memory_info().rss / 1e6:.0f} MB"
    )


def main() -> None:
    """Time the two classes of each task, and those of the quick study."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    for task, change in [("top", NARROW), *((name, {}) for name in cards.TASKS)]:
        card = checked(cards.card_of(task) | change, task)
        for role in ("signal", "background"):
            line = made(str(card[role]), events, settings_of(card, role))
            print(f"{task + (' narrow' if change else ''):11s} {card[role]:8s} {line}")


if __name__ == "__main__":
    main()
