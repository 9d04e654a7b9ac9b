r"""What rounding the weights does to the outputs, and the gauge in which it does least."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.action import refuse_not_finite
from gaugelib.bounds import require_positive
from gaugelib.gauges.coefficients import require_coefficients
from gaugelib.gauges.quantise import in_rows, levels_of
from gaugelib.gauges.rounding_function import RoundingFunction
from gaugelib.group import GaugeGroup


@torch.no_grad()
def rounding_error(
    params: Mapping[str, Tensor],
    sensitivity: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    bits: int = 8,
    per_channel: bool = False,
) -> Tensor:
    r"""The squared error of the outputs that rounding the weights is expected to make.

    $$E = \sum_\ell\frac{q_\ell^2}{12}\sum_{e\in\ell}\mathrm E\,|\partial_ef|^2,\qquad
    q_\ell = \frac{\max_{e\in\ell}|\theta_e|}{2^{b-1}-1},$$

    to leading order in the steps $q_\ell$, for rounding errors that are independent and uniform. A
    layer $\ell$ is one tensor of weights, that of a normalisation too, or one row of it if
    `per_channel`; biases are not rounded. Nor is what is given a sensitivity of 0.

    Args:
        params: the network's parameters by name.
        sensitivity: $\mathrm E\,|\partial_ef|^2$ by name, as `gauss_newton_diagonal` gives it at
            these parameters.
        group: the network's gauge group.
        bits: $b$, a whole number from 2 to 32.
        per_channel: whether each row, along dimension 0, has a step of its own.

    Returns:
        Shape `()`, in float64.

    Raises:
        GaugeError: if names or shapes do not fit, a parameter is not finite, or a sensitivity is
            negative or not finite.

    Source: the book, "Somebody else's networks".

    Book: prop-rounding.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> params, group = params_of(hat()), mlp_group(hat())
        >>> ones = {name: torch.ones_like(value) for name, value in params.items()}
        >>> rounding_error(params, ones, group, bits=2)  # steps of 1 and 2: (3 · 1 + 3 · 4) / 12
        tensor(1.2500, dtype=torch.float64)
    """
    levels = levels_of(bits)
    sensitivity = _checked(params, sensitivity, group)
    total = _ones(sensitivity, group).new_zeros(())
    for name in group.counted(include_bias=False):
        weight = in_rows(params[name].detach().double().abs(), per_channel)
        if weight.numel():
            steps = weight.amax(1) / levels
            total = total + steps.square() @ in_rows(sensitivity[name], per_channel).sum(1) / 12
    return total


@torch.no_grad()
def rounding_gauge(
    params: Mapping[str, Tensor],
    sensitivity: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    per_channel: bool = False,
    tol: float = 1e-3,
) -> Tensor:
    r"""The gauge in which `rounding_error` is smallest, whatever the number of bits.

    With $\alpha=\log a$, a largest weight is the exponential of a maximum of linear functions and a
    sensitivity a sum of exponentials, $\mathrm E\,|\partial_ef|^2\,e^{-2(B^\top\alpha)_e}$, so
    that $\log E$ is convex. The maxima are replaced by smooth ones from above, sharper and sharper,
    until they differ by less than `tol`. A scale common to a whole layer changes nothing, and is
    left as it is as far as possible. Where each row has a step of its own, the scale of a unit does
    not act in its own row, only in those that it feeds.

    Args:
        params: the network's parameters by name; they are not changed.
        sensitivity: $\mathrm E\,|\partial_ef|^2$ by name, as `gauss_newton_diagonal` gives it at
            these parameters.
        group: the network's gauge group.
        per_channel: whether each row, along dimension 0, has a step of its own.
        tol: by which part of itself the error may be above the smallest.

    Returns:
        Scales $a$ of shape `(units,)` in float64: `rescale(params, scales, group)` is there. Units
        on no path of weights from an input to an output keep scale 1. The error is not above that
        of the given gauge.

    Raises:
        GaugeError: if `tol` is not a finite number > 0, the group was restricted, or as
            `rounding_error` does.

    Source: the book, "Somebody else's networks".

    Book: prop-rounding.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> params, group = params_of(hat()), mlp_group(hat())
        >>> ones = {name: torch.ones_like(value) for name, value in params.items()}
        >>> a = rounding_gauge(params, ones, group)
        >>> bool(a[1] > a[0])  # its outgoing weight is the largest
        True
    """
    require_positive("tol", tol)
    group.require_whole()
    sensitivity = _checked(params, sensitivity, group)
    function = RoundingFunction(params, sensitivity, group, per_channel)
    best = _ones(sensitivity, group).log()
    least, reached = function.value(best), best
    for sharpness in function.sharpnesses(tol):
        reached = function.descend(reached, sharpness)
        value = function.value(reached)
        if value < least:
            best, least = reached, value
    return best.exp()


def _checked(
    params: Mapping[str, Tensor], sensitivity: Mapping[str, Tensor], group: GaugeGroup
) -> dict[str, Tensor]:
    """The sensitivities in float64, once both are known to fit."""
    group.check_shapes(params)
    names = group.counted(include_bias=False)
    refuse_not_finite({name: params[name] for name in names})
    return require_coefficients(sensitivity, group, names, "a sensitivity")


def _ones(like: Mapping[str, Tensor], group: GaugeGroup) -> Tensor:
    return group.identity(device=next((v.device for v in like.values()), None))
