"""Four-momenta: pT, eta, phi, rapidity, and sums over ragged lists. Everything in float64, energies in GeV."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.jets.store import Ragged

Array = NDArray[np.float64]


def pt_eta_phi(px: Array, py: Array, pz: Array) -> tuple[Array, Array, Array]:
    """pT (GeV), pseudorapidity and azimuth in (-pi, pi] of momenta of any shape; eta is infinite along the beam."""
    pt = np.hypot(px, py)
    with np.errstate(divide="ignore", invalid="ignore"):
        return pt, np.arcsinh(pz / pt), np.arctan2(py, px)


def rapidity(energy: Array, pz: Array) -> Array:
    """y = atanh(pz / E)."""
    return np.arctanh(pz / energy)


def delta_r(y_a: Array, phi_a: Array, y_b: Array, phi_b: Array) -> Array:
    """Distance in rapidity and azimuth, the azimuth wrapped to half a turn."""
    dphi = np.abs(phi_a - phi_b) % (2 * np.pi)
    return np.hypot(y_a - y_b, np.minimum(dphi, 2 * np.pi - dphi))


def cartesian(columns: dict[str, NDArray[Any]]) -> Array:
    """Rows px, py, pz, E (shape (4, n)) from columns pt, eta, phi, energy as they are stored."""
    pt, eta, phi, energy = (columns[name].astype(np.float64) for name in ("pt", "eta", "phi", "energy"))
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy])


def jets_of(constituents: Ragged) -> dict[str, Array]:
    """pt, eta, phi, mass (GeV) of the sum of each list of constituents (E scheme).

    A mass that rounding made imaginary (the stored energies are float32) is 0.

    Parameters
    ----------
    constituents : Ragged
        Lists of at least one entry, with columns pt, eta, phi, energy.
    """
    if len(constituents) == 0:
        return {name: np.zeros(0) for name in ("pt", "eta", "phi", "mass")}
    px, py, pz, energy = np.add.reduceat(cartesian(constituents.columns), constituents.offsets[:-1], axis=1)
    pt, eta, phi = pt_eta_phi(px, py, pz)
    mass = np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0.0))
    return {"pt": pt, "eta": eta, "phi": phi, "mass": mass}
