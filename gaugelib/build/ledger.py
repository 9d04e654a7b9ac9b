"""The book of parameter entries: which label each of them flows into, and out of which."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.build.labels import Labels
from gaugelib.build.values import Weight
from gaugelib.group import GROUND, Entry, Kind

_UNKNOWN = -1
_RANK: dict[Kind, int] = {"fixed": 0, "bias": 1, "weight": 2}


@dataclass
class _Line:
    """Labels of targets and sources, of a shape that broadcasts to the parameter's, or flat."""

    ends: tuple[Tensor, ...]  # targets, sources
    kind: Kind
    flat: bool  # then one label for each entry, and some may be unknown


class Ledger:
    """Records uses of parameters and ties the ends of entries that are used more than once.

    An entry used twice needs t₁ − s₁ = t₂ − s₂ in log-scales. Tying t₁ to t₂ and s₁ to s₂ is
    enough for that, always valid, and all that labels can say.
    """

    def __init__(self, labels: Labels, shapes: dict[str, torch.Size]) -> None:
        self._labels = labels
        self._shapes = shapes
        self._lines: dict[str, _Line] = {}
        self._fixed: dict[str, str] = {}  # parameter -> the operation that lets it be

    def record(self, weight: Weight, target: Tensor, source: Tensor, kind: Kind) -> None:
        """Note that these entries of a parameter flow from `source` to `target`.

        Args:
            weight: the part of a parameter that is used, of some shape.
            target: labels broadcastable to that shape.
            source: labels broadcastable to that shape.
            kind: what the part is used as; a parameter used in two ways counts as a weight.
        """
        if kind == "fixed":
            self._fixed.setdefault(weight.name, self._labels.cause)
        line = self._lines.get(weight.name)
        if weight.positions is None and not (line and line.flat):
            line = line or _Line((target, source), kind, flat=False)
            known, new = line.ends, (target, source)
        else:
            line = line or _Line((torch.tensor(_UNKNOWN),) * 2, kind, flat=False)
            line = _flattened(line, self._shapes[weight.name])
            where = weight.carrier().reshape(-1)  # a position may occur more than once
            new = tuple(end.expand(weight.shape).reshape(-1) for end in (target, source))
            for flat, end in zip(line.ends, new):
                free = flat[where] == _UNKNOWN
                flat[where[free]] = end[free]
            known = tuple(flat[where] for flat in line.ends)
        for old, end in zip(known, new):
            self._labels.tie(old, end)
        line.kind = max(line.kind, kind, key=_RANK.__getitem__)
        self._lines[weight.name] = line

    def fixed(self) -> dict[str, str]:
        """Parameters that no gauge moves, each with the operation that lets it be."""
        kinds = {name: line.kind for name, line in self._lines.items()}
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
        unused = _Line((torch.tensor(GROUND),) * 2, "fixed", flat=False)
        done: dict[str, Entry] = {}
        for name, shape in self._shapes.items():
            line = self._lines.get(name, unused)
            target, source = (_units(end, numbers, shape, line.flat) for end in line.ends)
            done[name] = Entry(target, source, line.kind)
        return done


def _flattened(line: _Line, shape: torch.Size) -> _Line:
    if line.flat:
        return line
    ends = tuple(end.expand(shape).reshape(-1).clone() for end in line.ends)
    return _Line(ends, line.kind, flat=True)


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
