"""The library's own invariance test, given to its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils import _pytree as pytree

from gaugelib.action import rescale
from gaugelib.build import trace_group
from gaugelib.build.randomness import cuda_devices, same_draws
from gaugelib.build.verify import moved_relative
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.modules import params_of

ROUNDINGS = 64
"""Default tolerance in units of the coarsest rounding among the parameters and the output."""


def assert_gauge_invariant(
    model: nn.Module,
    example: Tensor | tuple[Tensor, ...],
    *,
    group: GaugeGroup | None = None,
    scales: Tensor | None = None,
    log_std: float = 1.0,
    tol: float | None = None,
    generator: torch.Generator | None = None,
) -> float:
    r"""Assert that a gauge transformation leaves the model's outputs in place.

    The change is measured as $\max|f(g\cdot\theta) - f(\theta)|\,/\max|f(\theta)|$ on the example,
    in the model's own precision. The model is not changed.

    Args:
        model: the model.
        example: the tensor, or the tuple of tensors, to call it with.
        group: its gauge group; by default what `trace_group` finds.
        scales: the transformation, shape `(units,)`; by default a random one.
        log_std: spread of the random transformation.
        tol: largest change that passes; by default 64 times the coarsest rounding unit among the
            dtypes of parameters and outputs: 1.4e-14 in float64, 7.6e-6 in float32.
        generator: source of randomness; by default one with a fixed seed.

    Returns:
        The relative change.

    Raises:
        AssertionError: if the function moved, saying how far.
        GaugeError: if the group has no units, so that there is nothing to test, or if it is not
            this model's.

    Example:
        >>> from gaugelib import hat
        >>> x = torch.linspace(-1.0, 3.0, 9, dtype=torch.float64)[:, None]
        >>> assert_gauge_invariant(hat(), x, scales=torch.tensor([2.0, 0.25, 8.0]))
        0.0
    """
    group = trace_group(model, example) if group is None else group
    if not group.units:
        raise GaugeError(
            "the gauge group of this model has no units: every scale is fixed, so there is no "
            "symmetry to test"
        )
    if scales is None:
        generator = generator or torch.Generator("cpu").manual_seed(0)
        scales = group.random(generator=generator, log_std=log_std)
    params = params_of(model)
    before = _outputs(model, params, example)
    after = _outputs(model, rescale(params, scales, group), example)
    moved = float(moved_relative(before, after))
    tol = ROUNDINGS * _rounding(before, params) if tol is None else tol
    if not moved <= tol:
        raise AssertionError(
            f"the function moved by {moved:.2e} relative to its largest output; "
            f"the tolerance is {tol:.2e}"
        )
    return moved


def _outputs(
    model: nn.Module, params: Mapping[str, Tensor], example: Tensor | tuple[Tensor, ...]
) -> Any:
    """Outputs at other parameters: equal dropout every time, and buffers stay as they are."""
    inputs = (example,) if isinstance(example, Tensor) else tuple(example)
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    with torch.no_grad(), same_draws(cuda_devices(model)):
        return functional_call(model, {**params, **buffers}, tuple(x.clone() for x in inputs))


def _rounding(outputs: Any, params: Mapping[str, Tensor]) -> float:
    leaves = (*pytree.tree_leaves(outputs), *params.values())
    dtypes = {leaf.dtype for leaf in leaves if isinstance(leaf, Tensor)}
    return max(torch.finfo(dtype).eps for dtype in dtypes if dtype.is_floating_point)
