"""The theorem of the zero modes: at a critical point the Hessian has one for every hidden unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, jacrev

from gaugelib.balance import laplacian
from gaugelib.group import GaugeGroup
from gaugelib.proofs.conserved import HOMOGENEOUS, TANH
from gaugelib.proofs.degenerate import EMPTY, degenerate
from gaugelib.proofs.edges import edges_of, unit_name
from gaugelib.proofs.equalities import at_pairs, at_units, coarse, overall, zeros
from gaugelib.proofs.loss import Network, in_words, network_of
from gaugelib.proofs.penalised import modes
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.second import (
    LOSS,
    STRENGTH,
    aside,
    curvature,
    made_critical,
    reach,
    require_euclidean,
    well_fed,
    without_exponent,
)
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Place, Step

TITLE = "A zero mode for every hidden unit"
STATEMENT = (
    "Let θ be a critical point of L, L twice differentiable there, and vₕ = Aₕθ the direction of "
    "the dial of unit h, Aₕ = diag(Bₕ). Then H vₕ = 0 for every hidden unit, and the vₕ are "
    f"independent: H has at least |U| zero eigenvalues. {LOSS} Its targets make θ critical, L > 0."
)
_PULLED = Drop("penalty", f"a pull to this point θ₀: L + {STRENGTH / 2:g}|θ − θ₀|²")
_TARGETS = Drop("critical", "targets at random: θ is not critical")
ZERO = 1e-9
"""Eigenvalues below this share of the Hessian's norm count as 0."""


