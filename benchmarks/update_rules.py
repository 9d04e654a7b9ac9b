"""The directions of common optimisers for many networks at once: θ' = (1 - ηλ) θ - η v.

A rule keeps its state and gives v for a gradient g, layer by layer. β = 0.9 where torch's default
has it; the second moments and ε are torch's defaults as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Weights = list[Tensor]
Rule = Callable[[Weights], Weights]


def plain() -> Rule:
    """The gradient: v = g."""
    return lambda slopes: slopes


def sign() -> Rule:
    """Signs alone: v has those of g (Bernstein et al. 2018)."""
    return lambda slopes: [g.sign() for g in slopes]


def momentum(beta: float = 0.9) -> Rule:
    """Heavy ball: v = m with m = βm + g (Polyak 1964, as torch has it)."""
    state: Weights = []

    def rule(slopes: Weights) -> Weights:
        state[:] = [beta * m + g for m, g in zip(state, slopes)] if state else slopes
        return list(state)

    return rule


def root_mean_square(alpha: float = 0.99, epsilon: float = 1e-8) -> Rule:
    """RMSprop: v = g / √s, s the running mean of g² (Tieleman and Hinton 2012)."""
    state: Weights = []

    def rule(slopes: Weights) -> Weights:
        before = state or [torch.zeros_like(g) for g in slopes]
        state[:] = [alpha * s + (1 - alpha) * g.square() for s, g in zip(before, slopes)]
        return [g / (s.sqrt() + epsilon) for s, g in zip(state, slopes)]

    return rule


def adam(beta: float = 0.9, alpha: float = 0.999, epsilon: float = 1e-8) -> Rule:
    """Adam: v = m / √s, both running means without bias (Kingma and Ba 2015)."""
    first: Weights = []
    second: Weights = []
    step = 0

    def rule(slopes: Weights) -> Weights:
        nonlocal step
        step += 1
        zeros = [torch.zeros_like(g) for g in slopes]
        first[:] = [beta * m + (1 - beta) * g for m, g in zip(first or zeros, slopes)]
        second[:] = [alpha * s + (1 - alpha) * g.square() for s, g in zip(second or zeros, slopes)]
        early, late = 1 - beta**step, math.sqrt(1 - alpha**step)
        return [m / early / (s.sqrt() / late + epsilon) for m, s in zip(first, second)]

    return rule


def muon(beta: float = 0.95) -> Rule:
    """Muon: v = √max(1, rows/columns) UVᵀ of Nesterov's momentum UΣVᵀ (Jordan et al. 2024).

    The constants are those of `torch.optim.Muon`; five steps of the iteration leave singular values
    between about 0.7 and 1.2 where exact orthogonalisation has 1.
    """
    state: Weights = []

    def rule(slopes: Weights) -> Weights:
        before = state or [torch.zeros_like(g) for g in slopes]
        state[:] = [beta * m + (1 - beta) * g for m, g in zip(before, slopes)]
        ahead = [(1 - beta) * g + beta * m for m, g in zip(state, slopes)]
        return [orthogonalised(g) * math.sqrt(max(1, g.shape[1] / g.shape[2])) for g in ahead]

    return rule


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Nearly UVᵀ of each matrix, by the quintic iteration of Jordan et al. (2024)."""
    tall = matrix.shape[1] > matrix.shape[2]
    x = matrix.mT if tall else matrix
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.mT if tall else x
