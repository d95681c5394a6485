"""How the network of a tagger is made; which taggers there are stands in `glassjet.taggers.registry`."""

from collections.abc import Callable

import torch
from torch import nn

from glassjet.taggers.baseline import MassTau32
from glassjet.taggers.features import FeatureSet
from glassjet.taggers.mbns import MBNS
from glassjet.taggers.pfn import PFN
from glassjet.taggers.registry import tagger_of
from glassjet.taggers.xaug import XAUGDNN, XAUGImage

NETWORKS: dict[str, Callable[[FeatureSet], nn.Module]] = {
    "mbns": lambda features: MBNS(len(features.table)),
    "xaug_dnn": lambda features: XAUGDNN(len(features.table)),
    "xaug_image": lambda features: XAUGImage(len(features.table)),
    "pfn": lambda features: PFN(len(features.constituent_names)),
    "mass_tau32": lambda features: MassTau32(),
}


def build_network(name: str, features: FeatureSet, seed: int) -> nn.Module:
    """A new network with initial weights that depend on the seed alone; torch's global generators stay as they are.

    Parameters
    ----------
    name : str
        A name in `glassjet.taggers.registry.TAGGERS`.
    features : FeatureSet
        Gives the numbers of columns, and of features of a constituent.
    seed : int

    Raises
    ------
    InputError
        For an unknown tagger, and for features that it has no place for.
    """
    tagger_of(name, features)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU too, for good
        return NETWORKS[name](features)
