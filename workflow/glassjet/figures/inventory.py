"""Where the jets of a sample come from and what they count, as tables: cutflows, cross sections, weights, peaks."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.figures.histograms import quantile
from glassjet.figures.names import STAGE_NAMES, resonances
from glassjet.figures.samples import ROLES, Sample
from glassjet.jets import store
from glassjet.training.bootstrap import INTERVAL, resampled
from glassjet.training.metrics import auc, effective_number
from glassjet.training.weights import fit_weights, report

Floats = NDArray[np.float64]
HALVINGS = 2  # of the mode


def cutflow(sample: Sample) -> pd.DataFrame:
    """What each requirement leaves of the generated cross section: sample, class, stage, events, pb, fraction, error.

    The error is that of so many events, whose weights spread as those of the selected jets do; an estimate, for the
    file does not keep the weights of events that failed.
    """
    rows = []
    for one, role in enumerate(ROLES):
        weight = sample.weight[sample.of(one)]
        spread = len(weight) / max(effective_number(weight), np.finfo(float).tiny)
        events = sample.metadata.get("cutflow", {}).get(role, {})
        in_pb = sample.metadata.get("cutflow_pb", {}).get(role, {})
        for stage in (name for name in STAGE_NAMES if name in in_pb):
            share = in_pb[stage] / in_pb["events"]
            error = share * np.sqrt(max(1 - share, 0.0) * spread / max(events[stage], 1))
            row = {"sample": sample.name, "class": role, "stage": stage, "events": events[stage]}
            rows.append(row | {"pb": in_pb[stage], "fraction": share, "error": error})
    return pd.DataFrame(rows, columns=["sample", "class", "stage", "events", "pb", "fraction", "error"])


def weights(sample: Sample) -> pd.DataFrame:
    """Jets, cross sections and weights of each class, one row for each.

    Returns
    -------
    DataFrame
        sample, class, jets (in the file), selected_pb, read, effective (number of those read), effective_training (with
        training weights), auc_pt (AUC of pT alone with physical weights), auc_pt_training, auc_pt_training_error (of
        a pT that tells nothing), at_edge and its error (see there), mb_per_100k (of the file).
    """
    label, pt, eta = sample.label, sample.jets.columns["pt"], sample.jets.columns["eta"]
    all_labels, _ = store.labels_and_weights(sample.path)
    training = fit_weights(label, pt, eta, sample.weight)(label, pt, eta, sample.weight)
    check = report(label, pt, training)
    physical = auc(pt.astype(np.float64), label, sample.weight)
    effective = [check[f"effective_{role}"] for role in ROLES]
    size = sample.path.stat().st_size / 1e6 / len(all_labels) * 1e5
    rows = []
    for one, role in enumerate(ROLES):
        pb = sample.metadata.get("cross_sections", {}).get(role, {}).get("selected_cross_section_pb", np.nan)
        row = {"sample": sample.name, "class": role, "jets": int((all_labels == one).sum()), "selected_pb": pb}
        row |= {"read": int(sample.of(one).sum()), "effective": effective_number(sample.weight[sample.of(one)])}
        row |= {"effective_training": effective[one], "auc_pt": physical, "auc_pt_training": check["auc_of_pt"]}
        row["auc_pt_training_error"] = float(np.sqrt((1 / effective[0] + 1 / effective[1]) / 12))
        row["at_edge"], row["at_edge_error"] = at_edge(sample, one)
        rows.append(row | {"mb_per_100k": size})
    return pd.DataFrame(rows)


def at_edge(sample: Sample, label: int) -> tuple[float, float]:
    """The share of a class whose pTHat lies less than a tenth above the lower edge of the generated range, its error.

    Where it is not small, jets from below the edge are missing. No jet there has no error either. NaN where pTHat is
    not known.
    """
    range_ = sample.pthat_range(label)
    if range_ is None:
        return np.nan, np.nan
    chosen = sample.of(label)
    weight = sample.weight[chosen]
    near = weight[sample.jets.columns["pthat"][chosen] < 1.1 * range_[0]]
    return float(near.sum() / weight.sum()), float(np.sqrt(np.square(near).sum()) / weight.sum())


def mode(values: Floats, weight: Floats) -> float:
    """Where a peak is: the median of the shortest half of the shortest half of the weight.

    The half-sample mode of Bickel and Fruehwirth (Comput. Stat. Data Anal. 50 (2006) 3500), with weights, and halved
    HALVINGS times only: further on it follows the fluctuations of a sample of hundreds of jets.
    """
    order = np.argsort(values, kind="stable")
    order = order[weight[order] > 0]
    values, weight = values[order], weight[order]
    for _ in range(HALVINGS):
        total = np.concatenate([[0.0], np.cumsum(weight)])
        # an interval from each jet on, up to before the first one with which half of the weight is behind
        last = np.searchsorted(total, total[:-1] + total[-1] / 2 * (1 - 1e-12))
        first = np.flatnonzero(last < len(total))
        best = first[np.argmin(values[last[first] - 1] - values[first])]
        values, weight = values[best : last[best]], weight[best : last[best]]
    return quantile(values, weight, 0.5)


def peaks(sample: Sample, replicas: int = 200) -> pd.DataFrame:
    """Where the signal's masses lie beside that of the resonance: median and mode with their bootstrap errors, GeV.

    Returns
    -------
    DataFrame
        sample, variable, estimator (median, mode), value, low, high (68% bootstrap), resonance, pdg. No
        rows for a signal without a resonance.
    """
    columns = ["sample", "variable", "estimator", "value", "low", "high", "resonance", "pdg"]
    known = resonances(sample.metadata)
    rows = []
    if known:
        resonance, pdg = next(iter(known.items()))
        signal = sample.of(1)
        weight = sample.weight[signal]
        draws = [weight * times[signal] for times in resampled(sample.label, replicas)]
        estimators: dict[str, Callable[[Floats, Floats], float]] = {
            "median": partial(quantile, share=0.5),
            "mode": mode,
        }
        for variable in ("mass", "mass_softdrop"):
            values = sample.observed[variable].to_numpy(np.float64)[signal]
            for name, estimate in estimators.items():
                low, high = np.percentile([estimate(values, draw) for draw in draws], INTERVAL)
                row = (sample.name, variable, name, estimate(values, weight), low, high, resonance, pdg)
                rows.append(dict(zip(columns, row, strict=True)))
    return pd.DataFrame(rows, columns=columns)
