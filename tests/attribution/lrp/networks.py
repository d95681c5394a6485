"""The five networks with random weights and biases, and jets for them."""

from typing import TypeVar

import torch
from torch import Tensor, nn

from glassjet.taggers.mbns import MBNS
from glassjet.taggers.pfn import PFN
from glassjet.taggers.xaug import XAUGDNN, XAUGImage

Inputs = dict[str, Tensor]
Network = TypeVar("Network", bound=nn.Module)


def randomised(network: Network, seed: int = 0) -> Network:
    """The network with weights that keep the size of activations, and biases of the same size."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            fan_in = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * (2 / fan_in) ** 0.5
            if module.bias is not None:
                module.bias.data = torch.randn(module.bias.shape, generator=generator) * 0.3
    return network.eval()


def tables(jets: int, columns: int) -> Inputs:
    return {"table": torch.randn(jets, columns, generator=torch.Generator().manual_seed(1)).clamp(-3, 3)}


def sets(jets: int, features: int = 3, longest: int = 12) -> Inputs:
    """Jets of one to `longest` constituents, the first with none at all; padding is zero."""
    generator = torch.Generator().manual_seed(2)
    length = torch.randint(1, longest + 1, (jets, 1), generator=generator)
    length[0], length[1] = 0, longest
    mask = torch.arange(longest) < length
    x = torch.randn(jets, longest, features, generator=generator)
    return {"constituents": x * mask[..., None], "mask": mask}


def images(jets: int) -> Inputs:
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(jets, 1, 16, 16, generator=generator)
    return {"image": torch.where(image > 0.8, 10 * (image - 0.8), 0)}


def taggers(jets: int = 6) -> dict[str, tuple[nn.Module, Inputs]]:
    """The five taggers with jets to read."""
    return {
        "mbns": (randomised(MBNS(22)), tables(jets, 22)),
        "pfn": (randomised(PFN(3)), sets(jets)),
        "xaug_image": (randomised(XAUGImage(0)), images(jets)),
        "xaug_image+table": (randomised(XAUGImage(7)), images(jets) | tables(jets, 7)),
        "xaug_dnn": (randomised(XAUGDNN(29)), tables(jets, 29)),
    }
