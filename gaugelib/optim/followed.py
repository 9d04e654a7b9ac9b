r"""Sums of squares of weights after a step of gradient descent, from the batch.

A step multiplies a weight by $c=1-\eta\lambda$ and takes $\eta G$ away, with
$G=\sum_b\delta_b x_b^\top$. So the sum of squares of row $i$ becomes

$$c^2\|W_i\|^2 - 2\eta c\sum_b\delta_{bi}(z_{bi}-b_i)
  + \eta^2\sum_{ab}\delta_{ai}\delta_{bi}\,x_a\cdot x_b,$$

and that of a column the same with $x$ and $\delta$ exchanged, and $W^\top\delta$ in the place of
$z-b$. Nothing here reads a weight. The last sum is the dearest, and small: where a bound on it
will do, it is not computed.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.optim.totals import Part, Side, Totals
from gaugelib.optim.watch import Passed


def worth(part: Part, passed: Passed) -> bool:
    """Whether to follow a weight is possible, and less work than to read it."""
    batch, n, m = len(passed.inputs), passed.slopes.shape[1], passed.inputs.shape[1]
    asked = passed.pairings[1] is not None or not any(side.outgoing for side in part.sides)
    return asked and batch * (n + m) <= 2 * n * m + _CALL


_CALL = 10_000
"""Entries that could be read in the time in which a few operations are called."""


@torch.no_grad()
def follow(totals: Totals, passed: Mapping[str, Passed], loose: float) -> None:
    r"""Take the sums of some weights through a step.

    For $\|G_i\|^2$ stands half of its bound $\|x\|^2\sum_b\delta_{bi}^2$, and the sum is that much
    looser; but where that would be more than a share `loose` of the sum, it is computed.

    Args:
        totals: what is known; of their names it is known for after the step.
        passed: what passed through the layers, by the names of their weights, in one dtype.
        loose: a share of a sum.
    """
    alike: dict[tuple[int, float, float], list[tuple[Side, Passed]]] = {}
    known = [(side, one) for name, one in passed.items() for side in totals.parts[name].sides]
    for side, one in sorted(known, key=lambda pair: pair[0].start):
        kind = (len(one.inputs), one.rate, one.decay)
        alike.setdefault(kind, []).append((side, one))
    for name, one in passed.items():
        totals.parts[name].rounding += 8 * torch.finfo(one.inputs.dtype).eps  # by the step itself
    for (batch, rate, decay), sides in alike.items():
        _follow(totals, sides, batch, rate, 1.0 - rate * decay, loose)


def _follow(
    totals: Totals,
    sides: list[tuple[Side, Passed]],
    batch: int,
    rate: float,
    keep: float,
    loose: float,
) -> None:
    """The same for weights with one rate, side by side."""
    where = totals.places([side for side, _ in sides])
    pairings = [one.pairings[side.outgoing] for side, one in sides]
    paired = torch.cat([pairing for pairing in pairings if pairing is not None])
    halves = torch.cat(
        [
            one.lengths[1 - side.outgoing].double() * one.lengths[side.outgoing].sum()
            for side, one in sides
        ]
    ).mul_(0.5 * rate * rate)
    sums = totals.sums[where]
    dear = halves > loose * sums
    # Rounding of products and of their sums: each is at most |g||w| times its additions.
    additions = (totals.entries[where] + 2 * batch).mul_(torch.finfo(paired.dtype).eps)
    add = (sums * halves).sqrt_().mul_(additions).add_(halves)
    totals.loose[where] = totals.loose[where].mul_(keep * keep).add_(add)
    totals.sums[where] = sums.mul_(keep * keep).sub_(paired, alpha=2.0 * rate * keep).add_(halves)
    if bool(dear.any()):
        sizes = [len(side.units) for side, _ in sides]
        for (side, one), half, asked in zip(sides, halves.split(sizes), dear.split(sizes)):
            if bool(asked.any()):
                _sharpen(side, one, half, rate)


def _sharpen(side: Side, passed: Passed, half: Tensor, rate: float) -> None:
    """Where half a bound stands, put what it bounds."""
    common, each = (passed.inputs, passed.slopes)[:: -1 if side.outgoing else 1]
    exact = ((common @ common.T) @ each).mul_(each).sum(0)
    side.sums.sub_(half).add_(exact, alpha=rate * rate)
    side.loose.sub_(half)
