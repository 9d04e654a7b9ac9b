r"""Sums of floating numbers that do not depend on the order of their terms.

In real numbers the gradient at a point of a page lies in the page. In floats it does so up to the
last bits, because equal sums are taken in different orders. With the sums of this module nothing
remains: equal multisets of terms have equal sums, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gaugelib.group import GaugeError

Sum = Callable[[Tensor, int], Tensor]


def sorted_sum(terms: Tensor, dim: int) -> Tensor:
    """The sum along a dimension, after sorting: rounded, but the same for each order of the terms.

    The halves are added entry by entry, again and again, so that each entry of the result is added
    in the same way, whatever the processor does with rows and columns.

    Args:
        terms: floating numbers.
        dim: the dimension to be summed.

    Returns:
        Shape of `terms` without that dimension.

    Example:
        >>> terms = torch.tensor([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]], dtype=torch.float64)
        >>> left = (terms[:, 0] + terms[:, 1]) + terms[:, 2]  # the control: from left to right
        >>> (left[0] - left[1]).item() == 0, sorted_sum(terms, 1).diff().item()
        (False, 0.0)
    """
    rest = terms.movedim(dim, 0).sort(dim=0)[0]
    while len(rest) > 1:
        half = len(rest) // 2
        rest = torch.cat([rest[:half] + rest[half : 2 * half], rest[2 * half :]])
    return rest.sum(0)


def fixed_sum(terms: Tensor, dim: int, bits: int = 40) -> Tensor:
    r"""The sum in fixed point: each term is rounded to a multiple of $2^{-b}$.

    Whole numbers are added exactly, in any order; their sum is rounded once, to the dtype.

    Args:
        terms: floating numbers.
        dim: the dimension to be summed.
        bits: b, from 0 to 62.

    Raises:
        GaugeError: if a sum may not fit into 63 bits.

    Example:
        >>> terms = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
        >>> bool(fixed_sum(terms, 0) == fixed_sum(terms.flip(0), 0))
        True
    """
    if not isinstance(bits, int) or not 0 <= bits <= 62:
        raise GaugeError(f"bits must be a whole number from 0 to 62, found {bits!r}")
    sizes = terms.detach().double().abs().sum(dim) * 2.0**bits
    if not (sizes < 2.0**62).all():
        found = float(sizes.max())
        raise GaugeError(f"sums must be less than 2^62 in units of 2^-{bits}, found {found:g}")
    whole = (terms.double() * 2.0**bits).round().long().sum(dim)
    return (whole.double() / 2.0**bits).to(terms.dtype)


def plain_sum(terms: Tensor, dim: int) -> Tensor:
    """What torch makes of it: the order is torch's own.

    Example:
        >>> plain_sum(torch.ones(2, 3), 1).tolist()
        [3.0, 3.0]
    """
    return terms.sum(dim)


def relu_gradient(
    W: Tensor,
    v: Tensor,
    inputs: Tensor,
    targets: Tensor,
    sums: tuple[Sum, Sum, Sum] = (plain_sum, plain_sum, plain_sum),
) -> tuple[Tensor, Tensor]:
    r"""The gradient of $\frac1{2N}\sum(f(x)-y)^2$ with a choice for each of the three sums in it.

    Here $f(x)=\sum_iv_i\,\sigma(\sum_jW_{ij}x_j)$. All that is not a sum is done entry by entry,
    so that the sums alone decide whether the symmetry of the data is kept.

    Args:
        W: first weights, a unit a row, `(n, d)`.
        v: output weights, `(n,)`.
        inputs: `(N, d)`.
        targets: `(N,)`.
        sums: for the sums over inputs j, over units i, and over the N examples.

    Returns:
        The gradient by W and by v.

    Raises:
        GaugeError: if the shapes are others, or there are no examples.

    Example:
        >>> one = torch.ones(1, 1, dtype=torch.float64)
        >>> relu_gradient(2 * one, one[0], one, one[0])  # f = 2, y = 1
        (tensor([[1.]], dtype=torch.float64), tensor([2.], dtype=torch.float64))
    """
    shapes = [tuple(value.shape) for value in (W, v, inputs, targets)]
    count = len(targets) if targets.dim() else 0
    if W.dim() != 2 or not count or shapes[1:] != [(len(W),), (count, W.shape[1]), (count,)]:
        raise GaugeError(f"shapes must be (n, d), (n,), (N, d) and (N,), N > 0, found {shapes}")
    over_inputs, over_units, over_examples = sums
    z = over_inputs(inputs[:, None, :] * W, 2)
    lit = z.clamp(min=0)
    miss = over_units(lit * v, 1) - targets
    back = miss[:, None] * v * (z > 0)
    dW = over_examples(back[:, :, None] * inputs[:, None, :], 0) / count
    return dW, over_examples(miss[:, None] * lit, 0) / count
