"""Whether a group is a symmetry of a model, with none of the library's own code for rescaling.

The group is read as data: `entries` say between which nodes each parameter flows, and `combined`
of which units the nodes beyond them are made. All of it is in float64, also where a model asks for
less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from gaugelib import GaugeGroup

SEEDS = (101, 102, 103)


class Widened(TorchDispatchMode):
    """Gives float64 to whoever asks for less."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        args, kwargs = tree_map(_widened, (args, kwargs or {}))
        return func(*args, **kwargs)


def _widened(value: Any) -> Any:
    lower = isinstance(value, torch.dtype) and value.is_floating_point
    return torch.float64 if lower else value


def checked(model: nn.Module, inputs: tuple[Tensor, ...], group: GaugeGroup) -> dict[str, Any]:
    """How far random gauges move what the model says, and a wrong one.

    Args:
        model: in evaluation mode; it is converted to float64 and its parameters are moved.
        inputs: what it is called with.
        group: the group that is looked at.

    Returns:
        `change`, the largest over three gauges, relative to each output's largest entry; `control`,
        the same for a gauge that rescales entries by their target alone, which is none; and
        `largest`, the largest entry of all outputs.
    """
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        model = model.double()
        inputs = tuple(x.double() if x.is_floating_point() else x for x in inputs)
        stir_(model)
        before = outputs(model, inputs)
        found: dict[str, Any] = {"largest": max(float(y.abs().max()) for y in before if y.numel())}
        logs = [draw(group.units, seed) for seed in SEEDS]
        found["change"] = worst([change(before, moved(model, inputs, group, v)) for v in logs])
        if group.units:
            wrong = moved(model, inputs, group, logs[0], sources=False)
            found["control"] = change(before, wrong)
    finally:
        torch.set_default_dtype(default)
    return found


def draw(units: int, seed: int) -> Tensor:
    """Normal log-scales, shape (units,)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(units, generator=generator, dtype=torch.float64)


@torch.no_grad()
def stir_(model: nn.Module) -> None:
    """Move every parameter and every running mean and variance off the values it began with.

    A layer that begins at zero, or at a millionth, would hide what is wrong with it.
    """
    generator = torch.Generator().manual_seed(7)
    for value in model.parameters():
        size = max(float(value.square().mean().sqrt()), 0.1)
        value += 0.1 * size * torch.randn(value.shape, generator=generator)
    for name, value in model.named_buffers():
        if name.endswith("running_mean"):
            value += 0.1 * torch.randn(value.shape, generator=generator)
        elif name.endswith("running_var"):
            value *= 1 + 0.3 * torch.rand(value.shape, generator=generator)


def outputs(model: nn.Module, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """Every tensor that comes out, in the model's order."""
    with torch.no_grad(), Widened():
        found = model(*inputs)
    return [value.detach().clone() for value in tree_leaves(found) if isinstance(value, Tensor)]


def scales_of(group: GaugeGroup, logs: Tensor) -> Tensor:
    """The scale of every node, from the log-scales of the units: shape (1 + units + combined,)."""
    nodes = [0.0, *logs.tolist()]
    combined = getattr(group, "combined", None)
    if combined is not None:
        terms = zip(combined.units.tolist(), combined.powers.tolist())
        nodes += [sum(p * nodes[u] for u, p in zip(*term)) for term in terms]
    return torch.tensor(nodes, dtype=torch.float64).exp()


def moved(
    model: nn.Module,
    inputs: tuple[Tensor, ...],
    group: GaugeGroup,
    logs: Tensor,
    *,
    sources: bool = True,
) -> list[Tensor]:
    """What the model says with its parameters rescaled; they go back, but for rounding."""
    factors = scales_of(group, logs)
    rescale_(model, group, factors, sources)
    try:
        return outputs(model, inputs)
    finally:
        rescale_(model, group, 1 / factors, sources)


@torch.no_grad()
def rescale_(model: nn.Module, group: GaugeGroup, factors: Tensor, sources: bool) -> None:
    """Multiply each entry by the factor of its target, and divide it by that of its source."""
    params = dict(model.named_parameters())
    for name, entry in group.entries.items():
        params[name].mul_(factors[entry.target])
        if sources:
            params[name].div_(factors[entry.source])


def change(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    """The largest difference, relative to each output's largest entry; nan if one is not finite."""
    if [y.shape for y in before] != [y.shape for y in after]:
        return float("inf")
    found = [0.0]
    for was, now in zip(before, after):
        if not was.numel():
            continue
        if was.is_floating_point():
            difference = float((was - now).abs().max())
            found.append(difference and difference / float(was.abs().max()))
        else:
            found.append(float((was != now).any()))
    return worst(found)


def worst(found: Sequence[float]) -> float:
    """The largest, or nan if one of them is."""
    return float(torch.tensor(found, dtype=torch.float64).max())
