"""The baseline that needs no network: a window on the soft-drop mass, then tau32."""

import torch
from torch import Tensor, nn

WINDOW = (105.0, 210.0)  # GeV, around the top quark's mass
OUTSIDE = -10.0  # below any -tau32, which lies between -1 and 0 but for a few jets slightly below -1


class MassTau32(nn.Module):
    """Minus tau32 where the soft-drop mass lies in the window, and one lower number for all jets outside.

    Source: the cut-based top tagger that the LHC experiments use, for instance CMS, arXiv:2004.08262.
    """

    def __init__(self, window: tuple[float, float] = WINDOW) -> None:
        super().__init__()
        self.window = window

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """A score (n,), no log-odds; `inputs` has `table` (n, 2), unscaled: soft-drop mass (GeV) and tau32."""
        mass, tau32 = inputs["table"].unbind(1)
        inside = (mass > self.window[0]) & (mass < self.window[1])
        return torch.where(inside, -tau32, torch.full_like(tau32, OUTSIDE))
