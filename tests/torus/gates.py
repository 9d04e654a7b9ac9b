"""Networks that multiply activations, in plain torch, with their gauge groups by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib import Entry, GaugeGroup
from gaugelib.group import Combined

Params = dict[str, Tensor]


@dataclass(frozen=True)
class Gated:
    """A function of parameters and a batch, and its group."""

    forward: Callable[[Params, Tensor], Tensor]
    params: Params
    group: GaugeGroup
    inputs: tuple[int, ...]  # shape of one example

    def loss(self, params: Params, seed: int = 0) -> Tensor:
        """Half the mean squared distance from random targets, on eight random examples."""
        draw = torch.Generator().manual_seed(seed)
        x = torch.randn(8, *self.inputs, generator=draw, dtype=torch.float64)
        y = self.forward(params, x)
        return (y - torch.randn(y.shape, generator=draw, dtype=torch.float64)).square().mean() / 2

    def gradient(self, params: Params, seed: int = 0) -> Params:
        leaves = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
        grads = torch.autograd.grad(self.loss(leaves, seed), list(leaves.values()))
        return dict(zip(leaves, grads))


def combined(*rows: dict[int, float]) -> Combined:
    """From `{unit: power}` for each combination."""
    terms = max(map(len, rows))
    units = [[*row, *([0] * (terms - len(row)))] for row in rows]
    powers = [[*row.values(), *([0.0] * (terms - len(row)))] for row in rows]
    return Combined(torch.tensor(units), torch.tensor(powers, dtype=torch.float64))


def weight(targets: list[int] | range, sources: list[int] | range) -> Entry:
    """Of a linear layer, from these nodes to those; a lone 0 is the ground for all."""
    return Entry(torch.tensor(list(targets))[:, None], torch.tensor(list(sources))[None, :])


def bias(targets: list[int] | range) -> Entry:
    return Entry(torch.tensor(list(targets)), torch.zeros(1, dtype=torch.int64), "bias")


def drawn(shapes: dict[str, tuple[int, ...]], seed: int) -> Params:
    draw = torch.Generator().manual_seed(seed)
    return {n: torch.randn(s, generator=draw, dtype=torch.float64) for n, s in shapes.items()}


def group_of(units: int, entries: dict[str, Entry], params: Params, more: Combined) -> GaugeGroup:
    shapes = {name: value.shape for name, value in params.items()}
    return GaugeGroup(units, {"hidden": slice(0, units)}, entries, shapes, combined=more)


def reglu(inputs: int = 3, hidden: int = 4, outputs: int = 2, seed: int = 0) -> Gated:
    """y = D (relu(G x + g) * (U x + u)) + d: two units for each place, and their sum for D."""
    first, second = range(1, hidden + 1), range(hidden + 1, 2 * hidden + 1)
    both = range(2 * hidden + 1, 3 * hidden + 1)
    shapes = {
        "gate.weight": (hidden, inputs), "gate.bias": (hidden,), "up.weight": (hidden, inputs),
        "up.bias": (hidden,), "down.weight": (outputs, hidden), "down.bias": (outputs,),
    }  # fmt: skip
    entries = {
        "gate.weight": weight(first, [0]), "gate.bias": bias(first),
        "up.weight": weight(second, [0]), "up.bias": bias(second),
        "down.weight": weight([0], both), "down.bias": bias([0]),
    }  # fmt: skip

    def forward(params: Params, x: Tensor) -> Tensor:
        gate = torch.relu(x @ params["gate.weight"].T + params["gate.bias"])
        up = x @ params["up.weight"].T + params["up.bias"]
        return (gate * up) @ params["down.weight"].T + params["down.bias"]

    params = drawn(shapes, seed)
    more = combined(*({g: 1.0, u: 1.0} for g, u in zip(first, second)))
    return Gated(forward, params, group_of(2 * hidden, entries, params, more), (inputs,))


def stacked(inputs: int = 2, hidden: int = 3, outputs: int = 2, seed: int = 0) -> Gated:
    """Two gates on each other, without biases: columns of three units, G2 and U2 from g + u."""
    ranges = [range(k * hidden + 1, (k + 1) * hidden + 1) for k in range(6)]
    g1, u1, g2, u2, c1, c2 = ranges
    entries = {
        "g1": weight(g1, [0]), "u1": weight(u1, [0]), "g2": weight(g2, c1), "u2": weight(u2, c1),
        "down": weight([0], c2),
    }  # fmt: skip
    shapes = {
        "g1": (hidden, inputs), "u1": (hidden, inputs), "g2": (hidden, hidden),
        "u2": (hidden, hidden), "down": (outputs, hidden),
    }  # fmt: skip

    def forward(params: Params, x: Tensor) -> Tensor:
        x = torch.relu(x @ params["g1"].T) * (x @ params["u1"].T)
        x = torch.relu(x @ params["g2"].T) * (x @ params["u2"].T)
        return x @ params["down"].T

    params = drawn(shapes, seed)
    pairs = [*zip(g1, u1), *zip(g2, u2)]
    more = combined(*({g: 1.0, u: 1.0} for g, u in pairs))
    return Gated(forward, params, group_of(4 * hidden, entries, params, more), (inputs,))


def attention(width: int = 3, channels: int = 2, seed: int = 0) -> Gated:
    """relu(q k') v, then an output map: a key answers its query, up to the scale of the scores.

    Units: the queries' channels q, the values' v, and the scores' s. A key is s - q; what the
    output map reads is v + s.
    """
    q, v, s = range(1, channels + 1), range(channels + 1, 2 * channels + 1), 2 * channels + 1
    k, o = range(s + 1, s + 1 + channels), range(s + 1 + channels, s + 1 + 2 * channels)
    entries = {
        "q.weight": weight(q, [0]), "q.bias": bias(q), "k.weight": weight(k, [0]),
        "k.bias": bias(k), "v.weight": weight(v, [0]), "o.weight": weight([0], o),
    }  # fmt: skip
    shapes = {
        "q.weight": (channels, width), "q.bias": (channels,), "k.weight": (channels, width),
        "k.bias": (channels,), "v.weight": (channels, width), "o.weight": (width, channels),
    }  # fmt: skip

    def forward(params: Params, x: Tensor) -> Tensor:
        """x (batch, tokens, width) -> the same."""
        queries = x @ params["q.weight"].T + params["q.bias"]
        keys = x @ params["k.weight"].T + params["k.bias"]
        scores = torch.relu(queries @ keys.transpose(-1, -2))
        return scores @ (x @ params["v.weight"].T) @ params["o.weight"].T

    params = drawn(shapes, seed)
    more = combined(*({s: 1.0, a: -1.0} for a in q), *({b: 1.0, s: 1.0} for b in v))
    return Gated(forward, params, group_of(s, entries, params, more), (4, width))


NETWORKS = {"reglu": reglu, "stacked": stacked, "attention": attention}


def flat(values: Params) -> Tensor:
    return torch.cat([value.reshape(-1) for value in values.values()])


def dense(group: GaugeGroup) -> Tensor:
    """Q, entry by entry, shape `(units, entries)`: its columns in the order of `flat`."""
    combinations: list[dict[int, float]] = [{}, *({h: 1.0} for h in range(1, group.units + 1))]
    if group.combined is not None:
        for units, powers in zip(group.combined.units.tolist(), group.combined.powers.tolist()):
            combinations.append({u: p for u, p in zip(units, powers) if u})
    columns = []
    for name, shape in group.shapes.items():
        entry = group.entries[name]
        ends = zip(*(e.expand(shape).reshape(-1).tolist() for e in (entry.target, entry.source)))
        for target, source in ends:
            column = [0.0] * (group.units + 1)
            for sign, node in ((1.0, target), (-1.0, source)):
                for unit, power in combinations[node].items():
                    column[unit] += sign * power
            columns.append(column[1:])
    return torch.tensor(columns, dtype=torch.float64).reshape(-1, group.units).T
