"""The methods of `minimum_norm`, and what tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MethodName = Literal["two-level", "alternating", "doubled", "algorithm-1"]


@dataclass(frozen=True)
class Method:
    r"""What tells the methods apart.

    Attributes:
        coloured: whether blocks that a weight joins are balanced one after the other.
        step: length of the step in $u = p \log a$ relative to the one that balances a unit whose
            neighbours stand still: 1/2 is the published exponent 1/(4p), 1 the doubled one 1/(2p).
        correct: whether to apply the layer correction and Anderson acceleration.
        own_stop: whether to stop as published, when no scale changes by more than the tolerance.
    """

    coloured: bool = True
    step: float = 1.0
    correct: bool = False
    own_stop: bool = False


METHODS: Mapping[MethodName, Method] = {
    "algorithm-1": Method(coloured=False, step=0.5, own_stop=True),
    "doubled": Method(coloured=False),
    "alternating": Method(),
    "two-level": Method(correct=True),
}
