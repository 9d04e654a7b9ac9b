"""Lemma 2.4: the gauge transformations that do not raise the norm form a compact set."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.group import GaugeGroup
from gaugelib.proofs.degenerate import BIAS, DEAD, biased_units, degenerate
from gaugelib.proofs.edges import Edges, at_unit, edges_of, in_words, unit_name
from gaugelib.proofs.paths import costs, from_input, on_a_path, path_in, path_out, to_output
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Side, Step, tightest

TITLE = "No scale runs away"
STATEMENT = (
    "The set of gauge transformations a with F(a) ≤ F(1) is compact: along a path of non-zero "
    "weights every factor aₕ is bounded from above and from below."
)
_ROOT = Drop("root", "eq. (17) as printed: no root, at p = ½")
_PATH = "every hidden unit lies on a path of non-zero weights from an input to an output"
_BOUND = "the bound on aᵢ/aⱼ is ‖W‖ₚ/|Wᵢⱼ|, with the p-th root"
_RUNAWAY = 1e6
_MOST_HALVINGS = 200


def lemma_compact(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that $\{a : F(a) \le F(1)\}$ is compact, run on a network.

    The gauge transformation $a$ that is followed moves one unit as far as the norm allows: to
    $a_h = (\mathrm{out}/\mathrm{in})^{1/p}$, where in and out have changed places. A unit that is
    on no path is moved by a million instead, which the norm allows as well. Counts weights, not
    biases.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the norm.
        drop: a hypothesis to do without: `"dead"` (the last unit loses its outgoing weights),
            `"bias"` (a unit whose bias is not 0 loses its incoming weights) or `"root"` (the bound
            as printed, which needs p ≥ 1, at p ≤ ½ and with a unit scaled down until it fails).

    Raises:
        GaugeError: if `drop` is unknown, the network has no hidden unit, or a number is not finite.

    Source: Saul (2023), Lemma 2.4, with eqs. (17)-(19) corrected.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> lemma_compact(params_of(hat()), mlp_group(hat()), drop="root").broken
        (3, 5, 7)
        >>> lemma_compact(params_of(hat()), mlp_group(hat())).broken
        ()
    """
    drops = (DEAD, BIAS) if biased_units(params, group) else (DEAD,)
    hypotheses = (Hypothesis(_PATH, drops), Hypothesis(_BOUND, (_ROOT,)))
    require_drop(drop, hypotheses)
    rooted = drop != _ROOT.key
    network = edges_of(params, group, p if rooted else min(p, 0.5))
    edges = edges_of(degenerate(params, group, drop), group, network.p)
    if not rooted:
        edges = _where_the_print_fails(edges)
    scales, unit = _runaway(edges) or _swapped(edges, _furthest(edges))
    return Record(
        TITLE,
        STATEMENT,
        hypotheses,
        (*_one_edge(edges, scales, unit, rooted), *_one_path(edges, scales, unit, rooted)),
        in_words(edges),
        sketch_of(edges, network),
        drop,
    )


def _one_edge(edges: Edges, scales: Tensor, unit: int, rooted: bool) -> tuple[Step, ...]:
    """Steps 1-3: what the norm allows one edge."""
    ratios, p = edges.ratios(scales), edges.p
    terms, total = edges.power * ratios**p, edges.power.sum() + edges.fixed
    bound = _bounds(edges, rooted)
    k, largest = tightest(terms, "≤", total.expand_as(terms))
    m, closest = tightest(ratios, "≤", bound)
    name = unit_name(unit)
    return (
        Step(
            f"Take a gauge transformation that does not raise the norm. Here only {name} moves, as "
            "far as the norm allows.",
            Side("F(a)", float(edges.objective(scales))),
            "≤",
            Side("F(1)", float(edges.objective(torch.ones_like(scales)))),
            at_unit(unit - 1),
        ),
        Step(
            "Then no single term of p·F(a) is larger than all of p·F(1), which is ‖W‖ᵖ.",
            Side("|Wᵢⱼ|ᵖ (aᵢ/aⱼ)ᵖ", float(terms[k])),
            "≤",
            Side("‖W‖ᵖ", float(total)),
            edges.edge(k, largest),
        ),
        Step(
            "Divided by |Wᵢⱼ|ᵖ, and the p-th root taken: no edge grows by more than this factor."
            if rooted
            else "Divided by |Wᵢⱼ|ᵖ, but with no root taken: for p < 1 the root was needed.",
            Side("aᵢ/aⱼ", float(ratios[m])),
            "≤",
            Side("‖W‖ₚ/|Wᵢⱼ|" if rooted else "‖W‖ᵖ/|Wᵢⱼ|ᵖ", float(bound[m])),
            edges.edge(m, closest),
        ),
    )


