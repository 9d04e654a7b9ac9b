"""The stored training runs as GaugeRace shows them: means over the seeds, to a few digits."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from torch import Tensor

from gaugelib.experiments.results import curves_of, select, stored
from gaugelib.experiments.settings import EXPONENT
from gaugelib.experiments.store import Run
from gaugelib.experiments.suites import ARMS

SIZES = {"full": "digits", "small": "digits-small"}
OPTIMISERS = ("sgd", "egd")
DEPTHS = (3, 5, 7)
DIGITS = {"loss": 4, "penalty": 4, "train_error": 3, "test_error": 3}  # of what is measured


@functools.cache
def kept() -> dict[str, Any]:
    """For each size, optimiser, depth and arm the mean curves, some 37 kB; the penalty is λR."""
    runs = {size: stored(name) for size, name in SIZES.items()}
    every = [run for those in runs.values() for run in those]
    rules = {optimiser: _rule(select(every, optimiser=optimiser)) for optimiser in OPTIMISERS}
    curves = {
        size: {
            optimiser: {
                str(depth): _arms(
                    select(those, optimiser=optimiser, depth=depth), rules[optimiser]["decay"]
                )
                for depth in DEPTHS
            }
            for optimiser in OPTIMISERS
        }
        for size, those in runs.items()
    }
    return {"curves": curves, "rules": rules}


def _rule(runs: Iterable[Run]) -> dict[str, float]:
    """Exponent, weight decay and learning rate, which are the same in all of them."""
    ((optimiser, decay, lr),) = {
        (run.settings.optimiser, run.settings.weight_decay, run.settings.lr) for run in runs
    }
    return {"p": EXPONENT[optimiser], "decay": decay, "lr": lr}


def _arms(runs: Iterable[Run], decay: float) -> dict[str, dict[str, list[float]]]:
    runs, scale = tuple(runs), {"penalty": decay}
    return {
        arm: {
            what: _rounded(scale.get(what, 1.0) * curves_of(runs, what, arm=arm), digits)
            for what, digits in DIGITS.items()
        }
        for arm in ARMS
    }


def _rounded(curves: Tensor, digits: int) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in curves.mean(0).tolist()]
