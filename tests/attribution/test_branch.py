"""A branch that is remembered gives what it gave before, and is evaluated once for equal batches."""

import torch

from glassjet.attribution import branch
from glassjet.taggers.mbns import MBNS
from glassjet.taggers.xaug import XAUGImage


def test_the_outputs_are_those_of_the_network_and_the_image_is_read_once() -> None:
    network = XAUGImage(2).eval()
    read = []
    network.image[0].register_forward_hook(lambda *_: read.append(1))
    image, other = torch.rand(5, 1, 16, 16), torch.rand(5, 1, 16, 16)
    tables = torch.rand(3, 5, 2)
    with torch.no_grad():
        expected = [network({"image": image, "table": table}) for table in tables]
        different = network({"image": other, "table": tables[0]})
        read.clear()
        with branch.remembered(network, "image"):
            found = [network({"image": image.clone(), "table": table}) for table in tables]
            assert len(read) == 1
            assert torch.equal(network({"image": other, "table": tables[0]}), different)
        network({"image": image, "table": tables[0]})
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert len(read) == 3


def test_memory_is_bounded_and_a_network_without_the_branch_is_left_alone() -> None:
    network, image = XAUGImage().eval(), torch.rand(2, 1, 16, 16)
    branch.MOST, most = 0, branch.MOST
    try:
        with torch.no_grad(), branch.remembered(network, "image"):
            assert torch.equal(network({"image": image}), network({"image": image}))
    finally:
        branch.MOST = most
    with branch.remembered(MBNS(3), "image"):
        pass
