r"""The convex function that the gauge for rounding minimises, and a smooth one above it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.optim import LBFGS

from gaugelib.balance.solver.prepare import dead_units
from gaugelib.gauges.quantise import in_rows
from gaugelib.group import GaugeGroup

_FIRST, _SHARPER = 8.0, 4.0
_STEPS, _HISTORY = 500, 20
"""Steps of L-BFGS with each sharpness, and how many of them it remembers."""
_FINEST = 1e-9
"""Slope, or change in a step, at which it ends."""


class RoundingFunction:
    r"""The logarithm of the error of rounding as a function of $\alpha=\log a$, but for a constant.

    $$\log\sum_\ell\max_{e\in\ell}|\theta_e|^2e^{2x_e}\sum_{e\in\ell}t_ee^{-2x_e},
    \qquad x=B^\top\alpha,$$

    over the rows $\ell$ of weights that have a step each, with the sensitivities $t_e$. With a
    sharpness $\tau$ the maximum of $u_e=\log|\theta_e|+x_e$ is replaced by
    $\frac1\tau\log\sum_e e^{\tau u_e}$, which is at most $\frac1\tau\log n$ above it for $n$
    entries. Both are convex.

    Args:
        params: the network's parameters by name.
        sensitivity: $t_e$ by name, in float64.
        group: the network's gauge group.
        per_channel: whether each row, along dimension 0, has a step of its own.
    """

    def __init__(
        self,
        params: Mapping[str, Tensor],
        sensitivity: Mapping[str, Tensor],
        group: GaugeGroup,
        per_channel: bool,
    ) -> None:
        names = group.counted(include_bias=False)
        self._group, self._rows = group, per_channel
        self._weights = group.restrict("weight")
        dead = dead_units(params, group, names)
        self._live = torch.ones(group.units, dtype=torch.bool, device=dead.device)
        self._live[dead] = False
        self._parts: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
        for name in names:
            sizes = in_rows(params[name].detach().double().abs().log(), per_channel)
            logs = in_rows(sensitivity[name].log(), per_channel)
            felt = (sizes > -torch.inf).any(1) & (logs > -torch.inf).any(1)
            if bool(felt.any()):
                self._parts[name] = sizes, logs, felt

    def sharpnesses(self, tol: float) -> Iterator[float]:
        """Sharper and sharper, until the smooth function is less than `tol` above."""
        if not self._parts or not bool(self._live.any()):
            return
        entries = max(sizes.shape[1] for sizes, _, _ in self._parts.values())
        last, sharpness = max(_FIRST, 2 * math.log(entries) / tol), _FIRST
        while sharpness < last:
            yield sharpness
            sharpness *= _SHARPER
        yield last

    def value(self, alpha: Tensor) -> float:
        """The function itself; minus infinity if no rounding is felt."""
        terms = [torch.full((1,), -torch.inf, dtype=alpha.dtype, device=alpha.device)]
        for name, x in self._moved(alpha):
            sizes, logs, felt = self._parts[name]
            terms.append((2 * (sizes + x).amax(1) + (logs - 2 * x).logsumexp(1))[felt])
        return float(torch.cat(terms).logsumexp(0))

    def smooth(self, alpha: Tensor, sharpness: float) -> tuple[Tensor, Tensor]:
        r"""The smooth function above it, and its gradient $2B(s\odot(w-v))$.

        $w$ is what makes up the smooth maximum of a row and $v$ its sensitivity, each as shares of
        1, and $s$ the row's share of the whole.
        """
        terms, slopes = [], {}
        for name, x in self._moved(alpha):
            sizes, logs, felt = self._parts[name]
            above, below = sharpness * (sizes + x), logs - 2 * x
            terms.append(2 / sharpness * above.logsumexp(1) + below.logsumexp(1))
            slopes[name] = (above.softmax(1) - below.softmax(1)).where(felt[:, None], 0.0)
            terms[-1] = terms[-1].where(felt, -torch.inf)
        total = torch.cat(terms).logsumexp(0)
        full = {n: total.new_zeros(()).expand(shape) for n, shape in self._group.shapes.items()}
        for name, term in zip(slopes, terms):
            slope = 2 * (term - total).exp()[:, None] * slopes[name]
            full[name] = slope.view(self._group.shapes[name])
        return total, self._weights.collect(full)

    def descend(self, alpha: Tensor, sharpness: float) -> Tensor:
        """Where L-BFGS ends on the smooth function, dead units left where they are."""
        point = alpha.clone()
        search = LBFGS(
            [point],
            max_iter=_STEPS,
            history_size=_HISTORY,
            tolerance_grad=_FINEST,
            tolerance_change=_FINEST,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            value, slope = self.smooth(point, sharpness)
            point.grad = slope.where(self._live, 0.0)
            return value

        search.step(closure)
        return point

    def _moved(self, alpha: Tensor) -> Iterator[tuple[str, Tensor]]:
        """For each part the logarithms by which a gauge moves its entries."""
        spread = self._weights.spread(alpha)
        for name in self._parts:
            yield name, in_rows(spread[name], self._rows)
