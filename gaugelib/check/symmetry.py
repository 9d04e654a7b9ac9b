"""Checkers for the exercises of the chapter "The symmetry"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.action import rescale
from gaugelib.build import mlp_group
from gaugelib.check.verdict import (
    Verdict,
    WrongAnswer,
    answer_of,
    close,
    judge,
    same_tensors,
)
from gaugelib.modules import params_of

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": nn.functional.leaky_relu,
    "abs": torch.abs,
    "tanh": torch.tanh,
    "gelu": nn.functional.gelu,
    "softplus": nn.functional.softplus,
    "relu_squared": lambda z: torch.relu(z) ** 2,
    "identity": lambda z: z,
}

_HINTS = {
    "tanh": "tanh(z) is close to z only near 0; try z = 1 and a = 2.",
    "gelu": "GELU looks like ReLU from afar, but it bends near 0; try z = -1 and a = 2.",
    "softplus": "softplus is a rounded ReLU, and rounding has a size; try z = 0.",
    "relu_squared": "relu(2z)**2 is 4 times relu(z)**2; what power of a is that?",
}


def homogeneity(answer: Mapping[str, int | None]) -> Verdict:
    """Check which activations satisfy σ(az) = aᵏσ(z) for a > 0, and with which degree k.

    Args:
        answer: for each name in `ACTIVATIONS` its degree, or None if there is none.

    Example:
        >>> homogeneity({"relu": 1})
        Not yet: say something about leaky_relu, abs, tanh, gelu, ... too.
    """

    def test() -> str:
        if not isinstance(answer, Mapping):
            raise WrongAnswer("give a dictionary from the name of an activation to its degree.")
        missing = [name for name in ACTIVATIONS if answer.get(name, ...) is ...]
        if missing:
            raise WrongAnswer(f"say something about {', '.join(missing)} too.")
        for name, activation in ACTIVATIONS.items():
            if answer[name] != _degree(activation):
                raise WrongAnswer(f"{name}: " + _HINTS.get(name, "try z = -1 and z = 1, a = 2."))
        return "these are the degrees, and tanh, GELU and softplus have none."

    return judge(test)


def balance(function: Callable[[Tensor, Tensor, float], Any]) -> Verdict:
    """Check a function (w_in, w_out, p) -> a that balances one neuron's p-norms.

    Args:
        function: takes incoming weights `(m,)`, outgoing weights `(n,)` and p > 0; returns the
            scale a for which a·w_in and w_out/a have the same p-norm.

    Example:
        >>> balance(lambda w_in, w_out, p: (w_out.norm(p=p) / w_in.norm(p=p)) ** 0.5)
        Correct: balanced on 20 random neurons, for p between 0.5 and 3.
    """

    def test() -> str:
        for p in (2.0, 1.0, 0.5, 3.0) * 5:
            w_in, w_out = _normal(3), 4.0 * _normal(2)
            into, out = w_in.abs().pow(p).sum(), w_out.abs().pow(p).sum()
            right, found = (out / into) ** (1 / (2 * p)), answer_of(function, w_in, w_out, p)
            if close(found, right):
                continue
            two = (w_out.norm() / w_in.norm()) ** 0.5
            mistakes = {
                "the ratio is upside down: a large outgoing norm asks for a > 1.": 1 / right,
                "that overshoots: a acts on both sides at once, so take one more root.": right**2,
                f"right for p = 2 but not for p = {p}: the norm depends on p.": two,
                "that is the logarithm of the scale; the scale itself is asked for.": right.log(),
            }
            _recognise(found, mistakes)
            raise WrongAnswer(
                f"for p = {p} the two p-norms still differ; set aᵖ·in equal to out/aᵖ, solve for a."
            )
        return "balanced on 20 random neurons, for p between 0.5 and 3."

    return judge(test)


def outgoing_factor(function: Callable[[float, int], Any]) -> Verdict:
    """Check a function (a, k) -> factor for the weights out of a unit with activation relu(z)ᵏ.

    Example:
        >>> outgoing_factor(lambda a, k: a**k)
        Not yet: that repeats the change instead of undoing it; mind the exponent's sign.
    """

    def test() -> str:
        for k in (1, 2, 3, 4):
            a = 1.5 + float(_normal(1).abs())
            found = answer_of(function, a, k)
            if close(found, a**-k):
                continue
            mistakes = {
                "that repeats the change instead of undoing it; mind the exponent's sign.": a**k,
                f"right for k = 1, but relu(az)^{k} is a^{k} times relu(z)^{k}.": 1 / a,
                "the power goes on a itself, not on its root.": a ** (-1 / k),
            }
            _recognise(found, mistakes)
            raise WrongAnswer(
                f"for k = {k} the function moved; compute relu(az)^{k} / relu(z)^{k}."
            )
        return "the outgoing weights undo exactly what the incoming ones did."

    return judge(test)


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


def gauge_dimension(function: Callable[[list[int]], Any]) -> Verdict:
    """Check a function from the widths of a layered network to the dimension of its gauge group.

    Example:
        >>> gauge_dimension(lambda widths: sum(widths[1:]))
        Not yet: the outputs are read by the world, so they have no scale of their own.
    """

    def test() -> str:
        for hidden in ([5], [1000, 500], [3, 4, 6], []):
            widths = [784, *hidden, 10]
            found = answer_of(function, list(widths))
            if close(found, sum(hidden)):
                continue
            mistakes = {
                "the outputs are read by the world, so they have no scale of their own.": (
                    sum(widths[1:])
                ),
                "the inputs come from the world, so they have no scale of their own.": (
                    sum(widths[:-1])
                ),
                "one scale for each hidden unit, not one for each layer.": len(hidden),
                "that counts weights; a scale belongs to a unit.": sum(
                    a * b for a, b in pairwise(widths)
                ),
            }
            _recognise(found, mistakes)
            raise WrongAnswer(f"the widths {widths} give {sum(hidden)}, not {found}.")
        return "one dimension for each hidden unit."

    return judge(test)


def recover_scales(function: Callable[..., Any]) -> Verdict:
    """Check a function (weights, rescaled weights) -> scales of every hidden layer.

    Args:
        function: takes two lists of weight matrices on one orbit, none of whose entries vanish;
            returns a list with one vector of scales for each hidden layer.
    """

    def test() -> str:
        for depth in (1, 2, 3):
            weights, _, scales = _random_layers(depth)
            other, _ = _rescaled(weights, [torch.zeros(len(w)).double() for w in weights], scales)
            found = answer_of(function, list(weights), other)
            if not isinstance(found, tuple | list) or len(found) != depth:
                raise WrongAnswer(f"return a list of {depth} vectors, one for each hidden layer.")
            if all(close(f, a, 1e-7) for f, a in zip(found, scales, strict=True)):
                continue
            if all(close(f, 1 / a, 1e-7) for f, a in zip(found, scales, strict=True)):
                raise WrongAnswer("these scales lead back: divide the new weights by the old.")
            if all(close(f, a.log(), 1e-7) for f, a in zip(found, scales, strict=True)):
                raise WrongAnswer("these are logarithms of the scales; take the exponential.")
            if close(found[0], scales[0], 1e-7):
                raise WrongAnswer(
                    "the first hidden layer is right; further on, a weight's ratio is a[i]/a[j], "
                    "so multiply by the scale of the unit it comes from."
                )
            raise WrongAnswer("rescaling by your answer does not lead to the second network.")
        return "you named the gauge that leads from one network to the other."

    return judge(test)


def _degree(activation: Callable[[Tensor], Tensor]) -> int | None:
    z, a = _normal(50), 2.5
    for k in (1, 2, 3):
        if close(activation(a * z), a**k * activation(z), 1e-12):
            return k
    return None


def _recognise(found: Any, mistakes: Mapping[str, Any]) -> None:
    for hint, wrong in mistakes.items():
        if close(found, wrong):
            raise WrongAnswer(hint)


def _normal(*shape: int) -> Tensor:
    """Fresh numbers at every call, so that no stored answer passes; the global seed stays put."""
    draw = torch.Generator()
    draw.seed()
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def _random_layers(depth: int) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    widths = [3, *[4 + k for k in range(depth)], 2]
    weights = [_normal(n, m) for m, n in pairwise(widths)]
    biases = [_normal(n) for n in widths[1:]]
    scales = [torch.exp(_normal(n)) for n in widths[1:-1]]
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
