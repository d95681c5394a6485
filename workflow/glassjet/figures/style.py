"""The house style: sizes, colours and markers, the same in every figure, and how a figure becomes a file.

Colours are those of Okabe and Ito (Color Universal Design, 2008), which readers with any colour vision can tell apart;
signal and background, and the taggers, also differ in line or marker. Positive relevance (towards signal) is red as
signal is, negative relevance (towards background) is blue as background is.
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, SymLogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glassjet.errors import InputError
from glassjet.files import atomic

P = ParamSpec("P")

COLUMN, PAGE = 3.4, 7.0  # inch: the widths of a journal's column and page
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#777777"
LETTERS_PER_INCH = 19  # of a header
CLASS_COLOURS = (BLUE, VERMILION)  # by label: background, signal
CLASS_LINES = ("--", "-")
SEED_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
DIVERGING = "RdBu_r"
SEQUENTIAL = "cividis"

TAGGER_COLOURS = {"mbns": BLUE, "pfn": VERMILION, "xaug_image": GREEN, "xaug_dnn": PURPLE, "mass_tau32": GREY}
TAGGER_MARKERS = {"mbns": "o", "pfn": "s", "xaug_image": "^", "xaug_dnn": "D", "mass_tau32": "X"}
SPARE_COLOURS = (ORANGE, SKY, BLACK, YELLOW)
FEATURE_LINES = ("-", "--", "-.", ":")
SAMPLE_COLOURS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK)  # of samples that are compared with another

METHOD_STYLES = {  # colour, marker
    "lrp_recommended": (VERMILION, "o"),
    "lrp_p1": (ORANGE, "s"),
    "lrp_p2": (PURPLE, "^"),
    "shap": (BLUE, "D"),
    "delta_auc": (GREEN, "v"),
    "delta_auc_conditional": (GREEN, "^"),
    "delta_auc_mean": (GREEN, "s"),
    "delta_auc_zero": (GREEN, "D"),
    "delta_cross_entropy": (SKY, "P"),
    "delta_cross_entropy_conditional": (SKY, "*"),
    "mad": (BLACK, "X"),
    "mad_papers_mean": (GREY, "<"),
}

HOUSE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same letters
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "axes.formatter.limits": (-4, 5),
    "axes.formatter.use_mathtext": True,
    "image.interpolation": "nearest",
    "image.origin": "lower",
    "figure.constrained_layout.use": True,
    "pdf.fonttype": 42,  # journals refuse Type 3 fonts
    "savefig.dpi": 200,
    "savefig.bbox": "standard",
}


def house(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorator: a function draws its figure in the house style, whatever the reader's own settings are."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(HOUSE):
            return draw(*args, **kwargs)

    return styled


def grid(panels: int, columns: int, height: float, width: float = PAGE, **kwargs: Any) -> tuple[Figure, list[Axes]]:
    """A figure with `panels` axes in rows of `columns`; each row `height` inches high. No empty axes are left."""
    columns = min(columns, panels)
    rows = -(-panels // columns)
    figure = Figure(figsize=(width, rows * height))
    axes = figure.subplots(rows, columns, squeeze=False, **kwargs).ravel().tolist()
    for spare in axes[panels:]:
        spare.remove()
    return figure, axes[:panels]


def write(figure: Figure, path: Path, provenance: str = "") -> Path:
    """Write a figure as the PDF or PNG that the suffix asks for; equal figures give equal bytes.

    Parameters
    ----------
    figure : Figure
    path : Path
        Ends in .pdf or .png, else InputError.
    provenance : str
        Stored in the file's metadata (PDF keywords, PNG text), where given.
    """
    if path.suffix not in (".pdf", ".png"):
        raise InputError(f"{path}: a figure is written as .pdf or .png")
    pdf = path.suffix == ".pdf"
    metadata: dict[str, Any] = {"CreationDate": None} if pdf else {}  # a date would make equal figures differ
    if provenance:
        metadata["Keywords" if pdf else "Description"] = provenance
    with mpl.rc_context(HOUSE), atomic(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], metadata=metadata)
    return path


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as `path`.pdf and `path`.png and close it; returns the PNG's path, for a notebook to display."""
    from matplotlib import pyplot  # here only: it looks for a display, which no figure of ours needs

    png = write(figure, path.with_name(f"{path.name}.png"))
    figure.set_layout_engine("none")  # laid out once: the PDF is the same drawing, in half the time
    write(figure, path.with_name(f"{path.name}.pdf"))
    pyplot.close(figure)
    return png


