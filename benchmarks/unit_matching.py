"""Hidden units put into the order that brings one perceptron near another."""

from __future__ import annotations

from itertools import pairwise

import torch
from digit_networks import Params, weights
from scipy.optimize import linear_sum_assignment
from torch import Tensor


def reordered(params: Params, orders: list[Tensor]) -> Params:
    """The same function: new unit k of a layer is the old unit `orders[layer][k]`."""
    out, names = dict(params), weights(params)
    for (name, after), order in zip(pairwise(names), orders, strict=True):
        bias = name.replace("weight", "bias")
        out[name], out[bias] = out[name][order], out[bias][order]
        out[after] = out[after][:, order]
    return out


def matching(goal: Params, params: Params, passes: int = 100) -> list[Tensor]:
    """Orders that bring `params` near `goal`: exact for one layer at a time, until nothing changes.

    Weights are matched by coordinate ascent on their inner product (Ainsworth, Hayase and
    Srinivasa, 2023). The first pass goes from the inputs to the outputs and looks at incoming
    weights only, so that a reordered copy is found out at once.
    """
    names = weights(goal)
    orders = [torch.arange(len(goal[name])) for name in names[:-1]]
    for k in range(passes):
        before = [order.clone() for order in orders]
        for layer, name in enumerate(names[:-1]):
            bias, after = name.replace("weight", "bias"), names[layer + 1]
            here = params[name] if layer == 0 else params[name][:, orders[layer - 1]]
            gain = goal[name] @ here.T + torch.outer(goal[bias], params[bias])
            if k > 0:
                above = params[after]
                if layer + 1 < len(orders):
                    above = above[orders[layer + 1]]
                gain = gain + goal[after].T @ above
            orders[layer] = torch.as_tensor(linear_sum_assignment(gain, maximize=True)[1])
        if k > 0 and all(torch.equal(a, b) for a, b in zip(orders, before, strict=True)):
            break
    return orders


def matched(goal: Params, params: Params) -> Params:
    """The network with its units in the order that brings it near."""
    return reordered(params, matching(goal, params))
