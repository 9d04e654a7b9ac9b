"""Rules for functions of single entries that are homogeneous; others need no rule."""

from __future__ import annotations

import math
from typing import Any

from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.preconditions import FLOATING
from gaugelib.tracing.rules.arithmetic import maximum, scaled_weight
from gaugelib.tracing.rules.table import rule
from gaugelib.tracing.values import Activation, Value, Weight

Bound = Value | bool | int | float


@rule("relu leaky_relu abs neg clone dropout")
def homogeneous(op: Operation, input: Value, *_: Any, **__: Any) -> Value:
    """Labels pass if f(a z) = a f(z) for every a > 0; any two slopes will do, negative ones too."""
    return scaled_weight(op, input) if isinstance(input, Weight) else input


@rule("native_dropout")
def dropout(op: Operation, input: Value, *_: Any) -> Any:
    """Whatever entries it drops, the others keep their scale."""
    return op.results(op.activation(input).labels)


@rule("bernoulli")
def coin(op: Operation, input: Value, probability: Value | float = 0.5, **_: Any) -> Activation:
    """The mask of a dropout: drawn anew in each call, whatever the parameters are."""
    if isinstance(probability, Value) or op.shadow.shape != input.shape:
        op.refuse("it draws random numbers; do so outside of the model and pass them in")
    return grounded(op.shadow)


@rule("glu")
def gated(op: Operation, input: Value, dim: int = -1) -> Activation:
    """The one half times a sigmoid of the other, which must be fixed."""
    kept, gate = op.activation(input).labels.chunk(2, dim)
    op.labels.ground(gate)
    return Activation(kept, op.shadow.dtype)


@rule("rrelu_with_noise")
def rrelu(
    op: Operation, input: Value, noise: Value, lower: float = 0, upper: float = 0,
    training: bool = False, *_: Any,
) -> Activation:  # fmt: skip
    """Leaky ReLU in evaluation; in training its slopes are drawn where the input is negative."""
    if training:
        op.refuse("its slopes are random in training mode; call .eval() first")
    return op.activation(input)


@rule("prelu _prelu_kernel")
def prelu(op: Operation, input: Value, weight: Value) -> Activation:
    """Homogeneous for every slope, so the slopes stay as they are."""
    op.fix(weight)
    return op.activation(input)


FREE = (None, 0, math.inf, -math.inf)
"""Bounds that every positive scale leaves in place."""


@rule("clamp clamp_min clamp_max hardtanh")
def clamp(op: Operation, input: Value, min: Bound | None = None, max: Bound | None = None) -> Any:
    """Homogeneous if its bounds are zero or infinite, or carry the scale; `clamp(min=0)` is ReLU.

    With tensors as bounds it is a maximum and a minimum.
    """
    if op.name == "hardtanh":
        min, max = (-1.0 if min is None else min), (1.0 if max is None else max)
    for bound in (min, max):
        if isinstance(bound, Value):
            input = maximum(op, input, bound)
        elif bound not in FREE:
            return op.ground_all()
    return op.activation(input)


@rule("threshold")
def threshold(op: Operation, input: Value, threshold: float, value: float) -> Any:
    """What is not above the threshold becomes `value`; `threshold(0, 0)` is ReLU."""
    return op.activation(input) if threshold == value == 0 else op.ground_all()


@rule("sign sgn signbit isnan isinf isfinite heaviside")
def sign(op: Operation, input: Value, *others: Value) -> Activation:
    """The same for every positive scale: what goes in stays free, what comes out is fixed."""
    for value in others:
        op.fix(value)
    return grounded(op.shadow)


@rule("nan_to_num")
def finite(op: Operation, input: Value, nan: float | None = None, *_: Any) -> Any:
    """On finite numbers it does nothing; infinite ones are replaced by numbers of scale 1."""
    return op.ground_all()


@rule("_to_copy to")
def cast(op: Operation, input: Value, *_: Any, **__: Any) -> Value:
    """Another floating dtype rounds, but carries the same scales; integers carry none."""
    if op.shadow.dtype in FLOATING and input.dtype in FLOATING:
        return input.cast(op.shadow.dtype)
    op.fix(input)
    return grounded(op.shadow)


@rule("copy")
def copied(op: Operation, input: Value, source: Value, *_: Any) -> Activation:
    """Written over with other entries."""
    labels = op.activation(source).labels.expand(op.shadow.shape)
    return Activation(labels, op.shadow.dtype)


@rule("fill zero")
def filled(op: Operation, input: Value, number: Bound = 0) -> Activation:
    """Written over with one number; zeros carry any scale."""
    if isinstance(number, Value):
        return copied(op, input, number)
    if number:
        return grounded(op.shadow)
    return Activation(op.labels.issue(op.shadow.shape, None), op.shadow.dtype)


@rule("zeros_like new_zeros empty_like new_empty")
def zeros(op: Operation, *_: Any, **__: Any) -> Activation:
    """A zero carries any scale: each gets a label of its own, free until something ties it."""
    if not op.shadow.is_floating_point():
        return grounded(op.shadow)
    return Activation(op.labels.issue(op.shadow.shape, None), op.shadow.dtype)


@rule("ones_like full_like new_ones new_full")
def ones(op: Operation, input: Value, *numbers: Any, **__: Any) -> Activation:
    """Numbers that only the shape decides: their scale is 1."""
    for number in numbers:
        op.fix(number)
    return grounded(op.shadow)
