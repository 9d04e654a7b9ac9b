"""The largest eigenvalue of a symmetric map, by ARPACK: the one file that leaves torch for numpy.

SciPy's `eigsh` is the implicitly restarted Lanczos method of ARPACK.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
from torch import Tensor
from tqdm import tqdm

from gaugelib.group import GaugeError

BASIS = 20
"""Vectors in the Krylov basis; a matrix of no more rows is formed, which takes no more products."""


class _TooMany(Exception):
    pass


class _Map(LinearOperator):
    def __init__(self, product: Callable[[np.ndarray], np.ndarray], size: int) -> None:
        super().__init__(np.dtype(np.float64), (size, size))
        self._product = product

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return self._product(x)


def largest_eigenvalue(
    product: Callable[[Tensor], Tensor], size: int, *, tol: float, most: int, progress: bool = False
) -> Tensor:
    r"""The algebraically largest eigenvalue of a symmetric matrix $A$, from products with it.

    ARPACK is given $A/c + 2$, where $c=\|Av\|/\|v\|$ at the first vector lies between the smallest
    and the largest $|\lambda|$, so that the largest eigenvalue is at least 1 there. ARPACK's own
    criterion is relative to the eigenvalue but never below $4\cdot10^{-11}$: of $A$ itself it would
    accept anything where all of $A$ is small, and nothing where the largest eigenvalue is 0.

    Args:
        product: the map, on vectors of shape `(size,)` in float64 on the CPU.
        size: number of rows.
        tol: bound on the error, relative to the largest $|\lambda|$.
        most: number of products after which to give up.
        progress: whether to show a bar.

    Returns:
        Shape `()`, float64, on the CPU.

    Raises:
        GaugeError: if it does not converge within so many products, or ARPACK fails.

    Source: Lehoucq, Sorensen and Yang (1998), "ARPACK Users' Guide".
    """
    done, scale = 0, 0.0
    with tqdm(desc="sharpness", unit=" products", disable=not progress) as bar:

        def shifted(array: np.ndarray) -> np.ndarray:
            nonlocal done, scale
            if done == most:
                raise _TooMany
            vector = torch.from_numpy(np.ascontiguousarray(array)).clone()
            image = product(vector)
            done += 1
            bar.update()
            scale = scale or float(image.norm() / vector.norm()) or 1.0
            return (image / scale + 2 * vector).numpy()

        try:
            if size <= BASIS:
                rows = [shifted(row.numpy()) for row in torch.eye(size, dtype=torch.float64)]
                dense = torch.from_numpy(np.stack(rows))
                found = torch.linalg.eigvalsh((dense + dense.T) / 2)[-1]
            else:
                found = _by_arpack(shifted, size, tol / 3)  # for |λ/c + 2| <= 3 max |λ| / c
        except _TooMany:
            raise GaugeError(
                f"the largest eigenvalue is not known to a relative error of {tol:g} after {most} "
                "products with the Hessian; allow more of them (most=) or a larger error (tol=)"
            ) from None
        except ArpackError as error:
            raise GaugeError(
                f"ARPACK finds no largest eigenvalue ({error}); allow a larger error (tol=)"
            ) from error
    return scale * (found - 2)


def _by_arpack(product: Callable[[np.ndarray], np.ndarray], size: int, tol: float) -> Tensor:
    # A random start misses no eigenvector; the gradient, say, would miss all that break a symmetry
    # of the point. It is drawn here, so that the same is found each time and on every device.
    draw = torch.Generator().manual_seed(0)
    start = torch.randn(size, generator=draw, dtype=torch.float64).numpy()
    options = {}
    if "rng" in inspect.signature(eigsh).parameters:  # SciPy 1.17: for starts after an exact hit
        options["rng"] = np.random.default_rng(0)
    values = eigsh(
        _Map(product, size),
        k=1,
        which="LA",
        v0=start,
        ncv=BASIS,
        tol=tol,  # pyright: ignore[reportArgumentType]
        maxiter=np.iinfo(np.int32).max,  # the number of products ends it
        return_eigenvectors=False,
        **options,
    )
    return torch.as_tensor(values[0])
