"""Which gauge is kept while training: that of a norm, or that of coefficients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from gaugelib.action import refuse_not_finite
from gaugelib.balance import MinimumNorm, minimum_norm
from gaugelib.bounds import require_exponent
from gaugelib.gauges.coefficients import balance_coefficients, require_coefficients, require_power
from gaugelib.group import GaugeError, GaugeGroup
from gaugelib.optim.scale import Write, scalings

Coefficients = Callable[[], Mapping[str, Tensor]]


class Kept:
    r"""What is to be balanced, and the way to where it is.

    Args:
        p: exponent of the norm, by default 2.
        coefficients: instead of a norm, a function that returns coefficients at the parameters.
        exponent: how they follow their weights, by default -2.
        include_bias: whether biases count, by default those of coefficients alone.

    Attributes:
        p: what is balanced are sums of $|v_e|^p$: of weights, or with $p=1$ of coefficients.
        include_bias: whether biases count.

    Raises:
        GaugeError: if a number is out of range, or both a norm and coefficients are asked for.
    """

    def __init__(
        self,
        p: float | None,
        coefficients: Coefficients | None,
        exponent: float | None,
        include_bias: bool | None,
    ) -> None:
        self._coefficients = coefficients
        self._room: dict[str, Tensor] | None = None
        self.include_bias = coefficients is not None if include_bias is None else include_bias
        if coefficients is None:
            if exponent is not None:
                raise GaugeError(
                    "exponent belongs to coefficients, and none are given: a norm has p"
                )
            self.p = 2.0 if p is None else p
            require_exponent(self.p)
            return
        if p is not None:
            raise GaugeError(
                f"either the norm with p = {p} is kept smallest or coefficients are balanced: give "
                "p or coefficients, not both"
            )
        if not callable(coefficients):
            raise GaugeError(
                "coefficients must be a function that returns them at the model's present "
                f"parameters, found {type(coefficients).__name__}"
            )
        self.p, self._exponent = 1.0, -2.0 if exponent is None else exponent
        require_power(self._exponent)

    @property
    def norm(self) -> bool:
        """Whether it is the gauge of a norm, and weights themselves are what is balanced."""
        return self._coefficients is None

    def values(self, params: Mapping[str, Tensor], group: GaugeGroup) -> Mapping[str, Tensor]:
        """What is to be balanced: the parameters, or in float64 the coefficients at them.

        Raises:
            GaugeError: if a coefficient that counts is negative, one is not finite, or names or
                shapes are not those of the parameters.
        """
        if self._coefficients is None:
            return params
        with torch.enable_grad():
            found = self._coefficients()
        return require_coefficients(found, group, group.counted(self.include_bias))

    def solved(
        self,
        params: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        group: GaugeGroup,
        tol: float,
    ) -> tuple[MinimumNorm, list[Write]]:
        """Where the values balance, and what to call for the parameters to be there.

        Raises:
            GaugeError: if a parameter is not finite or its dtype cannot hold what it would become.
        """
        biases = self.include_bias
        if self.norm:
            if self._room is None:  # kept: fresh memory costs more than what is written to it
                self._room = {n: v.new_empty(v.shape) for n, v in params.items()}
            found = minimum_norm(
                values, group, p=self.p, tol=tol, include_bias=biases, out=self._room
            )
            return found, [partial(v.copy_, found.params[n]) for n, v in params.items()]
        refuse_not_finite(params)
        found = balance_coefficients(
            values, group, exponent=self._exponent, tol=tol, include_bias=biases
        )
        return found, list(scalings(params, found.scales, group))
