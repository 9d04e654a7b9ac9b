"""Small language models, written as the published ones are: Llama, GPT-2, T5, BERT and others."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


def dense(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


class RMSNorm(nn.Module):
    """As in Llama: statistics first, the gain last."""

    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight, self.variance_epsilon = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        variance = x.pow(2).mean(-1, keepdim=True)
        return self.weight * (x * torch.rsqrt(variance + self.variance_epsilon))


class GainFromOne(RMSNorm):
    """As in Gemma: the gain is 1 + weight."""

    def forward(self, x):
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        return x * (1.0 + self.weight)


def rotate_half(x):
    first, second = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    return torch.cat((-second, first), dim=-1)


def rotary(x):
    """Rotary positions, of shape (..., tokens, width)."""
    tokens, width = x.shape[-2:]
    frequencies = 1.0 / (10.0 ** (torch.arange(0, width, 2, dtype=x.dtype) / width))
    angles = torch.outer(torch.arange(tokens, dtype=x.dtype), frequencies)
    angles = torch.cat((angles, angles), dim=-1)
    return x * angles.cos() + rotate_half(x) * angles.sin()


def repeat_kv(x, times):
    batch, heads, tokens, width = x.shape
    x = x[:, :, None].expand(batch, heads, times, tokens, width)
    return x.reshape(batch, heads * times, tokens, width)


class LlamaAttention(nn.Module):
    def __init__(self, d, heads, kv_heads, width, normed=False):
        super().__init__()
        self.heads, self.kv_heads, self.width = heads, kv_heads, width
        self.q_proj, self.k_proj = dense(d, heads * width), dense(d, kv_heads * width)
        self.v_proj, self.o_proj = dense(d, kv_heads * width), dense(heads * width, d)
        self.q_norm = RMSNorm(width) if normed else nn.Identity()
        self.k_norm = RMSNorm(width) if normed else nn.Identity()

    def forward(self, x):
        batch, tokens, _ = x.shape
        shape = (batch, tokens, -1, self.width)
        q = self.q_norm(self.q_proj(x).view(shape)).transpose(1, 2)
        k = self.k_norm(self.k_proj(x).view(shape)).transpose(1, 2)
        v = self.v_proj(x).view(shape).transpose(1, 2)
        times = self.heads // self.kv_heads
        k, v = repeat_kv(rotary(k), times), repeat_kv(v, times)
        y = F.scaled_dot_product_attention(rotary(q), k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).contiguous().view(batch, tokens, -1))


class GatedMLP(nn.Module):
    """SwiGLU with SiLU, ReGLU with ReLU."""

    def __init__(self, d, f, act=F.silu):
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = dense(d, f), dense(d, f), dense(f, d)
        self.act = act

    def forward(self, x):
        return self.down_proj(self.act(self.gate_proj(x)) * self.up_proj(x))


class LlamaBlock(nn.Module):
    def __init__(self, d, heads, kv_heads, width, f, act, norm, normed):
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = norm(d), norm(d)
        self.self_attn = LlamaAttention(d, heads, kv_heads, width, normed)
        self.mlp = GatedMLP(d, f, act)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """RMS norms, rotary positions, grouped heads, a gated feed-forward layer, a head of its own.

    With `normed`, queries and keys pass a norm with a gain first, as in Qwen 3 and Gemma 3.
    """

    def __init__(
        self, *, d=8, heads=2, kv_heads=1, width=4, f=6, vocabulary=11, blocks=1,
        act=F.silu, norm=RMSNorm, normed=False,
    ):  # fmt: skip
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, d)
        block = (d, heads, kv_heads, width, f, act, norm, normed)
        self.layers = nn.ModuleList(LlamaBlock(*block) for _ in range(blocks))
        self.norm, self.lm_head = norm(d), dense(d, vocabulary)

    def forward(self, ids):
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm(x))


class Conv1D(nn.Module):
    """A linear layer whose weight is written (inputs, outputs), as in GPT-2."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.randn(outputs))
        self.outputs = outputs

    def forward(self, x):
        size = (*x.size()[:-1], self.outputs)
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(size)


def gelu_new(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x.pow(3))))


