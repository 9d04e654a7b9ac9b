"""Tensors rescaled in place: first all is made ready, then it is written and cannot fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from gaugelib.action import refuse_lost
from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.powers import pieces
from gaugelib.balance.solver.write import WIDER, rescaled
from gaugelib.group import GaugeGroup

_FAR = 10.0
"""Logarithms of scales from which a factor alone could leave the range of float32."""

Write = Callable[[], object]


def scalings(
    tensors: Mapping[str, Tensor],
    scales: Tensor,
    group: GaugeGroup,
    what: str = "parameter '{}'",
    *,
    zeros: bool = True,
) -> Iterator[Write]:
    """What to call to apply a gauge transformation in place, tensor by tensor.

    Nothing is written before a call. Where no entry comes near the end of its dtype's range the
    tensor itself is multiplied; elsewhere the result is made, and looked at, beforehand.

    Args:
        tensors: for some of the group's parameters, named and shaped as they are.
        scales: finite and positive, shape `(units,)` in float64.
        group: the network's gauge group.
        what: what to call a tensor, with room for its name.
        zeros: whether to refuse entries that would become 0, as weights may not.

    Raises:
        GaugeError: naming a tensor whose dtype cannot hold the result.
    """
    full = group.with_ground(scales, ground=1.0)
    near = not bool((full.log().abs() > _FAR).any())
    for name, value in tensors.items():
        lined = value if value.dim() else value.reshape(1)
        ends = ends_of(group.entries[name], lined.dim(), lined.device)
        factors = [at[end] for at, end in zip((full, full.reciprocal()), ends) if bool(end.any())]
        if not factors:
            continue
        if near and _within_range(lined, factors):
            yield lambda lined=lined, factors=factors: _multiply_(lined, factors)
            continue
        made = rescaled(lined, full, ends)
        refuse_lost(f"{what.format(name)} in this gauge", lined, made, WIDER, zeros=zeros)
        yield lambda lined=lined, made=made: lined.copy_(made)


def scale_(tensors: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup) -> None:
    """Apply a gauge transformation in place, to all or, on an error, to none.

    Raises:
        GaugeError: as `scalings` does.
    """
    for write in list(scalings(tensors, scales, group)):
        write()


def _within_range(value: Tensor, factors: list[Tensor]) -> bool:
    """Whether no product can overflow on the way, nor any lose digits, whichever entries meet."""
    if not value.numel():
        return True
    limits = torch.finfo(value.dtype)
    bounds = torch.stack([torch.stack(factor.aminmax()) for factor in factors]).log()
    low, high = bounds[:, 0].clamp(max=0.0).sum().exp(), bounds[:, 1].clamp(min=0.0).sum().exp()
    for where in pieces(value):
        sizes = value[where].abs()
        least, most = sizes.aminmax()
        if not bool(most.double() * high < limits.max):
            return False
        if bool(least.double() * low < limits.tiny):
            small = (sizes > 0) & (sizes < float(limits.tiny / low))
            if bool(small.any()):
                return False
    return True


def _multiply_(value: Tensor, factors: list[Tensor]) -> None:
    dtype = torch.promote_types(value.dtype, torch.float32)
    factors = [factor.to(dtype) for factor in factors]
    for where in pieces(value):
        product = value[where].to(dtype)
        for factor in factors:
            product.mul_(factor if factor.shape[0] == 1 else factor[where])
        if product.dtype != value.dtype:
            value[where] = product
