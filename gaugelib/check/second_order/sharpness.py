"""Checkers for the page "Sharpness": what of it is gauge, and a step that ends balanced."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.action import rescale
from gaugelib.balance import minimum_norm
from gaugelib.check.answer import answer_of, called
from gaugelib.check.fresh import between, draw, normal
from gaugelib.check.second_order.networks import (
    Loss,
    convolutional,
    layered,
    off_zero,
    regression,
    residual,
)
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise
from gaugelib.curvature import hessian, sharpness
from gaugelib.group import GaugeGroup
from gaugelib.modules import params_of
from gaugelib.tracing import trace_group

Params = dict[str, Tensor]
STEPS = 4000
SMALL = 500  # parameters up to which the Hessian is formed


def gauge_share(
    function: Callable[[Loss, Params, Params, GaugeGroup], Any],
    model: nn.Module | None = None,
    example: Tensor | None = None,
) -> Verdict:
    """Check a function (loss, first, second, group) -> share of a difference that is gauge.

    Args:
        function: takes a loss, two dictionaries of parameters and their group; returns
            1 − (λ₁* − λ₂*)/(λ₁ − λ₂), where λ is the largest eigenvalue of the Hessian, and λ*
            that in the minimum-norm gauge.
        model: one of the reader's own, on which the function is tried too.
        example: what that is called with.
    """

    def test() -> str:
        for loss, first, second, group in _pairs(model, example):
            given = [_largest(loss, params) for params in (first, second)]
            lightest = [minimum_norm(params, group).params for params in (first, second)]
            fixed = [_largest(loss, params) for params in lightest]
            (a, b), (c, d) = given, fixed
            found = answer_of(function, loss, first, second, group, like=1.0)
            if _near(found, 1 - (c - d) / (a - b)):
                continue
            recognise(found, _wrong_shares(a, b, c, d), _near)
            if _count(first) <= SMALL:
                p, q, r, s = (hessian(loss, x).trace() for x in (first, second, *lightest))
                hint = "that is the trace, which adds all eigenvalues; the largest is asked for."
                recognise(found, {hint: 1 - (r - s) / (p - q)}, _near)
            raise WrongAnswer(
                f"from {a:.4g} and {b:.4g} the sharpness came to {c:.4g} and {d:.4g}: which share "
                f"of the difference is gone? You say {found:.3g}."
            )
        own = "" if model is None else ", and on your own model"
        return f"what the minimum-norm gauge takes away, on three kinds of networks{own}."

    return judge(test)


def balancing_step(function: Callable[[float, float, float], Any]) -> Verdict:
    """Check a function (w, v, y) -> step η with which descent on ½(wv − y)² ends balanced.

    Ended balanced means that after 4000 steps |w² − v²| is below a thousandth of what it was.

    Example:
        >>> balancing_step(lambda w, v, y: 0.1 / (w * w + v * v))
        Not yet: so small a step ends as the flow does: ... of the imbalance is left.
    """

    def test() -> str:
        for size in (between(0.8, 1.2), between(0.08, 0.12), between(8, 12)):
            for sign in (1.0, -1.0):
                w, v, y = _start(size, sign)
                eta = answer_of(function, w, v, y, like=1.0)
                if eta <= 0:
                    raise WrongAnswer(
                        f"for y = {y:.3g} your step is {eta:.3g}: a step is positive, whatever the "
                        "sign of y."
                    )
                _judge_end(w, v, y, eta)
        return "no minimum holds it, so the imbalance burns away from every start that was tried."

    return judge(test)


def _pairs(
    model: nn.Module | None, example: Tensor | None
) -> Iterator[tuple[Loss, Params, Params, GaugeGroup]]:
    """A loss and two networks: other ones, then one in two gauges, then the reader's own."""
    for network in (layered(3, 4, 3, 2), residual(False)):
        other = {name: off_zero(value) for name, value in network.params.items()}
        yield _apart(network.loss, network.params, other, network.group)
    same = convolutional(False)
    yield _apart(same.loss, same.params, same.params, same.group)
    if model is None:
        return
    if not isinstance(model, nn.Module) or not isinstance(example, Tensor):
        raise WrongAnswer("hand over your model, and with it a tensor that it can be called with.")
    group = called(trace_group, model, example)
    if group.units == 0:
        raise WrongAnswer("your model has no unit that can be rescaled; group.grounded says why.")
    params = {name: value.double() for name, value in params_of(model).items()}
    moved = {n: v + 0.3 * v.square().mean().sqrt() * normal(*v.shape) for n, v in params.items()}
    loss = called(regression, model, example)
    if not torch.equal(loss(params), loss(params)):
        raise WrongAnswer(
            "your model draws at random, so that its loss is another each time; try it in eval "
            "mode, without dropout."
        )
    yield _apart(loss, params, moved, group)


