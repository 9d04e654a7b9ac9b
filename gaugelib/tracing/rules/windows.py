"""Rules for convolutions, pooling and resampling: windows of positions in channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.rules.arithmetic import common_labels
from gaugelib.tracing.rules.table import rule
from gaugelib.tracing.values import Activation, Value, Weight


@rule("convolution _convolution")
def convolution(
    op: Operation, input: Value, weight: Value, bias: Value | None, stride: Any, padding: Any,
    dilation: Any, transposed: bool, output_padding: Any, groups: int, *_: Any,
) -> Activation:  # fmt: skip
    """Every position applies the same W to the channels, (outputs, inputs / groups, …).

    If transposed, W is (inputs, outputs / groups, …).
    """
    before, spatial = op.activation(input).labels, len(weight.shape) - 2
    axis = before.dim() - spatial - 1
    others = [dim for dim in range(before.dim()) if dim != axis]
    inputs = op.labels.tie_over(before, others).reshape(-1)
    count = op.shadow.shape[axis]
    if isinstance(weight, Weight):
        outputs = op.issue((count,), weight)
        rows, columns = (inputs, outputs) if transposed else (outputs, inputs)
        across = _grouped(columns, groups, len(rows))
        rows = rows.reshape(-1, 1, *(1,) * spatial)
        across = across.reshape((*across.shape, *(1,) * spatial))
        op.use(weight, *((across, rows) if transposed else (rows, across)))
    else:
        outputs = _dynamic(op, inputs, weight, transposed, groups, count)
    if bias is not None:
        terms = (Activation(outputs, bias.dtype), bias)
        outputs = common_labels(op, terms, outputs.shape)
    labels = outputs.reshape(-1, *(1,) * spatial).expand(op.shadow.shape)
    return Activation(labels, op.shadow.dtype)


def _dynamic(
    op: Operation, inputs: Tensor, weight: Value, transposed: bool, groups: int, count: int
) -> Tensor:
    """Labels of outputs where W was computed: every product into one output has the same scale."""
    labels = op.activation(weight).labels
    labels = op.labels.tie_over(labels, range(2, labels.dim())).reshape(labels.shape[:2])
    if transposed:  # to (outputs, inputs / groups)
        blocks = labels.reshape(groups, -1, labels.shape[1])
        labels = blocks.mT.reshape(count, -1)
    columns = _grouped(inputs, groups, count).expand(labels.shape)
    op.labels.equal_sums((labels, columns), (labels[:, :1], columns[:, :1]))
    return op.labels.combine((1, labels[:, 0]), (1, columns[:, 0]))


def _grouped(columns: Tensor, groups: int, rows: int) -> Tensor:
    """For each row, the columns of its group: (1, columns), or (rows, columns / groups)."""
    if groups == 1:
        return columns[None, :]
    blocks = columns.reshape(groups, 1, -1)
    return blocks.expand(-1, rows // groups, -1).reshape(rows, -1)


def _sizes(option: Any, spatial: int) -> tuple[int, ...]:
    found = (option,) if isinstance(option, int) else tuple(option)
    return found * (spatial // len(found)) if found else ()


@rule("max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d max_pool1d")
def pool(
    op: Operation, input: Value, kernel_size: Any, stride: Any = (), padding: Any = 0, *more: Any
) -> Any:
    """The largest entry or the mean of each window, which must be of one scale."""
    spatial = int(op.name.partition("pool")[2][0])
    sizes = _sizes(kernel_size, spatial)
    steps = _sizes(stride, spatial) or sizes
    dilation = more[0] if more and op.name.startswith("max") else 1
    ceil = more[1:2] if op.name.startswith("max") else more[:1]
    plain = not any(_sizes(padding, spatial)) and set(_sizes(dilation, spatial)) == {1}
    labels = op.activation(input).labels
    axes = range(labels.dim() - spatial, labels.dim())
    channels = torch.Size((*labels.shape[: axes[0]], *(1,) * spatial))
    if not plain or any(ceil) or op.labels.is_folded(labels, channels):
        return _whole(op, labels, spatial)
    for axis, size, step in zip(axes, sizes, steps):
        labels = labels.unfold(axis, size, step)
    labels = op.labels.tie_over(labels, range(-spatial, 0))
    return op.results(labels[(..., *(0,) * spatial)])


@rule(
    "_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d adaptive_max_pool2d "
    "adaptive_max_pool3d"
)
def adaptive_pool(op: Operation, input: Value, output_size: Sequence[int]) -> Any:
    """Means or maxima of windows of the size that it takes: channels must be of one scale."""
    return _whole(op, op.activation(input).labels, int(op.name.partition("pool")[2][0]))


@rule("upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_linear1d "
      "upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d _upsample_bilinear2d_aa "
      "_upsample_bicubic2d_aa _upsample_nearest_exact1d _upsample_nearest_exact2d "
      "_upsample_nearest_exact3d")  # fmt: skip
def resample(op: Operation, input: Value, *_: Any, **__: Any) -> Any:
    """Every mode takes fixed combinations of the positions of one channel."""
    return _whole(op, op.activation(input).labels, len(input.shape) - 2)


@rule("grid_sampler_2d grid_sampler_3d")
def sample(op: Operation, input: Value, grid: Value, *_: Any) -> Any:
    """Combinations of the positions of one channel, at places of fixed scale."""
    op.fix(grid)
    return _whole(op, op.activation(input).labels, len(input.shape) - 2)


def _whole(op: Operation, labels: Tensor, spatial: int) -> Any:
    """A channel is of one scale."""
    axes = range(labels.dim() - spatial, labels.dim())
    labels = op.labels.tie_over(labels, axes)

    def fill(shadow: Tensor) -> Activation:
        if not shadow.is_floating_point():
            return grounded(shadow)
        return Activation(labels.expand(shadow.shape), shadow.dtype)

    return pytree.tree_map_only(Tensor, fill, op.shadow)
