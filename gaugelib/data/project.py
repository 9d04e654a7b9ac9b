"""Projection of inputs onto their leading singular directions."""

from __future__ import annotations

import torch
from torch import Tensor

from gaugelib.group import GaugeError

AT_ONCE = 8192  # examples in float64 at a time, to bound memory


def leading_directions(inputs: Tensor, dimensions: int) -> Tensor:
    r"""The right singular vectors of the largest singular values, (features, dimensions).

    With $X = U\Sigma V^\top$ they are the first columns of $V$, found as eigenvectors of
    $X^\top X$ in float64. The sign of each, which is arbitrary, is such that its entry of largest
    magnitude is positive. The inputs are not centred, as in the paper.

    Args:
        inputs: (examples, features), of any type; uint8 is read as it is.
        dimensions: how many, at most the number of features.

    Raises:
        GaugeError: if there are not so many, or an input is NaN or infinite.

    Source: Saul (2023), Section 4.1; Eckart and Young (1936).

    Example:
        >>> leading_directions(torch.tensor([[0.0, -3.0], [1.0, 0.0]]), 1).flatten().tolist()
        [0.0, 1.0]
    """
    examples, features = inputs.shape
    if not 1 <= dimensions <= min(examples, features):
        raise GaugeError(
            f"{examples} inputs of {features} features have no {dimensions} singular directions"
        )
    gram = torch.zeros(features, features, dtype=torch.float64, device=inputs.device)
    for part in inputs.split(AT_ONCE):
        gram += part.double().T @ part.double()
    if not bool(gram.isfinite().all()):
        raise GaugeError("inputs to project must be finite")
    vectors = torch.linalg.eigh(gram).eigenvectors.flip(1)[:, :dimensions]
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    return vectors * largest.sign()


def project(inputs: Tensor, directions: Tensor) -> Tensor:
    """Coordinates along the directions, (examples, dimensions), in their precision.

    Example:
        >>> project(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0], [0.0]]))
        tensor([[3.]])
    """
    return torch.cat([part.to(directions.dtype) @ directions for part in inputs.split(AT_ONCE)])
