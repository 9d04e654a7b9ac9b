"""Numbers that the lecture on second-order structure says aloud."""

from gaugelib.widgets import SharpnessAlongOrbit


def top_here() -> str:
    """The largest eigenvalue at the minimum of the widget."""
    return f"{SharpnessAlongOrbit().spectrum().max().item():.1f}"


def top_turned() -> str:
    """The same with the first dial at one half."""
    turned = SharpnessAlongOrbit(log2_scales=[-1.0, 0.0, 0.0])
    return f"{turned.spectrum().max().item():.1f}"
