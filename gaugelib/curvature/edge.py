"""Gradient descent on the toy (w v - y)²/2, up to the edge of stability: a map of two numbers."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from gaugelib.group import GaugeError


def edge_path(
    product: float | Tensor,
    size: float | Tensor,
    *,
    target: float | Tensor,
    lr: float | Tensor,
    steps: int,
) -> tuple[Tensor, Tensor]:
    r"""The path of $\rho = wv$ and $S = w^2 + v^2$ under gradient descent on $(wv - y)^2/2$.

    With $e = \rho - y$, a step of size $\eta$ leads to

    $$\rho' = \rho\,(1 + \eta^2 e^2) - \eta e S, \qquad S' = S\,(1 + \eta^2 e^2) - 4\eta e\rho,$$

    and multiplies the charge $\Delta = w^2 - v^2$ by $1 - \eta^2 e^2$. The weights are not needed:
    $\Delta^2 = S^2 - 4\rho^2$. At a minimum, where $\rho = y$, the sharpness is $S$.

    Args:
        product: $\rho$ at the start.
        size: $S$ at the start, not less than $2|\rho|$.
        target: $y$.
        lr: the step size $\eta$, positive.
        steps: how many steps are taken; 1 gives the start and what follows it.

    Returns:
        $\rho$ and $S$, each of shape `(steps + 1, ...)`, where the dots are the shape to which the
        first four arguments broadcast. Numbers alone and tensors of whole numbers are taken in
        float64; with other tensors, all is of their common dtype and on their device. A run
        that diverges ends in values not finite.

    Raises:
        GaugeError: if no two weights have this $\rho$ and $S$, or lr or steps is not as above.

    Book: prop-edge.

    Example:
        >>> rates = torch.tensor([0.1, 0.2], dtype=torch.float64)
        >>> _, size = edge_path(0.4, 16.01, target=1.0, lr=rates, steps=500)
        >>> size[-1]
        tensor([16.0246,  2.0026], dtype=torch.float64)
    """
    rho, size, target, lr = _together(product, size, target, lr)
    if steps < 0:
        raise GaugeError(f"steps must not be negative, found {steps}")
    if not (lr > 0).all():
        raise GaugeError(f"lr must be positive, found {_first(lr, lr > 0)}")
    least = 2 * rho.abs() * (1 - 4 * torch.finfo(rho.dtype).eps)  # both were rounded before
    if not (size >= least).all():
        asked, found = (_first(value, size >= least) for value in (rho, size))
        raise GaugeError(
            f"no weights have the product {asked} and the size {found}: it must be twice "
            "the product or more"
        )
    path = [(rho, size)]
    for _ in range(steps):
        rho, size = path[-1]
        move = lr * (rho - target)
        growth = 1 + move.square()
        path.append((rho * growth - move * size, size * growth - 4 * move * rho))
    rhos, sizes = zip(*path, strict=True)
    return torch.stack(rhos), torch.stack(sizes)


def _together(*values: float | Tensor) -> tuple[Tensor, ...]:
    """The values as tensors of one shape, dtype and device."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    dtypes = [value.dtype for value in tensors] or [torch.float64]
    like = tensors[0].device if tensors else None
    dtype = functools.reduce(torch.promote_types, dtypes)
    if not dtype.is_floating_point:
        dtype = torch.float64
    return torch.broadcast_tensors(
        *(torch.as_tensor(value, dtype=dtype, device=like) for value in values)
    )


def _first(values: Tensor, right: Tensor) -> str:
    """The first of the values that is not right."""
    return f"{values[~right][0].tolist():g}"
