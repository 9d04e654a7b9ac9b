"""e3nn: its groups are those of space, and of finite ones it has the parity alone.

An exchange of two units is that parity, in the basis of their sum (even) and difference (odd).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from e3nn import o3
from e3nn.util.test import assert_equivariant
from serve import Basis, matrix, serve

HALF = np.array([[1.0, 1.0], [1.0, -1.0]]) / 2**0.5


def weights(source: str, target: str) -> np.ndarray:
    """The matrix of `o3.Linear` for each of its weights set to 1."""
    layer = o3.Linear(source, target)
    eye = torch.eye(layer.irreps_in.dim)
    rows = torch.eye(layer.weight_numel)
    return np.stack([layer(eye, weight=row).detach().numpy().T for row in rows])


def basis(pairs: int) -> Callable[[], Basis]:
    """Of maps of so many exchanged pairs: units 2k and 2k + 1 are the k-th."""
    to_sums = np.zeros((2 * pairs, 2 * pairs))
    for k in range(pairs):
        to_sums[np.ix_([k, pairs + k], [2 * k, 2 * k + 1])] = HALF
    space = f"{pairs}x0e+{pairs}x0o"

    def solve() -> Basis:
        torch.set_default_dtype(torch.float64)
        return {
            "W": to_sums.T @ weights(space, space) @ to_sums,
            "v": weights(space, "0e") @ to_sums,
        }

    return solve


def test(name: str) -> str:
    """Its error for each parity, or an assertion; in float32, the default, 1e-3 passes."""
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    half, W = (torch.tensor(m, dtype=torch.float32) for m in (HALF, matrix(name, 2)))

    def channel(x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x @ half @ W.T) @ half

    try:
        errors = assert_equivariant(
            channel, [torch.randn(10, 2)], irreps_in=["0e+0o"], irreps_out=["0e+0o"]
        )
    except AssertionError as error:
        return f"AssertionError, {str(error).split(': ')[1].split(',')[0].strip('(')}"
    return "a number for each parity, " + ", ".join(f"{float(e):.0e}" for e in errors.values())


if __name__ == "__main__":
    serve({"Z2": basis(1), "Z2, three pairs": basis(3)}, test)
