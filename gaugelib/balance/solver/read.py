r"""The third stage: the weights as conductances $|\theta_e|^p$ between blocks, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gaugelib.balance.solver.blocks import FIXED, Endpoints, Incidence, Where, listed
from gaugelib.balance.solver.plan import Plan
from gaugelib.balance.solver.powers import marginals, reduced
from gaugelib.balance.solver.task import Task
from gaugelib.group import GaugeGroup


@dataclass(frozen=True, eq=False)
class Link:
    """Conductances from the units of one block to those of another.

    Attributes:
        target: block that it leads to.
        source: block that it comes from.
        rows: positions of the units that it leads to, each once.
        columns: positions of the units that it comes from, each once.
        matrix: conductances, shape `(rows, columns)`; or of single edges, shape `(edges,)`.
        edges: for single edges: place of each among the rows, and among the columns.
        row_sums: if they are known from the reading, shape `(rows,)`.
        column_sums: if they are known from the reading, shape `(columns,)`.
    """

    target: int
    source: int
    rows: Where
    columns: Where
    matrix: Tensor
    edges: tuple[Tensor, Tensor] | None = None
    row_sums: Tensor | None = None
    column_sums: Tensor | None = None

    def into(self, x: Tensor, out: Tensor) -> None:
        """Product with one number for each column, written to `out`, of shape `(rows,)`."""
        if self.edges is None:
            torch.mv(self.matrix, x, out=out)
        else:
            out.zero_().index_add_(0, self.edges[0], self.matrix * x[self.edges[1]])

    def out_of(self, x: Tensor, out: Tensor) -> None:
        """Product of the transpose with one number for each row, written to `out`."""
        if self.edges is None:
            torch.mv(self.matrix.t(), x, out=out)
        else:
            out.zero_().index_add_(0, self.edges[1], self.matrix * x[self.edges[0]])


@dataclass(frozen=True, eq=False)
class Conductances:
    r"""All counted entries of a network, as $|\theta_e|^p e^{x_e}$.

    Attributes:
        links: between blocks that move.
        inflow: what flows from the ground into each block that it does flow into, by block.
        outflow: what flows from each such block into the ground.
        fixed: sum over the entries that no scale of a live unit moves, a scalar in float64.
        dtype: of the conductances.
    """

    fixed: Tensor
    dtype: torch.dtype
    links: list[Link] = field(default_factory=list)
    inflow: dict[int, Tensor] = field(default_factory=dict)
    outflow: dict[int, Tensor] = field(default_factory=dict)

    def feeds_all(self, plan: Plan) -> bool:
        """Whether something can flow into each block, and out of it."""
        into = self.inflow.keys() | {link.target for link in self.links}
        out = self.outflow.keys() | {link.source for link in self.links}
        return all(b in into and b in out for colour in plan.colours for b in colour)


def read(task: Task, plan: Plan) -> Conductances:
    """The conductances from which a plan starts; the task's room is made use of."""
    start = plan.start
    if not len(plan.units):
        return Conductances(plan.units.new_zeros((), dtype=torch.float64), start.dtype)
    return conductances_of(
        task.params,
        task.group,
        plan,
        task.options.p,
        start.dtype,
        shift=start.shift,
        log_unit=start.log_unit,
        room=task.room,
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
    room: Mapping[str, Tensor] | None = None,
) -> Conductances:
    r"""Read every counted parameter once.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        plan: blocks and their order.
        p: the exponent.
        dtype: floating dtype of the conductances.
        shift: log-scales at which to read, shape `(units,)`; by default 0.
        log_unit: logarithm of the unit in which to count.
        room: tensors of the parameters' shapes that may be written to.
    """
    network = Conductances(plan.units.new_zeros((), dtype=torch.float64), dtype)
    first = set(plan.colours[0]) if plan.colours else set()
    for incidence in plan.incidences:
        value = params[incidence.name]
        value = value if value.dim() else value.reshape(1)
        moved = _moved(incidence, group, shift, p, log_unit, value.dim())
        if incidence.dims is None:
            _read_edges(network, plan, incidence, reduced(value, p, dtype, moved, incidence.shape))
        elif _plain(incidence, value):
            keep = _as_matrix(None if room is None else room[incidence.name], value, dtype)
            _read_plain(network, plan, incidence, value, p, dtype, moved, keep, first)
        else:
            total = reduced(value, p, dtype, moved, incidence.shape).permute(_complete(incidence))
            _read_matrix(network, plan, incidence, total.reshape(incidence.rows, -1))
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
    return moved.mul(p).sub(log_unit)


def _complete(incidence: Incidence) -> tuple[int, ...]:
    order = incidence.dims or ()
    return order + tuple(d for d in range(len(incidence.shape)) if d not in order)


