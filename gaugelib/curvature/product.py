"""The Hessian times a direction, without the Hessian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gaugelib.gradient import Loss, slopes_at
from gaugelib.group import GaugeError, widest

_ONLY_ONCE = "torch cannot differentiate an operation of the loss twice: "


class HessianProduct:
    r"""The map $v \mapsto \mathbf H v$ at one point, from one graph of the gradient that is kept.

    The loss is evaluated once; each product then differentiates $\langle\nabla L, v\rangle$, which
    costs about as much as two gradients. What is drawn at random in the loss, a dropout say, is
    drawn once, so all products are of one matrix. The graph is the memory that a product needs in
    any case: keeping it between products does not raise the peak.

    Attributes:
        slopes: $\nabla L$ by name.
        size: number $m$ of entries of all parameters.
        dtype: the widest among the parameters, and float32 at least: vectors are kept in it.
        device: that of the first parameter.

    Example:
        >>> product = HessianProduct(lambda p: p["w"].prod(), {"w": torch.tensor([3.0, 4.0])})
        >>> product({"w": torch.tensor([1.0, 0.0])}), product({"w": torch.tensor([0.0, 2.0])})
        ({'w': tensor([0., 1.])}, {'w': tensor([2., 0.])})
    """

    def __init__(self, loss: Loss, params: Mapping[str, Tensor]) -> None:
        self._sizes = [value.numel() for value in params.values()]
        self.size = sum(self._sizes)
        if self.size == 0:
            raise GaugeError("there are no parameters, so the loss has no second derivatives")
        self._leaves, self._kept = slopes_at(loss, params, again=True)
        self.slopes = {name: slope.detach() for name, slope in self._kept.items()}
        self.dtype = torch.promote_types(widest(self._leaves), torch.float32)
        self.device = next(iter(self._leaves.values())).device
        _refuse_once_differentiable(self._kept)
        # those of which the gradient is no constant
        self._bent = [name for name, slope in self._kept.items() if slope.requires_grad]

    def __call__(self, direction: Mapping[str, Tensor]) -> dict[str, Tensor]:
        r"""$\mathbf H v$ for a direction with the parameters' names and shapes.

        Raises:
            GaugeError: if names or shapes are not those of the parameters, if the direction or the
                product holds NaN or infinity, or if the loss cannot be differentiated twice.
        """
        missing, unknown = self._leaves.keys() - direction, direction.keys() - self._leaves.keys()
        if missing or unknown:
            raise GaugeError(
                "the direction needs a tensor for each parameter: "
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
        return self._apply(direction)

    def of_vector(self, vector: Tensor) -> Tensor:
        """The same for a vector of shape `(m,)`, entries in the order of the parameters, by rows.

        Returns:
            Shape `(m,)`, in the vector's dtype and on its device.

        Raises:
            GaugeError: if the vector has another shape, or the product holds NaN or infinity.
        """
        if vector.shape != (self.size,):
            raise GaugeError(
                f"the vector must have shape ({self.size},), found {tuple(vector.shape)}"
            )
        parts = vector.to(self.device).split(self._sizes)
        direction = {n: part.view_as(leaf) for (n, leaf), part in zip(self._leaves.items(), parts)}
        found = self._apply(direction).values()
        return torch.cat([part.reshape(-1).to(self.device, vector.dtype) for part in found]).to(
            vector.device
        )

    def _apply(self, direction: Mapping[str, Tensor]) -> dict[str, Tensor]:
        parts: Sequence[Tensor | None] = [None] * len(self._leaves)
        if self._bent:
            try:
                parts = torch.autograd.grad(
                    [self._kept[name] for name in self._bent],
                    list(self._leaves.values()),
                    [direction[name].detach().to(self._kept[name]) for name in self._bent],
                    retain_graph=True,
                    allow_unused=True,
                )
            except RuntimeError as error:
                if "is not implemented" not in str(error):
                    raise
                raise GaugeError(f"{_ONLY_ONCE}{error}") from error
        found = {}
        for (name, leaf), part in zip(self._leaves.items(), parts):
            found[name] = torch.zeros_like(leaf, requires_grad=False) if part is None else part
            if not bool(torch.isfinite(found[name]).all()):
                raise GaugeError(f"the Hessian times a direction holds NaN or infinity at '{name}'")
        return found


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
            not a scalar tensor, depends on none of the parameters or holds an operation that torch
            differentiates only once, or if the gradient, the direction or the product is not
            finite.

    Source: Pearlmutter (1994), "Fast exact multiplication by the Hessian".

    Book: prop-master.

    Example:
        >>> params = {"w": torch.tensor([3.0]), "v": torch.tensor([2.0])}
        >>> direction = {"w": torch.tensor([1.0]), "v": torch.tensor([0.0])}
        >>> hessian_product(lambda p: (p["w"] * p["v"]).sum() ** 2 / 2, params, direction)
        {'w': tensor([4.]), 'v': tensor([12.])}
    """
    return HessianProduct(loss, params)(direction)


def _refuse_once_differentiable(slopes: Mapping[str, Tensor]) -> None:
    """Refuse a graph that holds the end which `once_differentiable` puts in the place of a path.

    Nothing leads from it to the parameters, so torch would take the path for no dependence.
    """
    waiting = [slope.grad_fn for slope in slopes.values()]
    seen = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name() == "torch::autograd::Error":
            raise GaugeError(f"{_ONLY_ONCE}its derivative is marked @once_differentiable")
        waiting += [following for following, _ in node.next_functions]
