r"""What survives when the gauge is chosen fairly: each start at its own best rate.

    python benchmarks/which_gauge_fair.py

About twenty minutes on one core. Writes gaugelib/gauges/stored/fair.json after each part; what is
there already is kept, so a run that was stopped is resumed. Delete the file to begin anew.

Digits; ReLU layers without biases of the `sizes` of a task; `cross-entropy`, or `squared` loss,
½|f - y|² on one-hot labels. Five starts for each seed compute one function: `He`, its
`minimum norm` gauge, its `minimum gradient` gauge (c = mean squared gradient of batches of 32), its
`minimum trace` gauge (c = Gauss-Newton's diagonal on all training images), and a `random` gauge of
log-dials with standard deviation 1.

- `starts`: squared `norm`, Gauss-Newton `trace` and `speed` |∇L|² on all training images, and
  `noise`, the mean squared gradient of batches of 32.
- `descents`: batches of 32, constant rates in steps of √2, `epochs` 1, 3 and 10; what counts is the
  loss of all training images at the end, or that at the start if it is above. `curve` has the mean
  log loss of 24 seeds at each of the `rates` after 10 epochs, and `rate` is the best of a start.
  No seed chooses the rate it is judged by: `loss` (geometric mean) and test `error` are each
  seed's at the rate that is best for the 23 others. Against He's start and against the
  minimum-norm gauge there are mean paired differences with 95 % intervals of Student's t: of the
  log of that loss and of that error, of log loss if each seed has the best rate in hindsight
  (`hindsight`), and of log loss at the least of the rates (`fixed`).
- `stable`: all of the first 400 training images at once, 200 steps, 8 seeds: log2 of the
  largest rate up to which the loss never rises 1 % above its least value so far, and of 2/λ_max on
  these images at the start. None: for one of the seeds the least rate was not stable either.

Numbers with an error are [mean, standard error]; differences are [mean, low, high].
"""

from __future__ import annotations

import json
import math
import pathlib
from typing import Any

import torch
from batched_networks import (
    Weights,
    batches,
    forward,
    gauss_newton,
    gradient,
    he,
    network,
    value_of,
)
from gauge_store import mean_and_error, rounded, write
from scipy.stats import t as student
from torch import Tensor
from torch.func import jvp
from tqdm import tqdm

from gaugelib import balance_coefficients, minimum_norm, mlp_group, params_of, rescale
from gaugelib.data import digits

FILE = pathlib.Path(__file__).parent.parent / "gaugelib" / "gauges" / "stored" / "fair.json"
SIZES = {"3 layers": (64, 64, 32, 10), "5 layers": (64, 64, 64, 32, 32, 10)}
LOSSES = ("cross-entropy", "squared")
STARTS = ("He", "minimum norm", "minimum gradient", "minimum trace", "random")
SEEDS, FEWER, BATCH = range(24), 8, 32
LOWEST = {"cross-entropy": -6, "squared": -11}  # log2 of the least rate
NUMBER = {"cross-entropy": 14, "squared": 19}  # of rates, in steps of √2
LOWER = 8  # how many lower ones where stability is looked for
EPOCHS, STEPS, FEW, RISE = (1, 3, 10), 200, 400, 1.01


class Task:
    """Networks of some sizes, a loss, and the images."""

    def __init__(self, sizes: tuple[int, ...], loss: str) -> None:
        data = digits()
        self.sizes, self.loss = sizes, loss
        self.wider = [2 ** (LOWEST[loss] + k / 2) for k in range(-LOWER, NUMBER[loss])]
        self.rates = self.wider[LOWER:]
        self.inputs, self.test, self.test_labels = (
            data.train_inputs, data.test_inputs, data.test_labels
        )  # fmt: skip
        self.labels = torch.nn.functional.one_hot(data.train_labels, 10).double()

    def noise(self, weights: Weights) -> Weights:
        """The mean squared gradient of the batches of one epoch."""
        order = list(batches(len(self.inputs), BATCH, [torch.Generator().manual_seed(7)]))
        total = [torch.zeros_like(w) for w in weights]
        for rows in order:
            slopes = gradient(weights, self.inputs[rows], self.labels[rows], self.loss)
            for t, g in zip(total, slopes):
                t += g.square() / len(order)
        return total

    def starts(self, seeds: range) -> dict[str, Weights]:
        """One function for each seed, in five gauges."""
        first = he(self.sizes, seeds)
        coefficients = {
            "minimum gradient": self.noise(first),
            "minimum trace": gauss_newton(first, self.inputs, self.loss),
        }
        found: dict[str, list[list[Tensor]]] = {name: [] for name in STARTS}
        for k, seed in enumerate(seeds):
            model = network([w[k] for w in first])
            params, group = params_of(model), mlp_group(model)
            draw = torch.Generator().manual_seed(500 + seed)
            gauges = {
                "He": params,
                "minimum norm": minimum_norm(params, group).params,
                "random": rescale(params, group.random(generator=draw, log_std=1.0), group),
            }
            for name, c in coefficients.items():
                named = dict(zip(params, [v[k] for v in c]))
                dials = balance_coefficients(named, group, exponent=-2).scales
                gauges[name] = rescale(params, dials, group)
            for name in STARTS:
                found[name].append(list(gauges[name].values()))
        return {name: [torch.stack(w) for w in zip(*each)] for name, each in found.items()}


