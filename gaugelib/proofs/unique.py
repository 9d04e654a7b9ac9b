"""Existence and uniqueness: every orbit has exactly one network of least norm."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import grad

from gaugelib.action import rescale
from gaugelib.balance import minimum_norm
from gaugelib.group import GaugeGroup
from gaugelib.proofs.degenerate import BIAS, DEAD, ISOLATED, biased_units, degenerate
from gaugelib.proofs.edges import Edges, at_unit, edges_of, in_words, unit_name
from gaugelib.proofs.paths import costs, on_a_path, path_in, path_out
from gaugelib.proofs.record import Hypothesis, Record, require_drop
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Place, Side, Step

TITLE = "Every orbit has exactly one smallest network"
STATEMENT = (
    "If every hidden unit lies on a path of non-zero weights from an input to an output, then F "
    "has a minimum, and only one: the network of least norm is a canonical form of its orbit."
)
_PATH = "every hidden unit lies on a path of non-zero weights from an input to an output"
_FAR = 10.0  # where a ray is looked at if no edge on it grows
_TOLERANCE = 1e-12
_AGREE = 10.0  # two solutions agree to 1e-8 in log-scales


def theorem_uniqueness(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that an orbit holds exactly one network of least norm, run on a network.

    The direction $\xi$ of log-scales that is followed is random; if units lie on no path, it is
    the one along which these can run away. Counts weights, not biases.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the norm.
        drop: a hypothesis to do without: `"dead"` (the last unit loses its outgoing weights),
            `"bias"` (a unit whose bias is not 0 loses its incoming weights) or `"isolated"` (the
            last unit loses all its weights).

    Raises:
        GaugeError: if `drop` is unknown, the network has no hidden unit, or a number is not finite.

    Source: the book, Theorem "The canonical form".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> theorem_uniqueness(params_of(hat()), mlp_group(hat())).broken
        ()
        >>> theorem_uniqueness(params_of(hat()), mlp_group(hat()), drop="isolated").broken
        (1, 2, 3, 4, 5, 7, 8, 9)
    """
    drops = (DEAD, *((BIAS,) if biased_units(params, group) else ()), ISOLATED)
    hypotheses = (Hypothesis(_PATH, drops),)
    require_drop(drop, hypotheses)
    whole = {name: value.detach().double() for name, value in params.items()}
    changed = degenerate(whole, group, drop)
    edges = edges_of(changed, group, p)
    direction = _direction(edges)
    unit = int(torch.argmax(direction.abs())) + 1
    cost = costs(edges)
    path = path_in(edges, cost, unit), path_out(edges, cost, unit)
    return Record(
        TITLE,
        STATEMENT,
        hypotheses,
        (
            *_along(edges, direction, unit, path[0] + path[1] if all(path) else []),
            *_strictly(edges, direction),
            _canonical(changed, group, p, direction),
        ),
        in_words(edges),
        sketch_of(edges, edges_of(whole, group, p)),
        drop,
    )


