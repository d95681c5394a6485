"""Every key of a card: what it is, which values it can have, and how they are checked. Imports nothing heavy.

The same words are the keys of `tasks/<task>.yaml`, of a sample in a study's config, and the flags of `glassjet
generate` (`match_radius` is `--match-radius`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from glassjet.errors import InputError, unknown
from glassjet.jets.settings import DetectorSettings, Generator, Selection, Settings, TrackSettings

TRACKS = ("off", "measured", "production")
LAST_TUNE = 33
PER_CLASS = ("pthat", "pthat_power", "resonance", "cross_section")  # keys that signal and background have of their own


@dataclass(frozen=True)
class Key:
    """A key of a card: the type of its value, what it is, how many values (0 for any number), and their unit."""

    kind: type
    text: str
    count: int = 1
    unit: str = ""


KEYS = {
    "signal": Key(str, "the process of the signal: a name, or a file (.cmnd, .lhe, .hepmc)"),
    "background": Key(str, "the process of the background"),
    "sqrts": Key(float, "the energy of the collision", unit="GeV"),
    "tune": Key(int, "Pythia's tune (Tune:pp): 14 Monash 2013, 21 ATLAS A14, 18 CMS CUETP8M1"),
    "pdf": Key(int, "Pythia's parton distributions (PDF:pSet); 0 for the tune's own"),
    "mpi": Key(bool, "multiparton interactions; four times slower with them"),
    "isr": Key(bool, "initial-state radiation"),
    "fsr": Key(bool, "final-state radiation"),
    "hadronisation": Key(bool, "hadronisation and decays"),
    "fsr_scale": Key(float, "factor on the renormalisation scale of final-state radiation, 0.5 or 2 for its variation"),
    "stable_ctau": Key(float, "particles with a longer c tau do not decay; 0 for Pythia's own list", unit="mm"),
    "signal_pthat": Key(
        float, "pTHat, the hard process's transverse momentum, of signal: a choice of physics", 2, "GeV"
    ),
    "signal_pthat_power": Key(float, "signal is made with pTHat to this power times its rate, and weighs as much less"),
    "background_pthat": Key(float, "pTHat of background: a choice of physics", 2, "GeV"),
    "background_pthat_power": Key(float, "the power of pTHat that background is made with"),
    "pythia": Key(str, "further settings of Pythia, such as 'TimeShower:alphaSvalue = 0.12'", 0),
    "pt": Key(float, "the window of the jet's transverse momentum", 2, "GeV"),
    "abs_eta": Key(float, "the largest pseudorapidity of the jet, either way"),
    "abs_rapidity": Key(float, "the largest rapidity of the jet, either way"),
    "radius": Key(float, "the radius of the anti-kT jets"),
    "mass_softdrop": Key(float, "the window of the soft-drop mass (z_cut 0.1, beta 0)", 2, "GeV"),
    "two_subjets": Key(bool, "whether a splitting must pass soft drop"),
    "signal_resonance": Key(
        int, "PDG number of what must lie in a signal jet with the quarks it decays to; 0 for none"
    ),
    "background_resonance": Key(int, "the same of a background jet"),
    "match_radius": Key(float, "the largest distance of these partons from the jet's axis"),
    "signal_cross_section": Key(float, "of a .hepmc file of signal that does not say it", unit="pb"),
    "background_cross_section": Key(float, "of a .hepmc file of background that does not say it", unit="pb"),
    "tracks": Key(str, f"impact parameters and secondary vertices: {', '.join(TRACKS)}"),
    "detector": Key(bool, "whether a detector stands between the particles and the jets"),
    "track_field": Key(float, "the magnetic field that bends tracks", unit="T"),
    "track_pt_min": Key(float, "the smallest transverse momentum of a track", unit="GeV"),
    "track_abs_eta": Key(float, "the largest pseudorapidity of a track, either way"),
    "track_radius_max": Key(float, "tracks begin, and vertices lie, at most so far from the beam line", unit="mm"),
    "track_efficiency": Key(
        float, "share of charged particles with a track, within 0.9 in pseudorapidity and beyond", 2
    ),
    "track_d0_resolution": Key(float, "a and b (GeV) of d0: sigma^2 = a^2 + (b / (pT sqrt(sin theta)))^2", 2, "mm"),
    "track_z0_resolution": Key(float, "a and b (GeV) of z0: sigma^2 = a^2 + (b / (pT sin^(3/2) theta))^2", 2, "mm"),
    "detector_abs_eta_tracks": Key(float, "the detector finds tracks up to this pseudorapidity"),
    "detector_track_pt_min": Key(float, "and above this transverse momentum", unit="GeV"),
    "detector_track_losses": Key(float, "factor on its probability to lose a track; 0 loses none"),
    "detector_track_resolution": Key(float, "factor on the resolution of a track's pT; 0 is exact"),
    "detector_energy_resolution": Key(float, "factor on the resolution of the calorimeters; 0 is exact"),
    "detector_angular_resolution": Key(float, "factor on the resolution of directions; 0 is exact, a tower's centre"),
    "detector_thresholds": Key(float, "factor on the thresholds of calorimeter towers"),
    "detector_towers": Key(int, "each tower (0.1 x 10 degrees in the centre) is split into so many, squared"),
    "detector_magnetic_field": Key(float, "the field that bends particles on their way to the calorimeter", unit="T"),
}
OPTIONAL = {"pythia", "abs_eta", "abs_rapidity", "mass_softdrop", "two_subjets", "fsr_scale", "detector"}
OPTIONAL |= {"signal_cross_section", "background_cross_section"}
OPTIONAL |= {key for key in KEYS if key.startswith(("track_", "detector_"))}


def checked(card: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The keys of a card with values of the right type, lists as tuples.

    Raises
    ------
    InputError
        For an unknown or a missing key, and for a value of another type or number.
    """
    for name in card:
        if name not in KEYS:
            raise unknown(f"key of a card ({source})", str(name), KEYS)
    for name in KEYS:
        if name not in card and name not in OPTIONAL:
            raise InputError(f"{source}: the key {name!r} is missing; add it: {KEYS[name].text}")
    return {name: value_of(name, value, source) for name, value in card.items()}


