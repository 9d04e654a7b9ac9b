r"""A network as the graph of its non-zero parameters, and a loss for it that sees only its outputs.

A proof is given parameters and a group, and no model. They say which unit feeds which, and that is
enough to run a network: every unit sums what enters it, and sends its activation on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.func import grad, vjp

from gaugelib.group import GROUND, GaugeError, GaugeGroup
from gaugelib.proofs.edges import Edges, unit_name
from gaugelib.proofs.edges import in_words as edges_in_words
from gaugelib.proofs.step import Place

DATA = 8
_SPREAD = 2.0  # of the inputs; wide enough to wake units with small biases
MOST_UNITS = 4096  # the weights between units are one dense matrix


def loss_in_words(data: str) -> str:
    """The loss in two sentences; `data` says on how many data."""
    return (
        f"Here L is half the mean squared error on {data}, relative to the mean square of the "
        "outputs. Each weight from an input is given numbers of its own, and what reaches an "
        "output is summed."
    )


LOSS = loss_in_words(f"{DATA} data")


@dataclass(frozen=True, eq=False)
class Network:
    r"""The non-zero parameters as edges, and the data that the network is run on.

    Units whose edges form a circle, as those that a residual block shares, are run as a recurrent
    network. Every unit counts as one of the activation that is given, whatever it is in the model.

    Attributes:
        theta: the parameters, float64, shape `(edges,)`; no edge is 0.
        source: unit that each edge leaves, int64, shape `(edges,)`.
        target: unit that each edge enters, int64, shape `(edges,)`.
        bias: whether an edge is a bias, shape `(edges,)`.
        units: number of hidden units.
        rounds: how often every unit is updated.
        circular: whether some edges form a circle.
        inputs: what enters by the edges from the ground, shape `(data, edges from the ground)`.
        wanted: targets, shape `(data,)`.
        scale: mean square of the outputs that the loss is relative to, a scalar.
        activation: what a hidden unit does to its sum.
    """

    theta: Tensor
    source: Tensor
    target: Tensor
    bias: Tensor
    units: int
    rounds: int
    circular: bool
    inputs: Tensor
    wanted: Tensor
    scale: Tensor
    activation: Callable[[Tensor], Tensor]

    def run(self, theta: Tensor) -> Tensor:
        """The sum of all that reaches an output, for each datum, shape `(data,)`."""
        outside, size = self.source == GROUND, self.units + 1
        drive = self.inputs.new_zeros(len(self.inputs), size)
        drive = drive.index_add(1, self.target[outside], theta[outside] * self.inputs)
        pairs = (self.target * size + self.source)[~outside]
        weights = theta.new_zeros(size * size).index_add(0, pairs, theta[~outside])
        to_output, between = weights.view(size, size)[0, 1:], weights.view(size, size)[1:, 1:]
        values = torch.zeros_like(drive[:, 1:])
        for _ in range(self.rounds):
            values = self.activation(drive[:, 1:] + values @ between.T)
        return drive[:, 0] + values @ to_output

    def loss(self, theta: Tensor) -> Tensor:
        r"""$L(\theta) = \frac12\overline{(f - y)^2}/\overline{f_0^2}$, a scalar."""
        return (self.run(theta) - self.wanted).square().mean() / (2 * self.scale)

    def slopes(self, theta: Tensor) -> Tensor:
        r"""$\partial L/\partial\theta_e$, shape `(edges,)`."""
        return grad(self.loss)(theta)

    def moved(self, scales: Tensor) -> Network:
        """The network after a gauge transformation; its loss is the same function."""
        return replace(self, theta=self.theta * torch.exp(self.spread(scales.log())))

    def totals(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Sums of `values` over what enters and over what leaves each unit, shape `(units,)`."""
        values = torch.where(self.source == self.target, 0.0, values)
        zeros = values.new_zeros(self.units + 1)
        incoming = zeros.index_add(0, self.target, values)
        return incoming[1:], zeros.index_add(0, self.source, values)[1:]

    def collect(self, values: Tensor) -> Tensor:
        """What enters each unit minus what leaves it, shape `(units,)`."""
        incoming, outgoing = self.totals(values)
        return incoming - outgoing

    def touching(self, values: Tensor) -> Tensor:
        """What enters each unit plus what leaves it, shape `(units,)`."""
        incoming, outgoing = self.totals(values)
        return incoming + outgoing

    def spread(self, values: Tensor) -> Tensor:
        """The value at the target of each edge minus that at its source, shape `(edges,)`."""
        full = torch.cat([values.new_zeros(1), values])
        return full[self.target] - full[self.source]

    def edge(self, index: int, which: str) -> Place:
        """One edge as a place; `which` says how it was chosen among all."""
        source, target = int(self.source[index]), int(self.target[index])
        to = unit_name(target, ground="y")
        if bool(self.bias[index]):
            return Place(f"{which} edges: bias of {to}", units=(target,) if target else ())
        ends = () if source == target else ((source, target),)
        return Place(f"{which} edges: {unit_name(source, ground='x')} → {to}", edges=ends)


