"""Relevance: how fast, and how near to Shapley values each rule comes.

Run it by hand:  OMP_NUM_THREADS=1 python tests/benchmarks/lrp.py speed
                 OMP_NUM_THREADS=1 python tests/benchmarks/lrp.py agreement

`speed` prints CPU seconds per 1,000 jets of a PFN (60 constituents, 5 features), beside the forward pass, the plain
gradient and captum, which is wrong there by the multiplicity. `agreement` trains taggers on toy jets (three prongs
against one or two) and a toy table, and prints for each rule

    corr      correlation of relevance with Shapley values over the players of a jet, mean over jets
    rank      Spearman correlation of absolute values, mean over jets
    resid     |R - phi| / |phi| over all jets
    seeds     correlation of the relevance of two trainings
    sum|R|, inputs, bias, stab, undist: medians over jets of the ledger's entries over |f|

The players are the columns of the table (absent: as in another jet), the constituents (absent: masked out; their
relevance is the sum over features and `presence`), and the pixels that are not empty (absent: zero).
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from captum.attr import LRP
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor, nn

from glassjet.attribution.lrp.engine import Explanation, relevance
from glassjet.attribution.lrp.presets import P1, P2, RECOMMENDED, Preset, with_box
from glassjet.attribution.lrp.rules import AlphaBeta, Epsilon, Flat, Gamma, Rule, WSquare, Zero
from glassjet.taggers.mbns import MBNS
from glassjet.taggers.pfn import PFN
from glassjet.taggers.xaug import XAUGImage

Inputs = dict[str, Tensor]
PERMUTATIONS = 200


def everywhere(rule: Rule, at_input: Rule | None = None, convolution: Rule | None = None) -> Preset:
    rules: Any = {"dense": rule, "convolution": convolution or rule, "head": Zero(), "sum": Zero()}
    first: Any = {"dense": at_input, "convolution": at_input} if at_input else {}
    return Preset("benchmark", "", rules, first)


# --- speed -----------------------------------------------------------------------------------------------------------


class Functional(nn.Module):
    """The PFN as captum needs it: modules and a functional sum."""

    def __init__(self, pfn: PFN) -> None:
        super().__init__()
        self.phi, self.f, self.head = pfn.phi, pfn.f, nn.Linear(100, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.f(self.phi(x).sum(1)))


def speed(jets: int = 1000, chunk: int = 100) -> None:
    """CPU seconds per 1,000 jets, the best of five."""
    torch.manual_seed(0)
    network = PFN(5).eval()
    mask = torch.arange(60) < torch.randint(20, 61, (jets, 1))
    inputs = {"constituents": torch.randn(jets, 60, 5) * mask[..., None], "mask": mask}

    def gradient(part: Inputs) -> None:
        x = part["constituents"].clone().requires_grad_()
        torch.autograd.grad(network({**part, "constituents": x}).sum(), x)

    def captum(part: Inputs) -> None:
        LRP(Functional(network)).attribute(part["constituents"].clone().requires_grad_())

    def by(preset: Preset) -> Callable[[Inputs], Any]:
        return lambda part: relevance(network, part, preset)

    cases: dict[str, Callable[[Inputs], Any]] = {
        "forward": torch.no_grad()(network),
        "gradient": gradient,
        "epsilon": by(everywhere(Epsilon(0.01))),
        "zero": by(everywhere(Zero())),
        "p1": by(P1),
        "p2": by(P2),
        "recommended": by(RECOMMENDED),
        "captum (wrong)": captum,
    }
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(5):  # all in turn, so that a busy machine slows all
        for name, function in cases.items():
            start = time.process_time()
            for first in range(0, jets, chunk):
                function({key: value[first : first + chunk] for key, value in inputs.items()})
            best[name] = min(best[name], time.process_time() - start)
    for name, seconds in best.items():
        print(f"{name:16s} {1000 * seconds / jets:6.3f} s per 1,000 jets")


# --- agreement with Shapley values -----------------------------------------------------------------------------------


def toy_jets(jets: int, generator: np.random.Generator, longest: int = 40) -> tuple[dict[str, Tensor], Tensor]:
    """Constituents (pT fraction, eta, phi) of jets of three prongs (signal) or one or two, and their images."""
    label = np.arange(jets) % 2
    x, mask = np.zeros((jets, longest, 3)), np.zeros((jets, longest), bool)
    image = np.zeros((jets, 1, 16, 16))
    for i in range(jets):
        prongs = 3 if label[i] else generator.integers(1, 3)
        axes = generator.normal(0, 0.25, (prongs, 2))
        share = generator.dirichlet([3.0] * prongs)
        axes -= share @ axes
        n = generator.integers(10, longest + 1)
        prong = generator.choice(prongs, n, p=share)
        angle = axes[prong] + generator.exponential(0.08, (n, 1)) * generator.normal(size=(n, 2))
        z = np.sort(generator.dirichlet([0.4] * n))[::-1]
        x[i, :n], mask[i, :n] = np.column_stack([z, angle]), True
        image[i, 0] = np.histogram2d(angle[:, 0], angle[:, 1], bins=16, range=[[-0.8, 0.8]] * 2, weights=z)[0]
    return {
        "constituents": torch.tensor(x / x[mask].std(0), dtype=torch.float32),
        "mask": torch.tensor(mask),
        "image": torch.tensor(image / np.sqrt((image**2).mean()), dtype=torch.float32),
    }, torch.tensor(label, dtype=torch.float32)


def toy_table(jets: int, generator: np.random.Generator) -> tuple[Inputs, Tensor]:
    """22 columns that six hidden quantities make, as correlated as expert variables, and five of noise."""
    mixing = np.random.default_rng(1).normal(size=(6, 22)) * (np.random.default_rng(2).random((6, 22)) < 0.45)
    u = generator.normal(size=(jets, 6))
    x = np.column_stack([u @ mixing + 0.35 * generator.normal(size=(jets, 22)), generator.normal(size=(jets, 5))])
    logit = 2 * np.sin(1.5 * u[:, 0]) + 1.5 * u[:, 1] * u[:, 2] + 1.2 * u[:, 3] + 1.5 * (np.abs(u[:, 4]) - 0.8)
    label = generator.random(jets) < 1 / (1 + np.exp(-logit))
    return {"table": torch.tensor((x / x.std(0)).clip(-3, 3), dtype=torch.float32)}, torch.tensor(label).float()


def train(network: nn.Module, inputs: Inputs, label: Tensor, epochs: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            module.reset_parameters()
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(label)).split(100):
            output = network({name: value[rows] for name, value in inputs.items()})
            loss = nn.functional.binary_cross_entropy_with_logits(output, label[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()


@torch.no_grad()
def shapley_columns(network: nn.Module, x: Tensor, background: Tensor, seed: int) -> NDArray[Any]:
    generator = torch.Generator().manual_seed(seed)
    n, d = x.shape
    phi = torch.zeros(n, d)
    for _ in range(PERMUTATIONS):
        other = background[torch.randint(len(background), (n,), generator=generator)]
        order = torch.randperm(d, generator=generator)
        for sequence in (order, order.flip(0)):
            place = torch.empty(d, dtype=torch.long).scatter_(0, sequence, torch.arange(d))
            present = place < torch.arange(d + 1)[:, None]  # (steps, d)
            mixed = torch.where(present[:, None], x, other)
            f = network({"table": mixed.reshape(-1, d)}).reshape(d + 1, n)
            phi[:, sequence] += f.diff(dim=0).T
    return (phi / (2 * PERMUTATIONS)).numpy()


@torch.no_grad()
def shapley_constituents(network: PFN, inputs: Inputs, seed: int) -> NDArray[Any]:
    generator = torch.Generator().manual_seed(seed)
    latent = network.phi(inputs["constituents"]) * inputs["mask"][..., None]
    n, m, width = latent.shape
    phi = torch.zeros(n, m)
    for _ in range(PERMUTATIONS):
        order = torch.rand(n, m, generator=generator).argsort(1)
        sums = latent.gather(1, order[..., None].expand_as(latent)).cumsum(1)
        sums = torch.cat([torch.zeros(n, 1, width), sums], 1)
        phi.scatter_add_(1, order, network.head(network.f(sums.reshape(-1, width))).reshape(n, -1).diff(dim=1))
    return (phi / PERMUTATIONS).numpy()


@torch.no_grad()
def shapley_pixels(network: nn.Module, image: Tensor, seed: int) -> NDArray[Any]:
    generator = torch.Generator().manual_seed(seed)
    phi = torch.zeros(len(image), 256)
    for i, pixels in enumerate(image.reshape(-1, 256)):
        full = pixels.nonzero()[:, 0]
        for _ in range(PERMUTATIONS // 4):
            order = full[torch.randperm(len(full), generator=generator)]
            steps = torch.zeros(len(full) + 1, 256)
            for step, pixel in enumerate(order):
                steps[step + 1 :, pixel] = pixels[pixel]
            phi[i, order] += network({"image": steps.reshape(-1, 1, 16, 16)}).diff()
    return (phi / (PERMUTATIONS // 4)).numpy()


RULES: dict[str, Preset] = {
    "recommended": RECOMMENDED,
    "p1": P1,
    "p2": P2,
    "LRP-0": everywhere(Zero()),
    "epsilon .05 relative": everywhere(Epsilon(0.05, relative=True)),
    "gamma .05": everywhere(Gamma(0.05)),
    "gamma .1, 0 at input": everywhere(Gamma(0.1), Zero()),
    "gamma .25, 0 at input": everywhere(Gamma(0.25), Zero()),
    "gamma .25": everywhere(Gamma(0.25)),
    "gamma 2": everywhere(Gamma(2.0)),
    "alpha 1 beta 0": everywhere(AlphaBeta()),
    "alpha 2 beta 1": everywhere(AlphaBeta(2.0, 1.0)),
    "gamma .05, w2 at input": everywhere(Gamma(0.05), WSquare()),
    "gamma .05, flat at input": everywhere(Gamma(0.05), Flat()),
    "gamma .05, no bias": everywhere(Gamma(0.05, bias=False), Zero(bias=False)),
}


def compare(
    title: str, networks: list[nn.Module], inputs: Inputs, phi: list[NDArray[Any]], fold: Callable[[Explanation], Any]
) -> None:
    """Print a row for each rule; `fold` makes players (n, p) of an explanation."""
    presets = dict(RULES)
    if "table" in inputs:
        presets["gamma .05, z-box"] = with_box(everywhere(Gamma(0.05)), {"table": -3.0}, {"table": 3.0})
    players = phi[0] != 0
    print(f"\n{title}\n{'rule':26s} corr   rank  resid  seeds | sum|R| inputs   bias   stab undist")
    for name, preset in presets.items():
        found = [relevance(network, inputs, preset) for network in networks]
        R = [fold(explanation) for explanation in found]
        rows = [(r[i][players[i]], p[i][players[i]]) for r, p in zip(R, phi, strict=True) for i in range(len(r))]
        corr = np.mean([np.corrcoef(r, p)[0, 1] for r, p in rows])
        rank = np.mean([spearmanr(np.abs(r), np.abs(p)).statistic for r, p in rows])
        resid = np.mean([np.linalg.norm(r - p) / np.linalg.norm(p) for r, p in zip(R, phi, strict=True)])
        seeds = np.mean([np.corrcoef(R[0][i][players[i]], R[1][i][players[i]])[0, 1] for i in range(len(R[0]))])
        f = np.abs(np.concatenate([explanation.output for explanation in found]))
        kept = [
            np.median(np.abs(np.concatenate([explanation.ledger[key] for explanation in found])) / f)
            for key in ("absolute", "inputs", "bias", "stabiliser", "undistributable")
        ]
        print(f"{name:26s} {corr:.3f}  {rank:.3f} {resid:6.2f}  {seeds:.3f} | " + " ".join(f"{k:6.2f}" for k in kept))


def agreement() -> None:
    """Train, explain, compare; about three minutes."""
    generator = np.random.default_rng(0)
    table, label = toy_table(20_000, generator)
    networks = [train(MBNS(27), table, label, 6, seed) for seed in (1, 2)]
    x = {"table": table["table"][:150]}
    phi = [shapley_columns(network, x["table"], table["table"], 0) for network in networks]
    compare("MBNS, 27 columns of a toy table", networks, x, phi, lambda found: found.relevance["table"])

    jets, label = toy_jets(6000, generator)
    sets = {name: jets[name] for name in ("constituents", "mask")}
    networks = [train(PFN(3), sets, label, 12, seed) for seed in (1, 2)]
    part = {name: value[:150] for name, value in sets.items()}
    phi = [shapley_constituents(network, part, 0) for network in networks if isinstance(network, PFN)]
    compare(
        "PFN, constituents of toy jets",
        networks,
        part,
        phi,
        lambda found: found.relevance["constituents"].sum(2) + (0 if found.presence is None else found.presence),
    )

    images = {"image": jets["image"]}
    networks = [train(XAUGImage(), images, label, 5, seed) for seed in (1, 2)]
    part = {"image": jets["image"][:60]}
    phi = [shapley_pixels(network, part["image"], 0) for network in networks]
    compare(
        "XAUGImage, pixels of toy jets", networks, part, phi, lambda found: found.relevance["image"].reshape(-1, 256)
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"speed": speed, "agreement": agreement}[sys.argv[1] if len(sys.argv) > 1 else "speed"]()
