"""One training run, as the paper trains: the network, its two optimisers and its three arms."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gaugelib.balance import minimum_norm, relative_imbalance
from gaugelib.build import mlp_group
from gaugelib.data import Dataset
from gaugelib.experiments.settings import Settings
from gaugelib.experiments.store import Curves
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.modules import load_params_

AT_ONCE = 4096  # examples in one evaluation, to bound memory


def network(settings: Settings, inputs: int, classes: int) -> nn.Sequential:
    """The paper's network: hidden ReLU layers without biases, and outputs with.

    Example:
        >>> from gaugelib.experiments import settings
        >>> network(settings("digits", "egd", small=True), 64, 10)
        Sequential(
          (0): Linear(in_features=64, out_features=250, bias=False)
          (1): ReLU()
          (2): Linear(in_features=250, out_features=125, bias=False)
          (3): ReLU()
          (4): Linear(in_features=125, out_features=10, bias=True)
        )
    """
    draw = torch.Generator().manual_seed(settings.seed)
    dtype = getattr(torch, settings.precision)
    layers: list[nn.Module] = []
    widths = (inputs, *settings.hidden, classes)
    for position, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        last = position == len(widths) - 1
        layer = nn.utils.skip_init(nn.Linear, fan_in, fan_out, bias=last, dtype=dtype)
        assert isinstance(layer, nn.Linear)
        fans = fan_in if settings.init == "he" else fan_in + fan_out
        with torch.no_grad():
            # drawn in float64, so that both precisions start at the same network
            first = torch.randn(fan_out, fan_in, generator=draw, dtype=torch.float64)
            layer.weight.copy_(first * (2 / fans) ** 0.5)
            if last:
                layer.bias.fill_(settings.output_bias)
        layers += [layer] if last else [layer, nn.ReLU()]
    return nn.Sequential(*layers)


class Training:
    """One run, an epoch at a time, with a state that can be stored and taken up again."""

    def __init__(self, settings: Settings, data: Dataset, device: torch.device | str) -> None:
        self.settings = settings
        self.data = data.to(dtype=getattr(torch, settings.precision), device=device)
        self.model = network(settings, data.features, data.classes).to(device)
        self.group: GaugeGroup = mlp_group(self.model).to(device)
        self.order = torch.Generator().manual_seed(settings.seed)
        self.lr = settings.lr
        self.curves = Curves()
        self.diverged = False
        if settings.arm != "never":
            self._fix()
        self._measure()

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.curves.loss) - 1

    @property
    def done(self) -> bool:
        """Whether nothing is left to do: all epochs are done, or the run diverged."""
        return self.diverged or self.epoch >= self.settings.epochs

    def run_epoch_(self) -> None:
        """Train for one epoch, and measure."""
        s, data = self.settings, self.data
        order = torch.randperm(len(data.train_labels), generator=self.order)
        for chosen in order.to(data.train_labels.device).split(s.batch):
            if s.arm == "every":
                self._fix()
            output = self.model(data.train_inputs[chosen])
            loss = functional.cross_entropy(output, data.train_labels[chosen])
            if not bool(loss.isfinite()):
                self.diverged = True
                return
            self._update(torch.autograd.grad(loss, list(self.model.parameters())))
        self.lr *= s.lr_factor
        self._measure()

    @torch.no_grad()
    def _update(self, grads: tuple[Tensor, ...]) -> None:
        s = self.settings
        for (name, value), grad in zip(self.model.named_parameters(), grads, strict=True):
            decay = s.weight_decay if name.endswith("weight") else 0.0
            if s.optimiser == "sgd":
                value.mul_(1 - self.lr * decay).sub_(grad, alpha=self.lr)
            else:
                value.mul_((grad.mul_(value.sign()).add_(decay)).mul_(-self.lr).exp_())

    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on, as tensors and plain data."""
        return {
            "settings": self.settings.as_dict(),
            "model": self.model.state_dict(),
            "order": self.order.get_state(),
            "lr": self.lr,
            "diverged": self.diverged,
            "curves": asdict(self.curves),
        }

    def load_state_(self, state: dict[str, Any]) -> None:
        """Take up a run where `state` was taken.

        Raises:
            GaugeError: if the state belongs to other settings.
        """
        if state["settings"] != self.settings.as_dict():
            raise GaugeError(f"this is the state of another run: {state['settings']}")
        self.model.load_state_dict(state["model"])
        self.order.set_state(state["order"])
        self.lr, self.diverged = state["lr"], state["diverged"]
        self.curves = Curves(**state["curves"])

    def _fix(self) -> None:
        """Minimise the norm, if a unit's imbalance is above the tolerance."""
        if self._layer_imbalance() <= self.settings.tol:
            return
        params = dict(self.model.named_parameters())
        found = minimum_norm(params, self.group, p=self.settings.p, tol=self.settings.tol)
        load_params_(self.model, found.params)

    @torch.no_grad()
    def _layer_imbalance(self) -> Tensor:
        r"""The largest $\gamma$; as `relative_imbalance`, but for layers only and much faster."""
        powers = [w.square() if self.settings.p == 2 else w.abs() for w in self._weights()]
        pairs = [(a.sum(1), b.sum(0)) for a, b in pairwise(powers)]
        return torch.cat([(a - b).abs() / (a + b) for a, b in pairs]).max()

    def _weights(self) -> list[Tensor]:
        return [layer.weight for layer in self.model if isinstance(layer, nn.Linear)]

    @torch.no_grad()
    def _measure(self) -> None:
        data, curves, p = self.data, self.curves, self.settings.p
        params = dict(self.model.named_parameters())
        penalty = sum(w.abs().pow(p).sum(dtype=torch.float64) for w in self._weights()) / p
        loss, train_error = self._judge(data.train_inputs, data.train_labels)
        if not (torch.isfinite(loss) and torch.isfinite(torch.as_tensor(penalty))):
            self.diverged = True
            return
        curves.loss.append(float(loss))
        curves.penalty.append(float(penalty))
        curves.train_error.append(float(train_error))
        curves.test_error.append(float(self._judge(data.test_inputs, data.test_labels)[1]))
        imbalance = relative_imbalance(params, self.group, p)  # NaN for a dead unit: it has none
        curves.imbalance.append(float(imbalance.nan_to_num(0.0).max()))

    def _judge(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean log-loss and share of errors."""
        outputs = torch.cat([self.model(part) for part in inputs.split(AT_ONCE)]).double()
        wrong = outputs.argmax(1) != labels
        return functional.cross_entropy(outputs, labels), wrong.double().mean()
