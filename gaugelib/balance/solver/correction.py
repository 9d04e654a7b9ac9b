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

from gaugelib.balance.solver.blocks import FIXED

_STEPS = 100
_SMALLEST = 1e-13


class Quotient:
    r"""The network with each block shrunk to one unit: minimises $\sum_e m_e e^{t_{to}-t_{from}}$.

    Blocks that only the ground joins do not depend on one another: each component is solved alone.

    Args:
        ends: the two blocks of each bond, (to, from); block 0 is the ground, where $t = 0$.
        blocks: number of blocks, the ground included.

    Attributes:
        components: bonds of each component.
        paths: the same in order, if they make one path from the ground through all the component's
            blocks and back; else `None`.

    Example:
        >>> chain = Quotient([(1, 0), (2, 1), (0, 2)], blocks=3)
        >>> [round(math.exp(t), 6) for t in chain.shift([8.0, 1.0, 1.0])]  # totals become 2, 2, 2
        [1.0, 0.25, 0.5]
    """

    def __init__(self, ends: Sequence[tuple[int, int]], blocks: int) -> None:
        self.ends, self.blocks = list(ends), blocks
        self.components = _components(self.ends, blocks)
        self.paths = [_path(self.ends, component) for component in self.components]

    @property
    def chains(self) -> bool:
        """Whether every component is a path from the ground to the ground."""
        return None not in self.paths

    def shift(self, totals: Sequence[float]) -> list[float]:
        r"""The best $t$ of each block; 0 for the ground.

        On a chain all totals become their geometric mean. Elsewhere Newton's method, each step cut
        so that no exponent changes by more than 1: then $e^x \le 1 + x + (e-2)x^2$ shows that
        every step lowers the sum.

        Args:
            totals: $m_e > 0$ of each bond.
        """
        shift = [0.0] * self.blocks
        for component, path in zip(self.components, self.paths):
            if path is None:
                self._newton(component, totals, shift)
            else:
                self._level(path, totals, shift)
        return shift

    def _level(self, path: Sequence[int], totals: Sequence[float], shift: list[float]) -> None:
        logs = [math.log(totals[bond]) for bond in path]
        mean, reached = math.fsum(logs) / len(logs), 0.0
        for bond, log in zip(path[:-1], logs):
            reached += mean - log
            shift[self.ends[bond][0]] = reached

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

    def _newton(
        self, component: Sequence[int], totals: Sequence[float], shift: list[float]
    ) -> None:
        bonds = [bond for bond in component if self.ends[bond][0] != self.ends[bond][1]]
        if not bonds:
            return
        blocks = sorted({FIXED, *(block for bond in bonds for block in self.ends[bond])})
        place = {block: k for k, block in enumerate(blocks)}
        pairs = [[place[block] for block in self.ends[bond]] for bond in bonds]
        solved = _balanced(pairs, [totals[bond] for bond in bonds], len(blocks))
        for block, value in zip(blocks[1:], solved[1:]):
            shift[block] = value


def _balanced(pairs: list[list[int]], totals: list[float], count: int) -> list[float]:
    """Shifts at which what flows into each number flows out of it; zeros if there are none."""
    to, source = torch.tensor(pairs, dtype=torch.int64).view(-1, 2).T
    weights = torch.tensor(totals, dtype=torch.float64)
    flat = torch.cat([to * count + source, source * count + to])
    shift = weights.new_zeros(count)
    for _ in range(_STEPS):
        flow = weights * (shift[to] - shift[source]).exp()
        into = shift.new_zeros(count).index_add_(0, to, flow)
        out = shift.new_zeros(count).index_add_(0, source, flow)
        off = shift.new_zeros(count**2).index_add_(0, flat, flow.repeat(2))
        hessian = torch.diag(into + out) - off.view(count, count)
        solved, info = torch.linalg.solve_ex(hessian[1:, 1:], (out - into)[1:])
        if bool(info) or not bool(solved.isfinite().all()):
            return [0.0] * count
        step = torch.cat([solved.new_zeros(1), solved])
        largest = float((step[to] - step[source]).abs().max())
        shift += step / max(1.0, largest)
        if largest < _SMALLEST:
            break
    return shift.tolist()


def _components(ends: Sequence[tuple[int, int]], blocks: int) -> list[list[int]]:
    """Bonds by the component that they belong to, without those that join the ground to itself."""
    head = list(range(blocks))

    def root(block: int) -> int:
        while head[block] != block:
            block = head[block]
        return block

    for to, source in ends:
        if FIXED not in (to, source):
            head[root(to)] = root(source)
    components: dict[int, list[int]] = {}
    for bond, (to, source) in enumerate(ends):
        if to != FIXED or source != FIXED:
            components.setdefault(root(max(to, source)), []).append(bond)
    return list(components.values())


def _path(ends: Sequence[tuple[int, int]], component: Sequence[int]) -> list[int] | None:
    """A component's bonds in order, if they make one path from the ground and back to it."""
    leaving = {ends[bond][1]: bond for bond in component}
    path: list[int] = []
    block = FIXED
    while block in leaving and len(path) < len(component):
        path.append(leaving[block])
        block = ends[path[-1]][0]
        if block == FIXED:
            break
    return path if len(path) == len(component) and block == FIXED else None
