"""Networks without constraint, from starts on the Deep Sets page, for `two_symmetries.py`."""

from __future__ import annotations

import itertools
from collections import Counter

import torch
from deep_sets_channels import RATE, SOLVED, TRAPPED, count, drawn, on_side
from torch import Tensor

from gaugelib.equivariance import deep_sets, teacher_gradient, teacher_loss

NOISES = {0: (1e-3, 1e-2, 1e-1), 50: (1e-3, 1e-2, 1e-1), 200: (1e-3, 1e-2, 1e-1), 1000: (1e-2,)}
STARTS, CHUNK = 20, 250
ORDERS = tuple(itertools.permutations(range(3)))
NAMES = tuple("".join(map(str, order)) for order in ORDERS)


class Population:
    """Networks without constraint, W `(runs, 3, 3)` and v `(runs, 3)`: infinitely many inputs."""

    def __init__(self, W: Tensor, v: Tensor) -> None:
        self.goal = W, v

    def loss(self, W: Tensor, v: Tensor) -> Tensor:
        """Shape `(runs,)`."""
        return teacher_loss(W, v, self.goal)

    def slopes(self, W: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """By W and by v."""
        return teacher_gradient(W, v, self.goal)


class Sample:
    """The same with inputs that were drawn, each in all orders; each run has its own."""

    def __init__(self, W: Tensor, v: Tensor, count: int, draw: torch.Generator) -> None:
        drawn = torch.randn(len(v), count, 3, generator=draw, dtype=v.dtype)
        orders = torch.tensor(list(itertools.permutations(range(3))))
        self.x = drawn[..., orders].flatten(1, 2)
        self.turned = self.x.mT.contiguous()
        self.y = (v[..., None, :] @ (W @ self.turned).relu())[..., 0, :]

    def loss(self, W: Tensor, v: Tensor) -> Tensor:
        """As `Population.loss`."""
        miss = (v[..., None, :] @ (W @ self.turned).relu())[..., 0, :] - self.y
        return miss.square().mean(-1) / 2

    def slopes(self, W: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """As `Population.slopes`."""
        hidden = (W @ self.turned).relu_()
        miss = ((v[..., None, :] @ hidden)[..., 0, :] - self.y) / self.y.shape[-1]
        first = ((hidden > 0).to(miss) * miss[..., None, :]) @ self.x
        return v[..., None] * first, (hidden @ miss[..., None])[..., 0]


def descent(
    data: Population | Sample, W: Tensor, v: Tensor, rate: float, steps: int, page: bool = False
) -> tuple[Tensor, Tensor]:
    """Weights after some steps; `page`: they stay on the Deep Sets page."""
    for _ in range(steps):
        first, last = data.slopes(W, v)
        if page:
            first, last = on_page(first), last.mean(-1, keepdim=True)
        W, v = W - rate * first, v - rate * last
    return W, v


def on_page(W: Tensor) -> Tensor:
    """The nearest of the matrices with one number on the diagonal and one elsewhere."""
    n = W.shape[-1]
    eye = torch.eye(n, dtype=W.dtype)
    total, trace = W.sum((-2, -1)), W.diagonal(dim1=-2, dim2=-1).sum(-1)
    other = (total - trace) / (n * (n - 1))
    return (trace / n - other)[..., None, None] * eye + other[..., None, None]


def relaxed(inputs: int, nudge: float = 0.0) -> list[dict]:
    """Without constraint."""
    draw, rows = torch.Generator().manual_seed(inputs), []
    cases = list(itertools.product(NOISES[inputs], ("start", "trap")))
    at, rate = (8000, 16000) if not inputs else (2000, 4000), 2 * RATE
    for goal in TRAPPED:
        pairs = on_side(drawn(STARTS).abs(), goal, "wrong")[:, 0] * (1 + nudge)
        W, v = (x.expand(STARTS, *x.shape) for x in deep_sets(*goal))
        data = Sample(W, v, inputs, draw) if inputs else Population(W, v)
        start = deep_sets(*pairs.unbind(-1))
        trap = descent(data, *start, rate, at[0], page=True)
        least = across(data, *trap)
        each = [start if where == "start" else trap for _, where in cases]
        W, v = (torch.stack(x) for x in zip(*each))
        noise = torch.randn(trap[0].shape, generator=draw, dtype=W.dtype)
        W = W + torch.tensor([n for n, _ in cases], dtype=W.dtype)[:, None, None, None] * noise
        taken, solved = torch.full(W.shape[:2], -1), []
        for k in range(CHUNK, at[-1] + 1, CHUNK):
            W, v = descent(data, W, v, rate, CHUNK)
            loss = data.loss(W, v)
            taken = torch.where((taken < 0) & (loss < SOLVED), k, taken)
            if k in at:
                solved.append(loss < SOLVED)
        far, which = away(W, v).min(-1)
        for k, (size, where) in enumerate(cases):
            done = loss[k] < SOLVED
            near = Counter(NAMES[p] for p in which[k][done & (far[k] < 0.05)].tolist())
            rows.append({
                "inputs": inputs, "goal": goal, "noise": size, "start": where, "runs": STARTS,
                "steps": at, "constrained": count(data.loss(*trap) < SOLVED),
                "solved": [count(s[k]) for s in solved],
                "taken": sorted(t for t in taken[k].tolist() if t > 0),
                "landed": dict(sorted(near.items())), "losses": sorted(loss[k][~done].tolist()),
            })  # fmt: skip
        rows.append({
            "inputs": inputs, "goal": goal, "start": "curvature", "runs": STARTS,
            "least": sorted(least.tolist()), "trap": sorted(data.loss(*trap).tolist()),
        })  # fmt: skip
    return rows


def away(W: Tensor, v: Tensor) -> Tensor:
    """Relative distance from each of the six pages, after balancing, shape `(..., 6)`."""
    M = W * v[..., None]
    parts = [M[..., list(order), :] for order in ORDERS]  # row i of the page is row order[i] of M
    apart = [torch.linalg.matrix_norm(part - on_page(part)) for part in parts]
    return torch.stack(apart, -1) / torch.linalg.matrix_norm(M)[..., None]


def across(data: Population | Sample, W: Tensor, v: Tensor) -> Tensor:
    """The least eigenvalue of the Hessian across the page, in the balanced gauge."""
    dial = (v.abs() / torch.linalg.vector_norm(W, dim=-1)).sqrt()
    W, v = W * dial[..., None], v / dial
    h = 1e-8 if isinstance(data, Sample) else 1e-6  # between kinks slopes are linear in W and v
    eye = torch.eye(12, dtype=W.dtype)
    columns = []
    for e in eye:
        up, down = (
            data.slopes(W + s * h * e[:9].view(3, 3), v + s * h * e[9:]) for s in (1.0, -1.0)
        )
        columns.append(torch.cat([(a - b).flatten(1) / (2 * h) for a, b in zip(up, down)], 1))
    hessian = torch.stack(columns, -1)
    page = torch.cat([on_page(eye[:, :9].view(12, 3, 3)).flatten(1), eye[:, 9:]], 1)
    page[9:, 9:] = 1 / 3
    other = torch.linalg.eigh(eye - page)[1][:, 3:]
    return torch.linalg.eigvalsh(other.mT @ (hessian + hessian.mT) / 2 @ other)[:, 0]
