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

BASIS = 10
"""Vectors in the Krylov basis; a matrix of no more rows is formed, which takes no more products."""


class _TooMany(Exception):
    pass


class _Map(LinearOperator):
    def __init__(self, product: Callable[[np.ndarray], np.ndarray], like: np.ndarray) -> None:
        super().__init__(like.dtype, (len(like), len(like)))
        self._product = product

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return self._product(x)


def largest_eigenvalue(
    product: Callable[[Tensor], Tensor],
    size: int,
    dtype: torch.dtype,
    *,
    tol: float,
    most: int,
    progress: bool = False,
) -> Tensor:
    r"""The algebraically largest eigenvalue of a symmetric matrix $A$, from products with it.

    ARPACK is given $A/c + 2$, where $c=\|Av\|/\|v\|$ at the first vector lies between the smallest
    and the largest $|\lambda|$, so that the largest eigenvalue is at least 1 there. ARPACK's own
    criterion is relative to the eigenvalue but never below $4\cdot10^{-11}$: of $A$ itself it would
    accept anything where all of $A$ is small, and nothing where the largest eigenvalue is 0.
    The first vector is random, for a start from the gradient, say, would miss every eigenvector
    that breaks a symmetry of the point; but always the same, so the same is found on every device.

    Args:
        product: the map, on vectors of shape `(size,)` on the CPU.
        size: number of rows.
        dtype: float32 or float64, that of the vectors.
        tol: bound on the error, relative to the largest $|\lambda|$.
        most: number of products after which to give up.
        progress: whether to show a bar.

    Returns:
        Shape `()`, in that dtype, on the CPU.

    Raises:
        GaugeError: if it does not converge within so many products, or ARPACK fails.

    Source: Lehoucq, Sorensen and Yang (1998), "ARPACK Users' Guide".
    """
    done, scale = 0, 0.0
    with tqdm(desc="sharpness", unit=" products", disable=not progress) as bar:

        def counted(vector: Tensor) -> Tensor:
            nonlocal done
            if done == most:
                raise _TooMany
            done += 1
            bar.update()
            return product(vector)

        def shifted(array: np.ndarray) -> np.ndarray:
            nonlocal scale
            vector = torch.tensor(array, device="cpu")  # a copy: ARPACK writes over its own
            image = counted(vector)
            if scale == 0.0:
                top = float(image.abs().max()) or 1.0  # the squares in a norm have a range, too
                scale = top * float((image.double() / top).norm() / vector.double().norm()) or 1.0
            return (image / scale + 2 * vector).numpy()

        try:
            if size <= BASIS:
                rows = torch.stack(
                    [counted(row) for row in torch.eye(size, dtype=dtype, device="cpu")]
                )
                return torch.linalg.eigvalsh((rows + rows.T) / 2)[-1]
            draw, on = torch.Generator("cpu").manual_seed(0), torch.device("cpu")
            start = torch.randn(size, generator=draw, dtype=torch.float64, device=on).to(dtype)
            found = _by_arpack(shifted, start.numpy(), tol / 3)  # |λ/c + 2| <= 3 max |λ/c|
            return scale * (found - 2)
        except _TooMany:
            raise GaugeError(
                f"the largest eigenvalue is not known to a relative error of {tol:g} after {most} "
                "products with the Hessian; allow more of them (most=) or a larger error (tol=)"
            ) from None
        except ArpackError as error:
            raise GaugeError(
                f"ARPACK finds no largest eigenvalue ({error}); allow a larger error (tol=)"
            ) from error


def _by_arpack(
    product: Callable[[np.ndarray], np.ndarray], start: np.ndarray, tol: float
) -> Tensor:
    options = {}
    if "rng" in inspect.signature(eigsh).parameters:  # SciPy 1.17: else it draws from the system
        options["rng"] = np.random.default_rng(0)
    values = eigsh(
        _Map(product, start),
        k=1,
        which="LA",
        v0=start,
        ncv=BASIS,
        tol=tol,  # pyright: ignore[reportArgumentType]
        maxiter=np.iinfo(np.int32).max,  # the number of products ends it
        return_eigenvectors=False,
        **options,
    )
    return torch.as_tensor(values[0], device="cpu")
