"""Checkers for "Second-order structure": null vectors of rescaling, curvature along an orbit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gaugelib.action import generator
from gaugelib.balance import laplacian
from gaugelib.check.answer import answer_of
from gaugelib.check.second_order.networks import Network, convolutional, layered, residual
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise
from gaugelib.curvature import hessian_product
from gaugelib.group import GaugeGroup


def zero_modes(function: Callable[[dict[str, Tensor], GaugeGroup], Any]) -> Verdict:
    """Check a function (params, group) -> independent null vectors that rescaling gives a minimum.

    Args:
        function: takes the parameters of a network, in which units may be dead, and its group;
            returns the number of independent tangents v_h.

    Example:
        >>> zero_modes(lambda params, group: len(group.layers))
        Not yet: one for each hidden unit, not one for each layer.
    """

    def test() -> str:
        for name, network, outside in _counted():
            params, group = network.params, network.group
            found = answer_of(function, params, group, like=1.0)
            graph = laplacian(params, group, include_bias=True)
            right = int(torch.linalg.matrix_rank(graph))
            if close(found, right):
                continue
            recognise(found, _wrong_counts(params, group, graph, outside))
            raise WrongAnswer(
                f"{name}: rescaling gives {right}, not {found:g}; how many of the tangents v_h "
                "are independent?"
            )
        return "one for each unit that can be rescaled, on dense and on convolutional networks."

    return judge(test)


def orbit_curvature(
    function: Callable[[dict[str, Tensor], dict[str, Tensor], GaugeGroup], Any],
) -> Verdict:
    """Check a function (params, gradient, group) -> vᵀHv for the tangent of each hidden unit.

    Args:
        function: takes the parameters, the gradient of a loss there, and the group; returns one
            number for each unit, shape `(units,)`.
    """

    def test() -> str:
        plain, biased = layered(3, 4, 2), layered(3, 4, 3, 2, bias=True)
        for network in (plain, biased, convolutional(), residual()):
            params, group = network.params, network.group
            slopes = torch.func.grad(network.loss)(params)
            right = _curvatures(network)
            found = answer_of(function, params, slopes, group, like=right, pure=True)
            if close(found, right):
                continue
            recognise(found, _wrong_curvatures(params, slopes, group))
            raise WrongAnswer(
                "differentiate ⟨∇L, v_h⟩ = 0 once more along v_h, and use it again: what flows in "
                "and what flows out give the same."
            )
        return "−2⟨g_in, w_in⟩ with the bias, on four kinds of networks, and no second derivative."

    return judge(test)


def _counted() -> Iterator[tuple[str, Network, dict[str, int]]]:
    """A name, a network, and what around its hidden units might be counted in their place."""
    yield "4-3-1", layered(4, 3, 1), {"inputs": 4, "outputs": 1}
    yield "3-6-4-2 with biases", layered(3, 6, 4, 2, bias=True), {"inputs": 3, "outputs": 2}
    places = {"inputs": 1, "outputs": 2, "pixels": 3 * 9 + 2 * 4}
    yield "two convolutions", convolutional(), places
    dead = _without(layered(3, 5, 2, bias=True), {"0.weight": 1, "0.bias": 1, "2.weight": (..., 1)})
    yield "one unit without weights", dead, {"inputs": 3, "outputs": 2}
    pair = _without(layered(3, 4, 3, 2), {"0.weight": 1, "4.weight": (..., 2)})
    pair = _without(_without(pair, {"2.weight": (2, [0, 2, 3])}), {"2.weight": ([0, 1], 1)})
    yield "two units that only feed each other", pair, {"inputs": 3, "outputs": 2}


def _without(network: Network, places: Mapping[str, Any]) -> Network:
    """The same network with some entries at 0."""
    params = {name: value.clone() for name, value in network.params.items()}
    for name, place in places.items():
        params[name][place] = 0.0
    return replace(network, params=params)


def _wrong_counts(
    params: Mapping[str, Tensor], group: GaugeGroup, graph: Tensor, places: Mapping[str, int]
) -> dict[str, int]:
    total = sum(value.numel() for value in params.values())
    wrong = {
        "one for each hidden unit, not one for each layer.": len(group.layers),
        "that counts parameters; a scale belongs to a unit.": total,
        "that is the largest rank that is left; the zeros are asked for.": total - group.units,
        "inputs come from the world, so none of them can be rescaled.": (
            group.units + places["inputs"]
        ),
        "outputs are read by the world, so none of them can be rescaled.": (
            group.units + places["outputs"]
        ),
        "neither inputs nor outputs can be rescaled.": sum(
            [group.units, places["inputs"], places["outputs"]]
        ),
        "none of these tangents is zero, and yet two of them are parallel.": int(
            (graph.diagonal() > 0).sum()
        ),
        "a unit without any weight has no tangent: rescaling it moves nothing.": group.units,
    }
    if "pixels" in places:
        wrong["a channel has one scale, which all of its pixels share."] = places["pixels"]
    return wrong


def _curvatures(network: Network) -> Tensor:
    """vᵀHv, one unit after the other, by second derivatives."""
    found = []
    for unit in torch.eye(network.group.units, dtype=torch.float64):
        tangent = generator(network.params, unit, network.group)
        product = hessian_product(network.loss, network.params, tangent)
        found.append(torch.stack([(tangent[n] * product[n]).sum() for n in tangent]).sum())
    return torch.stack(found)


def _wrong_curvatures(
    params: Mapping[str, Tensor], slopes: Mapping[str, Tensor], group: GaugeGroup
) -> dict[str, Tensor]:
    work = {name: params[name] * slopes[name] for name in params}
    into, out = group.totals(work)
    weights = {n: w if group.entries[n].kind == "weight" else 0 * w for n, w in work.items()}
    bare, _ = group.totals(weights)
    return {
        "the orbit is level, and yet curved: to first order alone nothing happens along it.": (
            0 * into
        ),
        "the sign: differentiating ⟨∇L, v_h⟩ = 0 brings the second term to the other side.": 2
        * into,
        "a bias flows into its unit, too, and moves with it.": -2 * bare,
        "half of it: what flows out adds as much as what flows in.": -into,
        "half of it, and the sign is the other one.": into,
        "twice too much: ⟨g_in, w_in⟩ and ⟨g_out, w_out⟩ are equal, one factor 2 is for both.": (
            -2 * (into + out)
        ),
        "twice too much, and the sign is the other one.": 2 * (into + out),
        "that is the charge's ‖g_out‖² − ‖g_in‖²; multiply slopes by weights, not by slopes.": (
            -group.collect({name: g.square() for name, g in slopes.items()})
        ),
        "that is without the weights: multiply each slope by its own.": (
            -2 * group.totals(slopes)[0]
        ),
    }