def theorem_zero_modes(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that a critical point has a zero mode for every hidden unit, run on a network.

    $\langle\nabla L, v_h\rangle = 0$ at every point of the parameters; differentiated, $\mathbf H
    v_h = -A_h\nabla L$. Where $\nabla L = 0$ this is 0, and the Gram matrix of the $v_h$ is the
    Laplacian $\mathcal L$, positive definite on a connected network. Parameters that are 0 are no
    edges. The loss is that of `gaugelib.proofs.loss`, with targets for which the parameters are a
    critical point.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: 2; lengths and the Hessian are Euclidean.
        drop: a hypothesis to do without: `"homogeneous"` (tanh), `"penalty"` (a loss that sees the
            parameters as well), `"critical"` (a point that is not) and, where others are left,
            `"empty"` (the last unit loses all its parameters).

    Raises:
        GaugeError: if `drop` is unknown, p is not 2, the network has no hidden unit or more than
            256 parameters that are not 0, or a number is not finite.

    Source: the book, Theorem "Zero modes".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> record = theorem_zero_modes(params_of(hat()), mlp_group(hat()))
        >>> record.steps[7].claim, record.steps[7].right.value, record.steps[7].place.words
        ('|U| ≤ zero eigenvalues of H', 3.0, 'rank 5, of 8 parameters')
        >>> theorem_zero_modes(params_of(hat()), mlp_group(hat()), drop="critical").broken
        (4, 5, 8)
    """
    require_euclidean(p)
    hypotheses = _hypotheses(params, group)
    require_drop(drop, hypotheses)
    whole = edges_of(params, group, p)
    doubles = {name: value.detach().double() for name, value in params.items()}
    changed = degenerate(doubles, group, drop) if drop == EMPTY.key else doubles
    edges = edges_of(changed, group, p)
    network = network_of(changed, group, torch.tanh if drop == TANH.key else torch.relu)
    network = well_fed(network)
    if drop != _TARGETS.key:
        network = made_critical(network)
    valley = _Valley(network, STRENGTH if drop == _PULLED.key else 0.0)
    conductances = laplacian(changed, group, p, include_bias=True)
    H = curvature(valley.loss, network.theta)
    return Record(
        TITLE,
        STATEMENT,
        hypotheses,
        coarse(
            *_everywhere(valley, aside(network)),
            *_critical(valley, H),
            *_independent(valley, conductances),
            _counted(H, group.units),
        ),
        without_exponent(in_words(edges, network)),
        sketch_of(edges, whole),
        drop,
    )


def _hypotheses(params: Mapping[str, Tensor], group: GaugeGroup) -> tuple[Hypothesis, ...]:
    left = degenerate(params, group, EMPTY.key)
    moving = [left[name] for name, entry in group.entries.items() if entry.kind != "fixed"]
    some = any(bool(value.any()) for value in moving)
    return (
        HOMOGENEOUS,
        Hypothesis("L sees only the outputs", (_PULLED,)),
        Hypothesis("θ is a critical point of L", (_TARGETS,)),
        Hypothesis(
            "every hidden unit lies on a path from input to output", (EMPTY,) if some else ()
        ),
    )


@dataclass(frozen=True, eq=False)
class _Valley:
    """The loss, with a pull to where the network stands, and the directions of the dials."""

    network: Network
    pull: float

    def loss(self, theta: Tensor) -> Tensor:
        away = theta - self.network.theta
        return self.network.loss(theta) + self.pull / 2 * away.square().sum()

    def slopes(self, theta: Tensor) -> Tensor:
        return grad(self.loss)(theta)

    def work(self, theta: Tensor) -> Tensor:
        """⟨∂L, vₕ⟩, shape (units,)."""
        return self.network.collect(theta * self.slopes(theta))

    def incidence(self) -> Tensor:
        """B, shape (units, edges)."""
        units = torch.eye(self.network.units).to(self.network.theta)
        return torch.stack([self.network.spread(unit) for unit in units])

    def place(self, unit: int, edge: int, which: str) -> Place:
        """A unit and an edge, both counted from 0."""
        at = self.network.edge(edge, "")
        name = unit_name(unit + 1)
        words = f"{which} pairs: {name}, {at.words.removeprefix(' edges: ')}"
        return Place(words, at.edges, tuple(dict.fromkeys((unit + 1, *at.units))))


def _everywhere(valley: _Valley, theta: Tensor) -> tuple[Step, ...]:
    """Steps 1-3: what holds at every point, read off at one that is not critical."""
    B, slopes, H = valley.incidence(), valley.slopes(theta), curvature(valley.loss, theta)
    V = B * theta
    size = V.abs() @ H.abs() + (B * slopes).abs()
    work = valley.work(theta)
    return (
        at_units(
            "The Ward identity, at every point of the parameters: L is level along every vₕ. Read "
            "off at θ′, a little aside, where the gradient is not 0.",
            ("⟨∂L, vₕ⟩ at θ′", work),
            zeros(work),
            V.abs() @ slopes.abs(),
        ),
        at_pairs(
            "So it may be differentiated, by every parameter. The product rule gives two terms: "
            "∂L changes by H, and vₕ = Aₕθ by Aₕ.",
            ("∂⟨∂L, vₕ⟩ at θ′", jacrev(valley.work)(theta)),
            ("H vₕ + Aₕ∂L", V @ H + B * slopes),
            size,
            valley.place,
        ),
        at_pairs(
            "By step 1 both sides of step 2 are 0. So along vₕ the gradient turns, as the gradient "
            "itself prescribes.",
            ("H vₕ at θ′", V @ H),
            ("−Aₕ∂L", -B * slopes),
            size,
            valley.place,
        ),
    )


def _critical(valley: _Valley, H: Tensor) -> tuple[Step, ...]:
    """Steps 4-5: the gradient at the critical point, and the Hessian along the dials."""
    network, theta = valley.network, valley.network.theta
    V = valley.incidence() * theta
    curved = (V @ H).norm(dim=1)
    return (
        overall(
            "Now to θ, which is critical: of the gradient nothing is left.",
            ("|∂L| at θ", valley.slopes(theta).norm()),
            "=",
            ("0", 0.0),
            reach(network),
        ),
        at_units(
            "There the right side of step 3 is 0. Along every vₕ L is level, and its gradient "
            "stays 0.",
            ("|H vₕ| at θ", curved),
            zeros(curved),
            (V.abs() @ H.abs()).norm(dim=1),
        ),
    )


def _independent(valley: _Valley, conductances: Tensor) -> tuple[Step, ...]:
    """Steps 6-7: the Gram matrix of the directions."""
    V = valley.incidence() * valley.network.theta
    lengths = V.norm(dim=1)
    rates = modes(conductances)
    empty = (conductances.diagonal() == 0).nonzero()[:, 0].tolist()
    apart = ~torch.eye(len(V), dtype=torch.bool, device=V.device) & (conductances != 0)

    def place(one: int, other: int, which: str) -> Place:
        words = f"{which} pairs: {unit_name(one + 1)}, {unit_name(other + 1)}"
        return Place(words, units=tuple(dict.fromkeys((one + 1, other + 1))))

    return (
        at_pairs(
            "Such a vector for every unit. Multiplied with each other they give the Laplacian "
            "ℒ = B diag(θ²) Bᵀ: −Σ θ² over the edges that join h and k.",
            ("⟨vₕ, vₖ⟩", V @ V.T),
            ("ℒₕₖ", conductances),
            torch.outer(lengths, lengths),
            place,
            apart if bool(apart.any()) else None,
        ),
        overall(
            "|Σ ξₕvₕ|² = ξᵀℒξ = Σ θ² (ξᵢ − ξⱼ)² is 0 only if ξ is the same at both ends of every "
            "edge. Paths lead to inputs and outputs, where it is 0: the vₕ are independent.",
            ("0", 0.0),
            "<",
            ("least eigenvalue of ℒ", rates[0]),
            rates[-1],
            Place(f"vₕ = 0: {unit_name(empty[0] + 1)}", units=(empty[0] + 1,)) if empty else None,
        ),
    )


def _counted(H: Tensor, units: int) -> Step:
    """Step 8: the zero eigenvalues."""
    found = torch.linalg.eigvalsh(H)
    zero = int((found.abs() <= ZERO * H.norm()).sum())
    return overall(
        "Independent vectors that H maps to 0: at least as many of its eigenvalues are 0, here "
        "below 10⁻⁹ of |H|. Any more have reasons of their own.",
        ("|U|", float(units)),
        "≤",
        ("zero eigenvalues of H", float(zero)),
        place=Place(f"rank {len(found) - zero}, of {len(found)} parameters"),
    )
