import numpy as np
import pytest
import torch
from torch import nn

from glassjet.errors import InputError
from glassjet.taggers.baseline import MassTau32
from glassjet.taggers.build import NETWORKS, build_network
from glassjet.taggers.features import parse
from glassjet.taggers.layers import LogOdds
from glassjet.taggers.registry import TAGGERS, tagger_of
from glassjet.taggers.xaug import XAUGDNN


@pytest.mark.parametrize(
    ("tagger", "features", "parameters"),
    [
        ("mbns", "mbns", 57_502),
        ("pfn", "kinematics", 82_458),
        ("xaug_image", "image", 153_922),
        ("xaug_image", "image+xaug29", 153_922 + 64 * 29),
        ("xaug_dnn", "xaug29", 10_498),
        ("mass_tau32", "mass_tau32", 0),
    ],
)
def test_parameter_counts_are_the_published_ones(tagger: str, features: str, parameters: int) -> None:
    network = build_network(tagger, parse(features), seed=1)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_the_published_36_variables() -> None:
    assert sum(parameter.numel() for parameter in XAUGDNN(36).parameters()) == 10_946


def test_every_tagger_has_a_network() -> None:
    assert NETWORKS.keys() == TAGGERS.keys()


def test_initial_weights_depend_on_the_seed_only() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = build_network("mbns", parse("mbns"), 1).state_dict()
    assert (torch.get_rng_state() == before).all()
    torch.manual_seed(77)
    again, other = (build_network("mbns", parse("mbns"), seed).state_dict() for seed in (1, 2))
    assert all((first[key] == again[key]).all() for key in first)
    assert any((first[key] != other[key]).any() for key in first)


def test_log_odds_are_the_difference_of_two_outputs() -> None:
    layer = LogOdds(7).double()
    x = torch.randn(5, 7, dtype=torch.float64)
    two = nn.functional.linear(x, layer.weight, layer.bias)
    torch.testing.assert_close(layer(x), two[:, 1] - two[:, 0])
    target = torch.tensor([0, 1, 1, 0, 1])
    expected = nn.functional.cross_entropy(two, target)
    torch.testing.assert_close(nn.functional.binary_cross_entropy_with_logits(layer(x), target.double()), expected)


def test_a_pfn_does_not_see_order_or_padding() -> None:
    network = build_network("pfn", parse("kinematics"), 1).double()
    generator = np.random.default_rng(1)
    x = torch.from_numpy(generator.normal(size=(4, 9, 3)))
    mask = torch.from_numpy(np.arange(9) < generator.integers(1, 10, 4)[:, None])
    expected = network({"constituents": x, "mask": mask})
    order = torch.from_numpy(generator.permutation(9))
    torch.testing.assert_close(network({"constituents": x[:, order], "mask": mask[:, order]}), expected)
    padded = torch.cat([x, 1e3 * torch.ones(4, 5, 3, dtype=torch.float64)], 1)
    longer = torch.cat([mask, torch.zeros(4, 5, dtype=torch.bool)], 1)
    torch.testing.assert_close(network({"constituents": padded, "mask": longer}), expected)


def test_an_image_network_sees_its_expert_variables() -> None:
    network = build_network("xaug_image", parse("image+xaug29"), 1).eval()
    image, table = torch.rand(3, 1, 16, 16), torch.randn(3, 29)
    output = network({"image": image, "table": table})
    assert output.shape == (3,)
    assert (network({"image": image, "table": table + 1}) != output).all()


def test_the_baseline_is_tau32_in_the_window() -> None:
    table = torch.tensor([[104.0, 0.1], [106.0, 0.9], [209.0, 0.2], [211.0, 0.0]])
    output = MassTau32((105, 210))({"table": table})
    assert output[1:3].tolist() == pytest.approx([-0.9, -0.2])
    assert output[0] == output[3] < -1


@pytest.mark.parametrize(
    ("tagger", "features", "message"),
    [
        ("pfm", "kinematics", "there is no tagger 'pfm' .did you mean 'pfn'"),
        ("pfn", "mbns", "tagger pfn takes constituents, and features 'mbns' are table"),
        ("mbns", "kinematics", "takes table"),
        ("xaug_image", "xaug29", "takes image or image and table"),
        ("mass_tau32", "mbns", "takes the features mass_tau32"),
    ],
)
def test_a_tagger_refuses_features_that_it_cannot_take(tagger: str, features: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tagger_of(tagger, parse(features))
