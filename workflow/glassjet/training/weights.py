"""Training weights: the classes in balance, and the background with the signal's pT and |eta|.

Training on physical weights would teach the spectra, which are a choice of whoever made the sample, and the
frequencies of the classes. Here the background's weights are multiplied by a function of pT and one of |eta| so that
both distributions follow the signal's (iterative proportional fitting: Deming and Stephan, Ann. Math. Stat. 11 (1940)
427).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glassjet.training.metrics import auc, effective_number

Array = NDArray[np.float64]

BINS = 20
JETS_PER_BIN = 25  # at least, in each class; fewer bins in a small sample
ROUNDS = 10


@dataclass(frozen=True)
class TrainWeights:
    """What makes training weights, fitted on the training split and applied to any.

    Attributes
    ----------
    pt_edges, eta_edges : arrays
        Edges of the bins in pT (GeV) and |eta|; the outermost bins reach to infinity.
    pt_ratio, eta_ratio : arrays
        Factors of a background jet in each bin.
    signal_scale, background_scale : float
        Bring both classes to a mean of one on the training split.
    """

    pt_edges: Array
    eta_edges: Array
    pt_ratio: Array
    eta_ratio: Array
    signal_scale: float
    background_scale: float

    def __call__(self, label: NDArray[np.integer], pt: Array, eta: Array, weight: Array) -> Array:
        """Training weights (n,) from labels, pT (GeV), eta and physical weights (pb) (n,)."""
        ratio = self.pt_ratio[_bin(pt, self.pt_edges)] * self.eta_ratio[_bin(np.abs(eta), self.eta_edges)]
        return weight * np.where(label == 1, self.signal_scale, ratio * self.background_scale)


def _bin(values: Array, edges: Array) -> NDArray[np.int64]:
    """The number of the bin of each value; values beyond the edges are in the outermost bins."""
    return np.searchsorted(edges[1:-1], values, side="right")


def fit_weights(label: NDArray[np.integer], pt: Array, eta: Array, weight: Array) -> TrainWeights:
    """Training weights of a training split: mean one, both classes with the same sum.

    Parameters
    ----------
    label, pt, eta, weight : arrays (n,)
        1 for signal; GeV; physical weights (pb), none negative, not all zero in a class.
    """
    signal, background = label == 1, label == 0
    bins = int(np.clip(min(signal.sum(), background.sum()) // JETS_PER_BIN, 1, BINS))
    share = {True: weight[signal] / weight[signal].sum(), False: weight[background] / weight[background].sum()}
    edges, place, target = [], [], []
    for values in (pt, np.abs(eta)):
        edge = np.unique(np.quantile(values[signal].astype(np.float64), np.linspace(0, 1, bins + 1)))
        edges.append(edge if len(edge) > 1 else np.array([edge[0], edge[0]]))
        place.append(_bin(values[background], edges[-1]))
        target.append(np.bincount(_bin(values[signal], edges[-1]), share[True], minlength=len(edges[-1]) - 1))
    ratios = [np.ones(len(edge) - 1) for edge in edges]
    for _ in range(ROUNDS):
        for axis in (0, 1):
            now = share[False] * ratios[0][place[0]] * ratios[1][place[1]]
            found = np.bincount(place[axis], now, minlength=len(ratios[axis]))
            ratios[axis] *= np.divide(target[axis], found, out=np.ones_like(found), where=found > 0)
    now = weight[background] * ratios[0][place[0]] * ratios[1][place[1]]
    half = len(label) / 2
    return TrainWeights(
        edges[0], edges[1], ratios[0], ratios[1], float(half / weight[signal].sum()), float(half / now.sum())
    )


def report(label: NDArray[np.integer], pt: Array, train_weight: Array) -> dict[str, float]:
    """How good training weights are: the AUC of pT alone (0.50 if it teaches nothing), effective numbers of jets."""
    return {
        "auc_of_pt": auc(np.asarray(pt, np.float64), label, train_weight),
        "effective_signal": effective_number(train_weight[label == 1]),
        "effective_background": effective_number(train_weight[label == 0]),
    }
