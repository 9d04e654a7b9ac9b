r"""The weights of a network as edges of a graph, on which the proofs of the norm are evaluated.

Inputs and outputs are one unit, the ground, number 0. All numbers are float64, whatever the dtype
of the parameters: a proof is witnessed to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gaugelib.group import GROUND, GaugeError, GaugeGroup
from gaugelib.proofs.step import Place

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, eq=False)
class Edges:
    r"""The non-zero weights that a gauge can move, and what the others add to the norm.

    Attributes:
        power: $|W_e|^p$, shape `(edges,)`.
        source: unit that each edge leaves, int64, shape `(edges,)`.
        target: unit that each edge enters, int64, shape `(edges,)`.
        fixed: sum of $|W_e|^p$ over the weights that no gauge moves, a scalar.
        units: number of hidden units.
        p: exponent of the norm.
    """

    power: Tensor
    source: Tensor
    target: Tensor
    fixed: Tensor
    units: int
    p: float

    def ratios(self, scales: Tensor) -> Tensor:
        r"""$a_i/a_j$ of each edge $j \to i$, for scales of shape `(units,)`."""
        full = self.with_ground(scales)
        return full[self.target] / full[self.source]

    def objective(self, scales: Tensor) -> Tensor:
        r"""$F(a) = \frac1p\sum_{ij}|W_{ij}|^p (a_i/a_j)^p$ (eq. 10)."""
        return (self.fixed + (self.power * self.ratios(scales) ** self.p).sum()) / self.p

    def moved(self, scales: Tensor) -> Edges:
        """The network after a gauge transformation."""
        return replace(self, power=self.power * self.ratios(scales) ** self.p)

    def increments(self, direction: Tensor) -> Tensor:
        r"""$\xi_i - \xi_j$ of each edge, for a direction $\xi$ of shape `(units,)`."""
        full = torch.cat([direction.new_zeros(1), direction])
        return full[self.target] - full[self.source]

    def totals(self) -> tuple[Tensor, Tensor]:
        r"""Sums of $|W_e|^p$ into and out of each unit, each of shape `(units,)`."""
        zeros = self.power.new_zeros(self.units + 1)
        incoming = zeros.index_add(0, self.target, self.power)
        return incoming[1:], zeros.index_add(0, self.source, self.power)[1:]

    def with_ground(self, scales: Tensor) -> Tensor:
        """Scales with the ground's own, 1, in front, shape `(units + 1,)`."""
        return torch.cat([scales.new_ones(1), scales])

    def edge(self, index: int, which: str = "") -> Place:
        """One edge as a place; `which` says how it was chosen among all."""
        return self.path([index], f"{which} edges: " if which else "")

    def path(self, indices: Sequence[int], before: str = "") -> Place:
        """Consecutive edges as a place, with words before them."""
        ends = tuple((int(self.source[k]), int(self.target[k])) for k in indices)
        names = [unit_name(ends[0][0], ground="x")]
        names += [unit_name(target, ground="y") for _, target in ends]
        return Place(before + " → ".join(names), edges=ends)


def edges_of(params: Mapping[str, Tensor], group: GaugeGroup, p: float) -> Edges:
    """The weights of a network as edges; biases do not count.

    Raises:
        GaugeError: if there is no hidden unit, names or shapes do not fit, p is not a finite number
            > 0, or a weight or its power leaves what float64 can hold.
    """
    group.check_shapes(params)
    if not 0.0 < p < math.inf:
        raise GaugeError(f"the exponent p must be a finite number > 0, found {p}")
    group.require_edges("this proof", "it is for networks without products of activations")
    if group.units == 0:
        raise GaugeError("the network has no hidden unit: there is nothing to rescale or to prove")
    powers, sources, targets = [], [], []
    for name, entry in group.entries.items():
        if entry.kind == "weight":
            size = params[name].detach().abs().double()
            if not bool(torch.isfinite(size).all()):
                raise GaugeError(f"parameter '{name}' holds NaN or infinity; nothing can be proved")
            kept = size > 0
            power = size[kept].pow(p)
            if not bool((torch.isfinite(power) & (power > 0)).all()):
                raise GaugeError(f"|W|^p of '{name}' leaves the range of float64 for p = {p:g}")
            powers.append(power)
            sources.append(entry.source.to(size.device).expand(size.shape)[kept])
            targets.append(entry.target.to(size.device).expand(size.shape)[kept])
    if not powers:
        raise GaugeError("the group counts no parameter of kind 'weight'")
    power, source, target = torch.cat(powers), torch.cat(sources), torch.cat(targets)
    moves = source != target
    return Edges(
        power=power[moves],
        source=source[moves],
        target=target[moves],
        fixed=power[~moves].sum(),
        units=group.units,
        p=p,
    )


def unit_name(unit: int, ground: str = "") -> str:
    """A unit as the reader sees it: h₁, h₂, ..., and the ground as an input or an output."""
    return ground if unit == GROUND else f"h{unit}".translate(_SUBSCRIPTS)


def at_unit(index: int, which: str = "") -> Place:
    """A hidden unit, counted from 0 as in a vector of scales, as a place."""
    before = f"{which} units: " if which else ""
    return Place(before + unit_name(index + 1), units=(index + 1,))


def in_words(edges: Edges) -> str:
    """The network in a few words."""
    weights = len(edges.power)
    return (
        f"{edges.units} hidden unit{'s' * (edges.units > 1)}, "
        f"{weights} weight{'s' * (weights != 1)}, p = {edges.p:g}"
    )
