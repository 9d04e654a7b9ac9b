"""A transformer with ReGLU, a loss, and its group written out by hand as a matrix Q."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from tests.tracing.lookalikes_language import Llama
from tests.tracing.rescalings import generic

D, HEADS, KV_HEADS, WIDTH, HIDDEN, VOCABULARY = 4, 2, 1, 2, 3, 5
BLOCK, ATTENTION, MLP = "layers.0.", "layers.0.self_attn.", "layers.0.mlp."

Params = dict[str, Tensor]


def model(act: Callable[[Tensor], Tensor] = F.relu) -> nn.Module:
    """Two query heads that share one key and value head, rotary positions, three norms."""
    return Llama(
        d=D, heads=HEADS, kv_heads=KV_HEADS, width=WIDTH, f=HIDDEN, vocabulary=VOCABULARY, act=act
    ).double()


@dataclass(frozen=True)
class Problem:
    model: nn.Module
    ids: Tensor
    params: Params
    loss: Callable[[Params], Tensor]


def problem(act: Callable[[Tensor], Tensor] = F.relu, seed: int = 0) -> Problem:
    """Next tokens at random, under the cross entropy; generic parameters."""
    draw = torch.Generator().manual_seed(seed)
    made = model(act)
    ids = torch.randint(0, VOCABULARY, (6, 4), generator=draw)
    targets = torch.randint(0, VOCABULARY, (24,), generator=draw)
    params = {name: 0.6 * value for name, value in generic(made, draw).items()}

    def loss(theta: Params) -> Tensor:
        return F.cross_entropy(functional_call(made, theta, (ids,)).flatten(0, 1), targets)

    return Problem(made, ids, params, loss)


def column(k) -> tuple:
    return slice(None), k


def raised_and_lowered() -> dict[str, dict[str, tuple[object, float]]]:
    """Name of a generator -> parameter -> which of its entries have which log-scale."""
    found = {}
    for k in range(D):
        reads = {ATTENTION + f"{r}_proj.weight": (column(k), -1.0) for r in "qkv"}
        found[f"first norm {k}"] = {BLOCK + "input_layernorm.weight": (k, 1.0), **reads}
        reads = {MLP + f"{r}_proj.weight": (column(k), -1.0) for r in ("gate", "up")}
        found[f"second norm {k}"] = {BLOCK + "post_attention_layernorm.weight": (k, 1.0), **reads}
        found[f"last norm {k}"] = {"norm.weight": (k, 1.0), "lm_head.weight": (column(k), -1.0)}
    for c in range(WIDTH):
        heads = torch.arange(HEADS) * WIDTH + c
        found[f"value {c}"] = {
            ATTENTION + "v_proj.weight": (c, 1.0),
            ATTENTION + "o_proj.weight": (column(heads), -1.0),
        }
    for c in range(WIDTH // 2):
        pair = torch.tensor([c, c + WIDTH // 2])
        heads = (torch.arange(HEADS)[:, None] * WIDTH + pair).flatten()
        found[f"key {c}"] = {
            ATTENTION + "k_proj.weight": (pair, 1.0),
            ATTENTION + "q_proj.weight": (heads, -1.0),
        }
    for h in range(HIDDEN):
        down = {MLP + "down_proj.weight": (column(h), -1.0)}
        found[f"gate {h}"] = {MLP + "gate_proj.weight": (h, 1.0), **down}
        found[f"up {h}"] = {MLP + "up_proj.weight": (h, 1.0), **down}
    return found


def flat(params: Params) -> Tensor:
    """All parameters in the model's order, shape (m,)."""
    return torch.cat([params[name].reshape(-1) for name, _ in model().named_parameters()])


def matrix() -> Tensor:
    """Q, shape (generators, m)."""
    rows = []
    for scaled in raised_and_lowered().values():
        scales = {name: torch.zeros_like(value) for name, value in model().named_parameters()}
        for name, (where, power) in scaled.items():
            scales[name][where] = power
        rows.append(flat(scales))
    return torch.stack(rows)


def newton(params: Params, p: float) -> Tensor:
    """|theta|^p at the minimum of the norm on the orbit, shape (m,): dense, with Q by hand."""
    q, sizes = matrix(), flat(params).abs() ** p
    logs = torch.zeros(len(q), dtype=torch.float64)

    def norm(at: Tensor) -> float:
        return float((sizes * (p * (at @ q)).exp()).sum())

    for _ in range(100):
        now = sizes * (p * (logs @ q)).exp()
        slope = q @ now
        if slope.abs().max() < 1e-13 * now.sum():
            return now
        step = torch.linalg.solve(p * (q * now) @ q.T, -slope)
        length = 1.0
        while norm(logs + length * step) > norm(logs) and length > 1e-6:
            length /= 2
        logs = logs + length * step
    raise AssertionError("Newton's method did not arrive")
