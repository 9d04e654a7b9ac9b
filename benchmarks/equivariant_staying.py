"""Runs of the network without a constraint, from the wrong side of the page of S_3.

`equivariant_training.py` calls this, stores what it gives, and says what that is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from gaugelib.equivariance import deep_sets, descend, teacher_gradient
from gaugelib.equivariance.summation import Sum, fixed_sum, plain_sum, relu_gradient, sorted_sum

TEACHER, START = (-0.5, 1.0), (0.9, 0.3)
DRAWS, BATCH, STEPS = 200, 120, 10000
RATE = {"sgd": 0.05, "momentum": 0.05, "adam": 0.01}
TYPES = {"float64": torch.float64, "float32": torch.float32}
SUMS: dict[str, Sum] = {"plain": plain_sum, "sorted": sorted_sum, "fixed": fixed_sum}
ORDERS = tuple(itertools.permutations(range(3)))
TRAPPED, HALF = 0.0529, 0.5  # the loss in the trap; below a half of it a run has escaped


def sample(draws: int = DRAWS, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Inputs in all six orders, the draws one after another within each order, and targets."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(draws, 3, generator=draw, dtype=torch.float64)
    x = torch.cat([x[:, list(order)] for order in ORDERS])
    W, _ = deep_sets(*TEACHER)
    return x, sorted_sum(sorted_sum(x[:, None] * W, 2).relu(), 1)


def network(dtype: torch.dtype) -> nn.Sequential:
    """The unconstrained network at the start, exactly on the page."""
    net = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 1, bias=False))
    net = net.to(dtype)
    W, v = deep_sets(*(torch.tensor(entry, dtype=dtype) for entry in START))
    net.load_state_dict({"0.weight": W, "2.weight": v[None]})
    return net


def away(W: Tensor, v: Tensor) -> float:
    """The distance from the page: exactly 0 if entries that should be equal are."""
    W, v = W.detach().double(), v.detach().double().flatten()
    eye = torch.eye(3, dtype=torch.bool)
    total = 0.0
    for part in (W[eye], W[~eye], v):
        apart = part - part[0]
        total += float((apart - apart.mean()).square().sum())
    return math.sqrt(total)


def landing(W: Tensor, v: Tensor) -> dict:
    """The nearest of the six pages, and where on it: P^T W is nearest to a I + b (J - I)."""
    W, v = W.detach().double(), v.detach().double().flatten()
    found = []
    for order in ORDERS:
        turned = W[list(order)]
        a, b = turned.diagonal().mean(), (turned.sum() - turned.trace()) / 6
        found.append((away(turned, v), order, float(a * v.mean()), float(b * v.mean())))
    distance, order, a, b = min(found)
    return {"page": list(order), "distance": distance, "a": a, "b": b}


def batches(way: str, runs: int) -> Iterator[Tensor]:
    """Numbers of the examples of each step, a row for each run: whole orbits, or any ("cut")."""
    draw = torch.Generator().manual_seed(0)
    six = DRAWS * torch.arange(6)[:, None]
    everything = torch.arange(6 * DRAWS).expand(runs, -1)
    while True:
        if way == "full":
            yield everything
        elif way == "whole":
            orbits = torch.randint(DRAWS, (runs, 1, BATCH // 6), generator=draw)
            yield (six + orbits).flatten(1)
        else:
            yield torch.randint(6 * DRAWS, (runs, BATCH), generator=draw)


def marks(steps: int) -> list[int]:
    """Steps at which the distance is stored, about eight a decade."""
    return sorted({0, steps, *(min(steps, round(10 ** (k / 8))) for k in range(56))})


def staying(method: str, way: str, dtype: str, runs: int) -> dict:
    """Runs that differ in their batches: distances at some steps, escapes, and where they ended.

    torch's optimisers work entry by entry, so one of them trains all runs, of stacked weights.
    """
    x, y = (part.to(TYPES[dtype]) for part in sample())
    net = network(x.dtype)
    params = {n: w.detach().repeat(runs, 1, 1).requires_grad_() for n, w in net.named_parameters()}
    descent = optimizer(method, list(params.values()))

    def losses(inputs: Tensor, targets: Tensor) -> Tensor:
        def one(p: dict[str, Tensor], a: Tensor, b: Tensor) -> Tensor:
            return (functional_call(net, p, (a,))[:, 0] - b).square().mean() / 2

        if runs == 1:
            return one({n: w[0] for n, w in params.items()}, inputs[0], targets[0])[None]
        return vmap(one)(params, inputs, targets)

    at, distances = marks(STEPS), []
    escaped: list[int | None] = [None] * runs
    everything = next(batches("full", runs))
    for step, chosen in zip(range(STEPS + 1), batches(way, runs)):
        if step in at:
            ends = list(zip(params["0.weight"], params["2.weight"]))
            distances.append([away(*pair) for pair in ends])
        if step % 100 == 0 and step >= 100:
            with torch.no_grad():
                low = losses(x[everything], y[everything]) < HALF * TRAPPED
            escaped = [step if e is None and q else e for e, q in zip(escaped, low.tolist())]
        if step == STEPS:
            break
        loss = losses(x[chosen], y[chosen]).sum()
        descent.zero_grad()
        loss.backward()
        descent.step()
    with torch.no_grad():
        end = losses(x[everything], y[everything]).tolist()
    places = [landing(*pair) for pair in zip(params["0.weight"], params["2.weight"])]
    gathered = {name: [place[name] for place in places] for name in places[0]}
    gathered["off"] = gathered.pop("distance")
    return {"steps": at, "distance": distances, "escaped": escaped, "loss": end} | gathered


def optimizer(method: str, weights: list[Tensor]) -> torch.optim.Optimizer:
    """Descent, with momentum 0.9, or Adam."""
    if method == "adam":
        return torch.optim.Adam(weights, lr=RATE[method])
    return torch.optim.SGD(weights, lr=RATE[method], momentum=0.9 if method == "momentum" else 0.0)


def summed(inputs: str, units: str, examples: str, dtype: str, steps: int = 1000) -> dict:
    """Full-batch descent with a choice for each sum; the largest distance on the way."""
    x, y = (part.to(TYPES[dtype]) for part in sample())
    W, v = deep_sets(*(torch.tensor(entry, dtype=x.dtype) for entry in START))
    most = 0.0
    for _ in range(steps):
        dW, dv = relu_gradient(W, v, x, y, (SUMS[inputs], SUMS[units], SUMS[examples]))
        W, v = W - RATE["sgd"] * dW, v - RATE["sgd"] * dv
        most = max(most, away(W, v))
    return {"largest": most, "end": away(W, v)}


def across(hessian: Tensor) -> Tensor:
    """Eigenvalues of a Hessian, (12, 12), in the nine directions across the page, and vectors."""
    eye = torch.eye(3, dtype=torch.float64).flatten()
    along = torch.zeros(3, 12, dtype=torch.float64)
    along[0, :9], along[1, :9], along[2, 9:] = eye / 3**0.5, (1 - eye) / 6**0.5, 3**-0.5
    rest = torch.linalg.eigh(torch.eye(12, dtype=torch.float64) - along.T @ along)[1][:, 3:]
    values, vectors = torch.linalg.eigh(rest.T @ hessian @ rest)
    return torch.cat([values[None], rest @ vectors])


def exact_hessian(W: Tensor, v: Tensor, step: float = 1e-5) -> Tensor:
    """With infinitely many inputs, by central differences of the exact gradient."""
    teacher = deep_sets(*TEACHER)
    here = torch.cat([W.flatten(), v])

    def slope(point: Tensor) -> Tensor:
        dW, dv = teacher_gradient(point[:9].view(3, 3), point[9:], teacher)
        return torch.cat([dW.flatten(), dv])

    rows = [
        (slope(here + step * e) - slope(here - step * e)) / (2 * step)
        for e in torch.eye(12, dtype=torch.float64)
    ]
    return (torch.stack(rows) + torch.stack(rows).T) / 2


def sample_loss(point: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Of the twelve weights in a row."""
    return ((x @ point[:9].view(3, 3).T).relu() @ point[9:] - y).square().mean() / 2


