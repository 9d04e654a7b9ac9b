"""Lemma 2.2 and its converse: a network has the least norm on its orbit if and only if balanced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import grad

from gaugelib.balance import minimum_norm
from gaugelib.group import GaugeGroup
from gaugelib.proofs.edges import Edges, at_unit, edges_of, in_words
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Side, Step, tightest, widest

TITLE = "Balanced is smallest, and smallest is balanced"
STATEMENT = (
    "Let F(a) = (1/p) Σ |Wᵢⱼ|ᵖ (aᵢ/aⱼ)ᵖ, and let in and out be the sums of |W|ᵖ at a hidden unit. "
    "If in = out at every hidden unit, then F(1) ≤ F(a) for every a. And if F(1) is least, then "
    "in = out at every hidden unit."
)
_UNBALANCED = Drop("balanced", "the network as given, not balanced")
_LAYERS = Drop("layers", "in = out for whole layers only")
HYPOTHESES = (Hypothesis("in = out at every hidden unit", (_UNBALANCED, _LAYERS)),)
_TOLERANCE = 1e-13
_FAR = 1e-3  # a log-scale beyond which a network counts as out of balance


def lemma_balanced_is_minimal(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that balance and least norm are the same, run on a network.

    It is run at the balanced network of the orbit, and $a$ leads from there to the network that
    was given. With a hypothesis dropped the proof starts elsewhere, and $a$ leads to the balanced
    network. Counts weights, not biases.

    Args:
        params: the network's parameters by name; any point of the orbit.
        group: the network's gauge group.
        p: exponent of the norm.
        drop: a hypothesis to do without: `"balanced"` (the proof starts at the network as given) or
            `"layers"` (it starts where only the totals of the layers are balanced).

    Raises:
        GaugeError: if `drop` is unknown, the network has no hidden unit, or a number is not finite.

    Source: Saul (2023), Lemma 2.2, eqs. (9)-(11); the converse is not stated there.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> record = lemma_balanced_is_minimal(params_of(hat()), mlp_group(hat()))
        >>> record.broken, record.steps[5].claim
        ((), 'F(1) ≤ F(a)')
        >>> record = lemma_balanced_is_minimal(params_of(hat()), mlp_group(hat()), drop="balanced")
        >>> record.broken
        (5, 6, 8)
    """
    require_drop(drop, HYPOTHESES)
    whole = {name: value.detach().double() for name, value in params.items()}
    given = edges_of(whole, group, p)
    best = minimum_norm(whole, group, p=p, tol=_TOLERANCE).scales.to(given.power)
    draw = torch.Generator().manual_seed(0)
    away = best * group.random(generator=draw, log_std=0.5).to(best)
    if drop == _LAYERS.key:
        start = _balanced_layers(whole, group, p).to(best)
        goal = best if _far(start, best) else away
    else:
        begun = torch.ones_like(best)
        begun = begun if _far(begun, best) else away
        start, goal = (best, begun) if drop is None else (begun, best)
    rival = goal / start
    edges = given.moved(start)
    return Record(
        TITLE,
        STATEMENT,
        HYPOTHESES,
        (*_sufficient(edges, rival), *_necessary(edges)),
        in_words(edges),
        sketch_of(edges),
        drop,
    )


