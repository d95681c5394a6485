"""What a GPU is worth: jets per second of wall time when training, scoring and explaining, beside one CPU thread.

Run it by hand, from the repository:  PYTHONPATH=workflow:. python tests/benchmarks/gpu.py

Under two minutes. The jets are random numbers with the shape of jets, 67 constituents on average. Batches are the
papers' 250 and 2,000, chunks of LRP (preset recommended) the verb's 250 and, on the GPU, 2,000. The last table is one
call of `glassjet train` for one epoch: what starting costs, in seconds and in memory of the host. Without a GPU there
is the CPU alone.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from glassjet.attribution.lrp.engine import relevance
from glassjet.attribution.lrp.presets import RECOMMENDED
from glassjet.taggers import devices, model
from glassjet.taggers.build import build_network
from glassjet.taggers.features import parse
from glassjet.taggers.inputs import Inputs
from glassjet.training.batches import InMemory
from glassjet.training.fit import fit
from glassjet.training.settings import FitSettings
from tests.taggers.synthetic import write_sample

# tagger, features, jets that are trained on (on the CPU and on the GPU) in each measurement
CASES = [
    ("mbns", "mbns", 40_000, 200_000),
    ("xaug_dnn", "xaug29", 40_000, 200_000),
    ("xaug_image", "image", 4_000, 40_000),
    ("xaug_image", "image+xaug29", 4_000, 40_000),
    ("pfn", "kinematics", 4_000, 40_000),
]
SIZES = (250, 2000)
EXPLAINED = {"cpu": 500, "cuda": 8000}
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def random_inputs(features: str, n: int) -> Inputs:
    """Inputs of the right shape."""
    generator = np.random.default_rng(1)
    wanted, inputs = parse(features), Inputs()
    if wanted.constituents:
        counts = generator.normal(67, 22, n).clip(5, 160).astype(int)
        mask = np.arange(counts.max()) < counts[:, None]
        shape = (*mask.shape, len(wanted.constituent_names))
        constituents = generator.standard_normal(shape, np.float32) * mask[..., None]
        inputs |= {"constituents": constituents, "mask": mask}
    if wanted.image:
        inputs["image"] = generator.random((n, 1, 16, 16), np.float32) ** 8
    if wanted.table:
        inputs["table"] = generator.standard_normal((n, len(wanted.table)), np.float32)
    return inputs


def rate(function: Callable[[], object], jets: int, device: str) -> float:
    """Jets per second; `function` ends with numbers on the CPU, so nothing is left to wait for."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    function()
    return jets / (time.perf_counter() - start)


def row(name: str, what: str, rates: dict[str, float]) -> None:
    """Print a line: CPU, GPU, their ratio."""
    cells = [f"{rates[device]:12,.0f}" if device in rates else f"{'-':>12s}" for device in ("cpu", "cuda")]
    ratio = f"{rates['cuda'] / rates['cpu']:8.1f}" if len(rates) == 2 else f"{'-':>8s}"
    print(f"{name:24s} {what:18s} {' '.join(cells)} {ratio}", flush=True)


def trained(tagger: str, features: str, jets: dict[str, int]) -> None:
    """An epoch, after a short one that loads the GPU's libraries."""
    inputs = random_inputs(features, max(jets.values()))
    for size in SIZES:
        rates = {}
        for device in DEVICES:
            n = jets[device]
            train, few = (
                InMemory({name: array[:k] for name, array in inputs.items()}, np.arange(k) % 2, np.ones(k), device)
                for k in (n, 50)
            )
            network, settings = build_network(tagger, parse(features), 1), FitSettings(epochs=1, batch_size=size)
            fit(network, few, few, settings, 1, device)
            rates[device] = rate(lambda: fit(network, train, few, settings, 1, device), n, device)  # noqa: B023
        row(f"{tagger} {features}", f"train, {size}", rates)


def read(tagger: str, features: str, jets: dict[str, int]) -> None:
    """Scores, and relevance in chunks."""
    inputs = random_inputs(features, max(EXPLAINED.values()))
    network = build_network(tagger, parse(features), 1).eval()

    def explain(device: str, n: int, chunk: int) -> None:
        for start in range(0, n, chunk):
            part = model.tensors(inputs, slice(start, min(start + chunk, n)), device)
            relevance(network, part, RECOMMENDED)

    def score(device: str, n: int) -> None:
        model.outputs(network, {name: array[:n] for name, array in inputs.items()}, device)

    rates: dict[str, dict[str, float]] = {}
    for device in DEVICES:
        network.to(device)
        n = EXPLAINED[device]
        score(device, 50)
        explain(device, 50, 50)
        rates.setdefault("score", {})[device] = rate(lambda: score(device, n), n, device)  # noqa: B023
        for size in SIZES if device == "cuda" else SIZES[:1]:
            found = rate(lambda: explain(device, n, size), n, device)  # noqa: B023
            rates.setdefault(f"lrp, {size}", {})[device] = found
    for what, found_rates in rates.items():
        row(f"{tagger} {features}", what, found_rates)


def one_call() -> None:
    """Seconds and memory of the host of one training by the verb, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        words = ["train", "--tagger", "xaug_image", "--features", "image+xaug29", "--task", "toy", "--epochs", "1"]
        for i, (flag, split) in enumerate((("", "train"), ("validation-", "validation"))):
            jets, table = write_sample(directory, split, 1000, seed=i, first_event=1000 * i)
            words += [f"--{flag}jets", str(jets), f"--{flag}observables", str(table)]
        for device in DEVICES:
            command = [sys.executable, "-m", "glassjet", *words, "--device", device, "--out", str(directory / device)]
            start = time.perf_counter()
            with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            seconds, memory = time.perf_counter() - start, usage.ru_maxrss / 1e6
            print(f"{device:5s} {seconds:5.1f} s, {memory:4.1f} GB, exit code {process.returncode}", flush=True)


def main() -> None:
    """Print the tables."""
    for device in DEVICES:
        devices.prepare(device)
    print(f"torch {torch.__version__}; GPU: {torch.cuda.get_device_name() if 'cuda' in DEVICES else 'none'}")
    print(f"{'tagger, features':24s} {'batch or chunk':18s} {'CPU jets/s':>12s} {'GPU jets/s':>12s} {'ratio':>8s}")
    for tagger, features, few, many in CASES:
        trained(tagger, features, {"cpu": few, "cuda": many})
    for tagger, features, _, _ in CASES:
        read(tagger, features, EXPLAINED)
    if "cuda" in DEVICES:
        print(f"most memory on the GPU: {torch.cuda.max_memory_allocated() / 1e9:.2f} GB")
    print("one call of glassjet train, 1000 jets, one epoch:")
    one_call()


if __name__ == "__main__":
    main()
