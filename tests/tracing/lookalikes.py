"""All look-alikes, each with inputs and with its rescalings counted by hand, by kind.

`counts` is what a group is to find. Two kinds of freedom more are seen by the oracle alone:

- `idle`: entries that have no effect, whatever their value. The bias of the keys adds the same to
  all scores of a query, which softmax takes away; a bias of one number for all channels of a token
  is taken away by the means of the norms that follow. They are shifts, which no scale can name.
- `by_eps`: scalings that an eps of 1e-12 in a norm hides from float64. They are no symmetry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.tracing import lookalikes_encoder_decoder as both
from tests.tracing import lookalikes_language as language
from tests.tracing import lookalikes_layers as layers
from tests.tracing import lookalikes_vision as vision
from tests.tracing.rescalings import generic


def ids(vocabulary: int, *shape: int) -> Callable[[torch.Generator], Tensor]:
    return lambda draw: torch.randint(0, vocabulary, shape, generator=draw)


def real(*shape: int) -> Callable[[torch.Generator], Tensor]:
    return lambda draw: 1.5 * torch.randn(shape, generator=draw, dtype=torch.float64)


def padding(batch: int, tokens: int) -> Callable[[torch.Generator], Tensor]:
    """Ones, and zeros where every other example ends early."""

    def mask(draw: torch.Generator) -> Tensor:
        mask = torch.ones(batch, tokens)
        mask[::2, -1] = 0
        return mask

    return mask


@dataclass(frozen=True)
class Case:
    make: Callable[[], nn.Module]
    inputs: tuple[Callable[[torch.Generator], Tensor], ...]
    counts: Mapping[str, int]
    idle: Mapping[str, int] = field(default_factory=dict)
    by_eps: int = 0

    @property
    def units(self) -> int:
        return sum(self.counts.values())


def llama(norms: int = 3, gate: int = 0, **options) -> Case:
    """d = 4, two query heads that share one key and value head of width 2, f = 3."""
    counts = {"norm gains": norms * 4, "v-o": 2, "q-k in rotary pairs": 1, "up-down": 3 + gate}
    options = {"d": 4, "heads": 2, "kv_heads": 1, "width": 2, "f": 3, "vocabulary": 5, **options}
    return Case(lambda: language.Llama(**options), (ids(5, 24, 4),), counts)


def block_of_the_book(act: Callable[[Tensor], Tensor], gate: int) -> Case:
    """d = 8, two query heads that share one key and value head of width 4, and f = 6."""
    counts = {"norm gains": 3 * 8, "v-o": 4, "q-k in rotary pairs": 2, "up-down": 6, "gate": gate}
    return Case(lambda: language.Llama(act=act), (ids(11, 24, 5),), counts)


def gpt2(act: Callable[[Tensor], Tensor], **more: int) -> Case:
    """The gain of the last norm is read by the table, whose entries the stream has fixed."""
    counts = {"norm gains": 2 * 4, "v-o": 4, "q-k": 4, **more}
    idle = {"h.0.c_attn.bias": 4}
    return Case(lambda: language.GPT2(act=act), (ids(7, 24, 5),), counts, idle)


def bert(eps: float, layers: int = 1, by_eps: int = 0) -> Case:
    """Only the last norm's gain is free; the others feed the stream as well."""
    counts = {"norm gains": 4, "v-o": 4 * layers, "q-k": 4 * layers}
    idle = {f"layers.{k}.key.bias": 4 for k in range(layers)}
    inputs = (ids(7, 24, 5), ids(2, 24, 5), padding(24, 5))
    return Case(lambda: language.Bert(eps=eps, layers=layers), inputs, counts, idle, by_eps)


def t5(gated: bool) -> Case:
    """Two heads of width 3 in each of three attentions; f = 5 in either feed-forward layer."""
    counts = {"norm gains": 6 * 4, "v-o": 3 * 6, "q-k": 3 * 6, "up-down": 2 * 5}
    return Case(lambda: both.T5(gated=gated), (ids(7, 24, 4), ids(7, 24, 3)), counts)


KEYS = "layer.self_attn.in_proj_bias"

