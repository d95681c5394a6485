"""Constituents in GeV and mm, from the columns that a YAML names (see `layout`).

What is done to the numbers of the file:

    units        momenta to GeV, lengths to mm, by the factors of `layout.UNITS`
    padding      an entry without momentum (pT and, if given, energy 0) is none, nor is one beyond `count`, nor are
                 those at the end of a list of which every momentum column is NaN
    relative     eta, y, phi: the jet's is added; pt, energy: times the jet's. This is how JetNet has them
                 (arXiv:2106.11535). JetClass (arXiv:2202.03772) gives deta times the sign of the jet's eta: of its
                 files px, py, pz are the ones to name
    phi          to (-pi, pi]
    energy       of a mass: E^2 = p^2 + m |m| (a negative mass is an imaginary one, as ROOT writes them); without
                 both E = p. An energy more than 2% below the momentum is refused: then a column is not what the YAML
                 says. Rounding to half precision stays below this
    y            pz = E tanh y, with the mass sqrt(pT^2 + m^2) sinh y; without both the constituent is massless, y = eta
    no track     d0, z0 and their errors are 0 where all that are given are NaN
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.kinematics import pt_eta_phi
from glassjet.jets.published.columns import Values, as_lists
from glassjet.jets.published.layout import IMPACT, KINEMATICS, Layout
from glassjet.jets.store import Ragged

Floats = NDArray[np.float64]

LEAST_ENERGY = 0.98  # of the momentum
WHOLE = {"pdgid": np.int32, "charge": np.int8}


def require_none(bad: NDArray[np.bool_], text: str, path: Path, rows: NDArray[np.int64]) -> None:
    """Refuse the first that is bad; `rows` are those that they are of."""
    if bad.any():
        raise InputError(f"{path}: row {int(rows[bad.argmax()])}: {text}")


def whole(values: NDArray[Any], kind: type[Any], name: str, path: Path, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Values as whole numbers of a type; `rows` are those that the values are of."""
    if values.dtype.kind == "f":
        bad = ~np.isfinite(values) | (values != np.floor(values))
        require_none(bad, f"{name} is no whole number; remove the row", path, rows)
    limits = np.iinfo(kind)
    bad = (values > limits.max) | (values < limits.min)
    require_none(bad, f"{name} is out of reach (beyond {limits.max}); remove the row", path, rows)
    return values.astype(kind)


