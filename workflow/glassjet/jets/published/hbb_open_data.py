"""H->bb jets of CMS open data (J. Duarte, record 12102 of opendata.cern.ch, DOI 10.7483/OPENDATA.CMS.JGJX.MS7Q).

Each file has the tree `deepntuplizer/tree`, a row for each AK8 jet (anti-kT, R = 0.8, charged hadrons of pile-up taken
off, energy corrected) of simulated pp collisions at 13 TeV; its particle-flow candidates have pT > 0.95 GeV. The
momenta are stored relative to the jet (the record's ntuple maker, HiggsToBBNTupleProducerTool):

    pfcand_ptrel = pT / fj_pt             pfcand_etarel = sign(fj_eta) (eta - fj_eta), the sign of 0 being -1
    pfcand_erel = energy / jet's energy   pfcand_phirel = phi - fj_phi, within half a turn

and turned back here; the jet's energy is that of fj_pt, fj_eta and fj_mass. Because fj_pt is corrected and softer
candidates are missing, the candidates' sum is not exactly the jet of the file. The sign of etarel is checked: with the
wrong one, candidates of jets at negative eta have more momentum than energy (`require_sign`).

CMS stores impact parameters in cm; d0 and z0 of the constituents are mm, by a factor 10. d0 is CMS's dxy, with the sign
of `glassjet.jets.tracks.Perigee` (arXiv:1405.6569). Errors are value / significance. The ntuple maker wrote 0 for a
significance that is infinite: of such candidates, and of neutral ones, no track is known and all four numbers are 0.

`tracks` (30 columns, the first 60 of each jet) and `vertices` (14 columns, the first 5) are the inputs of
arXiv:2211.12770, in the file's order (falling significance of the impact parameter, of the flight distance) and with
the file's names, units (cm, GeV) and values, but for NaN and infinite ones: these become 0, and a warning tells how
many there were. In constituents and jet columns they are errors.

Classes as in that paper: `h_bb` is fj_isH, `qcd` is fj_isQCD of a QCD sample. Jets that are neither (a top quark, W or
Z; light jets of the signal's samples) and jets outside pT > 200 GeV, |eta| < 2.4 belong to no class. Nothing else that
the generator told is read; fj_doubleb is the score of the experiment's own tagger (CMS-BTV-16-002).
"""

import logging
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

log = logging.getLogger(__name__)

CLASSES = ("qcd", "h_bb")
SIGNAL = ("h_bb",)
BACKGROUND = ("qcd",)
METADATA: dict[str, Any] = {
    "level": "detector",
    "signal": "h_bb",
    "background": "qcd",
    "sqrts": 13000.0,
    "abs_eta": 2.4,
    "radius": 0.8,
    "source": "CMS open data, HiggsToBBNTuple, DOI 10.7483/OPENDATA.CMS.JGJX.MS7Q; see arXiv:2211.12770",
}
TREE = "deepntuplizer/tree"
MIN_PT = 200.0  # GeV
MAX_ABS_ETA = 2.4
TRUTH = ("sample_isQCD", "fj_isQCD", "fj_isH")  # for the class only
AXIS = ("fj_pt", "fj_eta", "fj_phi", "fj_mass")
COLUMNS = ("npv", "rho", "fj_sdmass", "fj_doubleb")
MOMENTA = ("pfcand_ptrel", "pfcand_erel", "pfcand_etarel", "pfcand_phirel")
IMPACT = ("pfcand_dxy", "pfcand_dxysig", "pfcand_dz", "pfcand_dzsig")
FLAGS = {  # PDG number, and its sign for a positive charge
    "pfcand_isChargedHad": (211, 1),
    "pfcand_isNeutralHad": (130, 0),
    "pfcand_isGamma": (22, 0),
    "pfcand_isEl": (11, -1),
    "pfcand_isMu": (13, -1),
}
CANDIDATES = (*MOMENTA, "pfcand_charge", *FLAGS, *IMPACT)
TRACKS = tuple(
    [
        f"track_{name}"
        for name in (
            *("ptrel", "erel", "phirel", "etarel", "deltaR", "drminsv", "drsubjet1", "drsubjet2"),
            *("dz", "dzsig", "dxy", "dxysig", "normchi2", "quality"),
            *("dptdpt", "detadeta", "dphidphi", "dxydxy", "dzdz", "dxydz", "dphidxy", "dlambdadz"),
        )
    ]
    + [
        f"trackBTag_{name}"
        for name in (
            *("EtaRel", "PtRatio", "PParRatio"),
            *("Sip2dVal", "Sip2dSig", "Sip3dVal", "Sip3dSig", "JetDistVal"),
        )
    ]
)
VERTICES = tuple(
    f"sv_{name}"
    for name in (
        *("ptrel", "erel", "phirel", "etarel", "deltaR", "pt", "mass", "ntracks", "normchi2"),
        *("dxy", "dxysig", "d3d", "d3dsig", "costhetasvpv"),
    )
)
EVENT = "event_no"
BRANCHES = (EVENT, *TRUTH, *AXIS, *COLUMNS, *CANDIDATES, *TRACKS, *VERTICES)
MOST_TRACKS = 60
MOST_VERTICES = 5
MM = 10.0  # in a cm
SLACK = 1e-3  # of the energy: rounding, and then some
FEW = 0.05  # of the candidates
Floats = NDArray[np.float64]


