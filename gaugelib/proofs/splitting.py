"""The theorem of the fixed points, first half: a swap of equal units splits the Hessian in two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.func import grad

from gaugelib.group import GaugeGroup
from gaugelib.proofs.edges import edges_of, unit_name
from gaugelib.proofs.equalities import at_pairs, coarse, overall
from gaugelib.proofs.loss import Network, in_words, network_of
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.second import (
    LOSS,
    STRENGTH,
    aside,
    curvature,
    require_euclidean,
    well_fed,
    without_exponent,
)
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Place, Step
from gaugelib.proofs.twin import edges_in, twinned

RATE = 0.1
TITLE = "What is equal stays equal"
STATEMENT = (
    "Let M be orthogonal with L(Mθ) = L(θ) for all θ. On Fix(M), where Mθ = θ, the gradient lies "
    "in Fix(M), and H maps Fix(M) and its complement each to itself: gradient descent stays there. "
    f"M swaps the last unit and a copy that takes half of its weights out. {LOSS}"
)
_ACTIVATION = Drop("activation", "the copy is a tanh unit")
_SEEN = Drop("seen", f"weight decay on the copy alone, λ = {STRENGTH:g}")
_UNEQUAL = Drop("unequal", "two units that differ: θ′ instead of θ")
_RATES = Drop("rates", "the copy learns at half the rate")
HYPOTHESES = (
    Hypothesis(
        "M is a symmetry: both units are ReLUs, and L sees only the outputs", (_ACTIVATION, _SEEN)
    ),
    Hypothesis("θ lies in Fix(M): the two units are equal", (_UNEQUAL,)),
    Hypothesis("the step has one rate for all parameters", (_RATES,)),
)


def theorem_splitting(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that the Hessian splits where two units are equal, run on a network.

    $L(M\theta) = L(\theta)$ gives $\nabla L(M\theta) = M\nabla L(\theta)$ and $\mathbf H(M\theta) =
    M\mathbf H(\theta)M^\top$. Where $M\theta = \theta$ the gradient is fixed by $M$ and the Hessian
    commutes with it. The last hidden unit is written twice, and $M$ swaps the two. Parameters that
    are 0 are no edges. The loss is that of `gaugelib.proofs.loss`.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: 2; lengths and the Hessian are Euclidean.
        drop: a hypothesis to do without: `"activation"` (the copy is a tanh unit), `"seen"` (the
            loss sees the copy's parameters), `"unequal"` (two units that differ) or `"rates"` (the
            copy learns at half the rate).

    Raises:
        GaugeError: if `drop` is unknown, p is not 2, the network has no hidden unit or more than
            256 parameters that are not 0, or a number is not finite.

    Source: the book, Theorem "What a discrete symmetry keeps".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> theorem_splitting(params_of(hat()), mlp_group(hat())).broken
        ()
        >>> record = theorem_splitting(params_of(hat()), mlp_group(hat()), drop="rates")
        >>> record.broken, record.steps[7].claim
        ((8,), '|N(θ − η∂L)| = 0')
    """
    require_euclidean(p)
    require_drop(drop, HYPOTHESES)
    edges_of(params, group, p)
    whole = well_fed(network_of(params, group))
    network, swap = twinned(whole, group.units)
    if drop == _ACTIVATION.key:
        network = replace(network, activation=_odd_one_out)
    edges, pair = edges_in(network), (unit_name(group.units), unit_name(group.units + 1))
    swapped = _Swapped(network, swap, STRENGTH if drop == _SEEN.key else 0.0)
    theta = aside(network) if drop == _UNEQUAL.key else network.theta
    slopes, H = grad(swapped.loss)(theta), curvature(swapped.loss, theta)
    return Record(
        TITLE,
        STATEMENT,
        HYPOTHESES,
        coarse(
            *_everywhere(swapped, aside(network)),
            *_fixed(swapped, theta, slopes, H),
            _split(swapped, H),
            _step(swapped, theta, slopes, unequal=drop == _RATES.key),
        ),
        f"{without_exponent(in_words(edges, network))}; {pair[1]} copies {pair[0]}",
        sketch_of(edges),
        drop,
    )


def _odd_one_out(sums: Tensor) -> Tensor:
    return torch.cat([torch.relu(sums[:, :-1]), torch.tanh(sums[:, -1:])], dim=1)


