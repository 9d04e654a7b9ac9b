"""Checkers for the exercises of "The symmetry" that take a whole layered network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.action import rescale
from gaugelib.check.answer import answer_of, called, copied
from gaugelib.check.forms import read, says_no
from gaugelib.check.fresh import dense, normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise
from gaugelib.mlp import mlp_group
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
            right = _rescaled(weights, biases, scales)
            ask = "return two lists: the new weights and the new biases"
            found = answer_of(function, weights, biases, scales, like=right, ask=ask, pure=True)
            if close(found, right):
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
            recognise(found, mistakes)
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
            ask = "return two lists: gradients for the weights and for the biases"
            found = answer_of(function, weights, biases, scales, like=right, ask=ask)
            if close(found, right):
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
            recognise(found, mistakes)
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
            found = _scales_found(function, *pairs[-1])
            if found is None:
                raise WrongAnswer(
                    "these two are rescalings of each other, and you said they are not."
                )
            _judge_scales(found, scales)
        for depth, (weights, other) in enumerate(pairs, start=1):
            for layer, factor in ((depth, 1.5), (0, -1.0)):
                changed = copied(other)
                changed[layer][-1, -1] *= factor
                found = _scales_found(function, weights, changed)
                if found is not None and factor < 0:
                    raise WrongAnswer("the last pair differs in a sign, which no gauge changes.")
                if found is not None:
                    raise WrongAnswer(
                        "the last pair differs in one weight out of the last hidden layer, so "
                        "there is no such gauge: rescale by your answer and compare."
                    )
        return "you named the gauge where there was one, and saw where there was none."

    return judge(test)


def _scales_found(
    function: Callable[..., Any], weights: list[Tensor], other: list[Tensor]
) -> list[Tensor] | None:
    """The scales that the reader found; `None` where the answer is that there are none."""
    answer = called(function, copied(weights), copied(other))
    if says_no(answer):
        return None
    like = [weight[:, 0] for weight in weights[:-1]]
    return read(
        answer, like, f"return a list of {len(like)} vectors, one for each hidden layer, or False"
    )


def _judge_scales(found: list[Tensor], scales: list[Tensor]) -> None:
    if close(found, scales):
        return
    mistakes = {
        "these scales lead back: divide the new weights by the old.": [1 / a for a in scales],
        "these are logarithms of the scales; take the exponential.": [a.log() for a in scales],
    }
    recognise(found, mistakes)
    if close(found[0], scales[0]):
        raise WrongAnswer(
            "the first hidden layer is right; further on, a weight's ratio is a[i]/a[j], "
            "so multiply by the scale of the unit it comes from."
        )
    raise WrongAnswer("rescaling by your answer does not lead to the second network.")


def _random_layers(depth: int) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    widths = [3, *[4 + k for k in range(depth)], 2]
    weights = dense(widths)
    biases = [normal(n) for n in widths[1:]]
    scales = [torch.exp(normal(n)) for n in widths[1:-1]]
    return weights, biases, scales


def _rescaled(
    weights: list[Tensor], biases: list[Tensor], scales: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """The right answer, by the library itself on a model with these weights."""
    # torch's own initialisation would draw from the global seed
    layers = [nn.utils.skip_init(nn.Linear, w.shape[1], w.shape[0], dtype=w.dtype) for w in weights]
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    values = [v for pair in zip(weights, biases, strict=True) for v in pair]
    params = dict(zip(params_of(model), values, strict=True))
    moved = list(rescale(params, torch.cat(scales), mlp_group(model)).values())
    return moved[0::2], moved[1::2]
