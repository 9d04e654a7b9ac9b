"""Checkers for "Second-order structure": Hθ without a Hessian, and the way out of a fixed space."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.answer import answer_of
from gaugelib.check.fresh import dense, normal
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise
from gaugelib.curvature import hessian_product

Pair = list[Tensor]
TWO = "return two tensors, one for W_in and one for W_out, with their shapes"


def homogeneous_product(function: Callable[[Tensor, Tensor, Tensor, Tensor], Any]) -> Verdict:
    """Check a function (W_in, W_out, x, y) -> Hθ for one hidden ReLU layer and squared loss.

    Args:
        function: takes W_in `(hidden, inputs)`, W_out `(outputs, hidden)`, n inputs in the rows of
            x and n targets in those of y; returns a pair with the shapes of the weights: the
            Hessian of 1/(2n) Σ‖f − y‖² times the weights themselves.
    """

    def test() -> str:
        for inputs, hidden, outputs, n in ((3, 3, 1, 7), (3, 5, 3, 6), (2, 4, 2, 9)):
            weights = dense([inputs, hidden, outputs])
            x, y = normal(n, inputs), normal(n, outputs)
            found = answer_of(function, *weights, x, y, like=weights, ask=TWO, pure=True)
            if close(found, _times_itself(weights, x, y)):
                continue
            recognise(found, _wrong_products(weights, x, y))
            raise WrongAnswer(
                "(D − 1)∇L + D·mean[f ℓ″ ∇f]: a gradient, and the outputs carried back through "
                "the network as if they were its errors."
            )
        return "one gradient and one product with the Jacobian, for Hθ."

    return judge(test)


def fastest_exit(function: Callable[[Tensor, Tensor, Tensor, Tensor], Any]) -> Verdict:
    """Check a function (W_in, W_out, ∇W_in, ∇W_out) -> the way apart that two identical units take.

    Args:
        function: takes W_in `(hidden, inputs)` and W_out `(1, hidden)`, of which the units 0 and 1
            are alike, and the gradient of a loss in the same shapes; returns a direction of length
            1, in the same shapes, that keeps what the two have in common and has the least
            curvature.
    """

    def test() -> str:
        for sign, hidden in ((1, 3), (-1, 4), (-1, 2), (1, 5)):
            w_in, w_out = _with_twins(hidden, sign)
            x, y = normal(40, 3), normal(40, 1)  # so many that no unit is silent on all of them
            slopes = torch.func.grad(_squared, argnums=(0, 1))(w_in, w_out, x, y)
            found = answer_of(function, w_in, w_out, *slopes, like=[w_in, w_out], ask=TWO)
            pull = slopes[0][0] / w_out[0, 0]
            _judge_exit(found, pull, sign)
        return "curvature −|c| from one gradient; every other way apart is slower."

    return judge(test)


def _squared(w_in: Tensor, w_out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return (_outputs(w_in, w_out, x) - y).square().sum(1).mean() / 2


def _outputs(w_in: Tensor, w_out: Tensor, x: Tensor) -> Tensor:
    return torch.relu(x @ w_in.T) @ w_out.T


def _times_itself(weights: Pair, x: Tensor, y: Tensor) -> Pair:
    """Hθ, by second derivatives."""
    theta: dict[str, Tensor] = dict(zip(("in", "out"), weights, strict=True))
    product = hessian_product(lambda t: _squared(t["in"], t["out"], x, y), theta, theta)
    return list(product.values())


def _wrong_products(weights: Pair, x: Tensor, y: Tensor) -> dict[str, Pair]:
    (n, outputs), (w_in, w_out) = y.shape, weights
    own = _outputs(w_in, w_out, x)

    def carried(errors: Tensor) -> Pair:
        """Mean of errors times the slopes of the outputs."""
        total = torch.func.vjp(lambda a, b: _outputs(a, b, x), w_in, w_out)[1](errors)
        return [part / n for part in total]

    def mixed(slope: float, product: float, whole: float = 1.0) -> Pair:
        return [whole * (slope * g + product * p) for g, p in zip(gradient, jacobian, strict=True)]

    gradient, jacobian = carried(own - y), carried(own)
    return {
        "where is (D − 1)∇L? f is of degree 2, so its second derivative counts.": mixed(0, 2),
        "where is the term with f″? That is (D − 1)∇L alone.": mixed(1, 0),
        "the product is multiplied by D = 2.": mixed(1, 1),
        "the gradient is multiplied by D − 1 = 1, not by D.": mixed(2, 2),
        "D belongs to the product and D − 1 to the gradient.": mixed(2, 1),
        "⟨θ, ∇L⟩ is of degree 1 more than ∇L: the gradient is subtracted once.": mixed(3, 2),
        "the sign of the gradient is the other one.": mixed(-1, 2),
        "that carries the errors f − y back twice; ℓ″ = 1 goes with f itself.": mixed(3, 0),
        "twice too long: the loss has the factor ½.": mixed(1, 2, 2),
        "half of it: ℓ = ½‖f − y‖² has ℓ″ = 1.": mixed(1, 2, 0.5),
        "the product is that of ‖f − y‖², without the ½.": mixed(1, 4),
        "the loss is a mean over the rows of x, not a sum.": mixed(1, 2, n),
        "the product is a mean over the rows of x, not a sum.": mixed(1, 2 * n),
        "a mean over the rows of x alone; the outputs are added up.": mixed(1, 2, 1 / outputs),
        "those are the weights themselves.": list(weights),
    }


def _with_twins(hidden: int, sign: int) -> Pair:
    """Weights whose units 0 and 1 are alike, and have an outgoing weight of this sign."""
    w_in, w_out = dense([3, hidden, 1])
    w_in[1], w_out[:, :2] = w_in[0], sign * (0.5 + w_out[0, 0].abs())
    return [w_in, w_out]


def _judge_exit(found: Pair, pull: Tensor, sign: int) -> None:
    """A hint if the direction is not (ĉ, −1)/2 for the one unit and its opposite for the other."""
    into, out = found[0], found[1][0]
    length = math.sqrt(float(into.square().sum() + out.square().sum()))
    if length == 0:
        raise WrongAnswer("that moves nothing.")
    if not close(torch.cat([into[2:].flatten(), out[2:]]), torch.zeros(4 * (len(out) - 2)), size=1):
        raise WrongAnswer("only the two units that are alike leave; the others stay.")
    if not close(torch.cat([into[0] + into[1], (out[:1] + out[1:2])]), torch.zeros(4), size=length):
        raise WrongAnswer(
            "what the two have in common moves, and that stays within Fix: what one of them gains "
            "the other has to lose."
        )
    if close(length, math.sqrt(2)):
        raise WrongAnswer("√2 too long: both units together have length 1, not each of them.")
    if not close(length, 1.0):
        raise WrongAnswer(f"its length is {length:#.4g}; a direction has length 1.")
    size = pull.norm()
    best = torch.cat([pull / size, -torch.ones(1, dtype=pull.dtype)]) / 2
    own = torch.cat([into[0], out[:1]])
    if close(own, best) or close(own, -best):
        return
    # the normal block is [[0, c], [cᵀ, 0]], and each unit has one half of the direction's square
    curvature = float(4 * out[0] * (into[0] @ pull) / size)
    if close(curvature, 1.0):
        raise WrongAnswer(
            "that is the steepest way up, of curvature +|c|, which leads back: turn one half of it "
            "round."
            if sign > 0
            else "right where v > 0; here v < 0, and c = ∇_w L/v points against the gradient."
        )
    if close(curvature, 0.0, size=1.0):
        raise WrongAnswer(
            "its curvature is 0: for a ReLU the weights in alone, or the weights out alone, do "
            "not drive the two apart."
        )
    raise WrongAnswer(
        f"its curvature is {curvature:+.3f}·|c|, and −|c| is possible: what are the eigenvectors "
        "of [[0, c], [cᵀ, 0]]?"
    )
