"""Colours of the look that is being drawn in; each is settled when it is asked for."""

from __future__ import annotations

from matplotlib import pyplot as plt
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex

from gaugelib.plot.style import DARK_GROUND, look


def colour(number: int) -> str:
    """A colour of the style's cycle, settled now: a name like "C0" would be looked up later."""
    return to_hex(f"C{number % len(plt.rcParams['axes.prop_cycle'])}")


def ink() -> str:
    """The colour of what is neither data of one kind nor of another."""
    return to_hex(plt.rcParams["xtick.color"])


def pale() -> str:
    """The palest colour in which a line or a dot is still seen."""
    return "#7f8a97" if look().dark else "#76818f"


def shades(count: int) -> list[str]:
    """Blues for what follows one upon another, from the faintest to the strongest."""
    # A list: matplotlib 3.8 reads a pair as a colour and its opacity.
    ends = ["#4d7ba8", "#e3f0fc"] if look().dark else ["#4c8fc6", "#08264a"]
    cmap = LinearSegmentedColormap.from_list("shades", ends)
    return [to_hex(cmap(k / max(count - 1, 1))) for k in range(count)]


def two_sided(light: str) -> Colormap:
    """Colours for numbers of both signs: the map named, or its like around a dark ground."""
    if not look().dark:
        return plt.get_cmap(light)
    ends = [colour(1), "#a04a26", DARK_GROUND, "#2b659e", colour(0)]
    return LinearSegmentedColormap.from_list("dark", ends[::-1] if light.endswith("_r") else ends)
