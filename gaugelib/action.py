"""The gauge group acting on parameters: rescalings, their generators, and orbits.

Parameters are dictionaries of tensors, as `dict(model.named_parameters())`. Nothing here writes to
its arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from gaugelib.group import GaugeError, GaugeGroup

Params = dict[str, Tensor]


def rescale(params: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup) -> Params:
    r"""Apply a gauge transformation: $\theta_e \mapsto \theta_e\, a_{target(e)}/a_{source(e)}$.

    The function that the parameters compute stays the same. Scales that are powers of two change
    only exponents, so outputs then stay bitwise the same as long as nothing over- or underflows.
    Every kind of parameter is rescaled, biases included.

    Args:
        params: the network's parameters by name.
        scales: one positive number $a_h$ for each hidden unit, shape `(units,)`.
        group: the network's gauge group.

    Returns:
        New tensors under the same names, each in its parameter's dtype.

    Raises:
        GaugeError: if a scale is not finite and positive, if a parameter is NaN or infinite, if
            names or shapes do not fit, or if the group was restricted to one kind of parameter.

    Source: Saul (2023), eqs. (5)-(6); the book, Theorem "Rescaling symmetry".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> group = mlp_group(hat())
        >>> moved = rescale(params_of(hat()), torch.tensor([2.0, 1.0, 1.0]), group)
        >>> moved["0.weight"].flatten().tolist(), moved["2.weight"].flatten().tolist()
        ([2.0, 1.0, 1.0], [0.5, -2.0, 1.0])
    """
    _require_whole(group)
    group.check_shapes(params)
    full = group.with_ground(scales, ground=1.0)
    _require_positive(scales, group)
    for name, value in params.items():
        if not bool(torch.isfinite(value).all()):
            raise GaugeError(f"parameter '{name}' holds NaN or infinity; nothing was rescaled")
    moved: Params = {}
    for name, value in params.items():
        entry = group.entries[name]
        at = full.to(value.device)
        ratio = at[entry.target.to(value.device)] / at[entry.source.to(value.device)]
        moved[name] = value * ratio.to(value.dtype)
    return moved


def generator(params: Mapping[str, Tensor], direction: Tensor, group: GaugeGroup) -> Params:
    r"""Tangent of the orbit: $(B^\top\xi)\odot\theta$, the velocity of $e^{t\xi}\cdot\theta$.

    Args:
        params: the network's parameters by name.
        direction: rates $\xi_h$ of the log-scales, shape `(units,)`; any sign.
        group: the network's gauge group.

    Returns:
        A velocity for each parameter, shaped as the parameters.

    Raises:
        GaugeError: if names or shapes do not fit, or if the group was restricted.

    Source: Saul (2023), eqs. (29)-(30); the book, "Moving along the orbit".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> velocity = generator(params_of(hat()), torch.ones(3), mlp_group(hat()))
        >>> velocity["0.weight"].flatten().tolist(), velocity["2.weight"].flatten().tolist()
        ([1.0, 1.0, 1.0], [-1.0, 2.0, -1.0])
    """
    _require_whole(group)
    group.check_shapes(params)
    rates = group.spread(direction)
    return {name: rates[name].to(value) * value for name, value in params.items()}


def orbit(
    params: Mapping[str, Tensor], direction: Tensor, group: GaugeGroup, times: Tensor
) -> Iterator[Params]:
    r"""Points $e^{t\xi}\cdot\theta$ of the orbit through `params`, one for each time.

    Args:
        params: the network's parameters by name, the point at time 0.
        direction: rates $\xi_h$ of the log-scales, shape `(units,)`.
        group: the network's gauge group.
        times: times $t$, shape `(steps,)`.

    Yields:
        The parameters at each time, computed when asked for.

    Raises:
        GaugeError: if the times are not one-dimensional, or as `rescale` does.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> direction = torch.full((3,), 2.0, dtype=torch.float64).log()
        >>> points = orbit(params_of(hat()), direction, mlp_group(hat()), torch.arange(4))
        >>> [round(point["0.weight"][0].item(), 6) for point in points]
        [1.0, 2.0, 4.0, 8.0]
    """
    if times.dim() != 1:
        raise GaugeError(f"times must have shape (steps,), found {tuple(times.shape)}")
    for time in times:
        yield rescale(params, torch.exp(time.to(direction.dtype) * direction), group)


def _require_whole(group: GaugeGroup) -> None:
    if group.restricted is not None:
        raise GaugeError(
            f"this group counts only parameters of kind '{group.restricted}': it measures, "
            "but acting with it would change the function; use the whole group"
        )


def _require_positive(scales: Tensor, group: GaugeGroup) -> None:
    if not scales.is_floating_point():
        raise GaugeError(f"scales must be floating point, found {scales.dtype}")
    bad = ~(torch.isfinite(scales) & (scales > 0))
    if bool(bad.any()):
        unit = int(bad.nonzero()[0])
        raise GaugeError(
            f"scales must be finite and positive; scales[{unit}], of layer "
            f"'{_layer_of(unit, group)}', is {scales[unit].tolist()}"
        )


def _layer_of(unit: int, group: GaugeGroup) -> str:
    names = (name for name, place in group.layers.items() if place.start <= unit < place.stop)
    return next(names, "(unnamed)")