LOOKALIKES: dict[str, Case] = {
    "llama": block_of_the_book(F.silu, 0),
    "llama, reglu": block_of_the_book(F.relu, 6),
    "llama, two blocks": Case(
        lambda: language.Llama(d=4, kv_heads=2, width=2, f=3, vocabulary=5, blocks=2),
        (ids(5, 24, 4),),
        {"norm gains": 5 * 4, "v-o": 2 * 4, "q-k in rotary pairs": 2 * 2, "up-down": 2 * 3},
    ),
    # The gains of the norms of queries and keys answer each other, and the projections are fixed.
    "qwen": llama(normed=True),
    # The gain is 1 + weight.
    "gemma": llama(norms=0, norm=language.GainFromOne),
    "gpt-2": gpt2(language.gelu_new),
    "gpt-2, squared relu": gpt2(language.squared_relu, up_down=6),
    "bert": bert(eps=1e-12, by_eps=3),
    "bert, two layers": bert(eps=1e-12, layers=2, by_eps=5),
    "bert, eps 1e-5": bert(eps=1e-5),
    "t5": t5(gated=False),
    "t5, gated silu": t5(gated=True),
    "encoder layer": Case(
        both.EncoderLayer,
        (ids(7, 24, 4),),
        {"norm gains": 4, "v-o": 4, "q-k": 4, "up-down": 5},
        {KEYS: 4},
    ),
    "encoder layer, norm first, gelu": Case(
        lambda: both.EncoderLayer(norm_first=True, activation="gelu"),
        (ids(7, 24, 4),),
        {"norm gains": 2 * 4, "v-o": 4, "q-k": 4},
        {KEYS: 4},
    ),
    "decoder layer": Case(
        both.DecoderLayer,
        (ids(7, 24, 4), real(24, 3, 4)),
        {"norm gains": 3 * 4, "v-o": 2 * 4, "q-k": 2 * 4, "up-down": 5},
        {KEYS: 4, "layer.multihead_attn.in_proj_bias": 4},
    ),
    "attention with a learned query": Case(
        both.Pooled,
        (real(24, 4, 3),),
        {"hidden": 4, "v-o": 4, "o-head": 4, "q-k": 4, "query": 4},
        {"attention.in_proj_bias": 4},
    ),
    "vit": Case(
        vision.ViT,
        (real(24, 2, 4, 4),),
        {"norm gains": 3 * 4, "v-o": 4, "q-k": 4},
        {"blocks.0.qkv.bias": 4},
    ),
    "swin": Case(
        vision.Swin,
        (real(24, 1, 4, 4),),
        {"norm gains": 2 * 2 * 3, "v-o": 2 * 3, "q-k": 2 * 3, "merging": 4 * 3, "last norm": 2 * 3},
        {f"blocks.{k}.attention.qkv.bias": 3 for k in range(2)},
    ),
    "maxvit": Case(
        vision.MaxViT,
        (real(24, 1, 4, 4),),
        {"first norm": 3, "squeeze": 2, "norm gains": 4 * 3, "v-o": 2 * 3, "q-k": 2 * 3},
        {f"attentions.{k}.qkv.bias": 3 for k in range(2)},
    ),
    "convnext": Case(
        vision.ConvNeXt,
        (real(24, 1, 3, 3),),
        {"norm gains": 2 * 3, "layer scale": 3},
    ),
    # The first gain is one number for all channels, for one network reads them all.
    "mixer": Case(
        vision.Mixer,
        (real(24, 4, 2),),
        {"first gain": 1, "norm gains": 2 * 3, "tokens": 3, "channels": 4},
        {"tokens.1.bias": 4},
    ),
    "mixer, gelu": Case(
        lambda: vision.Mixer(act=F.gelu),
        (real(24, 4, 2),),
        {"first gain": 1, "norm gains": 2 * 3},
        {"tokens.1.bias": 4},
    ),
    # A standardised weight has no scale to answer the channels of the first gain one by one.
    "standardised weights": Case(
        vision.NFNet, (real(24, 1, 4, 4),), {"first gain": 1, "second gain": 3}
    ),
    "gated cnn": Case(vision.GatedCNN, (ids(5, 24, 6),), {"embedding": 3, "values": 2 * 3}),
    "swiglu": Case(
        lambda: layers.GatedLayer(F.silu), (real(24, 3),), {"first": 3, "up": 4, "down": 3}
    ),
    "reglu": Case(
        lambda: layers.GatedLayer(F.relu),
        (real(24, 3),),
        {"first": 3, "gate": 4, "up": 4, "down": 3},
    ),
    "reglu, residual": Case(
        layers.ReGLUBlocks, (real(24, 2),), {"stream": 3, "gate": 2 * 3, "up": 2 * 3}
    ),
    "rezero": Case(
        layers.ReZero,
        (ids(5, 24, 4),),
        {"stream": 4, "v-o": 4, "q-k": 4, "up-down": 5, "scalar": 1},
    ),
    # The scale of q with k is any number: the output projection answers it.
    "linear attention": Case(
        layers.LinearAttention, (real(24, 4, 3),), {"q-k": 2 * 2, "v-o": 2 * 2, "scores": 2}
    ),
    "linear attention, causal": Case(
        lambda: layers.LinearAttention(causal=True),
        (real(24, 4, 3),),
        {"q-k": 2 * 2, "v-o": 2 * 2, "scores": 2},
    ),
    "linear attention, normalised": Case(
        layers.NormalisedLinearAttention, (real(24, 4, 3),), {"q-k": 3, "v-o": 3}
    ),
    "gated attention unit": Case(
        layers.GatedAttentionUnit,
        (real(24, 4, 3),),
        {"norm gains": 3, "projection": 2, "q-k": 2, "scores": 1},
    ),
    "primer": Case(layers.Primer, (real(24, 3),), {"squared": 4, "cubed": 3}),
    "bilinear": Case(layers.Bilinear, (real(40, 2),), {"one": 3, "two": 2, "both": 3}),
    "soft mixture of experts": Case(
        layers.Experts, (real(24, 3, 3),), {"norm gains": 3, "up-down": 3 * 3}
    ),
    "lstm": Case(lambda: layers.Recurrent(nn.LSTM), (real(24, 3, 2),), {}),
    "lstm, projected": Case(
        lambda: layers.Recurrent(nn.LSTM, proj_size=2), (real(24, 3, 2),), {"projection": 2}
    ),
    "gru": Case(lambda: layers.Recurrent(nn.GRU), (real(24, 3, 2),), {}),
    "rnn of relu": Case(
        lambda: layers.Recurrent(nn.RNN, nonlinearity="relu", num_layers=2),
        (real(24, 3, 2),),
        {"hidden": 2 * 3},
    ),
    "low rank": Case(layers.LowRank, (real(24, 3),), {"hidden": 4, "rank": 2}),
    # Lengths and biases against the next layer; and the length of every direction.
    "normalised weights": Case(layers.WeightNormed, (real(24, 3),), {"hidden": 4, "direction": 4}),
    "film": Case(
        layers.FiLM, (real(24, 2), real(24, 2)), {"first": 3, "condition": 3, "modulated": 3}
    ),
    "hypernetwork": Case(
        layers.Hypernetwork, (real(24, 2), real(24, 2)), {"first": 3, "condition": 3, "second": 2}
    ),
    "graph attention": Case(layers.GraphAttention, (real(24, 4, 2),), {"embed": 3, "message": 3}),
    "state space": Case(
        layers.SelectiveScan, (real(24, 3, 2),), {"convolution": 2, "b-c": 2, "skip": 1}
    ),
}


def build(name: str, seed: int = 0) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """The model in float64, in evaluation, at a generic point; and rich inputs."""
    draw = torch.Generator().manual_seed(seed)
    case = LOOKALIKES[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = case.make().double().eval()
    with torch.no_grad():
        for norm in model.modules():
            if getattr(norm, "running_var", None) is not None:
                norm.running_mean.normal_(generator=draw)
                norm.running_var.uniform_(0.5, 2.0, generator=draw)
        for parameter, value in zip(model.parameters(), generic(model, draw).values()):
            parameter.copy_(value)
    return model, tuple(make(draw) for make in case.inputs)
