"""Rules for linear maps: matrix products, embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.arithmetic import common_labels
from gaugelib.tracing.rules.table import rule
from gaugelib.tracing.values import Activation, Constant, Value, Weight

_GROUND = torch.tensor(GROUND, device="cpu")


@rule("mm bmm")
def matmul(op: Operation, left: Value, right: Value) -> Activation:
    """Products with a parameter, with something of fixed scale, or of two activations."""
    labels = _multiplied(op, left, right)
    return Activation(labels.expand(op.shadow.shape), op.shadow.dtype)


@rule("mv dot vdot")
def matvec(op: Operation, left: Value, right: Value) -> Activation:
    """Products with vectors: a column on the right, and a row on the left."""
    if len(left.shape) == 1:
        left = left.moved(lambda carrier: carrier.unsqueeze(0))
    labels = _multiplied(op, left, right.moved(lambda carrier: carrier.unsqueeze(-1)))
    return Activation(labels.expand(*left.shape[:-1], 1).reshape(op.shadow.shape), op.shadow.dtype)


@rule("addmm baddbmm addbmm_ addmv")
def affine(
    op: Operation, input: Value, left: Value, right: Value, *, beta: float = 1, alpha: float = 1
) -> Activation:
    """A product and a term beside it; with `beta=0` without that term."""
    if op.name == "addmv":
        right = right.moved(lambda carrier: carrier.unsqueeze(-1))
    labels = _multiplied(op, left, right)
    if op.name == "addmv":
        labels = labels.squeeze(-1)
    product = Activation(labels.expand(op.shadow.shape), op.shadow.dtype)
    terms = (product, input) if beta else (product,)
    return Activation(common_labels(op, terms, op.shadow.shape), op.shadow.dtype)


def _multiplied(op: Operation, left: Value, right: Value) -> Tensor:
    """Labels, up to broadcasting, of a product of matrices or of batches of them."""
    if isinstance(right, Weight) and not isinstance(left, Weight):
        return _contract(op, op.activation(left).labels, right, transposed=False)
    if isinstance(left, Weight) and not isinstance(right, Weight):
        return _contract(op, op.activation(right).labels.mT, left, transposed=True).mT
    return _product(op, left, right)


def _contract(op: Operation, rows: Tensor, weight: Weight, transposed: bool) -> Tensor:
    """Labels (…, 1, outputs) of x W or, if transposed, x Wᵀ, for labels (…, n, inputs) of x.

    Each row of x meets the same W, so that rows are tied; so are batches that W does not have.
    """
    place = weight.place
    for dim, (size, step) in enumerate(zip(place.shape, place.stride())):
        if step == 0 and size > 1:
            place = place.narrow(dim, 0, 1)
    weight = replace(weight, place=place)
    inner, outer = (-1, -2) if transposed else (-2, -1)
    *batch, outputs = *weight.shape[:-2], weight.shape[outer]
    source = op.labels.fold(rows, torch.Size((*batch, 1, weight.shape[inner])))
    target = op.issue((*batch, 1, outputs), weight)
    op.use(weight, *((target.mT, source) if transposed else (target, source.mT)))
    return target


def _product(op: Operation, left: Value, right: Value) -> Tensor:
    """Labels of Σ_k x_ik y_kj: the sum of two scales that must not depend on k.

    x_ik + y_kj is the same for all k if and only if x_ik - x_i0 does not depend on i, y_kj - y_0j
    not on j, and the two cancel. So nothing of the size of all i, k and j is needed.
    """
    fixed = [_is_fixed(op, value) for value in (left, right)]
    if fixed[1]:
        return _GROUND if fixed[0] else op.labels.tie_over(op.activation(left).labels, [-1])
    if fixed[0]:
        return op.labels.tie_over(op.activation(right).labels, [-2])
    x, y = op.activation(left).labels, op.activation(right).labels.mT
    for one in (x, y):
        row, column, corner = one[..., :1, :], one[..., :, :1], one[..., :1, :1]
        op.labels.equal_sums((one, corner), (row, column))
    op.labels.equal_sums((x[..., :1, :], y[..., :1, :]), (x[..., :1, :1], y[..., :1, :1]))
    return op.labels.combine((1, x[..., :, :1]), (1, y[..., :, :1].mT))


def _is_fixed(op: Operation, value: Value) -> bool:
    if isinstance(value, Constant):
        return True
    return isinstance(value, Activation) and bool(op.labels.is_ground(value.labels).all())


@rule("embedding")
def embedding(op: Operation, table: Value, indices: Value, *_: object, **__: object) -> Activation:
    """Row i of the table is the output for index i: each column flows into one unit."""
    op.fix(indices)
    if isinstance(table, Weight):
        labels = op.issue((1, table.shape[-1]), table)
        op.use(table, labels, _GROUND)
    else:
        labels = op.labels.tie_over(op.activation(table).labels, [0])
    return Activation(labels[0].expand(op.shadow.shape), op.shadow.dtype)


@rule("_trilinear")
def trilinear(
    op: Operation, first: Value, second: Value, third: Value, *dims: Sequence[int]
) -> Activation:
    """Sums of products of three factors (nn.Bilinear), along some of their common dimensions."""
    *added, summed = dims[:4]
    factors = []
    for value, axes in zip((first, second, third), added):
        labels = op.activation(value).labels
        for axis in sorted(axes):
            labels = labels.unsqueeze(axis)
        factors.append((1, labels))
    labels = op.labels.tie_over(op.labels.combine(*factors), summed)
    return Activation(labels.squeeze(tuple(summed)).expand(op.shadow.shape), op.shadow.dtype)
