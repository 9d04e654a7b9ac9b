"""What gauge fixing adds to a step of training: ratios of interleaved medians, on one thread.

    python benchmarks/gauge_fixing.py [--rounds 30]

Each method trains its own copy of one network, in float32 and on the same batches. A round times
ten steps of every method in turn, so that a busy machine slows all of them; what is reported is the
median over rounds of each time divided by that of plain training.
Writes benchmarks/results/gauge_fixing.json and the second table of the book's appendix on speed.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import pathlib
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from appendix import write_table
from torch import Tensor, nn
from tqdm import tqdm

from gaugelib import (
    GaugeFixing,
    minimum_norm_,
    mlp_group,
    params_of,
    relative_imbalance,
    trace_group,
)

HERE = pathlib.Path(__file__).parent
WIDTHS = (200, 2000, 1000, 500, 250, 10)
BATCH, STEPS, TOL = 32, 10, 1e-3
PIECE = 1 << 17
"""Entries that stay in a processor's cache."""
RATES = (1e-3, 0.05)
ELSEWHERE = ("five layers, momentum 0.9", "five layers, Adam", "convolutions, η = 0.05")
PLAIN, PUBLISHED = "plain training", "Algorithm 1, literally"
READ = "marginals read, solved if needed"
ONE_PASS = "descent and rescaling in one pass, a sketch without a promise"
EACH, TENTH = "`GaugeFixing(…)`", "`GaugeFixing(…, every=10)`"
Make = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]
Results = dict[str, dict[str, dict[str, float]]]


def network() -> nn.Sequential:
    """The paper's network with five weight layers, He-initialised, in its minimum-norm gauge."""
    layers = [nn.Linear(m, n, bias=False) for m, n in pairwise(WIDTHS)]
    draw = torch.Generator().manual_seed(0)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=draw)
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    minimum_norm_(model, tol=1e-5)
    return model


def convolutions() -> nn.Sequential:
    """Three convolutions and a linear layer, for images of 8 x 8, in the minimum-norm gauge."""
    sizes = ((1, 32), (32, 64), (64, 64))
    layers = [nn.Conv2d(m, n, 3, padding=1, bias=False) for m, n in sizes]
    draw = torch.Generator().manual_seed(0)
    parts = [m for layer in layers for m in (layer, nn.ReLU())]
    model = nn.Sequential(*parts, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1024, 10, bias=False))
    for weight in model.parameters():
        nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=draw)
    minimum_norm_(model, example=torch.zeros(1, 1, 8, 8), tol=1e-5)
    return model


class Batches:
    """Gaussian inputs, in the class of the nearest of ten directions."""

    def __init__(self, shape: tuple[int, ...] = WIDTHS[:1]) -> None:
        self.draw, self.shape = torch.Generator().manual_seed(1), shape
        self.directions = torch.randn(math.prod(shape), WIDTHS[-1], generator=self.draw)

    def next(self) -> tuple[Tensor, Tensor]:
        """Inputs (32, ...) and classes (32,)."""
        x = torch.randn(BATCH, *self.shape, generator=self.draw)
        return x, (x.flatten(1) @ self.directions).argmax(1)


@torch.no_grad()
def marginals(weights: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Sums of squares into and out of the units of each hidden layer."""
    squares = [w.square() for w in weights]
    return [s.sum(1) for s in squares[:-1]], [s.sum(0) for s in squares[1:]]


@torch.no_grad()
def algorithm_1(weights: list[Tensor]) -> bool:
    """The published procedure as printed, until all scales are within the tolerance of 1."""
    rescaled = False
    while True:
        scales = [(out / into) ** 0.125 for into, out in zip(*marginals(weights), strict=True)]
        if max(float((a - 1).abs().max()) for a in scales) < TOL:
            return rescaled
        one = torch.ones(1)
        for w, (source, target) in zip(weights, pairwise([one, *scales, one]), strict=True):
            w.mul_(target[:, None] / source)
        rescaled = True


def looked_at(model: nn.Module, weights: list[Tensor]) -> bool:
    """The marginals read in plain torch, and the solver called if they are out of balance."""
    sums = zip(*marginals(weights), strict=True)
    gamma = max(float(((a - b).abs() / (a + b)).max()) for a, b in sums)
    if gamma <= TOL:
        return False
    minimum_norm_(model, tol=TOL / 10)
    return True


class OnePass:
    """A sketch of descent that rescales as it writes, by what the pass before had counted.

    Its gauge is one step late, so it promises no tolerance: it shows what one pass costs at least.
    """

    def __init__(self, weights: list[Tensor], lr: float) -> None:
        self.weights, self.lr = weights, lr
        self.sums = [w.square() for w in map(Tensor.detach, weights)]
        self.sums = [(s.sum(1), s.sum(0)) for s in self.sums]
        self.rows = [max(1, PIECE // w.shape[1]) for w in weights]
        self.room = [w.new_empty(k, w.shape[1]) for k, w in zip(self.rows, weights)]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for w in self.weights:
            w.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Read each piece of a weight once, and write it once."""
        hidden = zip(self.sums, self.sums[1:])
        scales = [(out / into) ** 0.125 for (into, _), (_, out) in hidden]
        one = torch.ones(1)
        for k, (source, target) in enumerate(pairwise([one, *scales, one])):
            w, square = self.weights[k], self.room[k]
            assert w.grad is not None
            into, out = w.new_empty(len(w)), torch.zeros(1, w.shape[1])
            target, divisor = target.expand(len(w))[:, None], source.reciprocal()
            for a in range(0, len(w), self.rows[k]):
                piece = w[a : a + self.rows[k]]
                piece.add_(w.grad[a : a + len(piece)], alpha=-self.lr)
                piece.mul_(target[a : a + len(piece)]).mul_(divisor)
                powers = torch.mul(piece, piece, out=square[: len(piece)])
                torch.sum(powers, 1, out=into[a : a + len(piece)])
                out.addmm_(w.new_ones(1, len(piece)), powers)
            self.sums[k] = into, out[0]


class Method:
    """One way to train, with a model of its own."""

    def __init__(
        self, start: nn.Module, make: Make, kind: str, example: Tensor | None = None
    ) -> None:
        self.model = copy.deepcopy(start)
        self.optimizer: torch.optim.Optimizer | OnePass = make(self.model.parameters())
        self.rescaled = 0
        weights = list(self.model.parameters())
        if kind == ONE_PASS:
            self.optimizer = OnePass(weights, self.optimizer.param_groups[0]["lr"])
        after: dict[str, Callable[[], bool]] = {
            PLAIN: lambda: False,
            ONE_PASS: lambda: True,
            PUBLISHED: lambda: algorithm_1(weights),
            READ: lambda: looked_at(self.model, weights),
        }
        if kind not in after:
            every = 10 if kind == TENTH else 1
            assert isinstance(self.optimizer, torch.optim.Optimizer)
            options = {"tol": TOL, "every": every, "example": example}
            after[kind] = GaugeFixing(self.model, self.optimizer, **options).step
        self.after = after[kind]

    def run(self, batches: list[tuple[Tensor, Tensor]]) -> float:
        """Train on these batches; the seconds that it took."""
        began = time.perf_counter()
        for x, y in batches:
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(x), y).backward()
            self.optimizer.step()
            self.rescaled += self.after()
        return time.perf_counter() - began


