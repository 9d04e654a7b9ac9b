"""The still picture of RescaleNeuron: the network beside its function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gaugelib.widgets.shared.colours import BAND, INK, NEGATIVE, POSITIVE, RAISED, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gaugelib.widgets.rescale_neuron import RescaleNeuron


def draw(figure: Figure, widget: RescaleNeuron) -> None:
    """Draw the network on the left and f over f0 on the right."""
    left, right = figure.subplots(1, 2)
    _network(left, widget)
    _functions(right, widget)


def in_words(widget: RescaleNeuron) -> str:
    """The picture as two sentences."""
    f, original = _outputs(widget)
    gap = float((f - original).abs().max())
    size = float(original.abs().max()) or 1.0
    same = "the two curves coincide" if gap <= 1e-12 * size else "the two curves differ"
    when = "after hidden neurons were rescaled" if any(widget.log2_scales) else "with every a = 1"
    return (
        f"A network with one input, {len(widget.w_in)} hidden neurons and one output, drawn with "
        f"arrows as thick as its weights, {when}. "
        f"Beside it the function it computes over the original function: {same}."
    )


def _outputs(widget: RescaleNeuron) -> tuple[Tensor, Tensor]:
    x = _grid(widget)[:, None]
    act = torch.tanh if widget.tanh else torch.relu
    moved = widget.to_params()
    w, b, v = (
        torch.tensor(z, dtype=torch.float64) for z in (widget.w_in, widget.b_in, widget.w_out)
    )
    f = act(x * moved["0.weight"].T + moved["0.bias"]) @ moved["2.weight"].T + widget.b_out
    return f[:, 0], act(x * w + b) @ v + widget.b_out


def _grid(widget: RescaleNeuron) -> Tensor:
    low, high = widget.x_range
    return torch.linspace(low, high, 401, dtype=torch.float64)


def _network(axes: Axes, widget: RescaleNeuron) -> None:
    params = widget.to_params()
    incoming, outgoing = params["0.weight"].flatten().tolist(), params["2.weight"][0].tolist()
    products = [abs(w * v) ** 0.5 for w, v in zip(widget.w_in, widget.w_out, strict=True)]
    reference = max(products) or 1.0
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


def _functions(axes: Axes, widget: RescaleNeuron) -> None:
    x = _grid(widget).tolist()
    f, original = (y.tolist() for y in _outputs(widget))
    axes.plot(x, original, color=BAND, linewidth=9, label="original function")
    axes.plot(x, f, color=INK, linewidth=1.8, label="after rescaling")
    axes.set_xlabel("x")
    axes.set_ylabel("output")
    axes.set_ymargin(0.15)
    axes.legend(frameon=False, loc="upper left", fontsize=8)
