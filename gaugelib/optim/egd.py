r"""Exponentiated gradient descent: the optimizer whose own norm is $\ell_1$."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from gaugelib.balance.solver.powers import pieces
from gaugelib.bounds import require_not_negative
from gaugelib.group import GaugeError
from gaugelib.memory import refuse_unwritable, uninterrupted


class EGD(Optimizer):
    r"""Exponentiated gradient descent: parameters are multiplied, never added to.

    $$W \leftarrow W\,\exp(-\eta\,\mathrm{sgn}(W)\,\partial L/\partial W - \eta\lambda)$$

    It steps along the modulated flow with $p=1$, whose charge is
    $\sum_{\mathrm{in}}|\theta_e| - \sum_{\mathrm{out}}|\theta_e|$; $\lambda$ is the strength of the
    penalty $\lambda\sum|W|$ that goes with it. No parameter ever changes its sign, and one that is
    zero stays zero: start biases away from zero, on the side where they are wanted.

    In the paper biases do not decay: give them a group of their own with `weight_decay=0.0`.

    Args:
        params: parameters, or groups of them with their own `lr` and `weight_decay`.
        lr: the learning rate $\eta \ge 0$.
        weight_decay: the strength $\lambda \ge 0$.

    Raises:
        GaugeError: if `lr` or `weight_decay` is negative or not finite, a parameter is not real
            floating point, or a gradient is sparse.

    Source: Saul (2023), eqs. (40)-(41); the book, "The pairing".

    Book: prop-egd.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([4.0, -4.0, 0.0]))
        >>> weight.grad = torch.full((3,), 2.0).log()
        >>> EGD([weight], lr=1.0).step()
        >>> weight.tolist()  # halved, doubled, stuck
        [2.0, -8.0, 0.0]
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 0.1,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, as in every optimizer of torch.

        Raises:
            GaugeError: as the class does.
        """
        super().add_param_group(param_group)
        added = self.param_groups[-1]
        for name in ("lr", "weight_decay"):
            require_not_negative(name, added[name])
        for value in added["params"]:
            if not value.is_floating_point():
                raise GaugeError(f"parameters must be real floating point, found {value.dtype}")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step.

        Args:
            closure: evaluates the loss again and returns it, after calling `backward`.

        Returns:
            What the closure returned.

        Raises:
            GaugeError: if a gradient is sparse or a parameter cannot be written; then none was.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        moving = [
            (value, value.grad, group["lr"], group["weight_decay"])
            for group in self.param_groups
            for value in group["params"]
            if value.grad is not None
        ]
        for value, grad, *_ in moving:
            if grad.layout != torch.strided:
                raise GaugeError(
                    f"a gradient of shape {tuple(value.shape)} is sparse; EGD needs dense ones. No "
                    "parameter was changed"
                )
        names = (f"{number}, of shape {tuple(v.shape)}," for number, (v, *_) in enumerate(moving))
        refuse_unwritable(dict(zip(names, (v for v, *_ in moving))), "parameter {}")
        with uninterrupted():
            for value, grad, lr, decay in moving:
                _multiply_(value, grad, lr, decay)
        return loss


def _multiply_(value: Tensor, grad: Tensor, lr: float, decay: float) -> None:
    """The update of one parameter, in pieces that stay in a processor's cache."""
    if not value.dim():
        value, grad = value.reshape(1), grad.reshape(1)
    for where in pieces(value):
        piece = value[where]
        piece.mul_(piece.sign().mul_(grad[where]).add_(decay).mul_(-lr).exp_())
