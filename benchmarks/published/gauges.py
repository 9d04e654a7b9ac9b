"""The gauges that are compared, each as the scales of the units."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from published.activations import activations, with_activations
from published.loading import Network
from torch import Tensor

import gaugelib as gl
from gaugelib.gauges import rounding_gauge

RANDOM, PASSES = 5, 200
"""Draws of the random gauge, and bound on the passes over the weights that a gauge may take."""


def quantised(params: dict[str, Tensor]) -> list[str]:
    """The names of the weights of convolutions and linear layers: what a runtime puts into int8."""
    return [n for n, v in params.items() if v.dim() >= 2 and v[0].numel() > 1]


def sensitivity(network: Network, items: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    r"""For each parameter the mean of $\sum_o(\partial_e f_o)^2$ over some inputs.

    Random signs on the outputs, `probes` times an item: their product with the Jacobian has that
    mean square, whatever the signs.
    """
    model = network.model.float()
    params = dict(model.named_parameters())
    found = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in params.items()}
    count = 0
    for item in items.float():
        outputs = model(item[None])
        for probe in range(network.probes):
            signs = torch.randint(2, outputs.shape, generator=generator) * 2.0 - 1
            again = probe + 1 < network.probes
            slopes = torch.autograd.grad(
                (outputs * signs).sum(), list(params.values()), retain_graph=again
            )
            for name, slope in zip(params, slopes):
                found[name] += slope.double().square()
            count += 1
    model.double()
    return {name: value / count for name, value in found.items()}


def scales_of(
    network: Network, params: dict[str, Tensor], slopes: dict[str, Tensor], group: gl.GaugeGroup
) -> Iterator[tuple[str, Tensor]]:
    """The scales of every gauge, by its name."""
    yield "as shipped", group.identity()
    start = group.identity()
    for name, p in (("p = 2", 2.0), ("p = 8", 8.0), ("max-abs", 64.0)):
        if name in network.left_out:
            continue
        there, small = collapsed(gl.rescale(params, start, group), group, p)
        start = start * gl.minimum_norm(there, small, p=p, tol=1e-3, max_passes=PASSES).scales
        yield name, start
    total, small = collapsed(slopes, group, 1.0)
    flat = gl.balance_coefficients(total, small, exponent=-2, tol=1e-3, max_passes=PASSES)
    yield "min trace", flat.scales
    yield from _for_rounding(network, params, slopes, group, start)
    for number in range(RANDOM):
        draw = torch.Generator().manual_seed(number)
        yield f"random {number}", group.random(generator=draw)


def _for_rounding(
    network: Network,
    params: dict[str, Tensor],
    slopes: dict[str, Tensor],
    group: gl.GaugeGroup,
    start: Tensor,
) -> Iterator[tuple[str, Tensor]]:
    """The gauges in which rounding is expected to do least, sought from another one."""
    moved = {n: (2 * v).exp() for n, v in group.spread(start.log()).items()}
    seen, there = set(quantised(params)), gl.rescale(params, start, group)
    felt = {n: v / moved[n] if n in seen else torch.zeros_like(v) for n, v in slopes.items()}
    largest, small_group = collapsed(there, group, math.inf)
    small = largest, collapsed(felt, group, 1.0)[0], small_group
    for name, channels in (("rounding", False), ("rounding, channels", True)):
        if name not in network.left_out:
            found = rounding_gauge(*small, per_channel=channels, tol=network.tol)
            yield name, start * found
    parts = {}
    if "rounding, activations" not in network.left_out:
        parts = activations(network, group, torch.Generator().manual_seed(1))
    for name, (size, slope, entry) in parts.items():
        scale = torch.cat([torch.ones(1), start])[entry.target]
        parts[name] = size * scale, slope / scale.square(), entry
    if parts:
        found = rounding_gauge(*with_activations(*small, parts), tol=network.tol)
        yield "rounding, activations", start * found


def collapsed(
    values: dict[str, Tensor], group: gl.GaugeGroup, p: float
) -> tuple[dict[str, Tensor], gl.GaugeGroup]:
    """One entry for each kernel, the p-norm of its entries, and the group of these.

    All entries of a kernel move alike, so that this changes nothing but the time.
    """
    found = {}
    for name, entry in group.entries.items():
        value = values[name].detach().abs()
        ends = [index for index in (entry.target, entry.source) if index.dim() == value.dim()]
        if len(ends) == 2:
            alike = [k for k in range(2, value.dim()) if all(index.shape[k] == 1 for index in ends)]
            if alike:
                top = value.amax(alike, keepdim=True)
                unit = torch.where(top > 0, top, 1.0)
                value = unit * torch.linalg.vector_norm(value / unit, p, alike, keepdim=True)
        found[name] = value
    return found, replace(group, shapes={name: value.shape for name, value in found.items()})
