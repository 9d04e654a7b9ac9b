"""Nodes of a gauge group, which entries of parameters join: ground, units, combinations of units.

Node 0 is the ground, nodes 1..n are units, and nodes beyond have log-scales that are signed
combinations of those of units. Plain data and index arithmetic: nothing here knows a group.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import torch
from torch import Tensor

GROUND = 0
"""Number of the ground unit: inputs, outputs and everything else whose scale is fixed at 1."""

Kind = Literal["weight", "bias", "fixed"]


@dataclass(frozen=True, eq=False)
class Combined:
    r"""Nodes whose log-scales are signed combinations of those of units, numbered after them.

    Products of activations need them: what reads `relu(gate) * up` answers the scales of both.

    Attributes:
        units: the units 1..n of each combination, int64 `(m, terms)`, padded with 0.
        powers: their coefficients, float64 `(m, terms)`, 0 where padded.

    Example:
        >>> both = Combined(torch.tensor([[1, 2]]), torch.ones(1, 2).double())  # node 3
        >>> both.following(torch.tensor([1.0, 2.0, 4.0]), product=True).tolist()
        [1.0, 2.0, 4.0, 8.0]
    """

    units: Tensor
    powers: Tensor

    @property
    def count(self) -> int:
        """The number m of combinations."""
        return self.units.shape[0]

    def to(self, device: torch.device) -> Combined:
        """The same combinations on another device."""
        return Combined(self.units.to(device), self.powers.to(device))

    def following(self, full: Tensor, *, product: bool) -> Tensor:
        """Values of ground and units, `(1 + n,)`, and after them those of the combinations.

        Args:
            full: one value for the ground and for each unit.
            product: whether they are scales, of which a combination is a product of powers, or
                log-scales, of which it is a sum of multiples.
        """
        at, by = full[self.units.to(full.device)], self.powers.to(full.device)
        if full.is_floating_point():
            by = by.to(full.dtype)
        # Term by term, for the derivative of `prod` looks at its values.
        terms, join = (at**by, operator.mul) if product else (at * by, operator.add)
        return torch.cat([full, reduce(join, terms.unbind(1))])

    def shared_out(self, incoming: Tensor, outgoing: Tensor) -> tuple[Tensor, Tensor]:
        """Totals of all nodes, `(1 + n + m,)` each, as totals of ground and units, `(1 + n,)`.

        What comes into a combination comes into a unit of positive coefficient and goes out of one
        of negative coefficient, as often as the coefficient says.

        Example:
            >>> key = Combined(torch.tensor([[1]]), -torch.ones(1, 1).double())  # 1/a of unit 1
            >>> coming, going = torch.tensor([0.0, 3.0, 5.0]), torch.zeros(3)
            >>> [total.tolist() for total in key.shared_out(coming, going)]
            [[0.0, 3.0], [0.0, 5.0]]
        """
        index, first = self.units.to(incoming.device).reshape(-1), incoming.numel() - self.count
        powers = self.powers.to(incoming.device, incoming.dtype)
        up, down = powers.clamp(min=0), (-powers).clamp(min=0)
        coming, going = incoming[first:, None], outgoing[first:, None]
        return (
            incoming[:first].index_add(0, index, (up * coming + down * going).reshape(-1)),
            outgoing[:first].index_add(0, index, (up * going + down * coming).reshape(-1)),
        )

    def fault(self, count: int) -> str | None:
        """What is wrong with these arrays, if anything is, where there are `count` units."""
        units, powers = self.units, self.powers
        if units.dim() != 2 or units.shape != powers.shape or units.shape[1] == 0:
            found = f"found {tuple(units.shape)} and {tuple(powers.shape)}"
            return f"units and powers must have one shape (combinations, terms), {found}"
        if fault := fault_of_index(units, units.shape, count):
            return f"units {fault}"
        if powers.dtype != torch.float64 or not bool(torch.isfinite(powers).all()):
            return f"powers must be finite and float64, found {powers.dtype}"
        if bool(((units == GROUND) != (powers == 0)).any()):
            return "a power must be 0 where its unit is 0, which pads, and only there"
        ordered = units.sort(1).values
        if bool(((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != GROUND)).any()):
            return "a unit must occur only once in a combination"
        return None


@dataclass(frozen=True, eq=False)
class Entry:
    """Target and source units of the entries of one parameter.

    Attributes:
        target: unit that each entry flows into, int64, broadcastable to the parameter's shape.
        source: unit that each entry flows out of, int64, broadcastable to the parameter's shape.
            Either may be a combination of units, of which `GaugeGroup.combined` tells.
        kind: `"weight"`, `"bias"` (a target only) or `"fixed"` (a PReLU slope: no gauge moves it).

    Example:
        >>> from gaugelib import hat, mlp_group
        >>> entry = mlp_group(hat()).entries["2.weight"]  # from hidden units 1, 2, 3 to the ground
        >>> entry.target.tolist(), entry.source.tolist(), entry.kind
        ([[0]], [[1, 2, 3]], 'weight')
    """

    target: Tensor
    source: Tensor
    kind: Kind = "weight"

    def fault(
        self, name: str, shape: torch.Size, units: int, combined: Combined | None
    ) -> str | None:
        """What is wrong with these entries of the parameter of this name, if anything is."""
        last = units + (0 if combined is None else combined.count)
        for role, index in (("target", self.target), ("source", self.source)):
            if fault := fault_of_index(index, shape, last):
                return f"{role} units of '{name}' {fault}"
        if combined is not None:
            alone = combined.units.new_zeros(1 + units, combined.units.shape[1])
            alone[:, 0] = torch.arange(1 + units, device=alone.device)
            members = torch.cat([alone, combined.units]).to(self.target.device)
            for pair in crossed(self.target, self.source, members)[:1].tolist():
                remedy = "put the difference of their combinations at one end, ground at the other"
                return f"'{name}' joins nodes {pair}, which share a unit; {remedy}"
        return None


def fault_of_index(index: Tensor, shape: torch.Size, last: int) -> str | None:
    """What is wrong with node numbers that are to broadcast to `shape` and not to exceed `last`."""
    try:
        fits = torch.broadcast_shapes(index.shape, shape) == shape
    except RuntimeError:
        fits = False
    if index.dtype != torch.int64 or not fits:
        found = f"found {index.dtype} of shape {tuple(index.shape)}"
        return f"must be int64 and broadcast to {tuple(shape)}, {found}"
    if index.is_meta:
        return "have no values on the meta device; make the group outside of torch.device('meta')"
    if index.numel() and (int(index.min()) < 0 or int(index.max()) > last):
        return f"must lie in 0..{last}"
    return None


def share_a_node(target: Tensor, source: Tensor) -> bool:
    """Whether some node but the ground is among the targets and among the sources."""
    targets, sources = target.unique(), source.unique()
    return bool(torch.isin(targets[targets != GROUND], sources).any())


def crossed(target: Tensor, source: Tensor, members: Tensor) -> Tensor:
    """Pairs of different nodes at the ends of an entry that share a unit: `(pairs, 2)`.

    Args:
        target: nodes that entries flow into.
        source: nodes that they flow out of, broadcastable to them.
        members: the units of each node, `(1 + n + m, terms)`, padded with 0.
    """
    if not share_a_node(members[target.unique()], members[source.unique()]):
        return target.new_zeros(0, 2)  # as almost always, and cheaper than to look at each entry
    pairs = torch.stack(torch.broadcast_tensors(target, source), -1).reshape(-1, 2).unique(dim=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    of_target, of_source = members[pairs[:, 0], :, None], members[pairs[:, 1], None, :]
    return pairs[((of_target == of_source) & (of_target != GROUND)).flatten(1).any(1)]


def add_at(totals: Tensor, index: Tensor, value: Tensor) -> Tensor:
    """`totals`, with the sum of all values of each index added to it."""
    # Summing over the broadcast dimensions first leaves one addition for each unit, not one for
    # each weight; out of place, so that torch.func can differentiate through it.
    summed = value.sum_to_size(index.shape)
    return totals.index_add(0, index.reshape(-1), summed.reshape(-1))
