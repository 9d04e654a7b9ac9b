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


def rescale(
    params: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup, *, exact: bool = False
) -> Params:
    r"""Apply a gauge transformation: $\theta_e \mapsto \theta_e\, a_{target(e)}/a_{source(e)}$.

    The function that the parameters compute stays the same. Every kind of parameter is rescaled,
    biases included. Each entry is multiplied in float64 and rounded once, to its own dtype.

    Scales that are powers of two change only exponents: outputs then stay bitwise the same while
    no weight and no activation leaves the dtype's normal range. For float32, bfloat16 and float64
    that range is wide; in float16 it ends at 6.1e-5, and an ordinary weight near 1e-4 that is
    halved can lose its last digit.

    Args:
        params: the network's parameters by name.
        scales: one positive number $a_h$ for each hidden unit, shape `(units,)`, in any floating
            dtype: it is used as it is, whatever the dtype of the parameters.
        group: the network's gauge group.
        exact: whether to refuse what would lose digits: scales that are not powers of two, and
            entries from which the inverse scales would not lead back bit for bit.

    Returns:
        New tensors under the same names, each in its parameter's dtype.

    Raises:
        GaugeError: if a scale is not finite and positive, if a parameter is NaN or infinite, if
            names or shapes do not fit, if the group was restricted to one kind of parameter, if an
            entry leaves the range of its dtype, upwards to infinity or downwards to zero, or if
            digits are lost and `exact` forbids it.

    Source: Saul (2023), eqs. (5)-(6).

    Book: thm-rescaling, prop-orbit, thm-path-products, prop-derivatives, prop-unbounded,
    prop-saliency.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> group = mlp_group(hat())
        >>> moved = rescale(params_of(hat()), torch.tensor([2.0, 1.0, 1.0]), group)
        >>> moved["0.weight"].flatten().tolist(), moved["2.weight"].flatten().tolist()
        ([2.0, 1.0, 1.0], [0.5, -2.0, 1.0])
    """
    group.require_whole()
    group.check_shapes(params)
    group.with_ground(scales, ground=1.0)  # its shape
    _require_positive(scales, group)
    if exact:
        _require_powers_of_two(scales, group)
    refuse_not_finite(params)
    full = group.with_ground(scales.double(), ground=1.0)
    moved: Params = {}
    for name, value in params.items():
        entry = group.entries[name]
        at = full.to(value.device)
        ratio = at[entry.target.to(value.device)] / at[entry.source.to(value.device)]
        _require_in_range(name, ratio)
        moved[name] = (value.double() * ratio).to(value.dtype)
        advice = "use scales closer to 1"
        if value.dtype != torch.float64:
            advice += ", or rescale the parameters as float64"
        refuse_lost(f"'{name}'", value, moved[name], advice, exact_at=ratio if exact else None)
    return moved


