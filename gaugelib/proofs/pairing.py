"""Theorem 3.4: weight decay with the exponent of the flow damps every imbalance at one rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad

from gaugelib.balance import minimum_norm
from gaugelib.group import GaugeGroup
from gaugelib.proofs.conserved import FROZEN, HOMOGENEOUS, TANH, another, hidden_biases, ward
from gaugelib.proofs.degenerate import biased_units
from gaugelib.proofs.edges import edges_of
from gaugelib.proofs.equalities import at_edges, at_units, zeros
from gaugelib.proofs.loss import LOSS, Network, in_words, network_of, rate
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Step

DECAY = 0.1
TITLE = "The decay that fits the flow damps every imbalance"
STATEMENT = (
    "Let the parameters move by dθ/dt = −|θ|²⁻ᵖ ∂(L + λR)/∂θ with R = (1/p) Σ |θ|ᵖ, here with "
    "λ = 0.1. Then Δₕ = Σᵢₙ |θ|ᵖ − Σₒᵤₜ |θ|ᵖ falls as Δₕ(0) exp(−λpt) at every hidden unit, and a "
    f"balanced network stays balanced. {LOSS}"
)
_UNPENALISED = Drop("bias", "hidden biases that are not penalised")
_TOLERANCE = 1e-13


def theorem_pairing(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that paired weight decay damps every imbalance alike, run on a network.

    $\dot\theta = -|\theta|^{2-p}\odot\nabla(L + \lambda R_p)$ has $\dot\Delta = -\lambda p\Delta$.
    Biases count, are penalised and move; parameters that are 0 are no edges. The loss is one of
    `gaugelib.proofs.loss`, and $\lambda = 0.1$.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the flow, of the penalty and of the imbalance.
        drop: a hypothesis to do without: `"exponent"` (a penalty of another exponent),
            `"homogeneous"` (tanh) and, where a hidden bias is not 0, `"bias"` (hidden biases are
            not penalised) or `"frozen"` (they do not move).

    Raises:
        GaugeError: if `drop` is unknown, the network has no hidden unit or too many, or a number is
            not finite.

    Source: Saul (2023), Theorem 3.4, eqs. (33)-(37), where hidden biases are frozen at zero; step 7
    is not there.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> record = theorem_pairing(params_of(hat()), mlp_group(hat()))
        >>> step = record.steps[3]
        >>> step.claim, round(step.left.value, 9), step.place.words  # Δ = 1 + 4 − 1, λp = 0.2
        ('dΔₕ/dt = −λp Δₕ', -0.8, 'largest of 3 units: h₃')
        >>> theorem_pairing(params_of(hat()), mlp_group(hat()), drop="exponent").broken
        (2, 3, 4, 5, 6, 7)
    """
    hypotheses = _hypotheses(p, bool(biased_units(params, group)))
    require_drop(drop, hypotheses)
    edges = edges_of(params, group, p)
    network = network_of(params, group, torch.tanh if drop == TANH.key else torch.relu)
    biases, never = hidden_biases(network), torch.zeros_like(network.bias)
    flow = _Flow(
        network,
        p,
        q=another(p) if drop == "exponent" else p,
        spared=biases if drop == _UNPENALISED.key else never,
        frozen=biases if drop == FROZEN.key else never,
    )
    whole = {name: value.detach().double() for name, value in params.items()}
    best = minimum_norm(whole, group, p=p, include_bias=True, tol=_TOLERANCE).scales
    balanced = network.moved(best.to(network.theta)).theta
    return Record(
        TITLE,
        STATEMENT,
        hypotheses,
        (
            ward(
                network,
                "The loss alone moves no Δₕ: by the Ward identity, what enters a unit and what "
                "leaves it have equal sums.",
            ),
            *_rates(flow),
            *_consequences(flow, balanced),
        ),
        in_words(edges, network),
        sketch_of(edges),
        drop,
    )


