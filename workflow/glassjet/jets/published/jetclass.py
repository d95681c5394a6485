"""JetClass (Qu, Li, Qian; DOI 10.5281/zenodo.6619768), the data set of arXiv:2202.03772.

Ten classes of jets at 13 TeV, MadGraph, Pythia 8 and Delphes with the CMS card and without pile-up, anti-kT jets of
R = 0.8 with pT from 500 to 1000 GeV and |eta| < 2. Each file has one class and 100,000 jets: ZJetsToNuNu_*.root (QCD),
HToBB_*.root, …, TTBar_*.root (Tbqq), TTBarLep_*.root (Tbl); files of several classes are read too.

A file has the tree `tree` with one row per jet. Read are of each constituent part_px, part_py, part_pz, part_energy
(GeV, z along the beam); part_charge and part_isChargedHadron, part_isNeutralHadron, part_isPhoton, part_isElectron,
part_isMuon; part_d0val, part_d0err, part_dzval, part_dzerr; and label_QCD … label_Tbl, of which one is 1. The group of
the charge and the types and that of the tracks may be absent, each as a whole: so are their columns then. aux_… is
truth and never read.

Conversions, all in float64:
- pT, eta (from the momentum, not the energy) and phi in (-pi, pi] from px, py, pz; the branches part_deta and part_dphi
  are not used: part_deta is mirrored for jets with eta < 0.
- pdgid: 211 times the charge for a charged hadron, which may be a kaon or a proton, 130 for a neutral one, 22 for a
  photon, -11 and -13 times the charge for an electron and a muon, 0 for what has none of the five flags (charged
  hyperons).
- d0 = -part_d0val: Delphes has (x py - y px) / pT at the point of closest approach to the beam line, the opposite sign
  of CMS and of `glassjet.jets.tracks`. z0 = part_dzval, with the sign of z. Both, and their errors, are in mm, as
  Delphes has them; the tanh of arXiv:2202.03772 is its tagger's own preparation, not in the files. All four are 0 for
  constituents without a track.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.kinematics import pt_eta_phi
from glassjet.jets.published import one_hot
from glassjet.jets.published.rows import Rows
from glassjet.jets.published.trees import Tree, flat_numbers, lists, open_tree, read_branches, require_branches
from glassjet.jets.store import Ragged

CLASSES = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
SIGNAL = ("Tbqq",)
BACKGROUND = ("QCD",)
METADATA: dict[str, Any] = {
    "level": "detector",
    "sqrts": 13000.0,
    "pt": [500.0, 1000.0],
    "abs_eta": 2.0,
    "radius": 0.8,
    "match_radius": 0.8,
    "source": "JetClass, zenodo 6619768, CC-BY-4.0; cite arXiv:2202.03772",
}
LABELS = [f"label_{name}" for name in CLASSES]
MOMENTUM = ["part_px", "part_py", "part_pz", "part_energy"]
FLAGS = {  # the pdgid: this, or this times the charge if there is one to have
    "part_isChargedHadron": 211,
    "part_isNeutralHadron": 130,
    "part_isPhoton": 22,
    "part_isElectron": -11,
    "part_isMuon": -13,
}
CHARGED = ("part_isChargedHadron", "part_isElectron", "part_isMuon")
KINDS = ["part_charge", *FLAGS]
TRACKS = {"part_d0val": "d0", "part_dzval": "z0", "part_d0err": "d0_error", "part_dzerr": "z0_error"}


@dataclass(frozen=True)
class File:
    """An open file. `branches` are the lists that it has; baskets of the tree are read ahead, see `trees`."""

    path: Path
    tree: Tree
    branches: list[str]

    def __len__(self) -> int:
        return self.tree.num_entries

    def read(self, start: int, stop: int) -> Rows:
        """The rows start:stop."""
        arrays = read_branches(self.tree, [*self.branches, *LABELS], start, stop, self.path)
        label = np.stack([flat_numbers(arrays[name], name, self.path) for name in LABELS], axis=1, dtype=np.float64)
        kind = one_hot.kinds(label, LABELS, self.path, start)
        counts, flat = lists({name: arrays[name] for name in self.branches}, self.path, start)
        return Rows(kind, constituents_of(counts, flat, self.path, start))


def constituents_of(counts: NDArray[np.int64], flat: dict[str, NDArray[Any]], path: Path, first: int) -> Ragged:
    """The constituents of the rows, from the branches' numbers; slots with nothing in them are padding and left out.

    Parameters
    ----------
    counts : array (rows,)
        The lengths of the lists.
    flat : dict of arrays (sum of counts,)
        The branches, as they are in the file.
    path, first :
        For the messages; `first` is the number of the first row.
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    present = np.logical_or.reduce([flat[name] != 0 for name in MOMENTUM])
    if not present.all():
        flat, owner = {name: values[present] for name, values in flat.items()}, owner[present]
        counts = np.bincount(owner, minlength=len(counts))

    def refuse(bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            raise InputError(f"{path}: row {first + int(owner[bad.argmax()])} has {what}; remove it")

    for name in (*MOMENTUM, *TRACKS):
        if name in flat:
            refuse(~np.isfinite(flat[name]), f"a NaN or infinite {name}")
    px, py, pz, energy = (flat[name].astype(np.float64) for name in MOMENTUM)
    refuse(energy <= 0, "a constituent without energy, or with a negative one")
    refuse((px == 0) & (py == 0), "a constituent along the beam")
    pt, eta, phi = pt_eta_phi(px, py, pz)
    columns: dict[str, NDArray[Any]] = {"pt": pt, "eta": eta, "phi": phi, "energy": energy}
    if KINDS[0] in flat:
        charge = flat["part_charge"]
        refuse(~np.isin(charge, (-1, 0, 1)), "a part_charge that is not -1, 0 or 1")
        flags = np.stack([flat[name] for name in FLAGS])
        refuse(((flags != 0) & (flags != 1)).any(axis=0), "a flag of the type (part_is…) that is not 0 or 1")
        refuse(flags.sum(axis=0) > 1, "a constituent of two types (part_is…)")
        signed = np.stack([flags[place] for place, name in enumerate(FLAGS) if name in CHARGED]).any(axis=0)
        refuse(signed & (charge == 0), "a charged hadron, electron or muon with part_charge 0")
        code = np.array(list(FLAGS.values()), np.int32) @ flags.astype(np.int32)
        columns["pdgid"] = (code * np.where(signed, charge, 1)).astype(np.int32)
        columns["charge"] = charge.astype(np.int8)
    for name, column in TRACKS.items():
        if name in flat:
            values = flat[name].astype(np.float64)
            columns[column] = 0.0 - values if column == "d0" else values  # 0 stays 0, not -0
    return Ragged(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), columns)


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """Open a file of the data set."""
    with open_tree(path, "tree") as tree:
        require_branches(tree, [*MOMENTUM, *LABELS], path)
        known = set(tree.names)
        branches = list(MOMENTUM)
        for group in (KINDS, list(TRACKS)):
            if known.intersection(group):  # one of them alone is a file gone wrong
                require_branches(tree, group, path)
                branches += group
        yield File(path, tree, branches)
