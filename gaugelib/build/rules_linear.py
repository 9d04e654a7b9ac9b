"""Rules for linear maps: layers, convolutions, matrix products, attention, embeddings."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaugelib.build.rules_arithmetic import common_labels
from gaugelib.build.site import Site, named, rule
from gaugelib.build.values import Activation, Constant, Value, Weight
from gaugelib.group import GROUND


@rule(F.linear)
def linear(site: Site, input: Value, weight: Value, bias: Value | None = None) -> Activation:
    """Row i of W flows into unit i of x Wᵀ + b, column j out of unit j of x."""
    before = site.activation(input).labels
    shape = (*before.shape[:-1], weight.shape[0])
    if isinstance(weight, Weight):
        labels = _contract(site, before.unsqueeze(-2), weight, transposed=True)[0]
    else:
        _require_fixed(site, weight)
        labels = site.labels.tie_over(before, [-1]).expand(shape)
    return Activation(_shifted(site, labels, bias).expand(shape), input.dtype)


@rule(nn.Linear)
def linear_module(site: Site, input: Value) -> Activation:
    """`linear` with the parameters of its module."""
    return linear(site, input, site.parameters["weight"], site.parameters.get("bias"))


@rule(*named("matmul mm bmm mv", torch, Tensor), operator.matmul)
def matmul(site: Site, input: Value, other: Value) -> Activation:
    """Products with a parameter on either side, or with something of fixed scale."""
    shadow = site.shadow()
    if isinstance(input, Weight) and isinstance(other, Weight):
        site.refuse(f"it multiplies parameters '{input.name}' and '{other.name}' with each other")
    # Both as matrices; a vector is a row on the left and a column on the right.
    left = input if len(input.shape) > 1 else input.carried(input.carrier().unsqueeze(0))
    right = other if len(other.shape) > 1 else other.carried(other.carrier().unsqueeze(-1))
    if isinstance(right, Weight):
        labels = _contract(site, site.activation(left).labels, right, transposed=False)
    elif isinstance(left, Weight):
        columns = site.activation(right).labels.mT
        labels = _contract(site, columns, left, transposed=True).mT
    else:
        labels = _product(site, left, right)
    full = torch.matmul(left.shadow(), right.shadow()).shape
    return Activation(labels.expand(full).reshape(shadow.shape), shadow.dtype)


def _contract(site: Site, rows: Tensor, weight: Weight, transposed: bool) -> Tensor:
    """Labels (…, 1, outputs) of x W or, if transposed, x Wᵀ, for labels (…, n, inputs) of x.

    Each row of x meets the same W, so that rows are tied; so are batches that W does not have.
    """
    inner, outer = (-1, -2) if transposed else (-2, -1)
    *batch, outputs = *weight.shape[:-2], weight.shape[outer]
    source = site.labels.fold(rows, torch.Size((*batch, 1, weight.shape[inner])))
    target = site.issue((*batch, 1, outputs), weight)
    ends = (target.mT, source) if transposed else (target, source.mT)
    site.ledger.record(weight, *ends, "weight")
    return target


def _is_fixed(site: Site, value: Value) -> bool:
    if isinstance(value, Constant):
        return True
    return bool(site.labels.is_ground(site.activation(value).labels).all())


def _product(site: Site, left: Value, right: Value) -> Tensor:
    """Labels, up to broadcasting, of a matrix product without parameters."""
    for factor, other, axis in ((right, left, -1), (left, right, -2)):
        if _is_fixed(site, factor):
            return site.labels.tie_over(site.activation(other).labels, [axis])
    site.labels.ground(site.activation(left).labels)
    site.labels.ground(site.activation(right).labels)
    return torch.full((1, 1), GROUND)


def _require_fixed(site: Site, weight: Value) -> None:
    if not _is_fixed(site, weight):
        site.refuse("its weight is neither a parameter nor of fixed scale")


def _shifted(site: Site, labels: Tensor, bias: Value | None) -> Tensor:
    if bias is None:
        return labels
    return common_labels(site, (Activation(labels, bias.dtype), bias), labels.shape)


def _convolution_rules(spatial: int) -> None:
    """Convolutions and transposed convolutions over one, two or three dimensions."""

    def convolve(
        site: Site, input: Value, weight: Value, bias: Value | None, groups: int, transposed: bool
    ) -> Activation:
        shadow = site.shadow()
        before = site.activation(input).labels
        axis = before.dim() - spatial - 1
        others = [dim for dim in range(before.dim()) if dim != axis]
        inputs = site.labels.tie_over(before, others).reshape(-1)
        if isinstance(weight, Weight):
            outputs = site.issue((shadow.shape[axis],), weight)
            rows, columns = (inputs, outputs) if transposed else (outputs, inputs)
            across = _grouped(columns, groups, len(rows))
            rows = rows.reshape(-1, 1, *(1,) * spatial)
            across = across.reshape((*across.shape, *(1,) * spatial))
            ends = (across, rows) if transposed else (rows, across)
            site.ledger.record(weight, *ends, "weight")
        else:
            _require_fixed(site, weight)
            one = site.labels.tie_over(inputs.reshape(groups, -1), [1])
            outputs = one.expand(groups, shadow.shape[axis] // groups).reshape(-1)
        outputs = _shifted(site, outputs, bias)
        labels = outputs.reshape(-1, *(1,) * spatial).expand(shadow.shape)
        return Activation(labels, shadow.dtype)

    @rule(*named(f"conv{spatial}d", torch, F))
    def convolution(
        site: Site, input: Value, weight: Value, bias: Value | None = None, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1,
    ) -> Activation:  # fmt: skip
        """Every position applies the same W (outputs, inputs / groups, …) to the channels."""
        return convolve(site, input, weight, bias, groups, transposed=False)

    @rule(*named(f"conv_transpose{spatial}d", torch, F))
    def transposed_convolution(
        site: Site, input: Value, weight: Value, bias: Value | None = None, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Activation:  # fmt: skip
        """As a convolution, with W of shape (inputs, outputs / groups, …)."""
        return convolve(site, input, weight, bias, groups, transposed=True)

    @rule(*named(f"Conv{spatial}d ConvTranspose{spatial}d", nn))
    def convolution_module(site: Site, input: Value, *_: Any, **__: Any) -> Activation:
        """The two functions above with the parameters of their module."""
        weight, bias = site.parameters["weight"], site.parameters.get("bias")
        transposed = site.option("transposed")
        return convolve(site, input, weight, bias, site.option("groups"), transposed)


def _grouped(columns: Tensor, groups: int, rows: int) -> Tensor:
    """For each row, the columns of its group: (1, columns), or (rows, columns / groups)."""
    if groups == 1:
        return columns[None, :]
    blocks = columns.reshape(groups, 1, -1)
    return blocks.expand(-1, rows // groups, -1).reshape(rows, -1)


for _spatial in (1, 2, 3):
    _convolution_rules(_spatial)


@rule(F.embedding)
def embedding(
    site: Site, input: Value, weight: Value, padding_idx: int | None = None,
    max_norm: float | None = None, *_: Any, **__: Any,
) -> Activation:  # fmt: skip
    """Row i of the table is the output for index i: each column flows into one unit."""
    if max_norm is not None:
        site.refuse("max_norm renormalises rows of the parameter while the model runs")
    site.labels.ground(site.activation(input).labels)
    if not isinstance(weight, Weight):
        site.refuse("its table is not a parameter")
    target = site.issue((1, weight.shape[-1]), weight)
    site.ledger.record(weight, target, torch.tensor(GROUND), "weight")
    return Activation(target[0].expand(*input.shape, -1), weight.dtype)


@rule(nn.Embedding)
def embedding_module(site: Site, input: Value) -> Activation:
    """`embedding` with the table of its module."""
    return embedding(site, input, site.parameters["weight"], None, site.option("max_norm"))


@rule(F.scaled_dot_product_attention)
def attention(
    site: Site, query: Value, key: Value, value: Value, *options: Any, **more: Any
) -> Activation:
    """Softmax fixes the scales of queries and keys; each column of the values keeps its own."""
    for fixed in (query, key, *options, *more.values()):
        if isinstance(fixed, Value):
            site.labels.ground(site.activation(fixed).labels)
    labels = site.labels.tie_over(site.activation(value).labels, [-2])
    if labels.shape[:-2] != query.shape[:-2]:
        site.refuse("its queries and values differ in batches or heads")
    return Activation(labels.expand(*query.shape[:-1], -1), query.dtype)
