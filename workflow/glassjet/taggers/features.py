"""Feature sets: what a tagger sees of a jet, written as words joined by "+".

    kinematics      the constituents: pT / sum pT, eta - eta_J, phi - phi_J   (arXiv:2210.04371, PFN)
    image           the 16 x 16 image of the jet                              (arXiv:2011.13466)
    mbns, xaug29 …  a set of expert variables, or one of them by its name: see `glassjet observe --list`
    noise           five columns of noise, the canaries of a ranking: for every constituent where the constituents are
                    the only input, columns of the table everywhere else

So `image+xaug29` is the image with 29 expert variables, and `kinematics+noise` has eight features a constituent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from glassjet.errors import InputError, unknown
from glassjet.observables.registry import SETS, is_known, members

KINEMATICS = ("pt_fraction", "delta_eta", "delta_phi")
NOISE = ("noise_1", "noise_2", "noise_3", "noise_4", "noise_5")
WORDS = ("kinematics", "image", "noise")


@dataclass(frozen=True)
class FeatureSet:
    """A feature set, resolved into its parts.

    Attributes
    ----------
    name : str
        As written: "image+xaug29".
    constituents, image : bool
        Whether the constituents, or the image, are an input.
    table : tuple of str
        The columns of the table, noise last; empty without a table.
    constituent_names : tuple of str
        The features of one constituent, noise last; empty without constituents.
    """

    name: str
    constituents: bool
    image: bool
    table: tuple[str, ...]
    constituent_names: tuple[str, ...]

    @property
    def inputs(self) -> frozenset[str]:
        """The kinds of input: some of "constituents", "image", "table"."""
        present = {"constituents": self.constituents, "image": self.image, "table": bool(self.table)}
        return frozenset(kind for kind, there in present.items() if there)

    @property
    def observables(self) -> tuple[str, ...]:
        """The columns that the observables must have: no noise, but the subjets that an image needs."""
        axes = ("subjet1_eta", "subjet1_phi", "subjet2_eta", "subjet2_phi", "has_two_subjets") if self.image else ()
        return tuple(name for name in self.table if name not in NOISE) + axes

    def only(self, columns: Iterable[str]) -> "FeatureSet":
        """This feature set with only these columns of its table, in their order in the table."""
        wanted = set(columns)
        for name in wanted - set(self.table):
            raise unknown(f"column of {self.name}", name, self.table)
        return replace(self, table=tuple(name for name in self.table if name in wanted))


def parse(features: str) -> FeatureSet:
    """Resolve a feature string such as "image+xaug29".

    Raises
    ------
    InputError
        For an unknown or repeated word, and for noise alone.
    """
    words = features.split("+")
    for word in words:
        if word not in WORDS and not is_known(word):
            raise unknown("feature set", word, [*WORDS, *SETS])
    if len(set(words)) < len(words):
        raise InputError(f"features {features!r}: a word stands twice; name each once")
    if words == ["noise"]:
        raise InputError("features 'noise': noise alone teaches nothing; add it to another set, such as mbns+noise")
    noise = NOISE if "noise" in words else ()
    table = tuple(dict.fromkeys(name for word in words if word not in WORDS for name in members(word)))
    constituents, image = "kinematics" in words, "image" in words
    for_constituents = constituents and not table and not image
    return FeatureSet(
        name=features,
        constituents=constituents,
        image=image,
        table=table if for_constituents else table + noise,
        constituent_names=() if not constituents else KINEMATICS + noise if for_constituents else KINEMATICS,
    )
