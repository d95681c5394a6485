"""Draw one jet, and what the tagger saw in it.

Constituents in the plane of Delta eta and Delta phi about the jet's axis: the area is the pT, the colour the relevance
(red speaks for signal, blue for background), or the pT if no attribution is given. Crosses are the truth partons, where
they are known, the dashed circle is the jet's radius. For a tagger that takes an image, the image and the relevance of
its pixels stand beside; for one with expert variables, the relevance of each.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from glassjet.attribution import store as attributions
from glassjet.errors import InputError
from glassjet.figures import names, style
from glassjet.figures.jet import OneJet, draw
from glassjet.files import locked
from glassjet.jets import store
from glassjet.observables.registry import labels
from glassjet.provenance import provenance
from glassjet.taggers.images import HALF_WIDTH, wrap

EXAMPLE = """\
  glassjet show --jets results/quick/jets/top/explain.h5 --jet 7 --out jet7.pdf \\
      --attribution results/quick/attributions/top/pfn/kinematics/seed1/top/lrp_recommended.h5"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("--jets", type=Path, required=True, help="jets, from `glassjet generate` or `import`")
    parser.add_argument("--attribution", type=Path, help="what `glassjet explain` made of these jets, <method>.h5")
    parser.add_argument("--jet", type=int, required=True, help="the jet's row in the file, from 0")
    parser.add_argument("--out", type=Path, required=True, help="a .pdf or .png")


def run(args: argparse.Namespace) -> None:
    """Draw the jet."""
    total = store.count(args.jets)
    if not 0 <= args.jet < total:
        raise InputError(f"--jet {args.jet}: {args.jets} has the jets 0 to {total - 1}")
    jets = store.read(args.jets, args.jet, args.jet + 1)
    about = store.metadata(args.jets)
    row = {name: column[0] for name, column in jets.columns.items()}
    name = names.class_names(about)[int(row["label"])]
    lines = [f"jet {args.jet}: {name}, " + rf"$p_T$ = {row['pt']:.0f} GeV, $m$ = {row['mass']:.1f} GeV"]
    seen: dict[str, Any] = {}
    if args.attribution:
        attribution = attributions.read(args.attribution)
        place = place_of(attribution, args)
        seen = relevance_of(attribution, place, len(jets.constituents.columns["pt"]))
        made = attribution.metadata
        tagger = names.tagger_name(str(made["tagger"]), str(made["features"]))
        method = names.method_name(str(made["method"]))
        lines += [f"{tagger}, seed {made['seed']}: log-odds {attribution.jets['output'][place]:+.2f}; {method}"]
    header = "\n".join([*lines, names.sample_line(about)])
    with locked(args.out):
        style.write(draw(one_jet(jets, about, header), **seen), args.out, provenance("show", vars(args)))


def one_jet(jets: store.Jets, about: dict[str, Any], header: str) -> OneJet:
    """The first of `jets` with its axis as the origin; `about` is the metadata of its file."""

    def about_axis(ragged: store.Ragged) -> tuple[np.ndarray, np.ndarray]:
        eta = ragged.columns["eta"] - jets.columns["eta"][0].astype(float)
        return eta, wrap(ragged.columns["phi"] - jets.columns["phi"][0].astype(float))

    eta, phi = about_axis(jets.constituents)
    partons = [
        (float(one), float(two), int(pdgid))
        for one, two, pdgid in zip(*about_axis(jets.partons), jets.partons.columns["pdgid"], strict=True)
    ]
    radius = about.get("radius")
    pt, jet_eta, mass = (float(jets.columns[name][0]) for name in ("pt", "eta", "mass"))
    rapidity = np.arcsinh(pt * np.sinh(jet_eta) / np.hypot(pt, mass))
    return OneJet(
        eta,
        phi,
        jets.constituents.columns["pt"].astype(float),
        partons,
        float(radius) if radius else None,
        float(rapidity - jet_eta),
        header,
    )


def place_of(attribution: attributions.Attribution, args: argparse.Namespace) -> int:
    """Where the jet stands in the attribution; InputError if it does not, or if it is another jet."""
    found = np.flatnonzero(attribution.jets["jet"] == args.jet)
    if not found.size:
        rows = attribution.jets["jet"]
        raise InputError(
            f"--jet {args.jet}: {args.attribution} explains {len(rows)} jets, of the rows {rows.min()} to {rows.max()}"
            f", for example {', '.join(map(str, rows[:5]))}; take one of them, or explain more with --limit"
        )
    event = int(store.read(args.jets, args.jet, args.jet + 1).columns["event"][0])
    if event != int(attribution.jets["event"][found[0]]):
        raise InputError(f"{args.attribution}: was not made from {args.jets} (jet {args.jet} is another event)")
    return int(found[0])


def relevance_of(attribution: attributions.Attribution, place: int, constituents: int) -> dict[str, Any]:
    """The arguments of `figures.jet.draw` that say what a tagger saw in one jet.

    Parameters
    ----------
    attribution : Attribution
    place : int
        The jet's place in it.
    constituents : int
        Of the jet; those beyond what the tagger takes have no relevance.
    """
    relevance = attribution.relevance
    seen: dict[str, Any] = {}
    if "constituents" in relevance:
        start, stop = relevance["offsets"][place : place + 2]
        values = np.zeros(constituents)
        values[: stop - start] = relevance["constituents"][start:stop].sum(axis=1)
        seen["constituents"] = values
    if "image" in relevance:
        pixels = attribution.inputs["image"][place].astype(float)  # scaled by one number, so its shares are right
        seen["image"] = (
            pixels / max(pixels.sum(), np.finfo(float).tiny),
            relevance["image"][place].astype(float),
            HALF_WIDTH,
        )
    if "table" in relevance:
        seen["table"] = (relevance["table"][place].astype(float), list(attribution.metadata["table"]), labels)
    return seen
