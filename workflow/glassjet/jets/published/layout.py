"""The YAML that says which column of somebody's file is which: its keys, and every check that needs no file of jets.

    tree: Events                 # of a ROOT file; of HDF5 the group or the dataset; left out where there is one
    constituents:                # the name here: the file's column
      pt: part_pt                # pt, eta (or y) and phi, or px, py and pz; and energy, or mass, or neither: massless
      eta: part_eta
      phi: part_phi
      energy: part_energy
      pdgid: part_pid            # optional: pdgid, charge (in e), d0, z0, d0_error, z0_error
    count: n_part                # optional: entries of a list beyond so many are padding
    relative_to_jet: [eta, phi]  # optional: given relative to the jet's, which are then needed under `jet`
    jet: {eta: jet_eta, phi: jet_phi, tau21: jet_tau21}    # optional: what else is known of each jet
    units: {momentum: MeV, length: cm}                     # GeV and mm without it
    label: {column: is_signal, signal: [1], background: [0], ignore: [2]}
    weight: w                    # optional
    event: evt                   # optional
    level: detector              # particle or detector
    radius: 0.8
    sqrts: 13000                 # optional, GeV
    cite: "arXiv:…"              # optional

`label` is also `signal` or `background` for a whole file, or a column of 0 and 1 for each class:
`{columns: {qcd: label_QCD, top: label_top}, signal: [top], background: [qcd]}`. A column is a name, or `{X: [2]}` for
place 2 of the last axis of X.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassjet.jets.published import plain_yaml as check
from glassjet.jets.published.labels import Label, label_of
from glassjet.jets.published.plain_yaml import content_of, refusal, require_known

FORMS = (("pt", "eta", "phi"), ("pt", "y", "phi"), ("px", "py", "pz"))
KINEMATICS = ("pt", "eta", "y", "phi", "px", "py", "pz", "energy", "mass")
IMPACT = ("d0", "z0", "d0_error", "z0_error")
RELATIVE = ("pt", "eta", "y", "phi", "energy")  # pt and energy as fractions of the jet's, the others as differences
UNITS = {  # in GeV and mm
    "momentum": {"keV": 1e-6, "MeV": 1e-3, "GeV": 1.0, "TeV": 1e3},
    "length": {"um": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1e3},
}
LEVELS = ("particle", "detector")
NEEDED = ("constituents", "label", "level", "radius")
KEYS = (*NEEDED, "tree", "count", "relative_to_jet", "jet", "units", "weight", "event", "sqrts", "cite")
RESERVED = (
    "label",
    "weight",
    "event",
    "event_number",
    "source_event",
)  # have keys of their own, or a meaning in the store


@dataclass(frozen=True)
class Layout:
    """A checked YAML; columns are by the names of the file, `X[2]` for place 2 of the last axis of X."""

    path: Path
    tree: str | None
    constituents: dict[str, str]
    count: str | None
    relative: tuple[str, ...]
    jet: dict[str, str]
    momentum: float  # GeV in the file's unit
    length: float  # mm in the file's unit
    label: Label
    weight: str | None
    event: str | None
    level: str
    radius: float
    sqrts: float | None
    cite: str | None

    @property
    def form(self) -> tuple[str, ...]:
        """The three numbers that the momenta are given by."""
        return next(form for form in FORMS if all(name in self.constituents for name in form))

    def numbers(self) -> dict[str, str]:
        """Key -> column, of the columns with one number for each jet."""
        out = {f"jet.{name}": column for name, column in self.jet.items()}
        out |= {f"label.columns.{name}": c for name, c in zip(self.label.classes, self.label.columns, strict=False)}
        single = {"count": self.count, "weight": self.weight, "event": self.event}
        return out | {key: column for key, column in single.items() if column is not None}

    def lists(self) -> dict[str, str]:
        """Key -> column, of the columns with a list for each jet."""
        return {f"constituents.{name}": column for name, column in self.constituents.items()}

    def text(self) -> dict[str, str]:
        """Key -> column, of those that may be text instead."""
        return {} if self.label.column is None else {"label.column": self.label.column}


def constituents_of(path: Path, value: Any) -> dict[str, str]:
    """The key `constituents`, checked."""
    words = check.mapping(path, "constituents", value)
    require_known(path, "constituents", words, (*KINEMATICS, "pdgid", "charge", *IMPACT))
    columns = {name: check.column(path, f"constituents.{name}", column) for name, column in words.items()}
    given = {name for name in KINEMATICS if name in columns} - {"energy", "mass"}
    if given not in map(set, FORMS):
        found = ", ".join(name for name in KINEMATICS if name in given) or "none of them"
        raise refusal(path, "constituents", f"needs pt, eta (or y) and phi, or px, py and pz, but has {found}")
    if "energy" in columns and "mass" in columns:
        raise refusal(path, "constituents.mass", "energy is given too; keep one of them")
    return columns


def read_layout(path: Path) -> Layout:
    """Read and check a YAML; raises InputError as `layout_of` does."""
    return layout_of(path, content_of(path))


def layout_of(path: Path, words: dict[Any, Any]) -> Layout:
    """The content of a YAML, checked.

    Raises
    ------
    InputError
        In one line that names the file and the key, for whatever cannot be.
    """
    require_known(path, "the top", words, KEYS)
    for name in NEEDED:
        if name not in words:
            raise refusal(path, name, "the key is missing; add it")
    constituents = constituents_of(path, words["constituents"])
    jet = {}
    for name, column in check.mapping(path, "jet", words["jet"]).items() if "jet" in words else ():
        if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
            raise refusal(path, f"jet.{name}", "cannot be the name of a column of jets; give letters and digits")
        jet[name] = check.column(path, f"jet.{name}", column)
    relative = check.values(path, "relative_to_jet", words.get("relative_to_jet", []))
    require_known(
        path, "relative_to_jet", relative, [name for name in RELATIVE if name in constituents], "relative column"
    )
    for name in relative:
        if name not in jet:
            raise refusal(path, "relative_to_jet", f"{name} needs the jet's; give jet: {{{name}: …}}")
    units = check.mapping(path, "units", words["units"]) if "units" in words else {}
    require_known(path, "units", units, UNITS)
    for name, unit in units.items():
        require_known(path, f"units.{name}", [unit], UNITS[name], "unit")
    require_known(path, "level", [words["level"]], LEVELS, "level")
    plain = {name: words.get(name) for name in ("tree", "count", "weight", "event", "cite")}
    layout = Layout(
        path,
        constituents=constituents,
        relative=relative,
        jet=jet,
        momentum=UNITS["momentum"][units.get("momentum", "GeV")],
        length=UNITS["length"][units.get("length", "mm")],
        label=label_of(path, words["label"]),
        level=words["level"],
        radius=check.positive(path, "radius", words["radius"]),
        sqrts=check.positive(path, "sqrts", words["sqrts"]) if "sqrts" in words else None,
        **{name: None if value is None else check.column(path, name, value) for name, value in plain.items()},
    )
    mapped: dict[str, str] = {}
    for key, column in (layout.lists() | layout.numbers() | layout.text()).items():
        if column in mapped:
            raise refusal(path, key, f"the column {column!r} stands at {mapped[column]} too; a column is one thing")
        mapped[column] = key
    return layout