def sharpness(weights: Weights, inputs: Tensor, labels: Tensor, loss: str) -> Tensor:
    """The largest eigenvalue of each network's Hessian, by 100 power iterations."""
    draw = torch.Generator().manual_seed(0)
    at = [torch.randn(w.shape, generator=draw, dtype=w.dtype) for w in weights]
    size = torch.ones(len(weights[0]), dtype=weights[0].dtype)
    for _ in range(100):
        length = sum(v.square().sum((1, 2)) for v in at) ** 0.5
        at = [v / length[:, None, None] for v in at]
        turned = jvp(
            lambda *w: tuple(gradient(list(w), inputs, labels, loss)), tuple(weights), tuple(at)
        )[1]
        size = sum((v * u).sum((1, 2)) for v, u in zip(at, turned))
        at = list(turned)
    return torch.as_tensor(size)


def described(task: Task, starts: dict[str, Weights]) -> dict[str, Any]:
    """Norm, trace, sharpness, speed and noise of each start."""
    out = {}
    for name, weights in starts.items():
        slopes = gradient(weights, task.inputs, task.labels, task.loss)
        curved = gauss_newton(weights, task.inputs, task.loss)
        out[name] = {
            "norm": mean_and_error(total(weights, square=True)),
            "trace": mean_and_error(total(curved)),
            "speed": mean_and_error(total(slopes, square=True)),
            "noise": mean_and_error(total(task.noise(weights))),
        }
    return out


def total(values: Weights, square: bool = False) -> Tensor:
    """The sum over each network's edges."""
    return torch.stack([(v.square() if square else v).sum((1, 2)) for v in values]).sum(0)


def descended(task: Task, weights: Weights, seeds: range) -> dict[int, tuple[Tensor, Tensor]]:
    """Log loss and test error after the epochs, each `(seeds, rates)`, all at once in float32."""
    count, rates = len(seeds), torch.tensor(task.rates)
    scores = forward(weights, task.inputs)[1]
    first = value_of(task.loss, scores, task.labels).mean(1).log()[:, None]
    w = [v.float().repeat_interleave(len(rates), 0) for v in weights]
    rate = rates.repeat(count)[:, None, None]
    inputs, labels = task.inputs.float(), task.labels.float()
    draws = [torch.Generator().manual_seed(1000 + seed) for seed in seeds]
    out = {}
    for epoch in range(1, EPOCHS[-1] + 1):
        for rows in batches(len(inputs), BATCH, draws):
            mine = rows.repeat_interleave(len(rates), 0)
            slopes = gradient(w, inputs[mine], labels[mine], task.loss)
            w = [v - rate * g for v, g in zip(w, slopes)]
        if epoch in EPOCHS:
            logs, errors = measured(task, w, (count, len(rates)))
            out[epoch] = torch.minimum(logs, first), errors
    return out


