"""Lemma 2.3: one step of Algorithm 1 never raises the norm."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.group import GaugeGroup
from gaugelib.proofs.degenerate import DEAD, degenerate
from gaugelib.proofs.edges import Edges, at_unit, edges_of, in_words
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import ROUNDING, Side, Step, tightest, widest

TITLE = "One step never raises the norm"
STATEMENT = (
    "Let F(a) = (1/p) Σ |Wᵢⱼ|ᵖ (aᵢ/aⱼ)ᵖ. At each hidden unit let in and out be the sums of |W|ᵖ, "
    "and choose ã by ã⁴ᵖ = out/in. Then F(ã) ≤ F(1), with < unless every unit is balanced."
)
_DOUBLE = Drop("double", "twice that exponent, 1/(2p)")
_TRIPLE = Drop("triple", "three times that exponent, 3/(4p)")
_EXPONENTS = {_DOUBLE.key: 1 / 2, _TRIPLE.key: 3 / 4}
HYPOTHESES = (
    Hypothesis("every hidden unit has weights in and weights out", (DEAD,)),
    Hypothesis("ã⁴ᵖ = out/in: the exponent of the step is 1/(4p)", (_DOUBLE, _TRIPLE)),
)


def lemma_auxiliary(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that one step of Algorithm 1 never raises the norm, run on a network.

    $F(\tilde a) \le G(\tilde a) \le G(1) = F(1)$ with the auxiliary function
    $G(a) = \frac{1}{2p}\sum_{ij}|W_{ij}|^p (a_i^{2p} + a_j^{-2p})$. Counts weights, not biases.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the norm.
        drop: a hypothesis to do without: `"dead"` (the last unit loses its outgoing weights),
            `"double"` or `"triple"` (two or three times the step's exponent).

    Raises:
        GaugeError: if `drop` is unknown, the network has no hidden unit, or a number is not finite.

    Source: Saul (2023), Lemma 2.3, eqs. (12)-(16).

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> print(lemma_auxiliary(params_of(hat()), mlp_group(hat()), drop="triple"))
        One step never raises the norm (3 hidden units, 6 weights, p = 2)
        1. holds  (ãᵢ/ãⱼ)ᵖ ≤ ½(ãᵢ²ᵖ + ãⱼ⁻²ᵖ)   slack 0.209
        2. holds  F(ã) ≤ G(ã)   slack 1.25
        3. holds  G(1) = F(1)   slack 0
        4. holds  G(ã) = Σₕ (in·ã²ᵖ + out·ã⁻²ᵖ)/2p + const   slack ...
        5. FAILS  in·ã²ᵖ = out·ã⁻²ᵖ   slack -7.5
        6. holds  0 < min(ã, 1/ã)   slack 0.595
        7. FAILS  G(ã) ≤ G(1)   slack -0.875
        8. holds  F(ã) ≤ F(1)   slack 0.379
    """
    require_drop(drop, HYPOTHESES)
    network = edges_of(params, group, p)
    edges = edges_of(degenerate(params, group, drop), group, p)
    incoming, outgoing = edges.totals()
    alive = (incoming > 0) | (outgoing > 0)  # 0/0 of a unit without any weights: it stays at 1
    step = torch.where(alive, outgoing / incoming, 1.0) ** (_EXPONENTS.get(drop or "", 1 / 4) / p)
    return Record(
        TITLE,
        STATEMENT,
        HYPOTHESES,
        (*_bound(edges, step), *_minimum(edges, step, drop)),
        in_words(edges),
        sketch_of(edges, network),
        drop,
    )


