"""Jets that several tests look at: made once, by one shard of each process."""

import pytest

from glassjet.jets.generation import ShardResult, shard
from tests.jets.card_settings import NARROW, settings


@pytest.fixture(scope="session")
def top() -> ShardResult:
    return shard("top", 120, 1, settings("top", "signal", **NARROW), 20000)


@pytest.fixture(scope="session")
def qcd() -> ShardResult:
    return shard("qcd", 120, 1, settings("top", "background", **NARROW), 20000)


@pytest.fixture(scope="session")
def w() -> ShardResult:
    return shard("w", 80, 1, settings("w", "signal", **NARROW), 20000)
