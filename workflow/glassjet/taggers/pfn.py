"""PFN: the particle-flow network, a Deep Set over a jet's constituents.

Source: Komiske, Metodiev, Thaler, arXiv:1810.05165, with the layers of arXiv:2210.04371.
"""

from torch import Tensor, nn

from glassjet.taggers.layers import LogOdds, MaskedSum, dense

PHI = (100, 100, 256)
F = (100, 100, 100)


class PFN(nn.Module):
    """Phi 100-100-256 for each constituent, masked sum, F 100-100-100 and two outputs.

    82,458 parameters for the published three features of a constituent.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.phi = dense([features, *PHI])
        self.sum = MaskedSum()
        self.f = dense([PHI[-1], *F])
        self.head = LogOdds(F[-1])

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Log-odds (n,) of signal; `inputs` has `constituents` (n, m, features) and `mask` (n, m)."""
        return self.head(self.f(self.sum(self.phi(inputs["constituents"]), inputs["mask"])))
