"""How fast jets are made: selected jets per CPU second on one core, and the peak memory of the process.

Run it by hand: `python tests/benchmarks/generate.py [jets]`. Compare ratios, machines differ.
"""

import resource
import sys
import time

from glassjet.jets.generation import Settings, shard


def main() -> None:
    """Time one shard of each process."""
    jets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for process in ("top", "qcd", "w"):
        start = time.process_time()
        made = shard(process, jets, 1, Settings(), 20000)
        seconds = time.process_time() - start
        efficiency = jets / made.cutflow["events"]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{process:5s} {jets / seconds:6.0f} jets per CPU second, efficiency {efficiency:.3f}, {memory:.0f} MB")


if __name__ == "__main__":
    main()
