"""Anderson acceleration of a fixed-point iteration, with restarts."""

from __future__ import annotations

import torch
from torch import Tensor

_RIDGE = 1e-13


class Anderson:
    r"""Extrapolates from the last few images $g(x)$ and residuals $g(x) - x$ of a map.

    Args:
        depth: how many earlier residuals to combine.

    Example:
        >>> memory, x = Anderson(depth=1), torch.tensor([4.0]).double()
        >>> for _ in range(2):  # g(x) = x/2 + 1 is affine: two images determine its fixed point
        ...     image = x / 2 + 1
        ...     guess = memory.propose(image, image - x)
        ...     x = image
        >>> guess
        tensor([2.0000], dtype=torch.float64)
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.images: list[Tensor] = []
        self.residuals: list[Tensor] = []

    def restart(self) -> None:
        """Forget everything."""
        self.images.clear()
        self.residuals.clear()

    def propose(self, image: Tensor, residual: Tensor) -> Tensor | None:
        """A better point than the image, or `None` when there is nothing to combine yet.

        A residual twice as long as the one before means that the map is not near its fixed point:
        then everything earlier is forgotten.
        """
        if self.residuals and bool(residual.norm() > 2 * self.residuals[-1].norm()):
            self.restart()
        self.images = [*self.images[-self.depth :], image]
        self.residuals = [*self.residuals[-self.depth :], residual]
        if len(self.images) < 2:
            return None
        residuals, images = torch.stack(self.residuals), torch.stack(self.images)
        differences = residuals[-1] - residuals[:-1]
        gram = differences @ differences.t()
        gram.diagonal().add_(_RIDGE * gram.trace() + torch.finfo(gram.dtype).tiny)
        mix, info = torch.linalg.solve_ex(gram, differences @ residual)
        point = image - mix @ (images[-1] - images[:-1])
        return point if not bool(info) and bool(point.isfinite().all()) else None