@dataclass(frozen=True, eq=False)
class _Flow:
    """The regularised flow: metric of exponent p, penalty of exponent q, and who takes part."""

    network: Network
    p: float
    q: float
    spared: Tensor  # edges that are not penalised, shape (edges,)
    frozen: Tensor  # edges that do not move, shape (edges,)

    def penalty(self, theta: Tensor) -> Tensor:
        r"""$R(\theta)$, a scalar."""
        return torch.where(self.spared, 0.0, theta.abs() ** self.q).sum() / self.q

    def pull(self, theta: Tensor) -> Tensor:
        """What the penalty gives to the velocity, but for -λ."""
        return theta.abs() ** (2 - self.p) * grad(self.penalty)(theta)

    def decay(self, theta: Tensor) -> Tensor:
        """The velocity without the loss."""
        return torch.where(self.frozen, 0.0, -DECAY * self.pull(theta))

    def velocity(self, theta: Tensor) -> Tensor:
        """The velocity, shape `(edges,)`."""
        descent = theta.abs() ** (2 - self.p) * self.network.slopes(theta)
        return self.decay(theta) - torch.where(self.frozen, 0.0, descent)

    def powers(self, theta: Tensor) -> Tensor:
        return theta.abs() ** self.p

    def growth(self, theta: Tensor) -> Tensor:
        """The rate of every |θ|ᵖ along the flow, shape `(edges,)`."""
        return rate(self.powers, theta, self.velocity(theta))

    def turnover(self, theta: Tensor) -> Tensor:
        """What rounding in the rate of a charge is measured against, shape `(units,)`."""
        moves = (theta * self.network.slopes(theta)).abs() + DECAY * self.powers(theta)
        return self.network.touching(self.p * moves)


def _hypotheses(p: float, has_biases: bool) -> tuple[Hypothesis, ...]:
    return (
        HOMOGENEOUS,
        Hypothesis(
            f"the penalty has the exponent of the flow, p = {p:g}",
            (Drop("exponent", f"a penalty with exponent {another(p):g}"),),
        ),
        Hypothesis(
            "biases move, count and are penalised, as parameters that enter a unit",
            (_UNPENALISED, FROZEN) if has_biases else (),
        ),
    )


def _rates(flow: _Flow) -> tuple[Step, ...]:
    """Steps 2-4: the penalty in the flow, on every edge and at every unit."""
    network, theta, p = flow.network, flow.network.theta, flow.p
    growth, powers = flow.growth(theta), flow.powers(theta)
    return (
        at_edges(
            "The penalty, differentiated, is |θ|ᵖ⁻¹ with the sign of θ. With the flow's factor it "
            "pulls at every edge by θ itself, for every p: all shrink at one rate.",
            ("|θ|²⁻ᵖ ∂R", flow.pull(theta)),
            ("θ", theta),
            network,
        ),
        at_edges(
            "So |θ|ᵖ changes on every edge as it does without the penalty, and shrinks.",
            ("d|θ|ᵖ/dt", growth),
            ("−p θ ∂L − λp |θ|ᵖ", -p * theta * network.slopes(theta) - DECAY * p * powers),
            network,
        ),
        at_units(
            "Summed over what enters a unit, minus what leaves it, the loss drops out by step 1.",
            ("dΔₕ/dt", network.collect(growth)),
            ("−λp Δₕ", -DECAY * p * network.collect(powers)),
            flow.turnover(theta),
        ),
    )


def _consequences(flow: _Flow, balanced: Tensor) -> tuple[Step, ...]:
    """Steps 5-7: the exponential, the balanced network, and decay alone."""
    network, theta, p = flow.network, flow.network.theta, flow.p
    again = rate(flow.growth, theta, flow.velocity(theta))
    still = network.collect(flow.growth(balanced))
    totals = network.totals(flow.powers(theta))
    shrinking = [
        rate(lambda at, k=k: network.totals(flow.powers(at))[k], theta, flow.decay(theta))
        for k in (0, 1)
    ]
    alive = (totals[0] > 0) & (totals[1] > 0)
    logs = [
        torch.where(alive, change / total, 0.0)
        for change, total in zip(shrinking, totals, strict=True)
    ]
    return (
        at_units(
            "Differentiated once more, along the flow: the same factor again, and so on. What has "
            "all these derivatives is Δₕ(0) exp(−λpt).",
            ("d²Δₕ/dt²", network.collect(again)),
            ("(λp)² Δₕ", (DECAY * p) ** 2 * network.collect(flow.powers(theta))),
            network.touching(again.abs()) + DECAY * p * flow.turnover(theta),
        ),
        at_units(
            "And 0 stays 0. Here the flow starts at the balanced network of the orbit.",
            ("dΔₕ/dt where balanced", still),
            zeros(still),
            flow.turnover(balanced),
        ),
        at_units(
            "Decay alone balances nothing: it shrinks what enters and what leaves at one rate, and "
            "their ratio stays. It takes the loss, which holds the outputs up.",
            ("d log Σᵢₙ |θ|ᵖ/dt", logs[0]),
            ("d log Σₒᵤₜ |θ|ᵖ/dt", logs[1]),
            torch.maximum(logs[0].abs(), logs[1].abs()),
        ),
    )
