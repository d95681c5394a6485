"""CPU seconds that each attribution method takes for 1,000 jets, one thread.

python tests/benchmarks/explain.py MODEL JETS.h5 [OBSERVABLES.parquet] [--number 1000]

MODEL is a directory of glassjet train. Shapley values (for taggers on a table) and masking take their background from
the jets themselves. Reading files and importing packages are not counted.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glassjet.attribution import shapley
from glassjet.attribution.branch import remembered
from glassjet.attribution.lrp.engine import relevance
from glassjet.attribution.lrp.presets import PRESETS
from glassjet.attribution.masking import Masking, masking
from glassjet.attribution.replacement import conditional, features, zeros
from glassjet.attribution.sample import open_for
from glassjet.taggers import devices
from glassjet.taggers.model import load, tensors

CHUNK = 250
BACKGROUND = 100  # jets for shap
CHECKED = 20  # jets for the permutation estimate


def seconds(function: Callable[[], object], jets: int) -> float:
    """CPU seconds for 1,000 jets."""
    start = time.process_time()
    function()
    return 1000 * (time.process_time() - start) / jets


def main() -> None:
    """Print a table of times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("jets", type=Path)
    parser.add_argument("observables", type=Path, nargs="?")
    parser.add_argument("--number", type=int, default=1000, help="jets")
    args = parser.parse_args()
    devices.prepare("cpu", 1)
    model = load(args.model)
    sample = open_for(model.feature_set, args.jets, args.observables, "OBSERVABLES")
    n = min(args.number, len(sample))
    inputs = sample.inputs(model.feature_set, 0, n, model.scaling)
    found = features(inputs, model.columns, model.feature_set.constituent_names)

    def explained(preset: str) -> None:
        for i in range(0, n, CHUNK):
            relevance(model.network, tensors(inputs, slice(i, i + CHUNK)), PRESETS[preset])

    def masked() -> None:
        settings = Masking()
        arguments = (inputs, inputs, zeros(inputs, model.scaling), sample.label[:n], sample.columns["weight"][:n])
        with remembered(model.network, "image"):
            masking(model.outputs, *arguments, found, settings)

    print(f"{model.tagger}, {model.features}: {len(found)} features, {n} jets; CPU seconds for 1,000 jets")
    print(f"  {'forward':<36} {seconds(lambda: model.outputs(inputs), n):8.3f}")
    for preset in PRESETS:
        print(f"  {'lrp_' + preset:<36} {seconds(lambda preset=preset: explained(preset), n):8.3f}")  # type: ignore[misc]
    if set(inputs) == {"table"}:
        table, sequence = inputs["table"].astype(np.float64), shapley.plain(model.network)
        background = table[:BACKGROUND]
        print(f"  {'shap (DeepSHAP)':<36} {seconds(lambda: shapley.explain(sequence, background, table), n):8.3f}")
        shapley.permutation_phi(sequence, background, table[:1], 1, 1)  # compiles

        def checked() -> None:
            shapley.permutation_phi(sequence, background, table[:CHECKED], 1, 3)

        print(f"  {'permutation estimate, 3 pairs':<36} {seconds(checked, CHECKED):8.3f}")
    print(f"  {'masking, 4 replacements, 10 repeats':<36} {seconds(masked, n):8.3f}")
    fits = seconds(lambda: [conditional(inputs, feature, 1) for feature in found], 1000)
    print(f"  {'of that, fits of conditional means':<36} {fits:8.3f} (in all)")


if __name__ == "__main__":
    main()
