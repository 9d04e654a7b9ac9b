"""Gradient descent of many small networks at once: on a page, by shared weights, or without."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from gaugelib.equivariance.gaussian import Teacher, joined, loss_and_gradient
from gaugelib.equivariance.space import EquivariantSpace
from gaugelib.group import GaugeError

Metric = Literal["inherited", "raw"]
_FIRST, _LAST = "0.weight", "2.weight"
_ROUNDINGS = 64  # from the page, in units of rounding, that still count as on it


@dataclass(frozen=True, eq=False)
class Descent:
    """What was recorded along gradient descent, the start first and the end last.

    Attributes:
        steps: after how many steps, int64, shape `(records,)`.
        W: first weights, `(records, ..., n, d)`.
        v: output weights, `(records, ..., n)`.
        loss: `teacher_loss`, `(records, ...)`.
    """

    steps: Tensor
    W: Tensor
    v: Tensor
    loss: Tensor


def deep_sets(
    a: float | Tensor, b: float | Tensor, c: float | Tensor = 1.0, n: int = 3
) -> tuple[Tensor, Tensor]:
    r"""A Deep Sets channel: $W = (a-b)I + b\mathbb 1\mathbb 1^\top$ and $v = c\mathbb 1$.

    It is equivariant under all permutations of its n inputs, through the same permutations of its
    n hidden units.

    Args:
        a: diagonal entries of W, of any shape that is then the batch's.
        b: its other entries.
        c: the output weights.
        n: how many inputs.

    Returns:
        W, shape `(..., n, n)`, and v, `(..., n)`, of the widest dtype among the tensors; plain
        numbers alone are taken in float64.

    Raises:
        GaugeError: if n is no positive whole number, the shapes do not broadcast, or a tensor is
            not of a floating dtype.

    Book: thm-frozen.

    Example:
        >>> deep_sets(1.0, -0.5, n=2)
        (tensor([[ 1.0000, -0.5000],
                [-0.5000,  1.0000]], dtype=torch.float64), tensor([1., 1.], dtype=torch.float64))
    """
    if not _whole(n, 1):
        raise GaugeError(f"n must be a positive whole number, found {n!r}")
    tensors = [value for value in (a, b, c) if isinstance(value, Tensor)]
    if not all(value.is_floating_point() for value in tensors):
        kinds = [value.dtype for value in tensors]
        raise GaugeError(f"a, b and c must be of a floating dtype, found {kinds}")
    like = tensors[0] if tensors else torch.empty((), dtype=torch.float64)
    dtype = functools.reduce(torch.promote_types, (value.dtype for value in tensors), like.dtype)
    numbers = [torch.as_tensor(value, dtype=dtype, device=like.device) for value in (a, b, c)]
    try:
        diagonal, other, last = torch.broadcast_tensors(*numbers)
    except RuntimeError:
        shapes = [tuple(value.shape) for value in numbers]
        raise GaugeError(f"a, b and c have shapes that do not broadcast: {shapes}") from None
    eye = torch.eye(n, dtype=torch.bool, device=like.device)
    W = torch.where(eye, diagonal[..., None, None], other[..., None, None])
    return W, last[..., None].expand(*last.shape, n).clone()


def descend(
    W: Tensor,
    v: Tensor,
    teacher: Teacher,
    *,
    lr: float | Tensor,
    steps: int,
    space: EquivariantSpace | None = None,
    metric: Metric = "inherited",
    train_v: bool = True,
    every: int | None = None,
) -> Descent:
    r"""Gradient descent on `teacher_loss`, for a whole batch of networks with one hidden layer.

    Without a space all weights move by themselves. In a space they are $\theta=\sum_kp_kb_k$ with
    the indicators $b_k$ of its $m_k$ equal entries, and a step is

    $$p_k \leftarrow p_k - \eta\,m_k^{s-1}\,\langle b_k,\nabla L\rangle,$$

    where $s=0$ is the metric inherited from the network without a constraint (the gradient is
    projected on the space) and $s=1$ is raw sharing (the gradient by $p_k$ itself).

    Args:
        W: first weights at the start, `(..., n, d)`.
        v: output weights at the start, `(..., n)`.
        teacher: what is to be learnt.
        lr: the step size $\eta$, one number or one for each network of the batch.
        steps: how many steps.
        space: the space to stay in, of a network with one output and without biases.
        metric: "inherited" or "raw"; the second asks for a space.
        train_v: whether the output weights move.
        every: record every so many steps; by default start and end only.

    Returns:
        The records. A run that diverges ends in values that are not finite.

    Raises:
        GaugeError: if sizes do not fit, the start is not in the space, or a number is not as above.

    Book: thm-frozen, prop-no-trap, prop-metric.

    Example:
        >>> from sympy.combinatorics import SymmetricGroup
        >>> from gaugelib.equivariance import equivariant_space, natural, trivial
        >>> group = SymmetricGroup(3)
        >>> space = equivariant_space([natural(group), natural(group), trivial(group)])
        >>> a = torch.tensor([1.0, 0.2], dtype=torch.float64)  # right and wrong side of a = b = 0.4
        >>> run = descend(*deep_sets(a, 0.4), deep_sets(0.8, 0.0), lr=0.05, steps=2000, space=space)
        >>> (run.W[-1, :, 0, 0] > run.W[-1, :, 0, 1]).tolist(), (run.loss[-1] < 1e-6).tolist()
        ([True, False], [True, False])
    """
    W, v, (T, u) = joined(W, v, teacher)
    rate = _checked(lr, steps, every, metric, space, W)
    every = every or max(steps, 1)
    page = None if space is None else _Page(space, metric, W, v)
    records = []
    for step in range(steps + 1):
        units, outputs = torch.cat([W, T], dim=-2), torch.cat([v, -u], dim=-1)
        loss, dW, dv = loss_and_gradient(units, outputs, v.shape[-1])
        if step % every == 0 or step == steps:
            records.append((torch.tensor(step), W, v, loss))
        if step == steps:
            break
        if page is None:
            W = W - rate[..., None, None] * dW
            v = v - rate[..., None] * dv if train_v else v
        else:
            W, v = page.step(rate, dW, dv if train_v else torch.zeros_like(dv))
    return Descent(*(torch.stack(part) for part in zip(*records)))


class _Page:
    """Where a descent in a space is: the coordinates, so that equal entries stay equal."""

    def __init__(self, space: EquivariantSpace, metric: Metric, W: Tensor, v: Tensor) -> None:
        params = {_FIRST: W, _LAST: v[..., None, :]}
        size = torch.linalg.vector_norm(W, dim=(-2, -1)) + torch.linalg.vector_norm(v, dim=-1)
        away = space.distance(params)
        if not (away - _ROUNDINGS * torch.finfo(W.dtype).eps * size <= 0).all():  # nor where NaN
            raise GaugeError(
                f"the start must be in the space; it is {away.max():g} away: project it"
            )
        self.space = space
        self.place = space.coordinates(params)
        basis = [part.flatten(1) for part in space.basis(W.dtype).values()]
        self.sums = torch.cat(basis, dim=1).mT.to(W.device)  # (entries, orbits)
        if metric == "inherited":
            self.sums = self.sums / space.multiplicities.to(W)

    def step(self, rate: Tensor, dW: Tensor, dv: Tensor) -> tuple[Tensor, Tensor]:
        slope = torch.cat([dW.flatten(-2), dv], dim=-1) @ self.sums
        self.place = self.place - rate[..., None] * slope
        params = self.space.params(self.place)
        return params[_FIRST], params[_LAST][..., 0, :]


def _checked(
    lr: float | Tensor,
    steps: int,
    every: int | None,
    metric: str,
    space: EquivariantSpace | None,
    W: Tensor,
) -> Tensor:
    """The step sizes, one for each network."""
    if not _whole(steps, 0) or not (every is None or _whole(every, 1)):
        raise GaugeError(
            "steps and every must be whole numbers, steps >= 0 and every >= 1, found "
            f"{steps!r} and {every!r}"
        )
    if metric not in get_args(Metric):
        raise GaugeError(f"metric must be one of {get_args(Metric)}, found {metric!r}")
    if metric == "raw" and space is None:
        raise GaugeError("raw sharing asks for a space: without one no weights are shared")
    if space is not None:
        shapes = {name: tuple(label.shape) for name, label in space.labels.items()}
        asked = {_FIRST: tuple(W.shape[-2:]), _LAST: (1, W.shape[-2])}
        if shapes != asked:
            raise GaugeError(f"the space must be one of the weights {asked}, found {shapes}")
    rate = torch.as_tensor(lr, dtype=W.dtype, device=W.device)
    if not (rate > 0).all() or not rate.isfinite().all():
        raise GaugeError(f"lr must be finite and > 0, found {rate.min():g} among its numbers")
    try:
        return rate.expand(W.shape[:-2])
    except RuntimeError:
        raise GaugeError(
            f"lr must be a number or one for each network of the batch {tuple(W.shape[:-2])}, "
            f"found the shape {tuple(rate.shape)}"
        ) from None


def _whole(number: int, least: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= least
