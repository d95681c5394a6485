"""Settings of the cards, with changes, for the tests of generation."""

from typing import Any

from glassjet.jets.cards import card_of
from glassjet.jets.keys import checked, settings_of
from glassjet.jets.settings import Settings

NARROW: dict[str, Any] = {"pthat": [450, 800], "pthat_power": 0}  # fast


def settings(task: str = "top", role: str = "signal", **changes: Any) -> Settings:
    """The settings of one class of a task; `pthat` and `pthat_power` are those of this class."""
    own = {f"{role}_{name}": changes.pop(name) for name in ("pthat", "pthat_power") if name in changes}
    return settings_of(checked(card_of(task) | changes | own, "test"), role)
