"""The still picture of RescaleNeuron: the network beside its function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gaugelib.widgets.shared.colours import BAND, INK, NEGATIVE, POSITIVE, RAISED, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Picture:
    """A network before and after its neurons were rescaled, by the names in an `nn.Sequential`."""

    before: Mapping[str, Tensor]
    after: Mapping[str, Tensor]
    rescaled: bool
    tanh: bool
    x_range: Sequence[float]

    def _inputs(self) -> Tensor:
        low, high = self.x_range
        return torch.linspace(low, high, 401, dtype=torch.float64)

    def _outputs(self) -> tuple[Tensor, Tensor]:
        x, act = self._inputs()[:, None], torch.tanh if self.tanh else torch.relu
        before, after = (
            act(x * net["0.weight"].T + net["0.bias"]) @ net["2.weight"][0] + net["2.bias"]
            for net in (self.before, self.after)
        )
        return before, after

    def draw(self, figure: Figure) -> None:
        """Draw the network on the left and f over f0 on the right."""
        left, right = figure.subplots(1, 2)
        self.draw_network(left)
        self.draw_functions(right)

    def in_words(self) -> str:
        """The picture as two sentences."""
        original, f = self._outputs()
        gap = float((f - original).abs().max())
        size = float(original.abs().max()) or 1.0
        same = "the two curves coincide" if gap <= 1e-12 * size else "the two curves differ"
        when = "after hidden neurons were rescaled" if self.rescaled else "with every a = 1"
        return (
            f"A network with one input, {len(self.after['0.bias'])} hidden neurons and one output, "
            f"drawn with arrows as thick as its weights, {when}. "
            f"Beside it the function it computes over the original function: {same}."
        )

    def draw_network(self, axes: Axes) -> None:
        """Draw the network after, its arrows as thick as its weights."""
        products = (self.before["0.weight"][:, 0] * self.before["2.weight"][0]).abs().sqrt()
        reference = float(products.max()) or 1.0
        incoming, outgoing = (self.after[f"{k}.weight"].flatten().tolist() for k in (0, 2))
        units = len(incoming)
        for i, (w, v) in enumerate(zip(incoming, outgoing, strict=True)):
            y = (units - 1) / 2 - i
            for weight, tail, head in ((w, (0, 0), (1, y)), (v, (1, y), (2, 0))):
                if weight:
                    _arrow(axes, tail, head, weight, reference)
            axes.plot([1], [y], "o", markersize=19, markerfacecolor="white", color=SOFT, zorder=3)
            axes.annotate(f"{i + 1}", (1, y), ha="center", va="center", color=INK, zorder=4)
        for x, name in ((0, "x"), (2, "f")):
            axes.plot([x], [0], "o", markersize=19, markerfacecolor=RAISED, color=SOFT, zorder=3)
            axes.annotate(name, (x, 0), ha="center", va="center", color=INK, zorder=4)
        axes.set(xlim=(-0.25, 2.25), ylim=(-units / 2, units / 2))
        axes.set_title("weights: thickness is size, dashes are minus", fontsize=9, color=SOFT)
        axes.axis("off")

    def draw_functions(self, axes: Axes) -> None:
        """Draw what the network computes after over what it computed before."""
        x, (original, f) = self._inputs(), self._outputs()
        axes.plot(x, original, color=BAND, linewidth=9, label="original function")
        axes.plot(x, f, color=INK, linewidth=1.8, label="after rescaling")
        axes.set_xlabel("x")
        axes.set_ylabel("output")
        axes.set_ymargin(0.15)
        axes.legend(frameon=False, loc="upper left", fontsize=8)


def _arrow(
    axes: Axes,
    tail: tuple[float, float],
    head: tuple[float, float],
    weight: float,
    reference: float,
) -> None:
    width = min(16.0, max(0.6, 2.6 * abs(weight) / reference))
    axes.plot(
        *zip(tail, head, strict=True),
        color=POSITIVE if weight > 0 else NEGATIVE,
        linewidth=width,
        linestyle="-" if weight > 0 else (0, (9 / width, 5 / width)),
        solid_capstyle="butt",
        dash_capstyle="butt",
    )
    middle = ((tail[0] + head[0]) / 2, (tail[1] + head[1]) / 2)
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    axes.annotate(
        f"{weight:.3g}".replace("-", "−"), middle, ha="center", va="center", color=INK, bbox=box
    )
