"""The book's matplotlib style."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

from matplotlib import pyplot as plt


@contextmanager
def style() -> Iterator[None]:
    """The book's matplotlib style, for the figures drawn inside the `with` block."""
    with as_file(files("gaugelib") / "book.mplstyle") as path, plt.style.context(path):
        yield
