"""AK8 jets of CMS NanoAOD files that have their particle-flow candidates: PFNano, and NanoAOD from version 15 on.

A row of the tree `Events` is an event; the reader gives one jet of it, the AK8 jet of the highest FatJet_pt, so that
splits never divide an event. Events without an AK8 jet, or whose leading one has no candidates, belong to no class.
There is no cut besides those that the file was made with. The candidates are found through a table of links:

    PFNano                    PFCands_*     FatJetPFCands_jetIdx, FatJetPFCands_pFCandsIdx (or candIdx)
    PFNano of 106X, first     JetPFCands_*  JetPFCandsAK8_jetIdx, JetPFCandsAK8_candIdx
    NanoAOD 15 and later      PFCand_*      FatJetPFCand_jetIdx, FatJetPFCand_pfCandIdx

AK8 jets are PUPPI jets (arXiv:1407.6013): each candidate counts with its PUPPI weight. NanoAOD 15 stores weighted pt
and mass. PFNano stores them as they are, beside the weight (`puppiWeight`), which is multiplied in here (pT, mass and
so the energy); without that branch they are taken as they are. Candidates of pT 0 are left out. The constituents' sum
is the jet before the corrections of the jet's energy, so FatJet_pt differs by these.

energy is sqrt(pT^2 cosh^2 eta + mass^2). d0, z0 and their errors are PFNano's d0, dz, d0Err, dzErr, in cm there and mm
here; PFNano has -1 in all four where a candidate has no track, here they are 0. d0 is CMS's dxy, with the sign of
`glassjet.jets.tracks.Perigee` (arXiv:1405.6569). NanoAOD 15 has no impact parameters. CMS's numbers 1 and 2 for
hadrons and photons in the forward calorimeter become 130 and 22; a charge that is not stored follows from pdgId.

Classes are of the generator: `bb` has two or more b hadrons (FatJet_nBHadrons, of ghost association), `b` one, `c` none
but a c hadron (FatJet_nCHadrons), `light` neither. Nothing else of the generator is read, and measured collisions,
which have no such branches, are refused. A file does not say whether it is of a signal or of QCD.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.published.rows import Rows
from glassjet.jets.published.trees import (
    Tree,
    flat_numbers,
    lists,
    open_tree,
    read_branches,
    require_branches,
    require_finite,
)
from glassjet.jets.store import Ragged

CLASSES = ("bb", "b", "c", "light")
SIGNAL = ("bb",)
BACKGROUND = ("light", "c", "b")
METADATA: dict[str, Any] = {
    "level": "detector",
    "sqrts": 13000.0,
    "radius": 0.8,
    "source": "CMS NanoAOD with particle-flow candidates",
}
TREE = "Events"
LAYOUTS = (  # candidates, links, the links' column with the candidate's number
    ("PFCands", "FatJetPFCands", "pFCandsIdx"),
    ("PFCands", "FatJetPFCands", "candIdx"),
    ("JetPFCands", "JetPFCandsAK8", "candIdx"),
    ("PFCand", "FatJetPFCand", "pfCandIdx"),
)
HADRONS = ("FatJet_nBHadrons", "FatJet_nCHadrons")
EVENT = "event"
MASS = "FatJet_msoftdrop"
MOMENTA = ("pt", "eta", "phi", "mass")
IMPACT = {"d0": "d0", "z0": "dz", "d0_error": "d0Err", "z0_error": "dzErr"}
FORWARD = {1: 130, 2: 22}
CHARGE = {211: 1, 11: -1, 13: -1}  # of a positive PDG number
MM = 10.0  # in a cm
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """Names of branches: of the link table, and of the candidates by what they hold."""

    jet_index: str
    index: str
    candidates: dict[str, str]


def layout_of(tree: Tree, path: Path) -> Layout:
    """How the file stores candidates; refuses one that lacks them, or the truth."""
    known = set(tree.keys())
    require_branches(tree, ["FatJet_pt", MASS], path)
    for table, links, index in LAYOUTS:
        if f"{table}_pt" in known and f"{links}_{index}" in known:
            break
    else:
        tables = sorted({table for table, _, _ in LAYOUTS if f"{table}_pt" in known})
        if tables:
            raise InputError(f"{path}: has {tables[0]}_pt, but no links of AK8 jets to them (FatJetPFCands_pFCandsIdx)")
        raise InputError(
            f"{path}: has no particle-flow candidates, so no constituents; PFNano and NanoAOD 15 have them"
        )
    if not any(name in known for name in HADRONS):
        raise InputError(f"{path}: no branch {HADRONS[0]!r}, so no classes: these are measured collisions, or too old")
    names = {name: f"{table}_{name}" for name in (*MOMENTA, "pdgId")}
    require_branches(tree, [*HADRONS, f"{links}_jetIdx", *names.values()], path)
    if all(f"{table}_{name}" in known for name in IMPACT.values()):
        names |= {name: f"{table}_{stored}" for name, stored in IMPACT.items()}
    names |= {name: f"{table}_{name}" for name in ("charge", "puppiWeight") if f"{table}_{name}" in known}
    return Layout(f"{links}_jetIdx", f"{links}_{index}", names)


def starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where lists of these lengths (n,) begin in their flat numbers, and where the last ends (n + 1,)."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def require_range(
    index: NDArray[Any], size: NDArray[np.int64], row_of: NDArray[np.int64], name: str, path: Path
) -> None:
    """Refuse numbers of entries that lists do not have; `size` has the length of the list that each points into."""
    bad = (index < 0) | (index >= size)
    if bad.any():
        place = int(bad.argmax())
        told = f"row {row_of[place]} has {index[place]} in {name!r}, but {size[place]} entries to point at"
        raise InputError(f"{path}: {told}; the file is damaged or was skimmed wrongly")


def leading(pt: Floats, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of the largest pT in each list (n,), the first of equals; -1 in an empty one."""
    row = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((-pt, row))  # stable
    first = starts(counts)[:-1]
    found = np.full(len(counts), -1, np.int64)
    some = counts > 0
    found[some] = order[first[some]] - first[some]
    return found


