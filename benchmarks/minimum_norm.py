"""How fast the minimum-norm gauge is found: ratios of interleaved medians, on one thread.

    python benchmarks/minimum_norm.py [--rounds 7]

Every round runs every method once on the same network, and the time is the processor's;
what is reported is the median over rounds of each time divided by that of the two-level solver.
Writes benchmarks/results/minimum_norm.json and the table of the book's appendix, book/speed.md.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import platform
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import scipy
import scipy.optimize
import torch
from appendix import write_table
from peers.solver import marginals, reading
from streaming import digits
from torch import Tensor, nn
from tqdm import tqdm

from gaugelib import minimum_norm, mlp_group, relative_imbalance
from gaugelib.group import GaugeGroup

HERE = pathlib.Path(__file__).parent
WIDTHS = (200, 1000, 750, 750, 500, 500, 250, 10)
Params = dict[str, Tensor]


def multilayer() -> nn.Sequential:
    """The deepest network of the paper's Figure 2, in float64."""
    layers = [nn.Linear(m, n, bias=False, dtype=torch.float64) for m, n in pairwise(WIDTHS)]
    return nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])


def network(seed: int = 0) -> tuple[Params, GaugeGroup]:
    """The same, He-initialised."""
    draw = torch.Generator().manual_seed(seed)
    model = multilayer()
    params = {
        name: torch.randn(w.shape, generator=draw, dtype=torch.float64) * (2 / w.shape[1]) ** 0.5
        for name, w in model.named_parameters()
    }
    return params, mlp_group(model)


def literally(params: Params, target: float) -> list[Tensor]:
    """Algorithm 1 as printed: powers of the weights summed, all weights rescaled, every time."""
    weights = list(params.values())
    while True:
        into = [w.abs().pow(2).sum(1) for w in weights[:-1]]
        out = [w.abs().pow(2).sum(0) for w in weights[1:]]
        gamma = max(float(((a - b).abs() / (a + b)).max()) for a, b in zip(into, out, strict=True))
        if gamma < target:
            return weights
        scales = [(b / a) ** 0.125 for a, b in zip(into, out, strict=True)]
        one = torch.ones(1, dtype=torch.float64)
        ends = pairwise([one, *scales, one])
        weights = [w * (a[:, None] / b) for w, (b, a) in zip(weights, ends, strict=True)]


def on_log_scales(
    params: Params, target: float, *, omega: float | None, exponent: float = 0.25
) -> list[Tensor]:
    """Powers of the weights read once; updates of the logarithms only.

    With `omega` the units of every other layer are updated in turn, over-relaxed by omega;
    without, all at once, by `exponent` of the log-ratio.
    """
    powers = [w.square() for w in params.values()]
    ends = [0, *(len(c) for c in powers[:-1]), 0]
    logs = [torch.zeros(n, dtype=torch.float64) for n in ends]

    def ratio(k: int) -> tuple[Tensor, Tensor]:
        before = logs[k - 1].neg().exp() if k > 1 else torch.ones(powers[0].shape[1]).double()
        after = logs[k + 1].exp() if k < len(powers) - 1 else torch.ones(len(powers[-1])).double()
        return (powers[k - 1] @ before) * logs[k].exp(), (after @ powers[k]) * logs[k].neg().exp()

    inner = range(1, len(powers))
    while True:
        if omega is None:
            sums = [ratio(k) for k in inner]
            gamma = max(float(((a - b).abs() / (a + b)).max()) for a, b in sums)
            if gamma < target:
                return logs
            for k, (into, out) in zip(inner, sums, strict=True):
                logs[k] = logs[k] + exponent * (out / into).log()
        else:
            gamma = 0.0
            for parity in (1, 2):
                for k in range(parity, len(powers), 2):
                    into, out = ratio(k)
                    gamma = max(gamma, float(((into - out).abs() / (into + out)).max()))
                    logs[k] = logs[k] + omega / 2 * (out / into).log()
            if gamma < target:
                return logs


