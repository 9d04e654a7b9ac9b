"""Models of torchvision and timm, with random weights and the smallest picture that they take."""

from __future__ import annotations

import torch
from traced.operators import ready

ready()

import timm  # noqa: E402 (what torchvision misses must be there first)
import torchvision  # noqa: E402
from torch import Tensor, nn  # noqa: E402

SIDE = 64
SHAPES = {
    "torchvision/inception_v3": (80, 80),
    "torchvision/maxvit_t": (224, 224),
    "torchvision/vit_h_14": (56, 56),
    "torchvision/r3d_18": (8, 32, 32),
    "torchvision/mc3_18": (8, 32, 32),
    "torchvision/r2plus1d_18": (8, 32, 32),
    "torchvision/s3d": (16, 224, 224),
    "torchvision/mvit_v1_b": (16, 224, 224),
    "torchvision/swin3d_t": (8, 32, 32),
    "timm/crossvit_tiny_240": (240, 240),
    "timm/efficientformer_l1": (224, 224),
    "timm/halonet26t": (256, 256),
    "timm/inception_resnet_v2": (96, 96),
    "timm/inception_v3": (96, 96),
    "timm/inception_v4": (96, 96),
}
"""Shapes of the pictures, or films, that are not SIDE by SIDE."""
HEADED = ("deeplab", "fcn", "lraspp", "faster", "retina", "ssd", "fcos", "mask")
"""Beginnings of the names of models round another one, which would be downloaded."""


def build(name: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """A model with random weights, and an input for it."""
    package, _, kind = name.partition("/")
    shape = SHAPES.get(name, (SIDE, SIDE))
    model = _timm(kind, shape[-1]) if package == "timm" else _torchvision(kind, shape[-1])
    return model, (torch.rand(1, 3, *shape),)


def _torchvision(kind: str, side: int) -> nn.Module:
    settings: dict[str, object] = {}
    if kind.startswith(HEADED):
        settings["weights_backbone"] = None
    if kind in ("googlenet", "inception_v3"):
        settings["init_weights"] = False  # their own takes minutes
    if kind.startswith("vit_"):
        settings["image_size"] = side
    return torchvision.models.get_model(kind, weights=None, **settings)


def _timm(kind: str, side: int) -> nn.Module:
    """With positions for this side, if the model has a number of its own for them."""
    try:
        return timm.create_model(kind, img_size=side)
    except TypeError:
        return timm.create_model(kind)
