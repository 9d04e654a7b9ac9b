"""Rules for linear maps: layers, matrix products, embeddings, attention."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.arithmetic import common_labels
from gaugelib.tracing.rules.table import module_rule, named, rule
from gaugelib.tracing.values import Activation, Constant, Value, Weight


@module_rule("weight bias", nn.Linear)
@rule(F.linear)
def linear(op: Operation, input: Value, weight: Value, bias: Value | None = None) -> Activation:
    """Row i of W flows into unit i of x Wᵀ + b, column j out of unit j of x."""
    before = op.activation(input).labels
    shape = (*before.shape[:-1], weight.shape[0])
    if isinstance(weight, Weight):
        labels = _contract(op, before.unsqueeze(-2), weight, transposed=True)[0]
    else:
        require_fixed(op, weight)
        labels = op.labels.tie_over(before, [-1]).expand(shape)
    return Activation(shifted(op, labels, bias).expand(shape), input.dtype)


@rule(*named("matmul mm bmm mv", torch, Tensor), operator.matmul)
def matmul(op: Operation, input: Value, other: Value) -> Activation:
    """Products with a parameter on either side, or with something of fixed scale."""
    shadow = op.shadow()
    if isinstance(input, Weight) and isinstance(other, Weight):
        op.refuse(f"it multiplies parameters '{input.name}' and '{other.name}' with each other")
    # Both as matrices; a vector is a row on the left and a column on the right.
    left = input if len(input.shape) > 1 else input.carried(input.carrier().unsqueeze(0))
    right = other if len(other.shape) > 1 else other.carried(other.carrier().unsqueeze(-1))
    if isinstance(right, Weight):
        labels = _contract(op, op.activation(left).labels, right, transposed=False)
    elif isinstance(left, Weight):
        columns = op.activation(right).labels.mT
        labels = _contract(op, columns, left, transposed=True).mT
    else:
        labels = _product(op, left, right)
    full = torch.matmul(left.shadow(), right.shadow()).shape
    return Activation(labels.expand(full).reshape(shadow.shape), shadow.dtype)


def _contract(op: Operation, rows: Tensor, weight: Weight, transposed: bool) -> Tensor:
    """Labels (…, 1, outputs) of x W or, if transposed, x Wᵀ, for labels (…, n, inputs) of x.

    Each row of x meets the same W, so that rows are tied; so are batches that W does not have.
    """
    inner, outer = (-1, -2) if transposed else (-2, -1)
    *batch, outputs = *weight.shape[:-2], weight.shape[outer]
    source = op.labels.fold(rows, torch.Size((*batch, 1, weight.shape[inner])))
    target = op.issue((*batch, 1, outputs), weight)
    ends = (target.mT, source) if transposed else (target, source.mT)
    op.uses.add(weight, *ends, "weight")
    return target


def _is_fixed(op: Operation, value: Value) -> bool:
    if isinstance(value, Constant):
        return True
    return bool(op.labels.is_ground(op.activation(value).labels).all())


def _product(op: Operation, left: Value, right: Value) -> Tensor:
    """Labels, up to broadcasting, of a matrix product without parameters."""
    for factor, other, axis in ((right, left, -1), (left, right, -2)):
        if _is_fixed(op, factor):
            return op.labels.tie_over(op.activation(other).labels, [axis])
    op.labels.ground(op.activation(left).labels)
    op.labels.ground(op.activation(right).labels)
    return torch.full((1, 1), GROUND)


def require_fixed(op: Operation, weight: Value) -> None:
    """Refuse a weight that depends on the input."""
    if not _is_fixed(op, weight):
        op.refuse("its weight is neither a parameter nor of fixed scale")


def shifted(op: Operation, labels: Tensor, bias: Value | None) -> Tensor:
    """Labels of a result after its bias, if it has one, is added."""
    if bias is None:
        return labels
    return common_labels(op, (Activation(labels, bias.dtype), bias), labels.shape)


@module_rule("weight max_norm", nn.Embedding)
@rule(F.embedding)
def embedding(
    op: Operation, input: Value, weight: Value, padding_idx: int | None = None,
    max_norm: float | None = None, *_: Any, **__: Any,
) -> Activation:  # fmt: skip
    """Row i of the table is the output for index i: each column flows into one unit."""
    if max_norm is not None:
        op.refuse("max_norm renormalises rows of the parameter while the model runs")
    op.labels.ground(op.activation(input).labels)
    if not isinstance(weight, Weight):
        op.refuse("its table is not a parameter")
    target = op.issue((1, weight.shape[-1]), weight)
    op.uses.add(weight, target, torch.tensor(GROUND), "weight")
    return Activation(target[0].expand(*input.shape, -1), weight.dtype)


@rule(F.scaled_dot_product_attention)
def attention(
    op: Operation, query: Value, key: Value, value: Value, *options: Any, **more: Any
) -> Activation:
    """Softmax fixes the scales of queries and keys; each column of the values keeps its own."""
    for fixed in (query, key, *options, *more.values()):
        if isinstance(fixed, Value):
            op.labels.ground(op.activation(fixed).labels)
    labels = op.labels.tie_over(op.activation(value).labels, [-2])
    if labels.shape[:-2] != query.shape[:-2]:
        op.refuse("its queries and values differ in batches or heads")
    return Activation(labels.expand(*query.shape[:-1], -1), query.dtype)
