"""Sharpness: the largest eigenvalue of the Hessian."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.bounds import require_positive
from gaugelib.curvature.eigensolver import largest_eigenvalue
from gaugelib.curvature.product import HessianProduct
from gaugelib.gradient import Loss, require_differentiable
from gaugelib.group import GaugeError, widest

MOST = 10_000


def sharpness(
    loss: Loss,
    params: Mapping[str, Tensor],
    *,
    tol: float = 1e-6,
    most: int = MOST,
    progress: bool = False,
) -> Tensor:
    r"""The largest eigenvalue of the Hessian, $\lambda_{\max}(\mathbf H)$, without forming it.

    Largest as a number, not in size: where the loss bends down more than up, an eigenvalue of
    larger magnitude is negative, and it is not the one returned. Gradient descent with step $\eta$
    is stable near a minimum if $\eta\lambda_{\max} < 2$; there all eigenvalues are $\ge 0$ and the
    two readings agree. Power iteration finds the largest in size.

    The eigenvalue is found from products with the Hessian, by ARPACK. The loss is evaluated once;
    a product costs about as much as two gradients, and it takes 11 of them or more. Memory: the
    graph of the gradient, and on the CPU about 14 vectors of the size of the parameters. The same
    call finds the same value, for the start is fixed.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor; by
            `gaugelib.functional_call`, the model is evaluated there and stays as it is.
        params: parameters by name, frozen ones too; what is left out is held fixed.
        tol: bound on the error, relative to the largest $|\lambda|$. What is bounded is the
            residual, and where the eigenvalue stands apart its own error is of the order of the
            square: `tol=1e-3` often gives six digits. In float32 there are no more than six.
        most: number of products with the Hessian after which to give up.
        progress: whether to show a bar; a keyboard interrupt stops the search.

    Returns:
        Shape `()`, in the widest dtype among the parameters, float32 at least, on their device.

    Raises:
        GaugeError: if there are no parameters, an option is out of range, the loss is not a scalar
            tensor or depends on none of the parameters; if the gradient or a product with the
            Hessian is not finite; or if the search does not end within `most` products.

    Source: Lehoucq, Sorensen and Yang (1998); the book, "Sharpness".

    Book: prop-congruence, prop-edge, prop-coin.

    Example:
        >>> params = {"w": torch.tensor([1.0, 2.0], dtype=torch.float64)}
        >>> def loss(theta):  # eigenvalues 2 and -6
        ...     return theta["w"][0] ** 2 - 3 * theta["w"][1] ** 2
        >>> sharpness(loss, params)
        tensor(2., dtype=torch.float64)
    """
    require_positive("tol", tol)
    require_differentiable(params)
    finest = 4 * torch.finfo(widest(params)).eps
    if tol < finest:
        raise GaugeError(
            f"tol must be at least {finest:.2g} for parameters of {widest(params)}, found {tol:g}; "
            "allow a larger error, or convert the parameters and the loss's data to float64"
        )
    if not isinstance(most, int) or most < 1:
        raise GaugeError(f"most must be a whole number >= 1, found {most}")
    product = HessianProduct(loss, params)
    found = largest_eigenvalue(
        product.of_vector, product.size, product.dtype, tol=tol, most=most, progress=progress
    )
    return found.to(product.device)
