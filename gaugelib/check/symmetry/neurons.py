"""Checkers for the exercises of "The symmetry" that take one neuron or count units."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from gaugelib.check.cases import Asked, Case, by_cases, with_cases
from gaugelib.check.forms import entries, read
from gaugelib.check.fresh import above, normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge

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
_TRY = "try z = -1 and z = 1, a = 2."


def _degrees() -> list[Case]:
    right = [_degree(activation) for activation in ACTIVATIONS.values()]
    hints = [f"{name}: {_HINTS.get(name, _TRY)}" for name in ACTIVATIONS]
    return [Case((), right, otherwise=hints)]


_PRAISE = "these are the degrees, and tanh, GELU and softplus have none."


@with_cases(Asked(_degrees, _PRAISE, rows=tuple(ACTIVATIONS), choices=(None, 0, 1, 2, 3)))
def homogeneity(answer: Mapping[str, int | None]) -> Verdict:
    """Check which activations satisfy σ(az) = aᵏσ(z) for a > 0, and with which degree k.

    Args:
        answer: for each name in `ACTIVATIONS` its degree, or None if there is none.

    Example:
        >>> homogeneity({"relu": 1})
        Not yet: say something about leaky_relu, abs, tanh, gelu, ... too.
    """

    def test() -> str:
        given = entries(answer, list(ACTIVATIONS))
        if given is None:
            raise WrongAnswer("give a dictionary from the name of an activation to its degree.")
        missing = [name for name in ACTIVATIONS if given.get(name, ...) is ...]
        if missing:
            raise WrongAnswer(f"say something about {', '.join(missing)} too.")
        for name, activation in ACTIVATIONS.items():
            ask = f"{name}: give a number, or None where there is no degree"
            found = None if given[name] is None else read(given[name], like=1.0, ask=ask)
            if found != _degree(activation):
                raise WrongAnswer(f"{name}: {_HINTS.get(name, _TRY)}")
        return _PRAISE

    return judge(test)


@by_cases("balanced on 20 random neurons, for p between 0.5 and 3.")
def balance() -> Iterator[Case]:
    """Check a function (w_in, w_out, p) -> a that balances one neuron's p-norms.

    Args:
        function: takes incoming weights `(m,)`, outgoing weights `(n,)` and p > 0; returns the
            scale a for which a·w_in and w_out/a have the same p-norm.

    Example:
        >>> balance(lambda w_in, w_out, p: (w_out.norm(p=p) / w_in.norm(p=p)) ** 0.5)
        Correct: balanced on 20 random neurons, for p between 0.5 and 3.
    """
    for p in (2.0, 1.0, 0.5, 3.0) * 5:
        w_in, w_out = normal(3), 4.0 * normal(2)
        right = float((w_out.norm(p=p) / w_in.norm(p=p)) ** 0.5)
        yield Case(
            (w_in, w_out, p),
            right,
            {
                "the ratio is upside down: a large outgoing norm asks for a > 1.": 1 / right,
                "that overshoots: a acts on both sides at once, so take one more root.": right**2,
                f"right for p = 2 but not for p = {p}: the norm depends on p.": float(
                    (w_out.norm() / w_in.norm()) ** 0.5
                ),
                "that is the logarithm of the scale; the scale itself is asked for.": (
                    math.log(right)
                ),
            },
            f"for p = {p} the two p-norms still differ; set aᵖ·in equal to out/aᵖ, solve for a.",
        )


@by_cases("the outgoing weights undo exactly what the incoming ones did.")
def outgoing_factor() -> Iterator[Case]:
    """Check a function (a, k) -> factor for the weights out of a unit with activation relu(z)ᵏ.

    Example:
        >>> outgoing_factor(lambda a, k: a**k)
        Not yet: that repeats the change instead of undoing it; mind the exponent's sign.
    """
    for k in (1, 2, 3, 4):
        a = above(1.5)
        yield Case(
            (a, k),
            a**-k,
            {
                "that repeats the change instead of undoing it; mind the exponent's sign.": a**k,
                f"right for k = 1, but relu(az)^{k} is a^{k} times relu(z)^{k}.": 1 / a,
                "the power goes on a itself, not on its root.": a ** (-1 / k),
            },
            f"for k = {k} the function moved; compute relu(az)^{k} / relu(z)^{k}.",
        )


@by_cases("one dimension for each hidden unit.")
def gauge_dimension() -> Iterator[Case]:
    """Check a function from the widths of a layered network to the dimension of its gauge group.

    Example:
        >>> gauge_dimension(lambda widths: sum(widths[1:]))
        Not yet: the outputs are read by the world, so they have no scale of their own.
    """
    for hidden in ([5], [1000, 500], [3, 4, 6], []):
        widths = [784, *hidden, 10]
        yield Case(
            (widths,),
            sum(hidden),
            {
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
            },
            f"the widths {widths} give {sum(hidden)}, not {{answer:g}}.",
        )


def _degree(activation: Callable[[Tensor], Tensor]) -> int | None:
    z, a = normal(50), 2.5
    for k in (1, 2, 3):
        if close(activation(a * z), a**k * activation(z)):
            return k
    return None
