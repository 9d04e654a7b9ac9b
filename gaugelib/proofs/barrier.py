"""The theorem of the free barriers, run on a Deep Sets channel: its side is chosen at the start."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from sympy.combinatorics import Permutation
from torch import Tensor

from gaugelib.group import GaugeGroup
from gaugelib.proofs.channel import BELOW, Channel, Descent, channel_of, numbers_of
from gaugelib.proofs.edges import edges_of, unit_name
from gaugelib.proofs.equalities import Named, at_pairs, coarse, overall
from gaugelib.proofs.loss import network_of
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.second import require_euclidean
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import ROUNDING, Place, Relation, Side, Step, tightest

SIZE = 3
STEPS = 40
_ASIDE = 0.1
TITLE = "The side is chosen at the start"
STATEMENT = (
    "W = δI + bJ, J all ones, and v = c·1, with δ = a − b: a page E of the weights. F, where "
    "δ = 0 and all units are equal, cuts it. Gradient descent with η < 1/k keeps the sign of "
    "s = √(n−1)δ, the distance to F, and no symmetry exchanges the sides. The teacher is half the "
    "channel half way to F."
)
_UNEVEN = Drop("data", "the teacher's first unit counts twice")
_TWO = Drop("two", "n = 2")
_SUMMED = Drop("metric", "by the sum, as in plain weight sharing")
_LARGE = Drop("large", "η is twice what takes θ to F")
HYPOTHESES = (
    Hypothesis("L does not see the order of the inputs", (_UNEVEN,)),
    Hypothesis("n = 3 inputs and hidden units", (_TWO,)),
    Hypothesis("shared weights move by the mean slope", (_SUMMED,)),
    Hypothesis("every step is below the bound, η < 1/k", (_LARGE,)),
)


def theorem_barriers(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that a Deep Sets channel stays on its side of the barrier, run on numbers.

    On the page $E_\pi$ of $W = (a-b)I + b\mathbb 1\mathbb 1^\top$, $v = c\mathbb 1$ the sign of
    $a - b$ is kept. The three numbers are weights of the network that is given: a the first, b the
    next one with $b \ne a$ and $a + b$, $a + 2b \ne 0$, c the last. The loss is exact,
    `gaugelib.equivariance.teacher_loss`.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: 2; the metric is Euclidean.
        drop: a hypothesis to do without: `"data"` (a teacher that is not invariant), `"two"` (two
            inputs and hidden units), `"metric"` (plain weight sharing) or `"large"` (steps above
            the bound).

    Raises:
        GaugeError: if `drop` is unknown, p is not 2, the network has no hidden unit, no weight fits
            as b, or a number is not finite.

    Source: the book, Theorems "Free barriers" and "The sign of a − b is frozen".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> theorem_barriers(params_of(hat()), mlp_group(hat())).broken
        ()
        >>> record = theorem_barriers(params_of(hat()), mlp_group(hat()), drop="two")
        >>> record.network[27:47], record.broken, record.steps[8].claim
        ('a = 1, b = −2, c = 1', (9, 10), '0 < least |Mθ − E|')
    """
    require_euclidean(p)
    require_drop(drop, HYPOTHESES)
    edges_of(params, group, p)
    numbers = numbers_of(network_of(params, group))
    size = 2 if drop == _TWO.key else SIZE
    channel = channel_of(numbers, size, uneven=drop == _UNEVEN.key)
    descent = Descent(channel, summed=drop == _SUMMED.key, large=drop == _LARGE.key)
    a, b, c = (f"{float(number):.4g}".replace("-", "−") for number in numbers)
    return Record(
        TITLE,
        STATEMENT,
        HYPOTHESES,
        coarse(
            *_everywhere(channel), *_tangent(descent), *_bounded(descent), *_descended(descent),
            *_sides(channel),
        ),
        f"{size} inputs and hidden units; a = {a}, b = {b}, c = {c}, three of its weights",
        sketch_of(channel.edges),
        drop,
    )  # fmt: skip


