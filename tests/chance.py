"""Where the tests' random numbers come from: the same place on every machine, in any order.

A property test says neither how many examples it draws nor how long one may take; this file does.
`make test` draws the same examples each time; `make explore` draws new ones, and more, from a seed.
"""

from __future__ import annotations

import itertools
import pathlib
import random

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.conjecture import providers

ROOT = pathlib.Path(__file__).parents[1]

EXAMPLES = 40
MORE = {  # where whole solvers and wirings are met
    "test_every_network_is_brought_to_an_honest_end": 150,
    "test_two_levels_always_converge_and_to_newtons_minimum": 80,
    "test_it_balances_every_network": 80,
    "test_components_are_those_of_plain_union_find": 100,
    "test_every_step_up_to_the_doubled_one_goes_down": 60,
    "test_trace_group_equals_mlp_group": 60,
    "test_flat_coordinates_lead_back": 60,
    "test_orbits_have_one_dimension_for_each_unit_tied_to_the_outside": 60,
}

# No verdict by the clock: neither a limit for one example nor a complaint that drawing is slow.
UNHURRIED = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
    "print_blob": True,
}


class TorchNumbers:
    """Torch's global generator, for hypothesis to reset before each example as it does Python's."""

    seed = staticmethod(torch.manual_seed)
    getstate = staticmethod(torch.get_rng_state)
    setstate = staticmethod(torch.set_rng_state)


class Repeatable(torch.Generator):
    """A generator whose "fresh" seeds, which otherwise the system gives, are 0, 1, 2, ..."""

    count = itertools.count()

    def seed(self) -> int:
        number = next(Repeatable.count)
        self.manual_seed(number)
        return number


TORCH = TorchNumbers()  # hypothesis keeps a weak reference


def always_the_same() -> None:
    """The profile of `make test`."""
    set_hypothesis_home_dir(ROOT / ".cache" / "hypothesis")
    settings.register_profile("house", max_examples=EXAMPLES, derandomize=True, **UNHURRIED)
    settings.load_profile("house")


def ever_new(folder: pathlib.Path, times: float) -> None:
    """The profile of `make explore`. What fails is written into the folder, as a patch."""
    set_hypothesis_home_dir(folder.resolve())
    settings.register_profile(
        "explore",
        max_examples=max(1, round(times * EXAMPLES)),
        derandomize=False,
        database=None,  # a seed alone decides
        **UNHURRIED,
    )
    settings.load_profile("explore")


WITH_OUR_CONSTANTS = providers._get_local_constants


def no_constants_of_ours() -> None:
    """Hypothesis also draws numbers that it reads in the library's sources, as far as imported.

    So an example would depend on which tests run with it, and change with every edit.
    """
    providers._get_local_constants = lambda: providers.Constants()


def give_counts(functions) -> None:
    """Let the tests of the table draw more than the profile says, in proportion to it."""
    times = settings.default.max_examples / EXAMPLES
    for function in set(functions):
        if count := MORE.get(function.__name__):
            settings(max_examples=max(1, round(times * count)))(function)


def start_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ran before: the global generators, and the seeds that are asked of the system."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    monkeypatch.setattr(Repeatable, "count", itertools.count())
    monkeypatch.setattr(torch, "Generator", Repeatable)
