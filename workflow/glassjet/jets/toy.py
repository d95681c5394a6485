"""The two-prong toy model, in which the truth is known: what a tagger can use is r1, r2, theta and z, and nothing else.

A jet is two subjets of ten massless particles each, at an opening angle theta, which share its pT as z to 1 - z.
Angles are those of (eta, phi), pT is in GeV. Source: arXiv:2011.13466 and its code.

    signal        theta ~ N(0.2, s_theta), z ~ N(0.5, s_z)
    background    theta ~ Exp(s_theta), z ~ Exp(s_z), where s is the mean
    then          theta -> theta mod 0.5, z -> z mod 1, z -> max(z, 1 - z); so a negative theta returns from above
    radii         r1, r2 ~ U(0.25, 0.5)
    particles     share of the subjet's pT: ten draws of Exp(1) over their sum; distance from the subjet's axis: Exp of
                  mean 0.5, modulo the radius; azimuth around the axis uniform

The subjet with the share z lies at eta = phi = 0, the other at phi = -theta: downwards where phi points up. Wrapping as
modulo, 0.5 as a mean, phi as the direction: readings of the source, which leaves them open.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.jets.kinematics import Array, jets_of
from glassjet.jets.store import CONSTITUENT_COLUMNS, TYPES, Jets, Ragged

# overlap -> (s_theta, s_z) of signal, (s_theta, s_z) of background
WIDTHS = {
    0: ((0.02, 0.02), (0.02, 0.02)),
    1: ((0.03, 0.09), (0.03, 0.10)),
    2: ((0.05, 0.12), (0.05, 0.15)),
}
SIGNAL_MEAN = (0.2, 0.5)  # of theta and z
MOST_THETA = 0.5
RADII = (0.25, 0.5)
MEAN_DISTANCE = 0.5
PARTICLES = 10  # of each subjet
PT = 1000.0  # GeV, the sum over a jet's particles; the model itself has no scale


def truth(label: int, overlap: int, n: int, rng: np.random.Generator) -> dict[str, Array]:
    """The four numbers that define each jet, as columns (n,): toy_r1, toy_r2, toy_theta and toy_z (in [0.5, 1]).

    Parameters
    ----------
    label : int
        1 signal, 0 background.
    overlap : int
        How much the classes overlap: 0, 1 or 2 (arXiv:2011.13466 shows 1).
    """
    if overlap not in WIDTHS:
        raise InputError(
            f"--overlap {overlap}: the toy model has the overlaps {', '.join(map(str, WIDTHS))}; choose one"
        )
    widths = WIDTHS[overlap][0 if label == 1 else 1]
    if label == 1:
        theta, z = (rng.normal(mean, width, n) for mean, width in zip(SIGNAL_MEAN, widths, strict=True))
    else:
        theta, z = (rng.exponential(width, n) for width in widths)
    z = np.mod(z, 1.0)
    r1, r2 = rng.uniform(*RADII, (2, n))
    return {"toy_r1": r1, "toy_r2": r2, "toy_theta": np.mod(theta, MOST_THETA), "toy_z": np.maximum(z, 1 - z)}


def subjet(radius: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """The particles of subjets of these radii (n,), around an axis at the origin.

    Returns
    -------
    share, eta, phi : arrays (n, 10)
        `share` of the subjet's pT: it adds up to 1 and falls.
    """
    shape = (len(radius), PARTICLES)
    share = np.sort(rng.exponential(1.0, shape), axis=1)[:, ::-1]
    distance = np.mod(rng.exponential(MEAN_DISTANCE, shape), radius[:, None])
    azimuth = rng.uniform(0, 2 * np.pi, shape)
    return share / share.sum(axis=1, keepdims=True), distance * np.cos(azimuth), distance * np.sin(azimuth)


def toy_jets(label: int, overlap: int, n: int, rng: np.random.Generator) -> Jets:
    """Jets of the toy model.

    Parameters
    ----------
    label : int
        1 signal, 0 background.
    overlap : int
        0, 1 or 2, see `truth`.
    rng : Generator
        Equal states give equal jets; a generator asked for n jets at once gives others than asked twice for n / 2.

    Returns
    -------
    Jets
        `event` counts from 0, `weight` is 1, and the columns of `truth` stand beside. The jet is the sum of its
        particles (E scheme), whose pT add up to 1000 GeV as scalars. `partons` are the two subjets: massless, on their
        axes, pdgid 0.
    """
    jet = truth(label, overlap, n, rng)
    z, theta = jet["toy_z"][:, None], jet["toy_theta"][:, None]
    subjets = [subjet(jet[radius], rng) for radius in ("toy_r1", "toy_r2")]
    share, eta, phi = (np.concatenate(pair, axis=1) for pair in zip(*subjets, strict=True))
    axis_phi = np.concatenate([np.zeros_like(theta), -theta], axis=1)
    pt = PT * np.concatenate([z, 1 - z], axis=1)

    pt_of_particles = np.repeat(pt, PARTICLES, axis=1) * share
    constituents = massless(pt_of_particles, eta, phi + np.repeat(axis_phi, PARTICLES, axis=1))
    partons = massless(pt, np.zeros_like(pt), axis_phi)
    partons.columns["pdgid"] = np.zeros(2 * n, TYPES["pdgid"])
    columns: dict[str, NDArray[Any]] = jets_of(constituents) | {
        "label": np.full(n, label),
        "event": np.arange(n),
        "weight": np.ones(n),
    }
    columns |= jet
    return Jets({name: value.astype(TYPES.get(name, "f4")) for name, value in columns.items()}, constituents, partons)


def massless(pt: Array, eta: Array, phi: Array) -> Ragged:
    """Lists of k massless particles each, E = pT cosh eta, ordered by falling pT, from arrays (n, k)."""
    order = np.argsort(-pt, axis=1, kind="stable")
    values = dict(zip(CONSTITUENT_COLUMNS, (pt, eta, phi, pt * np.cosh(eta)), strict=True))
    columns: dict[str, NDArray[Any]] = {
        name: np.take_along_axis(value, order, axis=1).ravel().astype(TYPES[name]) for name, value in values.items()
    }
    return Ragged(np.arange(len(pt) + 1, dtype=np.int64) * pt.shape[1], columns)
