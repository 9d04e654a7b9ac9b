"""What a proof leaves behind when it is run on a network: its steps, and what it assumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gaugelib.group import GaugeError
from gaugelib.proofs.sketch import Sketch
from gaugelib.proofs.step import Step


@dataclass(frozen=True)
class Drop:
    """One way to do without a hypothesis: `key` asks for it, `instead` says what then holds."""

    key: str
    instead: str


@dataclass(frozen=True)
class Hypothesis:
    """Something that a statement assumes, and the ways to drop it."""

    text: str
    drops: tuple[Drop, ...] = ()


@dataclass(frozen=True)
class Record:
    """A proof run on one network.

    Attributes:
        title: the statement in a few words.
        statement: the statement.
        hypotheses: what it assumes.
        steps: the steps in order, evaluated.
        network: the network it was run on, in words.
        sketch: the network as a small picture, or None if it is too large for one.
        dropped: the key of the hypothesis that was dropped, or None.
    """

    title: str
    statement: str
    hypotheses: tuple[Hypothesis, ...]
    steps: tuple[Step, ...]
    network: str
    sketch: Sketch | None = None
    dropped: str | None = None

    @property
    def broken(self) -> tuple[int, ...]:
        """Numbers of the steps that fail, counted from 1."""
        return tuple(k for k, step in enumerate(self.steps, start=1) if not step.holds)

    @property
    def drops(self) -> tuple[str, ...]:
        """The keys that `drop` takes."""
        return drop_keys(self.hypotheses)

    def __str__(self) -> str:
        lines = [f"{self.title} ({self.network})"]
        for number, step in enumerate(self.steps, start=1):
            slack = "" if step.slack is None else f"   slack {step.slack:.3g}"
            mark = "holds" if step.holds else "FAILS"
            lines.append(f"{number}. {mark}  {step.claim}{slack}")
        return "\n".join(lines)


def drop_keys(hypotheses: Sequence[Hypothesis]) -> tuple[str, ...]:
    """The keys of everything that can be dropped."""
    return tuple(drop.key for hypothesis in hypotheses for drop in hypothesis.drops)


def require_drop(drop: str | None, hypotheses: Sequence[Hypothesis]) -> None:
    """Refuse to drop what is not assumed.

    Raises:
        GaugeError: naming what can be dropped.
    """
    if drop is not None and drop not in drop_keys(hypotheses):
        known = ", ".join(map(repr, drop_keys(hypotheses)))
        raise GaugeError(f"drop must be None or one of: {known}; found {drop!r}")
