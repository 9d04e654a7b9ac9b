"""SixPages: the pages of equivariant weights, descent that keeps to its own, and noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import traitlets
from torch import Tensor

from gaugelib.widgets.base import BookWidget, WidgetError, allowed, finite, one_of, several, within
from gaugelib.widgets.six_pages import still
from gaugelib.widgets.six_pages.descent import FRAMES, path

UNITS = (2, 3)
LEAST, MOST = 0.1, 2.0  # of the larger of |a| and |b|
TINY = 1e-100  # squares of smaller numbers are 0, and with them every step


class SixPages(BookWidget):
    r"""A page of equivariant weights $W = (a-b)I + bJ$, and the book of which it is a page.

    The network is $f(x) = \sum_i \mathrm{relu}(\langle w_i, x\rangle)$ with $n$ inputs and $n$
    units, the teacher one of the same form, the inputs are standard normal and the loss is exact.
    Descent in the metric of the unconstrained network starts on the page of the identity; if
    `relaxed`, it goes on from its end, with noise, without the constraint.

    Args:
        teacher: $(a, b)$ of the teacher.
        delta: $\delta = a - b$ of the start; the spine is $\delta = 0$.
        mean: mean entry of $W$ at the start, $b + \delta/n$.
        units: $n$, 2 or 3.
        relaxed: whether the constraint is dropped where descent on the page ends.
        shown: which place of the path, 0 to 24 on the page and 25 to 72 without the constraint; by
            default the last.
        turn: by how many degrees the picture of the book is turned.
        random_state: state of the generator that draws the noise.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a value is out of its range, the teacher is
            0 or nearly, or the start is the network 0 or less than 1e-100 away from it.

    Source: the book, "Two symmetries".

    Example:
        >>> widget = SixPages(teacher=(1.0, -0.5), delta=-1.5, mean=0.0)
        >>> widget.weights()  # the teacher has a + 2b = 0: its negative computes the same
        tensor([[-1.0000,  0.5000,  0.5000],
                [ 0.5000, -1.0000,  0.5000],
                [ 0.5000,  0.5000, -1.0000]], dtype=torch.float64)
    """

    units = traitlets.Int(3).tag(sync=True)
    teacher = traitlets.List(traitlets.Float()).tag(sync=True)
    delta = traitlets.Float().tag(sync=True)
    mean = traitlets.Float().tag(sync=True)
    relaxed = traitlets.Bool(False).tag(sync=True)
    shown = traitlets.Int(FRAMES[0]).tag(sync=True)
    turn = traitlets.Int(350).tag(sync=True)
    random_state = traitlets.Int(1).tag(sync=True)

    def __init__(
        self,
        *,
        teacher: Sequence[float] = (-0.5, 1.0),
        delta: float = 0.6,
        mean: float = 0.0,
        units: int = 3,
        relaxed: bool = False,
        shown: int | None = None,
        turn: int = 350,
        random_state: int = 1,
    ) -> None:
        if shown is None:
            shown = sum(FRAMES) if relaxed else FRAMES[0]
        self._begin(locals())
        start = allowed((-2 * MOST, 2 * MOST))
        self._remember(
            teacher=several((-MOST, MOST), 2) | {"size": LEAST},
            delta=start | {"size": TINY, "with": ["mean"]},
            mean=start,
            units=[*UNITS],
            relaxed=[False, True],
            shown=range(sum(FRAMES) + 1),
            turn=range(360),
            random_state=range(2**32),
        )

    def weights(self) -> Tensor:
        """$W$ at the place of the path that is shown, float64, shape (units, units)."""
        places = path(
            self.units,
            tuple(self.teacher),
            self.delta,
            self.mean,
            self.random_state if self.relaxed else None,
        )
        return torch.from_numpy(places[min(self.shown, len(places) - 1)].weights.copy())

    def _picture(self) -> still.Picture:
        return self._filled(still.Picture, teacher=tuple(self.teacher))

    @traitlets.validate("units")
    def _known_size(self, proposal: traitlets.Bunch) -> int:
        return one_of(UNITS, proposal)

    @traitlets.validate("teacher")
    def _a_teacher(self, proposal: traitlets.Bunch) -> list[float]:
        values = finite(proposal.value, trait="teacher")
        if len(values) != 2:
            raise WidgetError(f"teacher must be two numbers (a, b), found {len(values)}")
        if not LEAST <= max(map(abs, values)) <= MOST:
            raise WidgetError(
                f"teacher must have a larger entry between {LEAST} and {MOST} in size, "
                f"found {tuple(values)}"
            )
        return values

    @traitlets.validate("delta", "mean")
    def _a_start(self, proposal: traitlets.Bunch) -> float:
        name = proposal.trait.name
        (value,) = finite([proposal.value], trait=name)
        if abs(value) > 2 * MOST:
            raise WidgetError(f"{name} must lie within ±{2 * MOST:g}, found {value:g}")
        place = {"delta": self.delta, "mean": self.mean, name: value}
        if max(map(abs, place.values())) < TINY:
            raise WidgetError(
                "delta and mean must not both be 0: the network 0 has no direction; of two new "
                "values set the one first that is not 0"
            )
        return value

    @traitlets.validate("shown")
    def _a_place(self, proposal: traitlets.Bunch) -> int:
        return within(0, sum(FRAMES), proposal)

    @traitlets.validate("turn")
    def _an_angle(self, proposal: traitlets.Bunch) -> int:
        return within(0, 359, proposal)

    @traitlets.validate("random_state")
    def _a_state(self, proposal: traitlets.Bunch) -> int:
        return within(0, 2**32 - 1, proposal)