def particles(pdgid: NDArray[Any]) -> NDArray[np.int32]:
    """PDG numbers, the forward calorimeter's among them."""
    out = pdgid.astype(np.int32)
    for stored, number in FORWARD.items():
        out[pdgid == stored] = number
    return out


def charges(pdgid: NDArray[np.int32]) -> NDArray[np.int8]:
    """The charges that follow from PDG numbers of particle flow."""
    out = np.zeros(len(pdgid), np.int8)
    for number, sign in CHARGE.items():
        charged = np.abs(pdgid) == number
        out[charged] = sign * np.sign(pdgid[charged])
    return out


@dataclass
class NanoSource:
    """An open file."""

    path: Path
    tree: Tree
    layout: Layout

    def __len__(self) -> int:
        return self.tree.num_entries

    def read(self, start: int, stop: int) -> Rows:
        """Rows start:stop."""
        layout, n = self.layout, stop - start
        links = (layout.jet_index, layout.index)
        names = ("FatJet_pt", MASS, *HADRONS, *links, *layout.candidates.values())
        numbers = (EVENT,) if EVENT in self.tree.names else ()
        arrays = read_branches(self.tree, (*names, *numbers), start, stop, self.path)

        def part(wanted: tuple[str, ...]) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]], NDArray[np.int64]]:
            counts, flat = lists({name: arrays[name] for name in wanted}, self.path, start)
            return counts, flat, np.repeat(np.arange(n), counts)

        jet_counts, jets, jet_row = part(("FatJet_pt", MASS, *HADRONS))
        require_finite({name: jets[name] for name in ("FatJet_pt", MASS)}, start + jet_row, self.path)
        lead = leading(jets["FatJet_pt"].astype(np.float64), jet_counts)
        some = np.flatnonzero(lead >= 0)
        place = starts(jet_counts)[some] + lead[some]

        _, link, link_row = part(links)
        counts, found, _ = part(tuple(layout.candidates.values()))
        jet, number = (link[name].astype(np.int64) for name in links)
        require_range(jet, jet_counts[link_row], start + link_row, links[0], self.path)
        require_range(number, counts[link_row], start + link_row, links[1], self.path)
        chosen = jet == lead[link_row]
        row = link_row[chosen]
        entry = starts(counts)[row] + number[chosen]
        constituents = self._constituents(
            {name: found[of][entry] for name, of in layout.candidates.items()}, row, start, n
        )

        hadrons = np.zeros((2, n), np.int64)
        hadrons[:, some] = [jets[name][place] for name in HADRONS]
        kind = np.select([hadrons[0] >= 2, hadrons[0] == 1, hadrons[1] >= 1], [0, 1, 2], 3)
        kind[constituents.counts == 0] = -1
        mass = np.zeros(n, np.float32)
        mass[some] = jets[MASS][place]
        columns: dict[str, NDArray[Any]] = {MASS: mass}
        if EVENT in self.tree.names:  # it is left out of some reduced files
            event = flat_numbers(arrays[EVENT], EVENT, self.path)
            columns["event_number"] = event.astype(np.int64)
        return Rows(kind.astype(np.int64), constituents, columns)

    def _constituents(self, found: dict[str, NDArray[Any]], row: NDArray[np.int64], start: int, n: int) -> Ragged:
        """Lists of the n rows, from what the file has of each candidate and the row (rising) that it belongs to."""
        require_finite({self.layout.candidates[name]: of for name, of in found.items()}, start + row, self.path)
        numbers = {name: values.astype(np.float64) for name, values in found.items()}
        weight = numbers.get("puppiWeight", np.ones(len(row)))
        pt, mass = numbers["pt"] * weight, numbers["mass"] * weight
        pdgid = particles(found["pdgId"])
        columns: dict[str, NDArray[Any]] = {
            "pt": pt,
            "eta": numbers["eta"],
            "phi": numbers["phi"],
            "energy": np.hypot(pt * np.cosh(numbers["eta"]), mass),
            "pdgid": pdgid,
            "charge": found["charge"].astype(np.int8) if "charge" in found else charges(pdgid),
        }
        if "d0" in numbers:
            track = (numbers["d0_error"] > 0) & (numbers["z0_error"] > 0)
            columns |= {name: np.where(track, numbers[name] * MM, 0.0) for name in IMPACT}
        kept = pt != 0
        counts = np.bincount(row[kept], minlength=n)
        return Ragged(starts(counts), {name: column[kept] for name, column in columns.items()})


@contextmanager
def opened(path: Path) -> Iterator[NanoSource]:
    """Open a file; of what it reads ahead see `glassjet.jets.published.trees`."""
    with open_tree(path, TREE) as tree:
        yield NanoSource(path, tree, layout_of(tree, path))