def _along(edges: Edges, direction: Tensor, unit: int, path: list[int]) -> tuple[Step, ...]:
    """Steps 1-5: along every ray the norm grows beyond all bounds, so there is a minimum."""
    reached, reaching = on_a_path(edges)
    rise = edges.increments(direction)
    name, here = unit_name(unit), float(edges.objective(torch.ones_like(direction)))
    nowhere = Place(f"no path through {name}", units=(unit,))
    place, steep = (edges.path(path) if path else nowhere), nowhere
    total = steepest = alone = None
    time = _FAR
    if path:
        total = float(rise[path].sum())
        k = path[int(torch.argmax(rise[path]))]
        steepest, steep = float(rise[k]), edges.edge(k)
        # By then this edge alone is worth twice the whole network.
        time = float(torch.log(2 * edges.p * here / edges.power[k])) / (edges.p * steepest)
        alone = float(edges.power[k] * math.exp(edges.p * time * steepest)) / edges.p
    there = float(edges.objective(torch.exp(time * direction)))
    return (
        Step(
            "What the theorem assumes: every hidden unit lies on a path of non-zero weights from "
            "an input to an output.",
            Side("units on a path", float((reached & reaching).sum())),
            "=",
            Side("hidden units", float(edges.units)),
            _off((reached & reaching).logical_not()),
        ),
        Step(
            f"Move along any direction ξ of log-scales, here one that moves {name} most. Along a "
            f"path through {name} the increments cancel: ξ = 0 at both ends."
            if path
            else f"No path of non-zero weights leads through {name}: no increments need cancel.",
            Side("Σ (ξᵢ − ξⱼ) on the path", total),
            "=",
            Side("0", 0.0),
            place,
            size=float(direction.abs().max()),
        ),
        Step(
            f"They are not all 0, for ξ moves {name}. Numbers that cancel and are not all 0: one "
            "of them is positive."
            if path
            else "And no increment need be positive.",
            Side("0", 0.0),
            "<",
            Side("max (ξᵢ − ξⱼ)", steepest),
            steep,
        ),
        Step(
            "The term of that edge grows exponentially, and F is at least this one term. At time "
            f"T = {time:.3g} it is twice all of F(1)."
            if path
            else "So no term need grow along the ray.",
            Side("(1/p) |W|ᵖ exp(pT(ξᵢ − ξⱼ))", alone),
            "≤",
            Side("F(exp Tξ)", there),
            steep,
        ),
        Step(
            "So every ray leaves the set where F ≤ F(1). F is convex and continuous: somewhere in "
            "that set it is least. A minimum exists."
            if path
            else f"Here {name} runs away and F does not grow (T = {time:.3g}): no end is in sight.",
            Side("F(1)", here),
            "<",
            Side("F(exp Tξ)", there),
        ),
    )


def _strictly(edges: Edges, direction: Tensor) -> tuple[Step, ...]:
    """Steps 6-8: along every line the norm is strictly convex, so there is one minimum."""

    def along(time: Tensor) -> Tensor:
        return edges.objective(torch.exp(time * direction))

    zero, p = direction.new_zeros(()), edges.p
    curvature = float(p * (edges.power * edges.increments(direction) ** 2).sum())
    ends = (float(along(zero)) + float(along(zero + 1))) / 2
    return (
        Step(
            "Differentiated twice along ξ, F shows a sum of squares: the graph Laplacian with "
            "conductances |W|ᵖ.",
            Side("d²F/dt² at t = 0", float(grad(grad(along))(zero))),
            "=",
            Side("p Σ |Wᵢⱼ|ᵖ (ξᵢ − ξⱼ)²", curvature),
        ),
        Step(
            "At least one of the squares is not 0: F is strictly convex.",
            Side("0", 0.0),
            "<",
            Side("p Σ |Wᵢⱼ|ᵖ (ξᵢ − ξⱼ)²", curvature),
        ),
        Step(
            "So half way between two points F is smaller than their mean. Were both minima, half "
            "way would be lower still: there is only one.",
            Side("F(exp ½ξ)", float(along(zero + 0.5))),
            "<",
            Side("½(F(1) + F(exp ξ))", ends),
        ),
    )


def _canonical(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float, direction: Tensor
) -> Step:
    """Step 9: from two points of the orbit to the same gauge."""
    moved = torch.exp(direction)
    other = rescale(params, moved.to(direction), group)
    one = minimum_norm(params, group, p=p, tol=_TOLERANCE).scales
    two = minimum_norm(other, group, p=p, tol=_TOLERANCE).scales * moved
    gap = (one / two).log().abs()
    return Step(
        "Seen with a solver, from this network and from the network moved by exp ξ: the same "
        "scales lead to the least norm.",
        Side("max |log a* − log a*′|", float(gap.max())),
        "=",
        Side("0", 0.0),
        at_unit(int(torch.argmax(gap))),
        size=_AGREE,
    )


def _off(units: Tensor) -> Place:
    found = tuple((units.nonzero()[:, 0] + 1).tolist())
    words = "on no path: " + ", ".join(map(unit_name, found)) if found else ""
    return Place(words, units=found)


def _direction(edges: Edges) -> Tensor:
    """A direction along which a unit off the paths runs away; a random one, if there is none."""
    reached, reaching = on_a_path(edges)
    draw = torch.Generator().manual_seed(1)
    noise = torch.randn(edges.units, generator=draw, dtype=torch.float64).to(edges.power)
    if not bool(reaching.all()):
        return reaching.to(noise) - 1.0
    if not bool(reached.all()):
        return 1.0 - reached.to(noise)
    return noise / noise.abs().max()
