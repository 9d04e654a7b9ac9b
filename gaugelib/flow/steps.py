"""One step of three integrators."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gaugelib.group import GaugeError

Velocity = Callable[[Tensor], Tensor]

ITERATIONS = 60
ROUNDINGS = 4
HALVINGS = 8


def euler(velocity: Velocity, x: Tensor, step: float) -> Tensor:
    """Forward Euler, order 1: gradient descent."""
    return x + step * velocity(x)


def rk4(velocity: Velocity, x: Tensor, step: float) -> Tensor:
    """The classical Runge-Kutta method, order 4 where the velocity is smooth."""
    first = velocity(x)
    second = velocity(x + step / 2 * first)
    third = velocity(x + step / 2 * second)
    fourth = velocity(x + step * third)
    return x + step / 6 * (first + 2 * second + 2 * third + fourth)


def midpoint(velocity: Velocity, x: Tensor, step: float, halvings: int = HALVINGS) -> Tensor:
    r"""The implicit midpoint rule $x' = x + \eta v(\frac{x+x'}2)$, solved to rounding, order 2.

    It keeps every quadratic invariant. Near a kink the equation may have no solution for one step
    and have one for a shorter, so the step is then taken in two halves.

    Raises:
        GaugeError: if even the shortest of these was not solved.
    """
    middle = x + step / 2 * velocity(x)
    for _ in range(ITERATIONS):
        solved = x + step / 2 * velocity(middle)
        tolerance = ROUNDINGS * torch.finfo(x.dtype).eps * solved.abs().max()
        if bool((solved - middle).abs().max() <= tolerance):
            return 2 * solved - x
        middle = solved
    if halvings == 0:
        raise GaugeError(
            f"{ITERATIONS} iterations did not solve the implicit midpoint's equation, even for a "
            f"step of {step:.2e}: the steps are too long, or the flow slides along a kink"
        )
    half = midpoint(velocity, x, step / 2, halvings - 1)
    return midpoint(velocity, half, step / 2, halvings - 1)