def network_of(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    activation: Callable[[Tensor], Tensor] = torch.relu,
) -> Network:
    """The network that parameters and group describe, on data that are the same for every gauge.

    Raises:
        GaugeError: if there is no hidden unit or there are more than 4096, names or shapes do not
            fit, or a parameter, or the output they lead to, is not finite.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> network = network_of(params_of(hat()), mlp_group(hat()))
        >>> network.theta.tolist()  # weights in, two biases that are not 0, weights out
        [1.0, 1.0, 1.0, -1.0, -2.0, 1.0, -2.0, 1.0]
        >>> torch.equal(network.run(network.theta), network.run(-network.theta))
        False
    """
    group.check_shapes(params)
    group.require_edges("this proof", "it is for networks without products of activations")
    if not 0 < group.units <= MOST_UNITS:
        raise GaugeError(f"a network of 1 to {MOST_UNITS} hidden units is run, found {group.units}")
    parts: list[tuple[Tensor, ...]] = []
    for name, entry in group.entries.items():
        value = params[name].detach().double()
        if not bool(torch.isfinite(value).all()):
            raise GaugeError(f"parameter '{name}' holds NaN or infinity; nothing can be proved")
        if entry.kind == "fixed":
            continue
        kept = value != 0
        ends = (unit.to(value.device).expand(value.shape) for unit in (entry.source, entry.target))
        bias = torch.full_like(kept, entry.kind == "bias")
        parts.append(tuple(part[kept] for part in (value, *ends, bias)))
    theta, source, target, bias = (torch.cat(column) for column in zip(*parts, strict=True))
    rounds, circular = _rounds(source[~bias], target[~bias], group.units)
    nothing = theta.new_empty(0)
    network = Network(
        theta, source, target, bias, group.units, rounds, circular, nothing, nothing,
        theta.new_ones(()), activation,
    )  # fmt: skip
    return fed(network, DATA)


def fed(network: Network, data: int) -> Network:
    """The network on other data, so many of them; they are drawn from one seed.

    Raises:
        GaugeError: if the output that they lead to is not finite.
    """
    theta, outside = network.theta, network.source == GROUND
    draw = torch.Generator().manual_seed(1)
    shapes = (data, int(outside.sum())), (data,)
    inputs, wanted = (torch.randn(s, generator=draw, dtype=torch.float64).to(theta) for s in shapes)
    inputs = torch.where(network.bias[outside], 1.0, _SPREAD * inputs)
    network = replace(network, inputs=inputs, wanted=wanted, scale=theta.new_ones(()))
    scale = network.run(theta).square().mean()
    if not bool(torch.isfinite(scale)):
        raise GaugeError("run on data, the network leaves the range of float64")
    if not bool(scale > 0):  # nothing reaches an output: any size will do
        return network
    return replace(network, wanted=scale.sqrt() * wanted, scale=scale)


def _rounds(source: Tensor, target: Tensor, units: int) -> tuple[int, bool]:
    """How many rounds it takes until every unit has its value, and whether there is a circle.

    On a circle values go round for ever: it ends when each unit has passed something on.
    """
    inner = (source != GROUND) & (target != GROUND)
    waiting = torch.ones(units + 1, dtype=torch.bool, device=source.device)
    waiting[GROUND] = False
    for depth in range(1, units + 1):
        held = torch.zeros_like(waiting)
        held[target[inner & waiting[source]]] = True
        if not bool(held.any()):
            return depth, False
        if torch.equal(held, waiting):
            break
        waiting = held
    reached = torch.zeros_like(waiting)
    reached[GROUND] = True
    for steps in range(1, units + 1):
        more = reached.clone()
        more[target[reached[source]]] = True
        if torch.equal(more, reached):
            return steps, True
        reached = more
    return units + 1, True


def rate(function: Callable[[Tensor], Tensor], theta: Tensor, velocity: Tensor) -> Tensor:
    """How fast `function` changes where the parameters move with a velocity, by differentiation."""
    value, pull = vjp(function, theta)[:2]
    # What pull does is linear; its own transpose is the derivative along a velocity.
    push = vjp(lambda weights: pull(weights)[0], torch.zeros_like(value))[1]
    return push(velocity)[0]


def in_words(edges: Edges, network: Network) -> str:
    """The network in a few words; biases that are 0 do not count."""
    before, power = edges_in_words(edges).rsplit(", ", 1)
    biases = int(network.bias.sum())
    circles = f", round its circles {network.rounds} times" if network.circular else ""
    return f"{before}, {biases} bias{'es' * (biases != 1)}, {power}{circles}"
