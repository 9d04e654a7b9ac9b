"""What `minimum_norm` returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class History:
    r"""States that a solver passed through, the last one as measured on what is returned.

    Attributes:
        passes: passes over the weights before each state, shape `(states,)`.
        objective: $\|\theta\|_p^p$ over the counted entries, shape `(states,)`.
        imbalance: $\gamma$ of eq. (20), shape `(states,)`; NaN at the start of a method that had
            not read all units yet, and but for the last an upper bound where the layers do not
            make a plain chain.
    """

    passes: Tensor
    objective: Tensor
    imbalance: Tensor


@dataclass(frozen=True, eq=False, repr=False)
class MinimumNorm:
    r"""The minimum-norm gauge of a network, and how it was found.

    Attributes:
        params: the rescaled parameters, in the dtypes of the given ones.
        scales: the gauge transformation $a_h$ that was applied, shape `(units,)` in float64.
        passes: how often the method read the weights: a pass is one product with each matrix
            between hidden layers, and one with its transpose.
        history: the states on the way.
        imbalance: $\gamma = \max_h |\mathrm{in}-\mathrm{out}|/(\mathrm{in}+\mathrm{out})$, measured
            on the returned parameters, over live units.
        last_correction: an estimate of the largest error of $\log a$, before rounding if `exact`.
            It is the change in the last sweep where corrections fell by half with each, as those
            of the two-level method do in most networks; then it is the larger of the two. Else,
            as for the slower methods, whose small steps are no sign of a small error, it is how
            far the two-level method goes on from there, in some passes that are not counted.
        dead: units on no path of counted non-zero weights from an input to an output, as places in
            a vector of shape `(units,)`; they keep scale 1. Where columns are longer than edges,
            units whose scales would run away.
        dead_names: the same by layer and place in it, as `0[3]`.
        converged: whether the tolerance was reached on the returned parameters; with `exact`,
            before rounding.

    Example:
        >>> from gaugelib import hat, mlp_group, minimum_norm, params_of
        >>> params = params_of(hat())
        >>> params["2.weight"][0, 2] = 0.0  # nothing reads the third neuron
        >>> minimum_norm(params, mlp_group(hat()))
        MinimumNorm: converged after 2 passes, imbalance ...; dead units left at scale 1: 0[2]
    """

    params: dict[str, Tensor]
    scales: Tensor
    passes: float
    history: History
    imbalance: float
    last_correction: float
    dead: Tensor
    dead_names: tuple[str, ...]
    converged: bool

    def __repr__(self) -> str:
        verdict = "converged" if self.converged else "NOT converged"
        text = (
            f"MinimumNorm: {verdict} after {self.passes:.4g} pass{'es' * (self.passes != 1)}, "
            f"imbalance {self.imbalance:.1e}, last correction {self.last_correction:.1e}"
        )
        if not self.dead_names:
            return text
        shown = ", ".join(self.dead_names[:6])
        more = f" and {len(self.dead_names) - 6} more" if len(self.dead_names) > 6 else ""
        return f"{text}; dead units left at scale 1: {shown}{more}"