def leading(ragged: Ragged, most: int) -> Ragged:
    """The first `most` entries of each list."""
    counts = ragged.counts
    place = np.arange(ragged.offsets[-1]) - np.repeat(ragged.offsets[:-1], counts)
    kept = place < most
    offsets = np.concatenate([[0], np.cumsum(np.minimum(counts, most))]).astype(np.int64)
    return Ragged(offsets, {name: column[kept] for name, column in ragged.columns.items()})


def require_sign(energy: Floats, momentum: Floats, path: Path, start: int, stop: int) -> None:
    """Refuse rows start:stop if many of their candidates have less energy (n,) than momentum (n,).

    Rounding aside no candidate has. With etarel of another sign, about half of those at negative fj_eta would.
    """
    if len(energy) and np.mean(energy * (1 + SLACK) < momentum) > FEW:
        told = "candidates have less energy than momentum"
        way = "pfcand_etarel must be sign(fj_eta) (eta - fj_eta), as in CMS open data record 12102"
        raise InputError(f"{path}: rows {start} to {stop - 1}: {told}; {way}")


def impact(value: Floats, significance: Floats) -> tuple[Floats, Floats]:
    """An impact parameter and its error in mm, from the value in cm and its significance; error 0: not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = value / significance
    return value * MM, np.where(np.isfinite(error), error * MM, 0.0)


def kinds(truth: dict[str, NDArray[Any]], pt: Floats, eta: Floats, path: Path, start: int) -> NDArray[np.int64]:
    """The class of each jet (n,), from TRUTH and where the jet lies."""
    for name, values in truth.items():
        bad = ~np.isin(values, (0, 1))
        if bad.any():
            row = int(bad.argmax())
            raise InputError(f"{path}: row {start + row} has {name} = {values[row]}; it must be 0 or 1")
    inside = (pt > MIN_PT) & (np.abs(eta) < MAX_ABS_ETA)
    qcd = (truth["sample_isQCD"] == 1) & (truth["fj_isQCD"] == 1)
    return np.where(inside & (truth["fj_isH"] == 1), 1, np.where(inside & qcd, 0, -1)).astype(np.int64)


@dataclass
class HbbSource:
    """An open file; `cleaned` counts the numbers of tracks and vertices that were set to 0."""

    path: Path
    tree: Tree
    cleaned: int = 0

    def __len__(self) -> int:
        return self.tree.num_entries

    def read(self, start: int, stop: int) -> Rows:
        """Rows start:stop."""
        arrays = read_branches(self.tree, BRANCHES, start, stop, self.path)
        jets = {name: flat_numbers(arrays[name], name, self.path) for name in (*TRUTH, *AXIS, *COLUMNS)}
        number = flat_numbers(arrays[EVENT], EVENT, self.path).astype(np.int64)
        truth = {name: jets.pop(name) for name in TRUTH}
        require_finite(jets, np.arange(start, stop), self.path)
        axis = {name: jets[name].astype(np.float64) for name in AXIS}
        return Rows(
            kinds(truth, axis["fj_pt"], axis["fj_eta"], self.path, start),
            self._constituents({name: arrays[name] for name in CANDIDATES}, axis, start, stop),
            {name: jets[name].astype(np.float32) for name in COLUMNS} | {"event_number": number},
            self._features({name: arrays[name] for name in TRACKS}, MOST_TRACKS, start),
            self._features({name: arrays[name] for name in VERTICES}, MOST_VERTICES, start),
        )

    def _constituents(self, arrays: dict[str, Any], axis: dict[str, Floats], start: int, stop: int) -> Ragged:
        counts, found = lists(arrays, self.path, start)
        numbers = {name: column.astype(np.float64) for name, column in found.items()}
        jet = np.repeat(np.arange(len(counts)), counts)
        finite = {name: column for name, column in numbers.items() if not name.endswith("sig")}
        require_finite(finite, start + jet, self.path)
        pt, eta, phi = (axis[name][jet] for name in ("fj_pt", "fj_eta", "fj_phi"))
        jet_energy = np.hypot(axis["fj_pt"] * np.cosh(axis["fj_eta"]), axis["fj_mass"])
        columns = {
            "pt": numbers["pfcand_ptrel"] * pt,
            "eta": eta + np.where(eta > 0, 1.0, -1.0) * numbers["pfcand_etarel"],
            "phi": (phi + numbers["pfcand_phirel"] + np.pi) % (2 * np.pi) - np.pi,
            "energy": numbers["pfcand_erel"] * jet_energy[jet],
        }
        require_sign(columns["energy"], columns["pt"] * np.cosh(columns["eta"]), self.path, start, stop)
        charge = np.rint(numbers["pfcand_charge"])
        pdgid = np.zeros(len(jet))
        for name, (number, sign) in FLAGS.items():
            pdgid += np.where(numbers[name] == 1, number * (sign * charge if sign else 1), 0)
        d0, d0_error = impact(numbers["pfcand_dxy"], numbers["pfcand_dxysig"])
        z0, z0_error = impact(numbers["pfcand_dz"], numbers["pfcand_dzsig"])
        track = (charge != 0) & (d0_error > 0) & (z0_error > 0)
        measured = {"d0": d0, "z0": z0, "d0_error": d0_error, "z0_error": z0_error}
        columns |= {name: np.where(track, values, 0.0) for name, values in measured.items()}
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Ragged(offsets, columns | {"pdgid": pdgid.astype(np.int32), "charge": charge.astype(np.int8)})

    def _features(self, arrays: dict[str, Any], most: int, start: int) -> Ragged:
        counts, found = lists(arrays, self.path, start)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        columns = {name: column.astype(np.float32) for name, column in found.items()}
        kept = leading(Ragged(offsets, columns), most)
        for name, column in kept.columns.items():
            bad = ~np.isfinite(column)
            self.cleaned += int(bad.sum())
            kept.columns[name] = np.where(bad, np.float32(0), column)
        return kept


@contextmanager
def opened(path: Path) -> Iterator[HbbSource]:
    """Open a file; of what it reads ahead see `glassjet.jets.published.trees`."""
    with open_tree(path, TREE) as tree:
        require_branches(tree, BRANCHES, path)
        source = HbbSource(path, tree)
        yield source
        if source.cleaned:
            log.warning(f"{path}: {source.cleaned} NaN or infinite numbers in tracks and vertices were set to 0")
