"""Rules for sums, maxima, comparisons, selections and products of entries."""

from __future__ import annotations

import operator
from typing import Any, NoReturn

import torch
from torch import Tensor

from gaugelib.group import GROUND
from gaugelib.tracing.labels import narrow_together
from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.rules.table import named, rule
from gaugelib.tracing.values import Activation, Constant, Value, Weight

Term = Value | bool | int | float


def common_labels(op: Operation, terms: tuple[Term, ...], shape: torch.Size) -> Tensor:
    """Labels of a result that takes or adds up terms entry by entry: they must all be the same.

    The number zero carries any scale, other numbers carry 1. Parameters are biases.
    """
    common: Tensor | None = None
    weights = [term for term in terms if isinstance(term, Weight)]
    for term in terms:
        if isinstance(term, Activation):
            labels = term.labels.expand(shape)
        elif isinstance(term, Constant):
            labels = op.constant_labels(term, shape)
        elif isinstance(term, Weight) or term == 0:
            continue
        elif isinstance(term, bool | int | float):
            labels = torch.tensor(GROUND).expand(shape)
        else:
            op.refuse(f"a tensor or a number was expected, found {type(term).__name__}")
        if common is None:
            common = labels
        op.labels.tie(common, labels)
    if weights and not any(isinstance(term, Activation) for term in terms):
        refuse_alone(op, *terms)
    if common is None:
        return torch.tensor(GROUND).expand(shape)
    for weight in weights:
        target = op.labels.fold(common, weight.shape)
        op.uses.add(weight, target, torch.tensor(GROUND), "bias")
    return common


def refuse_alone(op: Operation, *terms: Term) -> NoReturn:
    """Refuse an operation on parameters without an activation."""
    names = [f"'{term.name}'" for term in terms if isinstance(term, Weight)]
    who = f"parameters {' and '.join(names)} meet" if names[1:] else f"parameter {names[0]} meets"
    op.refuse(
        f"{who} no activation here; only views of a parameter, and its sums and products with "
        "activations, have a known rescaling"
    )


def _joined(op: Operation, *terms: Term) -> Activation:
    shadow = op.pointwise_shadow(*terms)
    return Activation(common_labels(op, terms, shadow.shape), shadow.dtype)


@rule(*named("add sub subtract rsub", torch, Tensor), operator.add, operator.sub)
def add(op: Operation, input: Term, other: Term, *, alpha: float = 1) -> Activation:
    """A sum is homogeneous in terms of one scale."""
    if isinstance(alpha, Value):
        op.refuse("alpha must be a number")
    return _joined(op, input, other)


@rule(*named("maximum minimum fmax fmin", torch, Tensor))
def maximum(op: Operation, input: Term, other: Term) -> Activation:
    """The larger of two entries of one scale."""
    return _joined(op, input, other)


@rule(
    *named("gt greater lt less ge greater_equal le less_equal eq ne not_equal", torch, Tensor),
    *named("gt lt ge le eq ne", operator),
)
def compare(op: Operation, input: Term, other: Term) -> Activation:
    """Whether x > y does not change when both are scaled by the same a > 0."""
    shadow = op.pointwise_shadow(input, other)
    common_labels(op, (input, other), shadow.shape)
    return grounded(shadow.bool())


@rule(torch.where)
def where(op: Operation, condition: Value, input: Term, other: Term) -> Activation:
    """Of two entries of one scale, the one that a condition of fixed scale selects."""
    if isinstance(condition, Weight) or condition.dtype != torch.bool:
        op.refuse("its condition must be boolean")
    if not isinstance(input, Value) and not isinstance(other, Value):
        return op.ground_all()
    shadow = op.pointwise_shadow(input, other)
    shape = torch.broadcast_shapes(condition.shape, shadow.shape)
    return Activation(common_labels(op, (input, other), shape), shadow.dtype)


@rule("where")
def where_method(op: Operation, input: Term, condition: Value, other: Term) -> Activation:
    """`torch.where` as a method: the condition comes second."""
    return where(op, condition, input, other)


@rule(*named("masked_fill", torch, Tensor))
def masked_fill(op: Operation, input: Term, mask: Value, value: Term) -> Activation:
    """Selects between entries and one value."""
    return where(op, mask, input, value)


@rule(*named("mul multiply", torch, Tensor), operator.mul)
def multiply(op: Operation, input: Term, other: Term) -> Activation:
    """A product of scales; with a number or something of fixed scale, labels pass.

    A parameter as factor opens new units, with the parameter as the one edge into each.
    """
    if not isinstance(input, Activation):
        input, other = other, input
    if not isinstance(input, Activation):
        refuse_alone(op, input, other)
    shadow = op.pointwise_shadow(input, other)
    if isinstance(other, Weight):
        return _scaled(op, input, other, shadow)
    if isinstance(other, Activation):
        return _product(op, input, other, shadow)
    return Activation(input.labels.expand(shadow.shape), shadow.dtype)


@rule(*named("div divide true_divide", torch, Tensor), operator.truediv)
def divide(op: Operation, input: Term, other: Term, *, rounding_mode: str | None = None) -> Any:
    """As a product with the reciprocal, which must have a fixed scale; or the scales cancel."""
    if isinstance(other, Weight):
        op.refuse(f"division by parameter '{other.name}' is not known; multiply by it instead")
    if rounding_mode is not None or not isinstance(input, Value):
        return op.ground_all()
    value = op.activation(input)
    shadow = op.pointwise_shadow(value, other)
    if not isinstance(other, Activation):
        return Activation(value.labels.expand(shadow.shape), shadow.dtype)
    pair = (value.labels.expand(shadow.shape), other.labels.expand(shadow.shape))
    one, two = narrow_together(*pair)
    same = op.labels.find(one) == op.labels.find(two)
    loose = ~op.labels.is_ground(two) & ~same
    op.labels.ground(one[loose])
    op.labels.ground(two[loose])
    return Activation(one.where(~same, GROUND).expand(shadow.shape), shadow.dtype)


def _product(op: Operation, first: Activation, second: Activation, shadow: Tensor) -> Activation:
    """Entry by entry: the label of the one factor if the other is ground, else both are grounded.

    Two free factors have a common scale a·b that no single label names: that part of the symmetry
    is given up.
    """
    pair = (first.labels.expand(shadow.shape), second.labels.expand(shadow.shape))
    one, two = narrow_together(*pair)
    fixed = op.labels.is_ground(one), op.labels.is_ground(two)
    gate = ~fixed[0] & ~fixed[1]
    op.labels.ground(one[gate])
    op.labels.ground(two[gate])
    return Activation(torch.where(fixed[0], two, one).expand(shadow.shape), shadow.dtype)


def _scaled(op: Operation, value: Activation, weight: Weight, shadow: Tensor) -> Activation:
    labels = value.labels.expand(shadow.shape)
    if not op.labels.is_folded(labels, weight.shape):
        # One factor for units of several scales: let it be, rather than tie them to each other.
        ground = torch.tensor(GROUND)
        op.uses.add(weight, ground, ground, "fixed")
        return Activation(labels, shadow.dtype)
    target = op.issue(weight.shape, weight)
    op.uses.add(weight, target, op.labels.fold(labels, weight.shape), "weight")
    return Activation(target.expand(shadow.shape), shadow.dtype)
