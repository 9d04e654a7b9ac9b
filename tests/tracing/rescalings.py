"""An oracle for the group that is traced: all rescalings of parameters that leave a function alone.

The log-scales v of such a rescaling solve J(theta) diag(theta) v = 0 at every point theta, so that
they are the common kernel of these matrices at a few generic points. Nothing is traced here, and
no operation has a rule: automatic differentiation and singular values are all that is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

POINTS = 8
NOTHING = 1e-10
"""Relative size of a singular value that counts as zero; `Found.gap` says how clear that is."""


@dataclass(frozen=True)
class Found:
    """What the singular values say of a model.

    Attributes:
        dimension: of the space of rescalings.
        idle: name of a parameter -> how many of its entries have no effect on the function at all.
        gap: the least singular value that counts, divided by the largest that does not.
        names: names and shapes of the parameters, in the order of the entries.
        matrix: J diag(theta) at all points, shape (rows, entries).
    """

    dimension: int
    idle: dict[str, int]
    gap: float
    names: dict[str, torch.Size]
    matrix: Tensor

    def residual(self, log_scales: Mapping[str, Tensor]) -> float:
        """How far these log-scales, 0 where none are given, are from a symmetry, relatively."""
        rows = [
            log_scales.get(name, torch.zeros(())).double().expand(shape).flatten()
            for name, shape in self.names.items()
        ]
        direction = torch.cat(rows)
        moved = self.matrix @ direction
        return float(moved.norm() / (self.matrix * direction).norm())


def generic(model: nn.Module, draw: torch.Generator) -> dict[str, Tensor]:
    """Parameters without zeros and without a pattern, that keep activations of order one."""
    params = {}
    for name, value in model.named_parameters():
        size = 1.4 / math.sqrt(max(1, value[0].numel())) if value.dim() > 1 else 0.7
        noise = torch.randn(value.shape, generator=draw, dtype=torch.float64)
        params[name] = size * (noise + 0.3 * noise.sign())
    return params


def rescalings(model: nn.Module, inputs: tuple[Tensor, ...], seed: int = 0) -> Found:
    """All rescalings of a float64 model, seen on these inputs, which must be rich enough.

    Each row is a random functional of all outputs: a sixth as many as there are parameters at each
    of eight points, for a constant that parameters make alone is seen only once at a point.
    """
    draw = torch.Generator().manual_seed(seed)
    buffers = dict(model.named_buffers())
    blocks = []
    for _ in range(POINTS):
        params = {name: value.requires_grad_() for name, value in generic(model, draw).items()}
        copies = {name: value.clone() for name, value in buffers.items()}
        out = functional_call(model, {**params, **copies}, inputs).flatten()
        entries = sum(value.numel() for value in params.values())
        seen = torch.randn(entries // 6 + 4, len(out), generator=draw, dtype=torch.float64)
        slopes = torch.autograd.grad(
            out, list(params.values()), seen, is_grads_batched=True, allow_unused=True
        )
        with torch.no_grad():
            scaled = [
                torch.zeros(len(seen), p.numel())
                if j is None
                else j.reshape(len(seen), -1) * p.reshape(-1)
                for j, p in zip(slopes, params.values())
            ]
            blocks.append(torch.cat(scaled, 1))
    matrix = torch.cat(blocks)
    matrix /= matrix.norm(dim=1, keepdim=True)
    singular = torch.linalg.svdvals(matrix)
    rank = int((singular > NOTHING * singular[0]).sum())
    gap = float(singular[rank - 1] / singular[rank]) if rank < len(singular) else math.inf
    return Found(
        dimension=matrix.shape[1] - rank,
        idle=_idle(matrix, dict(model.named_parameters())),
        gap=gap,
        names={name: value.shape for name, value in model.named_parameters()},
        matrix=matrix,
    )


def _idle(matrix: Tensor, params: dict[str, nn.Parameter]) -> dict[str, int]:
    columns = matrix.norm(dim=0)
    still = columns < NOTHING * columns.max()
    parts = still.split([value.numel() for value in params.values()])
    counts = {name: int(part.sum()) for name, part in zip(params, parts)}
    return {name: count for name, count in counts.items() if count}
