r"""What the rescaling symmetry says of the Hessian: $\mathbf H v_h = -A_h\nabla L$ at a unit."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from tqdm import tqdm

from gaugelib.curvature.product import HessianProduct
from gaugelib.gradient import Loss
from gaugelib.group import GaugeError, GaugeGroup


def curvature_residual(
    loss: Loss,
    params: Mapping[str, Tensor],
    group: GaugeGroup,
    directions: Tensor | None = None,
    *,
    relative: bool = False,
    progress: bool = False,
) -> Tensor:
    r"""What the second-order identity leaves over at each unit; zero if the symmetry is the loss's.

    $$\bigl\|\,\mathbf H\,\bigl((B^\top\xi)\odot\theta\bigr) + (B^\top\xi)\odot\nabla L\,\bigr\|$$

    It is the Ward identity, differentiated in every parameter: one vector of $m$ numbers for each
    unit, whose Euclidean norm is returned, so that nothing cancels.

    Args:
        loss: a function of the dictionary of parameters that returns a scalar tensor, twice
            differentiable at `params`; by `gaugelib.functional_call`, the model is evaluated there
            and stays as it is.
        params: the network's parameters by name, frozen ones too.
        group: the network's gauge group.
        directions: rates $\xi$, shape `(directions, units)`; by default each unit alone.
        relative: whether to divide by the sum of the norms of the terms,
            $\|\mathbf H(r_+\odot\theta)\| + \|\mathbf H(r_-\odot\theta)\| + \|r\odot\nabla L\|$ for
            the rates $r = B^\top\xi$ and their positive and negative parts: of what flows into a
            unit, and out of it. So it also tells something at a critical point. Where all terms
            are 0 it is 0, for the identity holds there.
        progress: whether to show a bar: it takes one product with the Hessian for each direction,
            or two if `relative`.

    Returns:
        Shape `(units,)` or `(directions,)`: of the size of rounding, or the symmetry is broken.

    Raises:
        GaugeError: if names or shapes do not fit, the group was restricted to one kind of
            parameter, the loss is not a scalar tensor or depends on none of the parameters, or if
            its gradient or a product with its Hessian is not finite.

    Book: prop-curved.

    Example:
        >>> from gaugelib import functional_call, hat, mlp_group, params_of
        >>> model, x = hat(), torch.tensor([[0.5], [1.5]], dtype=torch.float64)
        >>> def loss(theta):
        ...     return functional_call(model, theta, (x,)).square().sum() / 2
        >>> curvature_residual(loss, params_of(model), mlp_group(model)).tolist()
        [0.0, 0.0, 0.0]
        >>> def penalised(theta):  # a penalty sees the parameters, not only the outputs
        ...     return loss(theta) + theta["2.weight"].square().sum() / 2
        >>> curvature_residual(penalised, params_of(model), mlp_group(model)).tolist()
        [2.0, 4.0, 2.0]
    """
    group.require_whole()
    group.check_shapes(params)
    _require_directions(directions, group)
    count = group.units if directions is None else len(directions)
    product = HessianProduct(loss, params)
    found = torch.zeros(count, dtype=product.dtype, device=product.device)
    for k in tqdm(range(count), desc="second order", unit=" units", disable=not progress):
        if directions is None:
            direction = torch.zeros(group.units, dtype=product.dtype, device=product.device)
            direction[k] = 1.0
        else:
            direction = directions[k].to(product.device, product.dtype)
        found[k] = _left_over(product, params, group.spread(direction), relative)
    return found


def _left_over(
    product: HessianProduct, params: Mapping[str, Tensor], rates: dict[str, Tensor], relative: bool
) -> Tensor:
    rates = {name: rate.to(params[name]) for name, rate in rates.items()}
    turned = {name: rates[name] * slope for name, slope in product.slopes.items()}
    if not relative:
        bent = product({n: rates[n] * value.detach() for n, value in params.items()})
        return _norm({n: bent[n] + turned[n] for n in bent})
    inward = product({n: rates[n].clamp(min=0) * value.detach() for n, value in params.items()})
    outward = product({n: rates[n].clamp(max=0) * value.detach() for n, value in params.items()})
    residual = _norm({n: inward[n] + outward[n] + turned[n] for n in turned})
    size = _norm(inward) + _norm(outward) + _norm(turned)
    return torch.where(size > 0, residual / size, 0.0)


def _norm(values: Mapping[str, Tensor]) -> Tensor:
    norms = [torch.linalg.vector_norm(value) for value in values.values()]
    return torch.linalg.vector_norm(torch.stack([n.to(norms[0].device) for n in norms]))


def _require_directions(directions: Tensor | None, group: GaugeGroup) -> None:
    if directions is None:
        return
    if directions.dim() != 2 or directions.shape[1] != group.units:
        raise GaugeError(
            f"directions must have shape (directions, {group.units}), a rate for each unit; "
            f"found {tuple(directions.shape)}"
        )
