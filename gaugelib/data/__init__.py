"""Data sets: the embedded digits, which are never downloaded, and the four that the paper uses.

>>> load("digits").features
64
"""

from __future__ import annotations

import pathlib

from gaugelib.data.digits import digits as digits
from gaugelib.data.fetch import Source as Source
from gaugelib.data.fetch import cache_folder as cache_folder
from gaugelib.data.fetch import fetch as fetch
from gaugelib.data.paper import SOURCES as SOURCES
from gaugelib.data.paper import paper_set as paper_set
from gaugelib.data.sets import Dataset as Dataset
from gaugelib.group import GaugeError

NAMES = ("digits", *SOURCES)
"""What `load` knows."""


def load(name: str, folder: pathlib.Path | str | None = None) -> Dataset:
    """The data set of that name; the paper's four are downloaded once, into the folder.

    Args:
        name: one of `NAMES`.
        folder: where downloads are kept; by default the user's cache.

    Raises:
        GaugeError: if the name is unknown, or as `digits` and `paper_set` do.
    """
    if name not in NAMES:
        raise GaugeError(f"the data set must be one of {NAMES}, found {name!r}")
    return digits() if name == "digits" else paper_set(name, folder)
