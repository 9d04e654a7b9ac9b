r"""The norm as a function on the orbit: its values, its curvature, and a function above it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from gaugelib.balance.solver.colours import Bonds
from gaugelib.balance.solver.correction import Quotient
from gaugelib.balance.solver.plan import plan_of
from gaugelib.balance.solver.read import conductances_of
from gaugelib.bounds import require_exponent
from gaugelib.group import Entry, GaugeError, GaugeGroup, widest

LARGEST = 4096


def objective(
    params: Mapping[str, Tensor],
    log_scales: Tensor,
    group: GaugeGroup,
    p: float = 2.0,
    *,
    include_bias: bool = False,
) -> Tensor:
    r"""The norm along the orbit, $F(\alpha) = \frac1p\sum_e|\theta_e|^p e^{p(B^\top\alpha)_e}$.

    It is convex in $\alpha = \log a$, its gradient at 0 is the imbalance, and it can be
    differentiated.

    Args:
        params: the network's parameters by name.
        log_scales: $\alpha$, shape `(units,)`.
        group: the network's gauge group.
        p: exponent of the norm.
        include_bias: whether biases count.

    Returns:
        A scalar.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), eq. (10).

    Book: lem-balanced, prop-flow.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> alpha = torch.tensor([0.0, 2.0, 0.0]).double().log1p() / 2  # a = 1, √3, 1
        >>> objective(params_of(hat()), alpha, mlp_group(hat())).item()  # (1+1+3+4/3+1+1)/2
        4.1666...
    """
    rates = group.spread(log_scales)
    terms = [
        (power * (p * rates[name].to(power)).exp()).sum()
        for name, _, power in _powers(params, group, p, include_bias)
    ]
    return torch.stack(terms).sum() / p


def auxiliary(
    params: Mapping[str, Tensor],
    log_scales: Tensor,
    group: GaugeGroup,
    p: float = 2.0,
    *,
    include_bias: bool = False,
) -> Tensor:
    r"""The function above the norm along the orbit, from which Algorithm 1 comes.

    $$G(\alpha) = \frac1{2p}\sum_{e:\,s\to t}|\theta_e|^p\,(e^{2p\alpha_t}+e^{-2p\alpha_s})$$

    $F\le G$ with equality at 0, where $F$ is `objective`. $G$ is a sum of one function for each
    unit, smallest at $a_h = (\mathrm{out}/\mathrm{in})^{1/(4p)}$.

    Args:
        params: the network's parameters by name.
        log_scales: $\alpha$, shape `(units,)`.
        group: the network's gauge group.
        p: exponent of the norm.
        include_bias: whether biases count.

    Returns:
        A scalar.

    Raises:
        GaugeError: if `p` is not a finite number > 0, or if names or shapes do not fit.

    Source: Saul (2023), eq. (13).

    Book: lem-auxiliary.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> params, group = params_of(hat()), mlp_group(hat())
        >>> alpha = torch.tensor([0.0, 4.0, 0.0]).double().clamp(min=1).log() / 8  # a⁸ = out/in
        >>> auxiliary(params, alpha, group).item(), objective(params, alpha, group).item()
        (4.25, 4.1213...)
        >>> auxiliary(params, 2 * alpha, group).item(), objective(params, 2 * alpha, group).item()
        (4.5, 4.0)
    """
    group.require_edges("the function above the norm", "measure the norm itself with objective")
    full = group.with_ground(log_scales, ground=0.0)
    terms = []
    for _, entry, power in _powers(params, group, p, include_bias):
        target, source = entry.target.to(full.device), entry.source.to(full.device)
        above = ((2 * p * full[target]).exp() + (-2 * p * full[source]).exp()) / 2
        terms.append((power * torch.where(target == source, 1.0, above).to(power)).sum())
    return torch.stack(terms).sum() / p


def laplacian(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = False
) -> Tensor:
    r"""The graph Laplacian $B\,\mathrm{diag}(|\theta|^p)\,B^\top$ of the hidden units.

    The weights are conductances, inputs and outputs are grounded. The Hessian of `objective` at 0
    is $p$ times it; also where columns are longer than edges, and $Q$ stands for $B$.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the norm.
        include_bias: whether biases count, as edges from the ground.

    Returns:
        Shape `(units, units)`, symmetric, in the widest dtype of the parameters.

    Raises:
        GaugeError: for more than 4096 units, combined ones included, or as `objective` does.

    Source: the book, "The minimum-norm gauge".

    Book: prop-flow, thm-rate, prop-rates, prop-stiff.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> laplacian(params_of(hat()), mlp_group(hat())).tolist()
        [[2.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 2.0]]
    """
    like = torch.zeros(group.units, dtype=widest(params))
    size = len(group.with_ground(like, ground=0.0))
    if size > LARGEST + 1:
        raise GaugeError(
            f"a dense Laplacian of {size - 1} units was asked for; the largest is {LARGEST}"
        )
    flows = []
    for _, entry, power in _powers(params, group, p, include_bias):
        place = entry.target * size + entry.source
        summed = power.sum_to_size(place.shape).reshape(-1)
        flat = summed.new_zeros(size * size)
        flows.append(flat.index_add(0, place.reshape(-1).to(flat.device), summed))
    flow = torch.stack(flows).sum(0).view(size, size)
    flow = flow - flow.diag().diag()
    nodes = torch.diag(flow.sum(0) + flow.sum(1)) - flow - flow.t()
    if group.combined is None:
        return nodes[1:, 1:]
    rows = [group.with_ground(unit, ground=0.0) for unit in torch.eye(group.units).to(nodes)]
    return torch.stack(rows) @ nodes @ torch.stack(rows).T


def predicted_saving(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, include_bias: bool = False
) -> float:
    r"""How far $\|\theta\|_p^p$ falls, as predicted from the layers' totals alone.

    Only one scale is chosen for each layer. On a chain the totals $T_\ell$ then become equal, and
    the ratio of the norm after to that before is their geometric over their arithmetic mean. It is
    an upper bound of the ratio that `minimum_norm` reaches, and in wide random networks near it.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the norm.
        include_bias: whether biases count.

    Returns:
        The ratio, between 0 and 1.

    Raises:
        GaugeError: if nothing flows through some layer, or as `objective` does.

    Source: the book, "The minimum-norm gauge".

    Book: prop-saving.

    Example:
        >>> from gaugelib import mlp_group
        >>> chain = torch.nn.Sequential(*(torch.nn.Linear(1, 1, bias=False) for _ in range(3)))
        >>> totals = {"0.weight": 8.0, "1.weight": 1.0, "2.weight": 1.0}
        >>> weights = {name: torch.tensor([[value]]) for name, value in totals.items()}
        >>> round(predicted_saving(weights, mlp_group(chain), p=1.0), 6)  # 2 over 10/3
        0.6
    """
    require_exponent(p)
    group.check_shapes(params)
    group.require_edges("a prediction from the layers' totals", "let minimum_norm find the norm")
    names = group.counted(include_bias)
    values = {name: params[name].detach() for name in names}
    device = next((v.device for v in values.values()), torch.device("cpu"))
    plan = plan_of(group, names, None, device, coloured=True)
    network = conductances_of(values, group, plan, p, torch.float64)
    one, fixed = network.fixed.new_ones(1 + group.units), float(network.fixed)
    totals = [link.total(one[link.columns], one[link.rows]) for link in network.links]
    totals += [float(f.sum()) for f in (*network.inflow.values(), *network.outflow.values())]
    if not all(total > 0 for total in totals) or not network.feeds_all(plan):
        raise GaugeError("nothing flows through some layer: the norm has no minimum on this orbit")
    quotient = Quotient(Bonds(plan, network).ends, len(plan.ranges))
    shift = torch.tensor(quotient.shift(totals), dtype=torch.float64)
    after = [
        total * float((shift[to] - shift[source]).exp())
        for total, (to, source) in zip(totals, quotient.ends)
    ]
    return (sum(after) + fixed) / (sum(totals) + fixed)


def _powers(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float, include_bias: bool
) -> Iterator[tuple[str, Entry, Tensor]]:
    require_exponent(p)
    group.check_shapes(params)
    for name in group.counted(include_bias):
        yield name, group.entries[name], params[name].abs().pow(p)