def _everywhere(channel: Channel) -> tuple[Step, ...]:
    """Steps 1-2: what the symmetries say at every point, read off where nothing is shared."""
    draw = torch.Generator().manual_seed(2)
    noise = torch.randn(len(channel.theta), generator=draw, dtype=torch.float64).to(channel.theta)
    theta = channel.theta * (1 + _ASIDE * noise)
    there, here = channel.loss(channel.moved(theta)), channel.loss(theta)
    turned, slopes = channel.moved(channel.slopes(theta)), channel.slopes(channel.moved(theta))
    names, count = [_name(element) for element in channel.orders.elements], len(there)
    telling = torch.tensor([name != "1" for name in names], device=theta.device)

    def pair(g: int, tau: int, which: str) -> Place:
        return Place(f"{which} pairs: g = {names[g]}, τ = {names[tau]}")

    def entry(row: int, column: int, which: str) -> Place:
        source, target = ends = channel.edge(column)
        words = f"{unit_name(source, ground='x')} → {unit_name(target, ground='y')}"
        where = pair(*divmod(row, count), which).words.replace("pairs", "slopes")
        return Place(f"{where}, {words}", edges=(ends,))

    return (
        at_pairs(
            "M = (g, τ) reorders the inputs by g and the hidden units by τ: neither the mean over "
            "normal inputs nor the sum sees it. Read off at θ′, a little aside of E.",
            ("L(Mθ′)", there),
            ("L(θ′)", here.expand(there.shape)),
            here.expand(there.shape),
            pair,
            telling[:, None].expand(there.shape),
        ),
        at_pairs(
            "Differentiated, by the chain rule: Mᵀ∂L(Mθ′) = ∂L(θ′). And MᵀM = 1, for M only moves "
            "entries.",
            ("∂L(Mθ′)", slopes.flatten(0, 1)),
            ("M ∂L(θ′)", turned.flatten(0, 1)),
            slopes.abs().amax().expand(slopes.flatten(0, 1).shape),
            entry,
            telling.repeat_interleave(count)[:, None].expand(slopes.flatten(0, 1).shape),
        ),
    )


def _tangent(descent: Descent) -> tuple[Step, ...]:
    """Steps 3-4: the gradient on the page, and on the barrier."""
    channel = descent.channel
    slopes, foot = channel.slopes(channel.theta), channel.foot
    units = tuple(range(1, channel.size + 1))
    return (
        overall(
            "On the page E no (g, g) moves θ: step 2 is about one gradient, its own mean Π∂L over "
            "the copies of each weight. Even a network that shares nothing stays on E.",
            ("|∂L − Π∂L|", (slopes - channel.shared(slopes)).norm()),
            "=",
            ("0", 0.0),
            slopes.norm(),
        ),
        overall(
            "At the foot of θ on F all units are equal. No (1, τ) moves them: step 2 makes the "
            "rows of ∂L equal, and so ∂L is tangent to F. ν is the normal of F in E.",
            ("⟨ν, ∂L⟩ at the foot", descent.across(foot)),
            "=",
            ("0", 0.0),
            channel.slopes(foot).norm(),
            Place("all units are equal", units=units),
        ),
    )


def _bounded(descent: Descent) -> tuple[Step, ...]:
    """Steps 5-6: how fast F can be approached."""
    channel, shares = descent.channel, descent.shares
    points = channel.across(shares)
    speed, sides = descent.across(points).abs(), channel.side(points).abs()
    way = torch.linspace(0, 1, 101).to(shares).clamp(min=1e-7)
    bends = torch.stack([channel.bend(way).abs().amax(), channel.bend(-way).abs().amax()])
    beta = torch.where(shares > 0, bends[0], bends[1])
    return (
        _at_points(
            descent,
            "Away from the foot ⟨ν, ∂L⟩ grows from 0, per unit of s by at most β = max |νᵀHν|: the "
            "mean value theorem. At 18 points on both sides, ever nearer to F.",
            ("|⟨ν, ∂L⟩|", speed),
            "≤",
            ("β|s|", beta * sides),
        ),
        _at_points(
            descent,
            "A bound without H: two units differ on a wedge of inputs as narrow as |δ|. "
            "k = n|c|(|c|r + |c*|r*)/(2r), where r = |wᵢ|; the stars are the teacher's.",
            ("|⟨ν, ∂L⟩|", speed),
            "≤",
            ("k|s|", channel.bound(points) * sides),
        ),
    )


