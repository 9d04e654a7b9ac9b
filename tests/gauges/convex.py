r"""The convex functions of the gauges, entry by entry, and Newton's method for one of them.

It shares no code with the library's solver: the incidence matrix is dense, written entry by entry.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib import GaugeGroup


def incidence(group: GaugeGroup, names) -> Tensor:
    """Rows of +1 at the target and -1 at the source of each entry, shape (entries, units)."""
    rows = []
    for name in names:
        entry, shape = group.entries[name], group.shapes[name]
        ends = (index.expand(shape).reshape(-1).tolist() for index in (entry.target, entry.source))
        for target, source in zip(*ends, strict=True):
            row = [0.0] * (group.units + 1)
            row[target] += 1.0
            row[source] -= 1.0
            rows.append(row[1:])
    return torch.tensor(rows, dtype=torch.float64).view(-1, group.units)


def flat(values, names) -> Tensor:
    return torch.cat([values[name].detach().double().reshape(-1) for name in names])


def drawn(group: GaugeGroup, seed: int = 0, log_std: float = 1.0) -> dict[str, Tensor]:
    """Positive coefficients of many sizes."""
    draw = torch.Generator().manual_seed(seed)
    shapes = group.shapes.items()
    return {n: torch.randn(s, generator=draw).double().mul(log_std).exp() for n, s in shapes}


def newton(matrix: Tensor, coefficients: Tensor, exponent: float, steps: int = 200) -> Tensor:
    r"""The minimiser of $\sum_e c_e e^{k(B^\top\alpha)_e}$; the search is halved until it descends.

    Raises:
        AssertionError: if it does not arrive.
    """
    alpha = matrix.new_zeros(matrix.shape[1])

    def value(at: Tensor) -> Tensor:
        return coefficients @ (exponent * (matrix @ at)).exp()

    for _ in range(steps):
        flow = coefficients * (exponent * (matrix @ alpha)).exp()
        slope = exponent * (matrix.T @ flow)
        hessian = exponent**2 * (matrix.T * flow) @ matrix
        step = torch.linalg.solve(hessian, -slope)
        if step.abs().max() < 1e-13:
            return alpha
        length = 1.0
        while value(alpha + length * step) > value(alpha) and length > 1e-9:
            length /= 2
        alpha = alpha + length * step
        if float(step.abs().max()) < 1e-10:
            return alpha
    raise AssertionError(f"Newton's method did not arrive: {float(step.abs().max()):.1e} is left")
