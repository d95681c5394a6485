"""The registry of taggers: which there are and what each takes. Nothing heavy is imported here.

What makes the networks is in `glassjet.taggers.build`.
"""

from dataclasses import dataclass

from glassjet.errors import InputError, unknown
from glassjet.taggers.features import FeatureSet

TABLE, IMAGE, CONSTITUENTS = frozenset({"table"}), frozenset({"image"}), frozenset({"constituents"})


@dataclass(frozen=True)
class Tagger:
    """A kind of tagger.

    Attributes
    ----------
    takes : tuple of frozenset
        The combinations of inputs that it can have.
    trained : bool
        Whether it has parameters to train.
    """

    takes: tuple[frozenset[str], ...]
    trained: bool = True


TAGGERS: dict[str, Tagger] = {
    "mbns": Tagger((TABLE,)),
    "xaug_dnn": Tagger((TABLE,)),
    "xaug_image": Tagger((IMAGE, IMAGE | TABLE)),
    "pfn": Tagger((CONSTITUENTS,)),
    "mass_tau32": Tagger((TABLE,), trained=False),
}


def tagger_of(name: str, features: FeatureSet) -> Tagger:
    """The tagger of this name, if it can take these features.

    Raises
    ------
    InputError
        For an unknown tagger, and for features that it has no place for.
    """
    if name not in TAGGERS:
        raise unknown("tagger", name, TAGGERS)
    tagger = TAGGERS[name]
    if features.inputs not in tagger.takes:
        takes = " or ".join(_listed(kinds) for kinds in tagger.takes)
        raise InputError(f"tagger {name} takes {takes}, and features {features.name!r} are {_listed(features.inputs)}")
    if name == "mass_tau32" and features.name != name:
        raise InputError("tagger mass_tau32 takes the features mass_tau32 and no others")
    return tagger


def _listed(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kinds))
