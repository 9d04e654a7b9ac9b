"""The theorem of soft gauge fixing: a penalty on imbalance acts along the orbit only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gaugelib.balance import laplacian
from gaugelib.group import GaugeGroup
from gaugelib.proofs.conserved import HOMOGENEOUS, TANH
from gaugelib.proofs.degenerate import DEAD, biased_units, degenerate
from gaugelib.proofs.edges import edges_of, unit_name
from gaugelib.proofs.equalities import at_data, at_edges, at_units, coarse, overall, zeros
from gaugelib.proofs.loss import LOSS, in_words, network_of
from gaugelib.proofs.penalised import STRENGTH, Penalised, modes, relaxed
from gaugelib.proofs.record import Drop, Hypothesis, Record, require_drop
from gaugelib.proofs.sketch import sketch_of
from gaugelib.proofs.step import Place, Step

TITLE = "A penalty that only chooses the gauge"
_LOG = Drop("log", "a penalty on log-ratios of norms")
_UNCOUNTED = Drop("bias", "a penalty that leaves the biases out")


def theorem_soft(
    params: Mapping[str, Tensor], group: GaugeGroup, p: float = 2.0, *, drop: str | None = None
) -> Record:
    r"""The proof that a penalty on imbalance acts along the orbit only, run on a network.

    $S = \frac\kappa4\sum_h\Delta_h^2$ with $\kappa = 0.1$ has $\nabla S =
    \kappa\,(B^\top\Delta)\odot\theta$, a tangent of the orbit. So it leaves outputs alone, is
    orthogonal to $\nabla L$, and along $\dot\theta = -\nabla(L+S)$ imbalance relaxes by itself:
    $\dot\Delta = -2\kappa\mathcal L\Delta$. Biases count; parameters that are 0 are no edges. The
    loss is one of `gaugelib.proofs.loss`.

    For another $p$ the same is true of $S = \frac\kappa{2p}\sum_h\Delta_h^2$ and of
    $\dot\theta = -|\theta|^{2-p}\odot\nabla(L+S)$, with $\dot\Delta = -p\kappa\mathcal L\Delta$.

    Args:
        params: the network's parameters by name.
        group: the network's gauge group.
        p: exponent of the flow and of the imbalance.
        drop: a hypothesis to do without: `"homogeneous"` (tanh), `"log"` (a penalty on
            log-ratios), `"dead"` (the last unit loses its outgoing weights) and, where a hidden
            bias is not 0, `"bias"` (the penalty leaves biases out).

    Raises:
        GaugeError: if `drop` is unknown, the network has no hidden unit or too many, or a number is
            not finite.

    Source: the book, "Soft gauge fixing".

    Example:
        >>> from gaugelib import hat, mlp_group, params_of
        >>> record = theorem_soft(params_of(hat()), mlp_group(hat()))
        >>> step = record.steps[3]
        >>> step.claim, round(step.left.value, 9), step.place.words  # Δ = 4, ℒ = 1 + 4 + 1
        ('dΔₕ/dt = −2κ (ℒΔ)ₕ', -4.8, 'largest of 3 units: h₃')
        >>> theorem_soft(params_of(hat()), mlp_group(hat()), drop="dead").broken
        (6,)
    """
    hypotheses = _hypotheses(p, bool(biased_units(params, group)))
    require_drop(drop, hypotheses)
    whole = edges_of(params, group, p)
    doubles = {name: value.detach().double() for name, value in params.items()}
    changed = degenerate(doubles, group, drop) if drop == DEAD.key else doubles
    edges = edges_of(changed, group, p)
    network = network_of(changed, group, torch.tanh if drop == TANH.key else torch.relu)
    counted = drop != _UNCOUNTED.key
    flow = Penalised(network, p, ~network.bias | counted, on_ratios=drop == _LOG.key)
    return Record(
        TITLE,
        _statement(p),
        hypotheses,
        coarse(
            _vertical(flow, changed, group),
            *_invisible(flow),
            *_relaxing(flow, changed, group, counted),
            *_descending(flow),
        ),
        in_words(edges, network),
        sketch_of(edges, whole),
        drop,
    )


@dataclass(frozen=True)
class _Names:
    """How formulas are written: for p = 2 plainly, for others with the factors of the flow."""

    penalty: str
    flow: str
    power: str
    rate: str
    push: str
    loss: str
    both: str


_PLAIN = _Names("(κ/4)", "−∂(L + S)/∂θ", "θ²", "2κ", "∂S", "|∂L|²", "|∂L|² − |∂S|²")
_MODULATED = _Names(
    "(κ/2p)", "−|θ|²⁻ᵖ ∂(L + S)/∂θ", "|θ|ᵖ", "pκ", "|θ|²⁻ᵖ ∂S",
    "Σ |θ|²⁻ᵖ (∂L)²", "Σ |θ|²⁻ᵖ ((∂L)² + (∂S)²)",
)  # fmt: skip


def _names(p: float) -> _Names:
    return _PLAIN if p == 2 else _MODULATED


def _statement(p: float) -> str:
    names = _names(p)
    power = names.power
    return (
        f"Let dθ/dt = {names.flow} with S = {names.penalty} Σ Δₕ², Δₕ = Σᵢₙ {power} − Σₒᵤₜ {power} "
        f"and κ = {STRENGTH:g}. Then S neither moves the outputs nor slows the descent of L, the "
        f"imbalance obeys dΔ/dt = −{names.rate} ℒΔ with ℒ = B diag({power}) Bᵀ, and critical "
        f"points of L + S are balanced ones of L. {LOSS}"
    )


def _hypotheses(p: float, has_biases: bool) -> tuple[Hypothesis, ...]:
    return (
        HOMOGENEOUS,
        Hypothesis(f"the penalty is S = {_names(p).penalty} Σ Δₕ²", (_LOG,)),
        Hypothesis("biases count among what enters a unit", (_UNCOUNTED,) if has_biases else ()),
        Hypothesis("every hidden unit lies on a path from input to output", (DEAD,)),
    )


def _vertical(flow: Penalised, params: Mapping[str, Tensor], group: GaugeGroup) -> Step:
    """Step 1: the gradient of the penalty is a tangent of the orbit."""
    names, push = _names(flow.p), flow.push(flow.network.theta)
    text = (
        "Differentiated, S pulls at an edge j → i as turning every dial by κΔₕ does. Its "
        "gradient is a tangent of the orbit."
    )
    right = "κ (Δᵢ − Δⱼ) θ", flow.tangent()
    if not flow.as_assumed:
        text = "This penalty pulls as no turn of the dials does: the nearest one, ξ, leaves a rest."
        right = (
            "(ξᵢ − ξⱼ) θ",
            flow.nearest_tangent(laplacian(params, group, flow.p, include_bias=True)),
        )
    return at_edges(text, (names.push, push), right, flow.network, flow.reach())


def _invisible(flow: Penalised) -> tuple[Step, ...]:
    """Steps 2-3: what the symmetry says of such a pull."""
    push, slopes = flow.push(flow.network.theta), flow.network.slopes(flow.network.theta)
    change, size = flow.outputs()
    return (
        overall(
            "By the Ward identity the gradient of the loss is orthogonal to every tangent of the "
            "orbit.",
            (f"⟨∂L, {_names(flow.p).push}⟩", (slopes * push).sum()),
            "=",
            ("0", 0.0),
            (slopes.abs() * flow.reach()).sum(),
        ),
        at_data(
            "Left to the penalty alone, the dials turn at the rates −κΔₕ, and no output moves.",
            ("df/dt along S", change),
            zeros(change),
            size,
        ),
    )


def _relaxing(
    flow: Penalised, params: Mapping[str, Tensor], group: GaugeGroup, counted: bool
) -> tuple[Step, ...]:
    """Steps 4-6: how imbalance relaxes while the loss is learned."""
    network, theta, names = flow.network, flow.network.theta, _names(flow.p)
    delta, power = flow.imbalance(theta), flow.powers(theta)
    steps = network.spread(delta)
    rates = modes(laplacian(params, group, flow.p, include_bias=counted))
    square = delta.square().sum()
    return (
        at_units(
            "Now both pull. The loss moves no Δₕ, by the Ward identity; the penalty lets Δ diffuse "
            "like heat over the network and leak out at its ends.",
            ("dΔₕ/dt", flow.along(flow.imbalance)),
            (f"−{names.rate} (ℒΔ)ₕ", -flow.p * STRENGTH * network.collect(power * steps)),
            flow.turnover(),
        ),
        overall(
            f"Times Δₕ and summed: ½|Δ|² falls at the rate {names.rate} ΔᵀℒΔ. This is a sum of "
            "squares, and no less than λ|Δ|² with λ the smallest eigenvalue of ℒ.",
            ("λ |Δ|²", rates[0] * square),
            "≤",
            (f"Σ {names.power} (Δᵢ − Δⱼ)²", (power * steps.square()).sum()),
            rates[-1] * square,
        ),
        _in_the_end(flow.p, params, group, counted),
    )


def _in_the_end(p: float, params: Mapping[str, Tensor], group: GaugeGroup, counted: bool) -> Step:
    """Step 6: the slowest mode where the penalty alone leads."""
    end, dead = relaxed(params, group, p, counted)
    slowest = modes(laplacian(end, group, p, include_bias=counted))[0]
    text = (
        "If every unit lives, λ > 0, even where S alone leads: at the balanced network. Imbalance "
        "dies out exponentially."
    )
    if dead:
        text = "A unit on no path dies: S shrinks its parameters to 0, and λ with them."
    off = "on no path: " + ", ".join(map(unit_name, dead)) if dead else ""
    return overall(text, ("0", 0.0), "<", ("λ in the end", slowest), place=Place(off, (), (*dead,)))


def _descending(flow: Penalised) -> tuple[Step, ...]:
    """Steps 7-8: the descent of the loss, and the critical points."""
    network, theta, names = flow.network, flow.network.theta, _names(flow.p)
    descent, push = flow.descent(theta), flow.push(theta)
    speed = descent.abs() + flow.reach()
    return (
        overall(
            "By step 2 the loss falls, to first order, as fast as without the penalty.",
            ("dL/dt", flow.along(network.loss)),
            "=",
            (f"−{names.loss}", -flow.length(descent)),
            (network.slopes(theta).abs() * speed).sum(),
        ),
        overall(
            "And S falls by itself. Where L + S is critical, so are both: no Δ differs along an "
            f"edge, and |Δ|² = Σ {names.power} (Δᵢ − Δⱼ) is 0.",
            ("d(L + S)/dt", flow.along(flow.total)),
            "=",
            (f"−{names.both}", -flow.length(descent) - flow.length(push)),
            flow.length(speed),
        ),
    )