def header(figure: Figure, text: str) -> None:
    """A line above all panels that says what was simulated and selected; two lines where one is too long."""
    visible = len(re.sub(r"\\[a-zA-Z]+|[{}$_^]", "", text))
    if visible > LETTERS_PER_INCH * figure.get_size_inches()[0]:
        commas = [found.start() for found in re.finditer("[,;] ", text)]
        if commas:
            middle = min(commas, key=lambda place: abs(place - len(text) / 2))
            text = f"{text[: middle + 1]}\n{text[middle + 2 :]}"
    if text:
        figure.suptitle(text, x=0.01, ha="left", fontsize=7, color="0.25")


def legend_below(figure: Figure, axis: Axes, columns: int = 4) -> None:
    """One legend for all panels, below them, with the entries of one of them."""
    handles, names = axis.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=columns)


def steps(axis: Axes, part: pd.DataFrame, colour: str, line: str, name: str) -> None:
    """A histogram (low, high, density, error) as a line with its error band."""
    edges = np.append(part["low"], part["high"].iloc[-1])
    density, error = part["density"].to_numpy(), part["error"].to_numpy()
    axis.stairs(density, edges, baseline=None, color=colour, linestyle=line, linewidth=1.2, label=name)
    low = np.maximum(density - error, 0)
    axis.stairs(density + error, edges, baseline=low, fill=True, color=colour, alpha=0.25, linewidth=0)
    axis.set_xlim(edges[0], edges[-1])


def tagger_styles(taggers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """Colour, marker and line for each (tagger, features): the colour says the tagger, the line its inputs."""
    styles: dict[tuple[str, str], dict[str, str]] = {}
    spare: dict[str, int] = {}
    inputs: dict[str, int] = {}
    for tagger, features in taggers:
        if (tagger, features) in styles:
            continue
        if tagger not in TAGGER_COLOURS:
            spare.setdefault(tagger, len(spare))
        number = spare.get(tagger, 0)
        line = inputs[tagger] = inputs.get(tagger, -1) + 1
        styles[tagger, features] = {
            "color": TAGGER_COLOURS.get(tagger, SPARE_COLOURS[number % len(SPARE_COLOURS)]),
            "marker": TAGGER_MARKERS.get(tagger, SEED_MARKERS[number % len(SEED_MARKERS)]),
            "linestyle": FEATURE_LINES[line % len(FEATURE_LINES)],
        }
    return styles


def method_style(method: str) -> dict[str, str]:
    """Colour and marker of an attribution method."""
    colour, marker = METHOD_STYLES.get(method, (GREY, "o"))
    return {"color": colour, "marker": marker}


def symmetric(values: ArrayLike, decades: int = 0) -> Normalize:
    """A colour scale that is symmetric about zero, so that white means no relevance.

    Parameters
    ----------
    values : array
    decades : int
        Logarithmic over so many powers of ten below the largest |value|, and linear below those; 0 for a linear scale.
    """
    largest = float(np.max(np.abs(values), initial=0.0)) or 1.0
    if decades:
        return SymLogNorm(largest / 10**decades, vmin=-largest, vmax=largest, base=10)
    return Normalize(-largest, largest)


def signed_colourbar(figure: Figure, drawn: ScalarMappable, axes: Any, label: str, **kwargs: Any) -> None:
    """A colour bar for `symmetric` with decades: ticks at zero and at the powers of ten of either sign."""
    norm = drawn.norm
    assert isinstance(norm, SymLogNorm)
    first, last = np.log10(norm.linthresh), np.log10(norm.vmax or 1.0)
    powers = 10.0 ** np.arange(np.ceil(first), np.floor(last) + 1)
    ticks = [*(-powers[::-1]), 0.0, *powers]
    names = [
        rf"$-10^{{{round(np.log10(-t))}}}$" if t < 0 else rf"$10^{{{round(np.log10(t))}}}$" if t else "0" for t in ticks
    ]
    bar = figure.colorbar(drawn, ax=axes, label=label, **kwargs)
    bar.set_ticks(ticks, labels=names)
    bar.minorticks_off()
