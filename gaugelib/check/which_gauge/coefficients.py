"""Checkers for "Which gauge?": coefficients of one unit, of one layer and of any network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from gaugelib.balance import minimum_norm
from gaugelib.check.answer import answer_of
from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import between, whole
from gaugelib.check.second_order.networks import convolutional, layered, off_zero, residual
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise
from gaugelib.group import GaugeGroup

Params = dict[str, Tensor]
BALANCED = 1e-4  # of what flows in and out: minimum_norm stops at 1e-6, a scale may be in float32


@by_cases(
    "a = (O/I)^(1/2k) and twice the geometric mean, for k of both signs.",
    ask="return two numbers: the scale a, and the sum of the coefficients there",
    parts=("a", "sum"),
)
def balanced_unit() -> Iterator[Case]:
    """Check a function (I, O, k) -> (a, sum): one unit whose coefficients balance at the scale a.

    Args:
        function: takes the sum I of the coefficients in, the sum O of those out, and the exponent k
            by which they follow: I·aᵏ and O·a⁻ᵏ. It returns the scale at which the two are equal,
            and I·aᵏ + O·a⁻ᵏ there.

    Example:
        >>> balanced_unit(lambda into, out, k: [(out / into) ** (1 / (2 * k)), into + out])
        Not yet: that is the sum before balancing; at the balance it is smaller.
    """
    for k in (3.0, 2.0, -2.0, 1.0, -1.0):  # 3 first, where no two mistakes coincide
        into = between(0.5, 2.0)
        out = into * between(3.0, 9.0) ** (-1 if k == 2.0 else 1)
        ratio, total = out / into, 2 * math.sqrt(into * out)
        yield Case(
            (into, out, k),
            ratio ** (1 / (2 * k)),
            _wrong_scales(ratio, k),
            f"for k = {k:g} your scale leaves {{{into} * abs(answer) ** {k}:.4g}} in and "
            f"{{{out} * abs(answer) ** {-k}:.4g}} out; set I·aᵏ equal to O·a⁻ᵏ.",
            like=[1.0, 1.0],
            part=0,
        )
        yield Case(
            (into, out, k),
            total,
            _wrong_sums(into, out),
            f"the scale is right; with it, I·aᵏ + O·a⁻ᵏ is {total:.4g}, not {{answer:.4g}}.",
            like=[1.0, 1.0],
            part=1,
        )


@by_cases(
    "d/o, and the arithmetic over the geometric mean of d and o.",
    ask="return two numbers: r²/s², and by what factor the trace exceeds the smallest",
    parts=("r²/s²", "factor"),
)
def trace_gauge() -> Iterator[Case]:
    """Check a function (d, o) -> (r²/s², factor): one hidden layer in the minimum-trace gauge.

    Args:
        function: takes the numbers of inputs and of outputs of a network with one hidden layer and
            isotropic inputs; returns r²/s² of every unit in the minimum-trace gauge, and the trace
            in the minimum-norm gauge over the smallest.

    Example:
        >>> trace_gauge(lambda d, o: [o / d, 1.0])
        Not yet: the ratio is upside down: ...
    """
    for d, o in ((16, 2), (3, 10), (whole(20, 40), whole(5, 8)), (7, 7)):
        yield Case(
            (d, o),
            d / o,
            _wrong_ratios(d, o),
            f"with {d} inputs and {o} outputs r²/s² is not {{answer:.4g}}: the trace has d·s²/2 "
            "from what flows in and o·r²/2 from what flows out.",
            like=[1.0, 1.0],
            part=0,
        )
        yield Case(
            (d, o),
            (d + o) / (2 * math.sqrt(d * o)),
            _wrong_factors(d, o),
            f"the ratio is right, the factor {{answer:.4g}} is not, for {d} inputs and {o} outputs:"
            " rs stays as it is, so put r = s, and then r²/s² = d/o, into d·s² + o·r².",
            like=[1.0, 1.0],
            part=1,
        )


def gradient_gauge(function: Callable[[Params, Params, GaugeGroup], Any]) -> Verdict:
    """Check a function (params, squares, group) -> scales at which mean squared gradients balance.

    Args:
        function: takes parameters, the mean over batches of their squared gradients, by the same
            names, and the group; returns one scale for each hidden unit, such that the squares
            balance when the network is rescaled by them, those of biases counted.
    """

    def test() -> str:
        networks = (
            layered(3, 4, 3, 2, bias=True),
            layered(3, 5, 2),
            convolutional(),
            residual(),
        )
        for network in networks:
            params, group = network.params, network.group
            squares = {name: off_zero(value).square() for name, value in params.items()}
            ask = f"return one scale for each of the {group.units} hidden units, as one vector"
            like = torch.ones(group.units)
            scales = answer_of(function, params, squares, group, like=like, ask=ask, pure=True)
            if bool((scales <= 0).any()):
                raise WrongAnswer("a scale is positive; one of yours is not.")
            into, out = group.totals(_followed(squares, scales, group))
            if bool((into - out).abs().le(BALANCED * (into + out)).all()):
                continue
            recognise(scales, _wrong_gauges(params, squares, group), _near)
            worst = float(((into - out).abs() / (into + out)).max())
            raise WrongAnswer(
                f"after your scales the squares are still {worst:.1%} off balance at one unit: "
                "a squared gradient follows with the exponent −2."
            )
        return "squared gradients balance, on dense, convolutional and residual networks."

    return judge(test)


def _wrong_scales(ratio: float, k: float) -> dict[str, float]:
    right = ratio ** (1 / (2 * k))
    turned = (
        "the sign of k: where k is negative, what flows in falls as a grows."
        if k < 0
        else "the ratio is upside down: what flows in grows as aᵏ, so a large O asks for a > 1."
    )
    return {
        turned: 1 / right,
        "that overshoots: a acts on both sides at once, so take one more root.": right**2,
        "that is the step of Algorithm 1, which goes half of the way; go all of it.": right**0.5,
        "that is the scale to the power k; take the k-th root.": ratio**0.5,
        f"right for k = 2, but k is {k:g} here.": ratio**0.25,
        f"right for k = −2, but k is {k:g} here.": ratio**-0.25,
        "that is the logarithm of the scale; the scale itself is asked for.": math.log(right),
    }


def _wrong_sums(into: float, out: float) -> dict[str, float]:
    root = math.sqrt(into * out)
    return {
        "that is the sum before balancing; at the balance it is smaller.": into + out,
        "that is what flows in, and as much flows out: add both.": root,
        "the scale is right; of the product I·O the root is missing.": 2 * into * out,
        "that is the share that is left; the sum itself is asked for.": 2 * root / (into + out),
        "upside down, and a ratio; the sum itself is asked for.": (into + out) / (2 * root),
        "that is half of the sum as it was; at the balance each side is the geometric mean, not "
        "the arithmetic one.": (into + out) / 2,
    }


def _wrong_ratios(d: int, o: int) -> dict[str, float]:
    return {
        "the ratio is upside down: each of the d weights in has s² in its coefficient, each of "
        "the o weights out has r².": o / d,
        "that is r/s; the ratio of the squares is asked for.": math.sqrt(d / o),
        "that is the scale a from the minimum-norm gauge; r/s has its square.": (d / o) ** 0.25,
        "that is r²/s² in the minimum-norm gauge; in the trace d inputs stand against o outputs.": (
            1.0
        ),
        "squared once too often: the coefficients are linear in r² and in s².": (d / o) ** 2,
    }


def _wrong_factors(d: int, o: int) -> dict[str, float]:
    mean, root = (d + o) / 2, math.sqrt(d * o)
    return {
        "that is below 1, and nothing is below the smallest: turn it round.": root / mean,
        "twice too much: of r²d and s²o both are there in the smallest, too.": 2 * mean / root,
        "half of it: in the minimum-norm gauge there are d·s² and o·r², both.": mean / root / 2,
        "that is the square root of the factor: the trace is quadratic in r and s.": math.sqrt(
            mean / root
        ),
        "that is the square of the factor.": (mean / root) ** 2,
        "that compares r²/s² in the two gauges; the traces are asked for.": d / o,
        "compare with the geometric mean of d and o, not with their product.": mean / (d * o),
    }


def _followed(squares: Mapping[str, Tensor], scales: Tensor, group: GaugeGroup) -> Params:
    """The squared gradients after the network was rescaled."""
    there = group.spread(scales.log())
    return {name: value * torch.exp(-2 * there[name]) for name, value in squares.items()}


def _wrong_gauges(params: Params, squares: Params, group: GaugeGroup) -> dict[str, Tensor]:
    roots = {name: value.sqrt() for name, value in squares.items()}
    work = {name: params[name] * roots[name] for name in params}

    def scales(values: Params, p: float, bias: bool = True) -> Tensor:
        return minimum_norm(values, group, p=p, include_bias=bias).scales

    found = scales(squares, 1.0)
    return {
        "the sign: a gradient shrinks where its weight grows, so these scales lead away from "
        "balance; invert them.": found**0.5,
        "that is one over the scales for p = 1; the exponent is −2, so take the root, too.": (
            found**-1
        ),
        "those balance the squares as if they were weights; their exponent is −2.": found,
        "a bias has a gradient, too; minimum_norm counts it if you ask.": (
            scales(squares, 1.0, False) ** -0.5
        ),
        "a bias has a gradient, too, and the scales have to be inverted.": (
            scales(squares, 1.0, False) ** 0.5
        ),
        "with p = 2 it squares what it is given, and yours are squares already.": (
            scales(squares, 2.0) ** -1
        ),
        "squares of squares are balanced, and k is −4 for them.": scales(squares, 2.0) ** -0.5,
        "that is the minimum-norm gauge of the parameters: balance the squared gradients.": (
            scales(params, 2.0, False)
        ),
        "that is the minimum-norm gauge of parameters and biases: balance the squared gradients.": (
            scales(params, 2.0)
        ),
        "those balance weight times gradient, which no gauge moves: leave the weights out.": (
            scales(work, 2.0) ** -1
        ),
        "your scales are all 1: nothing was moved.": torch.ones_like(found),
    }


def _near(found: Tensor, wrong: Tensor) -> bool:
    return close(found, wrong, 1e-4)
