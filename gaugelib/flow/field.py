r"""The velocity of a flow as a function of one vector, and where it is not defined.

$\dot\theta = -|\theta|^{2-p}\odot\nabla L - \lambda\,\mathrm{sgn}(\theta)|\theta|^{q+1-p}$, or in
flat coordinates the same times $d\varphi/d\theta = |\theta|^{p/2-1}$.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gaugelib.flow.flat import from_flat, to_flat
from gaugelib.gradient import Loss, gradient
from gaugelib.group import GaugeError


@dataclass(frozen=True, eq=False)
class Field:
    """A flow of the moving parameters, all in one vector.

    Attributes:
        loss: the loss, a function of all parameters.
        params: all parameters at the start.
        moving: names of those that move, in the order of the vector.
        p: exponent of the metric.
        decay: strength of the penalty.
        q: exponent of the penalty.
        flat: whether the vector holds flat coordinates, else the parameters themselves.
    """

    loss: Loss
    params: Mapping[str, Tensor]
    moving: tuple[str, ...]
    p: float
    decay: float
    q: float
    flat: bool

    def start(self) -> Tensor:
        """The vector at time 0, shape `(m,)`.

        Raises:
            GaugeError: if the flow is not defined there, naming the parameter.
        """
        theta = torch.cat([self.params[name].reshape(-1) for name in self.moving])
        if not (self._passes_zero or self.p <= 1):
            self._refuse(theta == 0, "is zero at the start")
        return to_flat(theta, self.p) if self.flat else theta

    def velocity(self, x: Tensor) -> Tensor:
        """The velocity at a vector of shape `(m,)`.

        Raises:
            GaugeError: if the flow is not defined there, or not finite, naming the parameter.
        """
        theta = self.theta(x)
        size, shift = theta.abs(), self.p / 2 - 1 if self.flat else 0.0
        slopes = gradient(self._moving_loss, self.unpack(theta))
        slope = torch.cat([slopes[name].reshape(-1) for name in self.moving])
        velocity = -size.pow(2 - self.p + shift) * slope
        if self.decay:
            # At zero the penalty pulls nowhere, whatever the sign of its exponent.
            pull = theta.sign() * size.pow(self.q + 1 - self.p + shift)
            velocity = velocity - self.decay * torch.where(size > 0, pull, 0.0)
        return velocity

    def theta(self, x: Tensor) -> Tensor:
        """The moving parameters in one vector, from the vector that the integrator moves.

        Raises:
            GaugeError: if one is not finite, or reached zero where the flow cannot pass.
        """
        theta = from_flat(x, self.p) if self.flat else x
        self._refuse(~torch.isfinite(theta), "is NaN or infinite: the steps are too long")
        if not self._passes_zero:
            self._refuse(
                (theta * self._signs <= 0) & (self._signs != 0), "reaches zero or changes sign"
            )
        return theta

    def unpack(self, theta: Tensor) -> dict[str, Tensor]:
        """The moving parameters by name, from a vector of them."""
        parts = theta.split([self.params[name].numel() for name in self.moving])
        return {n: part.view(self.params[n].shape) for n, part in zip(self.moving, parts)}

    def _moving_loss(self, moving: dict[str, Tensor]) -> Tensor:
        return self.loss({**self.params, **moving})

    @cached_property
    def _signs(self) -> Tensor:
        return torch.cat([self.params[name].reshape(-1).sign() for name in self.moving])

    @property
    def _passes_zero(self) -> bool:
        return self.p == 2 and (self.decay == 0 or self.q > 1)

    def _refuse(self, bad: Tensor, what: str) -> None:
        if not bool(bad.any()):
            return
        place = int(bad.nonzero()[0])
        for name in self.moving:
            value = self.params[name]
            if place < value.numel():
                at = torch.unravel_index(torch.tensor(place), value.shape) if value.dim() else ()
                index = f"[{', '.join(str(int(i)) for i in at)}]" if value.dim() else ""
                why = "" if "NaN" in what else f", {self._why()}"
                raise GaugeError(f"'{name}{index}' {what}{why}")
            place -= value.numel()

    def _why(self) -> str:
        if self.p > 2:
            return f"where for p = {self.p:g} > 2 its speed |θ|^(2-p) is infinite"
        if self.p == 2:
            return f"where the penalty with exponent {self.q:g} has no derivative"
        if self.p > 1:
            return f"from where for p = {self.p:g}, between 1 and 2, there is more than one way on"
        if self.decay and self.q < self.p:
            return f"where the penalty with exponent {self.q:g} is not smooth enough to go on"
        return f"though for p = {self.p:g} the flow itself keeps signs: the steps are too long"
