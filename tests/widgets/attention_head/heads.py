"""What torch says of an AttentionHead: an oracle that shares its numbers and no code."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from gaugelib.widgets import AttentionHead

MATRICES = ("query", "key", "value", "output")
ORBITS = {"qk": {False: [[0], [1], [2], [3]], True: [[0, 1], [2, 3]]}}
ORBITS["vo"] = {rotary: [[0], [1], [2], [3]] for rotary in (False, True)}


def as_given() -> dict[str, Tensor]:
    """The matrices before a dial is turned."""
    return AttentionHead(log2_scales=[0.0] * 4).to_params()


class Head(nn.Module):
    """The head as modules, with torch's own attention; positions are complex numbers."""

    def __init__(self, weights: dict[str, Tensor], rotary: bool) -> None:
        super().__init__()
        self.rotary = rotary
        for name in MATRICES:
            layer = nn.Linear(4, 4, bias=False, dtype=torch.float64)
            layer.load_state_dict({"weight": weights[name]})
            self.add_module(name, layer)

    def turned(self, rows: Tensor) -> Tensor:
        """Each pair of channels times exp(i t angle)."""
        if not self.rotary:
            return rows
        pairs = torch.view_as_complex(rows.reshape(5, 2, 2).contiguous())
        angle = torch.outer(
            torch.arange(5.0, dtype=torch.float64), torch.tensor([1.0, 0.5]).double()
        )
        return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).reshape(5, 4)

    def attends(self, x: Tensor, values: Tensor) -> Tensor:
        """What torch's attention makes of these values, one row for each token."""
        queries, keys = self.turned(self.query(x)), self.turned(self.key(x))
        return scaled_dot_product_attention(queries, keys, values, is_causal=True)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, shape (5, 4)."""
        return self.output(self.attends(x, self.value(x)))

    @torch.no_grad()
    def pattern(self, x: Tensor) -> Tensor:
        """The attention pattern: what it makes of the unit vectors."""
        return self.attends(x, torch.eye(5, dtype=torch.float64))


class RealHead(Head):
    """The same without complex numbers, as published models write it."""

    def turned(self, rows: Tensor) -> Tensor:
        """Each row times the cosines, its neighbours times the sines."""
        if not self.rotary:
            return rows
        angles = torch.tensor([1.0, 1.0, 0.5, 0.5], dtype=torch.float64)
        angle = torch.outer(torch.arange(5.0, dtype=torch.float64), angles)
        neighbours = torch.stack((-rows[:, 1::2], rows[:, 0::2]), 2).flatten(1)
        return rows * angle.cos() + neighbours * angle.sin()


@dataclass(frozen=True, eq=False)
class Shown:
    """What a widget should show."""

    weights: dict[str, Tensor]
    pattern: Tensor
    outputs: Tensor
    changes: dict[str, float]
    norm: float
    least: float
    lightest: list[float]


def scaled(widget: AttentionHead) -> dict[str, Tensor]:
    """The matrices of a widget's dials, by diagonal matrices."""
    dials = list(widget.log2_scales)
    if widget.part == "qk" and widget.rotary and widget.tied:
        for pair in ((0, 1), (2, 3)):
            for c in pair:
                dials[c] = sum(widget.log2_scales[k] for k in pair) / 2
    a = torch.diag(torch.tensor([2.0**s for s in dials], dtype=torch.float64))
    back = a.inverse() if widget.answers else torch.eye(4, dtype=torch.float64)
    weights = as_given()
    if widget.part == "qk":
        return weights | {"query": a @ weights["query"], "key": back @ weights["key"]}
    return weights | {"value": a @ weights["value"], "output": weights["output"] @ back}


def sizes(weights: dict[str, Tensor], part: str) -> tuple[Tensor, Tensor]:
    """The squares of both sides, channel by channel."""
    if part == "qk":
        return weights["query"].square().sum(1), weights["key"].square().sum(1)
    return weights["value"].square().sum(1), weights["output"].square().sum(0)


def lightest(part: str, rotary: bool) -> tuple[list[float], float]:
    """By Newton's method on the squares over the dials of the orbit: a convex function."""
    first, second = sizes(as_given(), part)
    dials = torch.zeros(4, dtype=torch.float64)
    norm = 0.0
    for orbit in ORBITS[part][rotary]:
        p, q = float(first[orbit].sum()), float(second[orbit].sum())
        t, up, down = 0.0, p, q  # t = log a
        for _ in range(60):
            t -= (up - down) / (2 * (up + down))
            up, down = p * math.exp(2 * t), q * math.exp(-2 * t)
        dials[orbit] = t / math.log(2)
        norm += up + down
    return dials.tolist(), norm


def shown(widget: AttentionHead) -> Shown:
    """Everything that can be read off the widget."""
    x = widget.inputs()
    before, weights = Head(as_given(), widget.rotary), scaled(widget)
    now = Head(weights, widget.rotary)
    with torch.no_grad():
        outputs, was = now(x), before(x)
    pattern = now.pattern(x)
    dials, least = lightest(widget.part, widget.rotary)
    changes = {
        "pattern": float((pattern - before.pattern(x)).abs().max()),
        "output": float((outputs - was).abs().max()),
    }
    norm = float(sum(side.sum() for side in sizes(weights, widget.part)))
    return Shown(weights, pattern, outputs, changes, norm, least, dials)
