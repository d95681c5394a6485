"""What the jets of a class depend on: the collision, the selection, the tracker, the detector. Imports nothing heavy.

What the card's keys are, and how they become these, is in `glassjet.jets.keys`.
"""

import math
from dataclasses import dataclass, field, fields

from glassjet.errors import InputError

FINEST_TOWERS = 1000


@dataclass(frozen=True)
class Generator:
    """The collision and what Pythia does with it.

    Attributes
    ----------
    sqrts : float
        Energy of the two protons together, GeV.
    tune : int
        Pythia's number of the tune, Tune:pp: 14 is Monash 2013 (arXiv:1404.5630), 21 ATLAS A14 with NNPDF2.3LO
        (ATL-PHYS-PUB-2014-021), 18 CMS MonashStar (CUETP8M1, arXiv:1512.00815).
    pdf : int
        Pythia's number of the parton distributions, PDF:pSet; 0 for the tune's own.
    mpi, isr, fsr, hadronisation : bool
        Multiparton interactions, initial- and final-state radiation, hadronisation.
    fsr_scale : float
        Factor on the renormalisation scale of final-state radiation, 0.5 and 2 for the usual variation: a smaller scale
        means a larger coupling and more radiation (arXiv:1605.08352).
    stable_ctau : float
        Particles with a longer c tau (mm) do not decay; 0 for Pythia's own list.
    pthat : (float, float)
        Range of the hard process's transverse momentum. A choice of physics, not only of efficiency: jets of the window
        whose hard process was softer are missing.
    pthat_power : float
        Events are made with pTHat to this power times their rate (bias2Selection), and weigh as much less.
    pythia : tuple of str
        Further lines for Pythia's `readString`, behind those of the process.
    cross_section : float
        Of a file of whole events that does not say it, pb; 0 if it does, or if Pythia computes it.
    """

    sqrts: float
    pthat: tuple[float, float]
    tune: int = 14
    pdf: int = 0
    mpi: bool = False
    isr: bool = True
    fsr: bool = True
    hadronisation: bool = True
    fsr_scale: float = 1.0
    stable_ctau: float = 0.0
    pthat_power: float = 0.0
    pythia: tuple[str, ...] = ()
    cross_section: float = 0.0


@dataclass(frozen=True)
class Selection:
    """Which jets are kept. The leading anti-kT jet of the event is looked at, and no other.

    Attributes
    ----------
    pt : (float, float)
        Window of the jet's transverse momentum, GeV.
    radius : float
        Of the anti-kT jets.
    abs_eta, abs_rapidity : float
        Upper limits; infinite for none.
    mass_softdrop : (float, float)
        Window of the soft-drop mass (z_cut 0.1, beta 0), GeV.
    two_subjets : bool
        Whether a splitting must pass soft drop.
    resonance : int
        |PDG id| of the particle that must lie in the jet with all quarks of its decay; 0 if nothing is required, and
        the nearest outgoing parton of the hard process is stored if it lies within the radius.
    match_radius : float
        Largest distance of these partons from the jet's axis in rapidity and azimuth.
    """

    pt: tuple[float, float]
    radius: float = 0.8
    abs_eta: float = math.inf
    abs_rapidity: float = math.inf
    mass_softdrop: tuple[float, float] = (0.0, math.inf)
    two_subjets: bool = False
    resonance: int = 0
    match_radius: float = 0.8

    @property
    def grooms(self) -> bool:
        """Whether soft drop is part of the selection."""
        return self.two_subjets or self.mass_softdrop != (0.0, math.inf)


