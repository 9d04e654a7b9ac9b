"""Data sets: the embedded digits, and the four that the paper uses."""

from gaugelib.data.digits import digits as digits
from gaugelib.data.sets import Dataset as Dataset
from gaugelib.group import GaugeError


def load(name: str) -> Dataset:
    """The data set of that name.

    Example:
        >>> load("digits").features
        64
    """
    if name != "digits":
        raise GaugeError(f"the data set must be one of ['digits'], found {name!r}")
    return digits()
