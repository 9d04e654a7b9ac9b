"""Checker for "Beyond neurons": how many dials a transformer has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gaugelib.check.cases import Case, by_cases
from gaugelib.check.fresh import whole

Count = Callable[[int, int, int, int, int, int, int, int], float]


@by_cases("gains, keys, values and inner channels, and nothing for the stream.")
def transformer_dials() -> Iterator[Case]:
    """Check a function (sizes of a transformer) -> the number of its dials.

    Args:
        function: takes the numbers of blocks, of channels of the stream, of query heads, of key
            heads, of channels of a head and of inner channels, and two numbers that are 1 or 0:
            whether there are rotary positions, and whether the gate is a ReLU. It returns the
            number of dials.

    Example:
        >>> transformer_dials(lambda blocks, width, *rest: 2 * blocks * width)
        Not yet: with ... blocks, width ... and ... it is not ...: count the gains, ...
    """
    for rotary, relu in ((0, 1), (1, 1), (1, 0), (0, 0)):
        blocks, shared, size = whole(2, 5), whole(2, 4), 2 * whole(2, 5)
        width, heads, inner = whole(40, 60), shared * whole(2, 3), whole(70, 90)
        given = (blocks, width, heads, shared, size, inner, rotary, relu)
        yield Case(
            given,
            _dials(*given),
            {hint: count(*given) for hint, count in _MISCOUNTS.items()},
            f"with {blocks} blocks, width {width} and {'' if rotary else 'no '}rotary positions it "
            "is not {answer:g}: count the gains, the keys, the values and the inner channels.",
        )


def _dials(
    blocks: int, width: int, heads: int, shared: int, size: int, inner: int, rotary: int,
    relu: int, *, norms: int | None = None, keys: int | None = None, values: int | None = None,
) -> float:  # fmt: skip
    """The number of dials, with parts of it replaced."""
    channels = shared * size
    keys = (channels // 2 if rotary else channels) if keys is None else keys
    values = channels if values is None else values
    norms = 2 * blocks + 1 if norms is None else norms
    return float(norms * width + blocks * (keys + values + inner * (2 if relu else 1)))


_MISCOUNTS: dict[str, Count] = {
    "the normalisation behind the last block has a gain, too.": lambda b, *rest: _dials(
        b, *rest, norms=2 * b
    ),
    "each block has two normalisations, one in front of each of its layers.": lambda b, *rest: (
        _dials(b, *rest, norms=b + 1)
    ),
    "the gains have dials, too: the maps that read them answer.": lambda b, *rest: _dials(
        b, *rest, norms=0
    ),
    "the stream has none: every normalisation reads it and adds its ε.": lambda b, *rest: _dials(
        b, *rest, norms=2 * b + 2
    ),
    "rotary positions mix the two channels of a pair: these share one dial.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(b, w, h, s, c, n, rotary, relu, keys=s * c)
    ),
    "rotary positions turn queries and keys, and not the values.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(
            b, w, h, s, c, n, rotary, relu, values=s * c // 2 if rotary else s * c
        )
    ),
    "that counts query heads: those that share a key head are answered by the same keys.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(b, w, h, h, c, n, rotary, relu)
    ),
    "queries and keys have one dial between them: the product of the two factors is 1.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(
            b, w, h, s, c, n, rotary, relu, keys=(h + s) * c // (2 if rotary else 1)
        )
    ),
    "keys have dials, and so have values: softmax stands between the two, and grounds neither.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(b, w, h, s, c, n, rotary, relu, values=0)
    ),
    "a ReLU lets a factor pass: then both sides of the product have dials.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(b, w, h, s, c, n, rotary, 0)
    ),
    "an activation that is not homogeneous grounds the gate: then only the other side is free.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(b, w, h, s, c, n, rotary, 1)
    ),
    "that is one block's share; every block has its own keys, values and inner channels.": (
        lambda b, w, h, s, c, n, rotary, relu: _dials(
            1, w, h, s, c, n, rotary, relu, norms=2 * b + 1
        )
    ),
}
