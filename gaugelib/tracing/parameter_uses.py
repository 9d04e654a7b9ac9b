"""How parameters are used: which label each of their entries flows into, and out of which."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.nodes import GROUND, Entry, Kind
from gaugelib.tracing.labels import Labels, compact
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
    """Records uses of parameters, and relates the ends of entries that are used more than once.

    An entry from source s to target t has the log-scale t - s, the same in all of its uses.
    """

    def __init__(self, labels: Labels, shapes: dict[str, torch.Size]) -> None:
        self._labels = labels
        self.shapes = shapes
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
        shape = self.shapes[weight.name]
        whole = None if use and use.flat else _as_whole(weight, (target, source), shape)
        if whole is not None:
            use = use or _Use(whole, kind, flat=False)
            known, new = use.ends, whole
        else:
            use = use or _Use((torch.tensor(_UNKNOWN),) * 2, kind, flat=False)
            if not use.flat:
                ends = tuple(end.expand(shape).reshape(-1).clone() for end in use.ends)
                use = _Use(ends, use.kind, flat=True)
            where = weight.carrier().reshape(-1)  # a position may occur more than once
            new = tuple(end.expand(weight.shape).reshape(-1) for end in (target, source))
            for flat, end in zip(use.ends, new):
                free = flat[where] == _UNKNOWN
                flat[where[free]] = end[free]
            known = tuple(flat[where] for flat in use.ends)
        self._same_ratio(known, new)
        use.kind = max(use.kind, kind, key=_RANK.__getitem__)
        self._uses[weight.name] = use

    def _same_ratio(self, known: tuple[Tensor, ...], new: tuple[Tensor, ...]) -> None:
        """Ask for t - s of the one pair of ends to be that of the other, with few relations."""
        ends = [compact(end) for end in (*known, *new)]
        full = torch.broadcast_tensors(*ends)
        varied = [
            [d for d in range(one.dim()) if one.stride(d) and one.shape[d] > 1] for one in full
        ]
        if any(len(dims) > 1 for dims in varied):
            parts = [full]
        else:  # terms of one index each: enough along each axis through one corner
            axes = sorted({dim for dims in varied for dim in dims}) or [-1]
            parts = [tuple(_corner(one, axis) for one in full) for axis in axes]
        for old_target, old_source, target, source in parts:
            self._labels.equal_sums((old_target, source), (target, old_source))

    def fixed(self) -> dict[str, str]:
        """Parameters that no gauge moves, each with the operation that lets it be."""
        kinds = {name: use.kind for name, use in self._uses.items()}
        return {
            name: self._fixed.get(name, "the forward does not use it")
            for name in self.shapes
            if kinds.get(name, "fixed") == "fixed"
        }

    def entries(self, numbers: Tensor) -> dict[str, Entry]:
        """Entries of every parameter in nodes, each along as few dimensions as will do.

        Args:
            numbers: number of the node of each label.

        Returns:
            Entries that the model never uses are `"fixed"` to the ground: no gauge moves them.
        """
        unused = _Use((torch.tensor(GROUND),) * 2, "fixed", flat=False)
        done: dict[str, Entry] = {}
        for name, shape in self.shapes.items():
            use = self._uses.get(name, unused)
            target, source = (_nodes(end, numbers, shape, use.flat) for end in use.ends)
            done[name] = Entry(target, source, use.kind)
        return done


def _corner(labels: Tensor, axis: int) -> Tensor:
    for dim in range(labels.dim()):
        if dim != axis:
            labels = labels.narrow(dim, 0, 1)
    return labels


def _as_whole(
    weight: Weight, ends: tuple[Tensor, Tensor], shape: torch.Size
) -> tuple[Tensor, ...] | None:
    """The ends in the parameter's own shape, if its entries are all there once, in some order."""
    place = weight.place
    if not place.is_meta or place.storage_offset() or weight.shape.numel() != shape.numel():
        return None
    own = torch.empty(shape, device="meta")
    wanted = [(n, step) for n, step in zip(shape, own.stride()) if n > 1]
    seen = [(n, step) for n, step in zip(place.shape, place.stride()) if n > 1]
    if sorted(seen) != sorted(wanted):
        return None
    order = [seen.index(axis) for axis in wanted]

    def turned(end: Tensor) -> Tensor:
        end = end.reshape((1,) * (place.dim() - end.dim()) + end.shape)
        kept = [dim for dim, n in enumerate(place.shape) if n > 1]
        small = end.reshape([end.shape[dim] for dim in kept]).permute(order)
        sizes = iter(small.shape)
        return small.reshape([next(sizes) if n > 1 else 1 for n in shape])

    return tuple(turned(end) for end in ends)


def _nodes(labels: Tensor, numbers: Tensor, shape: torch.Size, flat: bool) -> Tensor:
    if not flat:
        nodes = numbers.take(labels)
        return nodes.reshape((1,) * (len(shape) - nodes.dim()) + nodes.shape)
    known = labels.where(labels != _UNKNOWN, GROUND)
    nodes = numbers.take(known).reshape(shape)
    for dim in range(nodes.dim()):
        one = nodes.narrow(dim, 0, 1)
        if bool((nodes == one).all()):
            nodes = one
    return nodes.clone()
