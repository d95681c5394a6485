"""What all tests share."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """As in a training: two threads are far slower where the cores are busy with other tests."""
    import torch

    torch.set_num_threads(1)
