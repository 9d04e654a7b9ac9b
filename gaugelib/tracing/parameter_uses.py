"""How parameters are used: which label each of their entries flows into, and out of which."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.group import GROUND, Entry, Kind
from gaugelib.tracing.labels import Labels
from gaugelib.tracing.values import Weight

_UNKNOWN = -1
_RANK: dict[Kind, int] = {"fixed": 0, "bias": 1, "weight": 2}


@dataclass
class _Use:
    """Labels of targets and sources, of a shape that broadcasts to the parameter's, or flat."""

    ends: tuple[Tensor, ...]  # targets, sources
    kind: Kind
    flat: bool  # then one label for each entry, and some may be unknown


class ParameterUses:
    """Records uses of parameters and ties the ends of entries that are used more than once.

    An entry used twice needs t₁ − s₁ = t₂ − s₂ in log-scales. Tying t₁ to t₂ and s₁ to s₂ is
    enough for that, always valid, and all that labels can say.
    """

    def __init__(self, labels: Labels, shapes: dict[str, torch.Size]) -> None:
        self._labels = labels
        self._shapes = shapes
        self._uses: dict[str, _Use] = {}
        self._fixed: dict[str, str] = {}  # parameter -> the operation that lets it be

    def add(self, weight: Weight, target: Tensor, source: Tensor, kind: Kind) -> None:
        """Note that these entries of a parameter flow from `source` to `target`.

        Args:
            weight: the part of a parameter that is used, of some shape.
            target: labels broadcastable to that shape.
            source: labels broadcastable to that shape.
            kind: what the part is used as; a parameter used in two ways counts as a weight.
        """
        if kind == "fixed":
            self._fixed.setdefault(weight.name, self._labels.cause)
        use = self._uses.get(weight.name)
        if weight.positions is None and not (use and use.flat):
            use = use or _Use((target, source), kind, flat=False)
            known, new = use.ends, (target, source)
        else:
            use = use or _Use((torch.tensor(_UNKNOWN),) * 2, kind, flat=False)
            if not use.flat:
                shape = self._shapes[weight.name]
                ends = tuple(end.expand(shape).reshape(-1).clone() for end in use.ends)
                use = _Use(ends, use.kind, flat=True)
            where = weight.carrier().reshape(-1)  # a position may occur more than once
            new = tuple(end.expand(weight.shape).reshape(-1) for end in (target, source))
            for flat, end in zip(use.ends, new):
                free = flat[where] == _UNKNOWN
                flat[where[free]] = end[free]
            known = tuple(flat[where] for flat in use.ends)
        for old, end in zip(known, new):
            self._labels.tie(old, end)
        use.kind = max(use.kind, kind, key=_RANK.__getitem__)
        self._uses[weight.name] = use

    def fixed(self) -> dict[str, str]:
        """Parameters that no gauge moves, each with the operation that lets it be."""
        kinds = {name: use.kind for name, use in self._uses.items()}
        return {
            name: self._fixed.get(name, "the forward does not use it")
            for name in self._shapes
            if kinds.get(name, "fixed") == "fixed"
        }

    def entries(self, numbers: Tensor) -> dict[str, Entry]:
        """Entries of every parameter in units, each along as few dimensions as will do.

        Args:
            numbers: number of the unit of each label.

        Returns:
            Entries that the model never uses are `"fixed"` to the ground: no gauge moves them.
        """
        unused = _Use((torch.tensor(GROUND),) * 2, "fixed", flat=False)
        done: dict[str, Entry] = {}
        for name, shape in self._shapes.items():
            use = self._uses.get(name, unused)
            target, source = (_units(end, numbers, shape, use.flat) for end in use.ends)
            done[name] = Entry(target, source, use.kind)
        return done


def _units(labels: Tensor, numbers: Tensor, shape: torch.Size, flat: bool) -> Tensor:
    if not flat:
        units = numbers.take(labels)
        return units.reshape((1,) * (len(shape) - units.dim()) + units.shape)
    known = labels.where(labels != _UNKNOWN, GROUND)
    units = numbers.take(known).reshape(shape)
    for dim in range(units.dim()):
        one = units.narrow(dim, 0, 1)
        if bool((units == one).all()):
            units = one
    return units.clone()
