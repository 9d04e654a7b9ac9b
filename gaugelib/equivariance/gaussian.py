r"""The loss of a ReLU network against a teacher, its mean over normal inputs taken exactly.

For $x$ standard normal and $\varphi$ the angle between $w$ and $u$,

$$k(w, u) = \mathbb E[\sigma(\langle w, x\rangle)\,\sigma(\langle u, x\rangle)]
= \frac{|w||u|}{2\pi}\,(\sin\varphi + (\pi-\varphi)\cos\varphi), \qquad
\nabla_w k = \frac{|u|\sin\varphi\;\hat w + (\pi-\varphi)\,u}{2\pi}.$$
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from gaugelib.group import GaugeError

Teacher = tuple[Tensor, Tensor]
"""First weights, shape `(..., m, d)`, and output weights, `(..., m)`, of a network to learn."""


def teacher_loss(W: Tensor, v: Tensor, teacher: Teacher) -> Tensor:
    r"""The loss $\frac12\,\mathbb E[(f(x) - y(x))^2]$ with infinitely many normal inputs.

    Student and teacher are $\sum_i v_i\,\sigma(\langle w_i, x\rangle)$. The mean is a quadratic
    form in the output weights: what is left where the two agree is rounding, of either sign.

    Args:
        W: the student's first weights, a unit a row, `(..., n, d)`.
        v: its output weights, `(..., n)`.
        teacher: the two of the teacher; batch dimensions broadcast, and of different dtypes the
            widest is taken.

    Returns:
        The loss, of the shape of the batch.

    Raises:
        GaugeError: if sizes do not fit, or a number is NaN or infinite.

    Source: Cho and Saul 2009, equation 6, for the kernel of degree 1.

    Example:
        >>> W, v = torch.eye(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
        >>> loss = teacher_loss(W, v, (torch.zeros_like(W), v))  # E[(σ(x) + σ(y))²]/2
        >>> torch.isclose(loss, torch.tensor(0.5 + 0.5 / torch.pi, dtype=torch.float64))
        tensor(True)
    """
    return loss_and_gradient(*_error(W, v, teacher))[0]


def teacher_gradient(W: Tensor, v: Tensor, teacher: Teacher) -> tuple[Tensor, Tensor]:
    r"""The gradient of `teacher_loss`: by the first weights, then by the output weights.

    Args:
        W: as in `teacher_loss`.
        v: as in `teacher_loss`.
        teacher: as in `teacher_loss`.

    Returns:
        The two, of the shapes of W and v with the dimensions of the batch.

    Raises:
        GaugeError: as `teacher_loss`; and if a unit has $w = 0$ and $v\ne0$: the loss has a kink
            there, its slope depends on the direction. With $v = 0$ too the gradient is 0.

    Example:
        >>> W, v = torch.eye(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
        >>> slopes, _ = teacher_gradient(W, v, (2 * W, v))  # -(1/2 + 1/2π) and -1/4
        >>> slopes
        tensor([[-0.6592, -0.2500],
                [-0.2500, -0.6592]], dtype=torch.float64)
    """
    Z, q, n = _error(W, v, teacher)
    kink = (Z[..., :n, :] == 0).all(dim=-1) & (q[..., :n] != 0)
    if kink.any():
        raise GaugeError(
            f"unit {kink.nonzero()[0].tolist()} has first weights 0 and an output weight that is "
            "not: the loss has no gradient there"
        )
    return loss_and_gradient(Z, q, n)[1:]


def loss_and_gradient(Z: Tensor, q: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Loss and gradient of all units together: the first n are the student's.

    The teacher's output weights have changed their sign, so that the error is one network. This
    checks nothing.

    Args:
        Z: first weights of the student, then of the teacher, `(..., n + m, d)`.
        q: output weights, `(..., n + m)`.
        n: how many are the student's.
    """
    # in units of a power of two, which rounds nothing: squares of tiny numbers would be 0
    exponent = torch.frexp(Z.detach().abs().amax(dim=-1)).exponent
    power = torch.ldexp(torch.ones_like(q), exponent - 1)
    scaled = Z / power[..., None]
    lengths = torch.linalg.vector_norm(scaled, dim=-1)
    units = scaled / torch.where(lengths > 0, lengths, 1)[..., None]
    sizes = lengths * power
    # accurate also where the angle is near 0 or π, which its cosine does not tell from these
    apart = torch.linalg.vector_norm(units[..., :, None, :] - units[..., None, :, :], dim=-1)
    sums = torch.linalg.vector_norm(units[..., :, None, :] + units[..., None, :, :], dim=-1)
    angle = 2 * torch.atan2(apart, sums)
    rest, sine = math.pi - angle, angle.sin()
    shape = (sine + rest * angle.cos()) / (2 * math.pi)
    kernel = sizes[..., :, None] * sizes[..., None, :] * shape
    along = (kernel @ q[..., None])[..., 0]
    loss = (q * along).sum(dim=-1) / 2
    outward = (q * sizes)[..., None, :] * sine[..., :n, :]
    slopes = outward.sum(dim=-1, keepdim=True) * units[..., :n, :]
    slopes = slopes + (q[..., None, :] * rest[..., :n, :]) @ Z
    return loss, q[..., :n, None] * slopes / (2 * math.pi), along[..., :n]


def joined(W: Tensor, v: Tensor, teacher: Teacher) -> tuple[Tensor, Tensor, Teacher]:
    """The student's weights, and the teacher's, checked, with one batch and one dtype.

    Raises:
        GaugeError: as `teacher_loss`.
    """
    if not isinstance(teacher, (tuple, list)) or len(teacher) != 2:
        raise GaugeError("the teacher must be a pair: its first weights and its output weights")
    T, u = teacher
    for name, first, last in (("student", W, v), ("teacher", T, u)):
        ends = first.shape[-2:]
        if first.dim() < 2 or last.dim() < 1 or ends[0] != last.shape[-1] or not ends[1]:
            raise GaugeError(
                f"the {name}'s weights must have shapes (..., n, d) and (..., n) with d >= 1, "
                f"found {tuple(first.shape)} and {tuple(last.shape)}"
            )
        for value in (first, last):
            if not value.is_floating_point() or not value.isfinite().all():
                raise GaugeError(f"the {name}'s weights must be finite numbers of a floating dtype")
    if W.shape[-1] != T.shape[-1]:
        raise GaugeError(
            f"student and teacher have different inputs: {W.shape[-1]} and {T.shape[-1]}"
        )
    try:
        batch = torch.broadcast_shapes(W.shape[:-2], v.shape[:-1], T.shape[:-2], u.shape[:-1])
    except RuntimeError:
        shapes = [tuple(value.shape) for value in (W, v, T, u)]
        raise GaugeError(f"the batch dimensions of these shapes do not fit: {shapes}") from None
    dtype = functools.reduce(torch.promote_types, (value.dtype for value in (W, v, T, u)))
    W, T = (value.expand(*batch, -1, -1).to(dtype) for value in (W, T))
    v, u = (value.expand(*batch, -1).to(dtype) for value in (v, u))
    return W, v, (T, u)


def _error(W: Tensor, v: Tensor, teacher: Teacher) -> tuple[Tensor, Tensor, int]:
    """The error as one network: all first weights, all output weights, how many are learning."""
    W, v, (T, u) = joined(W, v, teacher)
    return torch.cat([W, T], dim=-2), torch.cat([v, -u], dim=-1), v.shape[-1]