@dataclass(frozen=True)
class TrackSettings:
    """What the tracker measures, by default much like that of CMS.

    Attributes
    ----------
    field : float
        B along +z, T. CMS: 3.8 (arXiv:1405.6569).
    pt_min : float
        GeV. Particle-flow candidates of arXiv:2211.12770 have pT > 0.95.
    abs_eta : float
        The tracker's acceptance, CMS: 2.5 (arXiv:1405.6569).
    radius_max : float
        mm, transverse. A particle born outside the innermost pixel layer has no hit there and counts as not measured;
        29 to 30 mm in CMS since 2017 (arXiv:2012.14304).
    efficiency : (float, float)
        For |eta| below and above 0.9: 94% and 85% for promptly produced charged particles with pT > 0.9 GeV in tt
        events (arXiv:1405.6569). The same for all kinds of particles: the losses are mostly nuclear interactions, so
        muons get too few.
    d0_resolution, z0_resolution : (float, float)
        a (mm) and b (mm GeV) of `resolution`. CMS (arXiv:1405.6569) has 10 and 30 um for isolated muons of 100 GeV with
        |eta| < 1.4, and 25-90 and 45-150 um for non-isolated particles of 10 to 1 GeV there. The first two are a; b
        is such that the means over |eta| < 1.4 at 1 GeV are 90 and 150 um. At 10 GeV these constants give 13 and
        34 um, less than the 25 and 45 um of CMS: two terms cannot meet all three points, and a tracker with a layer at
        30 mm, as assumed here, lies between.
    """

    field: float = 3.8
    pt_min: float = 0.95
    abs_eta: float = 2.5
    radius_max: float = 30.0
    efficiency: tuple[float, float] = (0.94, 0.85)
    d0_resolution: tuple[float, float] = (0.010, 0.077)
    z0_resolution: tuple[float, float] = (0.030, 0.090)

    def __post_init__(self) -> None:
        if not 0 <= self.field < math.inf:
            raise InputError(f"--track-field {self.field:g}: give a field in tesla, not negative")
        for name, unit in (("pt_min", " in GeV"), ("abs_eta", ""), ("radius_max", " in mm")):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InputError(f"--track-{name.replace('_', '-')} {value:g}: give a positive number{unit}")
        if len(self.efficiency) != 2 or not all(0 <= value <= 1 for value in self.efficiency):
            given = " ".join(f"{value:g}" for value in self.efficiency)
            raise InputError(f"--track-efficiency {given}: give two numbers from 0 to 1")
        for name in ("d0_resolution", "z0_resolution"):
            values = getattr(self, name)
            # without an error there is no significance, and an error of 0 marks particles without a track
            if len(values) != 2 or not all(0 <= value < math.inf for value in values) or sum(values) == 0:
                given = " ".join(f"{value:g}" for value in values)
                flag = f"--track-{name.replace('_', '-')}"
                raise InputError(f"{flag} {given}: give a in mm and b in mm GeV, not negative, not both 0")


@dataclass(frozen=True)
class DetectorSettings:
    """What to switch or scale; for a factor, 1 is the detector of the card and 0 takes the effect away.

    Attributes
    ----------
    abs_eta_tracks : float
        Tracks are found below this |eta|, which is that of the point where the particle leaves the field.
    track_pt_min : float
        Tracks are found above this pT, GeV.
    track_losses : float
        Factor on the probability to lose a track (1% to 50%).
    track_resolution, energy_resolution : float
        Factors on sigma of a track's pT, and of the energy in a calorimeter.
    angular_resolution : float
        Factor on sigma of a track's phi and cot theta, which are exact in the card (ATLAS, JINST 3 (2008) S08003), and
        on the spread of a tower's direction, which is uniform over the tower as in the card; with 0 it is the centre.
    thresholds : float
        Factor on what a tower must have: 0.5 GeV in the ECAL, 1 GeV in the HCAL, and an energy of one sigma.
    towers : int
        Each tower of the card (0.1 in eta, 10 degrees in phi for |eta| < 2.6; up to 0.2 and 20 degrees beyond, to 4.9)
        is split into towers x towers.
    magnetic_field : float
        B along +z, T. It decides which tower a charged particle hits; the direction of a track is that at the origin.
    """

    abs_eta_tracks: float = 2.5
    track_pt_min: float = 0.1
    track_losses: float = 1.0
    track_resolution: float = 1.0
    energy_resolution: float = 1.0
    angular_resolution: float = 1.0
    thresholds: float = 1.0
    towers: int = 1
    magnetic_field: float = 2.0

    def __post_init__(self) -> None:
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise InputError(f"--detector-{name.replace('_', '-')} {value:g}: give a number that is not negative")
        if self.towers not in range(1, FINEST_TOWERS + 1):
            raise InputError(f"--detector-towers {self.towers:g}: give a whole number from 1 to {FINEST_TOWERS}")


@dataclass(frozen=True)
class Settings:
    """All that the jets of one class depend on besides the process and the seed.

    Attributes
    ----------
    generator : Generator
    selection : Selection
    tracks : str
        "off"; "measured": impact parameters with a detector's resolution, and secondary vertices found with them;
        "production": the true production vertices of arXiv:2011.13466, for comparison.
    track : TrackSettings
    detector : DetectorSettings or None
        None for jets at particle level.
    """

    generator: Generator
    selection: Selection
    tracks: str = "off"
    track: TrackSettings = field(default_factory=TrackSettings)
    detector: DetectorSettings | None = None
