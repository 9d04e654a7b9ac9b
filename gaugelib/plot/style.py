"""The book's matplotlib style, and its looks: for a wide or a narrow page, light or dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, ParamSpec

from cycler import cycler
from matplotlib import pyplot as plt

from gaugelib.group import GaugeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")

NARROW = {"figure.figsize": (3.4, 2.7), "legend.fontsize": 10, "lines.linewidth": 1.6}
DARK_GROUND = "#15181c"  # the page's own, in book/site/book.css
DARK = {
    "axes.prop_cycle": cycler(color=["#62a8ea", "#f3945c", "#6fd09a", "#dcc3ff"])
    + cycler(linestyle=["-", "--", "-.", ":"]),
    "figure.facecolor": DARK_GROUND,
    "axes.facecolor": "none",
    "axes.edgecolor": "#97a1ac",
    "axes.labelcolor": "#dde1e6",
    "text.color": "#dde1e6",
    "grid.color": "#343a42",
    "xtick.color": "#b9c1ca",
    "ytick.color": "#b9c1ca",
}


@dataclass(frozen=True)
class Look:
    """Where a figure is to be read."""

    narrow: bool = False
    """On a phone: panels stand one below another."""
    dark: bool = False
    """On a dark ground, which is drawn elsewhere: the figure has none."""


PAPER = Look()
LOOKS = {
    "light": PAPER,
    "dark": Look(dark=True),
    "light narrow": Look(narrow=True),
    "dark narrow": Look(narrow=True, dark=True),
}
_look: ContextVar[Look] = ContextVar("look", default=PAPER)


@contextmanager
def style(of: Look = PAPER) -> Iterator[None]:
    """The book's matplotlib style, for the figures drawn inside the `with` block."""
    settings: dict[str, object] = {}
    if of.narrow:
        settings |= NARROW
    if of.dark:
        settings |= DARK
    before = _look.set(of)
    try:
        with (
            as_file(files("gaugelib") / "book.mplstyle") as path,
            plt.style.context([path, settings]),
        ):
            yield
    finally:
        _look.reset(before)


def look() -> Look:
    """The look that is being drawn in."""
    return _look.get()


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw in the book's style, and its figure be drawn again in another look."""

    @wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> Figure:
        with style():
            figure = draw(*args, **options)
        figure._gaugelib_drawn = (drawn, args, options)  # pyright: ignore[reportAttributeAccessIssue]
        return figure

    return drawn


@contextmanager
def redrawn(figure: Figure, of: Look) -> Iterator[Figure]:
    """A figure of `gaugelib.plot` in another look, to be saved inside the `with` block.

    Raises:
        GaugeError: if no function of `gaugelib.plot` drew the figure.
    """
    if not hasattr(figure, "_gaugelib_drawn"):
        raise GaugeError("only a figure that gaugelib.plot drew can be drawn again")
    drawn, args, options = figure._gaugelib_drawn  # pyright: ignore[reportAttributeAccessIssue]
    with style(of):
        other = drawn.__wrapped__(*args, **options)
        try:
            yield other
        finally:
            plt.close(other)
