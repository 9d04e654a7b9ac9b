"""The paths of SixPages: `descent.js` in Python, the loss and its gradient from the library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaugelib.equivariance import deep_sets, teacher_gradient, teacher_loss
from gaugelib.widgets.shared.numbers import uniform

Array = NDArray[np.float64]
NOISE = 0.01  # standard deviation of what is added to each weight when the constraint is dropped
STOP = 1e-6  # descent ends where the gradient is no longer
MOST = 12000  # and at the latest after so many steps
FRAMES = (24, 48)  # of the two halves of the path: on the page, and without the constraint


@dataclass(frozen=True, eq=False)
class Place:
    """A place on the path of descent."""

    weights: Array  # (n, n)
    step: int
    loss: float


def page_matrix(n: int, delta: float, mean: float) -> Array:
    """W = (a - b) I + b J of the given delta = a - b and mean entry."""
    return delta * np.eye(n) + (mean - delta / n)


def on_page(W: Array) -> tuple[float, float]:
    """Delta and mean of the point of the page of the identity that is nearest to W."""
    n = len(W)
    diagonal = W.trace() / n
    return float(diagonal - (W.sum() - n * diagonal) / (n * (n - 1))), float(W.mean())


def nearest_page(W: Array, teacher: tuple[float, float]) -> tuple[tuple[int, ...], float, bool]:
    """The page that is nearest to W.

    Returns:
        Its permutation (images, from 0), the distance, and whether delta has the teacher's sign;
        a teacher on the spine has either.
    """
    wanted = teacher[0] - teacher[1]
    found = []
    for order in ORDERS[len(W)]:
        back = W[list(order)]
        delta, mean = on_page(back)
        distance = float(np.linalg.norm(back - page_matrix(len(W), delta, mean)))
        found.append((distance, order, wanted == 0 or delta * wanted > 0))
    distance, order, right = min(found, key=lambda each: each[0])
    return order, distance, right


ORDERS = {
    2: ((0, 1),),
    3: ((0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (2, 1, 0), (0, 2, 1)),
}
NAMES = {
    (0, 1): "e",
    (0, 1, 2): "e",
    (1, 2, 0): "(1 2 3)",
    (2, 0, 1): "(1 3 2)",
    (1, 0, 2): "(1 2)",
    (2, 1, 0): "(1 3)",
    (0, 2, 1): "(2 3)",
}


def noisy(W: Array, state: int) -> Array:
    """W with noise on every weight: uniform, of mean 0 and standard deviation NOISE."""
    there = W.copy()
    for place in np.ndindex(*W.shape):
        number, state = uniform(state)
        there[place] += NOISE * math.sqrt(12) * (number - 0.5)
    return there


def descend(W: Array, teacher: tuple[float, float], constrained: bool) -> tuple[Array, Array]:
    """Descent from W: every W, shape (steps + 1, n, n), and its loss.

    A step is eta = r / (n² (r + r*)), a part 1/(2n) of what keeps the barrier, as is proved; r is
    the root mean square length of the rows, r* the teacher's.
    """
    n = len(W)
    ones, wanted = torch.ones(n, dtype=torch.float64), deep_sets(*teacher, n=n)
    size = float(wanted[0].norm())
    points: list[Tensor] = []
    here = torch.from_numpy(W)
    while True:
        slope = teacher_gradient(here, ones, wanted)[0]
        if constrained:
            delta, mean = on_page(slope.numpy())
            on_spine = bool((here == here[0, 0]).all())  # which rounding shall not leave
            slope = torch.from_numpy(page_matrix(n, 0.0 if on_spine else delta, mean))
        points.append(here)
        if float(slope.norm()) <= STOP or len(points) > MOST:
            losses = teacher_loss(torch.stack(points), ones, wanted).clamp(min=0)
            return torch.stack(points).numpy(), losses.numpy()
        length = float(here.norm())
        here = here - length / (n * n * (length + size)) * slope


def spaced(points: Array, count: int) -> list[int]:
    """`count` + 1 places on a path, spaced evenly by its length: the indices of points."""
    ways = np.linalg.norm(np.diff(points, axis=0), axis=(1, 2))
    far = np.concatenate([[0.0], ways.cumsum()])
    inner = np.searchsorted(far, np.arange(count) / count * far[-1], side="left")
    return [*map(int, inner), len(points) - 1]


@lru_cache(maxsize=32)
def path(
    n: int, teacher: tuple[float, float], delta: float, mean: float, state: int | None
) -> tuple[Place, ...]:
    """Descent on the page and, with the state of a generator for the noise, on without it."""
    points, losses = descend(page_matrix(n, delta, mean), teacher, constrained=True)
    places = [Place(points[k], k, float(losses[k])) for k in spaced(points, FRAMES[0])]
    if state is None:
        return tuple(places)
    begun = len(points) - 1
    points, losses = descend(noisy(points[-1], state), teacher, constrained=False)
    free = [Place(points[k], begun + k, float(losses[k])) for k in spaced(points, FRAMES[1])]
    return (*places, *free[1:])
