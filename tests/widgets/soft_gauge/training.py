"""The runs of SoftGauge by torch's autograd and gaugelib's own penalty: the oracle of its page."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gaugelib import mlp_group
from gaugelib.soft import rates, soft_penalty
from gaugelib.soft.stability import stability

TINY = stability()["tiny"]
WINDOW = 20
X = torch.tensor(TINY["inputs"], dtype=torch.float64)
Y = torch.tensor(TINY["targets"], dtype=torch.float64)[:, None]
_LAYERS = [
    layer
    for m, n in pairwise(TINY["widths"])
    for layer in (nn.Linear(m, n, bias=False, dtype=torch.float64), nn.ReLU())
]
MODEL = nn.Sequential(*_LAYERS[:-1])
GROUP = mlp_group(MODEL)
DEAD = float(Y.square().mean() / 2)


class SoftTraining:
    """One run; `losses` and `imbalances` after each step, until the loss exceeds twice the first.

    `sign` −1 is a penalty that drives away from balance.
    """

    def __init__(
        self, start: str, seed: int, strength: float, lr: float, *, sign: float = 1.0
    ) -> None:
        self.strength, self.lr, self.sign = strength, lr, sign
        rows = TINY["starts"][start][seed]
        params = {
            f"{2 * k}.weight": torch.tensor(w, dtype=torch.float64) for k, w in enumerate(rows)
        }
        self.states = [params]
        self.losses = [self.loss(params).item()]
        while len(self.losses) <= TINY["steps"] and self.losses[-1] <= 2 * self.losses[0]:
            params = self.step(params)
            self.states.append(params)
            self.losses.append(self.loss(params).item())
        squares = [{n: w.square() for n, w in each.items()} for each in self.states]
        self.imbalances = torch.stack([GROUP.collect(each) for each in squares])

    def loss(self, params: dict[str, Tensor]) -> Tensor:
        return (functional_call(MODEL, params, (X,)) - Y).square().mean() / 2

    def step(self, params: dict[str, Tensor]) -> dict[str, Tensor]:
        leaves = {name: w.clone().requires_grad_() for name, w in params.items()}
        whole = self.loss(leaves) + soft_penalty(leaves, GROUP, strength=self.strength) * self.sign
        slopes = torch.autograd.grad(whole, list(leaves.values()))
        return {n: w - self.lr * g for (n, w), g in zip(params.items(), slopes, strict=True)}

    @property
    def whole(self) -> bool:
        return len(self.losses) == TINY["steps"] + 1 and self.losses[-1] <= 2 * self.losses[0]

    @property
    def strict(self) -> bool:
        lows = [min(self.losses[:k]) for k in range(1, len(self.losses))]
        return self.whole and all(
            loss <= 1.01 * low for loss, low in zip(self.losses[1:], lows, strict=True)
        )

    @property
    def tolerant(self) -> bool:
        died = math.isclose(self.losses[-1], DEAD, rel_tol=1e-12)
        return self.whole and self.losses[-1] < self.losses[0] and not died

    @property
    def stiffest(self) -> float:
        return rates(self.states[0], GROUP, strength=0.5)[-1].item()

    @property
    def predicted(self) -> float | None:
        if not self.whole:
            return None
        return rates(self.states[-1 - WINDOW // 2], GROUP, strength=self.strength)[0].item()

    @property
    def measured(self) -> float | None:
        """The decay of the mode, an eigenvector of B diag(θ²) Bᵀ made column by column."""
        if not self.whole:
            return None
        squares = {name: w.square() for name, w in self.states[-1 - WINDOW // 2].items()}
        columns = []
        for each in torch.eye(GROUP.units, dtype=torch.float64):
            spread = GROUP.spread(each)
            columns.append(GROUP.collect({n: spread[n] * s for n, s in squares.items()}))
        mode = torch.linalg.eigh(torch.stack(columns)).eigenvectors[:, 0]
        before, after = (float(self.imbalances[k] @ mode) for k in (-1 - WINDOW, -1))
        return -math.log(after / before) / (WINDOW * self.lr) if after / before > 0 else None
