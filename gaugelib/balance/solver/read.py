r"""The third stage: the weights as conductances $|\theta_e|^p$ between blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from operator import mul

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import FIXED, Endpoints, Incidence, Where, listed, size_of
from gaugelib.balance.solver.matrices import Edges, Index, Link, Matrix, Powers
from gaugelib.balance.solver.plan import Plan
from gaugelib.balance.solver.powers import lined, reduced
from gaugelib.balance.solver.task import Task
from gaugelib.group import GaugeGroup


@dataclass(frozen=True, eq=False)
class Conductances:
    r"""All counted entries of a network, as $|\theta_e|^p e^{x_e}$.

    Attributes:
        links: between blocks that move.
        inflow: what flows from the ground into each block that it does flow into, by block.
        outflow: what flows from each such block into the ground.
        fixed: sum over the entries that no scale of a live unit moves, a scalar in float64.
        dtype: of the conductances.
        powers: of parameters that are read anew at each product, by name.
    """

    fixed: Tensor
    dtype: torch.dtype
    links: list[Link] = field(default_factory=list)
    inflow: dict[int, Tensor] = field(default_factory=dict)
    outflow: dict[int, Tensor] = field(default_factory=dict)
    powers: dict[str, list[Powers]] = field(default_factory=dict)

    def feeds_all(self, plan: Plan) -> bool:
        """Whether something can flow into each block, and out of it."""
        into = self.inflow.keys() | {link.target for link in self.links}
        out = self.outflow.keys() | {link.source for link in self.links}
        return all(b in into and b in out for colour in plan.colours for b in colour)


def read(task: Task, plan: Plan) -> Conductances:
    """The conductances from which a plan starts."""
    start = plan.start
    if not len(plan.units):
        return Conductances(plan.units.new_zeros((), dtype=torch.float64), start.dtype)
    return conductances_of(
        task.params,
        task.group,
        plan,
        task.options.p,
        start.dtype,
        shift=start.shift if start.careful else None,
        log_unit=start.log_unit,
    )


def conductances_of(
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    plan: Plan,
    p: float,
    dtype: torch.dtype,
    *,
    shift: Tensor | None = None,
    log_unit: float = 0.0,
) -> Conductances:
    r"""What joins blocks, and what flows between them and the ground.

    Where powers cost next to nothing a parameter is read anew at each product; else they are kept.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        plan: blocks and their order.
        p: the exponent.
        dtype: floating dtype of the conductances.
        shift: log-scales at which to read, shape `(units,)`; by default 0.
        log_unit: logarithm of the unit in which to count.
    """
    network = Conductances(plan.units.new_zeros((), dtype=torch.float64), dtype)
    for incidence in plan.incidences:
        value = params[incidence.name]
        value = value[incidence.part] if value.dim() else lined(value)
        moved = _moved(incidence, group, shift, p, log_unit, value.dim())
        if incidence.dims is None:
            _read_edges(network, plan, incidence, reduced(value, p, dtype, moved, incidence.shape))
            continue
        streams = moved is None and p in {1.0, 2.0} and incidence.name not in plan.looped
        flipped = _flipped(incidence) if streams else None
        if flipped is None:
            total = reduced(value, p, dtype, moved, incidence.shape).permute(_complete(incidence))
            _add_kept(network, plan, incidence, total.reshape(incidence.rows, -1))
        else:
            powers = Powers(value, p, dtype)
            network.powers.setdefault(incidence.name, []).append(powers)
            _add_streamed(network, plan, incidence, powers, flipped=flipped)
    return network


def _moved(
    incidence: Incidence,
    group: GaugeGroup,
    shift: Tensor | None,
    p: float,
    log_unit: float,
    dims: int,
) -> Tensor | None:
    if shift is None and not log_unit:
        return None
    shift = torch.zeros(group.units, dtype=torch.float64) if shift is None else shift
    full, entry = group.with_ground(shift, ground=0.0), group.entries[incidence.name]
    moved = full[entry.target.to(full.device)] - full[entry.source.to(full.device)]
    moved = moved.reshape((1,) * (dims - moved.dim()) + moved.shape)
    moved = moved[incidence.part] if len(moved) > 1 else moved
    return moved.mul(p).sub(log_unit)


def _complete(incidence: Incidence) -> tuple[int, ...]:
    order = incidence.dims or ()
    return order + tuple(d for d in range(len(incidence.shape)) if d not in order)


def _flipped(incidence: Incidence) -> bool | None:
    """Whether the place along the first dimension tells the source of an entry, not its target.

    The other dimensions then tell the other end, or nothing; `None` if it is neither way round.
    """
    order = incidence.dims or ()
    sizes = accumulate((incidence.shape[d] for d in order), mul, initial=1)
    across = order[: next(k for k, size in enumerate(sizes) if size == incidence.rows)]
    along = order[len(across) :]
    if set(across) <= {0} and 0 not in along:
        return False
    return True if set(along) <= {0} and 0 not in across else None


def _add_kept(network: Conductances, plan: Plan, incidence: Incidence, kept: Tensor) -> None:
    for row, column in incidence.pairs:
        part = kept[row.lines][:, column.lines]
        if row.block == column.block != FIXED:
            part = _without_loops(network, plan, part, row, column)
        powers = Powers(part.contiguous(), None, part.dtype)
        rows, columns = (
            _index(replace(end, lines=slice(None)), [n], [n], part.device)
            for end, n in zip((row, column), part.shape)
        )
        _add(network, plan, incidence, (row, column), Matrix(powers, rows, columns))


def _add_streamed(
    network: Conductances, plan: Plan, incidence: Incidence, powers: Powers, *, flipped: bool
) -> None:
    shapes = [(size[:1], size[1:]) for size in (incidence.shape, powers.value.shape)]
    for pair in incidence.pairs:
        first, others = (
            _index(end, lines, full, powers.value.device)
            for end, lines, full in zip(pair[::-1] if flipped else pair, *shapes)
        )
        _add(network, plan, incidence, pair, Matrix(powers, first, others, flipped))


def _index(
    end: Endpoints, lines: Sequence[int], full: Sequence[int], device: torch.device
) -> Index:
    """The unit of each row (or column) of a matrix.

    Args:
        end: its rows, or some of them.
        lines: shape in which `end` numbers them.
        full: shape that they have, larger where rows along a dimension are alike.
        device: of the matrix.
    """
    units, count = 1 if end.block == FIXED else size_of(end.units), math.prod(lines)
    chosen = torch.arange(count, device=device)[end.lines]
    places = torch.full((count,), units, device=device)
    if end.block == FIXED:
        places[chosen] = 0
    elif end.repeats is not None:
        places[chosen] = end.repeats
    elif len(chosen) < count or tuple(lines) != tuple(full):
        places[chosen] = torch.arange(units, device=device)
    else:
        return Index(units)
    return Index(units, places.view(lines).expand(full).reshape(-1))


def _add(
    network: Conductances,
    plan: Plan,
    incidence: Incidence,
    pair: tuple[Endpoints, Endpoints],
    matrix: Matrix,
) -> None:
    """Add what joins two blocks, or a block and the ground."""
    row, column = pair
    inner = row.block != FIXED and column.block != FIXED
    like = network.fixed.new_empty(0, dtype=network.dtype)
    several = len(incidence.pairs) > 1
    if inner:
        link = Link(row.block, column.block, _at(plan, row), _at(plan, column), matrix)
        ends = (like.new_ones(size_of(end.units)) for end in (column, row))
        if not several or link.total(*ends) != 0.0:  # it is 0 where nothing joins them
            network.links.append(link)
        return
    back = row.block == FIXED and column.block != FIXED
    flow = like.new_empty(size_of((column if back else row).units))
    (matrix.out_of if back else matrix.into)(like.new_ones(1), flow)
    if several and not bool(flow.any()):
        return
    if row.block == column.block:
        network.fixed.add_(flow.double().sum())
    else:
        _add_flow(network.outflow if back else network.inflow, plan, column if back else row, flow)


def _without_loops(
    network: Conductances, plan: Plan, part: Tensor, row: Endpoints, column: Endpoints
) -> Tensor:
    # An entry from a unit to itself is moved by no gauge.
    units = [
        listed(_at(plan, end), part.device)[... if end.repeats is None else end.repeats]
        for end in (row, column)
    ]
    same = units[0][:, None] == units[1]
    network.fixed.add_(part[same].double().sum())
    return part.masked_fill(same, 0.0)


def _read_edges(network: Conductances, plan: Plan, incidence: Incidence, total: Tensor) -> None:
    total = total.reshape(-1)
    for row, column in incidence.pairs:
        part = total[row.lines]
        if len(incidence.pairs) > 1 and not bool(part.any()):
            continue
        if row.block == FIXED and column.block == FIXED:
            network.fixed.add_(part.double().sum())
        elif column.block == FIXED:
            _add_flow(network.inflow, plan, row, _merged(part, row))
        elif row.block == FIXED:
            _add_flow(network.outflow, plan, column, _merged(part, column))
        elif row.repeats is not None and column.repeats is not None:
            edges = Edges(part, row.repeats, column.repeats)
            ends = (_at(plan, row), _at(plan, column))
            network.links.append(Link(row.block, column.block, *ends, edges))


def _merged(values: Tensor, end: Endpoints) -> Tensor:
    """Rows that belong to the same unit, added up."""
    if end.repeats is None:
        return values
    return values.new_zeros(size_of(end.units)).index_add(0, end.repeats, values)


def _add_flow(flows: dict[int, Tensor], plan: Plan, end: Endpoints, values: Tensor) -> None:
    where = plan.ranges[end.block]
    flow = flows.setdefault(end.block, values.new_zeros(where.stop - where.start))
    flow[end.units] += values


def _at(plan: Plan, end: Endpoints) -> Where:
    start = plan.ranges[end.block].start
    if isinstance(end.units, slice):
        return slice(start + end.units.start, start + end.units.stop)
    return start + end.units
