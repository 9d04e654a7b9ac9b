"""The trace of the Hessian, by random probes or exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from gaugelib.curvature.product import HessianProduct
from gaugelib.gradient import Loss
from gaugelib.group import GaugeError


@dataclass(frozen=True, eq=False)
class Trace:
    """A trace and how well it is known.

    Attributes:
        value: shape `()`; the trace, or an unbiased estimate of it.
        error: shape `()`; standard error of the estimate, 0 where the trace is exact.
        probes: number of products with the Hessian that it took.
    """

    value: Tensor
    error: Tensor
    probes: int


def hessian_trace(
    loss: Loss,
    params: Mapping[str, Tensor],
    *,
    probes: int = 100,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> Trace:
    r"""The trace of the Hessian, $\operatorname{tr}\mathbf H$, without forming it.

    For a vector $z$ of independent random signs, $z^\top\mathbf H z$ has the mean
    $\operatorname{tr}\mathbf H$ and the variance $2\sum_{e\ne e'}\mathbf H_{ee'}^2$; the mean over
    the probes is returned, with its standard error. As many probes as there are parameters, or
    more, are not needed: then the diagonal is read off, one product for each parameter, and the
    trace is exact.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor; by
            `gaugelib.functional_call`, the model is evaluated there and stays as it is.
        params: parameters by name, frozen ones too; what is left out is held fixed.
        probes: number of products with the Hessian, at least 2; from $m$ on the trace is exact.
        generator: source of randomness; the draw happens on its device.
        progress: whether to show a bar; a keyboard interrupt stops the search.

    Returns:
        The trace and its standard error, in the widest dtype among the parameters, float32
        at least, on their device.

    Raises:
        GaugeError: if `probes` is not a whole number >= 2, there are no parameters, the loss is not
            a scalar tensor or depends on none of the parameters, or the gradient or a product with
            the Hessian is not finite.

    Source: Hutchinson (1990), "A stochastic estimator of the trace of the influence matrix".

    Book: prop-congruence, prop-gauges.

    Example:
        >>> params = {"w": torch.tensor([1.0, 2.0], dtype=torch.float64)}
        >>> hessian_trace(lambda theta: (theta["w"] ** 3).sum(), params).value  # of diag(6, 12)
        tensor(18., dtype=torch.float64)
    """
    if not isinstance(probes, int) or probes < 2:
        raise GaugeError(f"probes must be a whole number >= 2, found {probes}")
    product = HessianProduct(loss, params)
    exact = probes >= product.size
    count = product.size if exact else probes
    found = []
    for k in tqdm(range(count), desc="trace", unit=" products", disable=not progress):
        probe = _unit(product, k) if exact else _signs(product, generator)
        found.append((probe * product.of_vector(probe)).sum())
    each = torch.stack(found)
    if exact:
        return Trace(each.sum(), torch.zeros_like(each[0]), count)
    return Trace(each.mean(), each.std() / count**0.5, count)


def _unit(product: HessianProduct, place: int) -> Tensor:
    probe = torch.zeros(product.size, dtype=product.dtype, device=product.device)
    probe[place] = 1.0
    return probe


def _signs(product: HessianProduct, generator: torch.Generator | None) -> Tensor:
    drawn_on = product.device if generator is None else generator.device
    bits = torch.randint(2, (product.size,), generator=generator, dtype=torch.int8, device=drawn_on)
    return bits.to(product.device, product.dtype) * 2 - 1
