"""The gradient of a loss that is a function of a dictionary of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from gaugelib.group import GaugeError

Loss = Callable[[dict[str, Tensor]], Tensor]


def gradient(loss: Loss, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
    r"""$\nabla L(\theta)$, shaped as the parameters; nothing is written to any `.grad`.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor, as
            `lambda theta: mse_loss(functional_call(model, theta, (x,)), y)` with the
            `functional_call` of gaugelib.
        params: parameters by name, where the gradient is taken.

    Returns:
        A tensor for each parameter, zero where the loss does not depend on it.

    Raises:
        GaugeError: if the loss is not a real scalar tensor or depends on none of the parameters, if
            the gradient is not finite, if a parameter is not of a real floating dtype, or inside
            `torch.inference_mode`, where torch keeps no graph.

    Example:
        >>> gradient(lambda theta: theta["w"].square().sum(), {"w": torch.tensor([1.0, -3.0])})
        {'w': tensor([ 2., -6.])}
    """
    _, slopes = slopes_at(loss, params)
    return slopes


@torch.enable_grad()
def slopes_at(
    loss: Loss, params: Mapping[str, Tensor], *, again: bool = False
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Copies of the parameters, and the gradient there, by name; refuses what `gradient` refuses.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor.
        params: parameters by name.
        again: whether the gradient keeps its graph, to be differentiated again in the copies.
    """
    require_differentiable(params)
    leaves = {name: value.detach().requires_grad_() for name, value in params.items()}
    # of torch's ways to compute attention, the fused ones cannot be differentiated twice
    with sdpa_kernel(SDPBackend.MATH) if again else nullcontext():
        value = loss(dict(leaves))
    if not isinstance(value, Tensor) or value.dim() != 0:
        found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise GaugeError(f"the loss must return a tensor of shape (), found {found}")
    if value.is_complex():
        raise GaugeError(f"the loss must be real, found {value.dtype}")
    slopes: tuple[Tensor | None, ...] = (None,)
    if value.requires_grad:
        slopes = torch.autograd.grad(
            value, list(leaves.values()), allow_unused=True, create_graph=again
        )
    if all(slope is None for slope in slopes):
        raise GaugeError(
            "the loss depends on none of the parameters: it must be computed from the dictionary "
            "that it is given, as by gaugelib.functional_call(model, params, (x,))"
        )
    found = {}
    for (name, leaf), slope in zip(leaves.items(), slopes):
        found[name] = torch.zeros_like(leaf, requires_grad=False) if slope is None else slope
        if not bool(torch.isfinite(found[name]).all()):
            raise GaugeError(f"the gradient with respect to '{name}' holds NaN or infinity")
    return leaves, found


def require_differentiable(params: Mapping[str, Tensor]) -> None:
    """Refuse parameters of which torch takes no derivative."""
    for name, value in params.items():
        if not value.is_floating_point():
            raise GaugeError(
                f"'{name}' must be of a real floating dtype to be differentiated, "
                f"found {value.dtype}"
            )
        if torch.is_inference_mode_enabled() or value.is_inference():
            raise GaugeError(
                "inside torch.inference_mode, and of tensors made there, torch takes no "
                "derivatives; use torch.no_grad() instead, or clone the parameters outside"
            )
