r"""Dead units where columns are longer than edges: their scales have no place of smallest norm.

On the entries $e$ that are not 0 a minimum exists if and only if $\sum_e t_eq_e=0$ for some
$t_e>0$. If not, call $E_0$ the entries at which $t\ge0$ with $\sum_et_eq_e=0$ can be positive. Some
$v$ has $q_e\cdot v=0$ on $E_0$ and $q_e\cdot v<0$ on all others (Farkas): along it the norm falls
for ever. Units are dead that such $v$ can move, those that move nothing at all left out: the
coordinates on which $M=\ker Q_{E_0}^\top\cap(\ker Q^\top)^\perp$ does not vanish. With these held a
minimum exists: if $v=n+m$, of $\ker Q^\top$ and $M$, vanishes on them, then $n=-m$ there, where
$m$ lives, so $0=n\cdot m=-|m|^2$. Where all columns are edges these are the units on no path of
non-zero weights from an input to an output, parts of the network that join nothing outside apart.

A block of $t$ without zeros needs only its sums of rows $r_i$ and columns $c_j$, positive and with
equal totals, since any such are met by the positive matrix $r_ic_j/\sum r$: so it is as a hub that
all its targets are fed by, and that all its sources feed.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
import torch
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import lsmr
from torch import Tensor

from gaugelib.balance.solver.blocks import ends_of
from gaugelib.balance.solver.powers import lined
from gaugelib.group import GaugeError, GaugeGroup

_ZERO = 1e-6
"""Below this a coordinate of a unit vector, or a singular value of whole numbers, vanishes."""

_WITHOUT_ZEROS: WeakKeyDictionary[GaugeGroup, dict[Hashable, Tensor]] = WeakKeyDictionary()


def runaway_units(params: Mapping[str, Tensor], group: GaugeGroup, names: Sequence[str]) -> Tensor:
    """Dead units, as places in a vector of shape `(units,)`; asked once where no entry is 0.

    Args:
        params: the network's parameters by name.
        group: its gauge group.
        names: the parameters that count.

    Raises:
        GaugeError: if the linear program has no answer.
    """
    there = {name: params[name] != 0 for name in names}
    device = next((t.device for t in there.values()), None)
    if not all(bool(t.all()) for t in there.values()):
        return _decided(there, group).to(device)
    known = _WITHOUT_ZEROS.setdefault(group, {})
    if tuple(names) not in known:
        known[tuple(names)] = _decided(there, group)
    return known[tuple(names)].to(device)


def _decided(there: Mapping[str, Tensor], group: GaugeGroup) -> Tensor:
    pairs = _Pairs(1 + group.units + (0 if group.combined is None else group.combined.count))
    for name, present in there.items():
        present = lined(present)
        target, source = ends_of(group.entries[name], present.dim(), torch.device("cpu"))
        pairs.add(present.cpu(), target, source)
    columns = pairs.columns(group)
    dead = np.zeros(group.units, dtype=bool)
    dead[np.asarray(abs(columns).sum(0))[: group.units] == 0] = True  # no entry at all
    kept = _can_balance(columns)
    if not kept.all():
        _, part = connected_components(columns.T @ columns, directed=False)
        for number in np.unique(part[columns[~kept].indices]):
            where = np.flatnonzero(part == number)
            rows = np.flatnonzero(abs(columns[:, where]).sum(1) > 0)
            moved = _moved(columns[rows][:, where], kept[rows], where < group.units)
            dead[where[where < group.units][moved]] = True
    return torch.from_numpy(np.flatnonzero(dead))


def _can_balance(columns: csr_array) -> np.ndarray:
    r"""Which columns belong to $E_0$: where $s_e=0$ in $\max\sum s_e$.

    Here $q_e\cdot v+s_e\le0$ and $0\le s_e\le1$ for some $v$. As $v$ may be multiplied by any
    number > 0, $s_e$ is 0 or 1 at the maximum.
    """
    count, size = columns.shape  # pyright: ignore[reportGeneralTypeIssues]
    if not count:
        return np.ones(0, dtype=bool)
    found = linprog(
        np.concatenate([np.zeros(size), -np.ones(count)]),
        A_ub=hstack([columns, eye_array(count)], format="csr"),
        b_ub=np.zeros(count),
        bounds=np.array([(-np.inf, np.inf)] * size + [(0.0, 1.0)] * count),
        method="highs",
    )
    if found.x is None:
        raise GaugeError(f"whether the norm has a minimum could not be decided: {found.message}")
    return found.x[size:] < 0.5


def _moved(columns: csr_array, kept: np.ndarray, units: np.ndarray) -> np.ndarray:
    r"""The units on which $\ker Q_{E_0}^\top\cap(\ker Q^\top)^\perp$ does not vanish.

    Where $\ker Q^\top=0$ they are told by the projection of one vector without any structure.
    """
    vector = np.random.default_rng(0).standard_normal(len(units))
    if np.abs(_on_kernel(columns, vector)).max() < _ZERO:
        return np.abs(_on_kernel(columns[kept], vector)[units]) > _ZERO
    free, still = (_kernel(rows.toarray())[units] for rows in (columns[kept], columns))
    still = np.linalg.qr(still)[0]
    return np.linalg.norm(free - still @ (still.T @ free), axis=1) > _ZERO


def _on_kernel(rows: csr_array, vector: np.ndarray) -> np.ndarray:
    """The projection of a vector onto what all rows vanish on."""
    if not rows.nnz:
        return vector
    found = lsmr(rows.T, vector, atol=1e-13, btol=1e-13, maxiter=20 * len(vector))
    return vector - rows.T @ found[0]


def _kernel(rows: np.ndarray) -> np.ndarray:
    """An orthonormal basis of what all rows vanish on, as columns."""
    values, vectors = np.linalg.eigh(rows.T @ rows)
    return vectors[:, values <= _ZERO**2 * max(1.0, values[-1])]


@dataclass
class _Pairs:
    """Ends of entries, each pair once, where hubs are numbered after the group's nodes."""

    nodes: int
    hubs: int = 0
    joined: set[tuple[int, int]] = field(default_factory=set)

    def add(self, there: Tensor, target: Tensor, source: Tensor) -> None:
        """Add a parameter's entries, where they are `there`."""
        rows = tuple(d for d, n in enumerate(target.shape) if n > 1)
        columns = tuple(d for d, n in enumerate(source.shape) if n > 1)
        shared = [d for d in range(there.dim()) if d not in rows and d not in columns]
        there = there.amax(shared, keepdim=True) if shared else there
        if set(rows) & set(columns):
            target, source = (end.expand(there.shape)[there] for end in (target, source))
            self.joined.update(zip(target.tolist(), source.tolist()))
            return
        matrix = there.permute(*rows, *columns, *shared).reshape(target.numel(), source.numel())
        patterns, pattern = matrix.unique(dim=0, return_inverse=True)
        for number, present in enumerate(patterns):
            fed = target.reshape(-1)[pattern == number].unique().tolist()
            self._add_block(fed, source.reshape(-1)[present].unique().tolist())

    def _add_block(self, targets: list[int], sources: list[int]) -> None:
        if len(targets) > 1 and len(sources) > 1:
            hub = self.nodes + self.hubs
            self.hubs += 1
            self.joined.update((target, hub) for target in targets)
            self.joined.update((hub, source) for source in sources)
        else:
            self.joined.update((target, source) for target in targets for source in sources)

    def columns(self, group: GaugeGroup) -> csr_array:
        """A row $q_e$ for each pair that a gauge moves, over the units and then the hubs."""
        at, to, by = [*range(1, 1 + group.units)], [*range(group.units)], [1.0] * group.units
        if group.combined is not None:
            units, powers = group.combined.units.cpu(), group.combined.powers.cpu()
            row, term = units.nonzero(as_tuple=True)
            at += (1 + group.units + row).tolist()
            to += (units[row, term] - 1).tolist()
            by += powers[row, term].tolist()
        at += range(self.nodes, self.nodes + self.hubs)
        to += range(group.units, group.units + self.hubs)
        by += [1.0] * self.hubs
        shape = (self.nodes + self.hubs, group.units + self.hubs)
        combinations = csr_array((by, (at, to)), shape=shape)
        moved = sorted((t, s) for t, s in self.joined if t != s)
        targets, sources = np.array(moved, dtype=np.int64).reshape(-1, 2).T
        return csr_array(combinations[targets] - combinations[sources])
