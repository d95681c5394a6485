"""`glassjet VERB …`: parse, run, and turn every foreseeable failure into one line and an exit code.

Exit codes: 0 done, 2 bad input (one line on stderr), 130 interrupted.
"""

import argparse
import importlib
import logging
import os
import sys

from glassjet import __version__
from glassjet.errors import InputError, unknown
from glassjet.processes import end_cleanly_on_sigterm, end_with

VERBS = {
    "generate": "make jets with Pythia 8 and FastJet",
    "toy": "draw jets of a toy model",
    "download": "download published jets",
    "import": "read published jets, or your own",
    "observe": "compute expert variables",
    "train": "train a tagger with one seed",
    "score": "score jets with a trained tagger, and say how well it does",
    "explain": "attribute a tagger's output to its inputs",
    "rank": "rank features by their attributions",
    "reduce": "retrain a tagger on its highest-ranked features",
    "summarise": "collect every seed's numbers in one table",
    "figures": "execute a notebook that draws figures and tables",
    "paper": "typeset the paper from the results",
    "show": "draw one jet and what the tagger saw in it",
}


def module_of(verb: str) -> str:
    """The module behind a verb (`import` is a word of Python, so its module is `import_jets`)."""
    return "glassjet.cli." + {"import": "import_jets"}.get(verb, verb)


def parser_of(verb: str | None) -> argparse.ArgumentParser:
    """The parser; only the module of the called verb is imported."""
    parser = argparse.ArgumentParser(
        prog="glassjet",
        description="What jet taggers have learnt, and the proof of it. Each verb reads files and writes files.",
        epilog="glassjet VERB --help shows a verb's options and an example.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, line in VERBS.items():
        if name != verb:
            verbs.add_parser(name, help=line)
            continue
        module = importlib.import_module(module_of(name))
        sub = verbs.add_parser(
            name,
            help=line,
            description=module.__doc__,
            epilog=f"example:\n{module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    verb = next((word for word in words if not word.startswith("-")), None)
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s")  # of libraries, warnings only
    logging.getLogger("glassjet").setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        if verb is not None and verb not in VERBS:
            raise unknown("verb", verb, VERBS)
        args = parser_of(verb).parse_args(words)
        end_cleanly_on_sigterm()
        if parent := os.environ.get("GLASSJET_PARENT"):  # set by the workflow; by hand nothing is watched
            end_with(int(parent))
        args.run(args)
    except InputError as error:
        print(f"glassjet {verb or ''}: {error}".replace(" :", ":"), file=sys.stderr)
        return 2
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":  # torch's, which is not imported here
            raise
        way_out = "end what else runs on it, lower --buffer-jets, or use --device cpu"
        print(f"glassjet {verb}: the memory of the GPU is full; {way_out}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0
