"""Runs in the kernels of a build: the figures of gaugelib.plot come in every look that pages need.

`figures` has it run before a notebook's first cell. What the notebook stores or prints stays as it
is: the looks travel in the metadata of the PNG, and `figures` takes them out again.
"""

import io
import re

from IPython import get_ipython

LONG = re.compile(r"-?\d+\.\d{3,}")
PLACES = re.compile(r' (?:d|x|y)="[^"]*"|translate\([^)]*\)')
BARE = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def offer() -> None:
    """Have IPython ask for the looks of each figure that it shows; nothing is imported before."""
    bundles = get_ipython().display_formatter.mimebundle_formatter
    bundles.for_type_by_name("matplotlib.figure", "Figure", looks_beside_png)


def looks_beside_png(figure, include=None, exclude=None) -> tuple[dict, dict]:
    """No representation of its own, but metadata for the PNG that IPython adds."""
    if not hasattr(figure, "_gaugelib_drawn"):  # drawn by hand: then the PNG must do
        return {}, {}
    from gaugelib.plot.style import LOOKS, redrawn

    drawn = {}
    for name, look in LOOKS.items():
        with redrawn(figure, look) as other:
            drawn[name] = svg_of(other)
    return {}, {"image/png": {"looks": drawn}}


def svg_of(figure) -> str:
    """The figure without a ground as SVG, its places to hundredths of a point."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=BARE)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = PLACES.sub(lambda place: LONG.sub(rounded, place[0]), text)
    return re.sub(r"\s*\n\s*", " ", text).replace("> <", "><").strip()


def rounded(number: re.Match[str]) -> str:
    """A decimal number to two places, without zeros at its end."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
