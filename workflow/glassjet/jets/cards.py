"""What Pythia is told to make, and which truth partons a jet of it is matched to. Imports nothing heavy.

Settings common to all cards (tune, beams, seed, pTHat) are in `glassjet.jets.pythia`.
"""

from dataclasses import dataclass

from glassjet.errors import unknown


@dataclass(frozen=True)
class Card:
    """One process.

    Attributes
    ----------
    name : str
        The word for it on the command line.
    formula : str
        What it is, in plain text.
    settings : tuple of str
        Lines for Pythia's `readString`.
    resonance : int or None
        |PDG id| of the particle whose decay quarks must all lie in the jet, itself included. Without one nothing is
        required, and the nearest parton of the hard process is stored if it lies within the matching radius.
    """

    name: str
    formula: str
    settings: tuple[str, ...]
    resonance: int | None = None


HADRONIC_W = ("24:onMode = off", "24:onIfAny = 1 2 3 4 5")

CARDS = {
    card.name: card
    for card in (
        Card(
            "top",
            "gg, qq -> tt, t -> bqq'",
            # t -> Wd and t -> Ws (0.2%) are off, so that the first parton stored behind the top is a b quark
            ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "6:onMode = off", "6:onIfAny = 5", *HADRONIC_W),
            resonance=6,
        ),
        Card("qcd", "QCD dijets (HardQCD:all)", ("HardQCD:all = on",)),
        Card(
            "w",
            "qq -> WZ, W -> qq', Z -> nunu",
            ("WeakDoubleBoson:ffbar2ZW = on", *HADRONIC_W, "23:onMode = off", "23:onIfAny = 12 14 16"),
            resonance=24,
        ),
    )
}


def card_of(name: str) -> Card:
    """The card of that name; an InputError shows the names that exist."""
    if name not in CARDS:
        raise unknown("process", name, CARDS)
    return CARDS[name]
