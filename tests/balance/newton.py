"""An independent solver: Newton's method on the convex objective, dense, in float64.

It shares no code with the library's solvers: the edges are listed one by one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib import GaugeGroup


def edges(params, group: GaugeGroup, p: float, include_bias: bool = False):
    """Target, source and |theta|^p of every counted non-zero entry that a gauge can move."""
    kinds = {"weight", "bias"} if include_bias else {"weight"}
    to, out_of, power = [], [], []
    for name, entry in group.entries.items():
        if entry.kind in kinds:
            value = params[name].double()
            to.append(entry.target.expand(value.shape).reshape(-1))
            out_of.append(entry.source.expand(value.shape).reshape(-1))
            power.append(value.abs().pow(p).reshape(-1))
    to, out_of, power = torch.cat(to), torch.cat(out_of), torch.cat(power)
    moved = (to != out_of) & (power > 0)
    return to[moved], out_of[moved], power[moved]


def newton(
    params, group: GaugeGroup, p: float = 2.0, include_bias: bool = False, dead=()
) -> Tensor:
    """Log-scales of the minimum, shape (units,); dead units stay at 0."""
    to, out_of, power = edges(params, group, p, include_bias)
    n = group.units + 1
    x = torch.zeros(n, dtype=torch.float64)  # p * log a, with the ground in front
    free = torch.ones(n, dtype=torch.bool)
    free[0] = False
    free[[1 + int(d) for d in dead]] = False
    free = free.nonzero().squeeze(1)
    for _ in range(500):
        flow = power * (x[to] - x[out_of]).exp()
        gradient = torch.zeros(n).double().index_add(0, to, flow).index_add(0, out_of, -flow)
        hessian = torch.zeros(n, n).double()
        for i, j, sign in ((to, to, 1), (out_of, out_of, 1), (to, out_of, -1), (out_of, to, -1)):
            hessian.index_put_((i, j), sign * flow, accumulate=True)
        step = torch.zeros(n).double()
        step[free] = torch.linalg.solve(hessian[free][:, free], -gradient[free])
        size = (step[to] - step[out_of]).abs().max() if len(to) else step.new_zeros(())
        x += step / max(1.0, float(size))
        if size < 1e-14:
            break
    else:
        raise AssertionError("Newton's method did not end")
    return x[1:] / p


def imbalance_of(params, group: GaugeGroup, p: float = 2.0, include_bias: bool = False) -> Tensor:
    """|in - out| / (in + out) of each unit, edge by edge."""
    to, out_of, power = edges(params, group, p, include_bias)
    zeros = torch.zeros(group.units + 1).double()
    into, out = zeros.index_add(0, to, power)[1:], zeros.index_add(0, out_of, power)[1:]
    return (into - out).abs() / (into + out)
