"""What optimisers do to the charges of networks that learn digits; for `which_gauge_drift.py`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import update_rules
from batched_networks import (
    Weights,
    batches,
    flows,
    forward,
    gradient,
    he,
    incidence,
    network,
    relative,
    squares,
    value_of,
)
from torch import Tensor

from gaugelib import minimum_norm, mlp_group, params_of
from gaugelib.data import digits

SIZES, BATCH, SEEDS = (64, 128, 128, 10), 32, range(10)
EPOCHS = (0, 1, 2, 5, 8, 12, 20, 30)


class Run(NamedTuple):
    """A rule, its step and its decay, and where it starts."""

    name: str
    rule: str
    rate: float
    decay: float
    start: str
    noise: float = 0.0
    epochs: int = 30


RULES = {
    "SGD": ("plain", 0.1, 0.0),
    "SGD, decay": ("plain", 0.1, 1e-3),
    "momentum": ("momentum", 0.01, 0.0),
    "RMSprop": ("root_mean_square", 1e-3, 0.0),
    "Adam": ("adam", 1e-3, 0.0),
    "AdamW": ("adam", 1e-3, 0.1),
    "signSGD": ("sign", 1e-3, 0.0),
    "Muon": ("muon", 0.01, 0.0),
    "Muon, decay": ("muon", 0.01, 1e-2),
}


def runs() -> list[Run]:
    """All of them; the plain rule also for ten times as long, with and without noisy labels."""
    found = [Run(name, *RULES[name], start) for start in ("He", "minimum norm") for name in RULES]
    long = [Run("SGD, long", "plain", 0.1, 0.0, "He", 0.0, 300)]
    long += [
        Run("SGD, noisy labels", "plain", 0.4, 0.0, start, 0.2, 990)
        for start in ("He", "minimum norm")
    ]
    return found + long


def other_rates() -> list[Run]:
    """Half and twice the rate, the product of rate and decay as it was."""
    return [
        Run(name, rule, rate * factor, decay / factor, "He")
        for factor in (0.5, 2.0)
        for name, (rule, rate, decay) in RULES.items()
    ]


class Digits:
    """The images, with labels as one-hot rows."""

    def __init__(self) -> None:
        data = digits()
        self.inputs, self.test = data.train_inputs, data.test_inputs
        self.labels = torch.nn.functional.one_hot(data.train_labels, 10).double()
        self.test_labels = data.test_labels

    def batch(
        self, rows: Tensor, noise: float, draws: list[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        """Images and labels, `(networks, size, ...)`; a share of the labels is drawn anew."""
        labels = self.labels[rows]
        if noise:
            size = rows.shape[1]
            new = torch.stack([torch.randint(10, (size,), generator=draw) for draw in draws])
            which = torch.stack([torch.rand(size, generator=draw) < noise for draw in draws])
            drawn = torch.nn.functional.one_hot(new, 10).double()
            labels = torch.where(which[:, :, None], drawn, labels)
        return self.inputs[rows], labels


def lightest(weights: Weights) -> Weights:
    """Each network in its minimum-norm gauge."""
    found = []
    for one in zip(*weights):
        model = network(list(one))
        found.append(
            list(minimum_norm(params_of(model), mlp_group(model), tol=1e-9).params.values())
        )
    return [torch.stack(layer) for layer in zip(*found)]


def middle(values: Tensor) -> Tensor:
    """The median of each row, between the two in the middle if need be, without NaN."""
    return values.nanquantile(0.5, dim=1)


def look(
    weights: Weights, data: Digits, noise: float, draws: list[torch.Generator]
) -> dict[str, Tensor]:
    """What the curves hold, a number per network."""
    gammas = relative(squares(weights))
    c = [torch.zeros_like(w) for w in weights]
    for rows in batches(len(data.inputs), BATCH, draws):
        slopes = gradient(weights, *data.batch(rows, noise, draws), "cross-entropy")
        c = [total + g.square() for total, g in zip(c, slopes)]
    out = {"gamma": middle(torch.cat(gammas, 1)), "gamma max": torch.cat(gammas, 1).amax(1)}
    into, away = flows(squares(weights))
    for k, (gamma, noise) in enumerate(zip(gammas, relative(c)), 1):
        out |= {f"gamma {k}": middle(gamma), f"gradient {k}": middle(noise)}
        out[f"log-ratio {k}"] = (into[k - 1] / away[k - 1]).log().mean(1) / 2
    out["norm"] = sum(w.square().sum((1, 2)) for w in weights) ** 0.5
    scores = forward(weights, data.inputs)[1]
    out["loss"] = value_of("cross-entropy", scores, data.labels).mean(1)
    hits = forward(weights, data.test)[1].argmax(2) == data.test_labels
    return out | {"accuracy": hits.double().mean(1)}


class Ledger:
    """What each term of the step has done to the charge."""

    def __init__(self, weights: Weights, rate: float, decay: float) -> None:
        self.rate, self.keep = rate, 1 - rate * decay
        self.kept = incidence(squares(weights))
        self.first, self.second = torch.zeros_like(self.kept), torch.zeros_like(self.kept)

    def enter(self, weights: Weights, step: Weights) -> None:
        """Before the step is taken."""
        cross = incidence([w * v for w, v in zip(weights, step)])
        self.first = self.keep**2 * self.first - 2 * self.rate * self.keep * cross
        self.second = self.keep**2 * self.second + self.rate**2 * incidence(squares(step))
        self.kept = self.keep**2 * self.kept

    def close(self, weights: Weights) -> dict[str, Any]:
        """Means and sizes by hidden layer, and how well the law holds."""
        charge = incidence(squares(weights))
        parts = {"kept": self.kept, "first": self.first, "second": self.second, "charge": charge}
        total = torch.cat([i + o for i, o in zip(*flows(squares(weights)))], 1)
        units = [w.shape[1] for w in weights[:-1]]
        out: dict[str, Any] = {
            name: [float(v.mean()) for v in part.split(units, 1)] for name, part in parts.items()
        }
        out["rms"] = {
            name: [float(v.square().mean().sqrt()) for v in part.split(units, 1)]
            for name, part in parts.items()
        }
        held = (self.kept.abs() / total).split(units, 1)
        out["held"] = [float(middle(v).mean()) for v in held]
        off = charge - self.kept - self.first - self.second
        return out | {"off": float(off.abs().max())}


def displaced(start: Weights, weights: Weights) -> dict[str, list[float]]:
    """B of the squared displacement by hidden layer, and its mean over the edges of each layer."""
    way = squares([w - v for w, v in zip(weights, start)])
    units = [w.shape[1] for w in weights[:-1]]
    return {
        "moved": [float(v.mean()) for v in incidence(way).split(units, 1)],
        "distance": [float(v.mean()) for v in way],
    }


def trained(run: Run, data: Digits, seeds: range = SEEDS) -> dict:
    """Curves and ledger of one rule, all seeds at once."""
    weights = he(SIZES, seeds)
    if run.start == "minimum norm":
        weights = lightest(weights)
    start = weights
    draws = [torch.Generator().manual_seed(1000 + seed) for seed in seeds]
    rule = getattr(update_rules, run.rule)()
    ledger, keep = Ledger(weights, run.rate, run.decay), 1 - run.rate * run.decay
    marks = [epoch * run.epochs // 30 for epoch in EPOCHS]
    seen = []
    for epoch in range(run.epochs + 1):
        if epoch in marks:
            looks = [torch.Generator().manual_seed(2000 + seed) for seed in seeds]
            seen.append(look(weights, data, run.noise, looks))
        if epoch == run.epochs:
            break
        for rows in batches(len(data.inputs), BATCH, draws):
            batch = data.batch(rows, run.noise, draws)
            step = rule(gradient(weights, *batch, "cross-entropy"))
            ledger.enter(weights, step)
            weights = [keep * w - run.rate * v for w, v in zip(weights, step)]
    closed = ledger.close(weights)
    if run.epochs == EPOCHS[-1]:
        closed |= displaced(start, weights)
    root = math.sqrt(len(seeds))
    curves = {
        name: {
            "mean": [float(f"{one[name].mean():.4g}") for one in seen],
            "error": [float(f"{one[name].std() / root:.2g}") for one in seen],
        }
        for name in seen[0]
    }
    return run._asdict() | {"at": marks, "curves": curves, "ledger": closed}


def end_of(row: dict) -> dict:
    """What names a row, and the last point of some of its curves."""
    short = {name: row[name] for name in Run._fields}
    for name in ("gamma 1", "gamma 2", "loss", "accuracy"):
        curve = row["curves"][name]
        short[name] = [curve["mean"][-1], curve["error"][-1]]
    return short
