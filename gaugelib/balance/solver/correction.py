r"""The layer correction: one scale for each whole layer, chosen exactly.

Sweeps move whole layers slowly: the slow mode of a chain of $L$ weight layers is a half-wave over
its layers, whose rate is $\cos(\pi/L)$ for all weights and widths. Between blocks only totals
matter, so that the best common scale of each block is a small convex problem.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import splu

from gaugelib.balance.solver.blocks import FIXED

_STEPS = 100
_SMALLEST = 1e-8
"""Largest change of an exponent in the last step: one more would change the sum by its square."""

_FEW = 200
"""Blocks whose equations are solved as if all were joined."""


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
        >>> chain.shift([8.0, 1.0, 1.0]).round(4)  # log of 1, 1/4, 1/2: totals become 2, 2, 2
        array([ 0.    , -1.3863, -0.6931])
    """

    def __init__(self, ends: Sequence[tuple[int, int]], blocks: int) -> None:
        self.ends, self.blocks = list(ends), blocks
        self.components = _components(self.ends, blocks)
        self.paths = [_path(self.ends, component) for component in self.components]
        self.to, self.source = np.array(self.ends, dtype=np.int64).reshape(-1, 2).T

    def shift(self, totals: Sequence[float] | np.ndarray) -> np.ndarray:
        r"""The best $t$ of each block; 0 for the ground.

        On a chain all totals become their geometric mean. Elsewhere Newton's method, each step cut
        so that no exponent changes by more than 1: then $e^x \le 1 + x + (e-2)x^2$ shows that
        every step lowers the sum.

        Args:
            totals: $m_e > 0$ of each bond; 0 between parts that nothing joins.

        Raises:
            ValueError: if a total of a chain is 0.
        """
        totals, shift = np.asarray(totals, dtype=np.float64), np.zeros(self.blocks)
        for component, path in zip(self.components, self.paths):
            bonds = np.array(component if path is None else path)
            to, source = self.to[bonds], self.source[bonds]
            if path is None:
                blocks, ends = np.unique([FIXED, *to, *source], return_inverse=True)
                to, source = ends[1:].reshape(2, -1)
                shift[blocks] = _balanced(to, source, totals[bonds], len(blocks))
            elif totals[bonds].min() > 0.0:
                logs = np.log(totals[bonds])
                shift[to[:-1]] = (logs.mean() - logs[:-1]).cumsum()
            else:
                raise ValueError("nothing flows through some layer")
        return shift

    def reach(self, shift: np.ndarray) -> float:
        """Bound on the change of a unit's |log(out/in)|/2."""
        return float(np.abs(shift[self.to] - shift[self.source]).max(initial=0.0))


def _balanced(to: np.ndarray, source: np.ndarray, totals: np.ndarray, count: int) -> np.ndarray:
    """Shifts at which what flows into each number flows out of it; zeros if there are none."""
    none, shift = np.zeros(count), np.zeros(count)
    for _ in range(_STEPS):
        flow = totals * np.exp(shift[to] - shift[source])
        into, out = (np.bincount(end, flow, count) for end in (to, source))
        off = coo_array((flow, (to, source)), shape=(count, count))
        try:
            solved = _solve(into + out, off, (out - into)[1:])
        except (RuntimeError, np.linalg.LinAlgError):  # it is singular
            return none
        step = np.concatenate([[0.0], solved])
        largest = np.abs(step[to] - step[source]).max(initial=0.0, where=totals > 0.0)
        if not np.isfinite(largest):
            return none
        shift += step / max(1.0, largest)
        if largest < _SMALLEST:
            break
    return shift


def _solve(diagonal: np.ndarray, off: coo_array, right: np.ndarray) -> np.ndarray:
    """Solve the equations of all but the first."""
    if len(right) < _FEW:
        dense = off.toarray()
        return np.linalg.solve((np.diag(diagonal) - dense - dense.T)[1:, 1:], right)
    return splu((diags_array(diagonal) - off - off.T).tocsc()[1:, 1:]).solve(right)


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
