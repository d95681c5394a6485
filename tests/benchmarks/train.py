"""How fast taggers train on one core: jets per CPU second of one epoch, and of a score with its bootstrap.

Run it by hand: `python tests/benchmarks/train.py [jets]`. The jets are random numbers with the shape of jets: 67
constituents on average. Compare ratios, machines differ.
"""

import sys
import time

import numpy as np

from glassjet.taggers import devices
from glassjet.taggers.build import build_network
from glassjet.taggers.features import parse
from glassjet.taggers.inputs import Inputs
from glassjet.training.batches import InMemory
from glassjet.training.bootstrap import scores
from glassjet.training.fit import fit
from glassjet.training.settings import FitSettings

TRAININGS = [
    ("pfn", "kinematics", 250, 1),
    ("xaug_image", "image", 32, 1),
    ("xaug_image", "image+xaug29", 250, 1),
    ("mbns", "mbns", 256, 20),
    ("mbns", "mbns", 32, 10),
    ("xaug_dnn", "xaug29", 32, 10),
]


def random_jets(features: str, n: int) -> InMemory:
    """Inputs of the right shape."""
    generator = np.random.default_rng(1)
    wanted, inputs = parse(features), Inputs()
    if wanted.constituents:
        counts = generator.normal(67, 22, n).clip(5, 160).astype(int)
        inputs["mask"] = np.arange(counts.max()) < counts[:, None]
        shape = (*inputs["mask"].shape, len(wanted.constituent_names))
        inputs["constituents"] = (generator.normal(size=shape) * inputs["mask"][..., None]).astype(np.float32)
    if wanted.image:
        inputs["image"] = (generator.random((n, 1, 16, 16)) ** 8).astype(np.float32)
    if wanted.table:
        inputs["table"] = generator.normal(size=(n, len(wanted.table))).astype(np.float32)
    return InMemory(inputs, np.arange(n) % 2, np.ones(n))


def main() -> None:
    """Time one training of each kind, and the scores of one tagger."""
    devices.prepare("cpu")
    jets = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    for tagger, features, batch_size, times in TRAININGS:
        train, few = random_jets(features, jets * times), random_jets(features, 50)
        network = build_network(tagger, parse(features), 1)
        start = time.process_time()
        fit(network, train, few, FitSettings(epochs=1, batch_size=batch_size), 1)
        print(f"{tagger:10s} {features:13s} {len(train) / (time.process_time() - start):8.0f} jets per CPU second")
    for n in (13_000, 400_000):
        label = np.arange(n) % 2
        output = np.random.default_rng(1).normal(2.0 * label)
        start = time.process_time()
        scores(output, label, np.ones(n), [0.3, 0.5, 0.8], 200)
        print(f"scores of {n} jets with 200 bootstrap samples: {time.process_time() - start:.1f} CPU seconds")


if __name__ == "__main__":
    main()
