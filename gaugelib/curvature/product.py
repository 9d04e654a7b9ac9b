"""The Hessian times a direction, without the Hessian."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.gradient import Loss, slopes_at
from gaugelib.group import GaugeError, widest


class HessianProduct:
    r"""The map $v \mapsto \mathbf H v$ at one point, from one graph of the gradient that is kept.

    The loss is evaluated once; each product then differentiates $\langle\nabla L, v\rangle$, which
    costs about as much as two gradients. What is drawn at random in the loss, a dropout say, is
    drawn once, so all products are of one matrix. The graph is the memory that a product needs in
    any case: keeping it between products does not raise the peak.

    Attributes:
        slopes: $\nabla L$ by name.
        size: number $m$ of entries of all parameters.

    Example:
        >>> product = HessianProduct(lambda p: p["w"].prod(), {"w": torch.tensor([3.0, 4.0])})
        >>> product({"w": torch.tensor([1.0, 0.0])}), product({"w": torch.tensor([0.0, 2.0])})
        ({'w': tensor([0., 1.])}, {'w': tensor([2., 0.])})
    """

    def __init__(self, loss: Loss, params: Mapping[str, Tensor]) -> None:
        if not sum(value.numel() for value in params.values()):
            raise GaugeError("there are no parameters, so the loss has no second derivatives")
        self._leaves, self._kept = slopes_at(loss, params, again=True)
        self.slopes = {name: slope.detach() for name, slope in self._kept.items()}
        self.size = sum(leaf.numel() for leaf in self._leaves.values())
        self._dtype = widest(self._leaves)
        self._device = next(iter(self._leaves.values())).device
        self._sizes = [leaf.numel() for leaf in self._leaves.values()]

    def __call__(self, direction: Mapping[str, Tensor]) -> dict[str, Tensor]:
        r"""$\mathbf H v$ for a direction with the parameters' names and shapes.

        Raises:
            GaugeError: if names or shapes are not those of the parameters, or if the direction or
                the product holds NaN or infinity.
        """
        self._check(direction)
        bent = [name for name, slope in self._kept.items() if slope.requires_grad]
        parts: list[Tensor | None] = [None] * len(self._leaves)
        if bent:  # else the loss is linear in all of them
            parts = list(
                torch.autograd.grad(
                    [self._kept[name] for name in bent],
                    list(self._leaves.values()),
                    [direction[name].detach().to(self._kept[name]) for name in bent],
                    retain_graph=True,
                    allow_unused=True,
                )
            )
        found = {}
        for (name, leaf), part in zip(self._leaves.items(), parts):
            found[name] = torch.zeros_like(leaf, requires_grad=False) if part is None else part
            if not bool(torch.isfinite(found[name]).all()):
                raise GaugeError(
                    f"the product of the Hessian with a direction holds NaN or infinity at '{name}'"
                )
        return found

    def of_vector(self, vector: Tensor) -> Tensor:
        """The same for a vector of shape `(m,)`, entries in the order of the parameters, by rows.

        Returns:
            Shape `(m,)`, in the vector's dtype and on its device.
        """
        parts = vector.to(self._device, copy=True).split(self._sizes)
        direction = {n: part.view_as(leaf) for (n, leaf), part in zip(self._leaves.items(), parts)}
        found = [part.reshape(-1).to(self._device) for part in self(direction).values()]
        return torch.cat(found).to(vector)

    def zero(self) -> Tensor:
        """A vector of zeros, shape `(m,)`, in the widest dtype of the parameters."""
        return torch.zeros(self.size, dtype=self._dtype, device=self._device)

    def _check(self, direction: Mapping[str, Tensor]) -> None:
        missing, unknown = self._leaves.keys() - direction, direction.keys() - self._leaves.keys()
        if missing or unknown:
            raise GaugeError(
                "the direction needs an entry for each parameter: "
                f"missing {sorted(missing)}, unknown {sorted(unknown)}"
            )
        for name, leaf in self._leaves.items():
            if direction[name].shape != leaf.shape:
                raise GaugeError(
                    f"the direction of '{name}' must have shape {tuple(leaf.shape)}, "
                    f"found {tuple(direction[name].shape)}"
                )
            if not bool(torch.isfinite(direction[name]).all()):
                raise GaugeError(f"the direction of '{name}' holds NaN or infinity")


def hessian_product(
    loss: Loss, params: Mapping[str, Tensor], direction: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    r"""The Hessian of the loss times a direction, $\mathbf H v$, without forming the Hessian.

    It is the derivative of the gradient along $v$, by automatic differentiation. For many products
    at one point, `HessianProduct(loss, params)` evaluates the loss once for all of them.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor; by
            `gaugelib.functional_call`, the model is evaluated there and stays as it is.
        params: parameters by name, frozen ones too; what is left out is held fixed.
        direction: $v$, a tensor of the parameter's shape for each name.

    Returns:
        A tensor of its shape and dtype for each parameter, zero where the loss is linear.

    Raises:
        GaugeError: if the direction's names or shapes are not those of the parameters, the loss is
            not a scalar tensor or depends on none of the parameters, or if the gradient, the
            direction or the product is not finite.

    Source: Pearlmutter (1994), "Fast exact multiplication by the Hessian".

    Example:
        >>> params = {"w": torch.tensor([3.0]), "v": torch.tensor([2.0])}
        >>> direction = {"w": torch.tensor([1.0]), "v": torch.tensor([0.0])}
        >>> hessian_product(lambda p: (p["w"] * p["v"]).sum() ** 2 / 2, params, direction)
        {'w': tensor([4.]), 'v': tensor([12.])}
    """
    return HessianProduct(loss, params)(direction)
