"""Rules for normalisation layers: what goes in is fixed, and a new group opens behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.arithmetic import common_labels
from gaugelib.tracing.rules.table import named, rule
from gaugelib.tracing.values import Activation, Value, Weight

BATCH = named("BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm", nn)
INSTANCE = named("InstanceNorm1d InstanceNorm2d InstanceNorm3d", nn)
LAYER = named("LayerNorm RMSNorm", nn)


def _normalise(
    op: Operation, input: Value, weight: Value | None, bias: Value | None, after: int,
    *stats: Value | None,
) -> Activation:  # fmt: skip
    """What is normalised has a fixed scale; γ and β flow into the units of the result.

    Grounding the input holds in training and in evaluation, whatever the statistics and eps are.

    Args:
        op: the operation.
        input: what is normalised.
        weight: γ, or None; its dimensions are aligned with the input's, `after` from the end.
        bias: β, or None.
        after: number of dimensions of the input that come after those of γ.
        stats: running statistics.
    """
    op.labels.ground(op.activation(input).labels)
    for value in stats:
        if isinstance(value, Weight):
            op.refuse(f"its running statistics '{value.name}' are parameters")
    for value in (weight, bias):
        if isinstance(value, Activation):
            op.refuse("its affine parameters depend on the input")
    affine = next((value.shape for value in (weight, bias) if value is not None), ())
    labels = torch.zeros(affine, dtype=torch.int64)
    if isinstance(weight, Weight):
        labels = op.issue(weight.shape, weight)
        op.uses.add(weight, labels, torch.tensor(GROUND), "weight")
    if bias is not None:
        labels = common_labels(op, (Activation(labels, input.dtype), bias), labels.shape)
    labels = labels.reshape((*labels.shape, *(1,) * after))
    return Activation(labels.expand(input.shape), input.dtype)


@rule(F.batch_norm, F.instance_norm)
def batch_norm(
    op: Operation, input: Value, running_mean: Value | None = None,
    running_var: Value | None = None, weight: Value | None = None, bias: Value | None = None,
    *_: Any, **__: Any,
) -> Activation:  # fmt: skip
    """Batch norm, in training and in evaluation, and instance norm of batched input."""
    after = len(input.shape) - 2
    return _normalise(op, input, weight, bias, after, running_mean, running_var)


@rule(F.group_norm)
def group_norm(
    op: Operation, input: Value, num_groups: int, weight: Value | None = None,
    bias: Value | None = None, eps: float = 1e-5,
) -> Activation:  # fmt: skip
    """Group norm: γ and β have one entry for each channel."""
    return _normalise(op, input, weight, bias, len(input.shape) - 2)


@rule(F.layer_norm)
def layer_norm(
    op: Operation, input: Value, normalized_shape: Sequence[int], weight: Value | None = None,
    bias: Value | None = None, eps: float = 1e-5,
) -> Activation:  # fmt: skip
    """Layer norm: γ and β have the shape of the last dimensions."""
    return _normalise(op, input, weight, bias, 0)


@rule(*named("rms_norm", F))
def rms_norm(
    op: Operation, input: Value, normalized_shape: Sequence[int], weight: Value | None = None,
    eps: float | None = None,
) -> Activation:  # fmt: skip
    """RMS norm: as layer norm, without β."""
    return _normalise(op, input, weight, None, 0)


@rule(*BATCH, *INSTANCE, *LAYER)
def norm_module(op: Operation, input: Value) -> Activation:
    """The functions above with the parameters of their module."""
    after = 0 if type(op.module) in LAYER else len(input.shape) - 2
    if type(op.module) in INSTANCE:  # its input may come without a batch
        after = int(type(op.module).__name__.removeprefix("InstanceNorm")[0])
    weight, bias = op.parameters.get("weight"), op.parameters.get("bias")
    return _normalise(op, input, weight, bias, after)
