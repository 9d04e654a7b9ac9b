"""What the peers' processes and the benchmark say to each other: a line of JSON for each question.

A peer's environment has neither gaugelib nor, in one case, torch: only numpy is imported here.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

Basis = dict[str, np.ndarray]  # (dimension, targets, sources) of "W" and of "v"
MODELS = ("equivariant", "one weight moved", "the same, times 0.0001")


def matrix(name: str, n: int) -> np.ndarray:
    """First weights of a Deep Sets channel, a = 1 and b = -0.5; or one has 0.5 added to it."""
    W = 1.5 * np.eye(n) - 0.5
    if name != MODELS[0]:
        W[-1, -1] += 0.5
    return 1e-4 * W if name == MODELS[2] else W


def serve(bases: dict[str, Callable[[], Basis]], test: Callable[[str], str]) -> None:
    """Answer until the input ends. What a library prints goes to the errors' stream."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(value: object) -> None:
        print(json.dumps(value), file=answers, flush=True)

    say(sorted(bases))
    for line in sys.stdin:
        question, _, name = line.strip().partition(":")
        if question == "basis":
            say({key: value.tolist() for key, value in bases[name]().items()})
        elif question == "time":
            began = time.perf_counter()
            bases[name]()
            say(time.perf_counter() - began)
        else:
            say(test(name))
