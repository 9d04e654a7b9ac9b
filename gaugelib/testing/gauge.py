"""The test that a gauge transformation leaves a model's function alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gaugelib.action import rescale
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.modules import params_of
from gaugelib.testing.trial import Trial, evaluated, tolerance
from gaugelib.tracing import trace_group
from gaugelib.tracing.preconditions import refuse_valueless
from gaugelib.tracing.verify import moved_relative

_HALF = 2.0**-12
"""Rounding unit from which arithmetic is too coarse to tell a random gauge from a wrong one."""


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

    The change is measured as $\max|f(g\cdot\theta) - f(\theta)|\,/\max|f(\theta)|$ on the example.
    Parameters, buffers and the example are taken to float64 for it, whatever the model's dtype: in
    half precision rounding would hide a wrong group. The model is not changed.

    Where the forward casts, or autocast does, the casts round; and where it insists on a dtype, so
    that it fails in float64, it is evaluated in its own. Then the tolerance is that of the coarsest
    precision used, and in half precision the random scales are rounded to powers of two, which
    commute with rounding: a right group still moves next to nothing, but a wrong one that moves
    less than 3 % in float16, or 9 % in bfloat16, passes.

    Args:
        model: the model.
        example: the tensor, or the tuple of tensors, to call it with.
        group: its gauge group; by default what `trace_group` finds.
        scales: the transformation, shape `(units,)`; by default a random one.
        log_std: spread of the random transformation.
        tol: largest change that passes; by default 64 times the rounding unit $\epsilon$ of the
            coarsest precision used, but at most $\sqrt\epsilon$, half of its digits: 1.4e-14 in
            float64, 7.6e-6 in float32, 0.031 in float16, 0.088 in bfloat16.
        generator: source of randomness; by default one with a fixed seed.

    Returns:
        The relative change.

    Raises:
        AssertionError: if the function moved, saying how far.
        GaugeError: if the group has no units, so that there is nothing to test, or if it is not
            this model's; if the model is on the meta device and has no values.

    Book: thm-rescaling.

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
            "symmetry to test; group.grounded of a traced group says by which operations"
        )
    inputs = (example,) if isinstance(example, Tensor) else tuple(example)
    refuse_valueless(model, inputs, "load its weights first")
    trial = Trial(model, params_of(model), dict(model.named_buffers()), inputs)
    before, trial, rounding = evaluated(trial)
    if scales is None:
        generator = generator or torch.Generator("cpu").manual_seed(0)
        scales = group.random(generator=generator, log_std=log_std)
        if rounding > _HALF:
            scales = torch.exp2(torch.log2(scales).round())
    after = trial.outputs(rescale(trial.params, scales, group))
    moved = float(moved_relative(before, after))
    tol = tolerance(rounding) if tol is None else tol
    if not moved <= tol:
        raise AssertionError(
            f"the function moved by {moved:.2e} relative to its largest output; "
            f"the tolerance is {tol:.2e}"
        )
    return moved
