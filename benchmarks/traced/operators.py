"""torchvision beside a PyTorch that its compiled operators were not built for.

Its wheel on the package index is for GPUs and does not load beside PyTorch for processors. Two
operators are needed, by detection models, and are done here in Python; the others only have to
be missing in peace.
"""

from __future__ import annotations

import importlib.util
import pathlib

import torch
from torch import Tensor


def ready() -> None:
    """See to it that torchvision can be imported."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None or hasattr(torch.ops.torchvision, "nms"):
        return
    for compiled in pathlib.Path(found.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(str(compiled))
        except OSError:
            break
    if not hasattr(torch.ops.torchvision, "nms"):
        for name in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{name}",
                "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            )
        torch.library.define(
            "torchvision::roi_align",
            "(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
            "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor",
        )
        torch.library.impl("torchvision::nms", "cpu", suppressed)
        from torchvision import extension
        from torchvision.ops.roi_align import _roi_align

        torch.library.impl("torchvision::roi_align", "cpu", _roi_align)
        extension._has_ops = lambda: True


def suppressed(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Places of the boxes that overlap no better one too much; shapes (n, 4) and (n,) to (k,)."""
    order = scores.argsort(descending=True)
    kept: list[Tensor] = []
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    while order.numel():
        first, rest = order[0], order[1:]
        kept.append(first)
        low = torch.maximum(boxes[first, :2], boxes[rest, :2])
        high = torch.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = (high - low).clamp(min=0).prod(1)
        order = rest[shared / (area[first] + area[rest] - shared) <= threshold]
    return torch.stack(kept) if kept else order
