"""What proofs about second derivatives share: the Hessian, a critical point, a point aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import jacrev

from gaugelib.curvature import hessian
from gaugelib.group import GaugeError
from gaugelib.proofs.loss import Network, fed, loss_in_words

STRENGTH = 0.1
MOST_PARAMETERS = 256
_EACH = 4
LOSS = loss_in_words(f"{_EACH} data per parameter")
_ASIDE = 0.1
_CHUNK = 64  # outputs that are differentiated at once
_RANK = 1e-12  # singular values below this share of the largest count as 0


def require_euclidean(p: float) -> None:
    """Refuse exponents other than 2.

    Raises:
        GaugeError: for any other exponent.
    """
    if p != 2:
        raise GaugeError(f"this proof is about Euclidean lengths, p = 2; found p = {p:g}")


def without_exponent(network: str) -> str:
    """A network in words, without the p that plays no part."""
    return network.replace(", p = 2", "")


def well_fed(network: Network) -> Network:
    """The network on so many data that these alone leave no direction of the parameters level.

    Raises:
        GaugeError: if more than 256 of its parameters are not 0.
    """
    count = len(network.theta)
    if count > MOST_PARAMETERS:
        raise GaugeError(
            f"this proof needs a dense Hessian; the network has {count} parameters that are not 0, "
            f"the most it takes is {MOST_PARAMETERS}"
        )
    return fed(network, _EACH * count)


def made_critical(network: Network) -> Network:
    r"""The network with targets that make its own parameters a critical point of its loss.

    The residuals are what remains of the targets after projection off the range of
    $\partial f/\partial\theta$, so that $\nabla L = 0$ while $L > 0$.
    """
    basis, sizes, _ = torch.linalg.svd(_slopes(network), full_matrices=False)
    basis = basis[:, sizes > _RANK * sizes[0]]
    residuals = network.wanted
    for _ in range(2):  # once more, for what rounding left
        residuals = residuals - basis @ (basis.T @ residuals)
    return replace(network, wanted=network.run(network.theta) - residuals)


def reach(network: Network) -> Tensor:
    """What rounding in the length of the gradient is measured against: no data cancel, a scalar."""
    rest = (network.run(network.theta) - network.wanted).abs()
    return (rest @ _slopes(network).abs()).norm() / (len(rest) * network.scale)


def aside(network: Network) -> Tensor:
    """A point near the parameters, every one of them some tenth larger or smaller."""
    draw = torch.Generator().manual_seed(2)
    noise = torch.randn(len(network.theta), generator=draw, dtype=torch.float64)
    return network.theta * (1 + _ASIDE * noise.to(network.theta))


def curvature(loss: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    """The dense Hessian of a function of the edges, shape `(edges, edges)`."""
    return hessian(lambda params: loss(params["theta"]), {"theta": theta})


def _slopes(network: Network) -> Tensor:
    """Derivatives of the outputs, shape `(data, edges)`."""
    return jacrev(network.run, chunk_size=_CHUNK)(network.theta)
