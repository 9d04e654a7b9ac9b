"""What torch's autograd says of a WhichGauge: an oracle that shares no code with it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gaugelib import mlp_group
from gaugelib.gauges import balance_coefficients, quantise
from gaugelib.widgets import WhichGauge

F64 = {"dtype": torch.float64}
POWERS = {"norm": 2, "gradient": -2, "trace": -2}


@dataclass(frozen=True)
class Oracle:
    """Parameters (W, b, V, c), where a missing bias is None, and data."""

    params: list[Tensor | None]
    x: Tensor
    y: Tensor

    def outputs(self, params: list[Tensor | None], x: Tensor) -> Tensor:
        W, b, V, c = params
        z = torch.nn.functional.linear(x, W, b).relu()
        return torch.nn.functional.linear(z, V, c)

    def f(self) -> Tensor:
        return self.outputs(self.params, self.x)

    def moved(self, log2_scales) -> Oracle:
        a = torch.exp2(torch.tensor(log2_scales, **F64))
        W, b, V, c = self.params
        return Oracle([W * a[:, None], None if b is None else b * a, V / a, c], self.x, self.y)

    def jacobian(self) -> Tensor:
        """Of all outputs for all examples, by rows, to all parameters."""
        live = [value for value in self.params if value is not None]

        def of(*given):
            rest = iter(given)
            filled = [None if value is None else next(rest) for value in self.params]
            return self.outputs(filled, self.x).flatten()

        parts = torch.autograd.functional.jacobian(of, tuple(live))
        return torch.cat([part.flatten(1) for part in parts], 1)

    def norm(self) -> float:
        return sum(float(value.square().sum()) for value in self.params if value is not None)

    def gradient(self) -> float:
        miss = (self.f() - self.y).flatten()[:, None] * self.jacobian()
        each = miss.reshape(len(self.x), -1, miss.shape[1]).sum(1)
        return float(each.square().sum(1).mean())

    def curvature(self) -> Tensor:
        """Gauss–Newton's matrix."""
        jacobian = self.jacobian()
        return jacobian.T @ jacobian / len(self.x)

    def trace(self) -> float:
        return float(self.curvature().trace())

    def longest_step(self) -> float:
        return 2 / float(torch.linalg.eigvalsh(self.curvature())[-1])

    def quantised(self, bits: int) -> Oracle:
        """Both matrices quantised by the library."""
        W, b, V, c = self.params
        return Oracle([quantise(W, bits), b, quantise(V, bits), c], self.x, self.y)

    def error(self, bits: int) -> float:
        return float((self.quantised(bits).f() - self.f()).norm() / self.f().norm())


def oracle(widget: WhichGauge, log2_scales=None) -> Oracle:
    """The network that a widget shows, with its dials as they stand or as they are given."""
    parts = widget._networks[widget.network]
    (W, V), (b, c) = parts["weights"], parts["biases"]
    params = [torch.tensor(value, **F64) if value else None for value in (W, b, V, c)]
    x, y = (torch.tensor(parts[name], **F64) for name in ("inputs", "targets"))
    return Oracle(params, x, y).moved(widget.log2_scales if log2_scales is None else log2_scales)


def best(widget: WhichGauge, kind: str) -> tuple[list[float], float]:
    """The gauge of a kind by the library's solver, from coefficients of a plain sum over edges."""
    net = oracle(widget, [0.0] * len(widget.log2_scales))
    jacobian = net.jacobian()
    shapes = [value.shape for value in net.params if value is not None]
    if kind == "norm":
        flat = torch.cat([value.flatten() for value in net.params if value is not None]).square()
    elif kind == "trace":
        flat = (jacobian.square()).sum(0) / len(net.x)
    else:
        miss = (net.f() - net.y).flatten()[:, None] * jacobian
        flat = miss.reshape(len(net.x), -1, miss.shape[1]).sum(1).square().mean(0)
    names = [
        name
        for name, value in zip(("0.weight", "0.bias", "2.weight", "2.bias"), net.params)
        if value is not None
    ]
    parts = flat.split([shape.numel() for shape in shapes])
    c = {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes)}
    d, n, o = net.x.shape[1], len(net.params[0]), len(net.params[2])
    group = mlp_group(
        nn.Sequential(
            nn.Linear(d, n, bias=net.params[1] is not None),
            nn.ReLU(),
            nn.Linear(n, o, bias=net.params[3] is not None),
        )
    )
    found = balance_coefficients(c, group, exponent=POWERS[kind], tol=1e-13)
    dials = found.scales.log2().tolist()
    return dials, getattr(oracle(widget, dials), kind)()