def _plain(incidence: Incidence, value: Tensor) -> bool:
    """Whether the parameter is itself the matrix of one link, or of one block and the ground."""
    if value.dim() != 2 or tuple(value.shape) != incidence.shape or len(incidence.pairs) != 1:
        return False
    (row, column) = incidence.pairs[0]
    whole = all(end.lines == slice(None) for end in (row, column) if isinstance(end.lines, slice))
    simple = all(isinstance(end.lines, slice) and end.repeats is None for end in (row, column))
    return incidence.dims == (0, 1) and simple and whole and row.block != column.block


def _read_plain(
    network: Conductances,
    plan: Plan,
    incidence: Incidence,
    value: Tensor,
    p: float,
    dtype: torch.dtype,
    moved: Tensor | None,
    keep: Tensor | None,
    first: set[int],
) -> None:
    ((row, column),) = incidence.pairs
    inner = row.block != FIXED and column.block != FIXED
    keep = value.new_empty(value.shape, dtype=dtype) if inner and keep is None else keep
    rows, columns = marginals(
        value,
        p,
        dtype,
        moved,
        rows=column.block == FIXED or row.block in first,
        columns=row.block == FIXED or column.block in first,
        keep=keep if inner else None,
    )
    if inner and keep is not None:
        link = (row.block, column.block, _at(plan, row), _at(plan, column), keep)
        network.links.append(Link(*link, row_sums=rows, column_sums=columns))
    elif rows is not None and row.block != FIXED:
        _add_flow(network.inflow, plan, row, rows)
    elif columns is not None:
        _add_flow(network.outflow, plan, column, columns)


def _as_matrix(room: Tensor | None, value: Tensor, dtype: torch.dtype) -> Tensor | None:
    """The same memory, if it is enough, for numbers of another dtype."""
    if room is None or room.dtype.itemsize < dtype.itemsize:
        return None
    return room.view(-1).view(dtype)[: value.numel()].view(value.shape)


def _read_matrix(network: Conductances, plan: Plan, incidence: Incidence, matrix: Tensor) -> None:
    for row, column in incidence.pairs:
        part = matrix[row.lines][:, column.lines]
        if _nothing(incidence, part):
            continue
        if row.block == FIXED and column.block == FIXED:
            network.fixed.add_(part.double().sum())
        elif column.block == FIXED:
            _add_flow(network.inflow, plan, row, _merged(part.sum(1), row))
        elif row.block == FIXED:
            _add_flow(network.outflow, plan, column, _merged(part.sum(0), column))
        else:
            part = _merged(_merged(part, row).t(), column).t()
            rows, columns = _at(plan, row), _at(plan, column)
            if row.block == column.block:
                part = _without_loops(network, part, rows, columns)
            network.links.append(Link(row.block, column.block, rows, columns, part.contiguous()))


def _nothing(incidence: Incidence, part: Tensor) -> bool:
    """Whether a piece of a parameter joins nothing, as between the components of a network."""
    return len(incidence.pairs) > 1 and not bool(part.any())


def _without_loops(network: Conductances, part: Tensor, rows: Where, columns: Where) -> Tensor:
    # An entry from a unit to itself is moved by no gauge.
    same = listed(rows, part.device)[:, None] == listed(columns, part.device)
    network.fixed.add_(part[same].double().sum())
    return part.masked_fill(same, 0.0)


def _read_edges(network: Conductances, plan: Plan, incidence: Incidence, total: Tensor) -> None:
    total = total.reshape(-1)
    for row, column in incidence.pairs:
        part = total[row.lines]
        if _nothing(incidence, part):
            continue
        if row.block == FIXED and column.block == FIXED:
            network.fixed.add_(part.double().sum())
        elif column.block == FIXED:
            _add_flow(network.inflow, plan, row, _merged(part, row))
        elif row.block == FIXED:
            _add_flow(network.outflow, plan, column, _merged(part, column))
        elif row.repeats is not None and column.repeats is not None:
            rows, columns = _at(plan, row), _at(plan, column)
            edges = (row.repeats, column.repeats)
            network.links.append(Link(row.block, column.block, rows, columns, part, edges))


def _merged(values: Tensor, end: Endpoints) -> Tensor:
    """Rows that belong to the same unit, added up."""
    if end.repeats is None:
        return values
    count = end.units.stop - end.units.start if isinstance(end.units, slice) else len(end.units)
    return values.new_zeros((count, *values.shape[1:])).index_add(0, end.repeats, values)


def _add_flow(flows: dict[int, Tensor], plan: Plan, end: Endpoints, values: Tensor) -> None:
    where = plan.ranges[end.block]
    flow = flows.setdefault(end.block, values.new_zeros(where.stop - where.start))
    flow[end.units] += values


def _at(plan: Plan, end: Endpoints) -> Where:
    start = plan.ranges[end.block].start
    if isinstance(end.units, slice):
        return slice(start + end.units.start, start + end.units.stop)
    return start + end.units
