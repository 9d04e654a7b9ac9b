"""Rules for functions of single entries: homogeneous ones, and those that are not."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaugelib.group import GROUND
from gaugelib.tracing.operation import Operation, grounded
from gaugelib.tracing.preconditions import FLOATING
from gaugelib.tracing.rules.arithmetic import maximum
from gaugelib.tracing.rules.table import impure, module_rule, named, rule
from gaugelib.tracing.values import Activation, Constant, Value, Weight

Number = bool | int | float
Bound = Value | Number

HOMOGENEOUS = named("relu leaky_relu abs absolute neg negative positive", torch, F, Tensor)
HOMOGENEOUS += named("dropout dropout1d dropout2d dropout3d", torch, F)
HOMOGENEOUS += named("neg pos abs", operator)
HOMOGENEOUS += named("ReLU LeakyReLU Identity Dropout Dropout1d Dropout2d Dropout3d", nn)

NOT_HOMOGENEOUS = named(
    "tanh sigmoid logsigmoid gelu silu mish elu selu celu softplus softsign softmin softmax "
    "log_softmax exp exp2 expm1 log log1p log2 log10 sqrt rsqrt square pow reciprocal sin cos "
    "tan sinh cosh asinh atan erf erfc relu6 hardsigmoid hardswish tanhshrink softshrink "
    "hardshrink normalize local_response_norm cosine_similarity round floor ceil trunc frac "
    "floor_divide remainder fmod prod var std logsumexp cumprod one_hot logical_and logical_or "
    "logical_xor logical_not bitwise_and bitwise_or bitwise_not isnan isinf isfinite any all "
    "argmax argmin argsort",
    torch, F, Tensor,
)  # fmt: skip
NOT_HOMOGENEOUS += named("pow floordiv mod and_ or_ xor invert", operator)
NOT_HOMOGENEOUS += named(
    "Tanh Sigmoid LogSigmoid GELU SiLU Mish ELU SELU CELU Softplus Softsign Softmin Softmax "
    "Softmax2d LogSoftmax ReLU6 Hardsigmoid Hardswish Tanhshrink Softshrink Hardshrink "
    "LocalResponseNorm CosineSimilarity",
    nn,
)


@impure
@rule(*HOMOGENEOUS)
def homogeneous(op: Operation, input: Value, *options: Any, **named_options: Any) -> Activation:
    """Labels pass if f(a z) = a f(z) for every a > 0; any two slopes will do, negative ones too."""
    if any(isinstance(o, Value) for o in (*options, *named_options.values())):
        op.refuse("its options must be numbers")
    return op.activation(input)


@rule(*NOT_HOMOGENEOUS)
def not_homogeneous(op: Operation, *_: Any, **__: Any) -> Any:
    """Anything else that is a function of its arguments: fixed scales in, fixed scales out."""
    return op.ground_all()


@impure
@module_rule("training", nn.RReLU)
@rule(*named("rrelu", torch, F))
def rrelu(
    op: Operation, input: Value, lower: float = 0.0, upper: float = 0.0, training: bool = False,
    inplace: bool = False,
) -> Activation:  # fmt: skip
    """Leaky ReLU in evaluation; in training its slopes are drawn where the input is negative."""
    if training:
        op.refuse("its slopes are random in training mode; call .eval() first")
    return op.activation(input)


@impure
@module_rule("training", nn.AlphaDropout)
@rule(*named("alpha_dropout", torch, F))
def alpha_dropout(
    op: Operation, input: Value, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """Nothing in evaluation; in training it shifts what it keeps."""
    return op.ground_all() if training else op.activation(input)


@module_rule("weight", nn.PReLU)
@rule(*named("prelu", torch, F, Tensor))
def prelu(op: Operation, input: Value, weight: Value) -> Activation:
    """Homogeneous for every slope, so the slopes stay as they are."""
    if isinstance(weight, Weight):
        ground = torch.tensor(GROUND)
        op.uses.add(weight, ground, ground, "fixed")
    elif not isinstance(weight, Constant):
        op.refuse("its slopes depend on the input")
    return op.activation(input)


FREE = (None, 0, math.inf, -math.inf)
"""Bounds that every positive scale leaves in place."""


@rule(*named("clamp clip", torch, Tensor))
def clamp(op: Operation, input: Value, min: Bound | None = None, max: Bound | None = None) -> Any:
    """Homogeneous if its bounds are zero or infinite, or carry the scale; `clamp(min=0)` is ReLU.

    With tensors as bounds it is a maximum and a minimum.
    """
    if isinstance(min, Weight) or isinstance(max, Weight):
        op.refuse("its bounds must be numbers or activations; use torch.maximum for a parameter")
    if isinstance(min, Value) or isinstance(max, Value):
        for bound in (min, max):
            input = input if bound is None else maximum(op, input, bound)
        return input
    return op.activation(input) if min in FREE and max in FREE else op.ground_all()


@rule(*named("clamp_min clamp_max", torch, Tensor))
def clamp_one_side(op: Operation, input: Value, bound: Bound) -> Any:
    """Homogeneous if its bound is."""
    return clamp(op, input, bound)


@module_rule("min_val max_val", nn.Hardtanh)
@rule(F.hardtanh)
def hardtanh(
    op: Operation,
    input: Value,
    min_val: Number = -1.0,
    max_val: Number = 1.0,
    inplace: bool = False,
) -> Any:
    """A clamp; `hardtanh(0, inf)` is ReLU."""
    return clamp(op, input, min_val, max_val)


@module_rule("threshold value", nn.Threshold)
@rule(*named("threshold", torch, F))
def threshold(
    op: Operation, input: Value, threshold: Number, value: Number, inplace: bool = False
) -> Any:
    """What is not above the threshold becomes `value`; `threshold(0, 0)` is ReLU."""
    return op.activation(input) if threshold == value == 0 else op.ground_all()


@rule(*named("sign sgn signbit", torch, Tensor))
def sign(op: Operation, input: Value) -> Activation:
    """The same for every positive scale: what goes in stays free, what comes out is fixed."""
    op.activation(input)
    return grounded(op.shadow())


CASTS = {
    "float": torch.float32, "double": torch.float64, "half": torch.float16,
    "bfloat16": torch.bfloat16, "int": torch.int32, "long": torch.int64, "bool": torch.bool,
}  # fmt: skip


@rule("to", "type_as", *CASTS)
def cast(op: Operation, input: Value, *to: Any, **options: Any) -> Value:
    """Another floating dtype rounds, but carries the same scales; integers carry none."""
    dtype = CASTS.get(op.method, input.dtype)
    for wanted in (*to, *options.values()):
        if isinstance(wanted, Value | torch.dtype):
            dtype = wanted.dtype if isinstance(wanted, Value) else wanted
    op.casts.add(dtype)
    if dtype in FLOATING and input.dtype in FLOATING:
        return input.cast(dtype)
    op.labels.ground(op.activation(input).labels)
    return grounded(torch.empty(input.shape, dtype=dtype, device="meta"))
