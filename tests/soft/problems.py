"""Networks with a loss, and the edges of a network one by one: what the oracles here start from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gaugelib import GaugeGroup, mlp_group, params_of, trace_group
from tests.balance.networks import WIRINGS, initialised, multilayer, wired
from tests.balance.newton import edges

NETWORKS = ("layered", *WIRINGS)


def network(name: str, seed: int = 0) -> tuple[nn.Module, Tensor, dict[str, Tensor], GaugeGroup]:
    """A model in float64, an example for it, its parameters and its group."""
    if name == "layered":
        params, group = initialised((3, 6, 5, 4, 2), seed=seed, log_std=0.5, bias=True)
        return multilayer((3, 6, 5, 4, 2), bias=True), POINTS, params, group
    model, example = wired(name, seed)
    return model, example, params_of(model), trace_group(model, example)


def loss_of(model: nn.Module, example: Tensor):
    """A loss that sees the network's function only."""
    width = functional_call(model, params_of(model), (example,)).shape[1]
    draw = torch.Generator().manual_seed(5)
    targets = torch.randn(len(example), width, generator=draw, dtype=torch.float64)

    def loss(params):
        return (functional_call(model, params, (example,)) - targets).square().mean()

    return loss


def moved_relative(model: nn.Module, example: Tensor, before, after) -> float:
    old = functional_call(model, before, (example,))
    return float((functional_call(model, after, (example,)) - old).abs().max() / old.abs().max())


def slope(function, params):
    return torch.func.grad(function)(params)


def flat(params) -> Tensor:
    return torch.cat([value.reshape(-1) for value in params.values()])


def ratios(params, group: GaugeGroup, include_bias: bool = False) -> Tensor:
    """u, edge by edge."""
    to, out_of, power = edges(params, group, 2.0, include_bias)
    zeros = torch.zeros(group.units + 1).double()
    return (zeros.index_add(0, to, power) / zeros.index_add(0, out_of, power)).log()[1:] / 2


def imbalance_by_hand(params, group: GaugeGroup, include_bias: bool = False) -> Tensor:
    """Δ, edge by edge."""
    to, out_of, power = edges(params, group, 2.0, include_bias)
    zeros = torch.zeros(group.units + 1).double()
    return zeros.index_add(0, to, power).index_add(0, out_of, -power)[1:]


def walk(params, group: GaugeGroup) -> Tensor:
    """To a neighbour through an incoming or an outgoing weight, with equal odds, edge by edge."""
    to, out_of, power = (x.tolist() for x in edges(params, group, 2.0))
    n = group.units + 1
    into, out = [0.0] * n, [0.0] * n
    for i, j, c in zip(to, out_of, power):
        into[i] += c
        out[j] += c
    odds = torch.zeros(n, n).double()
    for i, j, c in zip(to, out_of, power):
        odds[i, j] += c / into[i] / 2
        odds[j, i] += c / out[j] / 2
    return odds[1:, 1:]


def laplacian_by_hand(params, group: GaugeGroup, include_bias: bool = False) -> Tensor:
    n = group.units + 1
    total = torch.zeros(n, n).double()
    for i, j, c in zip(*(x.tolist() for x in edges(params, group, 2.0, include_bias))):
        total[i, i] += c
        total[j, j] += c
        total[i, j] -= c
        total[j, i] -= c
    return total[1:, 1:]


def unit_of(r: float, s: float) -> tuple[dict[str, Tensor], GaugeGroup]:
    """One hidden unit with norms r and s: three weights in, two out."""
    into = torch.tensor([[2.0, -1.0, 2.0]]).double() * r / 3
    out = torch.tensor([[3.0], [4.0]]).double() * s / 5
    return {"0.weight": into, "2.weight": out}, mlp_group(multilayer((3, 1, 2)))


POINTS = torch.randn(9, 3, generator=torch.Generator().manual_seed(3)).double()
