"""One training run, as the paper trains: the network, its two optimisers and its three arms."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gaugelib.balance import relative_imbalance
from gaugelib.data import Dataset
from gaugelib.experiments.settings import Settings
from gaugelib.experiments.store import Curves
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.mlp import mlp_group
from gaugelib.optim import EGD, GaugeFixing

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


def _optimizer(settings: Settings, model: nn.Module) -> torch.optim.Optimizer:
    """SGD or EGD, in which biases do not decay."""
    weights = [value for name, value in model.named_parameters() if name.endswith("weight")]
    biases = [value for name, value in model.named_parameters() if name.endswith("bias")]
    groups = [
        {"params": weights, "weight_decay": settings.weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]
    kind = torch.optim.SGD if settings.optimiser == "sgd" else EGD
    return kind(groups, lr=settings.lr)


class Training:
    """One run, an epoch at a time, with a state that can be stored and taken up again."""

    def __init__(self, settings: Settings, data: Dataset, device: torch.device | str) -> None:
        self.settings = settings
        self.data = data.to(dtype=getattr(torch, settings.precision), device=device)
        self.model = network(settings, data.features, data.classes).to(device)
        self.group: GaugeGroup = mlp_group(self.model).to(device)
        self.optimizer = _optimizer(settings, self.model)
        self.fixing = GaugeFixing(
            self.model, self.optimizer, self.group, p=settings.p, tol=settings.tol
        )
        self.order = torch.Generator().manual_seed(settings.seed)
        self.curves = Curves()
        self.diverged = False
        if settings.arm != "never":
            self.fixing.fix_()
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
        data = self.data
        order = torch.randperm(len(data.train_labels), generator=self.order)
        for chosen in order.to(data.train_labels.device).split(self.settings.batch):
            if self.settings.arm == "every" and not self._fixed_():
                return
            output = self.model(data.train_inputs[chosen])
            loss = functional.cross_entropy(output, data.train_labels[chosen])
            if not bool(loss.isfinite()):
                self.diverged = True
                return
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        for group in self.optimizer.param_groups:
            group["lr"] *= self.settings.lr_factor
        self._measure()

    def _fixed_(self) -> bool:
        """Fix the gauge; where weights are no longer finite there is none, and the run is over."""
        try:
            self.fixing.fix_()
        except GaugeError:
            if all(bool(value.isfinite().all()) for value in self.model.parameters()):
                raise
            self.diverged = True
        return not self.diverged

    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on, as tensors and plain data."""
        return {
            "settings": self.settings.as_dict(),
            "model": self.model.state_dict(),
            "order": self.order.get_state(),
            "optimizer": self.optimizer.state_dict(),
            "fixing": self.fixing.state_dict(),
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
        self.optimizer.load_state_dict(state["optimizer"])
        self.fixing.load_state_dict(state["fixing"])
        self.diverged = state["diverged"]
        self.curves = Curves(**state["curves"])

    @torch.no_grad()
    def _measure(self) -> None:
        data, curves, p = self.data, self.curves, self.settings.p
        params = dict(self.model.named_parameters())
        weights = [value for name, value in params.items() if name.endswith("weight")]
        powers = [w.abs().pow(p).sum(dtype=torch.float64) for w in weights]
        penalty = torch.stack(powers).sum() / p
        loss, train_error = self._judge(data.train_inputs, data.train_labels)
        if not (loss.isfinite() and penalty.isfinite()):
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
