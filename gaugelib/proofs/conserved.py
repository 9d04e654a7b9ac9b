"""Lemma 3.1 and its corollary: the flow that fits the exponent conserves every unit's charge."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import grad

from gaugelib.group import GROUND, GaugeGroup
from gaugelib.proofs.degenerate import biased_units
from gaugelib.proofs.edges import edges_of, unit_name
from gaugelib.proofs.equalities import at_data, at_edges, at_units, zeros
from gaugelib.proofs.loss import LOSS, Network, in_words, network_of, rate
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Step

TITLE = "What the flow cannot change"
STATEMENT = (
    "Let the parameters move by dθ/dt = −|θ|²⁻ᵖ ∂L/∂θ. Then Δₕ = Σᵢₙ |θ|ᵖ − Σₒᵤₜ |θ|ᵖ, the sum "
    f"over what enters unit h minus the sum over what leaves it, never changes. {LOSS}"
)
TANH = Drop("homogeneous", "tanh instead of ReLU")
FROZEN = Drop("frozen", "biases that are not 0 and do not move")
_UNCOUNTED = Drop("bias", "a charge that leaves the biases out")
HOMOGENEOUS = Hypothesis("every hidden unit is positively homogeneous: ReLU", (TANH,))


def lemma_conserved(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that the modulated flow conserves the charge of every unit, run on a network.

    $\dot\theta = -|\theta|^{2-p}\odot\nabla L$ conserves $\Delta = B|\theta|^p$. Biases count among
    what enters a unit; parameters that are 0 are no edges, and stay 0. The loss is one of
    `gaugelib.proofs.loss`.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the charge and of the flow.
        drop: a hypothesis to do without: `"homogeneous"` (tanh), `"modulation"` (the flow of
            another exponent) and, where a hidden bias is not 0, `"bias"` (the charge leaves biases
            out) or `"frozen"` (hidden biases do not move).

    Raises:
        GaugeError: if `drop` is unknown, the network has no hidden unit or too many, or a number is
            not finite.

    Source: Saul (2023), Lemma 3.1, eqs. (22)-(31); the last step is not there.

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> print(lemma_conserved(params_of(hat()), mlp_group(hat()), drop="homogeneous"))
        What the flow cannot change (3 hidden units, 6 weights, 2 biases, p = 2)
        1. FAILS  f(gₐθ) = f(θ)   slack ...
        2. FAILS  ∂L(gₐθ)/∂log aₕ = 0   slack ...
        3. FAILS  Σᵢₙ θ ∂L = Σₒᵤₜ θ ∂L   slack ...
        4. holds  d|θ|ᵖ/dt = −p θ ∂L   slack ...
        5. holds  dΣᵢₙ |θ|ᵖ/dt = −p Σᵢₙ θ ∂L   slack ...
        6. FAILS  dΔₕ/dt = 0   slack ...
        7. holds  ½ d²Δₕ/dη² = Σᵢₙ (∂L)² − Σₒᵤₜ (∂L)²   slack ...
    """
    hypotheses = _hypotheses(p, bool(biased_units(params, group)))
    require_drop(drop, hypotheses)
    edges = edges_of(params, group, p)
    network = network_of(params, group, torch.tanh if drop == TANH.key else torch.relu)
    return Record(
        TITLE,
        STATEMENT,
        hypotheses,
        (*_identity(network), *_charge(network, p, drop)),
        in_words(edges, network),
        sketch_of(edges),
        drop,
    )


def _hypotheses(p: float, has_biases: bool) -> tuple[Hypothesis, ...]:
    other = "1" if another(p) == 1 else "2, gradient flow"
    return (
        HOMOGENEOUS,
        Hypothesis(
            f"the flow has the exponent of the charge, p = {p:g}",
            (Drop("modulation", f"the flow with exponent {other}"),),
        ),
        Hypothesis(
            "biases move and count, as parameters that enter a unit",
            (_UNCOUNTED, FROZEN) if has_biases else (),
        ),
    )


