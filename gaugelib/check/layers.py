"""Checkers for the exercises of "The symmetry" that take a whole layered network."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.action import rescale
from gaugelib.build import mlp_group
from gaugelib.check.fresh import normal
from gaugelib.check.verdict import Verdict, WrongAnswer, answer_of, close, judge, same_tensors
from gaugelib.modules import params_of


def rescale_layers(function: Callable[[list[Tensor], list[Tensor], list[Tensor]], Any]) -> Verdict:
    """Check a function that rescales a layered network written as lists.

    Args:
        function: takes weights `[(n1, n0), (n2, n1), ...]`, biases `[(n1,), (n2,), ...]` and one
            vector of scales for each hidden layer; returns new weights and biases.
    """

    def test() -> str:
        for depth in (1, 2, 3):
            weights, biases, scales = _random_layers(depth)
            given = [*weights, *biases, *scales]
            kept = [value.clone() for value in given]
            answer = answer_of(function, weights, biases, scales)
            if not same_tensors(kept, given):
                raise WrongAnswer("your function wrote into its arguments; return new tensors.")
            parts = answer if isinstance(answer, tuple | list) else []
            if len(parts) != 2 or not all(isinstance(part, tuple | list) for part in parts):
                raise WrongAnswer("return two lists: the new weights and the new biases.")
            right = _rescaled(weights, biases, scales)
            if _equal_lists(answer, right):
                continue
            ends = [torch.ones(1).double(), *scales, torch.ones(1).double()]
            forgot = [weights[0] * ends[1][:, None], *weights[1:]]
            mistakes = {
                "the biases belong to the incoming side of their own unit: scale them too.": (
                    right[0],
                    biases,
                ),
                "the next layer's weights have to divide by the scales of the layer before.": (
                    [w * a[:, None] for w, a in zip(weights, ends[1:], strict=True)],
                    right[1],
                ),
                "columns should be divided by the scales before them, not multiplied.": (
                    [
                        w * a[:, None] * b
                        for w, b, a in zip(weights, ends[:-1], ends[1:], strict=True)
                    ],
                    right[1],
                ),
                "only the first layer changed; every hidden layer has scales.": (
                    forgot,
                    [biases[0] * ends[1], *biases[1:]],
                ),
            }
            for hint, wrong in mistakes.items():
                if _equal_lists(answer, wrong):
                    raise WrongAnswer(hint)
            raise WrongAnswer(
                f"with {depth} hidden layer(s) the result is not W[i, j]·a[i]/a[j] and b[i]·a[i]."
            )
        return "the function stood still on networks with one, two and three hidden layers."

    return judge(test)


def rescale_gradients(function: Callable[..., Any]) -> Verdict:
    """Check a function that predicts the gradients of a layered network after a rescaling.

    Args:
        function: takes gradients for weights `[(n1, n0), ...]` and biases `[(n1,), ...]` and one
            vector of scales for each hidden layer; returns the two lists of new gradients.
    """

    def test() -> str:
        for depth in (1, 2):
            weights, biases, scales = _random_layers(depth)
            right = _rescaled(weights, biases, [1 / a for a in scales])
            answer = answer_of(function, list(weights), list(biases), list(scales))
            parts = answer if isinstance(answer, tuple | list) else []
            if len(parts) != 2 or not all(isinstance(part, tuple | list) for part in parts):
                raise WrongAnswer("return two lists: gradients for the weights and for the biases.")
            if _equal_lists(answer, right):
                continue
            mistakes = {
                "gradients do not move like weights: stretching a landscape makes it flatter.": (
                    _rescaled(weights, biases, scales)
                ),
                "the function stands still, but its gradient does not.": (weights, biases),
                "the weights are right; a bias is a parameter into its unit like any other.": (
                    right[0],
                    biases,
                ),
            }
            for hint, wrong in mistakes.items():
                if _equal_lists(answer, wrong):
                    raise WrongAnswer(hint)
            raise WrongAnswer("divide each derivative by the factor that multiplies its parameter.")
        return "gradients are divided by what multiplies the parameters."

    return judge(test)


def recover_scales(function: Callable[..., Any]) -> Verdict:
    """Check a function (weights, other weights) -> scales of every hidden layer, or False.

    Args:
        function: takes two lists of weight matrices, none of whose entries vanish; returns a list
            with one vector of scales for each hidden layer if the second network is a rescaling of
            the first, and False if it is not.
    """

    def test() -> str:
        pairs = []
        for depth in (1, 2, 3):
            weights, biases, scales = _random_layers(depth)
            pairs.append((weights, _rescaled(weights, biases, scales)[0]))
            _judge_scales(answer_of(function, list(weights), list(pairs[-1][1])), scales)
        for depth, (weights, other) in enumerate(pairs, start=1):
            for layer, factor in ((depth, 1.5), (0, -1.0)):
                changed = [w.clone() for w in other]
                changed[layer][-1, -1] *= factor
                found = answer_of(function, list(weights), changed)
                if found is not False and not isinstance(found, tuple | list):
                    raise WrongAnswer("return a list of scales, or False.")
                if found is not False and factor < 0:
                    raise WrongAnswer("the last pair differs in a sign, which no gauge changes.")
                if found is not False:
                    raise WrongAnswer(
                        "the last pair differs in one weight out of the last hidden layer, so "
                        "there is no such gauge: rescale by your answer and compare."
                    )
        return "you named the gauge where there was one, and saw where there was none."

    return judge(test)


def _judge_scales(found: Any, scales: list[Tensor]) -> None:
    if found is False:
        raise WrongAnswer("these two are rescalings of each other, and you said they are not.")
    if not isinstance(found, tuple | list) or len(found) != len(scales):
        raise WrongAnswer(f"return a list of {len(scales)} vectors, one for each hidden layer.")
    pairs = list(zip(found, scales, strict=True))
    if all(close(f, a, 1e-7) for f, a in pairs):
        return
    if all(close(f, 1 / a, 1e-7) for f, a in pairs):
        raise WrongAnswer("these scales lead back: divide the new weights by the old.")
    if all(close(f, a.log(), 1e-7) for f, a in pairs):
        raise WrongAnswer("these are logarithms of the scales; take the exponential.")
    if close(found[0], scales[0], 1e-7):
        raise WrongAnswer(
            "the first hidden layer is right; further on, a weight's ratio is a[i]/a[j], "
            "so multiply by the scale of the unit it comes from."
        )
    raise WrongAnswer("rescaling by your answer does not lead to the second network.")


def _random_layers(depth: int) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    widths = [3, *[4 + k for k in range(depth)], 2]
    weights = [normal(n, m) for m, n in pairwise(widths)]
    biases = [normal(n) for n in widths[1:]]
    scales = [torch.exp(normal(n)) for n in widths[1:-1]]
    return weights, biases, scales


def _rescaled(
    weights: list[Tensor], biases: list[Tensor], scales: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """The right answer, by the library itself on a model with these weights."""
    layers = [nn.Linear(w.shape[1], w.shape[0], dtype=w.dtype) for w in weights]
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    values = [v for pair in zip(weights, biases, strict=True) for v in pair]
    params = dict(zip(params_of(model), values, strict=True))
    moved = list(rescale(params, torch.cat(scales), mlp_group(model)).values())
    return moved[0::2], moved[1::2]


def _equal_lists(answer: Any, right: Any) -> bool:
    return all(
        isinstance(found, tuple | list)
        and len(found) == len(expected)
        and all(close(f, e) for f, e in zip(found, expected, strict=True))
        for found, expected in zip(answer, right, strict=True)
    )
