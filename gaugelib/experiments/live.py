"""Parts of the experiments that are computed while one reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gaugelib.balance import minimum_norm
from gaugelib.data import Dataset, digits
from gaugelib.experiments.runner import run_all
from gaugelib.experiments.settings import Optimiser, Settings, grid
from gaugelib.experiments.store import Run
from gaugelib.experiments.training import network
from gaugelib.group import GaugeError
from gaugelib.mlp import mlp_group
from gaugelib.modules import functional_call, params_of


def digits_live(
    *,
    depth: int = 3,
    optimisers: Sequence[Optimiser] = ("sgd", "egd"),
    epochs: int = 10,
    seeds: int = 3,
    progress: bool = False,
    **changes: Any,
) -> tuple[Run, ...]:
    r"""A small part of Figures 3 and 4, computed in seconds: digits, narrow layers, three arms.

    Args:
        depth: number of weight layers, 3, 5 or 7.
        optimisers: one or both.
        epochs: how many.
        seeds: how many, from 0.
        progress: whether to show a bar.
        **changes: other fields of `Settings`, such as `weight_decay=1e-3`.

    Returns:
        What `curves_of` and `verdict` read.
    """
    few = grid(
        ["digits"],
        depths=[depth],
        optimisers=optimisers,
        seeds=range(seeds),
        small=True,
        epochs=epochs,
        **changes,
    )
    return run_all(few, device="cpu", progress=progress)


def gradient_gain(settings: Settings, data: Dataset | None = None) -> float:
    r"""How much larger $\|\nabla L\|^2$ is in the minimum-norm gauge than at the first weights.

    The gradient is that of all weights, over all training examples. To first order in $\eta$ the
    loss falls by $\eta\|\nabla L\|^2$ in a step of gradient descent: a gain of 1.6 is worth a
    learning rate 1.6 times as large.

    Args:
        settings: which network; what concerns training is not used.
        data: by default the digits.

    Raises:
        GaugeError: if the norm cannot be minimised.
    """
    data = (digits() if data is None else data).to(dtype=getattr(torch, settings.precision))
    model = network(settings, data.features, data.classes)
    first = params_of(model)
    balanced = minimum_norm(first, mlp_group(model), p=settings.p, tol=1e-6)
    if not balanced.converged:
        raise GaugeError(f"the minimum-norm gauge was not reached: γ is {balanced.imbalance}")

    def loss(params: dict[str, torch.Tensor]) -> torch.Tensor:
        outputs = functional_call(model, params, data.train_inputs)
        return torch.nn.functional.cross_entropy(outputs, data.train_labels)

    def square(params: dict[str, torch.Tensor]) -> torch.Tensor:
        grads = torch.func.grad(loss)(params)
        squares = [g.square().sum() for name, g in grads.items() if name.endswith("weight")]
        return torch.stack(squares).sum()

    return float(square(balanced.params) / square(first))