def _identity(network: Network) -> tuple[Step, ...]:
    """Steps 1-3: what the symmetry says of the gradient."""
    theta = network.theta
    sizes = network.touching((theta * network.slopes(theta)).abs())
    unit = int(torch.argmax(sizes))
    dial = torch.ones_like(sizes)
    dial[unit] = 2.0
    before, after = network.run(theta), network.run(network.moved(dial).theta)

    def turned(log: Tensor) -> Tensor:
        return network.loss(theta * torch.exp(network.spread(log)))

    level = grad(turned)(torch.zeros_like(sizes))
    return (
        at_data(
            f"Turn the dial of one unit, {unit_name(unit + 1)}: what enters it doubles, what "
            "leaves it halves. Its value doubles as well, and no output has moved.",
            ("f(gₐθ)", after),
            ("f(θ)", before),
            torch.maximum(before.abs(), after.abs()),
        ),
        at_units(
            "So the loss is level along every dial: differentiated along log aₕ, it gives 0.",
            ("∂L(gₐθ)/∂log aₕ", level),
            zeros(level),
            sizes,
        ),
        ward(network),
    )


def ward(network: Network, text: str = "") -> Step:
    """The Ward identity at every unit, as a step; with a reason of its own if it stands alone."""
    work = network.theta * network.slopes(network.theta)
    incoming, outgoing = network.totals(work)
    return at_units(
        text
        or "By the chain rule this derivative is Σᵢₙ θ ∂L − Σₒᵤₜ θ ∂L, where ∂L is the gradient's "
        "entry for θ: the Ward identity. The unit with the largest terms is shown.",
        ("Σᵢₙ θ ∂L", incoming),
        ("Σₒᵤₜ θ ∂L", outgoing),
        network.touching(work.abs()),
    )


def _charge(network: Network, p: float, drop: str | None) -> tuple[Step, ...]:
    """Steps 4-7: what the flow does to the charge, and what one step of finite size does."""
    theta, slopes = network.theta, network.slopes(network.theta)
    velocity = -(theta.abs() ** (2 - (another(p) if drop == "modulation" else p))) * slopes
    if drop == FROZEN.key:
        velocity = torch.where(hidden_biases(network), 0.0, velocity)
    counts = network.bias.logical_not() | (drop != _UNCOUNTED.key)

    def powers(theta: Tensor) -> Tensor:
        return theta.abs() ** p

    def charge(theta: Tensor) -> Tensor:
        return network.collect(counts * powers(theta))

    entering, _ = network.totals(theta * slopes)
    sizes = network.totals(p * (theta * slopes).abs())
    gain, _ = network.totals(counts * rate(powers, theta, velocity))
    drift = rate(charge, theta, velocity)
    second = rate(lambda at: rate(charge, at, velocity), theta, velocity) / 2
    enters, leaves = network.totals(p * (p - 1) / 2 * theta.abs() ** (2 - p) * slopes**2)
    return (
        at_edges(
            "Along the flow |θ|ᵖ changes on every edge at this rate: its derivative p|θ|ᵖ⁻¹ times "
            "the flow's factor |θ|²⁻ᵖ is p|θ|, for every p.",
            ("d|θ|ᵖ/dt", rate(powers, theta, velocity)),
            ("−p θ ∂L", -p * theta * slopes),
            network,
        ),
        at_units(
            "Summed over what enters a unit; and over what leaves it, likewise.",
            ("dΣᵢₙ |θ|ᵖ/dt", gain),
            ("−p Σᵢₙ θ ∂L", -p * entering),
            sizes[0],
        ),
        at_units(
            "By the Ward identity both sums change at the same rate: the charge of every unit "
            "stands still.",
            ("dΔₕ/dt", drift),
            zeros(drift),
            sizes[0] + sizes[1],
        ),
        at_units(
            _step_in_words(p),
            ("½ d²Δₕ/dη²", second),
            (_square_in_words(p), enters - leaves),
            enters.abs() + leaves.abs(),
        ),
    )


def hidden_biases(network: Network) -> Tensor:
    """Which edges are biases of hidden units, shape `(edges,)`."""
    return network.bias & (network.target != GROUND)


def another(p: float) -> float:
    """An exponent that is not p: that of gradient flow, or for gradient flow 1."""
    return 1.0 if p == 2 else 2.0


def _square_in_words(p: float) -> str:
    if p == 2:
        return "Σᵢₙ (∂L)² − Σₒᵤₜ (∂L)²"
    return "0" if p == 1 else "½p(p−1) (Σᵢₙ − Σₒᵤₜ) |θ|²⁻ᵖ (∂L)²"


def _step_in_words(p: float) -> str:
    if p == 1:
        return (
            "A computer takes straight steps of finite size η. For p = 1 these keep Δ as well, as "
            "long as no parameter changes sign."
        )
    end = "is all there is" if p == 2 else "comes next"
    return (
        "A computer takes straight steps of finite size η, and with them Δ drifts. The first order "
        f"in η is 0, as just seen; η² times this {end}."
    )
