"""Expert variables of jets: what the registry names, computed.

The constituents of each jet are clustered once for each algorithm that is needed; all else reads those histories.
"""

import numpy as np
import pandas as pd

from glassjet.errors import InputError
from glassjet.jets.store import Jets, Ragged
from glassjet.observables import kinematics
from glassjet.observables.clustering import cluster
from glassjet.observables.kinematics import Floats
from glassjet.observables.nsubjettiness import ratio, tau
from glassjet.observables.pull import pull_angle
from glassjet.observables.registry import BETAS, SETS, columns
from glassjet.observables.soft_drop import Groomed, soft_drop

Values = dict[str, Floats]
XAUG_ORDERS = (1, 2, 3)
MBNS_ORDERS = (1, 2, 3, 4, 5, 6, 7)


def observe(jets: Jets, sets: tuple[str, ...]) -> pd.DataFrame:
    """The standard quantities and the variables of the sets, float64, with label, event and weight of each jet.

    Parameters
    ----------
    jets : Jets
        n jets; each needs a constituent with pT > 0.
    sets : tuple of str
        Names of sets in the registry.

    Returns
    -------
    DataFrame
        n rows in the order of the jets. Every number is finite.
    """
    names = columns(sets)
    constituents = kinematics.with_momentum(jets.constituents)
    if len(jets) and constituents.counts.min() < 1:
        event = jets.columns["event"][constituents.counts.argmin()]
        raise InputError(f"the jet of event {event} has no constituent with pT > 0; remove it")
    momenta = kinematics.four_momenta(constituents)
    offsets = constituents.offsets
    jet_momenta = kinematics.sums(momenta, offsets)
    groomed = soft_drop(cluster(momenta, offsets, "ca"))

    values = _jet_quantities(jet_momenta, constituents)
    values |= _soft_drop_quantities(momenta, constituents, groomed)
    values |= _xaug_taus(momenta, constituents, values["pt"], groomed if "tau1_b05_softdrop" in names else None)
    values |= {
        "tau21": ratio(values["tau2_b10"], values["tau1_b10"]),
        "tau32": ratio(values["tau3_b10"], values["tau2_b10"]),
    }
    if "beta3_softdrop" in names:
        values |= _beta3(values)
    if "pull_angle" in names:
        values["pull_angle"] = pull_angle(momenta, offsets, groomed)
    if "mbns_tau1_b10" in names:
        values |= _mbns_taus(momenta, constituents, values["pt"])
    values |= _toy_truth(jets, names)
    frame = pd.DataFrame({name: values[name] for name in names})
    require_finite(frame, jets)
    for name in ("label", "event", "weight"):
        frame[name] = jets.columns[name]
    return frame


def _toy_truth(jets: Jets, names: tuple[str, ...]) -> Values:
    """What the toy model knows of its jets."""
    wanted = [name for name in names if name in SETS["toy"]]
    for name in wanted:
        if name not in jets.columns:
            raise InputError(f"{name}: only jets of the toy model have it; leave the set toy out")
    return {name: jets.columns[name].astype(np.float64) for name in wanted}


def require_finite(frame: pd.DataFrame, jets: Jets) -> None:
    """Refuse a number that is NaN or infinite, naming the variable and the jet: none is ever written."""
    for name in frame:
        bad = np.flatnonzero(~np.isfinite(frame[name].to_numpy()))
        if bad.size:
            event = jets.columns["event"][bad[0]]
            raise InputError(f"{name} is {frame[name].iloc[bad[0]]} for the jet of event {event}; remove that jet")


def _jet_quantities(jet_momenta: Floats, constituents: Ragged) -> Values:
    """Quantities of the sum of the constituents."""
    pt, rapidity, phi = kinematics.plane(jet_momenta).T
    return {
        "pt": pt,
        "eta": kinematics.pseudorapidity(jet_momenta),
        "phi": phi,
        "mass": kinematics.mass(jet_momenta),
        "rapidity": rapidity,
        "multiplicity": constituents.counts.astype(np.float64),
    }


def _soft_drop_quantities(momenta: Floats, constituents: Ragged, groomed: Groomed) -> Values:
    """Groomed mass and subjets. Where no splitting passed, subjet 2 is subjet 1 again and has no momentum in z."""
    first = kinematics.sums(momenta, constituents.offsets, groomed.prong == 1)
    second = kinematics.sums(momenta, constituents.offsets, groomed.prong == 2)
    size, size_second = kinematics.momentum(first), kinematics.momentum(second)
    axis_second = np.where(groomed.passed[:, None], second, first)
    _, y, phi = kinematics.plane(first).T
    _, y_second, phi_second = kinematics.plane(axis_second).T
    return {
        "mass_softdrop": kinematics.mass(first + second),
        "subjet1_eta": kinematics.pseudorapidity(first),
        "subjet1_phi": phi,
        "subjet2_eta": kinematics.pseudorapidity(axis_second),
        "subjet2_phi": phi_second,
        "has_two_subjets": groomed.passed.astype(np.float64),
        "delta_r_subjets": np.hypot(y - y_second, kinematics.wrapped(phi - phi_second)),
        "z_subjets": size / (size + size_second),
    }


def _xaug_taus(momenta: Floats, constituents: Ragged, pt: Floats, groomed: Groomed | None) -> Values:
    """tau of P1 (OnePass_WTA_KT_Axes), over the jet's pT; without `groomed` only what tau21 and tau32 need."""
    powers = list(BETAS) if groomed else ["b10"]
    histories = {"": cluster(momenta, constituents.offsets, "kt", "winner_takes_all")}
    if groomed:
        kept = groomed.prong > 0
        before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        histories["_softdrop"] = cluster(momenta[kept], before[constituents.offsets], "kt", "winner_takes_all")
    values = {}
    for suffix, history in histories.items():
        taus = tau(history, XAUG_ORDERS, tuple(BETAS[power] for power in powers), one_pass=True)
        for n, order in enumerate(XAUG_ORDERS):
            for b, power in enumerate(powers):
                values[f"tau{order}_{power}{suffix}"] = taus[:, n, b] / pt
    return values


def _mbns_taus(momenta: Floats, constituents: Ragged, pt: Floats) -> Values:
    """tau of P2 (KT_Axes), over the jet's pT."""
    taus = tau(cluster(momenta, constituents.offsets, "kt"), MBNS_ORDERS, tuple(BETAS.values()), one_pass=False)
    return {
        f"mbns_tau{order}_{power}": taus[:, n, b] / pt
        for n, order in enumerate(MBNS_ORDERS)
        for b, power in enumerate(BETAS)
    }


def _beta3(values: Values) -> Values:
    """The two composites of P1; 0 where one of their taus is 0."""
    found = {}
    for suffix, powers in (("", (2.0, 0.5, -1.0)), ("_softdrop", (-1.0, -1.0, 1.0))):
        taus = np.stack([values[f"{name}{suffix}"] for name in ("tau1_b05", "tau2_b10", "tau2_b20")])
        defined = (taus > 0).all(axis=0)
        log = np.log(taus, out=np.zeros_like(taus), where=defined)
        found[f"beta3{suffix}"] = powers[0] * log[0] + powers[1] * log[1] + powers[2] * log[2]
    return found