def exact_trap(steps: int = 4000) -> tuple[Tensor, Tensor]:
    """Where the page ends from the start, with infinitely many inputs."""
    W, v = deep_sets(*START)
    teacher = deep_sets(*TEACHER)
    for _ in range(steps):
        dW, dv = teacher_gradient(W, v, teacher)
        other = (dW.sum() - dW.trace()) / 6
        W = W - 0.1 * deep_sets(dW.trace() / 3, other)[0]
        v = v - 0.1 * dv.mean()
    return W, v


def kicked(dtype: str, kick: float, rate: float = 0.1, steps: int = 9000) -> dict:
    """Unconstrained descent with infinitely many inputs, from the trap and a kick across the page.

    The kick is along the one direction of negative curvature. Stored are the way gone in that
    direction, its growth a step while between 1e-5 and 1e-2, and what the eigenvalue predicts.
    """
    W, v = exact_trap()
    found = across(exact_hessian(W, v))
    down = found[1:10, 0].view(3, 3)
    kind = TYPES[dtype]
    teacher = deep_sets(*(torch.tensor(entry, dtype=kind) for entry in TEACHER))
    run = descend((W + kick * down).to(kind), v.to(kind), teacher, lr=rate, steps=steps, every=50)
    gone = [abs(float((w.double() * down).sum())) for w in run.W]
    at = run.steps.tolist()
    grows = [(s, math.log(q)) for s, q in zip(at, gone) if 1e-5 < q < 1e-2]
    measured = None
    if len(grows) > 1:
        measured = (grows[-1][1] - grows[0][1]) / (grows[-1][0] - grows[0][0])
    return {
        "eigenvalues": found[0].tolist(),
        "predicted": math.log1p(-rate * float(found[0, 0])),
        "measured": measured,
        "steps": at[::4],
        "gone": gone[::4],
        "escaped": next((s for s, q in zip(at, gone) if q > 0.5), None),
        "loss": float(run.loss[-1]),
    } | landing(run.W[-1], run.v[-1])


def bowl(draws: int) -> dict:
    """The trap on a sample: curvature across the page, at a point and over longer ways."""
    x, y = sample(draws)
    t = torch.tensor([*START, 1.0], dtype=torch.float64)
    apart, total = x[:draws], x[:draws].sum(1, keepdim=True)
    eachs = torch.tensor([3.0, 6.0, 3.0], dtype=torch.float64)
    for _ in range(3000):
        a, b, c = t.requires_grad_()
        found = c * ((a - b) * apart + b * total).relu().sum(1)
        (slope,) = torch.autograd.grad((found - y[:draws]).square().mean() / 2, t)
        t = t.detach() - 0.1 * slope / eachs
    W, v = deep_sets(t[0], t[1], t[2])
    point = torch.cat([W.flatten(), v])
    hessian = torch.autograd.functional.hessian(lambda p: sample_loss(p, x, y), point)
    assert isinstance(hessian, Tensor)
    down = across(exact_hessian(W, v))[1:, 0]
    here = sample_loss(point, x, y)
    reach = [1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3]
    seen = [
        float(sum(sample_loss(point + s * h * down, x, y) - here for s in (1, -1)) / h**2)
        for h in reach
    ]
    values = across(hessian)[0].tolist()
    return {"eigenvalues": values, "reach": reach, "curvature": seen, "loss": float(here)}