def _descended(descent: Descent) -> tuple[Step, ...]:
    """Steps 7-8: one step, and many."""
    channel = descent.channel
    start = channel.across(descent.shares)
    sides, theta = channel.side(start), start
    taken = (descent.rate(theta) * descent.across(theta)).abs()
    least, where = torch.ones_like(sides[0]), Place("it grows from every point")
    for t in range(1, STEPS + 1):
        theta = theta - descent.rate(theta)[:, None] * descent.velocity(theta)
        kept = channel.side(theta) / sides
        k = int(torch.argmin(kept))
        if bool(kept[k] < least):
            least, where = (
                kept[k],
                descent.place(k, f"after {t} step{'s' * (t > 1)}, least of {len(kept)}"),
            )
        if bool(least <= 0):  # somebody has crossed, which is all there was to see
            break
    return (
        _at_points(
            descent,
            f"A step moves s by −η⟨ν, ∂L⟩; with ηk < 1, here η = {BELOW:g}/k, by less than |s|. "
            "The sign stays.",
            ("η|⟨ν, ∂L⟩|", taken),
            "<",
            ("|s|", sides.abs()),
        ),
        overall(
            f"So do all that follow: s after t ≤ {STEPS} steps over s at the start, from each of "
            "the 18 points. k is taken anew for every step.",
            ("0", 0.0),
            "<",
            ("least sₜ/s₀", least),
            torch.ones_like(least),
            where,
        ),
    )


def _sides(channel: Channel) -> tuple[Step, ...]:
    """Steps 9-10: whether the sides are copies of each other."""
    moved = channel.moved(channel.theta)
    away = (moved - channel.shared(moved)).norm(dim=-1)
    names = [_name(element) for element in channel.orders.elements]
    found: dict[str, list[str]] = {}
    near = torch.where(away > ROUNDING * channel.theta.norm(), away, 0.0)[names.index("1")]
    for name, far in zip(names, near.tolist(), strict=True):
        if name != "1":
            found.setdefault(f"{far:.3g}", []).append(name)
    listed = "; ".join(f"{', '.join(sorted(some))} by {far}" for far, some in found.items())
    same = torch.eye(len(away), dtype=torch.bool, device=away.device)
    mirror = channel.across(-torch.ones_like(channel.theta[:1]))[0]
    size = channel.distance(channel.theta, torch.zeros_like(channel.theta))
    return (
        overall(
            "Could a symmetry exchange the sides? On E the (g, g) do nothing, and any other (g, τ) "
            "what τg⁻¹ alone does to the units: it takes θ off the page.",
            ("0", 0.0),
            "<",
            ("least |Mθ − E|", away[~same].amin()),
            channel.theta.norm(),
            Place(f"off E: {listed}"),
        ),
        overall(
            "So the sides are no copies of each other: f̄, the function of the mirror image of θ in "
            "F, is another one. What one side can learn the other need not.",
            ("0", 0.0),
            "<",
            ("mean of (f − f̄)²", channel.distance(channel.theta, mirror).clamp(min=0)),
            size,
        ),
    )


def _at_points(descent: Descent, text: str, left: Named, relation: Relation, right: Named) -> Step:
    k, which = tightest(left[1], relation, right[1])
    one, other = (Side(name, float(values[k])) for name, values in (left, right))
    return Step(text, one, relation, other, descent.place(k, which))


def _name(element: Permutation) -> str:
    """An order in cycles, counted from 1: "(1 2)"; "1" for the one that changes nothing."""
    cycles = ["(" + " ".join(str(k + 1) for k in cycle) + ")" for cycle in element.cyclic_form]
    return "".join(cycles) or "1"
