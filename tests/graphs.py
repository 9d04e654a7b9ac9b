"""Networks of any wiring, written as in the paper's eq. (2), with their gauge group by hand.

An oracle that shares no code with the builders: the weight matrix is strictly lower triangular over
all units (inputs, hidden, outputs), and entry (i, j) flows from unit j to unit i.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib import Entry, GaugeGroup

POINTS = torch.randn(7, 3, generator=torch.Generator().manual_seed(1)).double()


@dataclass(frozen=True)
class Graph:
    inputs: int
    hidden: int
    outputs: int
    params: dict[str, Tensor]  # "W" (n, n), "b" (n,)
    group: GaugeGroup

    @property
    def units(self) -> int:
        return self.inputs + self.hidden + self.outputs

    def __call__(self, params: dict[str, Tensor], x: Tensor, activation=torch.relu) -> Tensor:
        """x (batch, inputs) -> (batch, outputs)."""
        return self.values(params, x, activation)[:, self.inputs + self.hidden :]

    def values(self, params: dict[str, Tensor], x: Tensor, activation=torch.relu) -> Tensor:
        """x (batch, inputs) -> outputs of all units (batch, units), one after the other."""
        values = list(x.unbind(1))
        for i in range(self.inputs, self.units):
            z = params["b"][i] + sum(params["W"][i, j] * h for j, h in enumerate(values))
            values.append(activation(z) if i < self.inputs + self.hidden else z)
        return torch.stack(values, dim=1)

    def incidence(self) -> Tensor:
        """B over the entries of W (row-major) and then of b, a dense (hidden, n*n + n) matrix."""
        n = self.units
        numbers = unit_numbers(self.inputs, self.hidden, self.outputs)
        rows = torch.zeros(self.hidden + 1, n * n + n, dtype=torch.float64)
        for i in range(n):
            for j in range(n):
                if numbers[i] != numbers[j]:
                    rows[numbers[i], i * n + j] += 1
                    rows[numbers[j], i * n + j] -= 1
            rows[numbers[i], n * n + i] += 1
        return rows[1:]


def unit_numbers(inputs: int, hidden: int, outputs: int) -> Tensor:
    return torch.cat(
        [
            torch.zeros(inputs, dtype=torch.int64),
            torch.arange(1, hidden + 1),
            torch.zeros(outputs, dtype=torch.int64),
        ]
    )


def random_graph(
    inputs: int, hidden: int, outputs: int, *, seed: int = 0, density: float = 1.0
) -> Graph:
    """A random network of any wiring: every unit may feed every later one."""
    draw = torch.Generator().manual_seed(seed)
    n = inputs + hidden + outputs
    weights = torch.randn(n, n, generator=draw, dtype=torch.float64).tril(-1)
    weights[:inputs] = 0.0  # nothing flows into an input,
    weights[:, n - outputs :] = 0.0  # nothing out of an output
    weights *= torch.rand(n, n, generator=draw) < density
    bias = torch.randn(n, generator=draw, dtype=torch.float64)
    bias[:inputs] = 0.0
    numbers = unit_numbers(inputs, hidden, outputs)
    group = GaugeGroup(
        units=hidden,
        layers={"hidden": slice(0, hidden)},
        entries={
            "W": Entry(numbers[:, None], numbers[None, :], "weight"),
            "b": Entry(numbers, torch.zeros(1, dtype=torch.int64), "bias"),
        },
        shapes={"W": weights.shape, "b": bias.shape},
    )
    return Graph(inputs, hidden, outputs, {"W": weights, "b": bias}, group)


def flat(params: dict[str, Tensor]) -> Tensor:
    return torch.cat([params["W"].flatten(), params["b"]])


def path_products(params: dict[str, Tensor], graph: Graph) -> dict[tuple[int, ...], float]:
    """Product of the weights along every path that ends at an output.

    Keys list the units of a path; -1 in front stands for the constant unit that feeds the biases.
    """
    weights, bias = params["W"], params["b"]
    products: dict[tuple[int, ...], float] = {}

    def extend(path: tuple[int, ...], value: float) -> None:
        last = path[-1]
        if last >= graph.inputs + graph.hidden:
            products[path] = value
            return
        for i in range(graph.inputs, graph.units):
            edge = bias[i].item() if last == -1 else weights[i, last].item()
            if edge != 0.0:
                extend((*path, i), value * edge)

    for start in (-1, *range(graph.inputs)):
        extend((start,), 1.0)
    return products


def stabiliser_dimension(graph: Graph) -> int:
    """Number of pieces of the non-zero weights that touch no input, no output and no bias."""
    group = list(range(graph.units + 1))  # one more for the constant unit
    find = lambda k: k if group[k] == k else find(group[k])  # noqa: E731
    outside = [*range(graph.inputs), *range(graph.inputs + graph.hidden, graph.units), graph.units]
    for k in outside:
        group[find(k)] = find(outside[0])
    for i in range(graph.units):
        for j in range(graph.units):
            if graph.params["W"][i, j] != 0:
                group[find(i)] = find(j)
        if graph.params["b"][i] != 0:
            group[find(i)] = find(graph.units)
    return len({find(k) for k in range(graph.units)} - {find(outside[0])})


def moved_relative(graph: Graph, params: dict[str, Tensor], activation=torch.relu) -> float:
    """How far the function moved from that of `graph.params`, relative to its size."""
    x = POINTS[:, : graph.inputs]
    before = graph(graph.params, x, activation)
    return ((graph(params, x, activation) - before).abs().max() / before.abs().max()).item()
