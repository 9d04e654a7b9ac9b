"""The still picture of SixPages: the loss on the page with the descent, and W as a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gaugelib.equivariance import deep_sets, teacher_loss
from gaugelib.widgets.shared.colours import ACCENT, BAND, INK, NEGATIVE
from gaugelib.widgets.six_pages.descent import (
    FRAMES,
    NAMES,
    Array,
    Place,
    nearest_page,
    on_page,
    page_matrix,
    path,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHARES = np.array([1 / 300, 1 / 100, 1 / 30, 1 / 10, 1 / 3, 1])  # of the loss of the network 0
ROOM, SHORT = 1.25, 0.5  # how far the page reaches, in units of the teacher's length
BANDS = (
    "#0b62a8",
    "#3d7fb8",
    "#6a9dc9",
    "#93b8d8",
    "#bad1e6",
    "#dde8f3",
    "#f6f9fc",
)  # less is darker


@dataclass(frozen=True, eq=False)
class Picture:
    """A page of W = (a - b) I + b J, a start on it, and where descent has led."""

    units: int
    teacher: tuple[float, float]
    delta: float
    mean: float
    relaxed: bool
    shown: int
    random_state: int

    def _places(self) -> tuple[Place, ...]:
        state = self.random_state if self.relaxed else None
        places = path(self.units, self.teacher, self.delta, self.mean, state)
        return places[: self.shown + 1]

    def draw(self, figure: Figure) -> None:
        """Draw the page on the left, W and the teacher on the right."""
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.8, 1, 1))
        self._page(left)
        _matrix(middle, self._places()[-1].weights, "W now")
        wanted = deep_sets(*self.teacher, n=self.units)[0].numpy()
        _matrix(right, wanted, "the teacher")

    def in_words(self) -> str:
        """The picture as three sentences."""
        place = self._places()[-1]
        order, distance, right = nearest_page(place.weights, self.teacher)
        start = "on the spine" if self.delta == 0 else f"{'below' if self.delta < 0 else 'above'} 0"
        side = f", where a - b has {'the' if right else 'not the'} teacher's sign"
        if self.teacher[0] == self.teacher[1]:
            side = ""  # the teacher is on the spine and has none
        free = ", then without the constraint and with noise" if self.relaxed else ""
        return (
            f"The loss on a page of matrices W = (a - b) I + b J, {self.units} by {self.units}, "
            f"with the spine a = b in its middle; the teacher is ({self.teacher[0]:g}, "
            f"{self.teacher[1]:g}). Descent from a - b = {self.delta:g}, {start}{free}: step "
            f"{place.step}, loss {told(place.loss)}. W is {told(distance)} away from the page of "
            f"{NAMES[order]}{side}."
        )

    def _page(self, axes: Axes) -> None:
        n = self.units
        wanted, weights = deep_sets(*self.teacher, n=n)
        far = ROOM * float(wanted.norm())
        deltas = np.linspace(-far, far, 81) / np.sqrt(n - 1)
        upward = float(wanted.mean()) >= 0
        ends = (-SHORT * far, far) if upward else (-far, SHORT * far)
        means = np.linspace(*ends, 81) / n
        grid = np.stack([[page_matrix(n, d, m) for d in deltas] for m in means])
        losses = teacher_loss(torch.from_numpy(grid), weights, (wanted, weights)).numpy()
        zero = torch.zeros_like(wanted)
        levels = SHARES * float(teacher_loss(zero, weights, (wanted, weights)))
        above = max(losses.max(), levels[-1]) + 1
        axes.contourf(deltas, means, losses, levels=[-1, *levels, above], colors=BANDS)
        axes.contour(deltas, means, losses, levels=levels, colors=INK, linewidths=0.4)
        axes.axvline(0, color=NEGATIVE, lw=2)
        axes.text(0, means[-1], " spine", color=NEGATIVE, va="top")
        on = [on_page(place.weights) for place in self._places()[: FRAMES[0] + 1]]
        axes.plot(*zip(*on), color="white", lw=5)
        axes.plot(*zip(*on), color=ACCENT, lw=2.5)
        axes.plot(*on[0], "s", color=ACCENT, ms=7, mec="white")
        axes.plot(*on[-1], "o", color=ACCENT, ms=8, mec="white")
        a, b = self.teacher
        axes.plot(a - b, (a + (n - 1) * b) / n, "*", color=INK, mfc=BAND, ms=13)
        axes.set(xlabel="δ = a - b", ylabel="mean of W", title="the page of e")


def told(value: float) -> str:
    """A loss or a distance, without digits that are rounding."""
    return "less than 1e-9" if value < 1e-9 else f"{value:.3g}"


def _matrix(axes: Axes, W: Array, title: str) -> None:
    most = np.abs(W).max() or 1.0
    axes.imshow(W, cmap="RdBu", vmin=-2 * most, vmax=2 * most)
    for (i, j), value in np.ndenumerate(W):
        axes.text(j, i, f"{value:+.2f}", ha="center", va="center", fontsize=8, color=INK)
    axes.set(xticks=[], yticks=[], title=title)