def generator(params: Mapping[str, Tensor], direction: Tensor, group: GaugeGroup) -> Params:
    r"""Tangent of the orbit: $(B^\top\xi)\odot\theta$, the velocity of $e^{t\xi}\cdot\theta$.

    Args:
        params: the network's parameters by name.
        direction: rates $\xi_h$ of the log-scales, shape `(units,)`; any sign, any dtype.
        group: the network's gauge group.

    Returns:
        A velocity for each parameter, of its shape and dtype; infinite where it leaves its range.

    Raises:
        GaugeError: if names or shapes do not fit, or if the group was restricted.

    Source: Saul (2023), eqs. (29)-(30); the book, "Moving along the orbit".

    Book: prop-orbit, prop-derivatives.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> velocity = generator(params_of(hat()), torch.ones(3), mlp_group(hat()))
        >>> velocity["0.weight"].flatten().tolist(), velocity["2.weight"].flatten().tolist()
        ([1.0, 1.0, 1.0], [-1.0, 2.0, -1.0])
    """
    group.require_whole()
    group.check_shapes(params)
    group.with_ground(direction, ground=0.0)  # its shape
    rates = group.spread(direction.double())
    return {
        name: (rates[name].to(value.device) * value.double()).to(value.dtype)
        for name, value in params.items()
    }


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

    Book: prop-orbit, prop-unbounded.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> direction = torch.full((3,), 2.0, dtype=torch.float64).log()
        >>> points = orbit(params_of(hat()), direction, mlp_group(hat()), torch.arange(4))
        >>> [round(point["0.weight"][0].item(), 6) for point in points]
        [1.0, 2.0, 4.0, 8.0]
    """
    if times.dim() != 1:
        raise GaugeError(f"times must have shape (steps,), found {tuple(times.shape)}")
    group.with_ground(direction, ground=0.0)  # its shape
    for time in times:
        scales = torch.exp(time.to(direction.device, torch.float64) * direction.double())
        yield rescale(params, scales, group)


def refuse_not_finite(params: Mapping[str, Tensor]) -> None:
    """Refuse parameters that are NaN or infinite somewhere, or have no values, by name."""
    for name, value in params.items():
        if value.is_meta:
            raise GaugeError(f"parameter '{name}' is on the meta device and has no values")
        if not bool(torch.isfinite(value).all()):
            raise GaugeError(f"parameter '{name}' holds NaN or infinity; nothing was rescaled")


def refuse_lost(
    what: str,
    value: Tensor,
    moved: Tensor,
    advice: str,
    *,
    zeros: bool = True,
    exact_at: Tensor | None = None,
) -> None:
    """Refuse a rescaled tensor some of whose entries its dtype cannot hold.

    Args:
        what: what to call it.
        value: the tensor.
        moved: the same rescaled, in the same dtype.
        advice: what to do about it.
        zeros: whether to refuse entries that became 0, too.
        exact_at: the factors, if no digit may be lost.

    Raises:
        GaugeError: if a finite entry became infinite, or one that was not 0 became 0.

    Example:
        >>> weight = torch.tensor([1e-5, 3.0], dtype=torch.float16)
        >>> refuse_lost("'weight'", weight, weight / 1000, "use another gauge")
        Traceback (most recent call last):
        gaugelib.group.GaugeError: 1 of the 2 entries of 'weight' become zero, which would ...
    """
    value, moved = value.detach(), moved.detach()
    info, dtype = torch.finfo(value.dtype), str(value.dtype).removeprefix("torch.")
    infinite = f"become infinite: {dtype} ends at {info.max:.1e}"
    faults = {infinite: ~torch.isfinite(moved) & torch.isfinite(value)}
    if zeros:
        least = info.smallest_normal * info.eps
        zero = f"which would change the function: the smallest number of {dtype} is {least:.1e}"
        faults[f"become zero, {zero}"] = (moved == 0) & (value != 0)
    if exact_at is not None:
        fewer = f"lose digits, of which {dtype} keeps fewer below {info.smallest_normal:.1e}"
        faults[fewer] = moved.double() / exact_at.detach() != value.double()
    for fault, entries in faults.items():
        if bool(entries.any()):
            count = f"{int(entries.sum())} of the {value.numel()} entries of {what}"
            raise GaugeError(f"{count} {fault}; {advice}")


def _require_positive(scales: Tensor, group: GaugeGroup) -> None:
    if not scales.is_floating_point():
        raise GaugeError(
            f"scales must be floating point, found {scales.dtype}; use scales.double()"
        )
    bad = ~(torch.isfinite(scales) & (scales > 0))
    if bool(bad.any()):
        unit = int(bad.nonzero()[0])
        raise GaugeError(
            f"scales must be finite and positive; scales[{unit}], of layer "
            f"'{group.layer_of(unit)[0]}', is {scales[unit].tolist()}"
        )


def _require_powers_of_two(scales: Tensor, group: GaugeGroup) -> None:
    bad = torch.frexp(scales.detach().double()).mantissa != 0.5
    if bool(bad.any()):
        unit = int(bad.nonzero()[0])
        raise GaugeError(
            f"exact=True needs scales that are powers of two; scales[{unit}], of layer "
            f"'{group.layer_of(unit)[0]}', is {scales[unit].tolist()}; round them, as by "
            "torch.exp2(torch.log2(scales).round()), or leave exact out"
        )


def _require_in_range(name: str, ratio: Tensor) -> None:
    kept = torch.isfinite(ratio) & (ratio >= torch.finfo(ratio.dtype).smallest_normal)
    if not bool(kept.all()):
        raise GaugeError(
            f"'{name}' joins units whose scales are so far apart that their ratio leaves the range "
            "of float64; use scales closer to each other"
        )