def measured(task: Task, weights: Weights, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Log loss of the training images and error on the test images."""
    logs, errors = [], []
    for part in zip(*(w.split(200) for w in weights)):
        scores = forward(list(part), task.inputs.float())[1]
        loss = value_of(task.loss, scores, task.labels.float()).mean(1).double()
        logs.append(loss.log().nan_to_num(math.inf, math.inf))
        hits = forward(list(part), task.test.float())[1].argmax(2) == task.test_labels
        errors.append(1 - hits.double().mean(1))
    return torch.cat(logs).reshape(shape), torch.cat(errors).reshape(shape)


def compared(
    rates: list[float], each: dict[str, dict[int, tuple[Tensor, Tensor]]]
) -> dict[str, Any]:
    """Each start at its own best rate, and all of them at one."""
    out: dict[str, Any] = {"rates": rates, "curve": {}, "epochs": {}}
    for epochs in EPOCHS:
        here: dict[str, dict[str, Any]] = {}
        seen: dict[str, dict[str, Tensor]] = {}
        for name, ends in each.items():
            log, error = ends[epochs]
            others = log.sum(0, keepdim=True) - log  # of each seed
            best = others.argmin(1, keepdim=True)
            seen[name] = {
                "log loss": log.gather(1, best)[:, 0],
                "error": error.gather(1, best)[:, 0],
                "hindsight": log.amin(1),
                "fixed": log[:, 0],
            }
            here[name] = {
                "rate": rates[int(log.sum(0).argmin())],
                "loss": float(seen[name]["log loss"].mean().exp()),
                "error": mean_and_error(seen[name]["error"]),
            }
            if epochs == EPOCHS[-1]:
                out["curve"][name] = log.mean(0).tolist()
        for name, row in here.items():
            for other in ("He", "minimum norm"):
                for what, values in seen[name].items():
                    row[f"{what} against {other}"] = interval(values - seen[other][what])
        out["epochs"][str(epochs)] = here
    return out


def stable(task: Task, weights: Weights) -> dict[str, Any]:
    """Log2 of the largest rate without a rise, and of 2/λ_max at the start."""
    count, rates = len(weights[0]), torch.tensor(task.wider)
    inputs, labels = task.inputs[:FEW].float(), task.labels[:FEW].float()
    w = [v.float().repeat_interleave(len(rates), 0) for v in weights]
    rate = rates.repeat(count)[:, None, None]
    alive = torch.arange(len(rate))
    least = torch.full((len(rate),), math.inf)
    for _ in range(STEPS + 1):
        loss = value_of(task.loss, forward(w, inputs)[1], labels).mean(1)
        good = loss <= RISE * least[alive]
        least[alive] = torch.minimum(loss, least[alive])
        alive, w = alive[good], [v[good] for v in w]
        slopes = gradient(w, inputs, labels, task.loss)
        w = [v - rate[alive] * g for v, g in zip(w, slopes)]
    kept = torch.zeros(len(rate), dtype=torch.bool)
    kept[alive] = True
    number = kept.view(count, -1).int().cumprod(1).sum(1)
    largest = rates[(number - 1).clamp(min=0)].double().log2()
    largest[number == 0] = math.nan
    edge = 2 / sharpness(weights, task.inputs[:FEW], task.labels[:FEW], task.loss)
    return {"largest": largest, "edge": edge.log2()}


def all_stable(task: Task, starts: dict[str, Weights]) -> dict[str, Any]:
    """Of each start, and the paired difference against He's and the minimum-norm gauge."""
    few = {name: [w[:FEWER] for w in each] for name, each in starts.items()}
    found = {name: stable(task, each) for name, each in few.items()}
    out: dict[str, Any] = {}
    for name, row in found.items():
        out[name] = {key: mean_and_error(v) for key, v in row.items()}
        for other in ("He", "minimum norm"):
            out[name][f"against {other}"] = interval(row["largest"] - found[other]["largest"])
    return out


def interval(values: Tensor) -> list[float]:
    """The mean, and the ends of its 95 % interval by Student's t."""
    mean, error = mean_and_error(values)
    reach = float(student.ppf(0.975, len(values) - 1)) * error
    return [mean, mean - reach, mean + reach]


def row_of(depth: str, loss: str) -> dict[str, Any]:
    """All that is measured of one task."""
    task = Task(SIZES[depth], loss)
    starts = task.starts(SEEDS)
    ends = {}
    for name in tqdm(STARTS, desc=f"{depth}, {loss}"):
        ends[name] = descended(task, starts[name], SEEDS)
    row = {"depth": depth, "sizes": SIZES[depth], "loss": loss, "starts": described(task, starts)}
    return row | {"descents": compared(task.rates, ends), "stable": all_stable(task, starts)}


def main() -> None:
    """Run what is not in the file."""
    torch.set_num_threads(1)
    stored: dict[str, Any] = {"tasks": []}
    if FILE.exists():
        stored = json.loads(FILE.read_text(encoding="utf-8"))
    done = {(row["depth"], row["loss"]) for row in stored["tasks"]}
    for depth in SIZES:
        for loss in LOSSES:
            if (depth, loss) not in done:
                stored["tasks"].append(rounded(row_of(depth, loss)))
                write(FILE, stored)


if __name__ == "__main__":
    main()
