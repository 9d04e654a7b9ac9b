r"""A layered network and three ways to its minimum-norm gauge: `layered.js` in torch.

A network is a list of matrices $W_l$ of shape (targets, sources), float64; a gauge is a list of
$\log a$, one vector for each hidden layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from gaugelib.widgets.shared.numbers import uniform

METHODS = ("paper", "alternating", "two-level")
BALANCED = 1e-12
MOST_SWEEPS = 400


@dataclass(frozen=True)
class State:
    """A network after some sweeps."""

    weights: list[Tensor]  # (n_l, n_{l-1}) for each weight layer
    imbalances: list[Tensor]  # (in - out) / (in + out), shape (n_l,) for each hidden layer
    layers: list[float]  # the same of each hidden layer as a whole
    norm: float  # sum of |weight|^p
    gamma: float  # the largest |imbalance| of a neuron


def normals(count: int, state: int) -> tuple[Tensor, int]:
    """`count` normal numbers by Box and Muller, and the next state."""
    numbers = []
    for _ in range(count):
        first, state = uniform(state)
        second, state = uniform(state)
        numbers.append(math.sqrt(-2 * math.log1p(-first)) * math.cos(2 * math.pi * second))
    return torch.tensor(numbers, dtype=torch.float64), state


def opening(
    given: Sequence[Tensor], depth: int, width: int, log_std: float, state: int
) -> list[Tensor]:
    """The network before the first sweep: `given` or He's weights, in a random gauge."""
    weights = list(given)
    if not weights:
        widths = [width] * depth + [1]
        for fan_in, fan_out in pairwise(widths):
            numbers, state = normals(fan_in * fan_out, state)
            weights.append(numbers.reshape(fan_out, fan_in) * math.sqrt(2 / fan_in))
    logs = []
    for matrix in weights[:-1]:
        numbers, state = normals(len(matrix), state)
        logs.append(log_std * numbers)
    return rescaled(weights, logs)


def rescaled(weights: Sequence[Tensor], logs: Sequence[Tensor]) -> list[Tensor]:
    """The weights in another gauge: $W_{ij} a_i / a_j$."""
    moved = list(weights)
    for h, log in enumerate(logs):
        moved[h] = moved[h] * log.exp()[:, None]
        moved[h + 1] = moved[h + 1] / log.exp()
    return moved


def history(weights: Sequence[Tensor], method: str, sweeps: int, p: float) -> list[State]:
    """The network after 0, 1, ... sweeps; at most `sweeps`, fewer if it is balanced before."""
    states = [_state(list(weights), p)]
    for _ in range(min(sweeps, MOST_SWEEPS)):
        if states[-1].gamma < BALANCED:
            break
        moved = states[-1].weights
        for move in _moves(method):
            moved = rescaled(moved, move(moved, p))
        states.append(_state(moved, p))
    return states


Move = Callable[[list[Tensor], float], list[Tensor]]


def _moves(method: str) -> Iterator[Move]:
    """What one sweep does, one gauge transformation after the other."""
    if method == "paper":
        yield lambda weights, p: [log / 2 for log in _balancing(weights, p)]
        return
    for parity in (0, 1):
        yield lambda weights, p, parity=parity: [
            log if h % 2 == parity else torch.zeros_like(log)
            for h, log in enumerate(_balancing(weights, p))
        ]
        if method == "two-level":
            yield _layer_correction


def _balancing(weights: list[Tensor], p: float) -> list[Tensor]:
    """The log of the scale that balances each neuron while its neighbours stand still."""
    return [(out.log() - into.log()) / (2 * p) for into, out in _flows(weights, p)]


def _layer_correction(weights: list[Tensor], p: float) -> list[Tensor]:
    """One scale for each hidden layer, so that all layer totals become their geometric mean."""
    sizes = torch.stack([matrix.abs().pow(p).sum() for matrix in weights]).log()
    shifts = (sizes.mean() - sizes).cumsum(0) / p
    return [shifts[h].expand(len(matrix)) for h, matrix in enumerate(weights[:-1])]


def _flows(weights: list[Tensor], p: float) -> list[tuple[Tensor, Tensor]]:
    powers = [matrix.abs().pow(p) for matrix in weights]
    return [(into.sum(1), out.sum(0)) for into, out in pairwise(powers)]


def _state(weights: list[Tensor], p: float) -> State:
    flows = _flows(weights, p)
    imbalances = [(into - out) / (into + out) for into, out in flows]
    whole = [(into.sum() - out.sum()) / (into.sum() + out.sum()) for into, out in flows]
    return State(
        weights=weights,
        imbalances=imbalances,
        layers=[float(x) for x in whole],
        norm=float(torch.stack([matrix.abs().pow(p).sum() for matrix in weights]).sum()),
        gamma=max(float(x.abs().max()) for x in imbalances),
    )
