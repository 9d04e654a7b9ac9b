"""What a quantiser of activations sees, as edges from the ground that the same solver takes.

The step of an activation tensor is its range over 255 levels, and the ranges of its channels are
multiplied by their scales, while what the outputs feel of an error there is divided by them. So a
channel counts like a weight into its unit, with half its range for a size, and the error of weights
and activations together is again convex in the logarithms of the scales.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from published.loading import Network
from torch import Tensor, nn

from gaugelib import Entry, GaugeGroup

LAYERS = (nn.Conv2d, nn.Linear)


@dataclass
class Seen:
    """One activation tensor: its channels' units, lowest and highest values, and sensitivities."""

    units: Tensor
    low: Tensor
    high: Tensor
    slopes: Tensor
    now: Tensor | None = None


def activations(
    network: Network, group: GaugeGroup, generator: torch.Generator
) -> dict[str, tuple[Tensor, Tensor, Entry]]:
    r"""Sizes and sensitivities of what flows into each layer, and out of it if no ReLU follows.

    Returns:
        By name half the range of each channel over the calibration inputs, the mean of
        $\sum_{o,t}(\partial f_o/\partial h_t)^2$ over its places $t$, and its edges.
    """
    model, seen, hooks = network.model.float(), {}, []
    for name, layer in model.named_modules():
        if isinstance(layer, LAYERS) and f"{name}.weight" in group.entries:
            entry = group.entries[f"{name}.weight"]
            if bool(entry.source.any()):
                hooks.append(layer.register_forward_pre_hook(_into(f"{name} in", entry, seen)))
            if network.out != "next" and bool(entry.target.any()):
                look = _out_of(f"{name} out", entry, seen, network.out == "positive")
                hooks.append(layer.register_forward_hook(look))
    for item in network.calibration.float() if hooks else ():
        outputs = model(item[None])
        for probe in range(network.probes):
            signs = torch.randint(2, outputs.shape, generator=generator) * 2.0 - 1
            kept = [part.now for part in seen.values()]
            again = probe + 1 < network.probes
            slopes = torch.autograd.grad((outputs * signs).sum(), kept, retain_graph=again)
            for part, slope in zip(seen.values(), slopes):
                squares = slope.double().square()
                part.slopes += squares.sum([k for k in range(slope.dim()) if k != 1])
    for hook in hooks:
        hook.remove()
    model.double()
    count, ground = len(network.calibration) * network.probes, torch.zeros(1, dtype=torch.int64)
    return {
        name: ((part.high - part.low) / 2, part.slopes / count, Entry(part.units, ground))
        for name, part in seen.items()
    }


def with_activations(
    params: dict[str, Tensor],
    slopes: dict[str, Tensor],
    group: GaugeGroup,
    parts: dict[str, tuple[Tensor, Tensor, Entry]],
) -> tuple[dict[str, Tensor], dict[str, Tensor], GaugeGroup]:
    """The network with its activations for further weights, which `rounding_gauge` takes."""
    entries, shapes = dict(group.entries), dict(group.shapes)
    params, slopes = dict(params), dict(slopes)
    for name, (size, slope, entry) in parts.items():
        params[name], slopes[name], entries[name], shapes[name] = size, slope, entry, size.shape
    return params, slopes, replace(group, entries=entries, shapes=shapes)


def _into(name: str, entry: Entry, seen: dict[str, Seen]) -> Callable[..., Any]:
    units = entry.source.reshape(-1)

    def look(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        _note(name, units, given[0], seen)

    return look


def _out_of(name: str, entry: Entry, seen: dict[str, Seen], positive: bool) -> Callable[..., Any]:
    units = entry.target.reshape(-1)

    def look(layer: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        _note(name, units, result, seen, positive)

    return look


def _note(
    name: str, units: Tensor, value: Tensor, seen: dict[str, Seen], positive: bool = False
) -> None:
    rest = [k for k in range(value.dim()) if k != 1]
    low = value.detach().amin(rest).clamp(max=0).double() * (not positive)
    high = value.detach().amax(rest).clamp(min=0).double()
    if name not in seen:
        seen[name] = Seen(units, low, high, torch.zeros_like(low))
    part = seen[name]
    part.low, part.high = torch.minimum(part.low, low), torch.maximum(part.high, high)
    part.now = value
