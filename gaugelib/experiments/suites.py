"""The named sets of runs whose results the book quotes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from gaugelib.data import SOURCES
from gaugelib.experiments.settings import Arm, Init, Settings, grid, settings
from gaugelib.group import GaugeError

ARMS: tuple[Arm, ...] = ("never", "once", "every")
RATES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.2)
INITS: tuple[Init, ...] = ("he", "xavier")


def paper() -> tuple[Settings, ...]:
    """Figures 3 and 4 of the paper, 240 runs, and 120 more with the gauge fixed once."""
    return tuple(grid(SOURCES))


def digits() -> tuple[Settings, ...]:
    """The same on the embedded digits, with the paper's own layers: 90 runs."""
    return tuple(grid(["digits"]))


def digits_small() -> tuple[Settings, ...]:
    """The same with layers of a tenth: 90 runs, seconds each."""
    return tuple(grid(["digits"], small=True))


def digits_rates() -> tuple[Settings, ...]:
    """Is it the learning rate? SGD with eight of them, three layers, from two initialisations."""
    return tuple(
        settings("digits", "sgd", small=True, arm=arm, seed=seed, init=init, lr=lr, epochs=10)
        for init, lr, arm, seed in product(INITS, RATES, ARMS, range(3))
    )


def digits_large_steps() -> tuple[Settings, ...]:
    """Where it turns round: seven layers and larger steps, for SGD and for EGD."""
    wide = (
        settings("digits", "sgd", depth=7, small=True, lr=0.1),
        settings("digits", "egd", depth=7, small=True, lr=0.5, weight_decay=1e-4),
    )
    return tuple(
        replace(one, arm=arm, seed=seed) for one, seed, arm in product(wide, range(5), ARMS)
    )


def digits_decay() -> tuple[Settings, ...]:
    """The gap grows with the weight decay: ten times as much of it, SGD, three layers."""
    return tuple(
        settings("digits", "sgd", small=True, arm=arm, seed=seed, weight_decay=1e-3)
        for seed, arm in product(range(5), ARMS)
    )


SUITES = {
    "paper": paper,
    "digits": digits,
    "digits-small": digits_small,
    "digits-rates": digits_rates,
    "digits-large-steps": digits_large_steps,
    "digits-decay": digits_decay,
}


def suite(name: str) -> tuple[Settings, ...]:
    """The runs of a suite, by name.

    Raises:
        GaugeError: if there is none of that name.

    Example:
        >>> {name: len(suite(name)) for name in ("paper", "digits", "digits-rates")}
        {'paper': 360, 'digits': 90, 'digits-rates': 144}
    """
    if name not in SUITES:
        raise GaugeError(f"the suite must be one of {sorted(SUITES)}, found {name!r}")
    return SUITES[name]()
