"""Rules for sums, maxima, comparisons, selections, products and powers of entries."""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.rules.table import rule
from gaugelib.tracing.values import Activation, Constant, Value, Weight

Term = Value | bool | int | float | complex
_GROUND = torch.tensor(GROUND, device="cpu")


def common_labels(op: Operation, terms: tuple[Term, ...], shape: torch.Size) -> Tensor:
    """Labels of a result that takes or adds up terms entry by entry: they must all be the same.

    The number zero carries any scale, other numbers carry 1. Parameters beside activations are
    biases.
    """
    common: Tensor | None = None
    weights = [term for term in terms if isinstance(term, Weight)]
    if weights and not any(isinstance(term, Activation) for term in terms):
        terms = (op.activation(weights.pop(0)), *(t for t in terms if not isinstance(t, Weight)))
    for term in terms:
        if isinstance(term, Activation):
            labels = term.labels.expand(shape)
        elif isinstance(term, Constant):
            labels = op.constant_labels(term, shape)
        elif isinstance(term, Weight) or term == 0:
            continue
        else:
            labels = _GROUND.expand(shape)
        if common is None:
            common = labels
        op.labels.tie(common, labels)
    if common is None:
        return _GROUND.expand(shape)
    for weight in weights:
        op.use(weight, op.labels.fold(common, weight.shape), _GROUND, "bias")
    return common


def _joined(op: Operation, *terms: Term) -> Activation:
    return Activation(common_labels(op, terms, op.shadow.shape), op.shadow.dtype)


@rule("add sub rsub")
def add(op: Operation, input: Term, other: Term, alpha: float = 1) -> Activation:
    """A sum is homogeneous in terms of one scale."""
    return _joined(op, input, 0 if alpha == 0 else other)


@rule("maximum minimum fmax fmin")
def maximum(op: Operation, input: Term, other: Term) -> Activation:
    """The larger of two entries of one scale."""
    return _joined(op, input, other)


@rule("gt lt ge le eq ne")
def compare(op: Operation, input: Term, other: Term) -> Activation:
    """Whether x > y does not change when both are scaled by the same a > 0."""
    common_labels(op, (input, other), op.shadow.shape)
    return grounded(op.shadow)


@rule("where")
def where(op: Operation, condition: Value, input: Term, other: Term) -> Activation:
    """Of two entries of one scale, the one that a condition of fixed scale selects."""
    op.fix(condition)
    return _joined(op, input, other)


@rule("masked_fill")
def masked_fill(op: Operation, input: Term, mask: Value, value: Term) -> Activation:
    """Selects between entries and one value."""
    return where(op, mask, input, value)


@rule("lerp")
def lerp(op: Operation, input: Value, end: Value, weight: Term) -> Activation:
    """Between two entries of one scale, at a place of fixed scale."""
    op.fix(weight)
    return _joined(op, input, end)


@rule("mul")
def multiply(op: Operation, input: Term, other: Term) -> Value:
    """The product of the scales; a parameter as factor opens new units, one edge into each.

    A parameter times a number, or times a constant of no other shape, is still that parameter.
    """
    if not isinstance(input, Weight):
        input, other = other, input
    if not isinstance(input, Weight):
        return _product(op, input, other)
    if isinstance(other, Weight):
        return _product(op, input, other)
    if not isinstance(other, Activation):
        return scaled_weight(op, input)
    labels = other.labels.expand(op.shadow.shape)
    if op.labels.is_folded(labels, input.shape):
        target = op.issue(input.shape, input)
        op.use(input, target, op.labels.fold(labels, input.shape))
        return Activation(target.expand(op.shadow.shape), op.shadow.dtype)
    return _product(op, input, other)


def scaled_weight(op: Operation, weight: Weight) -> Value:
    """A parameter after its entries were multiplied by constants."""
    if weight.shape == op.shadow.shape:
        return weight.cast(op.shadow.dtype)
    return Activation(op.activation(weight).labels.expand(op.shadow.shape), op.shadow.dtype)


def _product(op: Operation, input: Term, other: Term, power: int = 1) -> Activation:
    factors = [
        (sign, op.activation(term).labels)
        for sign, term in ((1, input), (power, other))
        if not isinstance(term, Constant | bool | int | float | complex)
    ]
    labels = op.labels.combine(*factors) if factors else _GROUND
    return Activation(labels.expand(op.shadow.shape), op.shadow.dtype)


@rule("div")
def divide(op: Operation, input: Term, other: Term, rounding_mode: str | None = None) -> Value:
    """The quotient of the scales."""
    if rounding_mode is not None:
        return op.ground_all()
    if isinstance(input, Weight) and not isinstance(other, Activation | Weight):
        return scaled_weight(op, input)
    return _product(op, input, other, -1)


@rule("addcmul")
def addcmul(
    op: Operation, input: Value, first: Value, second: Value, value: float = 1
) -> Activation:
    """A sum of one term and a product."""
    return _joined(op, input, _product(op, first, second))


@rule("addcdiv")
def addcdiv(
    op: Operation, input: Value, first: Value, second: Value, value: float = 1
) -> Activation:
    """A sum of one term and a quotient."""
    return _joined(op, input, _product(op, first, second, -1))


@rule("pow")
def power(op: Operation, input: Term, exponent: Term) -> Activation:
    """Homogeneous of the degree of its exponent, where that is a number."""
    if isinstance(exponent, Value) or not isinstance(input, Value):
        return op.ground_all()
    return to_the(op, input, float(exponent))  # pyright: ignore[reportArgumentType]


def to_the(op: Operation, input: Value, degree: float) -> Activation:
    """A function that is homogeneous of some degree."""
    labels = op.activation(input).labels
    if degree != 1:
        labels = op.labels.combine((degree, labels))
    return Activation(labels.expand(op.shadow.shape), op.shadow.dtype)


@rule("sqrt")
def square_root(op: Operation, input: Value) -> Activation:
    """Homogeneous of degree one half."""
    return to_the(op, input, 0.5)


@rule("rsqrt")
def reciprocal_root(op: Operation, input: Value) -> Activation:
    """Homogeneous of degree minus one half."""
    return to_the(op, input, -0.5)


@rule("reciprocal")
def reciprocal(op: Operation, input: Value) -> Activation:
    """Homogeneous of degree minus one."""
    return to_the(op, input, -1)
