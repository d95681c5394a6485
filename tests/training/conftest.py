import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """As in a training: two threads are far slower where the cores are busy with other tests."""
    torch.set_num_threads(1)
