"""Networks that do without a hypothesis: a unit loses its outgoing or its incoming weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from gaugelib.group import GaugeGroup
from gaugelib.proofs.record import Drop

Params = dict[str, Tensor]

DEAD = Drop("dead", "a unit without outgoing weights")
BIAS = Drop("bias", "a biased unit without incoming weights")
ISOLATED = Drop("isolated", "a unit without any weights")
EMPTY = Drop("empty", "a unit whose parameters are all 0")


def degenerate(params: Mapping[str, Tensor], group: GaugeGroup, drop: str | None) -> Params:
    """The network that drops "dead", "bias", "isolated" or "empty" ask for; else the same one.

    The last unit loses its outgoing weights, or all of them, or its bias as well; the first unit
    whose bias is not 0 loses its incoming weights. No function keeps its values under this: it is
    another network.
    """
    if drop == DEAD.key:
        return without_weights(params, group, group.units, outgoing=True)
    if drop == ISOLATED.key:
        return without_weights(params, group, group.units, incoming=True, outgoing=True)
    if drop == EMPTY.key:
        alone = without_weights(params, group, group.units, incoming=True, outgoing=True)
        return without_weights(alone, group, group.units, incoming=True, kind="bias")
    if drop == BIAS.key:
        return without_weights(params, group, biased_units(params, group)[0], incoming=True)
    return dict(params)


def biased_units(params: Mapping[str, Tensor], group: GaugeGroup) -> list[int]:
    """The hidden units whose bias is not 0, counted from 1."""
    biases = {name: value.detach().abs() for name, value in params.items()}
    incoming, _ = group.restrict("bias").totals(biases)
    return (incoming.nonzero()[:, 0] + 1).tolist()


def without_weights(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    unit: int,
    *,
    incoming: bool = False,
    outgoing: bool = False,
    kind: Literal["weight", "bias"] = "weight",
) -> Params:
    """The network with what enters or leaves a unit (counted from 1) set to 0: weights, or bias."""
    changed: Params = {}
    for name, value in params.items():
        entry = group.entries[name]
        gone = torch.zeros_like(value, dtype=torch.bool)
        if entry.kind == kind:
            if incoming:
                gone = gone | (entry.target == unit).to(gone.device)
            if outgoing:
                gone = gone | (entry.source == unit).to(gone.device)
        changed[name] = value.masked_fill(gone, 0.0)
    return changed
