"""Gradient flows from a start to a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor
from tqdm import tqdm

from gaugelib.bounds import require_exponent, require_not_negative, require_positive
from gaugelib.flow.field import Field
from gaugelib.flow.steps import euler, midpoint, rk4
from gaugelib.flow.trajectory import Trajectory
from gaugelib.gradient import Loss
from gaugelib.group import GaugeError

Method = Literal["euler", "rk4", "midpoint"]


@torch.no_grad()
def gradient_flow(
    loss: Loss,
    params: Mapping[str, Tensor],
    *,
    until: float,
    steps: int,
    p: float = 2.0,
    decay: float = 0.0,
    decay_p: float | None = None,
    frozen: Collection[str] = (),
    method: Method = "rk4",
    saved: int = 101,
    progress: bool = False,
) -> Trajectory:
    r"""Integrate the gradient flow of a loss, modulated and regularised as asked for.

    $$\dot\theta = -|\theta|^{2-p}\odot\nabla(L + \lambda R_q), \qquad
      R_q(\theta) = \tfrac1q \sum_e |\theta_e|^q$$

    With $p=2$ and $\lambda=0$ it is gradient flow. The penalty counts every parameter that is not
    frozen, biases too. The integrators take equal steps $\eta$:

    - `"euler"`: forward Euler in $\theta$, order 1; for $p=2$ it is gradient descent, and its
      charge drifts as `step_drift` says;
    - `"rk4"`: Runge-Kutta in $\theta$, order 4 where the flow is smooth, about 2 where it crosses
      the kink of a ReLU, and 1 while it slides along one. For $p=1$ it keeps the charge to
      rounding, as Euler does, because $\Delta$ is then linear in $\theta$ while signs are kept;
    - `"midpoint"`: the implicit midpoint in flat coordinates, order 2. It keeps the charge to
      rounding for every $p$, because $\Delta$ is quadratic there. A kink that is crossed does no
      harm; while the flow slides along one, a ReLU switching on and off, the equation has no
      solution, and that is an error.

    What is claimed of conservation is claimed in float64, so the parameters must be in it.
    Where a weight reaches zero the flow may end: for $p \le 1$ it never does, and a zero stays
    zero; for $1<p<2$ there is more than one way on; for $p>2$ the speed is infinite; for $p=2$ it
    passes, unless the penalty has $q \le 1$. What cannot be passed is refused by name.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor; it must
            compute in float64 too. By `gaugelib.functional_call`, the model is evaluated there and
            stays as it is.
        params: the parameters at time 0 by name, in float64; they are not changed.
        until: time $T$ at which to stop.
        steps: number of steps, each of length $\eta = T/$`steps`.
        p: exponent of the metric.
        decay: strength $\lambda$ of the penalty.
        decay_p: exponent $q$ of the penalty; by default $p$, the paired one.
        frozen: names of the parameters that do not move.
        method: one of the three above.
        saved: how many states to return, spread evenly over the steps, the first and the last
            among them; all of them if there are fewer.
        progress: whether to show a bar.

    Returns:
        The states and their times.

    Raises:
        GaugeError: if an argument is out of range, a parameter is not finite or not in float64, a
            frozen name is unknown, or all are frozen; if the loss is not a scalar tensor or depends
            on no moving parameter; if the flow ends or blows up on the way, saying where and when;
            if the equation of the implicit midpoint cannot be solved.

    Source: Saul (2023), eqs. (22)-(23) and (34)-(35).

    Book: def-modulated, thm-conserved, thm-minimality, prop-drift, prop-linear, thm-pairing,
    cor-kept, prop-mismatch, prop-homogeneous.

    Example:
        >>> start = {"w": torch.tensor([2.0], dtype=torch.float64)}
        >>> def loss(theta):
        ...     return theta["w"].sum()
        >>> gradient_flow(loss, start, until=1.0, steps=8).at(-1)["w"]  # w(0) - t
        tensor([1.], dtype=torch.float64)
        >>> gradient_flow(loss, start, until=1.0, steps=100, p=1.0).at(-1)["w"]  # w(0) exp(-t)
        tensor([0.7358], dtype=torch.float64)
        >>> gradient_flow(loss, start, until=3.0, steps=10, p=1.5)
        Traceback (most recent call last):
        gaugelib.group.GaugeError: ... from t = 2.4: 'w[0]' reaches zero or changes sign, ...
    """
    _require_options(until, steps, p, decay, decay_p, method, saved)
    params = {name: value.detach().clone() for name, value in params.items()}
    _require_params(params)
    moving = _moving(params, frozen)
    q = p if decay_p is None else decay_p
    field = Field(loss, params, moving, p, decay, q, flat=method == "midpoint")
    wanted = set(torch.linspace(0, steps, min(saved, steps + 1)).round().long().tolist())
    advance = {"euler": euler, "rk4": rk4, "midpoint": midpoint}[method]
    x, length = field.start(), until / steps
    times, states = [0.0], [torch.cat([params[name].reshape(-1) for name in moving])]
    for k in tqdm(range(steps), desc="gradient flow", disable=not progress):
        try:
            x = advance(field.velocity, x, length)
            theta = field.theta(x)
        except GaugeError as error:
            raise GaugeError(
                f"the flow stopped in step {k + 1} of {steps}, from t = {k * length:g}: {error}"
            ) from error
        if k + 1 in wanted:
            times.append((k + 1) * length)
            states.append(theta)
    return _trajectory(field, times, torch.stack(states))


def _trajectory(field: Field, times: list[float], states: Tensor) -> Trajectory:
    parts = states.split([field.params[name].numel() for name in field.moving], dim=1)
    moved = dict(zip(field.moving, parts))
    return Trajectory(
        times=states.new_tensor(times),
        params={
            name: moved[name].reshape(len(times), *value.shape)
            if name in moved
            else value.expand(len(times), *value.shape)
            for name, value in field.params.items()
        },
    )


def _moving(params: Mapping[str, Tensor], frozen: Collection[str]) -> tuple[str, ...]:
    asked = {frozen} if isinstance(frozen, str) else set(frozen)
    if unknown := asked - params.keys():
        raise GaugeError(f"unknown names among the frozen: {sorted(unknown)}")
    moving = tuple(name for name in params if name not in asked)
    if not moving:
        raise GaugeError("every parameter is frozen, so nothing can flow")
    return moving


def _require_params(params: Mapping[str, Tensor]) -> None:
    for name, value in params.items():
        if value.dtype != torch.float64:
            raise GaugeError(
                f"the flow is integrated in float64, but '{name}' is {value.dtype}; convert the "
                "model and the data that the loss reads by .double()"
            )
        if not bool(torch.isfinite(value).all()):
            raise GaugeError(f"parameter '{name}' holds NaN or infinity")
    if len(devices := {str(value.device) for value in params.values()}) > 1:
        raise GaugeError(f"the parameters lie on more than one device: {sorted(devices)}")


def _require_options(
    until: float,
    steps: int,
    p: float,
    decay: float,
    decay_p: float | None,
    method: str,
    saved: int,
) -> None:
    require_exponent(p)
    if decay_p is not None:
        require_exponent(decay_p)
    require_positive("until", until, kind="time")
    if not isinstance(steps, int) or steps < 1:
        raise GaugeError(f"steps must be a whole number >= 1, found {steps}")
    if not isinstance(saved, int) or saved < 2:
        raise GaugeError(f"saved must be a whole number >= 2, found {saved}")
    require_not_negative("decay", decay)
    if method not in get_args(Method):
        raise GaugeError(f"method must be one of {get_args(Method)}, found {method!r}")
