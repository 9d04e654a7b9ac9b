"""One causal attention head of four channels on five tokens, and what its dials make of it."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from gaugelib.widgets.shared.numbers import uniform

TOKENS, CHANNELS = 5, 4
ANGLES = (1.0, 0.5)  # by which rotary positions turn each pair from token to token, in radians
SIDES = {"qk": ("query", "key"), "vo": ("value", "output")}
_SIZES = {"inputs": (TOKENS, 1.5), "query": (CHANNELS, 1.0), "key": (CHANNELS, 1.5)}
_SIZES |= {"value": (CHANNELS, 1.0), "output": (CHANNELS, 0.7)}
_SEED = 92


@cache
def given() -> dict[str, list[list[float]]]:
    """The tokens and the four matrices, of two decimals: rows of query, key, value are channels.

    The channels are the columns of `output`.
    """
    state, found = _SEED, {}
    for name, (rows, reach) in _SIZES.items():
        found[name] = []
        for _ in range(rows):
            row = []
            for _ in range(CHANNELS):
                number, state = uniform(state)
                row.append(round(reach * (2 * number - 1), 2))
            found[name].append(row)
    return found


def groups(part: str, pairs: bool) -> list[list[int]]:
    """The channels that go together: the pairs of queries and keys, if there are any."""
    wide = 2 if part == "qk" and pairs else 1
    return [list(range(c, c + wide)) for c in range(0, CHANNELS, wide)]


def rescaled(part: str, a: Tensor, answers: bool) -> dict[str, Tensor]:
    """The head with the first side of `part` multiplied by `a`, shape (4,), the other divided."""
    head = {name: torch.tensor(rows, dtype=torch.float64) for name, rows in given().items()}
    first, second = SIDES[part]
    head[first] = a[:, None] * head[first]
    if answers:
        by = 1 / a
        head[second] = by[:, None] * head[second] if second == "key" else head[second] * by
    return head


def channels(head: dict[str, Tensor], part: str) -> tuple[Tensor, Tensor]:
    """Both matrices of `part` with the channels as rows, shape (4, 4) each."""
    first, second = SIDES[part]
    return head[first], head[second] if second == "key" else head[second].T


def pattern(head: dict[str, Tensor], rotary: bool) -> Tensor:
    """The attention pattern, shape (5, 5): a softmax in each row over the tokens up to it."""
    queries, keys = head["inputs"] @ head["query"].T, head["inputs"] @ head["key"].T
    if rotary:
        queries, keys = turned(queries), turned(keys)
    scores = queries @ keys.T / CHANNELS**0.5
    later = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(1)


def turned(rows: Tensor) -> Tensor:
    """Each pair of channels turned by its angle times the number of the token, from 0."""
    angle = torch.arange(TOKENS, dtype=torch.float64)[:, None] * torch.tensor(
        ANGLES, dtype=torch.float64
    )
    x, y = rows[:, 0::2], rows[:, 1::2]
    both = (x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos())
    return torch.stack(both, 2).flatten(1)


def outputs(head: dict[str, Tensor], attention: Tensor) -> Tensor:
    """What the head gives to each token, shape (5, 4)."""
    return attention @ (head["inputs"] @ head["value"].T) @ head["output"].T


def lightest(part: str, rotary: bool) -> Tensor:
    r"""The dials, shape (4,), at which both sides of each weigh the same: the least norm.

    $\log_2 a = \frac12\log_2(\lVert k\rVert/\lVert q\rVert)$, the norms over all channels of the
    dial.
    """
    first, second = (side.square().sum(1) for side in channels(_as_given(), part))
    dials = torch.empty(CHANNELS, dtype=torch.float64)
    for group in groups(part, rotary):
        dials[group] = torch.log2(second[group].sum() / first[group].sum()) / 4
    return dials


def _as_given() -> dict[str, Tensor]:
    return rescaled("qk", torch.ones(CHANNELS, dtype=torch.float64), answers=True)
