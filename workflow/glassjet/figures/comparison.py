"""How two samples compare, as tables: ratios of their spectra, and a chi2 test of two weighted histograms.

The test is that of Gagunashvili, arXiv:physics/0605123: with w and s2 the sums of weights and of their squares,

    chi2 = sum over bins of (w2 - k w1)^2 / (s2_2 + k^2 s2_1),

with one degree of freedom less than bins. There k = W2 / W1, the ratio of the totals; here it is the k with the
smallest chi2. With equal weights both agree, but where weights differ from bin to bin, as those of pTHat do, the former
rejects too often (toys of a spectrum x^-2.7 that was made flat in ln x: 9.8% of equal samples at the 5% level; this one
4.4%).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import chi2 as chi2_distribution

from glassjet.figures.histograms import Weighted, contents, merged, span, whole
from glassjet.figures.samples import Sample
from glassjet.figures.spectra import QUANTITIES
from glassjet.jets.keys import KEYS, PER_CLASS
from glassjet.training.metrics import effective_number

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
START = 16  # bins before they are merged
SHARED = 0.01  # samples with a larger share of common events are not independent
COLUMNS = ["reference", "sample", "differs", "label", "variable", "range", "shared"]
RESULT = ["effective_reference", "effective_sample", "chi2", "ndf", "chi2_ndf", "p_value"]


@dataclass(frozen=True)
class Group:
    """Samples that are compared with one of them, the reference."""

    name: str
    reference: Sample
    others: list[Sample]


def groups(samples: Sequence[Sample]) -> list[Group]:
    """What is compared: samples of one card with the first of them; a published sample with all of its signal."""
    found = []
    cards = dict.fromkeys(sample.metadata["card"] for sample in samples if "card" in sample.metadata)
    for card in cards:
        first, *others = (sample for sample in samples if sample.metadata.get("card") == card)
        if others:
            found.append(Group(str(card), first, others))
    for sample in samples:
        if "card" in sample.metadata:
            continue
        signal = sample.metadata.get("signal")
        others = [one for one in samples if "card" in one.metadata and one.metadata.get("signal") == signal]
        if others:
            found.append(Group(sample.name, sample, others))
    return found


def differences(reference: Sample, sample: Sample) -> dict[str, str]:
    """The keys of the card in which a sample differs, with its values; nothing for a published one."""
    if "card" not in reference.metadata or "card" not in sample.metadata:
        return {}
    first, second = reference.metadata, sample.metadata
    changed = {key: words(second.get(key)) for key in KEYS if first.get(key) != second.get(key)}
    for key in PER_CLASS:  # what both classes have alike is said once
        if f"signal_{key}" in changed and second.get(f"signal_{key}") == second.get(f"background_{key}"):
            changed[key] = changed.pop(f"signal_{key}")
            changed.pop(f"background_{key}", None)
    return changed


def words(value: object) -> str:
    """A value of a card in words.

    >>> words([450.0, 800.0]), words(True), words(0.5)
    ('450-800', 'on', '0.5')
    """
    if isinstance(value, bool) or value is None:
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return "-".join(words(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def shared_events(reference: Sample, sample: Sample) -> float:
    """The share of the smaller sample's jets whose event is in the other one: same number and same pTHat.

    Samples with one seed have the same events where only what follows the generator differs, as with a detector.
    """
    if not all("pthat" in one.jets.columns for one in (reference, sample)):
        return 0.0
    events = [pd.DataFrame({key: one.jets.columns[key] for key in ("event", "pthat")}) for one in (reference, sample)]
    return len(events[0].merge(events[1])) / min(map(len, events))


def starting_edges(histograms: Sequence[Weighted]) -> Floats:
    """Bins of equal width over all but the tails of all histograms at equal weight; of whole numbers, about those."""
    values = np.concatenate([each for each, _ in histograms])
    weight = np.concatenate([each / each.sum() for _, each in histograms])
    low, high = span(values, weight)
    if whole(values):
        return np.arange(low, high + (step := max(1, round((high - low) / START))), step)
    return np.linspace(low, high, START + 1)


def chi2_test(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> tuple[float, int, float]:
    """chi2, degrees of freedom and p-value of two histograms with free normalisation, see the module.

    Parameters
    ----------
    first, second : pairs of (m,)
        Sums of weights and of their squares in m bins, none of which is empty in both.
    """
    (w1, s1), (w2, s2) = first, second

    def chi2(log_ratio: float) -> float:
        ratio = np.exp(log_ratio)
        return float(((w2 - ratio * w1) ** 2 / (s2 + ratio**2 * s1)).sum())

    centre = float(np.log(w2.sum() / w1.sum()))
    found = minimize_scalar(chi2, bounds=(centre - 2, centre + 2), method="bounded", options={"xatol": 1e-9})
    smallest = min(float(found.fun), chi2(centre))
    ndf = len(w1) - 1
    return smallest, ndf, float(chi2_distribution.sf(smallest, ndf))


def pairwise_tests(group: Group, quantities: Sequence[str] = QUANTITIES) -> pd.DataFrame:
    """The chi2 tests of each sample of a group with its reference, by class and variable.

    Returns
    -------
    DataFrame
        COLUMNS and RESULT. `range` is "all", or "common": of a sample that differs in pthat alone the jets of the pTHat
        range that both have, which must agree. `shared` is the share of events that both have (`shared_events`); above
        one percent, the reference's even and the sample's odd events are compared, for the test is of independent
        samples. A comparison whose jets do not fill two bins is left out.
    """
    rows = []
    for sample in group.others:
        shared = shared_events(group.reference, sample)
        changed = differences(group.reference, sample)
        differs = ", ".join(f"{key} {value}" for key, value in changed.items())
        for name, cuts in ranges(group.reference, sample, changed):
            parts = list(zip((group.reference, sample), cuts, (0, 1), strict=True))
            if shared > SHARED:
                parts = [(one, cut & (one.jets.columns["event"] % 2 == half), half) for one, cut, half in parts]
            for label in (0, 1):
                chosen = [(one, cut & one.of(label)) for one, cut, _ in parts]
                if not all(cut.any() for _, cut in chosen):
                    continue
                weights = [one.weight[cut] for one, cut in chosen]
                row = (group.reference.name, sample.name, differs, label)
                numbers = [effective_number(weight) for weight in weights]
                for variable in quantities:
                    columns = [one.observed[variable].to_numpy(np.float64)[cut] for one, cut in chosen]
                    both = list(zip(columns, weights, strict=True))
                    edges = merged(starting_edges(both), both)
                    if len(edges) > 2:
                        chi2, ndf, p_value = chi2_test(contents(*both[0], edges), contents(*both[1], edges))
                        rows.append((*row, variable, name, shared, *numbers, chi2, ndf, chi2 / ndf, p_value))
    return pd.DataFrame(rows, columns=COLUMNS + RESULT)


def ranges(reference: Sample, sample: Sample, changed: Iterable[str]) -> Iterator[tuple[str, tuple[Bools, Bools]]]:
    """Which jets of two samples are compared: all, and those of the common pTHat range where that alone differs."""
    yield "all", (np.ones(len(reference.jets), bool), np.ones(len(sample.jets), bool))
    known = all(one.pthat_range(label) for one in (reference, sample) for label in (0, 1))
    if known and changed and all("pthat" in key for key in changed):
        yield "common", (in_common(reference, sample), in_common(sample, reference))


def in_common(sample: Sample, other: Sample) -> Bools:
    """Which jets of a sample lie in the range of pTHat that the other one has too, by class."""
    pthat, inside = sample.jets.columns["pthat"], np.zeros(len(sample.jets), bool)
    for label in (0, 1):
        windows = [window for one in (sample, other) if (window := one.pthat_range(label))]
        low, high = max(window[0] for window in windows), min(window[1] for window in windows)
        inside |= sample.of(label) & (pthat >= low) & (pthat <= high)
    return inside


def ratios(group: Group, quantities: Sequence[str] = QUANTITIES) -> pd.DataFrame:
    """Spectra of all samples of a group over that of its reference, each normalised to one.

    In bins that the reference fills (`merged`); the outermost reach to infinity.

    Returns
    -------
    DataFrame
        reference, sample, label, variable, low, high, ratio, error. The reference has the ratio one and its own error;
        the others have theirs alone.
    """
    rows = []
    for label in (0, 1):
        members = [group.reference, *group.others]
        weights = [one.weight[one.of(label)] for one in members]
        for variable in quantities:
            columns = [one.observed[variable].to_numpy(np.float64)[one.of(label)] for one in members]
            all_of_them = list(zip(columns, weights, strict=True))
            edges = merged(starting_edges(all_of_them), all_of_them[:1])
            w1, _ = contents(*all_of_them[0], edges)
            for member, (values, weight) in zip(members, all_of_them, strict=True):
                w, s = contents(values, weight, edges)
                frame = {"low": edges[:-1], "high": edges[1:], "ratio": w / w.sum() / (w1 / w1.sum())}
                frame["error"] = np.sqrt(s) / w.sum() / (w1 / w1.sum())
                about = {"reference": group.reference.name, "sample": member.name, "label": label}
                rows.append(pd.DataFrame(about | {"variable": variable} | frame))
    return pd.concat(rows, ignore_index=True)
