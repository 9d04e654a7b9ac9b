"""Widgets as a page has them, and other states of each that an address may ask for."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gaugelib import widgets
from gaugelib.widgets import AttentionHead, PhasePlane, RescaleNeuron, WhichGauge
from gaugelib.widgets.base import BookWidget

KINDS = [kind for kind in vars(widgets).values() if isinstance(kind, type)]


# What makes a widget of every class, and of every form in which it takes something else.
FORMS: dict[str, Callable[[], BookWidget]] = {
    **{kind.__name__: kind for kind in KINDS},
    **{
        f"PhasePlane-{mode}": partial(PhasePlane, mode=mode)
        for mode in ("flow", "pairing", "soft", "edge")
    },
    "RescaleNeuron-plain": partial(RescaleNeuron, plain=True),
    "AttentionHead-vo": partial(AttentionHead, part="vo"),
    "WhichGauge-digits": partial(WhichGauge, network="digits"),
}


def possible(values: dict[str, Any]) -> list:
    """Values that a trait may be given by an address: both ends, a place between, or all words."""
    if "each" in values:
        each = possible(values["each"])
        counts = {values["least"], values["most"]}
        return [
            [each[(k + first) % len(each)] for k in range(n)] for n in counts for first in (0, 1)
        ]
    if "of" in values:
        return values["of"]
    low, high = values["from"], values["to"]
    between = low + (high - low) / 3
    return [low, int(between) if values.get("whole") else between, high]


def others(widget: BookWidget) -> dict[str, Any]:
    """Another state than that of the widget: every trait that an address can set is changed."""
    state = {}
    names = sorted(widget._linkable, key=lambda name: "by" in widget._linkable[name])
    for name in names:
        values = widget._linkable[name]
        if "by" in values:
            values = values["cases"][state[values["by"]]]
        state[name] = next(
            value for value in possible(values)[::-1] if value != getattr(widget, name)
        )
    return state


def put(widget: BookWidget, state: dict[str, Any]) -> None:
    """Give the widget this state in Python, past its validators."""
    for name, value in state.items():
        setattr(widget, name, value)
        assert getattr(widget, name) == value, name
