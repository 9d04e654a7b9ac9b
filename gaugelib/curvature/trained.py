"""Measured: the sharpness of trained networks, as trained and in a common gauge."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from gaugelib.group import GaugeError


def trained_sharpness() -> dict[str, Any]:
    """The measurements of `benchmarks/trained_sharpness.py`, whose docstring says what they hold.

    Example:
        >>> sorted(trained_sharpness())
        ['orbits', 'rows']
        >>> row = trained_sharpness()["rows"][0]
        >>> row["network"], row["loss"], row["way"], row["seed"]
        ('convolutional', 'cross-entropy', 'small', 0)
    """
    return json.loads((files("gaugelib.curvature") / "trained.json").read_text(encoding="utf-8"))


def trained_pairs(
    network: str, loss: str, one: str, other: str, measure: str = "sharpness"
) -> list[tuple[float, float]]:
    r"""How far two trained networks differ in sharpness or trace, as trained and in one gauge.

    All were trained to the same loss. If both ways are one, each two seeds of it are compared; else
    the two ways, seed by seed.

    Args:
        network: `convolutional` or `residual`.
        loss: `cross-entropy` or `squared`.
        one: a way of training: `small` or `large` steps, or small steps from an `uneven 0.5` or
            `uneven 1` start.
        other: another, or the same.
        measure: `sharpness` or `trace`.

    Returns:
        For each pair of networks $\log(s/s')$ as trained, and the same in the gauge of minimum
        norm.

    Raises:
        GaugeError: if that was not measured.

    Example:
        >>> pairs = trained_pairs("convolutional", "cross-entropy", "small", "large")
        >>> len(pairs), all(own > 0 and common > 0 for own, common in pairs)
        (5, True)
    """
    rows = [
        row
        for row in trained_sharpness()["rows"]
        if (row["network"], row["loss"]) == (network, loss) and measure in row
    ]
    first, second = ([row for row in rows if row["way"] == way] for way in (one, other))
    if measure not in ("sharpness", "trace") or not first or not second:
        raise GaugeError(
            f"measured are the sharpness and the trace on some networks, losses and ways, "
            f"found {measure!r}, {network!r}, {loss!r}, {one!r} and {other!r}"
        )
    if one == other:
        pairs = list(itertools.combinations(first, 2))
    else:
        pairs = [(a, b) for a in first for b in second if a["seed"] == b["seed"]]
    return [
        (math.log(a[measure][0] / b[measure][0]), math.log(a[measure][1] / b[measure][1]))
        for a, b in pairs
    ]


def gauge_share(pairs: Iterable[tuple[float, float]]) -> float:
    r"""What share of the difference between networks is gauge.

    Args:
        pairs: for each pair of networks the logarithm of the ratio of their sharpness as trained,
            $l$, and in a common gauge, $l'$.

    Returns:
        $\sum\operatorname{sign}(l)\,(l-l')/\sum|l|$: 0 if a common gauge changes nothing, 1 if it
        takes the differences away, negative if it enlarges them. It says little where the
        differences as trained are small.

    Raises:
        GaugeError: if there are no pairs, or no network differs from another.

    Example:
        >>> gauge_share([(2.0, 1.5), (-2.0, -2.5)])
        0.0
        >>> gauge_share([(2.0, 0.5)])
        0.75
    """
    kept = list(pairs)
    total = sum(abs(own) for own, _ in kept)
    if not total:
        raise GaugeError(f"no two networks differ as trained in {len(kept)} pairs")
    return sum(math.copysign(1, own) * (own - common) for own, common in kept) / total
