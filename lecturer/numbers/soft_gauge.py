"""Numbers that the lecture on soft gauge fixing says aloud."""

from math import cosh, log

from gaugelib.widgets.soft_gauge.stable import Choice


def factor() -> str:
    """What the log-ratio penalty multiplies the neuron (3, 1/2) by, in the end."""
    return f"{cosh(log(3 / 0.5)):.2f}"


def without() -> str:
    """The stored verdict on the run that the lecture shows, without the penalty."""
    return _verdict(0.0)


def moderate() -> str:
    """The same with the strength 0.03."""
    return _verdict(0.03)


def strong() -> str:
    """The same with the strength 0.3."""
    return _verdict(0.3)


def _verdict(strength: float) -> str:
    choice = Choice("uneven 1", 3, "strict", strength, 0.07875, False)
    return "stable" if choice.stable()[(*choice.cell, 3)] else "unstable"
