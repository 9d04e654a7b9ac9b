"""Runs of circular convolutions, and of the full networks that they are a part of.

`equivariant_training.py` calls this, stores what it gives, and says what that is.
"""

from __future__ import annotations

import math

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

RUNS, DRAWS, STEPS, MOMENTUM = 24, 100, 3000, 0.9
SOLVED = 1e-3  # of the loss of the best constant
Params = dict[str, Tensor]


class SumPool(nn.Module):
    """The sum over the places of a signal."""

    def forward(self, x: Tensor) -> Tensor:
        """Signals (n, m, d) to (n, m)."""
        return x.sum(-1)


def convolution(d: int, m: int, kernel: int, bias: bool) -> nn.Sequential:
    """A circular convolution with m channels, ReLU, sum pooling and a linear layer."""
    return nn.Sequential(
        nn.Conv1d(1, m, kernel, padding="same", padding_mode="circular", bias=bias),
        nn.ReLU(), SumPool(), nn.Linear(m, 1, bias=bias),
    ).double()  # fmt: skip


def full(d: int, m: int, bias: bool) -> nn.Sequential:
    """The network that the convolution is a part of."""
    return nn.Sequential(
        nn.Linear(d, m * d, bias=bias), nn.ReLU(), nn.Linear(m * d, 1, bias=bias)
    ).double()


def unrolled(params: Params, d: int) -> Params:
    """Parameters of the full network that is a convolution; batches of them, too."""
    kernel = params["0.weight"][..., 0, :]
    size = kernel.shape[-1]
    before = (size - 1) // 2  # what padding "same" puts in front
    W = kernel.new_zeros(*kernel.shape[:-1], d, d)
    for place in range(d):
        for k in range(size):
            W[..., place, (place + k - before) % d] += kernel[..., k]
    out = {"0.weight": W.flatten(-3, -2), "2.weight": params["3.weight"].repeat_interleave(d, -1)}
    if "0.bias" in params:
        out["0.bias"] = params["0.bias"].repeat_interleave(d, -1)
        out["2.bias"] = params["3.bias"]
    return out


def drawn(net: nn.Module, draw: torch.Generator, scale: float = 1.0) -> Params:
    """`RUNS` starts, as torch begins: uniform, up to 1/sqrt(fan-in)."""
    out = {}
    for name, w in net.named_parameters():
        weight = dict(net.named_parameters())[name.replace("bias", "weight")]
        size = scale / math.sqrt(weight[0].numel())
        out[name] = size * (2 * torch.rand(RUNS, *w.shape, generator=draw, dtype=w.dtype) - 1)
    return out


def shifts(x: Tensor) -> Tensor:
    """All shifts of signals (n, 1, d), one shift after another."""
    return torch.cat([x.roll(k, -1) for k in range(x.shape[-1])])


def descended(
    net: nn.Module, params: Params, x: Tensor, y: Tensor, rate: float, steps: int
) -> tuple[Params, Tensor, Tensor]:
    """Full-batch descent with momentum of many runs: parameters, losses, slopes' sizes."""

    def loss(p: Params, targets: Tensor) -> Tensor:
        return (functional_call(net, p, (x,))[:, 0] - targets).square().mean() / 2

    slope = vmap(grad(loss))
    speed = {n: torch.zeros_like(w) for n, w in params.items()}
    steep = params
    for _ in range(steps):
        steep = slope(params, y)
        speed = {n: MOMENTUM * speed[n] + steep[n] for n in params}
        params = {n: w - rate * speed[n] for n, w in params.items()}
    size = sum(g.flatten(1).square().sum(1) for g in steep.values())
    with torch.no_grad():
        return params, vmap(loss)(params, y), torch.as_tensor(size).sqrt()


def teachers(d: int, m: int, kernel: int, bias: bool, seed: int) -> tuple[nn.Module, Params]:
    """One teacher for each run: kernels of length 1, output weights 1, then -1 for a second."""
    draw = torch.Generator().manual_seed(1000 + seed)
    net = convolution(d, m, kernel, bias)
    params = drawn(net, draw)
    w = torch.randn(params["0.weight"].shape, generator=draw, dtype=torch.float64)
    params["0.weight"] = w / torch.linalg.vector_norm(w, dim=-1, keepdim=True)
    params["3.weight"] = torch.tensor([1.0, -1.0], dtype=torch.float64)[:m].expand(RUNS, 1, m)
    return net, params


