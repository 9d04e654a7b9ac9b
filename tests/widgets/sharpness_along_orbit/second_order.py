"""Derivatives by torch's autograd, rescaling by gaugelib: the oracle of SharpnessAlongOrbit."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from gaugelib import generator, hessian, mlp_group, params_of, rescale
from gaugelib.widgets import SharpnessAlongOrbit

ORDER = ("0.weight", "0.bias", "2.weight", "2.bias")


class SecondOrder:
    """A network of one hidden layer at a point of an orbit, its loss and what curves there.

    Args:
        origin: parameters at every a = 1, named as in an `nn.Sequential`.
        inputs: the data, shape (n,).
        targets: shape (n,).
        log2_scales: where on the orbit.
        decay: weight decay λ.
    """

    def __init__(self, origin, inputs, targets, log2_scales, decay: float) -> None:
        units = len(origin["0.bias"])
        model = nn.Sequential(nn.Linear(1, units), nn.ReLU(), nn.Linear(units, 1)).double()
        model.load_state_dict(dict(origin))
        self.model, self.group, self.origin = model, mlp_group(model), params_of(model)
        self.x, self.y = (
            torch.as_tensor(values, dtype=torch.float64)[:, None] for values in (inputs, targets)
        )
        self.decay = decay
        self.params = self.at(log2_scales)

    def at(self, log2_scales) -> dict[str, Tensor]:
        scales = torch.as_tensor(log2_scales, dtype=torch.float64).exp2()
        return rescale(self.origin, scales, self.group)

    def outputs(self, params: Mapping[str, Tensor], x: Tensor | None = None) -> Tensor:
        return functional_call(self.model, dict(params), (self.x if x is None else x,))[:, 0]

    def loss(self, params: Mapping[str, Tensor]) -> Tensor:
        return (self.outputs(params) - self.y[:, 0]).square().mean() / 2

    def penalised(self, params: Mapping[str, Tensor]) -> Tensor:
        squares = sum(value.square().sum() for value in params.values())
        return self.loss(params) + self.decay * squares / 2

    def gradient(self) -> dict[str, Tensor]:
        return grad(self.loss)(self.params)

    def slope(self) -> float:
        return float(flat(grad(self.penalised)(self.params)).norm())

    def matrix(self, penalised: bool = True) -> Tensor:
        return hessian(self.penalised if penalised else self.loss, self.params)

    def values(self) -> Tensor:
        """Eigenvalues of the Hessian of the penalised loss, largest first."""
        return torch.linalg.eigvalsh(self.matrix()).flip(0)

    def tangent(self, unit: int) -> dict[str, Tensor]:
        direction = torch.zeros(self.group.units, dtype=torch.float64)
        direction[unit] = 1.0
        return generator(self.params, direction, self.group)

    def curvature(self) -> list[float]:
        """v_hᵀ H v_h of the loss without the penalty, for each unit."""
        matrix = self.matrix(penalised=False)
        tangents = [flat(self.tangent(h)) for h in range(self.group.units)]
        return [float(v @ matrix @ v) for v in tangents]

    def formula(self) -> list[float]:
        """-2 <g_in, w_in> of each unit, biases among the incoming."""
        slopes = self.gradient()
        products = sum(
            (slopes[name] * self.params[name]).reshape(self.group.units, -1).sum(1)
            for name in ("0.weight", "0.bias")
        )
        return (-2 * products).tolist()

    def line(self, unit: int, steps) -> list[float]:
        """The loss on the straight line that touches the unit's orbit."""
        v = self.tangent(unit)
        return [
            float(self.loss({name: value + t * v[name] for name, value in self.params.items()}))
            for t in steps
        ]


def flat(params: Mapping[str, Tensor]) -> Tensor:
    """All parameters as one vector, in the order of the widget."""
    return torch.cat([params[name].reshape(-1) for name in ORDER])


def oracle(widget: SharpnessAlongOrbit, log2_scales: list[float] | None = None) -> SecondOrder:
    """The same network in torch, from the point that the widget ships to the page."""
    dials = widget.log2_scales if log2_scales is None else log2_scales
    if widget.point == "away":
        parts = [widget.w_in, widget.b_in, widget.w_out, [widget.b_out]]
    else:
        shipped = widget._minima["points"][widget._minima["decays"].index(widget.decay)]
        units = len(widget.w_in)
        parts = torch.tensor(shipped, dtype=torch.float64).split([units, units, units, 1])
    shapes = ((-1, 1), (-1,), (1, -1), (1,))
    origin = {
        name: torch.as_tensor(part, dtype=torch.float64).reshape(shape)
        for name, part, shape in zip(ORDER, parts, shapes, strict=True)
    }
    return SecondOrder(origin, widget.inputs, widget.targets, dials, widget.decay)
