"""What needs to know what the constituents are: multiplicities by type, jet charge, largest impact parameters.

Types are those of particle flow, as in arXiv:2011.13466. What a sample lacks `require` tells in one line.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.events import NEUTRINOS
from glassjet.observables.kinematics import Floats, Integers

PARTICLE_TYPES = ("charged_hadrons", "neutral_hadrons", "photons", "electrons", "muons")
LEADING = 20  # arXiv:2011.13466 looks for the largest impact parameter among so many constituents of highest pT
FLOOR = 1e-4  # mm, a hundredth of the best resolution of d0

_LACKING = {  # what it means, and the way out
    "pdgid": ("their types are not known", "take a sample that has them"),
    "charge": ("their charges are not known", "take a sample that has them"),
    "d0": ("they have no tracks", "generate with tracks: measured"),
    "z0": ("they have no tracks", "generate with tracks: measured"),
}


def require(columns: Mapping[str, NDArray[Any]], variable: str, needs: Iterable[str]) -> None:
    """Refuse constituents that lack what a variable needs: one line that names the variable and the way out.

    pdgid 0 means an unknown type. One such constituent is enough to refuse: a multiplicity would miss it, and nothing
    would tell such jets from the others. For the charge it is one with pdgid 0 and charge 0; a charged particle of
    unknown type has a known charge.

    Parameters
    ----------
    columns : mapping of arrays (N,)
        The constituents' columns, as in the jet store.
    variable : str
        Its name, for the message.
    needs : iterable of str
        Of pdgid, charge, d0, z0.
    """
    for name in needs:
        meaning, way_out = _LACKING[name]
        lack = ""
        if name not in columns:
            lack = f"the constituents have no {name}"
        elif name == "pdgid" and (columns["pdgid"] == 0).any():
            lack = "there are constituents with pdgid 0"
        elif name == "charge" and "pdgid" in columns and ((columns["pdgid"] == 0) & (columns["charge"] == 0)).any():
            lack = "there are constituents with pdgid 0 and charge 0"
        if lack:
            raise InputError(f"{variable}: {lack} ({meaning}); leave it out, or {way_out}")


def multiplicities(pdgid: NDArray[Any], charge: NDArray[Any], offsets: Integers) -> Floats:
    """Numbers of constituents by type as an array (n, 5), in the order of PARTICLE_TYPES (arXiv:2011.13466).

    Photons, electrons and muons by their code (22, 11, 13, either sign); of the others, what is charged is a charged
    hadron and what is not a neutral one. Neutrinos are in none of the five: particle flow does not see them.

    Parameters
    ----------
    pdgid, charge : arrays (N,)
        PDG code, not 0 (`require`), and charge in units of e of all constituents.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    """
    n, types = len(offsets) - 1, len(PARTICLE_TYPES)
    code = np.abs(pdgid)
    kind = np.where(charge != 0, 0, 1)
    for number, its_code in ((2, 22), (3, 11), (4, 13), *((types, neutrino) for neutrino in NEUTRINOS)):
        kind[code == its_code] = number
    slot = np.repeat(np.arange(n) * (types + 1), np.diff(offsets)) + kind
    counts = np.bincount(slot, minlength=n * (types + 1)).reshape(n, types + 1)
    return counts[:, :types].astype(np.float64)


def charged_multiplicity(charge: NDArray[Any], offsets: Integers) -> Floats:
    """Number (n,) of charged constituents, hadrons and leptons.

    Parameters
    ----------
    charge : array (N,)
        In units of e.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    """
    n = len(offsets) - 1
    jet = np.repeat(np.arange(n), np.diff(offsets))
    return np.bincount(jet[charge != 0], minlength=n).astype(np.float64)


def jet_charge(pt: NDArray[Any], charge: NDArray[Any], offsets: Integers, jet_pt: Floats, kappa: float) -> Floats:
    """Q_kappa = sum_i q_i (pT_i / pT_jet)^kappa in units of e (n,) (arXiv:1209.2421); 0 without charged constituents.

    Parameters
    ----------
    pt, charge : arrays (N,)
        pT (GeV) and charge in units of e of all constituents.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    jet_pt : array (n,)
        pT (GeV) of the sum of the four-momenta of all constituents, charged or not.
    kappa : float
        Above 0; the smaller, the more soft constituents count.
    """
    n = len(offsets) - 1
    jet = np.repeat(np.arange(n), np.diff(offsets))
    keep = charge != 0
    own = jet[keep]
    share = pt[keep].astype(np.float64) / jet_pt[own]
    return np.bincount(own, charge[keep] * share**kappa, n).astype(np.float64)  # of no entries it makes integers


@njit(cache=True)
def _largest(size: Floats, pt: Floats, offsets: Integers, largest: Floats) -> None:
    """Raise each jet's `largest` to the largest size among its LEADING constituents of highest pT."""
    for jet in range(len(largest)):
        first, end = offsets[jet], offsets[jet + 1]
        for i in range(first, end):
            if size[i] > largest[jet]:  # few are, so few are ranked; NaN never is
                above = 0
                for other in range(first, end):
                    if pt[other] > pt[i] or (pt[other] == pt[i] and other < i):
                        above += 1
                if above < LEADING:
                    largest[jet] = size[i]


def impact_parameter_max(distance: NDArray[Any], pt: NDArray[Any], offsets: Integers) -> Floats:
    """ln of the largest |d0| or |z0| in mm among the 20 constituents of highest pT (n,): dxy_max, dz_max.

    Of arXiv:2011.13466; of constituents of equal pT the first come first. What is below FLOOR = 1e-4 mm counts as
    FLOOR, and so does a jet without tracks: both have ln(1e-4) = -9.21. A tracker measures no less. With the true
    production vertices (`tracks: production`) it also hides the flight of a Z or top, some 1e-13 mm, which decay
    products of the heavy particle have and others have not: it would give the label away. (The store's own samples
    have 0 there.)

    Parameters
    ----------
    distance : array (N,)
        d0 or z0 in mm of all constituents, with any sign; 0 or NaN where there is no track.
    pt : array (N,)
        GeV.
    offsets : array (n + 1,)
        Jet i owns the constituents offsets[i]:offsets[i + 1].
    """
    largest = np.full(len(offsets) - 1, FLOOR)
    _largest(np.abs(distance).astype(np.float64), pt.astype(np.float64), offsets, largest)
    return np.log(largest)
