"""The still picture of WhichGauge: three bowls over the dial, and f before and after quantising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, NEGATIVE, POSITIVE, SOFT
from gaugelib.widgets.which_gauge.network import (
    KINDS,
    Array,
    Network,
    relative_error,
    sharpest,
    sums,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 4.0  # of the dial
LINES = {
    "norm": (POSITIVE, "-", "o", "norm²"),
    "gradient": (NEGATIVE, "--", "s", "squared gradient"),
    "trace": (ACCENT, ":", "D", "trace"),
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A network, its dials, which of them is turned, and a quantiser."""

    network: Network  # as given, every a = 1
    log2_scales: Array
    unit: int  # 0 for all
    bits: int
    example: int

    def draw(self, figure: Figure) -> None:
        """Draw the bowls on the left, the function on the right."""
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        self._bowls(left)
        if self.network.inputs.shape[1] == 1 and len(self.network.V) == 1:
            self._curve(right)
        else:
            self._outputs(right)

    def in_words(self) -> str:
        """The picture as three sentences."""
        ratios = {k: s.at(self.log2_scales) / s.at(s.gauge()) for k, s in self._sums().items()}
        told = ", ".join(f"{LINES[kind][3]} {ratios[kind]:.3g}" for kind in KINDS)
        here = self._here()
        x = here.inputs
        error = relative_error(here.quantised(self.bits).outputs(x), here.outputs(x))
        dial = f"unit {self.unit}" if self.unit else "all units together"
        return (
            f"Three bowls over the dial of {dial}, each with its lowest point marked: {told} "
            "times the least on the orbit. "
            f"The longest stable step 2/λ_max is {2 / sharpest(here):.3g}. "
            f"Beside them f, which stands still, and f after both layers were quantised to "
            f"{self.bits} bits, {100 * error:.2g} % away."
        )

    def _sums(self):
        return sums(self.network)

    def _here(self) -> Network:
        return self.network.turned(self.log2_scales)

    def _moved(self, place: float) -> Array:
        chosen = np.arange(len(self.log2_scales)) == self.unit - 1 if self.unit else slice(None)
        dials = self.log2_scales.copy()
        dials[chosen] += place - dials[chosen].mean()
        return dials

    def _place(self) -> float:
        dials = self.log2_scales
        return float(dials[self.unit - 1] if self.unit else dials.mean())

    def _bowls(self, axes: Axes) -> None:
        places = np.linspace(-REACH, REACH, 161)
        for kind, each in self._sums().items():
            colour, line, mark, name = LINES[kind]
            least = each.at(each.gauge())
            bowl = np.array([each.at(self._moved(place)) for place in places]) / least
            low = int(bowl.argmin())
            axes.plot(places, bowl, line, color=colour, lw=2, label=name)
            axes.plot(places[low], bowl[low], mark, color=colour, mfc="white", ms=7)
            at = each.at(self.log2_scales) / least
            axes.plot(self._place(), at, mark, color=colour, ms=5)
        axes.axvline(self._place(), color=SOFT, lw=1)
        axes.set(yscale="log", xlim=(-REACH, REACH), ylim=(0.9, None))
        axes.set(xlabel=f"log₂ a of {f'unit {self.unit}' if self.unit else 'all units, mean'}")
        axes.set(ylabel="times the least on the orbit")
        axes.legend(framealpha=0.9, edgecolor="none", fontsize=7)

    def _curve(self, axes: Axes) -> None:
        low, high = self.network.inputs.min(), self.network.inputs.max()
        x = np.linspace(low, high, 201)[:, None]
        here = self._here()
        axes.plot(x, self.network.outputs(x), color=BAND, lw=7, label="f₀, every a = 1")
        axes.plot(x, here.outputs(x), color=INK, lw=1.5, label="f")
        coarse = here.quantised(self.bits).outputs(x)
        axes.plot(x, coarse, "--", color=NEGATIVE, lw=1.75, label=f"f in {self.bits} bits")
        axes.set(xlabel="x", ylabel="output")
        axes.legend(framealpha=0.9, edgecolor="none", fontsize=7)

    def _outputs(self, axes: Axes) -> None:
        here, x = self._here(), self.network.inputs[self.example - 1 : self.example]
        places = np.arange(len(self.network.V))
        axes.bar(places, self.network.outputs(x)[0], color=BAND, label="f₀, every a = 1")
        axes.plot(places, here.outputs(x)[0], "_", color=INK, ms=14, mew=2, label="f")
        coarse = here.quantised(self.bits).outputs(x)[0]
        axes.plot(places, coarse, "D", color=NEGATIVE, mfc="white", label=f"f in {self.bits} bits")
        axes.axhline(0, color=SOFT, lw=0.8)
        axes.set_xticks(places)
        axes.set(xlabel="output", ylabel=f"of example {self.example}")
        axes.legend(framealpha=0.9, edgecolor="none", fontsize=7)
