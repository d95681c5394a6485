"""Where a study's results lie, for the notebooks: the paths of one task on one sample, and how its scores are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from glassjet.errors import InputError, unknown
from glassjet.files import open_hdf5
from glassjet.taggers.registry import TAGGERS


@dataclass(frozen=True)
class Results:
    """The results of one task on one sample, `results/<study>/…`.

    Attributes
    ----------
    root : Path
        results/<study>
    task, sample : str
    """

    root: Path
    task: str
    sample: str

    def jets(self, split: str) -> Path:
        """The jets of a split."""
        return self.root / "jets" / self.sample / f"{split}.h5"

    def observables(self, split: str) -> Path:
        """The expert variables of a split."""
        return self.root / "observables" / self.sample / f"{split}.parquet"

    def model(self, tagger: str, features: str, seed: int) -> Path:
        """The directory of a trained tagger: model.json, history.csv, scores/…"""
        return self.root / "models" / self.task / tagger / features / f"seed{seed}"

    def scores(self, tagger: str, features: str, seed: int) -> Path:
        """The scores of a tagger on the sample's test jets."""
        return self.model(tagger, features, seed) / "scores" / f"{self.sample}.h5"

    def attributions(self, tagger: str, features: str, seed: int) -> Path:
        """The directory of a tagger's attributions: <method>.h5, masking.csv, conservation.csv."""
        return self.root / "attributions" / self.task / tagger / features / f"seed{seed}" / self.sample

    def ranking(self, tagger: str, features: str) -> Path:
        """The directory of a tagger's ranking, made with the canaries: ranking.csv, agreement.csv."""
        return self.root / "rankings" / self.task / tagger / f"{features}+noise"


def parse_tagger(text: str) -> tuple[str, str]:
    """A tagger with its inputs, written tagger/features.

    >>> parse_tagger("xaug_image/image+xaug29")
    ('xaug_image', 'image+xaug29')
    """
    tagger, slash, features = text.partition("/")
    if not (tagger and slash and features):
        raise InputError(f"tagger {text!r}: write it as tagger/features, such as xaug_image/image+xaug29")
    return tagger, features


def is_trained(tagger: str) -> bool:
    """Whether a tagger has parameters; one that has none is a cut, and its output no log-odds."""
    if tagger not in TAGGERS:
        raise unknown("tagger", tagger, TAGGERS)
    return TAGGERS[tagger].trained


def seeds_of(tagger: str, seeds: list[int]) -> list[int]:
    """The seeds of a tagger: those of the study, or 0 for one that is not trained."""
    return list(seeds) if is_trained(tagger) else [0]


def methods_of(directory: Path, methods: list[str]) -> list[str]:
    """Those of the methods that a tagger was explained with: that have a file in its directory of attributions.

    Raises
    ------
    InputError
        If there is none.
    """
    found = [method for method in methods if (directory / f"{method}.h5").is_file()]
    if not found:
        raise InputError(f"{directory}: no attributions by {', '.join(methods)}; make them with `glassjet explain`")
    return found


def read_scores(path: Path) -> dict[str, NDArray[Any]]:
    """The columns of a scores file: output (log-odds), label, weight (pb), pt, mass, mass_softdrop (GeV), …"""
    with open_hdf5(path, "scores") as file:
        needed = ("output", "label", "weight", "pt", "mass", "mass_softdrop")
        missing = [name for name in needed if name not in file]
        if missing:
            raise InputError(f"{path}: no {', '.join(missing)}; make it again with `glassjet score`")
        return {name: file[name][:] for name in file}
