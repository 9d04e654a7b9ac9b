"""A penalty on imbalance whose gradient lies along the orbit, and a step that never leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from gaugelib.action import rescale
from gaugelib.bounds import require_not_negative
from gaugelib.group import GaugeError, GaugeGroup, widest
from gaugelib.soft.ratios import counted, log_ratio

SoftKind = Literal["imbalance", "log-ratio"]


def soft_penalty(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    kind: SoftKind = "imbalance",
    strength: float = 1.0,
    include_bias: bool = True,
) -> Tensor:
    r"""A scalar to add to any loss, smallest on each orbit at its balanced point.

    - `"imbalance"`: $S = \frac\kappa4\sum_h\Delta_h^2$ with
      $\Delta_h = \sum_{\mathrm{in}(h)}\theta_e^2 - \sum_{\mathrm{out}(h)}\theta_e^2$. Its gradient
      is $\kappa\,(B^\top\Delta)\odot\theta$, the tangent `generator(params, κΔ, group)` of the
      orbit, and so orthogonal to the gradient of every invariant loss. An explicit step of size
      $\eta$ is stable near balance while $\eta\kappa\,\lambda_{\max}(\mathcal L) < 1$, where
      $\mathcal L$ is the graph Laplacian: $\eta\kappa(r^2+s^2) < 1$ for one hidden layer.
    - `"log-ratio"`: $S = \frac\kappa2\sum_h u_h^2$ with $u_h = \log(r_h/s_h)$. Off balance its
      gradient leaves the orbit: with one hidden layer it moves a unit along the circle
      $r^2+s^2 =$ const, and in the end has multiplied what the unit gives by $\cosh u_h$.
      `soft_step` goes down it along the orbit.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        kind: one of the two above.
        strength: $\kappa \ge 0$.
        include_bias: whether biases count, as weights from the ground. With hidden biases other
            than 0, leaving them out takes the gradient of either kind off the orbit, since a gauge
            moves them too.

    Returns:
        A scalar through which autograd goes, in the widest dtype of the parameters.

    Raises:
        GaugeError: if `kind` or `strength` is out of range, if names or shapes do not fit, or if
            the group was restricted; for `"log-ratio"` also if a unit is dead, which is named.

    Source: the book, "Soft gauge fixing".

    Book: thm-soft, prop-circle, thm-zero-modes.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> soft_penalty(params_of(hat()), mlp_group(hat()), include_bias=False).item()  # Δ = -3
        2.25
    """
    require_options(kind, strength)
    group.require_whole()
    group.check_shapes(params)
    if kind == "log-ratio":
        return strength / 2 * log_ratio(params, group, include_bias=include_bias).square().sum()
    return strength / 4 * squares(params, group, include_bias).square().sum()


@torch.no_grad()
def soft_step(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    *,
    strength: float = 1.0,
    lr: float = 0.1,
    kind: SoftKind = "imbalance",
    include_bias: bool = False,
) -> dict[str, Tensor]:
    r"""One step towards balance that only rescales: $\theta\mapsto e^{B^\top\delta}\odot\theta$.

    The step is $\delta = -\eta\kappa\Delta$ (`"imbalance"`) or $\delta = -\frac{\eta\kappa}2u$
    (`"log-ratio"`), and whatever it is, the function stays the same. With `"log-ratio"`,
    $\eta\kappa = \frac12$ is the update of Algorithm 1 for $p=2$, and $\eta\kappa = 1$ the doubled
    step, which still never raises the norm.

    Args:
        params: the network's parameters by name; they are not changed.
        group: the network's gauge group.
        strength: $\kappa \ge 0$.
        lr: step size $\eta \ge 0$.
        kind: what drives the step.
        include_bias: whether biases count, as weights from the ground.

    Raises:
        GaugeError: as `soft_penalty` does, if a parameter is NaN or infinite, or if the step is so
            long that a scale leaves the range of floating point.

    Source: for the update of Algorithm 1, Saul (2023), Algorithm 1; the book, "Soft gauge fixing".

    Book: prop-stiff.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> at = soft_step(params_of(hat()), mlp_group(hat()), lr=1.0, kind="log-ratio")
        >>> at["0.weight"].flatten().square()  # the doubled step balances one layer
        tensor([1.0000, 2.0000, 1.0000], dtype=torch.float64)
    """
    require_options(kind, strength)
    require_not_negative("lr", lr)
    counted(params, group, include_bias)
    if kind == "log-ratio":
        delta = -lr * strength / 2 * log_ratio(params, group, include_bias=include_bias)
    else:
        delta = -lr * strength * squares(params, group, include_bias)
    return rescale(params, delta.exp(), group)


def squares(params: Mapping[str, Tensor], group: GaugeGroup, include_bias: bool) -> Tensor:
    r"""The imbalance $\Delta_h$ of squares, shape `(units,)`."""
    dtype = widest(params)
    powers = {name: value.to(dtype).square() for name, value in params.items()}
    total = group.restrict("weight").collect(powers)
    return total + group.restrict("bias").collect(powers) if include_bias else total


def require_options(kind: str, strength: float) -> None:
    """Refuse an unknown kind, and a strength that is not a finite number >= 0.

    Raises:
        GaugeError: saying what was found.
    """
    if kind not in get_args(SoftKind):
        raise GaugeError(f"kind must be one of {get_args(SoftKind)}, found {kind!r}")
    require_not_negative("strength", strength)
