"""Gradient descent of many copies of one model at once, with and without soft gauge fixing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from gaugelib import GaugeGroup, minimum_norm, rescale, trace_group

Params = dict[str, Tensor]


@dataclass
class Task:
    """A model, its group, and data; parameters carry a leading dimension, one for each run."""

    model: nn.Module
    inputs: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        self.group: GaugeGroup = trace_group(self.model, self.inputs[:2])
        self.dead_loss = float(self.targets.square().sum() / (2 * len(self.inputs)))

    def loss(self, params: Params) -> Tensor:
        """L(θ) = ½ mean |f(x) − y|²."""
        miss = functional_call(self.model, params, (self.inputs,)) - self.targets
        return miss.square().sum() / (2 * len(self.inputs))

    def ratio(self, params: Params) -> Tensor:
        """Log-ratio u of each unit; written for `vmap`, which allows no look at values."""
        into, out = self.group.totals({name: w.square() for name, w in params.items()})
        return (into / out).log() / 2

    def penalty(self, params: Params, method: str) -> Tensor:
        """¼ Σ Δ² or ½ Σ u²."""
        if method == "imbalance":
            return self.group.collect({n: w.square() for n, w in params.items()}).square().sum() / 4
        return self.ratio(params).square().sum() / 2

    def moved(self, params: Params, alpha: Tensor) -> Params:
        """Rescaled by e^α, for `vmap`."""
        rates = self.group.spread(alpha)
        return {name: w * rates[name].exp() for name, w in params.items()}

    def start(self, name: str, seed: int) -> Params:
        """Parameters of one of the starts."""
        draw = torch.Generator().manual_seed(seed)
        params = {
            n: torch.randn(w.shape, generator=draw, dtype=w.dtype) * (2 / w[0].numel()) ** 0.5
            for n, w in self.model.named_parameters()
        }
        if name == "he":
            return params
        params = minimum_norm(params, self.group, tol=1e-10).params
        if name == "balanced":
            return params
        log_std = float(name.split()[1])
        return rescale(params, self.group.random(generator=draw, log_std=log_std), self.group)


def train(task: Task, start: Params, etas: Tensor, strengths: Tensor, method: str, steps: int):
    """Every run of a batch at once; runs that blew up are dropped. Returns tensors, one a run."""
    if method == "once":
        each = [{n: w[k] for n, w in start.items()} for k in range(len(etas))]
        each = [minimum_norm(one, task.group, tol=1e-10).params for one in each]
        start = {n: torch.stack([one[n] for one in each]) for n in start}
    penalised = method in ("imbalance", "log-penalty")

    def total(params: Params, strength: Tensor) -> tuple[Tensor, Tensor]:
        loss = task.loss(params)
        return (loss + strength * task.penalty(params, method) if penalised else loss), loss

    slope = vmap(grad(total, has_aux=True))
    loss_of: Callable[[Params], Tensor] = vmap(task.loss)
    ratio_of: Callable[[Params], Tensor] = vmap(task.ratio)
    moved = vmap(task.moved)
    runs = torch.arange(len(etas))
    params, first_ratio = dict(start), ratio_of(start)
    first = lowest = loss_of(params)
    strict, tolerant = torch.ones(len(runs), dtype=torch.bool), torch.zeros(len(runs)).bool()
    final, ratio = torch.full_like(etas, math.inf), torch.full_like(etas, math.nan)
    drift = ratio.clone()

    def judge(loss: Tensor) -> Tensor:
        nonlocal lowest
        fine = loss.isfinite() & (loss <= 2 * first[runs])
        strict[runs] &= fine & (loss <= 1.01 * lowest)
        lowest = torch.minimum(lowest, loss)
        return fine

    for _ in range(steps):
        eta, strength = etas[runs], strengths[runs]
        slopes, loss = slope(params, strength)
        fine = judge(loss)
        if not bool(fine.all()):
            runs, lowest, eta, strength = runs[fine], lowest[fine], eta[fine], strength[fine]
            params = {n: w[fine] for n, w in params.items()}
            slopes = {n: g[fine] for n, g in slopes.items()}
            if not len(runs):
                break
        if method == "decay":
            slopes = {
                n: g + strength.view(-1, *[1] * (g.dim() - 1)) * params[n]
                for n, g in slopes.items()
            }
        params = {n: w - eta.view(-1, *[1] * (w.dim() - 1)) * slopes[n] for n, w in params.items()}
        for _ in range({"log-ratio": 1, "every": 10}.get(method, 0)):
            params = moved(params, -strength[:, None] / 2 * ratio_of(params))
    if len(runs):
        loss = loss_of(params)
        dead = (loss - task.dead_loss).abs() <= 1e-12 * task.dead_loss
        fine = judge(loss) & (loss < first[runs]) & ~dead
        at_end = ratio_of(params)
        tolerant[runs], final[runs] = fine, loss
        ratio[runs] = at_end.square().mean(1).sqrt()
        drift[runs] = (at_end - first_ratio[runs]).square().mean(1).sqrt()
    return strict, tolerant, final, drift, ratio


def multilayer(widths) -> nn.Sequential:
    """ReLU layers of these widths, without biases."""
    pairs = itertools.pairwise(widths)
    layers = [nn.Linear(m, n, bias=False, dtype=torch.float64) for m, n in pairs]
    return nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])


def convolutional() -> nn.Sequential:
    """Two convolutions and one linear layer, for images of 8 × 8."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2, bias=False), nn.ReLU(),
        nn.Conv2d(6, 8, 2, bias=False), nn.ReLU(),
        nn.Flatten(), nn.Linear(32, 10, bias=False),
    ).double()  # fmt: skip


class Residual(nn.Module):
    """A stream of 16 units with one residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 16, bias=False)
        self.inner = nn.Linear(16, 16, bias=False)
        self.outer = nn.Linear(16, 16, bias=False)
        self.last = nn.Linear(16, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Images (n, 64) to (n, 10)."""
        x = torch.relu(self.first(x))
        x = torch.relu(x + self.outer(torch.relu(self.inner(x))))
        return self.last(x)
