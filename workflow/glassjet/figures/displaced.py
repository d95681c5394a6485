"""What flies before it decays, as tables: impact parameters of the tracks of a jet, and its secondary vertices.

Lengths are in mm. A constituent whose d0_error is zero has no track (`glassjet.jets.tracks`). Densities of tracks and
of vertices are those of one track or vertex; their errors are those of sums over jets, for those of a jet are
correlated.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.figures.histograms import edges_for
from glassjet.figures.samples import Sample
from glassjet.figures.spectra import by_class
from glassjet.jets.store import Ragged

Entries = tuple[NDArray[np.float64], NDArray[np.int64] | None]  # values, and the numbers of their jets; None: one a jet
DISPLACED = 3.0  # a track counts as displaced if d0 / sigma is above
SIGNED = np.concatenate([np.arange(-15.0, 10.0, 1.0), np.arange(10.0, 40.1, 2.0)])

EDGES = {
    "d0_significance": SIGNED,
    "abs_d0": np.geomspace(1e-3, 30, 31),
    "z0_significance": np.arange(-20.0, 20.1, 1.0),
    "abs_z0": np.geomspace(1e-3, 100, 31),
    "vertex_mass": np.arange(0.0, 6.6, 0.5),
    "vertex_pt_share": np.linspace(0, 1, 16),
    "vertex_d3d": np.geomspace(0.1, 200, 16),
    "vertex_significance": np.geomspace(3, 1000, 16),
}
LOGARITHMIC_X = {"abs_d0", "abs_z0", "vertex_d3d", "vertex_significance"}
LOGARITHMIC_Y = {"d0_significance", "abs_d0", "z0_significance", "abs_z0", "ln_d0", "ln_z0"} | {
    "displaced",
    "vertices",
    "vertex_tracks",
}
LABELS = {
    "d0_significance": r"signed $d_0/\sigma$",
    "abs_d0": r"$|d_0|$ [mm]",
    "z0_significance": r"$z_0/\sigma$",
    "abs_z0": r"$|z_0|$ [mm]",
    "tracks": r"$N_\mathrm{tracks}$",
    "displaced": rf"$N_\mathrm{{tracks}}$ ($d_0/\sigma > {DISPLACED:g}$)",
    "vertices": r"$N_\mathrm{SV}$",
    "vertex_pt_share": r"$p_{T,\mathrm{SV}}/p_T$",
    "vertex_mass": r"$m_\mathrm{SV}$ [GeV]",
    "vertex_d3d": r"$L_\mathrm{3D}$ [mm]",
    "vertex_significance": r"$L_\mathrm{3D}/\sigma$",
    "vertex_tracks": r"$N_\mathrm{tracks}$ of a vertex",
    "ln_d0": r"$\ln d_0$ ($d_0$ in mm)",
    "ln_z0": r"$\ln|z_0|$ ($z_0$ in mm)",
}


def owners(lists: Ragged) -> NDArray[np.int64]:
    """The number of the list that each entry is in."""
    return np.repeat(np.arange(len(lists)), lists.counts)


def has_tracks(sample: Sample) -> bool:
    """Whether impact parameters were measured, with errors."""
    return "d0_error" in sample.jets.constituents.columns


def has_truth(sample: Sample) -> bool:
    """Whether the true production vertices are known instead (tracks: production)."""
    return "d0" in sample.jets.constituents.columns and not has_tracks(sample)


def track_values(sample: Sample) -> dict[str, Entries]:
    """Impact parameters of each track, and the numbers of tracks of each jet."""
    constituents, jets = sample.jets.constituents, len(sample.jets)
    seen = np.flatnonzero(constituents.columns["d0_error"] > 0)
    jet = owners(constituents)[seen]
    d0, z0, d0_error, z0_error = (
        constituents.columns[name][seen].astype(np.float64) for name in ("d0", "z0", "d0_error", "z0_error")
    )
    far = d0 / d0_error > DISPLACED
    return {
        "d0_significance": (d0 / d0_error, jet),
        "abs_d0": (np.abs(d0), jet),
        "tracks": (np.bincount(jet, minlength=jets).astype(np.float64), None),
        "z0_significance": (z0 / z0_error, jet),
        "abs_z0": (np.abs(z0), jet),
        "displaced": (np.bincount(jet[far], minlength=jets).astype(np.float64), None),
    }


def vertex_values(sample: Sample) -> dict[str, Entries]:
    """How many secondary vertices each jet has, and what each vertex is."""
    vertices = sample.jets.vertices
    assert vertices is not None, "jets without vertices"
    jet, columns = owners(vertices), vertices.columns
    return {
        "vertices": (vertices.counts.astype(np.float64), None),
        "vertex_tracks": (columns["tracks"].astype(np.float64), jet),
        "vertex_pt_share": (columns["pt"] / sample.jets.columns["pt"][jet].astype(np.float64), jet),
        "vertex_mass": (columns["mass"].astype(np.float64), jet),
        "vertex_d3d": (columns["d3d"].astype(np.float64), jet),
        "vertex_significance": (columns["d3d"] / columns["d3d_error"], jet),
    }


def truth_values(sample: Sample) -> dict[str, Entries]:
    """ln d0 and ln |z0| of the charged constituents; minus infinity where they come from the collision itself.

    Whatever decays has a length: the products of a Z boson lie at 1e-13 mm, ln d0 = -30, and those of no QCD jet do.
    """
    constituents = sample.jets.constituents
    charged = np.flatnonzero(constituents.columns["charge"] != 0)
    jet = owners(constituents)[charged]
    with np.errstate(divide="ignore"):
        return {
            f"ln_{name}": (np.log(np.abs(constituents.columns[name][charged].astype(np.float64))), jet)
            for name in ("d0", "z0")
        }


def tables(sample: Sample, values: dict[str, Entries]) -> pd.DataFrame:
    """The histograms of such values by class, see `spectra.by_class`."""
    return pd.concat(
        [
            by_class(sample, name, column, edges_of(sample, name, column, jet), name in LOGARITHMIC_X, jet)
            for name, (column, jet) in values.items()
        ],
        ignore_index=True,
    )


def edges_of(
    sample: Sample, name: str, values: NDArray[np.float64], jet: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """The edges of a variable: fixed ones, those of a variable of the jet, or bins over all finite values."""
    if name in EDGES:
        return EDGES[name]
    if jet is None:
        return edges_for(values, sample.label, sample.weight)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if np.array_equal(known, np.rint(known)):
        return np.arange(low - 0.5, high + 1)
    return np.linspace(low, high if high > low else low + 1, 31)
