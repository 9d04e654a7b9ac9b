"""Rules for sums, means, extremes and orders along dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.rules.arithmetic import maximum
from gaugelib.tracing.rules.table import named, rule
from gaugelib.tracing.values import Activation, Value

Size = int | Sequence[int]


@rule(*named("mean sum amax amin nanmean nansum", torch, Tensor))
def reduce(
    op: Operation, input: Value, dim: Size | None = None, keepdim: bool = False, **options: Any
) -> Activation:
    """Sums, means and extremes along dimensions, whose entries must be of one scale."""
    labels, axes = _tied(op, input, options.pop("axis", dim))
    if options or not input.dtype.is_floating_point:
        return filled(op, labels, op.shadow())
    return Activation(labels if keepdim else labels.squeeze(axes), input.dtype)


@rule(*named("norm", torch, Tensor))
def norm(
    op: Operation, input: Value, p: Any = "fro", dim: Size | None = None, keepdim: bool = False,
    **options: Any,
) -> Any:  # fmt: skip
    """Every norm scales with its entries; counting those that are not zero (p = 0) does not."""
    if isinstance(p, Value) or p == 0:
        return op.ground_all()
    return reduce(op, input, dim, keepdim, **options)


@rule(*named("max min", torch, Tensor))
def extreme(
    op: Operation,
    input: Value,
    dim: Size | Value | None = None,
    keepdim: bool = False,
    **options: Any,
) -> Any:
    """Along a dimension (maxout), of everything, or of two tensors."""
    other = options.get("other", dim)
    if isinstance(other, Value):
        return maximum(op, input, other)
    return filled(op, _tied(op, input, options.get("axis", dim))[0], op.shadow())


@rule(*named("cumsum sort", torch, Tensor))
def along(op: Operation, input: Value, dim: int = -1, *_: Any, **__: Any) -> Any:
    """Running sums, and an order, along a dimension, whose entries must be of one scale."""
    return filled(op, _tied(op, input, dim)[0], op.shadow())


@rule(*named("topk", torch, Tensor))
def topk(op: Operation, input: Value, k: int, dim: int = -1, *_: Any, **__: Any) -> Any:
    """The first few of them."""
    return along(op, input, dim)


def _tied(op: Operation, input: Value, dim: Size | None) -> tuple[Tensor, tuple[int, ...]]:
    labels = op.activation(input).labels
    axes = (dim,) if isinstance(dim, int) else tuple(dim or range(labels.dim()))
    return op.labels.tie_over(labels, axes), axes


def filled(op: Operation, labels: Tensor, shadow: Any) -> Any:
    """The labels in the shape of each result; positions of extremes do not move with the scale."""
    if isinstance(shadow, Tensor) and not shadow.dtype.is_floating_point:
        op.labels.ground(labels)  # a sum rounded to integers

    def fill(result: Tensor) -> Activation:
        if not result.is_floating_point():
            return grounded(result)
        if labels.numel() == result.numel():
            return Activation(labels.reshape(result.shape), result.dtype)
        return Activation(labels.expand(result.shape), result.dtype)

    return pytree.tree_map_only(Tensor, fill, shadow)
