"""One jet, and what the tagger saw in it: constituents in the plane, image, expert variables, coloured by relevance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from glassjet.figures.names import feature_label
from glassjet.figures.style import (
    BLACK,
    CLASS_COLOURS,
    COLUMN,
    DIVERGING,
    GREY,
    PAGE,
    SEQUENTIAL,
    house,
    symmetric,
)

LARGEST, SMALLEST = 900.0, 6.0  # points squared: the area of a constituent with all of the jet's pT, and the least area
PARTONS = {1: "d", 2: "u", 3: "s", 4: "c", 5: "b", 6: "t", 11: "e", 13: r"$\mu$", 15: r"$\tau$", 21: "g"}


@dataclass(frozen=True)
class OneJet:
    """A jet as it is drawn.

    Attributes
    ----------
    delta_eta, delta_phi, pt : (m,)
        Constituents about the jet's axis, phi wrapped; pT in GeV.
    partons : list of (delta_eta, delta_phi, pdgid)
    radius : float or None
        Of the jet, where known.
    shift : float
        y - eta of the jet: its circle is one in rapidity, so a massive jet's is not centred on its pseudorapidity.
    header : str
        Line above the figure.
    """

    delta_eta: NDArray[np.float64]
    delta_phi: NDArray[np.float64]
    pt: NDArray[np.float64]
    partons: list[tuple[float, float, int]]
    radius: float | None
    shift: float
    header: str


def parton_name(pdgid: int) -> str:
    """Symbol of a parton: b, and b with a bar for its antiparticle.

    >>> parton_name(-5)
    '$\\\\bar{\\\\mathrm{b}}$'
    """
    name = PARTONS.get(abs(pdgid), str(abs(pdgid)))
    if pdgid >= 0 or abs(pdgid) not in range(1, 7):
        return name
    return rf"$\bar{{\mathrm{{{name}}}}}$"


def _plane(axis: Axes, jet: OneJet, relevance: NDArray[np.float64] | None) -> ScalarMappable:
    """Constituents in the plane: area as pT, colour as relevance, or as pT where there is none."""
    share = jet.pt / jet.pt.sum()
    order = np.argsort(-share, kind="stable")  # the small ones on top
    area = np.maximum(LARGEST * share[order], SMALLEST)
    norm: Normalize
    if relevance is None:
        lowest = max(float(jet.pt.min()), 0.1)
        colours, norm, cmap = jet.pt[order], LogNorm(lowest, max(float(jet.pt.max()), 2 * lowest)), SEQUENTIAL
    else:
        colours, norm, cmap = relevance[order], symmetric(relevance), DIVERGING
    drawn = axis.scatter(
        jet.delta_eta[order], jet.delta_phi[order], s=area, c=colours, norm=norm, cmap=cmap, ec=GREY, lw=0.2
    )
    reach = jet.radius or 0.8
    if jet.radius:
        turn = np.linspace(0, 2 * np.pi, 200)
        axis.plot(
            jet.shift + jet.radius * np.cos(turn), jet.radius * np.sin(turn), color=GREY, linestyle="--", linewidth=0.7
        )
    for eta, phi, pdgid in jet.partons:
        axis.plot(eta, phi, "x", color=BLACK, markersize=6, markeredgewidth=0.8)
        axis.annotate(parton_name(pdgid), (eta, phi), xytext=(4, 3), textcoords="offset points", fontsize=8)
        reach = max(reach, abs(eta), abs(phi))
    reach = 1.12 * max(reach, float(np.abs([jet.delta_eta, jet.delta_phi]).max(initial=0)))
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel=r"$\Delta\eta$", ylabel=r"$\Delta\phi$")
    return drawn


def _bars(axis: Axes, relevance: NDArray[np.float64], names: Sequence[str], most: int = 20) -> None:
    """Relevance of each feature of a table, the largest on top."""
    order = np.argsort(np.abs(relevance), kind="stable")[-most:]
    colours = [CLASS_COLOURS[int(value > 0)] for value in relevance[order]]
    axis.barh(range(len(order)), relevance[order], color=colours, height=0.7)
    axis.set_yticks(range(len(order)), [names[i] for i in order], fontsize=6)
    axis.tick_params(axis="y", which="minor", left=False, right=False)
    axis.axvline(0, color=GREY, linewidth=0.6)
    axis.set_ylim(-0.6, len(order) - 0.4)
    axis.set_xlabel("relevance $R$")


@house
def draw(
    jet: OneJet,
    constituents: NDArray[np.float64] | None = None,
    image: tuple[NDArray[np.float64], NDArray[np.float64], float] | None = None,
    table: tuple[NDArray[np.float64], Sequence[str], Mapping[str, str]] | None = None,
) -> Figure:
    """Draw a jet with the relevance of whatever its tagger takes.

    Parameters
    ----------
    jet : OneJet
    constituents : (m,), optional
        Relevance of each constituent, summed over its features; zero for those that the tagger does not see.
    image : (pixels, pixels), (pixels, pixels), float, optional
        The jet's image, the relevance of its pixels, and the half width of the frame.
    table : (F,), names (F,), labels, optional
        Relevance of the expert variables.
    """
    panels = 1 + 2 * (image is not None) + (table is not None)
    size, rows = {1: ((COLUMN + 0.6, 3.7), 1), 2: ((PAGE, 3.5), 1), 3: ((1.3 * PAGE, 3.1), 1), 4: ((PAGE, 6.2), 2)}[
        panels
    ]
    figure = Figure(figsize=size)
    axes = figure.subplots(rows, panels // rows, squeeze=False).ravel()
    drawn = _plane(axes[0], jet, constituents)
    label = "$p_T$ [GeV]" if constituents is None else "relevance $R$"
    figure.colorbar(drawn, ax=axes[0], label=label, shrink=0.8)
    if image is not None:
        pixels, relevance, reach = image
        extent = (-reach, reach, -reach, reach)
        largest = float(pixels.max()) or 1.0
        shown = axes[1].imshow(
            np.clip(pixels, largest * 1e-3, None), norm=LogNorm(largest * 1e-3, largest), cmap=SEQUENTIAL, extent=extent
        )
        figure.colorbar(shown, ax=axes[1], label="share of $p_T$", shrink=0.8)
        shown = axes[2].imshow(relevance, norm=symmetric(relevance), cmap=DIVERGING, extent=extent)
        figure.colorbar(shown, ax=axes[2], label="relevance $R$", shrink=0.8)
        for axis in axes[1:3]:
            axis.set(xlabel=r"$x^\prime$ / $\Delta R$(subjets)", ylabel=r"$y^\prime$ / $\Delta R$(subjets)")
    if table is not None:
        values, names, labels = table
        _bars(axes[-1], values, [feature_label(name, labels) for name in names])
    figure.suptitle(jet.header, x=0.01, ha="left", fontsize=7)
    return figure
