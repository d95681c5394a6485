"""MBNS: a dense network on multi-body N-subjettiness.

Source: arXiv:2210.04371 (Multi-Body), after Moore, Nordstroem, Varma, Fairbairn, arXiv:1807.04769.
"""

from torch import Tensor, nn

from glassjet.taggers.layers import LogOdds, dense

LAYERS = (200, 200, 50, 50)
DROPOUT = (0.2, 0.2, 0.1, 0.1)


class MBNS(nn.Module):
    """Dense 200-200-50-50 with dropout .2, .2, .1, .1 and two outputs: 57,502 parameters for the 22 inputs."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.body = dense([columns, *LAYERS], list(DROPOUT))
        self.head = LogOdds(LAYERS[-1])

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Log-odds (n,) of signal; `inputs` has `table` (n, columns)."""
        return self.head(self.body(inputs["table"]))