def with_lbfgs(params: Params, target: float) -> np.ndarray:
    """SciPy's L-BFGS on the same convex objective, until the imbalance is below the target."""
    powers = [w.square().numpy() for w in params.values()]
    cuts = np.cumsum([len(c) for c in powers[:-1]])

    def value(logs: np.ndarray) -> tuple[float, np.ndarray]:
        parts = np.split(logs, cuts)[:-1]
        scales = [np.zeros(powers[0].shape[1]), *parts, np.zeros(len(powers[-1]))]
        slope, total = [np.zeros_like(u) for u in scales], 0.0
        for k, c in enumerate(powers):
            up, down = np.exp(scales[k + 1]), np.exp(-scales[k])
            flow_in, flow_out = up * (c @ down), down * (up @ c)
            total += flow_in.sum()
            slope[k + 1] += flow_in
            slope[k] -= flow_out
        value.gamma = _gamma(powers, scales)
        return total, np.concatenate(slope[1:-1])

    def stop(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        value(intermediate_result.x)
        if value.gamma < target:
            raise StopIteration

    start = np.zeros(int(cuts[-1]))
    options = {"maxiter": 500, "maxcor": 20, "ftol": 0.0, "gtol": 0.0}
    found = scipy.optimize.minimize(
        value, start, jac=True, method="L-BFGS-B", callback=stop, options=options
    )
    value(found.x)
    if value.gamma >= target:
        raise RuntimeError(f"L-BFGS stalls at an imbalance of {value.gamma:.1e}")
    return found.x


def _gamma(powers: list[np.ndarray], scales: list[np.ndarray]) -> float:
    up, down = [np.exp(u) for u in scales], [np.exp(-u) for u in scales]
    into = [up[k + 1] * (c @ down[k]) for k, c in enumerate(powers)]
    out = [down[k] * (up[k + 1] @ c) for k, c in enumerate(powers)]
    return max(float((abs(a - b) / (a + b)).max()) for a, b in zip(into[:-1], out[1:], strict=True))


def rivals(params: Params, group: GaugeGroup, target: float) -> dict[str, Callable[[], object]]:
    """Everything that is timed, by name; the two-level solver first."""
    omega = 2 / (1 + np.sin(np.pi / (len(WIDTHS) - 1)))
    room = {name: torch.empty_like(value) for name, value in params.items()}
    weights = list(params.values())
    return {
        "two-level (`minimum_norm`)": lambda: minimum_norm(params, group, tol=target),
        "Algorithm 1, literally on the weights": lambda: literally(params, target),
        "Algorithm 1, on log-scales": lambda: on_log_scales(params, target, omega=None),
        "doubled step, on log-scales": lambda: on_log_scales(
            params, target, omega=None, exponent=0.5
        ),
        "alternating, on log-scales": lambda: on_log_scales(params, target, omega=1.0),
        "over-relaxed, on log-scales": lambda: on_log_scales(params, target, omega=omega),
        "L-BFGS (SciPy) on the same objective": lambda: with_lbfgs(params, target),
        "two-level, into memory used before (`out=`)": lambda: minimum_norm(
            params, group, tol=target, out=room
        ),
        "sums into and out of every unit, once": lambda: marginals(weights, 2.0),
        "one plain reading of the weights": lambda: reading(weights),
    }


def measure(target: float, rounds: int) -> dict[str, float]:
    """Median over rounds of each time divided by the two-level solver's in the same round."""
    params, group = network()
    contestants = rivals(params, group, target)
    for run in contestants.values():
        run()  # everything is warm, and everything reaches the target or says so
    ratios: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in tqdm(range(rounds), desc=f"to {target:g}"):
        times = {}
        for name, run in contestants.items():
            began = time.process_time()
            run()
            times[name] = time.process_time() - began
        own = next(iter(times.values()))
        for name, taken in times.items():
            ratios[name].append(taken / own)
    return {name: statistics.median(values) for name, values in ratios.items()}


def table(results: dict[str, dict[str, float]]) -> str:
    """The results as Markdown: time divided by the two-level solver's."""
    targets = list(results)
    lines = ["| method | " + " | ".join(f"to γ < {t}" for t in targets) + " |"]
    lines.append("|---|" + "---:|" * len(targets))
    for name in results[targets[0]]:
        cells = [digits(results[t][name]) for t in targets]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    params, group = network()
    found = minimum_norm(params, group, tol=1e-6)
    assert float(relative_imbalance(found.params, group).max()) < 1e-6
    results = {f"{target:g}": measure(target, rounds) for target in (1e-3, 1e-6)}
    record = {
        "network": list(WIDTHS),
        "p": 2,
        "dtype": "float64",
        "threads": 1,
        "rounds": rounds,
        "processor": platform.machine(),
        "versions": {
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "ratios": results,
    }
    target = HERE / "results" / "minimum_norm.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    write_table("minimum_norm.py", table(results))
    print(table(results))


if __name__ == "__main__":
    main()