class Ring:
    """The task of a row: data, teachers, and what a loss counts as solved."""

    def __init__(self, d: int, kernel: int, bias: bool, taught: int) -> None:
        self.d, self.kernel, self.bias, self.taught = d, kernel, bias, taught
        draw = torch.Generator().manual_seed(d)
        self.teacher, self.truth = teachers(d, taught, kernel, bias, d)
        self.draws = torch.randn(DRAWS, 1, d, generator=draw, dtype=torch.float64)
        self.others = torch.randn(d * DRAWS, 1, d, generator=draw, dtype=torch.float64)
        self.rate = 0.02 / d

    def targets(self, x: Tensor) -> Tensor:
        """For each run, `(RUNS, n)`."""
        with torch.no_grad():
            return vmap(lambda p: functional_call(self.teacher, p, (x,))[:, 0])(self.truth)

    def relative(self, losses: Tensor, y: Tensor) -> Tensor:
        """Losses as parts of that of the best constant."""
        return losses / (y.var(1, correction=0) / 2)

    def trained(self, m: int) -> dict:
        """Convolutions with m channels: how many are solved, and how the others ended."""
        net = convolution(self.d, m, self.kernel, self.bias)
        start = drawn(net, torch.Generator().manual_seed(m))
        y = self.targets(self.draws)
        end, losses, slopes = descended(net, start, self.draws, y, self.rate, STEPS)
        rest = self.relative(losses, y)
        sign = start["3.weight"].sign()
        kinds = []
        for run in range(RUNS):
            if rest[run] < SOLVED:
                kinds.append("solved")
            elif slopes[run] > 1e-4:
                kinds.append("still moving")
            elif self.taught == m == 1 and float(end["3.weight"][run]) < 0:
                kinds.append("wrong sign")
            else:
                kinds.append("dead" if rest[run] > 0.98 else "other minimum")
        self.start, self.end = start, end
        out = {"kinds": kinds, "relative": rest.tolist(), "slope": slopes.tolist()}
        out["turned"] = int((end["3.weight"].sign() != sign).flatten(1).any(1).sum())
        return out

    def relaxed(self, m: int, start: str, data: str, noise: float = 0.01) -> dict:
        """The full network from the convolutions' start or end; `trained` must have been run."""
        net = full(self.d, m, self.bias)
        x = shifts(self.draws) if data == "all shifts" else self.others
        y, x = self.targets(x), x[:, 0]
        draw = torch.Generator().manual_seed(7)
        params = unrolled(self.start if start == "start" else self.end, self.d)
        params = {
            n: w + noise * torch.randn(w.shape, generator=draw, dtype=w.dtype)
            for n, w in params.items()
        }
        # raw sharing adds up d equal slopes: at d times the rate the page is walked as fast
        end, losses, slopes = descended(net, params, x, y, self.d * self.rate, STEPS)
        rest = self.relative(losses, y)
        found = [page_of({n: w[k] for n, w in end.items()}, self.d, m) for k in range(RUNS)]
        return {
            "relative": rest.tolist(),
            "slope": slopes.tolist(),
            "distance": [one[0] for one in found],
            "cycles": [one[1] for one in found],
            "moved": [one[2] for one in found],
        }


def page_of(params: Params, d: int, m: int) -> tuple[float, list[int], int]:
    """How far the shifted network is from the same network with its units permuted.

    Rows are matched; returned are the distance as a part of the norm of the weights, the lengths
    of the cycles of the units that are not nearly 0, and how many of these units are not where
    the convolution's own permutation would have them.
    """
    W, v = params["0.weight"], params["2.weight"][0]
    columns = [W, v[:, None]] + ([params["0.bias"][:, None]] if "0.bias" in params else [])
    here = torch.cat(columns, 1)
    there = torch.cat([W.roll(1, 1), *columns[1:]], 1)
    cost = torch.cdist(there, here).square()
    _, images = linear_sum_assignment(cost.numpy())
    distance = float((there - here[images]).norm() / here.norm())
    size = W.norm(dim=1) * v.abs()
    alive = size > 1e-3 * size.max()
    lengths, seen = [], set()
    for first in range(len(W)):
        cycle, unit = [], first
        while unit not in seen:
            seen.add(unit)
            cycle.append(unit)
            unit = int(images[unit])
        if cycle and alive[cycle].any():
            lengths.append(len(cycle))
    usual = [d * (u // d) + (u % d + 1) % d for u in range(len(W))]
    moved = sum(1 for u in range(len(W)) if alive[u] and int(images[u]) != usual[u])
    return distance, sorted(lengths), moved
