"""The error of a network's outputs once its weights are quantised, in every gauge."""

from __future__ import annotations

import math
from typing import Any

import torch
from published.gauges import quantised, scales_of, sensitivity
from published.loading import Network
from torch import Tensor
from tqdm import tqdm

import gaugelib as gl
from gaugelib.gauges import rounding_error

LEVELS = 127
"""Steps from 0 to the largest weight."""


def outputs_of(network: Network, params: dict[str, Tensor], items: int | None = None) -> Tensor:
    """The outputs on all inputs, or the first, in the parameters' own precision."""
    kind = next(iter(params.values())).dtype
    model = network.model.to(kind)
    with torch.no_grad():
        found = [
            gl.functional_call(model, params, (x.to(kind),))
            for x in network.inputs[:items].split(network.chunk)
        ]
    network.model.double()
    return torch.cat(found).double()


def relative(found: Tensor, true: Tensor) -> dict[str, float]:
    """The root mean square error over that of the outputs, and its standard error over items.

    The standard error is a jackknife's: each item is left out in turn.
    """
    wrong, size = (found - true).square().sum(1), true.square().sum(1)
    if not bool(torch.isfinite(wrong).all()):
        return {"error": math.inf, "standard_error": math.inf}
    left = ((wrong.sum() - wrong) / (size.sum() - size)).sqrt()
    count = len(wrong)
    spread = ((count - 1) / count * (left - left.mean()).square().sum()).sqrt()
    return {"error": float((wrong.sum() / size.sum()).sqrt()), "standard_error": float(spread)}


def rounded(params: dict[str, Tensor], channels: bool, longer: float = 0.0) -> dict[str, Tensor]:
    """The parameters with the weights of convolutions and linear layers in 8 bits.

    With a step that is `longer` by a part of itself the same error has another draw.
    """
    seen, found = quantised(params), {}
    for name, value in params.items():
        if name in seen:
            top = (
                value.flatten(1).abs().amax(1) if channels else value.abs().max().expand(len(value))
            )
            step = top.reshape(-1, *[1] * (value.dim() - 1)) * ((1 + longer) / LEVELS)
            step = torch.where(step > 0, step, 1.0)
            value = (value / step).round() * step
        found[name] = value.float()
    return found


def weights_only(network: Network) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Everything that is measured with the activations in floating point; the scales by gauge."""
    params, group = gl.params_of(network.model), gl.trace_group(network.model, network.small)
    params = {name: value.detach().clone() for name, value in params.items()}
    true = outputs_of(network, params)
    single = outputs_of(network, {n: v.float() for n, v in params.items()})
    draw = torch.Generator().manual_seed(0)
    promised = sensitivity(network, network.calibration, draw)
    felt = sensitivity(network, network.inputs, draw)
    light = gl.minimum_norm(params, group)
    kept = gl.weight_norm(light.params, group) / gl.weight_norm(params, group)
    found: dict[str, Any] = {
        "package": network.package,
        "units": group.units,
        "weights": sum(params[name].numel() for name in quantised(params)),
        "median_imbalance": float(gl.relative_imbalance(params, group).nanmedian()),
        "norm_left": float(kept),
        "items": len(network.inputs),
        "float32": relative(single, true)["error"],
        "task": network.task(true),
        "gauges": {},
    }
    scales = {}
    slopes = {"promised": promised, "expected": felt}
    for name, scale in tqdm(
        scales_of(network, params, promised, group), leave=False, unit=" gauges"
    ):
        there = gl.rescale(params, scale, group)
        change = outputs_of(network, there, 4) - true[:4]
        row: dict[str, Any] = {"largest_change": float(change.abs().max() / true[:4].abs().max())}
        for grain, channels in (("tensor", False), ("channel", True)):
            answers = outputs_of(network, rounded(there, channels))
            row[grain] = {**relative(answers, true), "task": network.task(answers)}
            for kind, values in slopes.items():
                row[grain][kind] = expected(there, values, scale, group, channels, true)
            if not name.startswith("random"):
                row[grain].update(over_steps(network, there, channels, true, row[grain]["error"]))
        found["gauges"][name] = row
        scales[name] = scale
    return found, scales


def expected(
    there: dict[str, Tensor],
    slopes: dict[str, Tensor],
    scales: Tensor,
    group: gl.GaugeGroup,
    channels: bool,
    true: Tensor,
) -> float:
    """The relative error that independent rounding is expected to make, to leading order."""
    seen = quantised(there)
    moved = {
        n: slopes[n] / (2 * v).exp() if n in seen else torch.zeros_like(slopes[n])
        for n, v in group.spread(scales.log()).items()
    }
    error = rounding_error(there, moved, group, per_channel=channels)
    return math.sqrt(float(error) / float(true.square().sum(1).mean()))


def over_steps(
    network: Network, there: dict[str, Tensor], channels: bool, true: Tensor, first: float
) -> dict[str, float]:
    """Mean and standard deviation of the error over five steps, the last four per cent longer.

    Which way each weight is rounded is another draw with another step: the deviation is luck.
    """
    errors = [first]
    for longer in (0.01, 0.02, 0.03, 0.04):
        answers = outputs_of(network, rounded(there, channels, longer))
        errors.append(relative(answers, true)["error"] / (1 + longer))
    found = torch.tensor(errors)
    return {"mean": float(found.mean()), "luck": float(found.std())}
