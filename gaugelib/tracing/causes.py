"""Which operation fixed what: the story of the ties, told when it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import groupby
from operator import itemgetter

import torch

from gaugelib.group import GROUND
from gaugelib.tracing.labels import Labels, connect
from gaugelib.tracing.solve import Solution


class Causes(Mapping[str, str]):
    """Name of a layer or parameter -> the operations that fixed scales of it, first ones first.

    It holds the ties of a finished execution and works them in, operation after operation, at the
    first question; until then it costs nothing.

    Args:
        labels: the labels of a finished execution.
        fixed: name of a parameter that no gauge moves -> the operation that said so.
        solution: what the relations left free.
    """

    def __init__(self, labels: Labels, fixed: Mapping[str, str], solution: Solution) -> None:
        self._labels = labels
        self._fixed = dict(fixed)
        self._solution = solution

    @cached_property
    def _told(self) -> dict[str, str]:
        roots = torch.arange(self._labels.count)
        found: dict[str, Counter[str]] = {}
        sizes: Counter[str] = Counter()
        blocks = [block for block in self._labels.blocks if block.issuer is not None]
        for block in blocks:
            sizes[str(block.issuer)] += block.stop - block.start
        for cause, ties in groupby(self._labels.history, key=itemgetter(0)):
            _, first, second = zip(*ties)
            free = roots != GROUND
            roots = connect(roots, torch.cat(first), torch.cat(second))
            new = free & (roots == GROUND)
            for block in blocks if bool(new.any()) else ():
                number = int(new[block.start : block.stop].sum())
                if number:
                    found.setdefault(str(block.issuer), Counter())[cause] += number
        numbers, related = self._solution.numbers, self._solution.causes
        late = (roots != GROUND) & (numbers == GROUND)
        for block in blocks if bool(late.any()) else ():
            for root in roots[block.start : block.stop][late[block.start : block.stop]].tolist():
                if root in related:
                    found.setdefault(str(block.issuer), Counter())[related[root]] += 1
        told = {name: _sentence(causes, sizes[name]) for name, causes in found.items()}
        return told | self._fixed

    def __getitem__(self, name: str) -> str:
        return self._told[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def __repr__(self) -> str:
        return repr(self._told)


def _sentence(causes: Counter[str], size: int) -> str:
    if list(causes.values()) == [size]:
        return next(iter(causes))
    return "; ".join(f"{cause} ({number} of {size})" for cause, number in causes.items())
