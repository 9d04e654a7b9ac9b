"""AttentionHead: a query channel is scaled, its key channel answers, the attention stands still."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import traitlets
from torch import Tensor

from gaugelib.widgets.attention_head import still
from gaugelib.widgets.attention_head.head import (
    ANGLES,
    CHANNELS,
    SIDES,
    channels,
    given,
    groups,
    lightest,
    outputs,
    pattern,
    rescaled,
)
from gaugelib.widgets.base import BookWidget, WidgetError, finite, one_of, several

MOST_LOG2 = 4.0
_SEEN = {1: (2.0, -1.0, 0.0, 1.0), 2: (2.0, 2.0, -1.0, -1.0)}  # where it opens, by channels a dial


class AttentionHead(BookWidget):
    r"""One causal attention head of four channels on five tokens, to be rescaled by hand.

    A dial multiplies a row of $W_Q$ by $a$, and the same row of $W_K$ answers with $1/a$; or a row
    of $W_V$, and the column of $W_O$ answers. The head is always the same one.

    Args:
        part: what the dials scale: `"qk"`, queries against keys, or `"vo"`, values against the
            output matrix.
        log2_scales: $\log_2 a$ of the four channels, each within ±4; by default a gauge that is
            easy to see.
        answers: whether the second matrix answers; if not, the head becomes another one.
        rotary: whether queries and keys are turned by rotary positions, channel 1 with 2 and 3
            with 4, by 1 and by 1/2 radian from token to token.
        tied: with rotary positions, whether the two channels of a pair share one dial: it stands
            at the mean of both. If not, they may be scaled apart, and the head becomes another one.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if `part` is not known or is changed later, or
            there are not four dials, finite and within ±4.

    Source: the book, "Beyond neurons".

    Example:
        >>> widget = AttentionHead(log2_scales=[1.0, 0.0, -2.0, 0.0])
        >>> as_given = AttentionHead(log2_scales=[0.0, 0.0, 0.0, 0.0])
        >>> bool((widget.pattern() == as_given.pattern()).all())
        True
        >>> widget.answers = False
        >>> bool((widget.pattern() == as_given.pattern()).all())
        False
    """

    part = traitlets.Unicode("qk").tag(sync=True)
    log2_scales = traitlets.List(traitlets.Float()).tag(sync=True)
    answers = traitlets.Bool(True).tag(sync=True)
    rotary = traitlets.Bool(False).tag(sync=True)
    tied = traitlets.Bool(True).tag(sync=True)
    _head = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        *,
        part: str = "qk",
        log2_scales: Sequence[float] | None = None,
        answers: bool = True,
        rotary: bool = False,
        tied: bool = True,
    ) -> None:
        if log2_scales is None:
            log2_scales = _SEEN[2 if part == "qk" and rotary else 1]
        self._begin(locals(), _head=given() | {"angles": [*ANGLES]})
        dials, switch = several((-MOST_LOG2, MOST_LOG2), CHANNELS), [False, True]
        if part == "qk":
            self._remember(log2_scales=dials, answers=switch, rotary=switch, tied=switch)
        else:
            self._remember(log2_scales=dials, answers=switch)

    @property
    def scales(self) -> Tensor:
        """The scales $a$ of the four channels, float64: of a shared dial, both the same."""
        dials = torch.tensor(self.log2_scales, dtype=torch.float64)
        for group in groups(self.part, self.rotary and self.tied):
            dials[group] = dials[group].mean()
        return torch.exp2(dials)

    def to_params(self) -> dict[str, Tensor]:
        """`query`, `key`, `value` and `output` as shown, float64, shape (4, 4), as in `nn.Linear`.

        Channels are the rows of the first three and the columns of the last.
        """
        head = rescaled(self.part, self.scales, self.answers)
        return {name: head[name] for name in ("query", "key", "value", "output")}

    def inputs(self) -> Tensor:
        """The five tokens, float64, shape (5, 4)."""
        return torch.tensor(given()["inputs"], dtype=torch.float64)

    def pattern(self) -> Tensor:
        """How much each token attends to each token up to it, float64, shape (5, 5)."""
        return pattern(rescaled(self.part, self.scales, self.answers), self.rotary)

    def outputs(self) -> Tensor:
        """What the head gives to each token, float64, shape (5, 4)."""
        return outputs(rescaled(self.part, self.scales, self.answers), self.pattern())

    def lightest(self) -> Tensor:
        r"""The dials $\log_2 a$, shape (4,), of the least norm with the same head.

        Example:
            >>> dials = AttentionHead(rotary=True).lightest()
            >>> bool(dials[0] == dials[1]), bool(dials[1] == dials[2])
            (True, False)
        """
        return lightest(self.part, self.rotary)

    def squared_norm(self) -> float:
        """The squares of both matrices that the dials scale, added up."""
        both = channels(rescaled(self.part, self.scales, self.answers), self.part)
        return float(sum(side.square().sum() for side in both))

    def _picture(self) -> still.Picture:
        head = rescaled(self.part, torch.ones(CHANNELS, dtype=torch.float64), answers=True)
        before = pattern(head, self.rotary)
        return self._filled(
            still.Picture,
            sides=SIDES[self.part],
            matrices=channels(rescaled(self.part, self.scales, self.answers), self.part),
            patterns=(before, self.pattern()),
            outputs=(outputs(head, before), self.outputs()),
            rescaled=bool((self.scales != 1).any()),
        )

    @traitlets.validate("part")
    def _known_part(self, proposal: traitlets.Bunch) -> str:
        part = one_of(tuple(SIDES), proposal)
        if self._start and part != self.part:
            raise WidgetError(f"part is chosen when the widget is made; it is {self.part!r}")
        return part

    @traitlets.validate("log2_scales")
    def _four_dials(self, proposal: traitlets.Bunch) -> list[float]:
        values = finite(proposal.value, trait="log2_scales")
        if len(values) != CHANNELS:
            raise WidgetError(f"log2_scales must hold {CHANNELS} numbers, found {len(values)}")
        if max(map(abs, values)) > MOST_LOG2:
            raise WidgetError(f"log2_scales must lie within ±{MOST_LOG2:g}, found {values}")
        return values