def value_of(name: str, value: Any, source: str) -> Any:
    """One value of a card, converted; see `checked`."""
    key = KEYS[name]
    if key.count != 1:
        if not isinstance(value, list | tuple) or (key.count and len(value) != key.count):
            many = f"{key.count} values" if key.count else "a list"
            raise InputError(f"{source}: {name}: {value!r}: give {many} ({key.text})")
        return tuple(one_of(name, key, one, source) for one in value)
    return one_of(name, key, value, source)


def one_of(name: str, key: Key, value: Any, source: str) -> Any:
    """One plain value, converted; see `checked`."""
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key.kind is float and number and math.isfinite(value):
        return float(value)
    if key.kind is int and number and float(value).is_integer():
        return int(value)
    if key.kind in (bool, str) and isinstance(value, key.kind):
        return value
    raise InputError(f"{source}: {name}: {value!r} is not {words[key.kind]} ({key.text})")


def settings_of(card: Mapping[str, Any], role: str) -> Settings:
    """The settings of one class from a card that is `checked`.

    Parameters
    ----------
    role : str
        "signal" or "background".

    Raises
    ------
    InputError
        For values that cannot be; names the flag.
    """

    def part(prefix: str) -> dict[str, Any]:
        return {name.removeprefix(prefix): value for name, value in card.items() if name.startswith(prefix)}

    own = {name: card[f"{role}_{name}"] for name in PER_CLASS if f"{role}_{name}" in card}
    both = own | {name: value for name, value in card.items() if name in KEYS}
    generator = Generator(**{one.name: both[one.name] for one in fields(Generator) if one.name in both})
    selection = Selection(**{one.name: both[one.name] for one in fields(Selection) if one.name in both})
    if card["tracks"] not in TRACKS:
        raise unknown("kind of tracks", card["tracks"], TRACKS)
    settings = Settings(
        generator,
        selection,
        card["tracks"],
        TrackSettings(**part("track_")),
        DetectorSettings(**part("detector_")) if card.get("detector") else None,
    )
    require_possible(settings, role)
    return settings


def require_possible(settings: Settings, role: str) -> None:
    """Refuse values that cannot be, each in one line that names the flag."""
    generator, selection = settings.generator, settings.selection
    windows = {f"--{role}-pthat": generator.pthat, "--pt": selection.pt, "--mass-softdrop": selection.mass_softdrop}
    for name, (low, high) in windows.items():
        if not 0 <= low < high:
            raise InputError(f"{name} {low:g} {high:g}: give a lower and a higher energy in GeV, not negative")
    positive = {
        "--sqrts": generator.sqrts,
        "--abs-eta": selection.abs_eta,
        "--abs-rapidity": selection.abs_rapidity,
        "--radius": selection.radius,
        "--match-radius": selection.match_radius,
    }
    for name, value in positive.items():
        if not value > 0:
            raise InputError(f"{name} {value:g}: give a positive number")
    for name, value in {"--stable-ctau": generator.stable_ctau, f"--{role}-pthat-power": generator.pthat_power}.items():
        if not value >= 0:
            raise InputError(f"{name} {value:g}: give zero or a positive number")
    if not 10**-0.5 <= generator.fsr_scale <= 10**0.5:
        raise InputError(f"--fsr-scale {generator.fsr_scale:g}: Pythia takes 0.32 to 3.16")
    if not 1 <= generator.tune <= LAST_TUNE:
        raise InputError(
            f"--tune {generator.tune}: Pythia's tunes have the numbers 1 to {LAST_TUNE}; 14 is Monash 2013"
        )
    if generator.pthat[0] >= generator.sqrts / 2:
        low, high = generator.pthat
        raise InputError(f"--{role}-pthat {low:g} {high:g}: out of reach at --sqrts {generator.sqrts:g} GeV")
    if generator.pthat_power and generator.pthat[0] == 0:
        raise InputError(f"--{role}-pthat 0: a power of pTHat needs a lower end above zero; give one, or no power")
    if settings.tracks == "production" and settings.detector:
        raise InputError("--tracks production is the truth, which no detector sees; give --tracks measured, or off")