@dataclass(frozen=True, eq=False)
class _Swapped:
    """A network, the swap of its last unit with another one, and a loss that may see the last."""

    network: Network
    swap: Tensor
    strength: float

    @property
    def of_the_copy(self) -> Tensor:
        """Which edges enter or leave the last unit, shape (edges,)."""
        network = self.network
        return (network.source == network.units) | (network.target == network.units)

    @property
    def moved(self) -> Tensor:
        """Which edges M moves, shape (edges,)."""
        return self.swap != torch.arange(len(self.swap), device=self.swap.device)

    def loss(self, theta: Tensor) -> Tensor:
        seen = torch.where(self.of_the_copy, theta, 0.0).square().sum()
        return self.network.loss(theta) + self.strength / 2 * seen

    def apart(self, vector: Tensor) -> Tensor:
        """N of a vector, or of the rows of a matrix: its part orthogonal to Fix(M)."""
        return (vector - vector[self.swap]) / 2

    def at_edges(self, text: str, left: tuple[str, Tensor], right: tuple[str, Tensor]) -> Step:
        """An equality at every edge; one that M moves is shown."""
        names, sides = (left[0], right[0]), (left[1][:, None], right[1][:, None])
        return at_pairs(
            text, (names[0], sides[0]), (names[1], sides[1]), _largest(*sides),
            lambda edge, _, which: self.network.edge(edge, which), self.moved[:, None],
        )  # fmt: skip

    def at_entries(self, text: str, left: tuple[str, Tensor], right: tuple[str, Tensor]) -> Step:
        """An equality at every pair of edges; one that M moves is shown."""
        telling = self.moved[:, None] | self.moved
        return at_pairs(text, left, right, _largest(left[1], right[1]), self._pair, telling)

    def _pair(self, one: int, other: int, which: str) -> Place:
        first, second = (self.network.edge(edge, "") for edge in (one, other))
        names = [place.words.removeprefix(" edges: ") for place in (first, second)]
        units = dict.fromkeys((*first.units, *second.units))
        edges = dict.fromkeys((*first.edges, *second.edges))
        return Place(f"{which} pairs: {', '.join(names)}", (*edges,), (*units,))


def _largest(one: Tensor, other: Tensor) -> Tensor:
    """What rounding is measured against: the largest entry of all, in the shape of the sides."""
    return torch.maximum(one.abs().amax(), other.abs().amax()).expand(one.shape)


def _everywhere(swapped: _Swapped, theta: Tensor) -> tuple[Step, ...]:
    """Steps 1-3: what the symmetry says at every point, read off where the units differ."""
    swap, there = swapped.swap, theta[swapped.swap]
    slopes, H = grad(swapped.loss), curvature(swapped.loss, theta)
    return (
        overall(
            "Two units of one layer change places: the network computes what it did, whatever its "
            "parameters. Read off at θ′, a little aside, where the two differ.",
            ("L(Mθ′)", swapped.loss(there)),
            "=",
            ("L(θ′)", swapped.loss(theta)),
        ),
        swapped.at_edges(
            "Differentiated, by the chain rule: Mᵀ∂L(Mθ′) = ∂L(θ′). And MᵀM = 1, for M is "
            "orthogonal.",
            ("∂L(Mθ′)", slopes(there)),
            ("M ∂L(θ′)", slopes(theta)[swap]),
        ),
        swapped.at_entries(
            "Differentiated once more, by the same rule.",
            ("H(Mθ′)", curvature(swapped.loss, there)),
            ("M H(θ′) Mᵀ", H[swap][:, swap]),
        ),
    )


def _fixed(swapped: _Swapped, theta: Tensor, slopes: Tensor, H: Tensor) -> tuple[Step, ...]:
    """Steps 4-6: a point that the swap leaves where it is, its gradient and its Hessian."""
    swap = swapped.swap
    return (
        swapped.at_edges(
            "Now to a point of Fix(M): the two units are equal, and M moves nothing.",
            ("Mθ", theta[swap]),
            ("θ", theta),
        ),
        swapped.at_edges(
            "There step 2 is about one gradient: M leaves it where it is. It lies in Fix(M), "
            "tangent to it.",
            ("∂L", slopes),
            ("M ∂L", slopes[swap]),
        ),
        swapped.at_entries(
            "And step 3 about one Hessian. Times M from the right: the two commute.",
            ("H M", H[:, swap]),
            ("M H", H[swap]),
        ),
    )


def _split(swapped: _Swapped, H: Tensor) -> Step:
    """Step 7: the two blocks."""
    across = swapped.apart(H)
    normal = swapped.apart(across.T)
    tangent = H - across - swapped.apart(H.T).T + normal.T
    return overall(
        "P = ½(1 + M) projects onto Fix(M), N = 1 − P onto what is orthogonal to it. H commutes "
        "with both: one block on each, and nothing between.",
        ("|H|²", H.square().sum()),
        "=",
        ("|PHP|² + |NHN|²", tangent.square().sum() + normal.square().sum()),
    )


def _step(swapped: _Swapped, theta: Tensor, slopes: Tensor, *, unequal: bool) -> Step:
    """Step 8: gradient descent."""
    step = torch.where(swapped.of_the_copy & unequal, RATE / 2, RATE) * slopes
    return overall(
        "θ and ∂L lie in Fix(M), a linear space: so does a step of gradient descent, here with "
        f"η = {RATE:g}, and so do all that follow.",
        ("|N(θ − η∂L)|", swapped.apart(theta - step).norm()),
        "=",
        ("0", 0.0),
        theta.norm() + step.norm(),
    )
