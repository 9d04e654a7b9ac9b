"""Rules for functions of single entries: homogeneous ones, and those that are not."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaugelib.build.admit import FLOATING
from gaugelib.build.rules_arithmetic import maximum
from gaugelib.build.site import Site, grounded, impure, named, rule
from gaugelib.build.values import Activation, Constant, Value, Weight
from gaugelib.group import GROUND

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
def homogeneous(site: Site, input: Value, *options: Any, **named_options: Any) -> Activation:
    """Labels pass if f(a z) = a f(z) for every a > 0; any two slopes will do, negative ones too."""
    if any(isinstance(o, Value) for o in (*options, *named_options.values())):
        site.refuse("its options must be numbers")
    return site.activation(input)


@rule(*NOT_HOMOGENEOUS)
def not_homogeneous(site: Site, *_: Any, **__: Any) -> Any:
    """Anything else that is a function of its arguments: fixed scales in, fixed scales out."""
    return site.ground_all()


@impure
@rule(*named("rrelu", torch, F))
def rrelu(
    site: Site, input: Value, lower: float = 0.0, upper: float = 0.0, training: bool = False,
    inplace: bool = False,
) -> Activation:  # fmt: skip
    """Leaky ReLU in evaluation; in training its slopes are drawn where the input is negative."""
    if training:
        site.refuse("its slopes are random in training mode; call .eval() first")
    return site.activation(input)


@impure
@rule(*named("alpha_dropout", torch, F))
def alpha_dropout(
    site: Site, input: Value, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """Nothing in evaluation; in training it shifts what it keeps."""
    return site.ground_all() if training else site.activation(input)


@rule(nn.RReLU)
def rrelu_module(site: Site, input: Value) -> Activation:
    """`rrelu` in the mode of its module."""
    return rrelu(site, input, training=site.option("training"))


@rule(nn.AlphaDropout)
def alpha_dropout_module(site: Site, input: Value) -> Any:
    """`alpha_dropout` in the mode of its module."""
    return alpha_dropout(site, input, training=site.option("training"))


@rule(*named("prelu", torch, F, Tensor))
def prelu(site: Site, input: Value, weight: Value) -> Activation:
    """Homogeneous for every slope, so the slopes stay as they are."""
    if isinstance(weight, Weight):
        ground = torch.tensor(GROUND)
        site.ledger.record(weight, ground, ground, "fixed")
    elif not isinstance(weight, Constant):
        site.refuse("its slopes depend on the input")
    return site.activation(input)


@rule(nn.PReLU)
def prelu_module(site: Site, input: Value) -> Activation:
    """`prelu` with the slopes of its module."""
    return prelu(site, input, site.parameters["weight"])


FREE = (None, 0, math.inf, -math.inf)
"""Bounds that every positive scale leaves in place."""


@rule(*named("clamp clip", torch, Tensor))
def clamp(site: Site, input: Value, min: Bound | None = None, max: Bound | None = None) -> Any:
    """Homogeneous if its bounds are zero or infinite, or carry the scale; `clamp(min=0)` is ReLU.

    With tensors as bounds it is a maximum and a minimum.
    """
    if isinstance(min, Weight) or isinstance(max, Weight):
        site.refuse("its bounds must be numbers or activations; use torch.maximum for a parameter")
    if isinstance(min, Value) or isinstance(max, Value):
        terms = [bound for bound in (min, max) if bound is not None]
        for bound in terms:
            input = maximum(site, input, bound)
        return input
    return site.activation(input) if min in FREE and max in FREE else site.ground_all()


@rule(*named("clamp_min clamp_max", torch, Tensor))
def clamp_one_side(site: Site, input: Value, bound: Bound) -> Any:
    """Homogeneous if its bound is."""
    return clamp(site, input, bound)


@rule(F.hardtanh)
def hardtanh(
    site: Site, input: Value, min_val: Number = -1.0, max_val: Number = 1.0, inplace: bool = False
) -> Any:
    """A clamp; `hardtanh(0, inf)` is ReLU."""
    return clamp(site, input, min_val, max_val)


@rule(*named("threshold", torch, F))
def threshold(
    site: Site, input: Value, threshold: Number, value: Number, inplace: bool = False
) -> Any:
    """What is not above the threshold becomes `value`; `threshold(0, 0)` is ReLU."""
    return site.activation(input) if threshold == value == 0 else site.ground_all()


@rule(nn.Hardtanh)
def hardtanh_module(site: Site, input: Value) -> Any:
    """`hardtanh` with the bounds of its module."""
    return clamp(site, input, site.option("min_val"), site.option("max_val"))


@rule(nn.Threshold)
def threshold_module(site: Site, input: Value) -> Any:
    """`threshold` with the options of its module."""
    return threshold(site, input, site.option("threshold"), site.option("value"))


@rule(*named("sign sgn signbit", torch, Tensor))
def sign(site: Site, input: Value) -> Activation:
    """The same for every positive scale: what goes in stays free, what comes out is fixed."""
    site.activation(input)
    return grounded(site.shadow())


CASTS = {
    "float": torch.float32, "double": torch.float64, "half": torch.float16,
    "bfloat16": torch.bfloat16, "int": torch.int32, "long": torch.int64, "bool": torch.bool,
}  # fmt: skip


@rule("to", "type_as", *CASTS)
def cast(site: Site, input: Value, *to: Any, **options: Any) -> Value:
    """Another floating dtype rounds, but carries the same scales; integers carry none."""
    dtype = CASTS.get(site.method, input.dtype)
    for wanted in (*to, *options.values()):
        if isinstance(wanted, Value | torch.dtype):
            dtype = wanted.dtype if isinstance(wanted, Value) else wanted
    site.casts.add(dtype)
    if dtype in FLOATING and input.dtype in FLOATING:
        return input.cast(dtype)
    site.labels.ground(site.activation(input).labels)
    return grounded(torch.empty(input.shape, dtype=dtype, device="meta"))