def entries(
    layout: Layout, values: dict[str, Values], path: Path, start: int
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """The lists of the constituents' columns, by key: how long they are (n,), and their entries with the padding."""
    lists = {key: as_lists(values[name]) for key, name in layout.constituents.items()}
    (first, one), *others = lists.items()
    for key, other in others:
        bad = np.diff(one.offsets) != np.diff(other.offsets)
        names = f"{layout.constituents[first]} and {layout.constituents[key]}"
        require_none(bad, f"{names} have lists of different lengths; mend it", path, start + np.arange(len(bad)))
    return np.diff(one.offsets), {key: one.values for key, one in lists.items()}


def real(
    layout: Layout, columns: dict[str, Floats], counts: NDArray[np.int64], count: NDArray[Any] | None
) -> NDArray[np.bool_]:
    """Which entries are constituents and no padding.

    Parameters
    ----------
    columns : dict of arrays (entries,)
        What the momenta are given by.
    counts : array (n,)
        How many entries each row has.
    count : array (n,) or None
        How many of them are constituents.
    """
    place = np.arange(len(columns["phi" if "phi" in columns else "px"])) - np.repeat(np.cumsum(counts) - counts, counts)
    size = [columns[key] for key in ("pt", "px", "py", "pz") if key in columns]
    nothing = np.all([one == 0 for one in size], axis=0)
    if "energy" in columns:
        nothing &= (columns["energy"] == 0) | np.isnan(columns["energy"])
    if count is not None:
        return ~nothing & (place < np.repeat(count, counts))
    unknown = np.all([np.isnan(one) for one in columns.values()], axis=0)
    if not unknown.any():
        return ~nothing
    solid = ~nothing & ~unknown
    owner = np.repeat(np.arange(len(counts)), counts)
    end = np.zeros(len(counts), np.int64)
    end[owner[solid]] = place[solid] + 1  # of several for one row the last is kept
    return ~nothing & ~(unknown & (place >= end[owner]))


def momenta(layout: Layout, columns: dict[str, Floats], jet: dict[str, Floats]) -> tuple[dict[str, Floats], Floats]:
    """pt, eta, phi and energy of constituents (GeV), and their momentum |p|, from what the file has.

    Parameters
    ----------
    columns : dict of arrays (entries,)
        By the keys of the YAML, in the units of the file.
    jet : dict of arrays (entries,)
        What is known of each one's jet, of those that a column is relative to.
    """
    angles = ("eta", "y", "phi")
    c = {key: one if key in angles else one * layout.momentum for key, one in columns.items()}
    for key in layout.relative:
        c[key] = c[key] + jet[key] if key in angles else c[key] * jet[key]
    square = c["mass"] * np.abs(c["mass"]) if "mass" in c else 0.0
    with np.errstate(all="ignore"):  # what comes of it is refused by the row
        if layout.form == ("px", "py", "pz"):
            pz = c["pz"]
            pt, eta, phi = pt_eta_phi(c["px"], c["py"], pz)
        else:
            pt, phi = c["pt"], c["phi"]
            if layout.form == ("pt", "eta", "phi"):
                eta = c["eta"]
                pz = pt * np.sinh(eta)
            else:
                transverse = np.sqrt(np.maximum(pt**2 + square, 0))
                pz = c["energy"] * np.tanh(c["y"]) if "energy" in c else transverse * np.sinh(c["y"])
                eta = np.arcsinh(pz / pt)
        momentum = np.hypot(pt, pz)
        energy = c["energy"] if "energy" in c else np.sqrt(np.maximum(momentum**2 + square, 0))
        phi = np.where(np.abs(phi) > np.pi, phi - 2 * np.pi * np.round(phi / (2 * np.pi)), phi)
    return {"pt": pt, "eta": eta, "phi": phi, "energy": energy}, momentum


def constituents_of(
    layout: Layout, values: dict[str, Values], single: dict[str, NDArray[Any]], path: Path, start: int
) -> Ragged:
    """The constituents of some rows in GeV and mm, without padding; `start` is the first row."""
    counts, columns = entries(layout, values, path, start)
    count = None
    if layout.count is not None:
        rows = start + np.arange(len(counts))
        count = whole(single[layout.count], np.int64, layout.count, path, rows)
        bad = (count < 0) | (count > counts)
        require_none(bad, f"{layout.count} is not between 0 and the length of the lists; mend it", path, rows)
    kinematic = {key: columns[key].astype(np.float64) for key in KINEMATICS if key in columns}
    keep = real(layout, kinematic, counts, count)
    owner = np.repeat(np.arange(len(counts)), counts)[keep]
    rows = start + owner
    columns = {key: one[keep] for key, one in columns.items()}
    for key in kinematic:
        name = layout.constituents[key]
        text = f"{name} is NaN or infinite; remove the row, or, if it is padding, say how many are real with count"
        require_none(~np.isfinite(columns[key].astype(np.float64)), text, path, rows)
    jet = {key: single[layout.jet[key]].astype(np.float64)[owner] for key in layout.relative}
    out: dict[str, NDArray[Any]]
    out, momentum = momenta(layout, {key: one[keep] for key, one in kinematic.items()}, jet)
    require_none(out["pt"] == 0, "a constituent has energy but no pT; remove the row", path, rows)
    bad = (out["energy"] < LEAST_ENERGY * momentum) & (out["energy"] >= 0)
    text = "the energy of a constituent is below its momentum; is each column what the YAML says, or leave energy out"
    require_none(bad, text, path, rows)
    for key in ("pdgid", "charge"):
        if key in columns:
            out[key] = whole(columns[key], WHOLE[key], layout.constituents[key], path, rows)
    impact = {key: columns[key].astype(np.float64) * layout.length for key in IMPACT if key in columns}
    no_track = np.all([np.isnan(one) for one in impact.values()], axis=0) if impact else False
    for key, one in impact.items():
        out[key] = np.where(no_track, 0.0, one)
        text = f"{layout.constituents[key]} is NaN or infinite; remove the row"
        require_none(~np.isfinite(out[key]), text, path, rows)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(counts)))]).astype(np.int64)
    return Ragged(offsets, out)
