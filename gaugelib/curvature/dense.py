"""Second derivatives of small networks, as dense matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import grad, jacrev
from torch.nn.attention import SDPBackend, sdpa_kernel

from gaugelib.group import GaugeError

LARGEST = 4096


def hessian(loss: Callable[[dict[str, Tensor]], Tensor], params: Mapping[str, Tensor]) -> Tensor:
    r"""The dense Hessian $\mathbf H_{ee'} = \partial^2 L/\partial\theta_e\,\partial\theta_{e'}$.

    Args:
        loss: a function of the parameters that returns a scalar tensor.
        params: parameters by name, with m entries altogether; all of one dtype.

    Returns:
        Shape `(m, m)`, entries in the order of `params`, each parameter flattened by rows.

    Raises:
        GaugeError: if m is larger than 4096, where a dense matrix is the wrong tool.

    Book: prop-derivatives, thm-mass-gap, thm-zero-modes, prop-congruence.

    Example:
        >>> params = {"w": torch.tensor([3.0]), "v": torch.tensor([2.0])}
        >>> hessian(lambda theta: (theta["w"] * theta["v"]).sum() ** 2 / 2, params)
        tensor([[ 4., 12.],
                [12.,  9.]])
    """
    sizes = {name: value.numel() for name, value in params.items()}
    if sum(sizes.values()) > LARGEST:
        raise GaugeError(
            f"a dense Hessian of {sum(sizes.values())} parameters was asked for; "
            f"the largest is {LARGEST}"
        )
    vector = torch.cat([value.detach().reshape(-1) for value in params.values()])

    def of_vector(vector: Tensor) -> Tensor:
        parts = zip(params.items(), vector.split(list(sizes.values())), strict=True)
        return loss({name: part.view(value.shape) for (name, value), part in parts})

    # of torch's ways to compute attention, the fused ones cannot be differentiated twice
    with sdpa_kernel(SDPBackend.MATH):
        return jacrev(grad(of_vector))(vector)
