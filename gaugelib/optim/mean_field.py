r"""One step towards balance from what flows through the units alone, without another reading."""

from __future__ import annotations

import torch
from torch import Tensor


def mean_field_step(
    incoming: Tensor, outgoing: Tensor, into: Tensor, out_of: Tensor, p: float
) -> Tensor:
    r"""Logarithms of scales that nearly balance a network which is nearly balanced.

    Newton's step on the norm along the orbit is $\alpha = -\frac1p\mathcal L^{-1}\Delta$, with the
    Laplacian $\mathcal L = \mathrm{Deg} - \sum_k (C_k + C_k^\top)$ of the conductances
    $C_k = |W_k|^p$ of each parameter. Here each $C_k$ is replaced by the matrix of rank one that
    has the same sums of rows $r_k$, of columns $c_k$, and of all entries $T_k$, which is
    $r_k c_k^\top/T_k$. Then only as many equations are left as there are sums. In wide layers of
    weights without structure the rest is small, and one step divides the imbalance by some tens.

    Args:
        incoming: $\sum|\theta_e|^p$ into each unit, positive, shape `(units,)`.
        outgoing: the same out of each unit, positive, shape `(units,)`.
        into: $r_k/\sqrt{T_k}$ for each parameter, shape `(k, units)`.
        out_of: $c_k/\sqrt{T_k}$, shape `(k, units)`.
        p: the exponent.

    Returns:
        $\alpha = \log a$, shape `(units,)`; NaN where the equations have no solution.

    Source: the book, "The Laplacian", for Newton's step.

    Example:
        >>> two, eight = torch.tensor([2.0]).double(), torch.tensor([8.0]).double()
        >>> none = torch.zeros(0, 1).double()
        >>> mean_field_step(two, two, none, none, p=2.0)
        tensor([0.], dtype=torch.float64)
        >>> mean_field_step(two, eight, none, none, p=2.0)  # exact: log(8 / 2) / 4 = 0.35
        tensor([0.3000], dtype=torch.float64)
    """
    degree, slope = incoming + outgoing, (outgoing - incoming) / p
    sums = torch.cat([into, out_of])
    partners = torch.cat([out_of, into])
    weighted = partners / degree
    found, failed = torch.linalg.solve_ex(
        torch.eye(len(sums), dtype=sums.dtype, device=sums.device) - sums @ weighted.T,
        (sums / degree) @ slope,
    )
    step = slope / degree + weighted.T @ found
    return torch.where(failed == 0, step, torch.nan)
