"""Checker for "Beyond neurons": the dials of value channels that several query heads share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise


def value_scales(function: Callable[[Tensor, Tensor, int], Any]) -> Verdict:
    """Check a function (w_v, w_o, size) -> scales at which the value channels are balanced, p = 2.

    Args:
        function: takes the matrix of the values, `(shared·size, width)`, that of the output
            projection, `(width, heads·size)`, and the number of channels of a head; query heads
            that follow each other share a value head, heads/shared of them. It returns one scale
            for each value channel.

    Example:
        >>> value_scales(lambda w_v, w_o, size: torch.ones(len(w_v)))
        Not yet: your scales are all 1: nothing was moved.
    """

    def test() -> str:
        for shared, times, size in ((2, 3, 4), (1, 2, 3), (3, 1, 2), (2, 2, 1)):
            w_v = normal(shared * size, 5) * normal(shared * size, 1).exp()
            w_o = normal(5, shared * times * size) * normal(1, shared * times * size).exp()
            ask = f"return one scale for each of the {len(w_v)} value channels, as one vector"
            like = torch.ones(len(w_v))
            found = answer_of(function, w_v, w_o, size, like=like, ask=ask, pure=True)
            right = _scales(w_v, _read(w_o, shared, size))
            if close(found, right, 1e-4):
                continue
            recognise(found, _mistakes(w_v, w_o, shared, size), lambda a, b: close(a, b, 1e-4))
            if bool((found <= 0).any()):
                raise WrongAnswer("a scale is positive; one of yours is not.")
            raise WrongAnswer(
                f"with {shared} value heads for {shared * times} query heads the channels are not "
                "balanced: after the scales, what a channel's row weighs and what all columns that "
                "read it weigh must be equal."
            )
        return "every channel balanced, the columns of all its query heads counted."

    return judge(test)


def _read(w_o: Tensor, shared: int, size: int) -> Tensor:
    """What the columns that read each value channel weigh."""
    return w_o.square().sum(0).reshape(shared, -1, size).sum(1).flatten()


def _scales(w_v: Tensor, out: Tensor, power: float = 0.25) -> Tensor:
    return (out / w_v.square().sum(1)) ** power


def _mistakes(w_v: Tensor, w_o: Tensor, shared: int, size: int) -> dict[str, Tensor]:
    out, columns = _read(w_o, shared, size), w_o.square().sum(0)
    times = w_o.shape[1] // (shared * size)
    across = columns.reshape(-1, shared, size).sum(0).flatten()
    first = columns.reshape(shared, -1, size)[:, 0].flatten()
    return {
        "your scales are all 1: nothing was moved.": torch.ones(len(w_v), dtype=torch.float64),
        "upside down: the row is multiplied by the scale, and should grow where the columns weigh "
        "more.": _scales(w_v, out, -0.25),
        "that overshoots: the scale moves both sides at once, and squares, so take one more "
        "root.": _scales(w_v, out, 0.5),
        "that is half of the way; a dial with exponents ±1 can be balanced in one step.": _scales(
            w_v, out, 0.125
        ),
        "query heads that share a value head follow each other; yours are dealt out in turn.": (
            _scales(w_v, across)
        ),
        "that counts one query head of each value head; all of them read its channels.": _scales(
            w_v, first
        ),
        "what flows out is a sum over the query heads, and not a mean.": _scales(w_v, out / times),
        "with the sum of absolute values it is p = 1; p = 2 is asked for.": (
            w_o.abs().sum(0).reshape(shared, -1, size).sum(1).flatten() / w_v.abs().sum(1)
        )
        ** 0.5,
        "one scale for each channel, and not the same for all: each has its own balance.": (
            (out.sum() / w_v.square().sum()) ** 0.25
        ).expand(len(w_v)),
    }
