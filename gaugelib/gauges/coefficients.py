r"""The gauge in which any non-negative coefficients balance: one solver for every gauge."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from gaugelib.balance import MinimumNorm, minimum_norm
from gaugelib.group import GaugeError, GaugeGroup


@torch.no_grad()
def balance_coefficients(
    coefficients: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    exponent: float,
    include_bias: bool = True,
    tol: float = 1e-6,
    max_passes: int = 1000,
) -> MinimumNorm:
    r"""The gauge in which $\sum_e c_e\,e^{k(B^\top\alpha)_e}$ is smallest, for any $c\ge0$.

    There what flows into each hidden unit equals what flows out, $\sum_{\mathrm{in}(h)}c_e =
    \sum_{\mathrm{out}(h)}c_e$, with the coefficients as they are in that gauge. The exponent $k$
    says how a coefficient follows its weight: $p$ for $|\theta_e|^p$, and $-2$ for a squared
    gradient or the diagonal of a Hessian or of Gauss-Newton's matrix.

    Args:
        coefficients: non-negative and finite, by the names and in the shapes of the parameters;
            they are not changed.
        group: the network's gauge group.
        exponent: $k$, any number but 0.
        include_bias: whether those of biases count; unlike in a norm they do by default, for
            gradients and curvature see biases.
        tol: largest relative imbalance of the coefficients returned.
        max_passes: bound on the passes over the coefficients.

    Returns:
        As `minimum_norm`, but `params` holds the coefficients in the new gauge, in float64. The
        network itself gets there by `rescale(params, found.scales, group)`.

    Raises:
        GaugeError: if `exponent` is 0 or not finite, a coefficient is negative, or as
            `minimum_norm` does.

    Source: the book, "Which gauge?".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of, rescale
        >>> params, group = params_of(hat()), mlp_group(hat())
        >>> squares = {name: value.square() for name, value in params.items()}
        >>> found = balance_coefficients(squares, group, exponent=2, include_bias=False)
        >>> found.scales.square()
        tensor([1.0000, 2.0000, 1.0000], dtype=torch.float64)
    """
    if not (math.isfinite(exponent) and exponent != 0):
        raise GaugeError(f"exponent must be a finite number other than 0, found {exponent}")
    wide = {name: value.detach().double() for name, value in coefficients.items()}
    for name, value in wide.items():
        if bool((value < 0).any()):
            raise GaugeError(
                f"coefficients must not be negative, found {float(value.min()):.3g} in {name}: "
                "a Hessian's diagonal can be negative, that of Gauss-Newton cannot"
            )
    found = minimum_norm(
        wide, group, p=1.0, tol=tol, include_bias=include_bias, max_passes=max_passes
    )
    scales = found.scales ** (1 / exponent)
    correction = found.last_correction / abs(exponent)
    return replace(found, scales=scales, last_correction=correction)
