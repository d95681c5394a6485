"""The taggers with expert variables (XAUG) of arXiv:2011.13466: a network with an image, and one without."""

import torch
from torch import Tensor, nn

from glassjet.taggers.layers import LogOdds, dense

PIXELS = 16
DENSE = (64, 128)


class XAUGImage(nn.Module):
    """Three convolutions and pooling; the expert variables are concatenated with the 2048 numbers that result.

    Convolutions 32 of 5x5, 3x3 and 2x2 (same padding), dropout .2, 2x2 maximum; dense 64-128 and two outputs: 153,922
    parameters for the image alone, 64 more for each expert variable.
    """

    def __init__(self, columns: int = 0) -> None:
        super().__init__()
        self.image = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
            # An even kernel: as in the original (TensorFlow), the one row and column of padding lie behind the image.
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(32, 32, 2),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.dense = dense([32 * (PIXELS // 2) ** 2 + columns, *DENSE])
        self.head = LogOdds(DENSE[-1])

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Log-odds (n,) of signal; `inputs` has `image` (n, 1, 16, 16) and, where wanted, `table` (n, columns)."""
        x = self.image(inputs["image"])
        if "table" in inputs:
            x = torch.cat([x, inputs["table"]], dim=1)
        return self.head(self.dense(x))


class XAUGDNN(nn.Module):
    """Dense 64-128 and two outputs on expert variables alone: 10,946 parameters for 36, 10,498 for 29."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.dense = dense([columns, *DENSE])
        self.head = LogOdds(DENSE[-1])

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Log-odds (n,) of signal; `inputs` has `table` (n, columns)."""
        return self.head(self.dense(inputs["table"]))
