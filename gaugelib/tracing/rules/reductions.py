"""Rules for sums, means, extremes and orders along dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.utils import _pytree as pytree

from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.table import rule
from gaugelib.tracing.values import Activation, Value

Size = int | Sequence[int] | None


@rule("mean sum amax amin nansum nanmean aminmax max min median nanmedian std")
def reduce(op: Operation, input: Value, dim: Size | Value = None, *_: Any, **options: Any) -> Any:
    """Sums, means, extremes and deviations along dimensions, whose entries must be of one scale."""
    if not pytree.tree_leaves(op.shadow)[0].is_floating_point():
        return op.ground_all()
    return _along(op, input, options.get("dim", dim))


@rule("linalg_vector_norm")
def vector_norm(op: Operation, input: Value, ord: float = 2, dim: Size = None, *_: Any, **__: Any):
    """Every norm scales with its entries; counting those that are not zero (p = 0) does not."""
    return op.ground_all() if ord == 0 else _along(op, input, dim)


@rule("norm")
def norm(op: Operation, input: Value, p: Any = 2, dim: Size = None, *_: Any, **__: Any) -> Any:
    """A norm by another name."""
    return op.ground_all() if p == 0 else _along(op, input, dim)


@rule("var var_mean std_mean")
def variance(op: Operation, input: Value, dim: Size = None, *_: Any, **__: Any) -> Any:
    """A variance is homogeneous of degree two."""
    labels, _ = tied(op, input, dim)
    spread = labels if op.name == "std_mean" else op.labels.combine((2, labels))
    shadows = op.shadow if isinstance(op.shadow, tuple) else (op.shadow,)
    made = [_shaped(one, shadow) for one, shadow in zip((spread, labels), shadows)]
    return tuple(made) if isinstance(op.shadow, tuple) else made[0]


@rule("cumsum logcumsumexp sort topk kthvalue mode cummax cummin")
def along(op: Operation, input: Value, *options: Any, **named: Any) -> Any:
    """Running sums, and an order, along a dimension, whose entries must be of one scale."""
    result = pytree.tree_leaves(op.shadow)[0]
    if op.name == "logcumsumexp" or not result.is_floating_point():
        return op.ground_all()
    place = 1 if op.name in ("topk", "kthvalue") else 0
    dim = named.get("dim", options[place] if len(options) > place else -1)
    return op.results(tied(op, input, -1 if isinstance(dim, bool) else dim)[0])


def _along(op: Operation, input: Value, dim: Size | Value) -> Any:
    labels, axes = tied(op, input, dim)
    shadow = op.shadow[0] if isinstance(op.shadow, tuple | list) else op.shadow
    if labels.dim() != shadow.dim():
        labels = labels.squeeze(axes)
    return op.results(labels)


def tied(op: Operation, input: Value, dim: Any) -> tuple[Tensor, tuple[int, ...]]:
    """Labels of which one is left along some dimensions, and these dimensions."""
    labels = op.activation(input).labels
    axes = (dim,) if isinstance(dim, int) else tuple(dim or range(labels.dim()))
    return op.labels.tie_over(labels, axes), tuple(axis % max(labels.dim(), 1) for axis in axes)


def _shaped(labels: Tensor, shadow: Tensor) -> Activation:
    return Activation(labels.reshape(shadow.shape), shadow.dtype)
