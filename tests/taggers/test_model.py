import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from glassjet.errors import InputError
from glassjet.taggers.baseline import MassTau32
from glassjet.taggers.build import build_network
from glassjet.taggers.features import parse
from glassjet.taggers.inputs import build, fit_scaling, scaling_of
from glassjet.taggers.model import Model, load, save, tensors
from tests.taggers.synthetic import tagged_jets


def model(tagger: str, features: str, columns: list[str] | None = None) -> Model:
    full = parse(features)
    jets, table = tagged_jets(100)
    scaling = fit_scaling(full, [(build(full, jets, table), np.ones(100))])
    used = full.only(columns or full.table)
    return Model(
        build_network(tagger, used, 3).eval(),
        tagger,
        features,
        used.table,
        scaling_of(scaling, used.table),
        "top",
        "toy",
        "particle",
        3,
    )


@pytest.mark.parametrize(
    ("tagger", "features", "columns"),
    [
        ("mbns", "mbns+noise", None),
        ("mbns", "mbns", ["mass", "pt", "tau3_b10_kt"]),
        ("pfn", "kinematics+noise", None),
        ("xaug_image", "image+xaug29", ["mass"]),
        ("xaug_image", "image", None),
    ],
)
def test_a_model_survives_the_disk(tmp_path: Path, tagger: str, features: str, columns: list[str] | None) -> None:
    made = model(tagger, features, columns)
    save(made, tmp_path / "a")
    read = load(tmp_path / "a")
    assert (read.tagger, read.features, read.columns, read.scaling) == (tagger, features, made.columns, made.scaling)
    assert (read.task, read.sample, read.level, read.seed) == ("top", "toy", "particle", 3)
    assert not read.network.training
    jets, table = tagged_jets(130, seed=9)
    expected = made.outputs(made.inputs(jets, table))
    np.testing.assert_array_equal(read.outputs(read.inputs(jets, table)), expected)
    assert expected.shape == (130,)
    save(read, tmp_path / "b")
    for name in ("model.json", "weights.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_baseline_keeps_its_window(tmp_path: Path) -> None:
    save(
        Model(MassTau32((60, 100)), *("mass_tau32",) * 2, ("mass_softdrop", "tau32"), {}, "w", "w", "particle", 0),
        tmp_path,
    )
    network = load(tmp_path).network
    assert isinstance(network, MassTau32)
    assert network.window == (60, 100)


def test_outputs_do_not_depend_on_how_jets_are_batched() -> None:
    made = model("pfn", "kinematics")
    jets, table = tagged_jets(101)
    inputs = made.inputs(jets, table)
    one_by_one = [made.outputs({name: array[[i]] for name, array in inputs.items()})[0] for i in range(101)]
    np.testing.assert_allclose(made.outputs(inputs), one_by_one, rtol=1e-4, atol=1e-5)


def test_padding_is_cut_to_the_longest_jet() -> None:
    inputs = {"constituents": np.ones((3, 9, 2), np.float32), "mask": np.arange(9) < np.array([[2], [5], [3]])}
    assert tensors(inputs, slice(0, 3))["constituents"].shape == (3, 5, 2)
    assert tensors(inputs, np.array([0, 2]))["mask"].shape == (2, 3)


def test_what_is_not_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        load(tmp_path / "none")
    with pytest.raises(InputError, match=r"model.json: no such file"):
        load(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(InputError, match="not a model of glassjet; no key tagger"):
        load(tmp_path)


def test_weights_that_do_not_fit_are_refused_by_layer(tmp_path: Path) -> None:
    save(model("mbns", "mbns"), tmp_path)
    weights = tmp_path / "weights.safetensors"
    state = load_file(weights)
    save_file(state | {"body.0.weight": torch.zeros(200, 21)}, weights)
    with pytest.raises(InputError, match=r"layer body.0.weight has shape \(200, 21\), the network needs \(200, 22\)"):
        load(tmp_path)
    save_file(state | {"head.bias": torch.tensor([0.0, float("nan")])}, weights)
    with pytest.raises(InputError, match=r"layer head.bias holds NaN"):
        load(tmp_path)
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(InputError, match="not a safetensors file, or truncated"):
        load(tmp_path)


def test_pickled_weights_are_never_read(tmp_path: Path) -> None:
    save(model("mbns", "mbns"), tmp_path)
    torch.save({}, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="not a safetensors file"):
        load(tmp_path)


def test_a_model_of_unknown_columns_is_refused(tmp_path: Path) -> None:
    save(model("mbns", "mbns"), tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    content["columns"][0] = "tau9_b05_kt"
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="no column of mbns 'tau9_b05_kt'"):
        load(tmp_path)
