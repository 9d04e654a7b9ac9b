r"""The diagonal of Gauss and Newton's matrix, which is never negative."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.func import vjp, vmap
from tqdm import tqdm

from gaugelib.gradient import gradient
from gaugelib.group import GaugeError

Params = dict[str, Tensor]
Outputs = Callable[..., Tensor]
LossName = Literal["squared", "cross-entropy"]
Parts = Iterator[tuple[int, Params]]
"""Sums of squared derivatives, and of how many outputs of examples each is."""
_ROOM = 1 << 22
"""Derivatives that are held at a time: 32 MiB of float64."""


def gauss_newton_diagonal(
    outputs: Outputs,
    params: Mapping[str, Tensor],
    inputs: Tensor | None = None,
    *,
    loss: LossName = "squared",
    progress: bool = False,
) -> dict[str, Tensor]:
    r"""The mean over examples of the diagonal of $J^\top\ell''J$, for each parameter entry.

    $J$ is the derivative of one example's outputs $f$ and $\ell''$ the second derivative of its
    loss in them: 1 for $\ell=\frac12|f-y|^2$, so that the diagonal is $\mathrm E\,|\partial_ef|^2$;
    and $\operatorname{diag}\pi-\pi\pi^\top$ with $\pi=\operatorname{softmax}f$ for the
    cross-entropy. Neither depends on the targets. It follows with exponent $-2$ under a gauge
    transformation, and its sum is the trace.

    Without `inputs`, each output of each example costs a gradient of the whole: a few examples.
    With them, each costs a gradient of one example: a thousand digits take seconds.

    Args:
        outputs: without `inputs` a function of the dictionary of parameters, with them of that and
            some of the inputs, shape `(k, ...)`; it returns shape `(k, outputs)`. With `inputs`,
            each row must be what it would be alone: no batch normalisation in training.
        params: parameters by name.
        inputs: of the examples, shape `(examples, ...)`.
        loss: `"squared"` or `"cross-entropy"`, of an example.
        progress: whether to show a bar.

    Returns:
        A tensor of its shape for each parameter, in float64.

    Raises:
        GaugeError: if `loss` is neither, what `outputs` returns has another shape or depends on
            none of the parameters, there are no examples, a parameter is not of a real floating
            dtype, or the diagonal is not finite.

    Source: the book, "Which gauge?"; Schraudolph (2002), "Fast curvature matrix-vector products".

    Book: prop-gauges, prop-diagonal, prop-isotropic.

    Example:
        >>> params, x = {"w": torch.tensor([[1.0, 0.0]])}, torch.tensor([[1.0, 2.0], [3.0, 0.0]])
        >>> gauss_newton_diagonal(lambda theta, x: x @ theta["w"].T, params, x)
        {'w': tensor([[5., 2.]], dtype=torch.float64)}
    """
    if loss not in get_args(LossName):
        raise GaugeError(f"loss must be one of {get_args(LossName)}, found {loss!r}")
    at = {name: value.detach() for name, value in params.items()}
    total = {name: value.new_zeros(value.shape).double() for name, value in at.items()}
    first = inputs if inputs is None else inputs[:1]
    shape = _looked_at(outputs, at, first)
    if inputs is None:
        parts, count = _of_all(outputs, at, loss, shape), shape[0]
    else:
        parts, count = _of_each(outputs, at, loss, inputs, shape[1]), len(inputs)
    with tqdm(total=count * shape[1], desc="derivatives", disable=not progress) as bar:
        for size, squares in parts:
            for name, value in squares.items():
                total[name] += value
            bar.update(size)
    for name, value in total.items():
        if not bool(torch.isfinite(value).all()):
            raise GaugeError(f"Gauss and Newton's diagonal holds NaN or infinity at '{name}'")
    return {name: value / count for name, value in total.items()}


def _looked_at(outputs: Outputs, params: Params, inputs: Tensor | None) -> tuple[int, int]:
    """The shape of what the function returns, which is looked at once and must be as is said."""
    found = torch.zeros(())

    def summed(theta: Params) -> Tensor:
        nonlocal found
        found = outputs(theta) if inputs is None else outputs(theta, inputs)
        fits = isinstance(found, Tensor) and found.dim() == 2 and found.numel() > 0
        if not fits or (inputs is not None and len(found) != len(inputs)):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise GaugeError(f"outputs must be of shape (examples, outputs), found {shape}")
        return found.sum()

    gradient(summed, params)  # for what it refuses
    return found.shape[0], found.shape[1]


def _of_all(outputs: Outputs, params: Params, loss: LossName, shape: tuple[int, int]) -> Parts:
    """Sums of squares over some outputs of some examples, each from a gradient of the whole."""
    f, pull = _pullback(outputs, params)
    factors = _factors(f.detach(), loss)
    examples, width = shape
    places = torch.arange(examples * width, device=f.device)
    for some in places.split(_at_a_time(params)):
        row, column = some // width, some % width
        chosen = f.new_zeros(len(some), examples, width)
        chosen[torch.arange(len(some), device=f.device), row] = factors[row, column]
        (slopes,) = vmap(pull)(chosen)
        yield len(some), {n: v.detach().double().square().sum(0) for n, v in slopes.items()}


def _of_each(outputs: Outputs, params: Params, loss: LossName, inputs: Tensor, width: int) -> Parts:
    """The same over all outputs of some examples, each evaluated alone."""

    def of_one(example: Tensor) -> Params:
        f, pull = _pullback(lambda theta: outputs(theta, example[None])[0], params)
        (slopes,) = vmap(pull)(_factors(f, loss))
        return slopes

    def one_by_one(some: Tensor) -> Params:
        each = [of_one(example) for example in some]
        return {name: torch.stack([slopes[name] for slopes in each]) for name in each[0]}

    of_some = vmap(of_one, randomness="different")
    for some in inputs.split(max(1, _at_a_time(params) // width)):
        try:
            slopes = of_some(some)
        except RuntimeError:  # torch maps some operations, such as PReLU, over no batch of weights
            of_some = one_by_one
            slopes = of_some(some)
        yield (
            len(some) * width,
            {n: v.detach().double().square().sum((0, 1)) for n, v in slopes.items()},
        )


def _pullback(of: Outputs, params: Params) -> tuple[Tensor, Callable[[Tensor], tuple[Params]]]:
    return vjp(of, dict(params))  # pyright: ignore[reportReturnType]


def _factors(f: Tensor, loss: LossName) -> Tensor:
    r"""Rows $s_j$ with $\sum_j s_js_j^\top=\ell''(f)$, shape `(..., outputs, outputs)`."""
    unit = torch.eye(f.shape[-1], dtype=f.dtype, device=f.device)
    if loss == "squared":
        return unit.expand(*f.shape, -1)
    chance = f.softmax(-1)
    return chance.sqrt()[..., None] * (unit - chance[..., None, :])


def _at_a_time(params: Params) -> int:
    return max(1, _ROOM // max(1, sum(value.numel() for value in params.values())))
