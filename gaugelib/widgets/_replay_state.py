"""Traces as the JSON that ProofReplay ships: every text once, numbers to twelve digits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gaugelib.proofs import Step, Trace


def packed(runs: Mapping[str, Sequence[Trace]], networks: Sequence[str]) -> dict[str, Any]:
    """Runs of one proof as a JSON value; `shared/replay.js` unpacks it.

    Args:
        runs: what is dropped, "" for nothing -> one trace for each network.
        networks: the networks' names.
    """
    words: dict[str, int] = {}

    def word(text: str) -> int:
        return words.setdefault(text, len(words))

    def step(step: Step) -> list[Any]:
        return [
            word(step.text),
            word(step.left.name),
            number(step.left.value),
            step.relation,
            word(step.right.name),
            number(step.right.value),
            number(step.slack),
            step.holds,
            number(step.size),
            word(step.place.words),
            [list(edge) for edge in step.place.edges],
            list(step.place.units),
        ]

    def run(trace: Trace) -> dict[str, Any]:
        sketch = trace.sketch
        return {
            "network": trace.network,
            "columns": [list(column) for column in sketch.columns] if sketch else [],
            "edges": [[s, t, round(share, 4)] for s, t, share in sketch.edges] if sketch else [],
            "steps": [step(each) for each in trace.steps],
        }

    whole = runs[""][0]
    shown = {key: [run(trace) for trace in traces] for key, traces in runs.items()}
    return {
        "title": whole.title,
        "statement": whole.statement,
        "hypotheses": [
            {"text": h.text, "drops": {drop.key: drop.instead for drop in h.drops}}
            for h in whole.hypotheses
        ],
        "networks": list(networks),
        "runs": shown,
        "words": list(words),
    }


def number(value: float | None) -> float | str | None:
    """A number as JSON can carry it: None for no value, and infinity by name."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return float(f"{value:.12g}")
