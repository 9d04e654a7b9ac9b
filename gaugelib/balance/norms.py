r"""What a gauge transformation does change: $\ell_p$ norms into and out of each unit.

By default only weights are counted, as in the paper's norm (eq. 7); `include_bias=True` counts
biases among the incoming, as in its conserved charge (eq. 24). What is `"fixed"` never counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.bounds import require_exponent
from gaugelib.group import GaugeError, GaugeGroup


def incoming_norm(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = False
) -> Tensor:
    r"""$(\sum_{e\in \mathrm{in}(h)} |\theta_e|^p)^{1/p}$ for each hidden unit, shape `(units,)`.

    Counts weights; biases too if `include_bias`.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), left side of eq. (9).

    Book: lem-auxiliary.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> incoming_norm(params_of(hat()), mlp_group(hat())).tolist()
        [1.0, 1.0, 1.0]
    """
    return _power_totals(params, group, p, include_bias)[0] ** (1.0 / p)


def outgoing_norm(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = False
) -> Tensor:
    r"""$(\sum_{e\in \mathrm{out}(h)} |\theta_e|^p)^{1/p}$ for each hidden unit, shape `(units,)`.

    Biases flow into a unit, never out of it, so `include_bias` changes nothing here unless a bias
    is tied to an outgoing weight.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), right side of eq. (9).

    Book: lem-auxiliary.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> outgoing_norm(params_of(hat()), mlp_group(hat())).tolist()
        [1.0, 2.0, 1.0]
    """
    return _power_totals(params, group, p, include_bias)[1] ** (1.0 / p)


def imbalance(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = False
) -> Tensor:
    r"""What flows in minus what flows out of each unit, shape `(units,)`.

    $$\Delta_h = \sum_{e\in\mathrm{in}(h)} |\theta_e|^p - \sum_{e\in\mathrm{out}(h)} |\theta_e|^p$$

    Counts weights; biases too if `include_bias`. It is zero at every unit exactly when the
    $\ell_p$ norm is smallest on the orbit.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), eq. (9) without biases, eq. (24) with them.

    Book: lem-balanced.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> imbalance(params_of(hat()), mlp_group(hat())).tolist()
        [0.0, -3.0, 0.0]
    """
    incoming, outgoing = _power_totals(params, group, p, include_bias)
    return incoming - outgoing


def relative_imbalance(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = False
) -> Tensor:
    r"""Imbalance relative to what flows through each unit, between 0 and 1, shape `(units,)`.

    $$\gamma_h = \frac{|\mathrm{in}_h - \mathrm{out}_h|}{\mathrm{in}_h + \mathrm{out}_h}$$

    with $\mathrm{in}_h = \sum_{e\in\mathrm{in}(h)}|\theta_e|^p$; NaN for a unit without weights in
    or out. Counts weights; biases too if `include_bias`. Where columns are longer than edges it is
    $|(Q|\theta|^p)_h| / (|Q||\theta|^p)_h$.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), eq. (20), with the absolute value that its text asks for.

    Book: lem-balanced.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> relative_imbalance(params_of(hat()), mlp_group(hat())).tolist()
        [0.0, 0.6, 0.0]
    """
    # The ratio does not depend on the unit of the weights: count in about the largest, lest powers
    # of very large or very small ones overflow or vanish. A power of two leaves every digit alone.
    tops = [value.detach().abs().max().double() for value in params.values() if value.numel()]
    _, exponent = torch.frexp(torch.stack(tops).max())
    unit = torch.ldexp(torch.ones_like(tops[0]), -exponent)
    scaled = {
        name: value * unit.clamp(max=torch.finfo(value.dtype).max).to(value.dtype)
        for name, value in params.items()
    }
    incoming, outgoing = _power_totals(scaled, group, p, include_bias)
    return (incoming - outgoing).abs() / (incoming + outgoing)


def weight_norm(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = False
) -> Tensor:
    r"""The entry-wise norm $\|\theta\|_p = (\sum_e |\theta_e|^p)^{1/p}$ of the network, a scalar.

    Counts every weight, whether or not a gauge can move it; biases too if `include_bias`.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), eq. (7).

    Book: prop-unbounded, lem-balanced.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> weight_norm(params_of(hat()), mlp_group(hat())).item()
        3.0
    """
    require_exponent(p)
    group.check_shapes(params)
    counted = [params[name].abs().pow(p).sum() for name in group.counted(include_bias)]
    if not counted:
        raise GaugeError("the group has no parameter that counts")
    return torch.stack(counted).sum() ** (1.0 / p)


def _power_totals(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float, include_bias: bool
) -> tuple[Tensor, Tensor]:
    require_exponent(p)
    powers = {name: value.abs().pow(p) for name, value in params.items()}
    incoming, outgoing = group.restrict("weight").totals(powers)
    if include_bias:
        bias_in, bias_out = group.restrict("bias").totals(powers)
        incoming, outgoing = incoming + bias_in, outgoing + bias_out
    return incoming, outgoing