def _sufficient(edges: Edges, rival: Tensor) -> tuple[Step, ...]:
    """Steps 1-6: balanced, hence least."""
    ones, log = torch.ones_like(rival), rival.log()
    begin, end = edges.power, edges.moved(rival).power
    middle, mean = edges.moved(rival.sqrt()).power, (begin + end) / 2
    k, edge = widest(middle, "≤", mean)
    here, there, half = (float(edges.objective(a)) for a in (ones, rival, rival.sqrt()))
    slope = float(grad(lambda t: edges.objective(torch.exp(t * log)))(log.new_zeros(())))
    incoming, outgoing = edges.totals()
    linear = (incoming - outgoing) * log
    h, unit = tightest(incoming, "=", outgoing, incoming + outgoing)
    return (
        Step(
            "Along log a each term of F is an exponential, which is convex: half way it is at most "
            "the mean of its ends. Of all edges the one with the most slack is shown.",
            Side("|W|ᵖ √(aᵢ/aⱼ)ᵖ", float(middle[k])),
            "≤",
            Side("½|W|ᵖ (1 + (aᵢ/aⱼ)ᵖ)", float(mean[k])),
            edges.edge(k, edge),
        ),
        Step(
            "A sum of convex functions is convex: so is F along log a.",
            Side("F(√a)", half),
            "≤",
            Side("½(F(1) + F(a))", (here + there) / 2),
        ),
        Step(
            "The slope of F at 1 towards log a, found by differentiating F, is a sum of "
            "imbalances: nothing else of the network enters.",
            Side("dF(aᵗ)/dt at t = 0", slope),
            "=",
            Side("Σₕ (in − out) log aₕ", float(linear.sum())),
            size=float(((incoming + outgoing) * log.abs()).sum()),
        ),
        Step(
            "A convex function lies above its tangent.",
            Side("F(1) + Σₕ (in − out) log aₕ", here + float(linear.sum())),
            "≤",
            Side("F(a)", there),
            size=max(here, there),
        ),
        Step(
            "Balanced: in = out, so the tangent is level in every direction. The unit furthest "
            "from balance is shown.",
            Side("in", float(incoming[h])),
            "=",
            Side("out", float(outgoing[h])),
            at_unit(h, unit),
        ),
        Step(
            "Above a level tangent: no gauge transformation makes the norm smaller.",
            Side("F(1)", here),
            "≤",
            Side("F(a)", there),
        ),
    )


def _necessary(edges: Edges) -> tuple[Step, ...]:
    """Steps 7-8: least, hence balanced."""
    incoming, outgoing = edges.totals()
    saving = (incoming.sqrt() - outgoing.sqrt()) ** 2 / edges.p
    h = int(torch.argmax(torch.where(saving > 0, saving / (incoming + outgoing), 0.0)))
    alone = torch.ones_like(incoming)
    # A dead unit has no best scale; the proof that needs one is not about it.
    if bool((incoming[h] > 0) & (outgoing[h] > 0)):
        alone[h] = (outgoing[h] / incoming[h]) ** (0.5 / edges.p)
    here = edges.objective(torch.ones_like(alone))
    size = float(incoming[h] + outgoing[h]) / edges.p
    return (
        Step(
            "The converse. Rescale one unit h alone, to its own balance: this is what F falls by.",
            Side("F(1) − F(best aₕ)", float(here - edges.objective(alone))),
            "=",
            Side("(√in − √out)²/p", float(saving[h])),
            at_unit(h, f"most of {edges.units}"),
            size=float(here),
        ),
        Step(
            "Where F is least there is nothing to gain at any unit, and then in = out.",
            Side("(√in − √out)²/p", float(saving[h])),
            "=",
            Side("0", 0.0),
            at_unit(h, f"most of {edges.units}"),
            size=size,
        ),
    )


def _balanced_layers(params: Mapping[str, Tensor], group: GaugeGroup, p: float) -> Tensor:
    """The least norm when each layer has one scale: its totals are balanced, not its units."""
    member = torch.zeros(group.units + 1, dtype=torch.int64)
    for number, where in enumerate(group.layers.values(), start=1):
        member[1:][where] = number
    layered = replace(
        group,
        units=len(group.layers),
        layers={name: slice(k, k + 1) for k, name in enumerate(group.layers)},
        entries={
            name: replace(entry, target=member[entry.target], source=member[entry.source])
            for name, entry in group.entries.items()
        },
    )
    scales = minimum_norm(params, layered, p=p, tol=_TOLERANCE).scales
    return layered.with_ground(scales, ground=1.0)[member][1:]


def _far(one: Tensor, other: Tensor) -> bool:
    return bool(((one / other).log().abs() > _FAR).any())
