"""Training with torch's own autograd and optimisers: the oracle of ChargeMonitor."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gaugelib import charge, mlp_group
from gaugelib.widgets import ChargeMonitor
from gaugelib.widgets.shared.numbers import uniform


class Training:
    """One ChargeMonitor's network, trained by `torch.optim`; the state after every step."""

    def __init__(self, widget: ChargeMonitor, lr: float | None = None) -> None:
        self.widget, self.lr = widget, widget.lr if lr is None else lr
        widths = [len(widget.weights[0][0]), *map(len, widget.weights)]
        layers = [
            layer
            for m, n in pairwise(widths)
            for layer in (nn.Linear(m, n, bias=bool(widget.biases)), nn.ReLU())
        ]
        self.model = nn.Sequential(*layers[:-1]).double()
        self.model.load_state_dict(widget.to_params())
        self.group = mlp_group(self.model)
        self.x, self.y = (
            torch.tensor(values, dtype=torch.float64) for values in (widget.inputs, widget.targets)
        )
        self.charges = [self.charge()]
        self.losses = [self.loss().item()]
        self.outputs = self.model(self.x).detach()
        self.gradient = [g.detach() for g in self.slopes()]
        self.formula: list[Tensor] = []
        self.train()

    def charge(self) -> Tensor:
        params = {name: value.detach() for name, value in self.model.named_parameters()}
        return charge(params, self.group, self.widget.p)

    def loss(self, rows=slice(None)) -> Tensor:
        miss = self.model(self.x[rows]) - self.y[rows]
        return miss.square().sum() / (2 * len(miss))

    def slopes(self, rows=slice(None)) -> tuple[Tensor, ...]:
        return torch.autograd.grad(self.loss(rows), list(self.model.parameters()))

    def train(self) -> None:
        widget, state = self.widget, self.widget.random_state
        rule = self.rule()
        for _ in range(round(widget.until / self.lr)):
            rows = slice(None)
            if widget.batch:
                rows = []
                for _ in range(widget.batch):
                    u, state = uniform(state)
                    rows.append(math.floor(u * len(self.x)))
            slopes = self.slopes(rows)
            self.formula.append(self.one_step(slopes))
            rule(slopes)
            self.charges.append(self.charge())
        self.losses.append(self.loss().item())

    def rule(self):
        """torch's SGD or Adam; for p = 1 SGD on the logarithms of the weights' sizes."""
        widget, params = self.widget, list(self.model.parameters())
        momentum, decay = widget.momentum, widget.decay
        memory = {"momentum": momentum, "dampening": momentum}
        if widget.method == "adam":
            optimiser = torch.optim.Adam(params, lr=self.lr, weight_decay=decay)
        elif widget.p == 2:
            optimiser = torch.optim.SGD(params, lr=self.lr, weight_decay=decay, **memory)
        else:
            logs = [w.detach().abs().log() for w in params]
            optimiser = torch.optim.SGD(logs, lr=self.lr, **memory)

            def exponentiated(slopes) -> None:
                for w, log, g in zip(params, logs, slopes, strict=True):
                    log.grad = w.detach().sign() * g + decay
                optimiser.step()
                for w, log in zip(params, logs, strict=True):
                    w.data = w.detach().sign() * log.exp()

            return exponentiated

        def step(slopes) -> None:
            for w, g in zip(params, slopes, strict=True):
                w.grad = g
            optimiser.step()

        return step

    def one_step(self, slopes) -> Tensor:
        """The charge after a step of plain descent: exact for p = 2, to second order for p = 1."""
        widget, named = self.widget, dict(self.model.named_parameters())
        grads = dict(zip(named, slopes, strict=True))
        if widget.p == 2:
            drift = self.group.collect({n: g.square() for n, g in grads.items()})
            return (1 - self.lr * widget.decay) ** 2 * self.charges[-1] + self.lr**2 * drift
        half = {n: named[n].detach().abs() * g.square() / 2 for n, g in grads.items()}
        return math.exp(-self.lr * widget.decay) * (
            self.charges[-1] + self.lr**2 * self.group.collect(half)
        )

    @property
    def off(self) -> float:
        """How far the charges end from the law of the flow."""
        widget = self.widget
        law = self.charges[0] * math.exp(-widget.decay * widget.p * widget.until)
        return (self.charges[-1] - law).abs().max().item()

    @property
    def first(self) -> dict:
        """The first step's drift, measured and by the formula, at the unit where it is largest."""
        measured = self.charges[1] - self.charges[0]
        unit = int(measured.abs().argmax())
        formula = self.formula[0] - self.charges[0]
        return {
            "unit": unit + 1,
            "measured": measured[unit].item(),
            "formula": formula[unit].item(),
        }

    @property
    def misfit(self) -> float:
        """The largest miss of the formula over all steps and units."""
        found, wanted = torch.stack(self.charges[1:]), torch.stack(self.formula)
        return (found - wanted).abs().max().item()
