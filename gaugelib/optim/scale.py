"""Tensors rescaled in place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.balance.powers import pieces
from gaugelib.balance.write import write
from gaugelib.group import GaugeGroup

_FAR = 10.0
"""Logarithms of scales from which a factor alone could leave the range of float32."""


def scale_(tensors: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup) -> None:
    """Apply a gauge transformation in place to tensors named and shaped as parameters.

    Args:
        tensors: for some of the group's parameters.
        scales: finite and positive, shape `(units,)` in float64.
        group: the network's gauge group.
    """
    if bool((scales.log().abs() > _FAR).any()):
        write(tensors, group, scales, 1.0, (), (), tensors)
        return
    full = group.with_ground(scales, ground=1.0)
    inverse = full.reciprocal()
    for name, value in tensors.items():
        entry = group.entries[name]
        dtype = torch.promote_types(value.dtype, torch.float32)
        factors = [
            at[end].to(dtype)
            for at, end in ((full, entry.target), (inverse, entry.source))
            if bool(end.any())
        ]
        lined = value if value.dim() else value.reshape(1)
        for where in pieces(lined) if factors else ():
            product = lined[where].to(dtype)
            for factor in factors:
                whole = factor.dim() < lined.dim() or factor.shape[0] == 1
                product.mul_(factor if whole else factor[where])
            if product.dtype != value.dtype:
                lined[where] = product
