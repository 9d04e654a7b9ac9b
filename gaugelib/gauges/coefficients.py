r"""The gauge in which any non-negative coefficients balance: one solver for every gauge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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

    Units on no path of positive coefficients from an input to an output are dead: they stay at
    scale 1 and are named. Where coefficients lead into a dead unit, or out of one, the sum has no
    minimum, unless they run in a circle that passes by inputs and outputs, as weights used again
    and again can: that one is not looked for. Where all of a unit's coefficients vanish its scale
    changes nothing.

    Args:
        coefficients: non-negative and finite, by the names and in the shapes of the parameters, in
            any real dtype; they are not changed.
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
        GaugeError: if `exponent` is 0 or not finite, or so small that a scale leaves the range of
            float64; if a coefficient that counts is negative, or one is not a finite real number;
            or as `minimum_norm` does.

    Source: the book, "Which gauge?".

    Book: thm-coefficients, prop-gauges, prop-isotropic, prop-coin.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of, rescale
        >>> params, group = params_of(hat()), mlp_group(hat())
        >>> squares = {name: value.square() for name, value in params.items()}
        >>> found = balance_coefficients(squares, group, exponent=2, include_bias=False)
        >>> found.scales.square()
        tensor([1.0000, 2.0000, 1.0000], dtype=torch.float64)
    """
    require_power(exponent)
    wide = require_coefficients(coefficients, group, group.counted(include_bias))
    found = minimum_norm(
        wide, group, p=1.0, tol=tol, include_bias=include_bias, max_passes=max_passes
    )
    scales = found.scales ** (1 / exponent)
    kept = scales.isfinite() & (scales > 0)
    if not bool(kept.all()):
        unit = int((~kept).nonzero()[0])
        raise GaugeError(
            f"the coefficients balance where their factor at unit {group.name_of(unit)} is "
            f"{float(found.scales[unit]):.3g}; its scale, that to the power 1/{exponent:g}, leaves "
            "the range of float64: the exponent is too near to 0"
        )
    correction = found.last_correction / abs(exponent)
    return replace(found, scales=scales, last_correction=correction)


def require_power(exponent: float) -> None:
    """Refuse an exponent with which a gauge would not move coefficients."""
    if not (math.isfinite(exponent) and exponent != 0):
        raise GaugeError(f"exponent must be a finite number other than 0, found {exponent}")


def require_coefficients(
    coefficients: Mapping[str, Tensor],
    group: GaugeGroup,
    counted: Sequence[str],
    what: str = "a coefficient",
) -> dict[str, Tensor]:
    """Coefficients in float64, detached; what cannot be balanced is refused by name.

    Args:
        coefficients: by the names and in the shapes of the parameters.
        group: the network's gauge group.
        counted: names of those that must not be negative.
        what: what to call one.

    Raises:
        GaugeError: if names or shapes do not fit, or one is complex, NaN, infinite or, if it
            counts, negative.
    """
    group.check_shapes(coefficients)
    wide = {}
    for name in group.shapes:
        value = coefficients[name].detach()
        if value.is_complex() or not bool(torch.isfinite(value).all()):
            raise GaugeError(f"{what} must be a finite real number; '{name}' holds others")
        if name in counted and bool((value < 0).any()):
            raise GaugeError(
                f"{what} must not be negative, found {float(value.min()):.3g} in '{name}': "
                "a Hessian's diagonal can be negative, that of Gauss and Newton cannot"
            )
        wide[name] = value.double() + 0.0  # no zero is negative
    return wide
