"""The leading anti-kT jet of each event, and its soft drop.

Sources: Cacciari, Salam, Soyez, arXiv:0802.1189 and arXiv:1111.6097; Larkoski et al., arXiv:1402.2657.
"""

from dataclasses import dataclass
from typing import Any

import awkward as ak
import fastjet
import numpy as np
from numpy.typing import NDArray

from glassjet.jets.events import Particles
from glassjet.jets.kinematics import cartesian
from glassjet.jets.store import Ragged

AXES = ("px", "py", "pz", "E")
SYMMETRY_CUT, BETA = 0.1, 0.0


@dataclass(frozen=True)
class LeadingJets:
    """The jets of highest pT of those events that have one above a threshold.

    Attributes
    ----------
    event : (n,)
        Number of the event in the batch.
    momentum : (4, n)
        px, py, pz, E in GeV.
    offsets : (n + 1,)
        Jet i is the sum of the entries particle[offsets[i]:offsets[i + 1]].
    particle : (constituents,)
        Positions in the `Particles` that were clustered.
    """

    event: NDArray[np.int64]
    momentum: NDArray[np.float64]
    offsets: NDArray[np.int64]
    particle: NDArray[np.int64]


def leading_jets(particles: Particles, radius: float, pt_min: float) -> LeadingJets:
    """Cluster the particles of each event with anti-kT of that radius (E scheme); keep leading jets above `pt_min`
    (GeV). FastJet prints its banner to stdout the first time: call this under `captured_stdout`."""
    clusters = clustered(particles.momentum, particles.offsets, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))
    jets = clusters.inclusive_jets(pt_min)
    momentum = np.stack([ak.flatten(jets[axis]).to_numpy() for axis in AXES])
    owner = np.repeat(np.arange(len(particles.offsets) - 1), ak.num(jets).to_numpy())
    by_pt = np.lexsort((-np.hypot(momentum[0], momentum[1]), owner))
    event, lead = np.unique(owner[by_pt], return_index=True)
    lead = by_pt[lead]
    local = ak.flatten(clusters.constituent_index(pt_min))[lead]
    counts = ak.num(local).to_numpy()
    return LeadingJets(
        event,
        momentum[:, lead],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        ak.flatten(local).to_numpy() + np.repeat(particles.offsets[event], counts),
    )


def clustered(momentum: NDArray[np.float64], offsets: NDArray[np.int64], definition: Any) -> Any:
    """FastJet's clustering of lists of momenta (4, m)."""
    flat = ak.zip(dict(zip(AXES, momentum, strict=True)), with_name="Momentum4D")
    return fastjet.ClusterSequence(ak.unflatten(flat, np.diff(offsets)), definition)


def soft_drop(constituents: Ragged, radius: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The soft-drop mass (GeV) of each jet, and whether a splitting passed: z_cut = 0.1, beta = 0, reclustered with
    Cambridge/Aachen; without one the last prong is left, as in fastjet-contrib.

    Parameters
    ----------
    constituents : Ragged
        As they are stored, so that the selection holds for what is on disk.
    radius : float
        Of the jets.
    """
    if len(constituents) == 0:
        return np.zeros(0), np.zeros(0, bool)
    definition = fastjet.JetDefinition(fastjet.cambridge_algorithm, fastjet.JetDefinition.max_allowable_R)
    clusters = clustered(cartesian(constituents.columns), constituents.offsets, definition)
    groomed = clusters.exclusive_jets_softdrop_grooming(1, BETA, SYMMETRY_CUT, "scalar_z", radius, "larger_pt")
    return groomed.msoftdrop.to_numpy(), groomed.deltaRsoftdrop.to_numpy() > 0
