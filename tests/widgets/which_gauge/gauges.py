"""What torch's autograd says of a WhichGauge: an oracle that shares no code with it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.gauges import quantise
from gaugelib.widgets import WhichGauge

F64 = {"dtype": torch.float64}


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
