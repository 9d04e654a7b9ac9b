"""Operations that are known and refused, each with what to write instead."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaugelib.tracing.operation import Operation
from gaugelib.tracing.rules.table import Rule, impure, named, rule

FUSED = (
    "its parameters act inside one fused operation; write it with nn.Linear and functions whose "
    "rescaling is known"
)
MULTILINEAR = (
    "it multiplies activations with each other and with a parameter; write it with matmul and *"
)
WRITES = "it writes to part of a tensor; build the tensor with cat, stack, pad or where instead"
RANDOM = "it draws random numbers; do so outside of the model and pass them in"
VALUES = "what the model does next would depend on the values of a tensor"

REASONS: dict[str, list[object]] = {
    FUSED: [
        *named("MultiheadAttention LSTM GRU RNN LSTMCell GRUCell RNNCell EmbeddingBag", nn),
        *named("Transformer TransformerEncoder TransformerDecoder TransformerEncoderLayer", nn),
        *named("TransformerDecoderLayer", nn),
        *named("multi_head_attention_forward embedding_bag", F),
        *named("lstm gru rnn_tanh rnn_relu", torch),
    ],
    MULTILINEAR: [
        nn.Bilinear,
        *named("bilinear", torch, F),
        *named("einsum tensordot addmm addbmm baddbmm addmv addr addcmul addcdiv", torch),
        *named("addmm addbmm baddbmm addmv addr addcmul addcdiv", Tensor),
    ],
    WRITES: [
        operator.setitem,
        *named("copy_ fill_ zero_ index_put_ index_add_ index_copy_ index_fill_ scatter_", Tensor),
        *named("scatter_add_ masked_scatter_ set_ resize_", Tensor),
    ],
    RANDOM: [
        *named("rand randn randint rand_like randn_like randint_like bernoulli normal", torch),
        *named("bernoulli bernoulli_ normal_ uniform_", Tensor),
        *named("feature_alpha_dropout gumbel_softmax fractional_max_pool2d", F),
        *named("FeatureAlphaDropout FractionalMaxPool2d FractionalMaxPool3d", nn),
    ],
    VALUES: [*named("item tolist numpy nonzero unique __bool__", Tensor), torch.nonzero],
}


REFUSED: dict[object, str] = {key: reason for reason, keys in REASONS.items() for key in keys}
"""The reason for each of them."""


def refusal(reason: str) -> Rule:
    """The rule that refuses for a reason."""

    @impure
    def refuse(op: Operation, *_: Any, **__: Any) -> Any:
        op.refuse(reason)

    return refuse


for _reason, _keys in REASONS.items():
    rule(*_keys)(refusal(_reason))