METHODS = (PLAIN, PUBLISHED, READ, ONE_PASS, EACH, TENTH)


def measure(
    start: nn.Module,
    make: Make,
    rounds: int,
    names: tuple[str, ...] = METHODS,
    example: Tensor | None = None,
) -> dict[str, dict[str, float]]:
    """Median time of each method over plain training's, and the share of steps it rescaled."""
    batches = Batches(WIDTHS[:1] if example is None else tuple(example.shape[1:]))
    methods = {name: Method(start, make, name, example) for name in names}
    warm = [batches.next() for _ in range(STEPS)]
    for method in methods.values():
        method.run(warm)
        method.rescaled = 0
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for _ in tqdm(range(rounds)):
        data = [batches.next() for _ in range(STEPS)]
        times = {name: method.run(data) for name, method in methods.items()}
        for name, taken in times.items():
            ratios[name].append(taken / times[names[0]])
    for name in set(names) - {PLAIN, TENTH, ONE_PASS}:
        model = methods[name].model
        group = mlp_group(model) if example is None else trace_group(model, example)
        gamma = relative_imbalance(params_of(model), group).max()
        assert float(gamma) <= (10 * TOL if name == PUBLISHED else TOL), (name, gamma)
    return {
        name: {
            "ratio": statistics.median(ratios[name]),
            "rescaled": methods[name].rescaled / (rounds * STEPS),
        }
        for name in names
    }


def measure_elsewhere(rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """The same where the batch does not tell: other optimizers, and another network."""
    names = (PLAIN, EACH, TENTH)
    arms: tuple[tuple[nn.Module, Make, Tensor | None], ...] = (
        (network(), lambda w: torch.optim.SGD(w, lr=0.005, momentum=0.9), None),
        (network(), lambda w: torch.optim.Adam(w, lr=1e-4), None),
        (convolutions(), lambda w: torch.optim.SGD(w, lr=0.05), torch.zeros(1, 1, 8, 8)),
    )
    found = (measure(start, make, rounds, names, example) for start, make, example in arms)
    return dict(zip(ELSEWHERE, found, strict=True))


def table(results: Results, elsewhere: Results) -> str:
    """The results as Markdown."""
    head = [f"time, η = {lr} | steps that rescale" for lr in results]
    lines = ["| after each step | " + " | ".join(head) + " |"]
    lines.append("|---|" + "---:|---:|" * len(results))
    for name in METHODS:
        cells = [
            f"{results[lr][name]['ratio']:.2f} | {results[lr][name]['rescaled']:.0%}"
            for lr in results
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| what is trained | `GaugeFixing(…)` | steps that rescale | `every=10` |"]
    lines.append("|---|---:|---:|---:|")
    for what, found in elsewhere.items():
        each, tenth = found[EACH], found[TENTH]
        cells = f"{each['ratio']:.2f} | {each['rescaled']:.0%} | {tenth['ratio']:.2f}"
        lines.append(f"| {what} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    results = {
        f"{lr:g}": measure(network(), lambda w, lr=lr: torch.optim.SGD(w, lr=lr), rounds)
        for lr in RATES
    }
    elsewhere = measure_elsewhere(rounds)
    record = {
        "network": list(WIDTHS),
        "dtype": "float32",
        "batch": BATCH,
        "tol": TOL,
        "threads": 1,
        "rounds": rounds,
        "steps a round": STEPS,
        "processor": platform.machine(),
        "versions": {"torch": torch.__version__},
        "results": results,
        "elsewhere": elsewhere,
    }
    target = HERE / "results" / "gauge_fixing.json"
    target.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_table("gauge_fixing.py", table(results, elsewhere))
    print(table(results, elsewhere))


if __name__ == "__main__":
    main()
