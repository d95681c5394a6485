from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from glassjet.errors import InputError
from glassjet.jets.store import writing
from glassjet.taggers.build import build_network
from glassjet.taggers.features import parse
from glassjet.taggers.inputs import Inputs, join
from glassjet.taggers.sample import open_sample
from glassjet.training import batches
from glassjet.training.batches import InMemory, Piece, Streamed
from glassjet.training.data import load
from glassjet.training.fit import fit
from glassjet.training.metrics import auc
from glassjet.training.settings import FitSettings
from tests.taggers.synthetic import tagged_jets, write_sample

FEATURES = parse("mbns")
SETTINGS = FitSettings(epochs=4, batch_size=50, learning_rate=1e-3, patience=4)


class Interrupted(InMemory):
    """Training jets whose epoch number `at` breaks off in the middle, as a kill does."""

    at: int

    def epoch(self, order: np.random.Generator, batch_size: int) -> Iterator[list[Piece]]:
        self.at -= 1
        for i, batch in enumerate(super().epoch(order, batch_size)):
            if self.at < 0 and i == 2:
                raise KeyboardInterrupt
            yield batch


def arrays(n: int, seed: int = 1) -> tuple[Inputs, NDArray[np.int64], NDArray[np.float64]]:
    """Inputs, labels and weights of jets that a network can tell apart."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 2, n)
    table = generator.normal(0.5 * label[:, None], 1, (n, 22)).astype(np.float32)
    return {"table": table}, label, generator.uniform(0.5, 1.5, n)


def tables(n: int, seed: int = 1) -> InMemory:
    return InMemory(*arrays(n, seed))


def network(seed: int = 1) -> nn.Module:
    return build_network("mbns", FEATURES, seed)


def state(made: nn.Module) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in made.state_dict().values())


def test_training_learns_and_gives_the_same_bytes_twice() -> None:
    made = []
    for _ in range(2):
        net = network()
        torch.rand(7)  # whatever else draws random numbers
        result = fit(net, tables(600), tables(300, 2), SETTINGS, seed=1)
        made.append((state(net), result.table().to_csv()))
    assert made[0] == made[1]
    assert result.validation_auc > 0.9
    assert result.table()["validation_loss"].iloc[-1] < result.table()["validation_loss"].iloc[0]
    assert not net.training
    other = network()
    fit(other, tables(600), tables(300, 2), SETTINGS, seed=2)
    assert state(other) != made[0][0]


def test_the_global_random_numbers_stay() -> None:
    before = torch.get_rng_state()
    fit(network(), tables(100), tables(50, 2), FitSettings(epochs=1), seed=1)
    assert (torch.get_rng_state() == before).all()


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_run_that_was_stopped_ends_with_the_same_bytes(tmp_path: Path, at: int) -> None:
    whole = network()
    expected = fit(whole, tables(400), tables(200, 2), SETTINGS, 1)
    checkpoint = tmp_path / "c" / "fit.safetensors"
    train = Interrupted(*arrays(400))
    train.at = at
    with pytest.raises(KeyboardInterrupt):
        fit(network(), train, tables(200, 2), SETTINGS, 1, checkpoint=checkpoint)
    resumed = network()
    result = fit(resumed, tables(400), tables(200, 2), SETTINGS, 1, checkpoint=checkpoint)
    assert state(resumed) == state(whole)
    assert result.history == expected.history
    assert sorted(path.name for path in checkpoint.parent.iterdir()) == ["fit.safetensors"]


def test_a_checkpoint_of_another_training_is_left_aside(tmp_path: Path) -> None:
    checkpoint = tmp_path / "fit.safetensors"
    fit(network(), tables(200), tables(100, 2), SETTINGS, 1, checkpoint=checkpoint, digest="a")
    for settings, seed, digest in [(SETTINGS, 1, "b"), (SETTINGS, 2, "a"), (FitSettings(4, 50, 2e-3, 4), 1, "a")]:
        fresh, expected = network(), network()
        fit(fresh, tables(200), tables(100, 2), settings, seed, checkpoint=checkpoint, digest=digest)
        fit(expected, tables(200), tables(100, 2), settings, seed)
        assert state(fresh) == state(expected)
    checkpoint.write_bytes(b"rubbish")
    fresh = network()
    fit(fresh, tables(200), tables(100, 2), settings, seed, checkpoint=checkpoint, digest=digest)
    assert state(fresh) == state(expected)


def test_early_stopping_keeps_the_best_weights() -> None:
    """Random labels: the validation loss soon rises."""
    train, validation = tables(60), tables(60, 2)
    train = InMemory({"table": next(validation.in_order())["table"].numpy()}, train.label, train.weight)
    net = network()
    result = fit(net, train, validation, FitSettings(60, 10, 3e-3, patience=3), 1)
    losses = result.table()["validation_loss"]
    assert len(losses) == result.best_epoch + 3 < 60
    assert losses.argmin() + 1 == result.best_epoch
    with torch.no_grad():
        output = net(next(validation.in_order())).double().numpy()
    assert auc(output, validation.label, validation.weight) == result.validation_auc


def test_milestones_divide_the_rate_by_ten() -> None:
    settings = FitSettings(4, 50, 1e-2, 4, milestones=(1, 3))
    result = fit(network(), tables(100), tables(50, 2), settings, 1)
    assert result.table()["learning_rate"].tolist() == pytest.approx([1e-2, 1e-3, 1e-3, 1e-4])


def test_an_exploding_loss_names_the_way_out() -> None:
    train = tables(200)
    with pytest.raises(
        InputError, match=r"loss is NaN or infinite in epoch \d+; try a lower --learning-rate than 1e\+20"
    ):
        fit(network(), train, tables(50, 2), FitSettings(5, 20, 1e20), 1)


def test_the_loss_is_the_weighted_mean() -> None:
    """With a learning rate of almost zero and no dropout, the first epoch's loss is that of the initial network."""
    train = tables(130)
    net = build_network("xaug_dnn", FEATURES, 1)
    with torch.no_grad():
        output = net(next(train.in_order())).double().numpy()
    expected = np.mean(train.weight * np.logaddexp(0, np.where(train.label == 1, -output, output)))
    result = fit(net, train, train, FitSettings(1, 32, 1e-30), 1)
    assert result.history[0]["loss"] == pytest.approx(expected, rel=1e-5)
    assert result.history[0]["validation_loss"] == pytest.approx(expected / train.weight.mean(), rel=1e-5)


