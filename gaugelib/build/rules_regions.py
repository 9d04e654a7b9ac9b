"""Rules for operations within regions of a tensor: pooling, resampling and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gaugelib.build.rules_arithmetic import maximum
from gaugelib.build.site import Site, grounded, named, rule
from gaugelib.build.values import Activation, Value

Size = int | Sequence[int]


def _pooling_rules(spatial: int) -> None:
    """Pooling over the last one, two or three dimensions."""

    def names(pattern: str, *spaces: object) -> list[object]:
        return named(pattern.replace("#", f"{spatial}d"), *spaces)

    @rule(*names("max_pool# max_pool#_with_indices", torch, F))
    def max_pool(
        site: Site, input: Value, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
        dilation: Size = 1, ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        """The largest entry of each window, which must be of one scale."""
        window = (kernel_size, stride or kernel_size)
        plain = not ceil_mode and _all(padding, 0) and _all(dilation, 1)
        return _pooled(site, input, spatial, window if plain else None)

    @rule(*names("avg_pool#", torch, F))
    def avg_pool(
        site: Site, input: Value, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
        ceil_mode: bool = False, *_: Any, **__: Any,
    ) -> Any:  # fmt: skip
        """The mean of each window, which must be of one scale."""
        return max_pool(site, input, kernel_size, stride, padding, 1, ceil_mode)

    @rule(*names("MaxPool# AvgPool#", nn))
    def pool_module(site: Site, input: Value) -> Any:
        """The two functions above with the options of their module."""
        options = [site.option(name) for name in ("kernel_size", "stride", "padding")]
        dilation = getattr(site.module, "dilation", 1)
        return max_pool(site, input, *options, dilation, site.option("ceil_mode"))

    @rule(*names("adaptive_avg_pool# adaptive_max_pool#", torch, F))
    def adaptive_pool(site: Site, input: Value, output_size: Size | Sequence[None]) -> Activation:
        """Means or maxima of windows of the size that it takes: channels must be of one scale."""
        before = site.activation(input).labels
        axes = range(before.dim() - spatial, before.dim())
        sizes = [n or before.shape[d] for n, d in zip(_each(output_size, spatial), axes)]
        labels = site.labels.tie_over(before, axes)
        return Activation(labels.expand(*before.shape[: axes[0]], *sizes), input.dtype)

    @rule(*names("AdaptiveAvgPool# AdaptiveMaxPool#", nn))
    def adaptive_pool_module(site: Site, input: Value) -> Any:
        """The two functions above with the options of their module."""
        if getattr(site.module, "return_indices", False):
            return _pooled(site, input, spatial, None)
        return adaptive_pool(site, input, site.option("output_size"))

    @rule(*names("lp_pool# adaptive_max_pool#_with_indices", torch, F))
    @rule(*names("LPPool#", nn))
    def other_pool(site: Site, input: Value, *_: Any, **__: Any) -> Any:
        """Other windows: whole channels are taken to be of one scale."""
        return _pooled(site, input, spatial, None)


for _spatial in (1, 2, 3):
    _pooling_rules(_spatial)


@rule(*named("interpolate upsample", F))
@rule(*named("Upsample UpsamplingNearest2d UpsamplingBilinear2d", nn))
def interpolate(site: Site, input: Value, *_: Any, **__: Any) -> Any:
    """Every mode takes fixed combinations of the positions of one channel."""
    return _pooled(site, input, len(input.shape) - 2, None)


@rule(*named("mean sum amax amin nanmean nansum", torch, Tensor))
def reduce(
    site: Site, input: Value, dim: Size | None = None, keepdim: bool = False, **options: Any
) -> Activation:
    """Sums, means and extremes along dimensions, whose entries must be of one scale."""
    labels, axes = _tied(site, input, options.pop("axis", dim))
    if options or not input.dtype.is_floating_point:
        return _filled(site, labels, site.shadow())
    return Activation(labels if keepdim else labels.squeeze(axes), input.dtype)


@rule(*named("norm", torch, Tensor))
def norm(
    site: Site, input: Value, p: Any = "fro", dim: Size | None = None, keepdim: bool = False,
    **options: Any,
) -> Any:  # fmt: skip
    """Every norm scales with its entries; counting those that are not zero (p = 0) does not."""
    if isinstance(p, Value) or p == 0:
        return site.ground_all()
    return reduce(site, input, dim, keepdim, **options)


@rule(*named("max min", torch, Tensor))
def extreme(
    site: Site, input: Value, dim: Size | Value | None = None, keepdim: bool = False, **options: Any
) -> Any:
    """Along a dimension (maxout), of everything, or of two tensors."""
    other = options.get("other", dim)
    if isinstance(other, Value):
        return maximum(site, input, other)
    return _filled(site, _tied(site, input, options.get("axis", dim))[0], site.shadow())


@rule(*named("cumsum", torch, Tensor))
def along(site: Site, input: Value, dim: int, *_: Any, **__: Any) -> Any:
    """Running sums along a dimension, which must be of one scale."""
    return _filled(site, _tied(site, input, dim)[0], site.shadow())


@rule(*named("sort", torch, Tensor))
def sort(site: Site, input: Value, dim: int = -1, *_: Any, **__: Any) -> Any:
    """Entries of one scale keep their order."""
    return along(site, input, dim)


@rule(*named("topk", torch, Tensor))
def topk(site: Site, input: Value, k: int, dim: int = -1, *_: Any, **__: Any) -> Any:
    """The first few of them."""
    return along(site, input, dim)


def _tied(site: Site, input: Value, dim: Size | None) -> tuple[Tensor, tuple[int, ...]]:
    labels = site.activation(input).labels
    axes = (dim,) if isinstance(dim, int) else tuple(dim or range(labels.dim()))
    return site.labels.tie_over(labels, axes), axes


def _pooled(site: Site, input: Value, spatial: int, window: tuple[Size, Size] | None) -> Any:
    """Ties each window if the labels differ along it, else nothing: a channel is of one scale."""
    labels = site.activation(input).labels
    axes = range(labels.dim() - spatial, labels.dim())
    channels = torch.Size((*labels.shape[: axes[0]], *(1,) * spatial))
    if window and not site.labels.is_folded(labels, channels):
        for axis, size, step in zip(axes, *(_each(option, spatial) for option in window)):
            labels = labels.unfold(axis, size, step)
        labels = site.labels.tie_over(labels, range(-spatial, 0))[(..., *(0,) * spatial)]
    else:
        labels = site.labels.tie_over(labels, axes)
    return _filled(site, labels, site.shadow())


def _filled(site: Site, labels: Tensor, shadow: Any) -> Any:
    """The labels in the shape of each result; positions of extremes do not move with the scale."""
    if isinstance(shadow, Tensor) and not shadow.dtype.is_floating_point:
        site.labels.ground(labels)  # a sum rounded to integers

    def fill(result: Tensor) -> Activation:
        if not result.is_floating_point():
            return grounded(result)
        if labels.numel() == result.numel():
            return Activation(labels.reshape(result.shape), result.dtype)
        return Activation(labels.expand(result.shape), result.dtype)

    return pytree.tree_map_only(Tensor, fill, shadow)


def _each(option: Size | Sequence[None] | None, spatial: int) -> tuple[Any, ...]:
    if isinstance(option, int | None):
        return (option,) * spatial
    return tuple(option) * (spatial // len(option))


def _all(option: Size, value: int) -> bool:
    return option == value if isinstance(option, int) else all(part == value for part in option)
