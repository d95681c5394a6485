"""A toy sample and models on it, made once."""

from pathlib import Path

import pytest

from tests.attribution.toy_sample import write_toy


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"))
