r"""Noether's theorem for the rescaling symmetry: the Ward identity and the charges it conserves.

A loss that sees only the outputs does not change along an orbit, so $B(\theta\odot\nabla L) = 0$:
one identity for each hidden unit, everywhere. Along the flow
$\dot\theta = -|\theta|^{2-p}\odot\nabla L$ it becomes one conserved charge for each unit,
$\Delta = B|\theta|^p$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.bounds import require_exponent, require_not_negative
from gaugelib.gradient import Loss, gradient
from gaugelib.group import GaugeError, GaugeGroup


def ward_residual(
    loss: Loss, params: Mapping[str, Tensor], group: GaugeGroup, *, relative: bool = False
) -> Tensor:
    r"""What the Ward identity leaves over at each unit; zero if the symmetry is the loss's.

    $$B(\theta\odot\nabla L)_h = \sum_{e\in\mathrm{in}(h)} \theta_e\,\partial_e L
      - \sum_{e\in\mathrm{out}(h)} \theta_e\,\partial_e L = 0$$

    It is the derivative of the loss along the orbit, $\partial L(g_a\theta)/\partial\log a_h$ at
    $a=1$. Every parameter counts: what flows into a unit includes its bias, and a frozen parameter
    must be among `params`.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor; by
            `gaugelib.functional_call`, the model is evaluated there and stays as it is.
        params: the network's parameters by name.
        group: the network's gauge group.
        relative: whether to divide by the sum of all $|\theta_e\,\partial_e L|$ at the unit; a unit
            through which no gradient flows then counts as 0, for the identity holds there.

    Returns:
        Shape `(units,)`: of the size of rounding, or the symmetry is broken at that unit.

    Raises:
        GaugeError: if names or shapes do not fit, the group was restricted to one kind of
            parameter, the loss is not a scalar tensor or depends on none of the parameters, or its
            gradient is not finite.

    Source: Saul (2023), eqs. (28)-(31).

    Book: thm-ward, thm-torus.

    Example:
        >>> from gaugelib import functional_call, hat, mlp_group, params_of
        >>> model, x = hat(), torch.tensor([[0.5], [1.5]], dtype=torch.float64)
        >>> def loss(theta):
        ...     return functional_call(model, theta, (x,)).square().sum() / 2
        >>> ward_residual(loss, params_of(model), mlp_group(model)).tolist()
        [0.0, 0.0, 0.0]
        >>> def penalised(theta):  # a penalty sees the parameters, not only the outputs
        ...     return loss(theta) + theta["2.weight"].square().sum() / 2
        >>> ward_residual(penalised, params_of(model), mlp_group(model)).tolist()
        [-1.0, -4.0, -1.0]
    """
    group.require_whole()
    group.check_shapes(params)
    slopes = gradient(loss, params)
    terms = {name: params[name].detach() * slopes[name] for name in group.shapes}
    residual = group.collect(terms)
    if not relative:
        return residual
    incoming, outgoing = group.totals({name: term.abs() for name, term in terms.items()})
    size = incoming + outgoing
    return torch.where(size > 0, residual.abs() / size, 0.0)


def charge(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = True
) -> Tensor:
    r"""The charge that the flow with exponent $p$ conserves at each unit, shape `(units,)`.

    $$\Delta_h = \sum_{e\in\mathrm{in}(h)} |\theta_e|^p - \sum_{e\in\mathrm{out}(h)} |\theta_e|^p$$

    Counts biases among the incoming, as the law needs where biases are trained; without them
    (`include_bias=False`) it is the `imbalance` of the weights, and conserved where hidden biases
    are frozen at zero.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), eq. (24), and eq. (32) without biases.

    Book: thm-conserved, prop-drift, prop-heavy-ball, prop-stationary, prop-charge-barrier.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> charge(params_of(hat()), mlp_group(hat())).tolist()
        [0.0, -2.0, 4.0]
        >>> charge(params_of(hat()), mlp_group(hat()), include_bias=False).tolist()
        [0.0, -3.0, 0.0]
    """
    require_exponent(p)
    powers = {name: value.abs().pow(p) for name, value in params.items()}
    if include_bias:
        return group.collect(powers)
    return group.restrict("weight").collect(powers)


def step_drift(grads: Mapping[str, Tensor], group: GaugeGroup, lr: float) -> Tensor:
    r"""How far one step of gradient descent moves the charge with $p=2$, exactly.

    $$\Delta'_h - \Delta_h = \eta^2\Bigl(\sum_{e\in\mathrm{in}(h)} (\partial_e L)^2
      - \sum_{e\in\mathrm{out}(h)} (\partial_e L)^2\Bigr)$$

    There are no higher orders, and the term of first order vanishes by the Ward identity: on any
    minibatch, if it was taken at the parameters from which the step is made. With coupled weight
    decay $\lambda$ the law is $\Delta' = (1-\eta\lambda)^2\Delta$ plus the same term, where the
    gradient is that of the loss alone.

    Args:
        grads: gradient of the loss for each parameter, zero where it is frozen.
        group: the network's gauge group; biases count.
        lr: step size $\eta$, any finite number.

    Returns:
        Shape `(units,)`.

    Raises:
        GaugeError: if `lr` is not finite, or names or shapes do not fit.

    Source: Saul (2023), section 3.3, which states $O(\eta^2)$.

    Book: prop-step, thm-drift, prop-methods.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> grads = {name: torch.ones_like(value) for name, value in params_of(hat()).items()}
        >>> step_drift(grads, mlp_group(hat()), lr=0.5).tolist()  # weight and bias in, weight out
        [0.25, 0.25, 0.25]
    """
    if not math.isfinite(lr):
        raise GaugeError(f"the step size must be a finite number, found {lr}")
    return lr**2 * group.collect({name: value.square() for name, value in grads.items()})


def decayed(charge: Tensor, time: Tensor | float, p: float, decay: float) -> Tensor:
    r"""The charge after some time of the paired, regularised flow: $\Delta(0)\,e^{-\lambda p t}$.

    Args:
        charge: charges with exponent $p$ at time 0, shape `(units,)`.
        time: a time $t$, or times of shape `(T,)`.
        p: exponent of the metric and of the penalty $\frac\lambda p\|\theta\|_p^p$ alike.
        decay: its strength $\lambda \ge 0$.

    Returns:
        Shape `(units,)`, or `(T, units)` for many times.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or `decay` not one >= 0.

    Source: Saul (2023), proof of Theorem 3.4; the book, "The pairing".

    Book: thm-pairing.

    Example:
        >>> decayed(torch.tensor([4.0]), torch.tensor([0.0, 1.0]), p=2.0, decay=math.log(2.0))
        tensor([[4.],
                [1.]])
    """
    require_exponent(p)
    require_not_negative("decay", decay)
    times = torch.as_tensor(time, dtype=charge.dtype, device=charge.device)
    return torch.exp(-decay * p * times)[..., None] * charge
