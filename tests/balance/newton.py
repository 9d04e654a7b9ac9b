r"""An independent solver: Newton's method for the balance of logarithms, dense, in float64.

It shares no code with the library's solvers: the edges are listed one by one. Balanced is where
r_h(x) = log in_h - log out_h vanishes for every free unit, in the unknowns x = p log a. No power is
ever taken, only logarithms and shares of totals, so that 1e-300 and 1e300 may meet in one network.

Newton's matrix is J = 2 - (shares by which a unit is fed) - (shares by which it feeds): 2 on the
diagonal, nothing positive beside it, rows that add up to the share of what does not move. It is an
M-matrix whatever the sizes of the weights, where the Laplacian of the norm, whose entries are the
flows themselves, loses the small ones beside the large. A chain has constant J: one step solves it.
As J has an inverse everywhere, Newton's step leads down |r|^2, and halving it until that falls must
succeed; as the norm is convex in x, balance is its minimum.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib import GaugeGroup


def listed(params, group: GaugeGroup, include_bias: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Target, source and |theta| of every counted non-zero entry that a gauge can move."""
    kinds = {"weight", "bias"} if include_bias else {"weight"}
    to, out_of, size = [], [], []
    for name, entry in group.entries.items():
        if entry.kind in kinds:
            value = params[name].double()
            to.append(entry.target.expand(value.shape).reshape(-1))
            out_of.append(entry.source.expand(value.shape).reshape(-1))
            size.append(value.abs().reshape(-1))
    to, out_of, size = torch.cat(to), torch.cat(out_of), torch.cat(size)
    moved = (to != out_of) & (size > 0)
    return to[moved], out_of[moved], size[moved]


def edges(params, group: GaugeGroup, p: float, include_bias: bool = False):
    """Target, source and |theta|^p of each of them, for numbers whose powers a float holds."""
    to, out_of, size = listed(params, group, include_bias)
    return to, out_of, size.pow(p)


def log_totals(units: int, at: Tensor, logs: Tensor) -> Tensor:
    """Logarithm of the sum of e^logs over the edges at the ground and each unit, (units + 1,)."""
    top = torch.full((units + 1,), -torch.inf, dtype=torch.float64)
    top = top.scatter_reduce(0, at, logs, "amax")
    base = top.nan_to_num(neginf=0.0)
    return base + torch.zeros_like(top).index_add(0, at, (logs - base[at]).exp()).log()


def newton(
    params, group: GaugeGroup, p: float = 2.0, include_bias: bool = False, dead=(), steps: int = 300
) -> Tensor:
    """Log-scales of the minimum, shape (units,); dead units stay at 0.

    Raises:
        AssertionError: if a unit that is not said to be dead has nothing in or nothing out, or if
            the method does not arrive.
    """
    to, out_of, size = listed(params, group, include_bias)
    logs = p * size.log()
    n = group.units + 1
    free = torch.ones(n, dtype=torch.bool)  # the ground is unit 0
    free[[0, *(1 + int(d) for d in dead)]] = False
    if not free.any():
        return torch.zeros(group.units, dtype=torch.float64)

    def residual(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        flow = logs + x[to] - x[out_of]
        into, out = log_totals(group.units, to, flow), log_totals(group.units, out_of, flow)
        return (into - out)[free], flow, into, out

    x = torch.zeros(n, dtype=torch.float64)
    r, flow, into, out = residual(x)
    assert r.isfinite().all(), "a unit without incoming or outgoing weight has no balance"
    for _ in range(steps):
        jacobian = torch.zeros(n, n, dtype=torch.float64)
        jacobian.diagonal().fill_(2.0)
        jacobian.index_put_((to, out_of), -(flow - into[to]).exp(), accumulate=True)
        jacobian.index_put_((out_of, to), -(flow - out[out_of]).exp(), accumulate=True)
        step = torch.zeros_like(x)
        step[free] = torch.linalg.solve(jacobian[free][:, free], -r)
        # Logarithms of this size are known to so much; below it a shorter step proves nothing.
        noise = 8 * torch.finfo(x.dtype).eps * float(1 + flow.abs().max() + x.abs().max())
        if r.abs().max() <= noise:
            return (x + step)[1:] / p
        length = 1.0
        while length > 1e-12:
            there = residual(x + length * step)
            if there[0].square().sum() <= (1 - length / 2) * r.square().sum():
                break
            length /= 2
        else:
            break
        x = x + length * step
        r, flow, into, out = there
    raise AssertionError(f"Newton's method did not arrive: {float(r.abs().max()):.1e} is left")


def imbalance_of(params, group: GaugeGroup, p: float = 2.0, include_bias: bool = False) -> Tensor:
    """|in - out| / (in + out) of each unit, edge by edge."""
    to, out_of, size = listed(params, group, include_bias)
    into, out = (log_totals(group.units, at, p * size.log())[1:] for at in (to, out_of))
    return ((into - out) / 2).tanh().abs()
