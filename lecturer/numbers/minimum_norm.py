"""Numbers of the lecture on the minimum-norm gauge, each computed when the kit is built."""

import math
from itertools import pairwise

import torch
from torch import nn

import gaugelib as gl

DEEP = [6, 8, 8, 8, 8, 8, 8, 3]  # seven layers of weights, small enough to balance while you read


def _layered(widths):
    """A layered network without biases, weights of variance 2 / fan-in, and its group."""
    draw = torch.Generator().manual_seed(1)
    layers = [nn.Linear(m, n, bias=False) for m, n in pairwise(widths)]
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    params = {
        name: torch.randn(value.shape, generator=draw).double() * (2 / value.shape[1]) ** 0.5
        for name, value in model.named_parameters()
    }
    return params, gl.mlp_group(model)


def _chain(*weights):
    """The chain of these weights, and its group."""
    params, group = _layered([1] * (len(weights) + 1))
    values = (torch.tensor([[w]], dtype=torch.float64) for w in weights)
    return dict(zip(params, values)), group


def _stepped(params, group, share):
    """One step of the published update, p = 2, or `share` times as far."""
    into, out = (norm(params, group) ** 2 for norm in (gl.incoming_norm, gl.outgoing_norm))
    return gl.rescale(params, (out / into) ** (share / 8), group)


def _said(params) -> str:
    return ", ".join(f"{weight.item():.3g}" for weight in params.values())


def chain_stepped() -> str:
    """The weights of the chain 8, 1, 1 after one step."""
    return _said(_stepped(*_chain(8.0, 1.0, 1.0), 1))


def chain_sizes() -> str:
    """Its sum of squares, from the start over one step to the end."""
    params, group = _chain(8.0, 1.0, 1.0)
    ways = params, _stepped(params, group, 1), gl.minimum_norm(params, group).params
    before, step, least = (gl.weight_norm(way, group).item() ** 2 for way in ways)
    return f"from {before:.0f} to {step:.1f}, and in the end to {least:.0f}"


def chain_doubled() -> str:
    """The sum of squares after one step that is twice as long."""
    params, group = _chain(8.0, 1.0, 1.0)
    return f"{gl.weight_norm(_stepped(params, group, 2), group).item() ** 2:.0f}"


def head_share() -> str:
    """What the means of the totals 2500, 1250 and 10 leave of the sum of squares."""
    totals = 2500, 1250, 10
    return f"{100 * math.prod(totals) ** (1 / 3) / (sum(totals) / 3):.0f} %"


def rates() -> str:
    """What a step of Algorithm 1 multiplies the imbalance by, for 3, 5 and 7 layers."""
    rates = [math.cos(math.pi / (2 * layers)) ** 2 for layers in (3, 5, 7)]
    return ", ".join(f"{rate:.3f}" for rate in rates)


def steps_for_ten() -> str:
    """Steps for a factor 10 over L², at many layers."""
    layers = 1000
    rate = math.cos(math.pi / (2 * layers)) ** 2
    return f"{math.log(10) / -math.log(rate) / layers**2:.2f}"


def hidden_factor() -> str:
    """How far a dial can be off in a hundred layers where γ is a thousandth, p = 2."""
    return f"{math.exp(1e-3 / (2 * (1 - math.cos(math.pi / 100)))):.1f}"


def passes() -> str:
    """Passes to γ < 1e-6 in a network of seven layers, method by method."""
    params, group = _layered(DEEP)
    found = []
    for method in ("algorithm-1", "doubled", "alternating", "two-level"):
        history = gl.minimum_norm(params, group, method=method, tol=1e-7, max_passes=2000).history
        found.append(history.passes[history.imbalance < 1e-6][0].item())
    return ", ".join(f"{count:g}" for count in found)
