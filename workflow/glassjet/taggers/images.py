"""Jet images: 16 x 16 pixels of pT fractions in the frame of the two soft-drop subjets.

Source: arXiv:2011.13466. The leading subjet lies at the origin, the subleading one points down, lengths are in units of
the distance of the two, and the image is mirrored so that the right half has the larger sum.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassjet.jets.store import Jets

PIXELS = 16
HALF_WIDTH = 2.0  # the image spans [-2, 2] in both directions


def wrap(phi: NDArray[np.floating]) -> NDArray[np.float64]:
    """Azimuthal differences brought into [-pi, pi)."""
    return np.mod(np.asarray(phi, np.float64) + np.pi, 2 * np.pi) - np.pi


def axes(jets: Jets, observables: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The frame of each jet's image: its origin, and the vector that becomes (0, -1).

    With two soft-drop subjets: the leading one, and the way from it to the other. Without (observables column
    `has_two_subjets`): the jet's axis and the principal axis of its pT, of length one, away from the side with more pT;
    such an image is not scaled.

    Returns
    -------
    origin, down : arrays (n, 2)
        (eta, phi).
    """
    n, constituents = len(jets), jets.constituents
    origin = np.stack([jets.columns["eta"], jets.columns["phi"]], axis=1).astype(np.float64)
    owner = np.repeat(np.arange(n), constituents.counts)
    pt = constituents.columns["pt"].astype(np.float64)
    eta = constituents.columns["eta"] - origin[owner, 0]
    phi = wrap(constituents.columns["phi"] - origin[owner, 1])

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(owner, values, n).astype(np.float64)

    angle = np.arctan2(2 * total(pt * eta * phi), total(pt * eta * eta) - total(pt * phi * phi)) / 2
    down = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    along = eta * down[owner, 0] + phi * down[owner, 1]
    down[total(pt * np.sign(along)) > 0] *= -1

    subjet = {name: observables[name].to_numpy(np.float64) for name in observables.columns if name.startswith("subjet")}
    way = np.stack(
        [subjet["subjet2_eta"] - subjet["subjet1_eta"], wrap(subjet["subjet2_phi"] - subjet["subjet1_phi"])], axis=1
    )
    two = observables["has_two_subjets"].to_numpy().astype(bool) & (np.hypot(way[:, 0], way[:, 1]) > 0)
    origin[two] = np.stack([subjet["subjet1_eta"], subjet["subjet1_phi"]], axis=1)[two]
    down[two] = way[two]
    return origin, down


def images(jets: Jets, observables: pd.DataFrame) -> NDArray[np.float32]:
    """The images of jets.

    Parameters
    ----------
    jets : Jets
    observables : DataFrame
        The same jets' subjet1_eta, subjet1_phi, subjet2_eta, subjet2_phi, has_two_subjets.

    Returns
    -------
    array (n, 1, 16, 16), float32
        Sum of pT over the jet's pT in each pixel; [i, 0, row, column], rows counted upwards, columns to the right.
        Constituents outside of the frame are left out.
    """
    n, constituents = len(jets), jets.constituents
    origin, down = axes(jets, observables)
    length = np.hypot(down[:, 0], down[:, 1])
    unit = down / length[:, None]
    owner = np.repeat(np.arange(n), constituents.counts)
    eta = (constituents.columns["eta"] - origin[owner, 0]) / length[owner]
    phi = wrap(constituents.columns["phi"] - origin[owner, 1]) / length[owner]
    upwards = -(eta * unit[owner, 0] + phi * unit[owner, 1])
    rightwards = phi * unit[owner, 0] - eta * unit[owner, 1]
    row = np.floor((upwards + HALF_WIDTH) * PIXELS / (2 * HALF_WIDTH)).astype(np.int64)
    column = np.floor((rightwards + HALF_WIDTH) * PIXELS / (2 * HALF_WIDTH)).astype(np.int64)
    inside = (row >= 0) & (row < PIXELS) & (column >= 0) & (column < PIXELS)
    fraction = constituents.columns["pt"] / jets.columns["pt"].astype(np.float64)[owner]
    pixel = (owner * PIXELS + row) * PIXELS + column
    image = np.bincount(pixel[inside], weights=fraction[inside], minlength=n * PIXELS**2).reshape(n, PIXELS, PIXELS)
    half = PIXELS // 2
    mirror = image[:, :, :half].sum((1, 2)) > image[:, :, half:].sum((1, 2))
    image[mirror] = image[mirror, :, ::-1]
    return image.astype(np.float32)[:, None]
