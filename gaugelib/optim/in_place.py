"""Gauge fixing of a model in place."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.balance import MinimumNorm
from gaugelib.balance.minimum import solution
from gaugelib.balance.solver.task import check
from gaugelib.balance.solver.write import overwrite
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.memory import uninterrupted
from gaugelib.mlp import mlp_group
from gaugelib.tracing import trace_group


@torch.no_grad()
def minimum_norm_(
    model: nn.Module,
    group: GaugeGroup | None = None,
    *,
    example: Tensor | tuple[Tensor, ...] | None = None,
    **options: Any,
) -> MinimumNorm:
    r"""Rescale a model's weights in place to the smallest norm that leaves its function alone.

    Its `Parameter` objects stay, and so does an optimizer that holds them; what the optimizer
    remembers of their gradients, such as momentum, is not rescaled: that is for `GaugeFixing`. On
    an error nothing is changed. Weights are read some times and written once, a piece at a time. No
    copy of the model is made where $p$ is 1 or 2, unless with `exact`, or where powers of weights
    leave their range.

    Args:
        model: the model to change.
        group: its gauge group; by default what `trace_group` finds on the example, or, without
            an example, what `mlp_group` finds.
        example: the tensor, or the tuple of tensors, to call the model with.
        **options: as of `minimum_norm`.

    Returns:
        What `minimum_norm` returns; its `params` are the model's own.

    Raises:
        GaugeError: as `minimum_norm` and the builders do.

    Source: Saul (2023), Algorithm 1.

    Book: thm-unique, prop-average.

    Example:
        >>> from gaugelib import hat
        >>> model = hat()
        >>> found = minimum_norm_(model, tol=1e-12)
        >>> model[0].weight.flatten().square()
        tensor([1.0000, 2.0000, 1.0000], dtype=torch.float64, grad_fn=...)
    """
    if group is None:
        group = mlp_group(model) if example is None else trace_group(model, example)
    if "out" in options:
        raise GaugeError("minimum_norm_ writes to the model's own parameters: leave out= away")
    exact = options.pop("exact", False)
    task = check(dict(model.named_parameters()), group, in_place=True, **options)
    found = solution(task, exact=exact)
    with uninterrupted():
        overwrite(task, found.scales, exact=exact)
    return found
