"""Does relevance add up, and how much of it never reached an input? One row of conservation.csv for a preset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SHARES = ("bias", "stabiliser", "undistributable")
COLUMNS = ("closure_max", *(f"{name}_share" for name in SHARES), "relevance_over_output_max", "jets")


def conservation(output: Array, ledger: Mapping[str, Array]) -> dict[str, float]:
    """A summary of the ledger of n jets.

    Parameters
    ----------
    output : array (n,)
        The explained log-odds f.
    ledger : dict of arrays (n,)
        From `glassjet.attribution.lrp.ledger`: bias, stabiliser, undistributable; closure; absolute, the largest sum of
        |R| over layers.

    Returns
    -------
    dict
        closure_max: the largest closure of a jet. bias_share, stabiliser_share, undistributable_share: the median
        over jets of |share| / |f|; they can exceed one, for shares of both signs cancel. relevance_over_output_max:
        the largest sum of |R| over |f|. jets: n.
    """
    size = np.maximum(np.abs(output), np.finfo(np.float32).tiny)
    found = {"closure_max": float(ledger["closure"].max())}
    for name in SHARES:
        found[f"{name}_share"] = float(np.median(np.abs(ledger[name]) / size))
    return found | {"relevance_over_output_max": float((ledger["absolute"] / size).max()), "jets": len(output)}
