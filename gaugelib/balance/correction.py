r"""The layer correction: one scale for each whole layer, chosen exactly.

Sweeps move whole layers slowly: the slow mode of a chain of $L$ weight layers is a half-wave over
its layers, whose rate is $\cos(\pi/L)$ for all weights and widths. Between blocks only totals
matter, so that the best common scale of each block is a small convex problem. It is so small, a
number for each layer, that plain Python is the fastest way to solve it on a chain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from gaugelib.balance.plan import FIXED

_STEPS = 100
_SMALLEST = 1e-13


class Quotient:
    r"""The network with each block shrunk to one unit: minimises $\sum_e m_e e^{t_{to}-t_{from}}$.

    Args:
        ends: the two blocks of each bond, (to, from); block 0 is the ground, where $t = 0$.
        blocks: number of blocks, the ground included.

    Example:
        >>> chain = Quotient([(1, 0), (2, 1), (0, 2)], blocks=3)
        >>> [round(math.exp(t), 6) for t in chain.shift([8.0, 1.0, 1.0])]  # totals become 2, 2, 2
        [1.0, 0.25, 0.5]
    """

    def __init__(self, ends: Sequence[tuple[int, int]], blocks: int) -> None:
        self.ends, self.blocks = list(ends), blocks
        self.path = _path(self.ends)

    def shift(self, totals: Sequence[float]) -> list[float]:
        r"""The best $t$ of each block; 0 for the ground.

        On a chain all totals become their geometric mean. Elsewhere Newton's method, each step cut
        so that no exponent changes by more than 1: then $e^x \le 1 + x + (e-2)x^2$ shows that
        every step lowers the sum.

        Args:
            totals: $m_e > 0$ of each bond.
        """
        if self.path is None:
            return self._newton(totals)
        logs = [math.log(total) for total in totals]
        mean = math.fsum(logs) / len(logs)
        shift, reached = [0.0] * self.blocks, 0.0
        for bond in self.path[:-1]:
            reached += mean - logs[bond]
            shift[self.ends[bond][0]] = reached
        return shift

    def disturbance(self, shift: Sequence[float]) -> list[float]:
        """Bound on |log(out/in)|/2 at the units of each block, if they were balanced before."""
        into = [(math.inf, -math.inf)] * self.blocks
        out = list(into)
        for to, source in self.ends:
            x = shift[to] - shift[source]
            into[to] = min(into[to][0], x), max(into[to][1], x)
            out[source] = min(out[source][0], x), max(out[source][1], x)
        worst = [max(b[1] - a[0], a[1] - b[0], 0.0) / 2 for a, b in zip(into, out)]
        return [0.0, *worst[1:]]

    def _newton(self, totals: Sequence[float]) -> list[float]:
        pairs = torch.tensor(self.ends, dtype=torch.int64)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        kept = [m for m, (to, source) in zip(totals, self.ends) if to != source]
        weights, (to, source) = torch.tensor(kept, dtype=torch.float64), pairs.T
        flat = torch.cat([to * self.blocks + source, source * self.blocks + to])
        shift = weights.new_zeros(self.blocks)
        for _ in range(_STEPS):
            flow = weights * (shift[to] - shift[source]).exp()
            into = shift.new_zeros(self.blocks).index_add_(0, to, flow)
            out = shift.new_zeros(self.blocks).index_add_(0, source, flow)
            off = shift.new_zeros(self.blocks**2).index_add_(0, flat, flow.repeat(2))
            hessian = torch.diag(into + out) - off.view(self.blocks, self.blocks)
            used = 1 + (into + out > 0)[1:].nonzero().squeeze(1)
            solved, info = torch.linalg.solve_ex(hessian[used][:, used], (out - into)[used])
            if bool(info) or not bool(solved.isfinite().all()):
                return [0.0] * self.blocks
            step = torch.zeros_like(shift)
            step[used] = solved
            largest = float((step[to] - step[source]).abs().max())
            shift += step / max(1.0, largest)
            if largest < _SMALLEST:
                break
        return shift.tolist()


def _path(ends: Sequence[tuple[int, int]]) -> list[int] | None:
    """Bonds in order, if they make one path from the ground through all blocks and back."""
    leaving = {source: bond for bond, (_, source) in enumerate(ends)}
    if len(leaving) < len(ends):
        return None
    path: list[int] = []
    block = FIXED
    while block in leaving and len(path) < len(ends):
        path.append(leaving[block])
        block = ends[path[-1]][0]
        if block == FIXED:
            break
    return path if len(path) == len(ends) and block == FIXED else None
