"""How jets become a tagger's input: arrays of equal length, scaled with numbers from the training split alone.

Inputs are a dict of arrays, only those present that the feature set asks for:

    constituents   (n, m, f) float32   features of up to 200 constituents, zeros behind the last one
    mask           (n, m) bool         where there is a constituent; m is the largest number in these jets
    image          (n, 1, 16, 16) float32
    table          (n, F) float32

Scaling, one kind for each input (arXiv:2011.13466 scales by minima and maxima of train and test together instead):

    table          clipped at mean +- 3 standard deviations, as in arXiv:2011.13466, then minus the mean, over the
                   standard deviation: numbers in [-3, 3] for any jet
    constituents   over the standard deviation of real constituents; not shifted, so that the jet's axis stays at zero
    image          over the root mean square of all pixels, one number, so that an empty pixel stays at zero
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.store import Jets
from glassjet.taggers.features import NOISE, FeatureSet
from glassjet.taggers.images import images, wrap
from glassjet.taggers.noise import normals

Inputs = dict[str, NDArray[Any]]
Scaling = dict[str, dict[str, Any]]

MAX_CONSTITUENTS = 200
CLIP = 3.0  # standard deviations


def build(features: FeatureSet, jets: Jets | None, observables: pd.DataFrame) -> Inputs:
    """The unscaled inputs of jets.

    Parameters
    ----------
    features : FeatureSet
    jets : Jets or None
        Needed for constituents and images only.
    observables : DataFrame
        The same jets: column `event` and those of `features.observables`.

    Raises
    ------
    InputError
        If a column of the table is missing, NaN or infinite.
    """
    inputs: Inputs = {}
    event = observables["event"].to_numpy()
    if features.constituents or features.image:
        assert jets is not None, "constituents and images are made from jets"
        if features.constituents:
            inputs["constituents"], inputs["mask"] = _constituents(features.constituent_names, jets, event)
        if features.image:
            inputs["image"] = images(jets, observables)
    if features.table:
        inputs["table"] = _table(features.table, observables, event)
    return inputs


def _constituents(
    names: tuple[str, ...], jets: Jets, event: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    constituents = jets.constituents
    owner = np.repeat(np.arange(len(jets)), constituents.counts)
    place = np.arange(len(owner)) - constituents.offsets[:-1][owner]
    pt = constituents.columns["pt"].astype(np.float64)
    total = np.bincount(owner, weights=pt, minlength=len(jets))
    made = {
        "pt_fraction": pt / total[owner],
        "delta_eta": constituents.columns["eta"] - jets.columns["eta"].astype(np.float64)[owner],
        "delta_phi": wrap(constituents.columns["phi"] - jets.columns["phi"].astype(np.float64)[owner]),
    }
    made |= {name: normals(event[owner], i, place) for i, name in enumerate(NOISE) if name in names}
    length = int(min(constituents.counts.max(initial=1), MAX_CONSTITUENTS))
    kept = place < length
    padded = np.zeros((len(jets), length, len(names)), np.float32)
    padded[owner[kept], place[kept]] = np.stack([made[name][kept] for name in names], axis=1)
    mask = np.arange(length) < constituents.counts[:, None]
    return padded, mask


def _table(columns: tuple[str, ...], observables: pd.DataFrame, event: NDArray[np.integer]) -> NDArray[np.float32]:
    table = np.empty((len(observables), len(columns)), np.float32)
    for i, name in enumerate(columns):
        if name in NOISE:
            table[:, i] = normals(event, NOISE.index(name))
            continue
        if name not in observables.columns:
            raise InputError(f"the observables have no column {name}; make them again with glassjet observe")
        table[:, i] = observables[name].to_numpy()
        if not np.isfinite(table[:, i]).all():
            bad = int(event[np.flatnonzero(~np.isfinite(table[:, i]))[0]])
            raise InputError(f"observable {name} is NaN or infinite for event {bad}; remove that jet, or that column")
    return table


def fit_scaling(features: FeatureSet, parts: Iterable[tuple[Inputs, NDArray[np.float64]]]) -> Scaling:
    """The scaling of a training sample, in one pass.

    Parameters
    ----------
    features : FeatureSet
    parts : iterable of (Inputs, array (n,))
        Unscaled inputs with the jets' training weights, in blocks.

    Returns
    -------
    dict
        Plain numbers and lists, fit for JSON: "table" has columns, mean, std, clip; "constituents" names and std;
        "image" rms. A column without spread gets a standard deviation of one.
    """
    table, constituents, image = _Moments(), _Moments(), _Moments()
    for inputs, weight in parts:
        if "table" in inputs:
            table.add(inputs["table"], weight)
        if "constituents" in inputs:
            rows = np.nonzero(inputs["mask"])
            constituents.add(inputs["constituents"][rows], weight[rows[0]])
        if "image" in inputs:
            squares = np.square(inputs["image"].reshape(len(weight), -1), dtype=np.float64)
            image.add(squares.mean(1, keepdims=True), weight)
    scaling: Scaling = {}
    if features.table:
        scaling["table"] = {
            "columns": list(features.table),
            "mean": table.mean.tolist(),
            "std": table.spread().tolist(),
            "clip": CLIP,
        }
    if features.constituents:
        scaling["constituents"] = {"names": list(features.constituent_names), "std": constituents.spread().tolist()}
    if features.image:
        scaling["image"] = {"rms": float(np.sqrt(image.mean[0])) or 1.0}
    return scaling


class _Moments:
    """Weighted mean and variance of columns over blocks, without cancellation (Chan, Golub, LeVeque 1983)."""

    def __init__(self) -> None:
        self.weight = 0.0
        self.mean = np.zeros(1)
        self.squares = np.zeros(1)

    def add(self, values: NDArray[np.floating], weight: NDArray[np.float64]) -> None:
        added = float(weight.sum())
        if not added:
            return
        mean = weight @ values.astype(np.float64) / added
        squares = weight @ np.square(values - mean)
        difference = mean - self.mean
        share = added / (self.weight + added)
        self.squares = self.squares + squares + difference**2 * self.weight * share
        self.mean = self.mean + difference * share
        self.weight += added

    def spread(self) -> NDArray[np.float64]:
        """Standard deviations; one where there is none."""
        std = np.sqrt(self.squares / self.weight)
        return np.where(std > 1e-7 * np.abs(self.mean), std, 1.0)


def scale(inputs: Inputs, scaling: Scaling) -> Inputs:
    """Scaled inputs, float32.

    Parameters
    ----------
    inputs : Inputs
        From `build`, with the columns that the scaling has.
    scaling : dict
        From `fit_scaling`; an input without an entry stays as it is.
    """
    scaled = dict(inputs)
    if "table" in inputs and "table" in scaling:
        mean, std = np.array(scaling["table"]["mean"]), np.array(scaling["table"]["std"])
        clip = scaling["table"]["clip"]
        scaled["table"] = np.clip((inputs["table"] - mean) / std, -clip, clip).astype(np.float32)
    if "constituents" in inputs and "constituents" in scaling:
        scaled["constituents"] = inputs["constituents"] / np.array(scaling["constituents"]["std"], np.float32)
    if "image" in inputs and "image" in scaling:
        scaled["image"] = inputs["image"] / np.float32(scaling["image"]["rms"])
    return scaled


def scaling_of(scaling: Scaling, columns: Iterable[str]) -> Scaling:
    """The scaling of a reduced model: that of these columns of the table only, and of the other inputs."""
    if "table" not in scaling:
        return scaling
    table = scaling["table"]
    kept = [table["columns"].index(name) for name in columns]
    reduced = {key: [table[key][i] for i in kept] for key in ("columns", "mean", "std")}
    return scaling | {"table": reduced | {"clip": table["clip"]}}


def join(parts: list[Inputs]) -> Inputs:
    """Inputs of several blocks of jets as one; constituents are padded to the longest."""
    joined: Inputs = {}
    for name in parts[0]:
        arrays = [part[name] for part in parts]
        if name in ("constituents", "mask"):
            longest = max(array.shape[1] for array in arrays)
            whole = np.zeros((sum(map(len, arrays)), longest, *arrays[0].shape[2:]), arrays[0].dtype)
            start = 0
            for array in arrays:
                whole[start : start + len(array), : array.shape[1]] = array
                start += len(array)
            joined[name] = whole
        else:
            joined[name] = np.concatenate(arrays)
    return joined
