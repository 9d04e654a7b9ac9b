"""Rules for convolutions and transposed convolutions over one, two or three dimensions."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.linear import require_fixed, shifted
from gaugelib.tracing.rules.table import named, rule
from gaugelib.tracing.values import Activation, Value, Weight


@rule(*named("conv1d conv2d conv3d", torch, F))
def convolution(
    op: Operation, input: Value, weight: Value, bias: Value | None = None, stride: Any = 1,
    padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Activation:  # fmt: skip
    """Every position applies the same W (outputs, inputs / groups, …) to the channels."""
    return _convolve(op, input, weight, bias, groups, transposed=False)


@rule(*named("conv_transpose1d conv_transpose2d conv_transpose3d", torch, F))
def transposed_convolution(
    op: Operation, input: Value, weight: Value, bias: Value | None = None, stride: Any = 1,
    padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Activation:  # fmt: skip
    """As a convolution, with W of shape (inputs, outputs / groups, …)."""
    return _convolve(op, input, weight, bias, groups, transposed=True)


@rule(*named("Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d", nn))
def convolution_module(op: Operation, input: Value, *_: Any, **__: Any) -> Activation:
    """The two functions above with the parameters of their module."""
    names = ("weight", "bias", "groups", "transposed")
    return _convolve(op, input, *(op.option(name) for name in names))


def _convolve(
    op: Operation, input: Value, weight: Value, bias: Value | None, groups: int, transposed: bool
) -> Activation:
    shadow = op.shadow()
    before, spatial = op.activation(input).labels, len(weight.shape) - 2
    axis = before.dim() - spatial - 1
    others = [dim for dim in range(before.dim()) if dim != axis]
    inputs = op.labels.tie_over(before, others).reshape(-1)
    if isinstance(weight, Weight):
        outputs = op.issue((shadow.shape[axis],), weight)
        rows, columns = (inputs, outputs) if transposed else (outputs, inputs)
        across = _grouped(columns, groups, len(rows))
        rows = rows.reshape(-1, 1, *(1,) * spatial)
        across = across.reshape((*across.shape, *(1,) * spatial))
        ends = (across, rows) if transposed else (rows, across)
        op.uses.add(weight, *ends, "weight")
    else:
        require_fixed(op, weight)
        one = op.labels.tie_over(inputs.reshape(groups, -1), [1])
        outputs = one.expand(groups, shadow.shape[axis] // groups).reshape(-1)
    outputs = shifted(op, outputs, bias)
    labels = outputs.reshape(-1, *(1,) * spatial).expand(shadow.shape)
    return Activation(labels, shadow.dtype)


def _grouped(columns: Tensor, groups: int, rows: int) -> Tensor:
    """For each row, the columns of its group: (1, columns), or (rows, columns / groups)."""
    if groups == 1:
        return columns[None, :]
    blocks = columns.reshape(groups, 1, -1)
    return blocks.expand(-1, rows // groups, -1).reshape(rows, -1)
