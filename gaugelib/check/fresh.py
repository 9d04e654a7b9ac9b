"""Fresh random numbers for the checkers."""

from __future__ import annotations

import torch
from torch import Tensor


def normal(*shape: int) -> Tensor:
    """Fresh numbers at every call, so that no stored answer passes; the global seed stays put."""
    draw = torch.Generator()
    draw.seed()
    return torch.randn(*shape, generator=draw, dtype=torch.float64)
