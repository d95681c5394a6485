"""What the variables of some jets share: clusterings, groomed jets and axes, each made once, when first asked for."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from glassjet.jets.store import Ragged
from glassjet.observables import kinematics
from glassjet.observables.clustering import Algorithm, History, Recombination, cluster
from glassjet.observables.kinematics import Floats, Integers
from glassjet.observables.recipes import Grooming
from glassjet.observables.soft_drop import Groomed, soft_drop

Made = TypeVar("Made")


class Shared:
    """Jets, and all that is made of them on the way to their variables.

    Parameters
    ----------
    constituents : Ragged
        Of n jets, each with at least one constituent, all of pT > 0.
    radius : float
        The jets' radius, R0 of soft drop.

    Attributes
    ----------
    momenta, points, offsets : arrays (N, 4), (N, 3), (n + 1,)
        px, py, pz, E (GeV), and pT (GeV), y, phi of the N constituents; jet i owns offsets[i]:offsets[i + 1].
    jets : array (n, 4)
        The sums of the jets' four-momenta.
    pt : array (n,)
        Their pT in GeV.
    """

    def __init__(self, constituents: Ragged, radius: float) -> None:
        self.constituents = constituents
        self.radius = radius
        self.offsets: Integers = constituents.offsets
        self.momenta: Floats = kinematics.four_momenta(constituents)
        self.points: Floats = kinematics.plane(self.momenta)
        self.jets: Floats = kinematics.sums(self.momenta, self.offsets)
        self.pt: Floats = kinematics.transverse_momentum(self.jets)
        self._made: dict[Hashable, Any] = {}

    def _once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    def groomed(self, grooming: Grooming) -> Groomed:
        """The jets after soft drop."""
        cut = (grooming.z_cut, grooming.beta, self.radius)
        return self._once(grooming, lambda: soft_drop(self.history("ca"), *cut))

    def kept(self, grooming: Grooming | None) -> tuple[Floats, Floats, Integers]:
        """Momenta, points and offsets of the constituents that a grooming leaves; of all without one."""
        if grooming is None:
            return self.momenta, self.points, self.offsets
        return self._once(("kept", grooming), lambda: self._left(self.groomed(grooming)))

    def _left(self, groomed: Groomed) -> tuple[Floats, Floats, Integers]:
        keep = groomed.prong > 0
        before = np.concatenate([[0], np.cumsum(keep)]).astype(np.int64)
        return self.momenta[keep], self.points[keep], before[self.offsets]

    def history(
        self,
        algorithm: Algorithm,
        recombination: Recombination = "four_momentum",
        grooming: Grooming | None = None,
    ) -> History:
        """How the constituents merge."""
        momenta, points, offsets = self.kept(grooming)
        key = (algorithm, recombination, grooming)
        return self._once(key, lambda: cluster(momenta, offsets, algorithm, recombination, points))