def test_columns_of_a_sample() -> None:
    few = tables(50).columns([3, 1])
    np.testing.assert_array_equal(next(few.in_order())["table"], next(tables(50).in_order())["table"][:, [3, 1]])


def constituents(n: int) -> InMemory:
    generator = np.random.default_rng(1)
    mask = np.arange(40) < generator.integers(1, 41, n)[:, None]
    x = (generator.normal(size=(n, 40, 3)) * mask[..., None]).astype(np.float32)
    return InMemory({"constituents": x, "mask": mask}, np.arange(n) % 2, np.ones(n))


def test_an_epoch_has_every_jet_once_in_an_order_of_its_own() -> None:
    jets = InMemory({"table": np.arange(203, dtype=np.float32)[:, None]}, np.arange(203) % 2, np.ones(203))

    def order(seed: int) -> list[list[float]]:
        epoch = list(jets.epoch(np.random.default_rng(seed), 100))
        assert [len(batch) for batch in epoch] == [1, 1, 1]
        return [batch[0].inputs["table"][:, 0].tolist() for batch in epoch]

    assert [len(batch) for batch in order(1)] == [100, 100, 3]
    assert sorted(sum(order(1), [])) == list(range(203))  # noqa: RUF017
    assert order(1) == order(1) != order(2)


def test_pieces_of_a_batch_give_the_gradient_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    jets = constituents(200)
    gradients = []
    for piece in (20, 1000):
        monkeypatch.setattr(batches, "PIECE", piece)
        net = build_network("pfn", parse("kinematics"), 1)
        (batch,) = jets.epoch(np.random.default_rng(1), 200)
        for part in batch:
            loss = nn.functional.binary_cross_entropy_with_logits(
                net(part.inputs), part.label, part.weight, reduction="sum"
            )
            loss.backward()
        gradients.append(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]))
        assert len(batch) == 200 // piece or 1
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["kinematics+noise", "image+mbns"])
def test_streaming_reads_every_jet_once_within_the_buffer(tmp_path: Path, name: str) -> None:
    features = parse(name)
    sample = open_sample(*write_sample(tmp_path, "train", 230), features.observables)
    streamed = Streamed(sample, features, {}, np.arange(230.0), buffer=100)
    streamed._block = 40
    whole = join([inputs for _, inputs in sample.blocks(features)])
    seen: list[float] = []
    for batch in streamed.epoch(np.random.default_rng(1), 32):
        for piece in batch:
            rows = piece.weight.long().numpy()
            seen += rows.tolist()
            np.testing.assert_array_equal(piece.label, sample.label[rows])
            for key, tensor in piece.inputs.items():
                expected = whole[key][rows]
                np.testing.assert_array_equal(tensor, expected[:, : tensor.shape[1]])
    assert sorted(seen) == list(range(230))
    assert seen != sorted(seen)
    again = [p.weight.tolist() for batch in streamed.epoch(np.random.default_rng(1), 32) for p in batch]
    assert [weight for part in again for weight in part] == seen
    ordered = join([{key: tensor.numpy() for key, tensor in part.items()} for part in streamed.in_order()])
    for key, array in ordered.items():
        np.testing.assert_array_equal(array, whole[key])


def test_a_small_buffer_gives_the_same_scaling_and_a_network_as_good(tmp_path: Path) -> None:
    train, validation = write_sample(tmp_path, "train", 600), write_sample(tmp_path, "validation", 200, 2, 10_000)
    found = {}
    for buffer in (100, 1000):
        jets = load(parse("mbns"), *train, *validation, buffer=buffer)
        assert isinstance(jets.train, Streamed if buffer == 100 else InMemory)
        found[buffer] = jets
        result = fit(network(), jets.train, jets.validation, FitSettings(8, 50, 1e-3), 1)
        assert result.validation_auc > 0.9
    for key in ("mean", "std"):
        np.testing.assert_allclose(found[100].scaling["table"][key], found[1000].scaling["table"][key], rtol=1e-9)


def test_a_pt_that_cannot_be_matched_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    validation = write_sample(tmp_path, "validation", 50, 2, 10_000)
    jets, table = tagged_jets(200)
    load(FEATURES, *write_sample(tmp_path, "train", 200), *validation)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    jets.columns["pt"][jets.columns["label"] == 0] *= 0.5
    with writing(tmp_path / "j.h5", {"sample": "toy", "split": "train", "level": "particle"}, "{}") as writer:
        writer.append(jets)
    table.to_parquet(tmp_path / "o.parquet")
    load(FEATURES, tmp_path / "j.h5", tmp_path / "o.parquet", *validation)
    assert "pT alone still tells the classes apart" in caplog.text
