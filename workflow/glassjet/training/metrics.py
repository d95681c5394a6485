"""How well a tagger separates: weighted ROC curve, AUC, background rejection, accuracy and cross entropy.

Every function takes `output` (n,), any number that is larger for signal; `label` (n,), 1 for signal and 0 for
background; `weight` (n,), none negative. The physical weights enter within each class only: the classes count the
same, as in the papers, whose samples are balanced.
"""

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError

Array = NDArray[np.float64]
Labels = NDArray[np.integer]

MINIMUM_BACKGROUND = 30  # a rejection that rests on fewer background jets, or on the weight of fewer, is not printed


def effective_number(weight: Array) -> float:
    """The number of jets of equal weight with the same statistical power: (sum w)^2 / sum w^2; 0 for none.

    Source: Kish, Survey Sampling (1965).
    """
    squares = float(np.square(weight).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def enough(weight: Array) -> bool:
    """Whether a rejection may rest on background jets of these weights: they count as `MINIMUM_BACKGROUND` at least.

    Equal weights count as their number, but for rounding.
    """
    return round(effective_number(weight), 6) >= MINIMUM_BACKGROUND


class Ranked:
    """Jets in falling order of the output, so that many sets of weights can be evaluated without sorting again.

    Parameters
    ----------
    output, label : arrays (n,)

    Raises
    ------
    InputError
        If an output is NaN, or a class is missing.
    """

    def __init__(self, output: Array, label: Labels) -> None:
        if not np.isfinite(output).all():
            raise InputError(f"output of jet {int(np.flatnonzero(~np.isfinite(output))[0])} is NaN or infinite")
        if label.min() == label.max():
            raise InputError("only one class of jets: a ROC curve needs signal and background")
        self.order = np.argsort(-output, kind="stable")
        self.signal = label[self.order] == 1
        ordered = output[self.order]
        self.last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # the last jet of each group of ties
        self.thresholds = ordered[self.last]

    def roc(self, weight: Array) -> tuple[Array, Array]:
        """Efficiencies of background and signal (m + 1,) at falling thresholds, from (0, 0) to (1, 1).

        One point for each distinct output, so that a group of ties is one straight piece.
        """
        ordered = weight[self.order]
        return self._efficiency(np.where(self.signal, 0, ordered)), self._efficiency(np.where(self.signal, ordered, 0))

    def _efficiency(self, weight: Array) -> Array:
        total = np.concatenate([[0.0], np.cumsum(weight)[self.last]])
        return total / total[-1]

    def background_count(self, index: int) -> int:
        """The number of background jets, unweighted, that pass the threshold of point `index` of the ROC curve."""
        return int((~self.signal[: self.last[index - 1] + 1]).sum()) if index else 0


def roc(output: Array, label: Labels, weight: Array) -> tuple[Array, Array]:
    """Efficiencies of background and signal at falling thresholds, see `Ranked.roc`."""
    return Ranked(output, label).roc(weight)


def area(background: Array, signal: Array) -> float:
    """The area under a ROC curve: the trapezoidal rule, which counts a tie as one half."""
    return float(np.trapezoid(signal, background))


def auc(output: Array, label: Labels, weight: Array) -> float:
    """The area under the ROC curve: the chance that a signal jet has the larger output than a background jet."""
    return area(*roc(output, label, weight))


def background_efficiency(background: Array, signal: Array, signal_efficiency: float) -> float:
    """The background efficiency at a signal efficiency.

    Linear in between the first point of the ROC curve with at least this signal efficiency and the point before it,
    as in arXiv:2210.04371 (interp1d of the curve).
    """
    after = int(np.searchsorted(signal, signal_efficiency, side="left"))
    rise = signal[after] - signal[after - 1]
    share = (signal_efficiency - signal[after - 1]) / rise
    return float(background[after - 1] + share * (background[after] - background[after - 1]))


def rejection(background: Array, signal: Array, signal_efficiency: float) -> float:
    """The background rejection 1 / eps_B at a signal efficiency; infinite if no background passes."""
    found = background_efficiency(background, signal, signal_efficiency)
    return 1 / found if found > 0 else float("inf")


def threshold(ranked: Ranked, weight: Array, signal_efficiency: float) -> tuple[float, int]:
    """The highest cut on the output that lets at least this share of the signal pass, and the background that passes.

    Returns
    -------
    cut : float
        Jets with output >= cut pass.
    n_background : int
        How many of them are background, unweighted.
    """
    _, signal = ranked.roc(weight)
    index = int(np.searchsorted(signal, signal_efficiency, side="left"))
    return float(ranked.thresholds[index - 1]), ranked.background_count(index)


def class_mean(values: Array, label: Labels, weight: Array) -> float:
    """The mean of a number per jet (n,), each class counting one half."""
    signal = label == 1
    of_signal = weight[signal] @ values[signal] / weight[signal].sum()
    return float(of_signal + weight[~signal] @ values[~signal] / weight[~signal].sum()) / 2


def correct(output: Array, label: Labels) -> Array:
    """One for each jet (n,) on its side of log-odds zero, else zero."""
    return ((output > 0) == (label == 1)).astype(np.float64)


def surprise(output: Array, label: Labels) -> Array:
    """The cross entropy of each jet (n,) in nats: minus the logarithm of the probability given to its class."""
    with np.errstate(invalid="ignore"):  # NaN in, NaN out
        return np.logaddexp(0, np.where(label == 1, -output, output))


def accuracy(output: Array, label: Labels, weight: Array) -> float:
    """The share of jets on their side of log-odds zero, classes balanced."""
    return class_mean(correct(output, label), label, weight)


def cross_entropy(output: Array, label: Labels, weight: Array) -> float:
    """The mean cross entropy of log-odds in nats, classes balanced; ln 2 for a tagger that knows nothing."""
    return class_mean(surprise(output, label), label, weight)
