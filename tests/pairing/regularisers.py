"""Regularisers blind to sign, their charges, and their mirror flows, all by dense autograd.

The networks are the layered ones of `tests.flow.problems`; a bias is one more incoming weight of
its unit, in the norm, in the gauge and in the charge.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor
from torch.func import grad, jacrev

from gaugelib.flow.steps import rk4

Params = dict[str, Tensor]
Function = Callable[[Params], Tensor]

MIXED = [(1, 2), (2, 1), (2, 4), (4, 2)]


def power(p: float) -> Function:
    """R_p = Σ|θ|^p / p."""
    return lambda params: sum(value.abs().pow(p).sum() for value in params.values()) / p


def mixed(p: float, q: float) -> Function:
    """ℓ_{p,q}: Σ N_i^q / q over all units, where N_i is the p-norm of what flows into unit i."""
    return lambda params: sum(mixed_of(into, p, q) for into in rows(params))


def mixed_of(into: Tensor, p: float, q: float) -> Tensor:
    """The same of one matrix whose rows flow into one unit each."""
    return into.abs().pow(p).sum(1).pow(q / p).sum() / q


def coefficients_of(into: Tensor, p: float, q: float) -> Tensor:
    """Its θ∂R in closed form, c_ij = N_i^(q-p) |W_ij|^p, shaped as the matrix."""
    powers = into.abs().pow(p)
    return powers.sum(1, keepdim=True).pow(q / p - 1) * powers


ALL = {f"p = {p}": power(p) for p in (1, 2, 3)} | {f"{pq}": mixed(*pq) for pq in MIXED}


def rows(params: Params) -> list[Tensor]:
    """What flows into each unit, layer by layer: shapes (units, fan-in + 1), the bias last."""
    layers = [name.removesuffix(".weight") for name in params if name.endswith(".weight")]
    return [torch.cat([params[f"{n}.weight"], params[f"{n}.bias"][:, None]], 1) for n in layers]


def coefficients(regulariser: Function, params: Params) -> Params:
    """c = θ ∂R, by autograd."""
    slopes = grad(regulariser)(params)
    return {name: value * slopes[name] for name, value in params.items()}


def charge_of(regulariser: Function, params: Params) -> Tensor:
    """Δ^R = B c, by rows and columns: an oracle without `collect`."""
    into = rows(coefficients(regulariser, params))
    return torch.cat([now.sum(1) - after[:, :-1].sum(0) for now, after in pairwise(into)])


def logarithms(params: Params) -> tuple[Tensor, Callable[[Tensor], Params]]:
    """y = log|θ| of all entries, shape (m,), and the way back to parameters of the same signs."""
    sizes = [value.numel() for value in params.values()]
    flat = torch.cat([value.reshape(-1) for value in params.values()])
    signs = flat.sign()

    def back(y: Tensor) -> Params:
        parts = (signs * y.exp()).split(sizes)
        return {n: part.view(v.shape) for (n, v), part in zip(params.items(), parts)}

    return flat.abs().log(), back


def mirror(
    objective: Function, regulariser: Function, back: Callable[[Tensor], Params], kappa: float
) -> Callable[[Tensor], Tensor]:
    """The velocity of y: -κ (∇²R)⁻¹ ∇ of the objective, both in y."""

    def velocity(y: Tensor) -> Tensor:
        slope = grad(lambda y: objective(back(y)))(y)
        return -kappa * torch.linalg.solve(second(lambda y: regulariser(back(y)), y), slope)

    return velocity


def second(function: Callable[[Tensor], Tensor], y: Tensor) -> Tensor:
    """The dense Hessian at y, shape (m, m)."""
    return jacrev(grad(function))(y)


def integrate(
    velocity: Callable[[Tensor], Tensor], y: Tensor, until: float, steps: int
) -> list[Tensor]:
    """The states of a flow at `steps + 1` equally spaced times."""
    states = [y]
    for _ in range(steps):
        states.append(rk4(velocity, states[-1], until / steps))
    return states
