"""Rules for normalisation layers: what goes in is fixed, and a new group opens behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.rules.arithmetic import common_labels
from gaugelib.tracing.rules.table import rule
from gaugelib.tracing.values import Activation, Value, Weight

_GROUND = torch.tensor(GROUND, device="cpu")


def _affine(
    op: Operation, weight: Value | None, bias: Value | None, after: int
) -> tuple[Activation, ...]:
    """What is normalised has a fixed scale; γ and β flow into the units of the result.

    Args:
        op: the operation; its first result is what is normalised.
        weight: γ, or None; its dimensions are aligned with the input's, `after` from the end.
        bias: β, or None.
        after: number of dimensions of the input that come after those of γ.
    """
    first, *rest = op.shadow
    shape = next((value.shape for value in (weight, bias) if value is not None), torch.Size())
    labels = _GROUND.expand(shape)
    if isinstance(weight, Weight):
        labels = op.issue(weight.shape, weight)
        op.use(weight, labels, _GROUND)
    elif weight is not None:
        labels = op.activation(weight).labels
    if bias is not None:
        labels = common_labels(op, (Activation(labels, first.dtype), bias), labels.shape)
    labels = labels.reshape((*labels.shape, *(1,) * after)).expand(first.shape)
    return Activation(labels, first.dtype), *(grounded(shadow) for shadow in rest)


@rule("native_batch_norm _native_batch_norm_legit_no_training")
def batch_norm(
    op: Operation, input: Value, weight: Value | None, bias: Value | None, *stats: Any
) -> tuple[Activation, ...]:
    """Batch norm, in training and in evaluation, and instance norm, whatever the statistics are."""
    for value in (input, *stats):
        op.fix(value)
    return _affine(op, weight, bias, len(input.shape) - 2)


@rule("native_group_norm")
def group_norm(
    op: Operation, input: Value, weight: Value | None, bias: Value | None, *_: Any
) -> tuple[Activation, ...]:
    """Group norm: γ and β have one entry for each channel."""
    op.fix(input)
    return _affine(op, weight, bias, len(input.shape) - 2)


@rule("native_layer_norm")
def layer_norm(
    op: Operation, input: Value, normalized_shape: Sequence[int], weight: Value | None,
    bias: Value | None, eps: float,
) -> tuple[Activation, ...]:  # fmt: skip
    """Layer norm: γ and β have the shape of the last dimensions; without eps a scale may go in."""
    if eps:
        op.fix(input)
        return _affine(op, weight, bias, 0)
    axes = range(-len(normalized_shape), 0)
    labels = op.labels.tie_over(op.activation(input).labels, axes)
    mean, deviation = op.shadow[1:]
    return (
        _affine(op, weight, bias, 0)[0],
        Activation(labels.expand(mean.shape), mean.dtype),
        Activation(op.labels.combine((-1, labels)).expand(deviation.shape), deviation.dtype),
    )


@rule("_fused_rms_norm")
def rms_norm(
    op: Operation, input: Value, normalized_shape: Sequence[int], weight: Value | None, *_: Any
) -> tuple[Activation, ...]:
    """RMS norm where it is one operation: as layer norm, without β."""
    op.fix(input)
    return _affine(op, weight, None, 0)


@rule("_weight_norm_interface")
def weight_norm(op: Operation, direction: Value, size: Value, dim: int = 0) -> Any:
    """A direction of unit length times a size: of the direction no scale is left."""
    labels = op.activation(direction).labels
    rows = op.labels.tie_over(labels, [axis for axis in range(labels.dim()) if axis != dim])
    made, norms = op.shadow
    return (
        Activation(op.activation(size).labels.expand(made.shape), made.dtype),
        Activation(rows.reshape(norms.shape), norms.dtype),
    )
