"""A Deep Sets layer on three inputs in three codings: who crosses the spine a = b.

`equivariant_training.py` calls this, stores what it gives, and says what that is.
"""

from __future__ import annotations

import torch
from equivariant_rings import RUNS, SOLVED, Params
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.utils import parametrize


class Entries(nn.Module):
    """The layer as a matrix filled with a and b, and one output weight."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__()
        self.a, self.b, self.c = (
            nn.Parameter(torch.tensor(w, dtype=torch.float64)) for w in (a, b, 1.0)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Inputs (N, 3) to (N,)."""
        eye = torch.eye(3, dtype=x.dtype)
        return self.c * (x @ (self.a * eye + self.b * (1 - eye))).relu().sum(1)


class DeltaAndSum(Entries):
    """The layer as most write it, `delta * x + b * x.sum()`."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__(a - b, b)

    def forward(self, x: Tensor) -> Tensor:
        """Inputs (N, 3) to (N,)."""
        return self.c * (self.a * x + self.b * x.sum(1, keepdim=True)).relu().sum(1)


class Mean(nn.Module):
    """Replaces each entry by the mean over its orbit: for torch's parametrizations."""

    def forward(self, W: Tensor) -> Tensor:
        """Weights of the first layer, (3, 3), or of the last, (1, 3)."""
        if len(W) == 1:
            return W.mean().expand(1, 3)
        eye = torch.eye(3, dtype=W.dtype)
        diagonal = W.trace() / 3
        return diagonal * eye + (W.sum() - W.trace()) / 6 * (1 - eye)


class Projected(nn.Module):
    """Two full layers, each projected on the page by `torch.nn.utils.parametrize`."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3, bias=False, dtype=torch.float64)
        self.last = nn.Linear(3, 1, bias=False, dtype=torch.float64)
        eye = torch.eye(3, dtype=torch.float64)
        with torch.no_grad():
            self.first.weight.copy_(a * eye + b * (1 - eye))
            self.last.weight.fill_(1.0)
        parametrize.register_parametrization(self.first, "weight", Mean())
        parametrize.register_parametrization(self.last, "weight", Mean())

    def forward(self, x: Tensor) -> Tensor:
        """Inputs (N, 3) to (N,)."""
        return self.last(self.first(x).relu())[:, 0]


CODINGS = {"entries": Entries, "delta and sum": DeltaAndSum, "projected": Projected}

Pair = tuple[float, float]


def coded(coding: str, teacher: Pair, side: str, steps: int = 4000) -> dict:
    """Plain descent from one side in a coding: who crosses a = b, and who solves the task.

    The rate is a tenth of what is stable at the teacher, 0.2 over the largest eigenvalue of the
    Hessian in the parameters of the coding, so the codings go about equally fast there.
    """
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(200, 3, generator=draw, dtype=torch.float64)
    y = Entries(*teacher)(x).detach()
    starts = (0.7 * torch.randn(RUNS, 2, generator=draw, dtype=torch.float64)).sort(1)[0]
    if (teacher[0] > teacher[1]) == (side == "right"):
        starts = starts.flip(1)
    nets = [CODINGS[coding](*pair.tolist()) for pair in starts]
    net = CODINGS[coding](*teacher)
    params = {n: w.detach() for n, w in net.named_parameters()}
    names, shapes = list(params), [w.shape for w in params.values()]

    def loss(p: Params) -> Tensor:
        return (functional_call(net, p, (x,)) - y).square().mean() / 2

    def flat_loss(p: Tensor) -> Tensor:
        parts = p.split([shape.numel() for shape in shapes])
        return loss({n: w.view(shape) for n, w, shape in zip(names, parts, shapes)})

    point = torch.cat([w.flatten() for w in params.values()])
    hessian = torch.autograd.functional.hessian(flat_loss, point)
    assert isinstance(hessian, Tensor)
    rate = 0.2 / float(torch.linalg.eigvalsh(hessian)[-1])
    many = {
        n: torch.stack([dict(one.named_parameters())[n].detach() for one in nets]) for n in names
    }
    slope = vmap(grad(loss))
    first = apart(coding, many).sign()
    ever = torch.zeros(RUNS, dtype=torch.bool)
    for _ in range(steps):
        slopes = slope(many)
        many = {n: w - rate * slopes[n] for n, w in many.items()}
        ever |= apart(coding, many).sign() != first
    with torch.no_grad():
        losses = vmap(loss)(many)
    solved = losses / (y.var(correction=0) / 2) < SOLVED
    crossed = apart(coding, many).sign() != first
    return {
        "rate": rate,
        "ever": int(ever.sum()),
        "crossed": int(crossed.sum()),
        "solved": int(solved.sum()),
        "crossed and solved": int((crossed & solved).sum()),
        "relative": (losses / (y.var(correction=0) / 2)).tolist(),
    }


def apart(coding: str, many: Params) -> Tensor:
    """The difference of a and b, of each run."""
    if coding == "projected":
        W = many["first.parametrizations.weight.original"]
        diagonal = W.diagonal(dim1=1, dim2=2).sum(1)
        return diagonal / 3 - (W.sum((1, 2)) - diagonal) / 6
    return many["a"] if coding == "delta and sum" else many["a"] - many["b"]
