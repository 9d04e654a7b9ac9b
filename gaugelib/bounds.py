"""What a number that somebody chooses must be: finite, and positive or at least not negative."""

from __future__ import annotations

import math

from gaugelib.group import GaugeError


def require_positive(what: str, value: float, *, kind: str = "number") -> None:
    """Refuse what is not finite and > 0.

    Raises:
        GaugeError: saying what was found.

    Example:
        >>> require_positive("tol", 0.0)
        Traceback (most recent call last):
        gaugelib.group.GaugeError: tol must be a finite number > 0, found 0.0
    """
    if not 0.0 < value < math.inf:
        raise GaugeError(f"{what} must be a finite {kind} > 0, found {value}")


def require_not_negative(what: str, value: float) -> None:
    """Refuse what is not finite and >= 0.

    Raises:
        GaugeError: saying what was found.
    """
    if not 0.0 <= value < math.inf:
        raise GaugeError(f"{what} must be a finite number >= 0, found {value}")


def require_exponent(p: float) -> None:
    """Refuse an exponent that is not finite and > 0, as the two above do."""
    require_positive("the exponent p", p)