def _apart(
    loss: Loss, first: Params, second: Params, group: GaugeGroup
) -> tuple[Loss, Params, Params, GaugeGroup]:
    """The second in a fresh gauge, in which its sharpness is not nearly that of the first."""
    size = _largest(loss, first)
    for attempt in range(1, 13):
        gauge = group.random(generator=draw(), log_std=0.3 + 0.2 * attempt)
        moved = rescale(second, gauge, group)
        other = _largest(loss, moved)
        if abs(size - other) > 0.2 * max(size, other):
            return loss, first, moved, group
    raise WrongAnswer(
        f"in twelve gauges the sharpness of this model stays near {size:.3g}, so that no "
        "difference is left to share; try another example."
    )


def _count(params: Params) -> int:
    return sum(value.numel() for value in params.values())


def _largest(loss: Loss, params: Params) -> Tensor:
    """The largest eigenvalue of the Hessian, of a small one by all of its eigenvalues."""
    if _count(params) > SMALL:
        return sharpness(loss, params)
    return torch.linalg.eigvalsh(hessian(loss, params))[-1]


def _wrong_shares(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> dict[str, Tensor]:
    return {
        "nothing is gauge only if you compare the two as they are given, twice.": 0 * a,
        "that is what is left in the minimum-norm gauge; the rest of it is gauge.": (c - d)
        / (a - b),
        "only the first was brought to the minimum-norm gauge; bring both.": 1 - (c - b) / (a - b),
        "only the second was brought to the minimum-norm gauge; bring both.": 1 - (a - d) / (a - b),
        "upside down: divide by the difference as the networks were given.": 1 - (a - b) / (c - d),
        "the first is subtracted from the second once, and once the second from the first.": 1
        + (c - d) / (a - b),
        "that is an amount of sharpness; divide it by the difference as given.": (a - b) - (c - d),
        "a share of the difference is asked for, not a ratio of ratios.": 1 - (c / d) / (a / b),
        "a share of the difference is asked for, not of its logarithm.": 1
        - (c / d).log() / (a / b).log(),
    }


def _near(found: float, wrong: Tensor) -> bool:
    return close(found, wrong, 1e-4, size=1.0 + float(wrong.abs()))


def _start(size: float, sign: float) -> tuple[float, float, float]:
    """A start on the right side of 0, unbalanced and not far from the minima, and a target."""
    spread, share = between(0.6, 1.2), between(0.5, 1.0)
    product = math.sqrt(share * size / math.cosh(spread))
    return product * math.exp(spread / 2), sign * product * math.exp(-spread / 2), sign * size


def _judge_end(w: float, v: float, y: float, eta: float) -> None:
    """A hint if gradient descent does not end balanced."""
    start = w * w - v * v
    for step in range(1, STEPS + 1):
        error = w * v - y
        w, v = w - eta * error * v, v - eta * error * w
        if abs(w) + abs(v) > 1e6:
            raise WrongAnswer(
                f"with η = {eta:.3g} for y = {y:.3g} the weights pass a million after {step} "
                "steps: shorter."
            )
    left, error = abs((w * w - v * v) / start), w * v - y
    if left < 1e-3:
        return
    if left > 0.9:
        raise WrongAnswer(
            f"so small a step ends as the flow does: {left:.1%} of the imbalance is left."
        )
    if abs(error) > 1e-6 * abs(y):
        raise WrongAnswer(
            f"the imbalance falls, but after {STEPS} steps {left:.1%} of it are left: so close to "
            "the edge it takes too long. A little longer a step."
        )
    raise WrongAnswer(
        f"it ends at the edge and not balanced: with η = {eta:.3g} a minimum of sharpness "
        f"{w * w + v * v:.3g}, below 2/η, holds it, and {left:.1%} of the imbalance is left. "
        "Which η makes every minimum unstable?"
    )
