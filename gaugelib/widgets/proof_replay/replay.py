"""Traces as the JSON that ProofReplay ships: every part once, numbers to twelve digits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gaugelib.proofs import Record, Step


class _Once:
    """A list that holds every value once; `place` says where."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int:
        """Where the value stands in the list, counted from 0."""
        return self._places.setdefault(json.dumps(value), len(self._places))

    def values(self) -> list[Any]:
        """The list, as JSON."""
        return [json.loads(key) for key in self._places]


def packed(runs: Mapping[str, Sequence[Record]], networks: Sequence[str]) -> dict[str, Any]:
    """Runs of one proof as a JSON value; `replay.js` unpacks it.

    What is dropped leaves many steps as they were: each is shipped once, as is each text and each
    picture of a network.

    Args:
        runs: what is dropped, "" for nothing -> one trace for each network.
        networks: the networks' names.
    """
    words, pictures, steps = _Once(), _Once(), _Once()

    def step(step: Step) -> list[Any]:
        return [
            words.place(step.text),
            words.place(step.left.name),
            number(step.left.value),
            step.relation,
            words.place(step.right.name),
            number(step.right.value),
            number(step.slack),
            step.holds,
            number(step.size),
            words.place(step.place.words),
            [list(edge) for edge in step.place.edges],
            list(step.place.units),
        ]

    def picture(trace: Record) -> dict[str, Any]:
        if trace.sketch is None:
            return {"columns": [], "edges": []}
        edges = [[source, target, round(share, 4)] for source, target, share in trace.sketch.edges]
        return {"columns": [list(column) for column in trace.sketch.columns], "edges": edges}

    def run(trace: Record) -> dict[str, Any]:
        return {
            "network": words.place(trace.network),
            "picture": pictures.place(picture(trace)),
            "steps": [steps.place(step(each)) for each in trace.steps],
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
        "steps": steps.values(),
        "pictures": pictures.values(),
        "words": words.values(),
    }


def number(value: float | None) -> float | str | None:
    """A number as JSON can carry it: None for no value, and infinity by name."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return float(f"{value:.12g}")
