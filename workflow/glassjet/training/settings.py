"""How a network is trained."""

from dataclasses import dataclass

HISTORY = ["epoch", "loss", "validation_loss", "validation_auc", "learning_rate"]  # columns of history.csv
GAMMA = 0.1  # factor on the learning rate at each milestone, as in arXiv:2210.04371


@dataclass(frozen=True)
class FitSettings:
    """How a network is trained.

    Attributes
    ----------
    epochs : int
        At most.
    batch_size : int
        Jets a step.
    learning_rate : float
        Of Adam.
    patience : int
        Epochs without a lower validation loss before training ends; the weights of the lowest are kept.
    milestones : tuple of int
        Epochs after which the learning rate is divided by ten.
    """

    epochs: int = 30
    batch_size: int = 250
    learning_rate: float = 3e-4
    patience: int = 8
    milestones: tuple[int, ...] = ()

    def rate(self, epoch: int) -> float:
        """The learning rate in an epoch, counted from 0."""
        return self.learning_rate * GAMMA ** sum(epoch >= milestone for milestone in self.milestones)
