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
import pathlib
import platform
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from appendix import write_table
from torch import Tensor, nn
from tqdm import tqdm

from gaugelib import GaugeFixing, minimum_norm_, mlp_group, params_of, relative_imbalance

HERE = pathlib.Path(__file__).parent
WIDTHS = (200, 2000, 1000, 500, 250, 10)
BATCH, STEPS, TOL = 32, 10, 1e-3
RATES = (1e-3, 0.05)
Loop = Callable[[Tensor, Tensor], None]


def network() -> nn.Sequential:
    """The paper's network with five weight layers, He-initialised, in its minimum-norm gauge."""
    layers = [nn.Linear(m, n, bias=False) for m, n in pairwise(WIDTHS)]
    draw = torch.Generator().manual_seed(0)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=draw)
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    minimum_norm_(model, tol=1e-5)
    return model


class Batches:
    """Gaussian inputs, in the class of the nearest of ten directions."""

    def __init__(self) -> None:
        self.draw = torch.Generator().manual_seed(1)
        self.directions = torch.randn(WIDTHS[0], WIDTHS[-1], generator=self.draw)

    def next(self) -> tuple[Tensor, Tensor]:
        """Inputs (32, 200) and classes (32,)."""
        x = torch.randn(BATCH, WIDTHS[0], generator=self.draw)
        return x, (x @ self.directions).argmax(1)


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


class Method:
    """One way to train, with a model of its own."""

    def __init__(self, start: nn.Module, lr: float, kind: str) -> None:
        self.model = copy.deepcopy(start)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr)
        self.rescaled = 0
        weights = list(self.model.parameters())
        every = 10 if "every=10" in kind else 1
        fixing = GaugeFixing(self.model, self.optimizer, tol=TOL, every=every)
        self.after: Callable[[], bool] = {
            "plain training": lambda: False,
            "Algorithm 1, literally": lambda: algorithm_1(weights),
            "marginals read, solved if needed": lambda: looked_at(self.model, weights),
        }.get(kind, fixing.step)

    def run(self, batches: list[tuple[Tensor, Tensor]]) -> float:
        """Train on these batches; the seconds that it took."""
        began = time.perf_counter()
        for x, y in batches:
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(x), y).backward()
            self.optimizer.step()
            self.rescaled += self.after()
        return time.perf_counter() - began


METHODS = (
    "plain training",
    "Algorithm 1, literally",
    "marginals read, solved if needed",
    "`GaugeFixing(…)`",
    "`GaugeFixing(…, every=10)`",
)


def measure(lr: float, rounds: int) -> dict[str, dict[str, float]]:
    """Median time of each method over plain training's, and the share of steps it rescaled."""
    batches, start = Batches(), network()
    methods = {name: Method(start, lr, name) for name in METHODS}
    warm = [batches.next() for _ in range(STEPS)]
    for method in methods.values():
        method.run(warm)
        method.rescaled = 0
    ratios: dict[str, list[float]] = {name: [] for name in METHODS}
    for _ in tqdm(range(rounds), desc=f"η = {lr:g}"):
        data = [batches.next() for _ in range(STEPS)]
        times = {name: method.run(data) for name, method in methods.items()}
        for name, taken in times.items():
            ratios[name].append(taken / times[METHODS[0]])
    for name in METHODS[1:-1]:
        model = methods[name].model
        gamma = relative_imbalance(params_of(model), mlp_group(model)).max()
        assert float(gamma) <= (TOL if name != METHODS[1] else 10 * TOL), (name, gamma)
    return {
        name: {
            "ratio": statistics.median(ratios[name]),
            "rescaled": methods[name].rescaled / (rounds * STEPS),
        }
        for name in METHODS
    }


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
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
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    results = {f"{lr:g}": measure(lr, rounds) for lr in RATES}
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
    }
    target = HERE / "results" / "gauge_fixing.json"
    target.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_table("gauge_fixing.py", table(results))
    print(table(results))


if __name__ == "__main__":
    main()
