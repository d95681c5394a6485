"""The leading anti-kT jet of each event. Source: Cacciari, Salam, Soyez, arXiv:0802.1189 and arXiv:1111.6097."""

from dataclasses import dataclass

import awkward as ak
import fastjet
import numpy as np
from numpy.typing import NDArray

from glassjet.jets.pythia import Events

NEUTRINOS = (12, 14, 16)


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
        Positions in the event records.
    """

    event: NDArray[np.int64]
    momentum: NDArray[np.float64]
    offsets: NDArray[np.int64]
    particle: NDArray[np.int64]


def visible(events: Events) -> NDArray[np.int64]:
    """Positions of all final particles but neutrinos."""
    return np.flatnonzero((events.status > 0) & ~np.isin(np.abs(events.pdgid), NEUTRINOS))


def leading_jets(events: Events, radius: float, pt_min: float) -> LeadingJets:
    """Cluster the visible particles of each event with anti-kT of that radius (E scheme); keep leading jets above
    `pt_min` (GeV). FastJet prints its banner to stdout the first time: call this under `captured_stdout`."""
    particles = visible(events)
    first = np.searchsorted(particles, events.offsets)
    axes = dict(zip(("px", "py", "pz", "E"), events.momentum[:, particles], strict=True))
    lists = ak.unflatten(ak.zip(axes, with_name="Momentum4D"), np.diff(first))
    clusters = fastjet.ClusterSequence(lists, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))
    jets = clusters.inclusive_jets(pt_min)
    momentum = np.stack([ak.flatten(jets[axis]).to_numpy() for axis in axes])
    owner = np.repeat(np.arange(len(events)), ak.num(jets).to_numpy())
    by_pt = np.lexsort((-np.hypot(momentum[0], momentum[1]), owner))
    event, lead = np.unique(owner[by_pt], return_index=True)
    lead = by_pt[lead]
    local = ak.flatten(clusters.constituent_index(pt_min))[lead]
    counts = ak.num(local).to_numpy()
    return LeadingJets(
        event,
        momentum[:, lead],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        particles[ak.flatten(local).to_numpy() + np.repeat(first[event], counts)],
    )