def _one_path(edges: Edges, scales: Tensor, unit: int, rooted: bool) -> tuple[Step, ...]:
    """Steps 4-7: what the edges of a path allow a unit."""
    cost = costs(edges)
    into, out_of = path_in(edges, cost, unit), path_out(edges, cost, unit)
    ratios, bound = edges.ratios(scales), _bounds(edges, rooted)
    factor, name = float(scales[unit - 1]), unit_name(unit)
    bound_name = "‖W‖ₚ/|Wᵢⱼ|" if rooted else "‖W‖ᵖ/|Wᵢⱼ|ᵖ"
    box = torch.maximum(from_input(edges, cost), to_output(edges, cost))[1:]
    box = box if rooted else edges.p * box
    farthest, top = int(torch.argmax(scales.log().abs())), float(box.max())

    def product(values: Tensor, path: list[int]) -> float | None:
        return float(values[path].prod()) if path else None

    return (
        Step(
            f"Along a path from an input to {name} the factors multiply up to aₕ: all that is in "
            "between cancels, and a = 1 at the input."
            if into
            else f"No path of non-zero weights leads from an input to {name}.",
            Side("aₕ", factor),
            "=",
            Side("Π aᵢ/aⱼ, input → h", product(ratios, into)),
            edges.path(into) if into else at_unit(unit - 1),
        ),
        Step(
            "So the path bounds aₕ from above."
            if into
            else f"So nothing bounds aₕ from above: {name} may grow without end.",
            Side("aₕ", factor),
            "≤",
            Side(f"Π {bound_name}, input → h", product(bound, into)),
            edges.path(into) if into else at_unit(unit - 1),
        ),
        Step(
            "And the way on to an output bounds it from below."
            if out_of
            else f"No path leads from {name} to an output: nothing bounds aₕ from below.",
            Side("1/aₕ", 1 / factor),
            "≤",
            Side(f"Π {bound_name}, h → output", product(bound, out_of)),
            edges.path(out_of) if out_of else at_unit(unit - 1),
        ),
        Step(
            "The same at every unit: the set lies in a box. It is closed, because F is continuous; "
            "closed and bounded is compact.",
            Side("max |log aₕ|", float(scales.log().abs()[farthest])),
            "≤",
            Side("log of the bounds", top if math.isfinite(top) else None),
            at_unit(farthest),
        ),
    )


def _bounds(edges: Edges, rooted: bool) -> Tensor:
    """How much each edge may grow: ‖W‖ₚ/|W|, or as printed, ‖W‖ᵖ/|W|ᵖ."""
    return torch.exp(costs(edges) * (1.0 if rooted else edges.p))


def _runaway(edges: Edges) -> tuple[Tensor, int] | None:
    """Units on no path, moved by a million without raising the norm, and the first of them."""
    reached, reaching = on_a_path(edges)
    still = torch.ones_like(edges.totals()[0])
    # Shrinking all that reaches no output shrinks the weights that enter it, and no others;
    # growing all that no input reaches shrinks the weights that leave it.
    for alive, factor in ((reaching, 1 / _RUNAWAY), (reached, _RUNAWAY)):
        if not bool(alive.all()):
            return torch.where(alive, still, factor), int(torch.argmin(alive.int())) + 1
    return None


def _furthest(edges: Edges) -> int:
    """The unit right behind an input, counted from 1, that is furthest out of balance."""
    incoming, outgoing = edges.totals()
    direct = edges.target[edges.source == 0].unique()
    return int(direct[torch.argmax((outgoing / incoming)[direct - 1].log().abs())])


def _swapped(edges: Edges, unit: int) -> tuple[Tensor, int]:
    """The gauge transformation after which what entered a unit leaves it: F is as before."""
    incoming, outgoing = edges.totals()
    scales = torch.ones_like(incoming)
    scales[unit - 1] = (outgoing / incoming)[unit - 1] ** (1 / edges.p)
    return scales, unit


def _where_the_print_fails(edges: Edges) -> Edges:
    """The network with a unit scaled down until the printed bound is wrong by a factor of 2."""
    unit, scales = _furthest(edges), torch.ones_like(edges.totals()[0])
    for _ in range(_MOST_HALVINGS):
        moved = edges.moved(scales)
        swap, _ = _swapped(moved, unit)
        if bool((moved.ratios(swap) > 2 * _bounds(moved, rooted=False)).any()):
            break
        scales[unit - 1] /= 2
    return edges.moved(scales)