def squared_relu(x):
    """As in Primer: degree two."""
    return torch.square(F.relu(x))


class GPT2Block(nn.Module):
    def __init__(self, d, heads, f, act):
        super().__init__()
        self.heads, self.act = heads, act
        self.ln_1, self.ln_2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.c_attn, self.c_proj = Conv1D(3 * d, d), Conv1D(d, d)
        self.c_fc, self.c_out = Conv1D(f, d), Conv1D(d, f)
        self.register_buffer("bias", torch.ones(8, 8, dtype=torch.bool).tril())

    def attention(self, x):
        batch, tokens, d = x.shape
        q, k, v = self.c_attn(x).split(d, dim=2)
        q, k, v = (z.view(batch, tokens, self.heads, -1).permute(0, 2, 1, 3) for z in (q, k, v))
        scores = torch.matmul(q, k.transpose(-1, -2)) / (v.size(-1) ** 0.5)
        lowest = torch.full([], torch.finfo(scores.dtype).min, dtype=scores.dtype)
        scores = torch.where(self.bias[:tokens, :tokens], scores, lowest)
        y = torch.matmul(F.softmax(scores, dim=-1), v).permute(0, 2, 1, 3)
        return self.c_proj(y.contiguous().view(batch, tokens, d))

    def forward(self, x):
        x = self.attention(self.ln_1(x)) + x
        return x + self.c_out(self.act(self.c_fc(self.ln_2(x))))


class GPT2(nn.Module):
    """Learned positions, transposed weights, biases everywhere, and a head that is the table."""

    def __init__(self, *, d=4, heads=2, f=6, vocabulary=7, positions=5, blocks=1, act=gelu_new):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, d), nn.Embedding(positions, d)
        self.h = nn.ModuleList(GPT2Block(d, heads, f, act) for _ in range(blocks))
        self.ln_f, self.lm_head = nn.LayerNorm(d), dense(d, vocabulary)
        self.lm_head.weight = self.wte.weight

    def forward(self, ids):
        positions = torch.arange(ids.shape[-1], device=ids.device).unsqueeze(0)
        x = self.wte(ids) + self.wpe(positions)
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class BertLayer(nn.Module):
    def __init__(self, d, heads, f, eps, act):
        super().__init__()
        self.heads, self.act = heads, act
        self.query, self.key, self.value = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.attended, self.attended_norm = nn.Linear(d, d), nn.LayerNorm(d, eps=eps)
        self.intermediate, self.output = nn.Linear(d, f), nn.Linear(f, d)
        self.output_norm = nn.LayerNorm(d, eps=eps)

    def heads_of(self, x):
        return x.view(*x.size()[:-1], self.heads, -1).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        q, k, v = (self.heads_of(read(x)) for read in (self.query, self.key, self.value))
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.shape[-1]) + mask
        y = torch.matmul(nn.functional.softmax(scores, dim=-1), v)
        y = y.permute(0, 2, 1, 3).contiguous()
        y = y.view(*y.size()[:-2], -1)
        x = self.attended_norm(self.attended(y) + x)
        return self.output_norm(self.output(self.act(self.intermediate(x))) + x)


class Bert(nn.Module):
    """Norms after the additions, token types, a mask that is added, a pooler on the first token."""

    def __init__(
        self, *, d=4, heads=2, f=5, vocabulary=7, positions=5, layers=1, eps=1e-12, act=F.gelu
    ):
        super().__init__()
        self.word, self.position = nn.Embedding(vocabulary, d), nn.Embedding(positions, d)
        self.token_type, self.norm = nn.Embedding(2, d), nn.LayerNorm(d, eps=eps)
        self.layers = nn.ModuleList(BertLayer(d, heads, f, eps, act) for _ in range(layers))
        self.pooler, self.classifier = nn.Linear(d, d), nn.Linear(d, 3)
        self.register_buffer("position_ids", torch.arange(positions).expand((1, -1)))

    def forward(self, ids, types, mask):
        mask = (1.0 - mask[:, None, None, :].to(dtype=self.word.weight.dtype)) * -10000.0
        x = self.word(ids) + self.token_type(types)
        x = x + self.position(self.position_ids[:, : ids.size(1)])
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))
