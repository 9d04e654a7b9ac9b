"""Which operation fixed or tied what: the story of the ties, told when it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import groupby
from operator import itemgetter

import torch

from gaugelib.group import GROUND, GaugeError, GaugeGroup
from gaugelib.tracing.labels import Labels, connect
from gaugelib.tracing.solve import Solution

Story = dict[str, Counter[str]]  # name of a layer -> what happened to how many of its labels


class Causes(Mapping[str, str]):
    """Name of a layer or parameter -> the operations that fixed scales of it, first ones first.

    It holds the ties of a finished run and works them in, operation after operation, at the first
    question; until then it costs nothing.

    Args:
        labels: the labels of a finished run.
        fixed: name of a parameter that no gauge moves -> the operation that said so.
        solution: what the relations left free.
    """

    def __init__(self, labels: Labels, fixed: Mapping[str, str], solution: Solution) -> None:
        self._labels = labels
        self._fixed = dict(fixed)
        self._solution = solution

    @cached_property
    def sizes(self) -> Counter[str]:
        """How many labels each layer was given."""
        sizes: Counter[str] = Counter()
        for block in self._labels.blocks:
            if block.issuer is not None:
                sizes[block.issuer] += block.stop - block.start
        return sizes

    @cached_property
    def stories(self) -> tuple[Story, Story]:
        """What fixed scales of each layer, and what tied them to those of others."""
        grounded: Story = {}
        tied: Story = {}
        blocks = [block for block in self._labels.blocks if block.issuer is not None]
        owner = {n: str(b.issuer) for b in blocks for n in range(b.start, b.stop)}

        def note(story: Story, labels: torch.Tensor, cause: str, roots: torch.Tensor) -> None:
            for label in labels.nonzero()[:, 0].tolist():
                own, other = owner.get(label), owner.get(int(roots[label]))
                if own is not None and story is grounded:
                    story.setdefault(own, Counter())[cause] += 1
                elif own is not None and other is not None:
                    whom = "another of them" if other == own else f"'{other}'"
                    story.setdefault(own, Counter())[f"one scale with {whom}: {cause}"] += 1

        roots = torch.arange(self._labels.count)
        for cause, ties in groupby(self._labels.history, key=itemgetter(0)):
            _, first, second = zip(*ties)
            before = roots
            roots = connect(roots, torch.cat(first), torch.cat(second))
            changed = before != roots
            note(grounded, changed & (roots == GROUND), cause, roots)
            note(tied, changed & (roots != GROUND), cause, roots)
        numbers, units = self._solution.numbers, self._solution.units
        for root, cause in self._solution.causes.items():
            here = roots == root
            if bool((numbers[root] == GROUND).all()):
                note(grounded, here, cause, roots)
            elif int(numbers[root]) > units:
                for label in here.nonzero()[:, 0].tolist():
                    if label in owner:
                        text = f"a product of powers of other scales: {cause}"
                        tied.setdefault(owner[label], Counter())[text] += 1
        return grounded, tied

    @cached_property
    def _told(self) -> dict[str, str]:
        grounded = self.stories[0]
        told = {name: _sentence(causes, self.sizes[name]) for name, causes in grounded.items()}
        return told | self._fixed

    def __getitem__(self, name: str) -> str:
        return self._told[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def __repr__(self) -> str:
        return repr(self._told)


def explain(group: GaugeGroup, name: str) -> str:
    """Which operations fixed or tied the scales of a layer, and how many are left.

    Args:
        group: a group that `trace_group` found.
        name: the layer, or a parameter that no gauge moves.

    Returns:
        A line for each operation.

    Raises:
        GaugeError: if the group was not traced, or has no such layer.

    Example:
        >>> from torch import nn
        >>> from gaugelib import trace_group
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        >>> print(explain(trace_group(model, torch.zeros(1, 3)), "2"))
        2 scales of '2', of which 0 are units of the group
        2 of them are fixed: the output of the model
    """
    causes = group.grounded
    if not isinstance(causes, Causes):
        raise GaugeError("only a group that trace_group found can tell how it came about")
    if name not in causes.sizes and name not in causes:
        known = ", ".join(f"'{one}'" for one in causes.sizes)
        raise GaugeError(f"nothing is known of '{name}'; there are {known}")
    if name not in causes.sizes:
        return f"'{name}' is fixed: {causes[name]}"
    span = group.layers.get(name, slice(0, 0))
    total, units = causes.sizes[name], span.stop - span.start
    lines = [f"{total} scales of '{name}', of which {units} are units of the group"]
    for story, what in zip(causes.stories, ("fixed", "tied")):
        for cause, number in story.get(name, Counter()).items():
            lines.append(f"{number} of them are {what}: {cause}")
    return "\n".join(lines)


def _sentence(causes: Counter[str], size: int) -> str:
    if list(causes.values()) == [size]:
        return next(iter(causes))
    return "; ".join(f"{cause} ({number} of {size})" for cause, number in causes.items())
