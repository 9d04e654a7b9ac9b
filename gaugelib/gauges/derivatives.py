r"""What the gauges of training balance: squared gradients, and the diagonal of the Hessian."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from gaugelib.curvature.product import HessianProduct
from gaugelib.gradient import Loss, gradient
from gaugelib.group import GaugeError

Batch = TypeVar("Batch")


def gradient_square(
    loss: Callable[[dict[str, Tensor], Batch], Tensor],
    params: Mapping[str, Tensor],
    batches: Iterable[Batch],
    *,
    progress: bool = False,
) -> dict[str, Tensor]:
    r"""The mean squared gradient of each parameter, $c_e = \mathrm E\,(\partial_e\ell)^2$.

    The mean is over the batches: with batches of one example it is that of the examples, with one
    batch of all it is the square of the gradient. Summed over $e$ it is the mean squared norm of
    the gradient. Under a gauge transformation it follows with exponent $-2$.

    Args:
        loss: a function of the dictionary of parameters and a batch that returns a scalar tensor.
        params: parameters by name, where the gradients are taken.
        batches: what `loss` is called with, one after the other; each counts the same.
        progress: whether to show a bar.

    Returns:
        A tensor of its shape for each parameter, in float64.

    Raises:
        GaugeError: if there is no batch, or as `gradient` does.

    Source: the book, "Which gauge?".

    Book: prop-gauges, prop-coin, thm-drift.

    Example:
        >>> params = {"w": torch.tensor([1.0, 2.0])}
        >>> batches = torch.tensor([[1.0, 0.0], [3.0, 1.0]])
        >>> gradient_square(lambda theta, x: theta["w"] @ x, params, batches)
        {'w': tensor([5.0000, 0.5000], dtype=torch.float64)}
    """
    total = {name: value.new_zeros(value.shape).double() for name, value in params.items()}
    count = 0
    for batch in tqdm(batches, desc="gradients", unit=" batches", disable=not progress):
        slopes = gradient(lambda theta, batch=batch: loss(theta, batch), params)
        for name, slope in slopes.items():
            total[name] += slope.double().square()
        count += 1
    if not count:
        raise GaugeError("there are no batches, so the squared gradient has no mean")
    return {name: value / count for name, value in total.items()}


def hessian_diagonal(
    loss: Loss, params: Mapping[str, Tensor], *, progress: bool = False
) -> dict[str, Tensor]:
    r"""The diagonal of the Hessian, $\mathbf H_{ee} = \partial^2L/\partial\theta_e^2$, exactly.

    One product with the Hessian for each parameter entry, about two gradients each: seconds for a
    few thousand. It may be negative, and then no gauge balances it. Where the book's statement
    about the diagonal holds (activations piecewise linear, a loss convex in the outputs, no entry
    twice on one path, as in any network whose layers share no weights) it is that of Gauss and
    Newton, which `gauss_newton_diagonal` finds for large networks.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor.
        params: parameters by name; what is left out is held fixed.
        progress: whether to show a bar.

    Returns:
        A tensor of its shape for each parameter, in float64.

    Raises:
        GaugeError: if there are no parameters, or as `hessian_product` does.

    Source: the book, "Which gauge?".

    Book: prop-gauges, prop-diagonal.

    Example:
        >>> params = {"w": torch.tensor([3.0]), "v": torch.tensor([2.0])}
        >>> hessian_diagonal(lambda theta: (theta["w"] * theta["v"]).sum() ** 2 / 2, params)
        {'w': tensor([4.], dtype=torch.float64), 'v': tensor([9.], dtype=torch.float64)}
    """
    product = HessianProduct(loss, params)
    unit = torch.zeros(product.size, dtype=product.dtype, device=product.device)
    found = torch.zeros_like(unit, dtype=torch.float64)
    for place in tqdm(range(product.size), desc="diagonal", disable=not progress):
        unit[place] = 1.0
        found[place] = product.of_vector(unit)[place]
        unit[place] = 0.0
    parts = found.split([value.numel() for value in params.values()])
    return {name: part.view(value.shape) for (name, value), part in zip(params.items(), parts)}
