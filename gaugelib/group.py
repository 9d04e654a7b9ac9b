"""The gauge group of a network: which unit each parameter entry flows into, and out of which.

Everything else in the library is written with the one linear map that lives here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from types import MappingProxyType
from typing import ClassVar, get_args

import torch
from torch import Tensor

from gaugelib import nodes
from gaugelib.nodes import GROUND as GROUND
from gaugelib.nodes import Combined as Combined
from gaugelib.nodes import Entry as Entry
from gaugelib.nodes import Kind as Kind

Device = torch.device | str | None


class GaugeError(ValueError):
    """Something was asked that the gauge symmetry cannot do; the message says what, and where.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of, rescale
        >>> rescale(params_of(hat()), torch.tensor([1.0, -1.0, 1.0]), mlp_group(hat()))
        Traceback (most recent call last):
        gaugelib.group.GaugeError: scales must be finite and positive; scales[1], of ... is -1.0
    """


@dataclass(frozen=True, eq=False)
class GaugeGroup:
    r"""The rescaling group $\mathbb{R}_{>0}^{\mathcal U}$ of a network, acting on its parameters.

    Every entry of every parameter is an edge from a source unit to a target unit, and a gauge
    transformation multiplies it by $a_{target}/a_{source}$. Hidden units are numbered from 1;
    number 0 is the ground, whose scale is 1. In logarithms the action is linear: `spread` is the
    transposed incidence matrix $B^\top$ of the network and `collect` is $B$.

    Where activations multiply each other, an end of an entry may be a `combined` node. The column
    of an entry is then longer than an edge, $q_e = c(target) - c(source)$ with $c$ a node's
    combination of units, and the matrix of these columns, $Q$, stands for $B$ in all that follows.

    Attributes:
        units: number of hidden scale variables, the dimension of the group.
        layers: name of a layer -> slice of its units in a vector of shape `(units,)`.
        entries: name of a parameter -> its target and source units.
        shapes: name of a parameter -> its shape.
        restricted: `None` for the whole group, else the kind of parameter that `restrict` kept.
        grounded: name of a layer or parameter -> the operations that fixed scales of it, as far as
            the builder tells: `trace_group` does.
        combined: nodes n + 1, n + 2, ... beside the n units, if there are any.

    Raises:
        GaugeError: if indices do not fit, or if two different ends of an entry share a unit and
            one of them is combined: one node and the ground say the same.

    Source: Saul (2023), eqs. (4)-(6); the book, "The symmetry".

    Book: thm-rescaling, prop-orbit, def-torus.

    Example:
        >>> from gaugelib import hat, mlp_group
        >>> group = mlp_group(hat())
        >>> group.units, dict(group.layers)
        (3, {'0': slice(0, 3, None)})

        Down, applied to `relu(gate) * up`, answers the scales of both of them:

        >>> one, ground = torch.ones(1, 1, dtype=torch.int64), torch.zeros(1, 1, dtype=torch.int64)
        >>> entries = {"gate": Entry(one, ground), "up": Entry(2 * one, ground)}
        >>> shapes = dict.fromkeys(("gate", "up", "down"), torch.Size([1, 1]))
        >>> both = Combined(torch.tensor([[1, 2]]), torch.ones(1, 2).double())  # node 3
        >>> gated = GaugeGroup(2, {"h": slice(0, 2)}, entries | {"down": Entry(ground, 3 * one)},
        ...     shapes, combined=both)
        >>> {name: x.item() for name, x in gated.spread(torch.tensor([1.0, 10.0])).items()}
        {'gate': 1.0, 'up': 10.0, 'down': -11.0}
    """

    units: int
    layers: Mapping[str, slice]
    entries: Mapping[str, Entry]
    shapes: Mapping[str, torch.Size]
    restricted: Kind | None = None
    grounded: Mapping[str, str] = field(default_factory=dict, repr=False)
    combined: Combined | None = None

    def __post_init__(self) -> None:
        for part in ("layers", "entries", "shapes"):
            object.__setattr__(self, part, MappingProxyType(dict(getattr(self, part))))
        if self.combined is not None and (fault := self.combined.fault(self.units)):
            raise GaugeError(f"combined: {fault}")
        for name, entry in self.entries.items():
            if name not in self.shapes:
                raise GaugeError(f"parameter '{name}' has units but no shape")
            if fault := entry.fault(name, self.shapes[name], self.units, self.combined):
                raise GaugeError(fault)
        looped = {n for n, e in self.entries.items() if nodes.share_a_node(e.target, e.source)}
        object.__setattr__(self, "_looped", looped)

    def spread(self, values: Tensor) -> dict[str, Tensor]:
        r"""$B^\top v$: for each parameter entry, the value at its target minus that at its source.

        Args:
            values: one number for each unit, shape `(units,)`; the ground counts as 0.

        Returns:
            A tensor of the parameter's shape for each parameter.

        Raises:
            GaugeError: if `values` does not have shape `(units,)`.

        Example:
            >>> from gaugelib import hat, mlp_group
            >>> moved = mlp_group(hat()).spread(torch.tensor([1.0, 2.0, 3.0]))
            >>> moved["0.bias"].tolist(), moved["2.weight"].tolist()
            ([1.0, 2.0, 3.0], [[-1.0, -2.0, -3.0]])
        """
        full = self.with_ground(values, ground=0.0)
        return {
            name: (full[entry.target] - full[entry.source]).expand(self.shapes[name])
            for name, entry in self._on(full.device)
        }

    def collect(self, values: Mapping[str, Tensor]) -> Tensor:
        r"""$B x$: for each unit, the sum over its incoming entries minus that over the outgoing.

        `collect` and `spread` are adjoint: $\langle v, Bx\rangle = \langle B^\top v, x\rangle$.

        Args:
            values: one number for each parameter entry, shaped as the parameters.

        Returns:
            Shape `(units,)`, in the widest dtype among `values`.

        Raises:
            GaugeError: if names or shapes are not those of the group.

        Example:
            >>> from gaugelib import hat, mlp_group, params_of
            >>> mlp_group(hat()).collect(params_of(hat())).tolist()
            [0.0, 2.0, -2.0]
        """
        incoming, outgoing = self.totals(values)
        return incoming - outgoing

    def totals(self, values: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        r"""Sums over the incoming and over the outgoing entries, each of shape `(units,)`.

        An entry from a unit to itself counts in neither: no gauge moves it. Of a longer column
        $q_e$, $\max(q_{eh}, 0)\, x_e$ comes in at unit h, and $\max(-q_{eh}, 0)\, x_e$ goes out.

        Raises:
            GaugeError: if names or shapes are not those of the group.
        """
        self.check_shapes(values)
        dtype, more = widest(values), self.combined
        if more is not None and not (dtype.is_floating_point or dtype.is_complex):
            dtype = torch.float64
        like = next(iter(values.values()), torch.zeros(())).new_empty((), dtype=dtype)
        count = 1 + self.units + (0 if more is None else more.count)
        incoming, outgoing = like.new_zeros(count), like.new_zeros(count)
        for name, entry in self._on(like.device):
            value = values[name].to(like.dtype)
            if name in self._looped:
                value = value.masked_fill(entry.target == entry.source, 0.0)
            incoming = nodes.add_at(incoming, entry.target, value)
            outgoing = nodes.add_at(outgoing, entry.source, value)
        if more is not None:
            incoming, outgoing = more.shared_out(incoming, outgoing)
        return incoming[1:], outgoing[1:]

    def restrict(self, kind: Kind) -> GaugeGroup:
        """The same units, counting only the parameters of one kind: for measuring, not for acting.

        Raises:
            GaugeError: if `kind` is unknown.
        """
        if kind not in get_args(Kind):
            raise GaugeError(f"parameters are of kind {get_args(Kind)}, asked for {kind!r}")
        kept = {n: e for n, e in self.entries.items() if e.kind == kind}
        return replace(self, entries=kept, restricted=kind)

    def require_whole(self) -> None:
        """Refuse, by a `GaugeError`, a group that was restricted to one kind of parameter."""
        if self.restricted is not None:
            raise GaugeError(
                f"this group counts only parameters of kind '{self.restricted}': it measures, but "
                "acting with it would change the function; use the whole group"
            )

    def require_edges(self, what: str, instead: str) -> None:
        """Refuse, by a `GaugeError`, a group with combined nodes: `what` is said of edges alone."""
        if self.combined is not None:
            raise GaugeError(
                f"{what} needs entries that each join one unit to one other; here activations are "
                f"multiplied, and some entries depend on the scales of several units; {instead}"
            )

    def counted(self, include_bias: bool) -> list[str]:
        """Names of the parameters that count in a norm: weights, and biases if asked for."""
        kinds = {"weight", "bias"} if include_bias else {"weight"}
        return [name for name, entry in self.entries.items() if entry.kind in kinds]

    def layer_of(self, unit: int) -> tuple[str, int]:
        """Layer of a unit, a place in a vector of shape `(units,)`, and its place in the layer."""
        spans = ((n, s.start) for n, s in self.layers.items() if s.start <= unit < s.stop)
        name, start = next(spans, ("(unnamed)", 0))
        return name, unit - start

    def name_of(self, unit: int) -> str:
        """A unit as its layer and its place in it, `0[3]`."""
        return "{}[{}]".format(*self.layer_of(unit))

    def identity(self, *, dtype: torch.dtype = torch.float64, device: Device = None) -> Tensor:
        """The gauge transformation that does nothing: ones of shape `(units,)`."""
        return torch.ones(self.units, dtype=dtype, device=device)

    def random(
        self,
        *,
        generator: torch.Generator | None = None,
        log_std: float = 1.0,
        dtype: torch.dtype = torch.float64,
        device: Device = None,
    ) -> Tensor:
        """A log-normal gauge transformation: positive scales of shape `(units,)`.

        Args:
            generator: source of randomness; the draw happens on its device.
            log_std: standard deviation of the logarithm of each scale.
            dtype: floating dtype of the scales.
            device: where the scales are wanted; by default where they were drawn.

        Raises:
            GaugeError: if `log_std` is negative or not finite.
        """
        if not 0.0 <= log_std < math.inf:
            raise GaugeError(f"log_std must be a finite number >= 0, found {log_std}")
        drawn_on = generator.device if generator is not None else device
        noise = torch.randn(self.units, generator=generator, dtype=dtype, device=drawn_on)
        return torch.exp(log_std * noise).to(device or noise.device)

    def to(self, device: Device) -> GaugeGroup:
        """The same group with its index tensors on another device."""
        here = torch.device(device or "cpu")
        combined = None if self.combined is None else self.combined.to(here)
        return replace(self, entries=dict(self._on(here)), combined=combined)

    def with_ground(self, values: Tensor, ground: float) -> Tensor:
        """`values`, of shape `(units,)` or refused, after the ground's and before combined ones.

        A combination is a sum of multiples where the ground is 0, else a product of powers.
        """
        if not isinstance(values, Tensor) or values.shape != (self.units,):
            found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise GaugeError(
                f"one number for each of the {self.units} units is needed, a tensor of shape "
                f"({self.units},); found {found}"
            )
        full, more = torch.cat([values.new_full((1,), ground), values]), self.combined
        return full if more is None else more.following(full, product=ground != 0.0)

    def check_shapes(self, values: Mapping[str, Tensor]) -> None:
        """Refuse, by name, parameters whose names or shapes are not those of this group's."""
        missing, unknown = self.shapes.keys() - values.keys(), values.keys() - self.shapes.keys()
        if missing or unknown:
            raise GaugeError(
                "these are not the parameters this group was built for: "
                f"missing {sorted(missing)}, unknown {sorted(unknown)}"
            )
        for name, shape in self.shapes.items():
            if values[name].shape != shape:
                raise GaugeError(
                    f"'{name}' must have shape {tuple(shape)}, found {tuple(values[name].shape)}"
                )

    def _on(self, device: torch.device) -> list[tuple[str, Entry]]:
        return [
            (name, Entry(e.target.to(device), e.source.to(device), e.kind))
            for name, e in self.entries.items()
        ]

    _looped: ClassVar[set[str]]


def widest(values: Mapping[str, Tensor]) -> torch.dtype:
    """The dtype that holds every one of these tensors; float64 if there are none."""
    dtypes = [value.dtype for value in values.values()]
    return reduce(torch.promote_types, dtypes) if dtypes else torch.float64
