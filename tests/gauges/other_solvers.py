"""Two other ways to the gauge for rounding: with constraints, and from below."""

from __future__ import annotations

import torch
from scipy.optimize import minimize

from tests.gauges.convex import incidence


def constraints(given, per_channel):
    """Each counted entry: its row, log|θ|, t and its row of the incidence matrix."""
    params, sensitivity, group = given
    rows, number = [], 0
    for name in group.counted(False):
        size = params[name].numel()
        each = size // len(params[name]) if per_channel else size
        rows += [number + k // each for k in range(size)]
        number = rows[-1] + 1
    names = group.counted(False)
    logs = torch.cat([params[n].abs().log().reshape(-1) for n in names])
    felt = torch.cat([sensitivity[n].reshape(-1) for n in names])
    return torch.tensor(rows), number, logs, felt, incidence(group, names)


def by_slsqp(given, per_channel):
    """The least log E, as a smooth problem with constraints: u_l at least every log|θ| + Bᵀα."""
    rows, count, logs, felt, matrix = constraints(given, per_channel)
    units = matrix.shape[1]
    corner = torch.eye(count, dtype=torch.float64)[rows]

    def value(z):
        z = torch.tensor(z, requires_grad=True)
        alpha, tops = z[:units], z[units:]
        sums = torch.zeros(count).double().index_add(0, rows, felt * (-2 * matrix @ alpha).exp())
        total = (2 * tops + sums.log()).logsumexp(0)
        total.backward()
        return float(total.detach()), z.grad.numpy()

    start = torch.zeros(count).double().scatter_reduce(0, rows, logs, "amax", include_self=False)
    jacobian = torch.cat([-matrix, corner], 1).numpy()
    upper = {
        "type": "ineq",
        "fun": lambda z: jacobian @ z - logs.numpy(),
        "jac": lambda z: jacobian,
    }
    begin = torch.cat([torch.zeros(units).double(), start]).numpy()
    options = {"maxiter": 500, "ftol": 1e-12}
    found = minimize(value, begin, jac=True, method="SLSQP", constraints=upper, options=options)
    assert found.success
    return found.fun


def dual_bound(given, per_channel, shares):
    """The least log E with weighted means in the place of the maxima, which are not above them."""
    rows, count, logs, felt, matrix = constraints(given, per_channel)
    zeros = torch.zeros(count, dtype=torch.float64)

    def value(alpha):
        alpha = torch.tensor(alpha, requires_grad=True)
        x = matrix @ alpha
        means = zeros.index_add(0, rows, shares * (logs + x))
        total = (2 * means + zeros.index_add(0, rows, felt * (-2 * x).exp()).log()).logsumexp(0)
        total.backward()
        return float(total.detach()), alpha.grad.numpy()

    return minimize(value, torch.zeros(matrix.shape[1]).double().numpy(), jac=True).fun