def _bound(edges: Edges, step: Tensor) -> tuple[Step, ...]:
    """Steps 1-4: G lies above F, touches it at 1, and separates."""
    ones, p = torch.ones_like(step), edges.p
    products, means = edges.ratios(step) ** p, _means(edges, step)
    k, which = widest(products, "≤", means)
    incoming, outgoing = edges.totals()
    separate = _times(incoming, step ** (2 * p)) + _times(outgoing, step ** (-2 * p))
    from_ground, to_ground = (edges.power[end == 0].sum() for end in (edges.source, edges.target))
    rest = (from_ground + to_ground) / (2 * p) + edges.fixed / p
    return (
        Step(
            "The arithmetic and the geometric mean, edge by edge: a product is at most the mean "
            "of the squares. Of all edges the one with the most slack is shown.",
            Side("(ãᵢ/ãⱼ)ᵖ", float(products[k])),
            "≤",
            Side("½(ãᵢ²ᵖ + ãⱼ⁻²ᵖ)", float(means[k])),
            edges.edge(k, which),
        ),
        Step(
            "Each edge's inequality times |W|ᵖ/p, summed: G lies above F, here at ã.",
            Side("F(ã)", float(edges.objective(step))),
            "≤",
            Side("G(ã)", float(_majorant(edges, step))),
        ),
        Step(
            "At a = 1 both means are 1 on every edge: there G touches F.",
            Side("G(1)", float(_majorant(edges, ones))),
            "=",
            Side("F(1)", float(edges.objective(ones))),
        ),
        Step(
            "No edge of G mixes two units any more: G is a sum of one term for each unit, and of a "
            "constant from inputs and outputs.",
            Side("G(ã)", float(_majorant(edges, step))),
            "=",
            Side("Σₕ (in·ã²ᵖ + out·ã⁻²ᵖ)/2p + const", float(separate.sum() / (2 * p) + rest)),
        ),
    )


def _minimum(edges: Edges, step: Tensor, drop: str | None) -> tuple[Step, ...]:
    """Steps 5-8: the step goes to the minimum of G, which is no higher than where it began."""
    ones, p = torch.ones_like(step), edges.p
    incoming, outgoing = edges.totals()
    left, right = _times(incoming, step ** (2 * p)), _times(outgoing, step ** (-2 * p))
    k, which = tightest(left, "=", right)
    shares = torch.minimum(step, 1 / step)
    h = int(torch.argmin(shares))
    saved = float(((incoming.sqrt() - outgoing.sqrt()) ** 2).sum() / (2 * p))
    before, after = float(edges.objective(ones)), float(edges.objective(step))
    strict = drop is None and saved > 2 * ROUNDING * before
    last = "Together: F(ã) ≤ G(ã) ≤ G(1) = F(1)."
    if strict:
        last += " It is strict, because G falls wherever in and out differ."
    return (
        Step(
            "The term of a unit is least where its two parts are equal. The unit that is "
            "furthest from this is shown.",
            Side("in·ã²ᵖ", float(left[k])),
            "=",
            Side("out·ã⁻²ᵖ", float(right[k])),
            at_unit(k, which),
        ),
        Step(
            "This minimum is a gauge transformation: every factor is positive and finite.",
            Side("0", 0.0),
            "<",
            Side("min(ã, 1/ã)", float(shares[h])),
            at_unit(h, f"least of {edges.units}"),
        ),
        Step(
            "So G is no larger at ã than at 1.",
            Side("G(ã)", float(_majorant(edges, step))),
            "≤",
            Side("G(1)", float(_majorant(edges, ones))),
        ),
        Step(last, Side("F(ã)", after), "<" if strict else "≤", Side("F(1)", before)),
    )


def _means(edges: Edges, scales: Tensor) -> Tensor:
    full = edges.with_ground(scales)
    return (full[edges.target] ** (2 * edges.p) + full[edges.source] ** (-2 * edges.p)) / 2


def _majorant(edges: Edges, scales: Tensor) -> Tensor:
    r"""$G(a)$, which lies above $F$ and touches it at 1 (eq. 13)."""
    return (edges.fixed + (edges.power * _means(edges, scales)).sum()) / edges.p


def _times(total: Tensor, factor: Tensor) -> Tensor:
    """A product in which a sum over no weights is 0, even times ∞."""
    return torch.where(total > 0, total * factor, 0.0)
