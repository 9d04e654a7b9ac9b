"""Rules for pooling and resampling: each window of a channel, or the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.reductions import Size, filled
from gaugelib.tracing.rules.table import module_rule, named, rule
from gaugelib.tracing.values import Activation, Value


def _pooling_rules(spatial: int) -> None:
    """Pooling over the last one, two or three dimensions."""

    def names(pattern: str, *spaces: object) -> list[object]:
        return named(pattern.replace("#", f"{spatial}d"), *spaces)

    @module_rule("kernel_size stride padding dilation ceil_mode", *names("MaxPool#", nn))
    @rule(*names("max_pool# max_pool#_with_indices", torch, F))
    def max_pool(
        op: Operation, input: Value, kernel_size: Size, stride: Size | None = None,
        padding: Size = 0, dilation: Size = 1, ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:  # fmt: skip
        """The largest entry of each window, which must be of one scale."""
        window = (kernel_size, stride or kernel_size)
        plain = not ceil_mode and _all(padding, 0) and _all(dilation, 1)
        return _pooled(op, input, spatial, window if plain else None)

    @module_rule("kernel_size stride padding ceil_mode", *names("AvgPool#", nn))
    @rule(*names("avg_pool#", torch, F))
    def avg_pool(
        op: Operation, input: Value, kernel_size: Size, stride: Size | None = None,
        padding: Size = 0, ceil_mode: bool = False, *_: Any, **__: Any,
    ) -> Any:  # fmt: skip
        """The mean of each window, which must be of one scale."""
        return max_pool(op, input, kernel_size, stride, padding, 1, ceil_mode)

    @rule(*names("adaptive_avg_pool# adaptive_max_pool#", torch, F))
    def adaptive_pool(
        op: Operation, input: Value, output_size: Size | Sequence[None]
    ) -> Activation:
        """Means or maxima of windows of the size that it takes: channels must be of one scale."""
        before = op.activation(input).labels
        axes = range(before.dim() - spatial, before.dim())
        sizes = [n or before.shape[d] for n, d in zip(_each(output_size, spatial), axes)]
        labels = op.labels.tie_over(before, axes)
        return Activation(labels.expand(*before.shape[: axes[0]], *sizes), input.dtype)

    @rule(*names("AdaptiveAvgPool# AdaptiveMaxPool#", nn))
    def adaptive_pool_module(op: Operation, input: Value) -> Any:
        """The two functions above with the options of their module."""
        if getattr(op.module, "return_indices", False):
            return _pooled(op, input, spatial, None)
        return adaptive_pool(op, input, op.option("output_size"))

    @rule(*names("lp_pool# adaptive_max_pool#_with_indices", torch, F))
    @rule(*names("LPPool#", nn))
    def other_pool(op: Operation, input: Value, *_: Any, **__: Any) -> Any:
        """Other windows: whole channels are taken to be of one scale."""
        return _pooled(op, input, spatial, None)


for _spatial in (1, 2, 3):
    _pooling_rules(_spatial)


@rule(*named("interpolate upsample", F))
@rule(*named("Upsample UpsamplingNearest2d UpsamplingBilinear2d", nn))
def interpolate(op: Operation, input: Value, *_: Any, **__: Any) -> Any:
    """Every mode takes fixed combinations of the positions of one channel."""
    return _pooled(op, input, len(input.shape) - 2, None)


def _pooled(op: Operation, input: Value, spatial: int, window: tuple[Size, Size] | None) -> Any:
    """Ties each window if the labels differ along it, else nothing: a channel is of one scale."""
    labels = op.activation(input).labels
    axes = range(labels.dim() - spatial, labels.dim())
    channels = torch.Size((*labels.shape[: axes[0]], *(1,) * spatial))
    if window and not op.labels.is_folded(labels, channels):
        for axis, size, step in zip(axes, *(_each(option, spatial) for option in window)):
            labels = labels.unfold(axis, size, step)
        labels = op.labels.tie_over(labels, range(-spatial, 0))[(..., *(0,) * spatial)]
    else:
        labels = op.labels.tie_over(labels, axes)
    return filled(op, labels, op.shadow())


def _each(option: Size | Sequence[None] | None, spatial: int) -> tuple[Any, ...]:
    if isinstance(option, int | None):
        return (option,) * spatial
    return tuple(option) * (spatial // len(option))


def _all(option: Size, value: int) -> bool:
    return option == value if isinstance(option, int) else all(part == value for part in option)
