"""Settings name a run: equal ones the same, others never the same."""

from dataclasses import fields, replace

import pytest

from gaugelib import GaugeError
from gaugelib.experiments import SUITES, Settings, grid, settings, suite
from gaugelib.experiments.settings import PAPER_HIDDEN, SMALL_HIDDEN

ONE = settings("digits", "egd", depth=5, seed=1)
OTHER = {
    "data": "mnist", "hidden": (2000, 1000, 500, 251), "optimiser": "sgd", "arm": "every",
    "seed": 11, "lr": 0.1000001, "weight_decay": 0.0, "lr_factor": 1.0, "epochs": 29, "batch": 33,
    "tol": 1e-4, "init": "xavier", "output_bias": 0.02, "precision": "float64",
}  # fmt: skip


def test_two_settings_never_share_a_file():
    assert OTHER.keys() == {field.name for field in fields(Settings)}
    names = {replace(ONE, **{name: value}).file_name for name, value in OTHER.items()}
    assert len(names | {ONE.file_name}) == len(OTHER) + 1
    every = [one for name in SUITES for one in suite(name)]
    assert len({one.file_name for one in every}) == len(set(every))


def test_equal_settings_share_a_file():
    assert replace(ONE, lr_factor=1).file_name == replace(ONE, lr_factor=1.0).file_name
    assert Settings.from_dict(ONE.as_dict()) == ONE


def test_the_paper_is_two_hundred_and_forty_runs():
    two = [one for one in suite("paper") if one.arm != "once"]
    assert len(two) == 4 * 3 * 2 * 2 * 5 == 240
    for one in two:
        assert (one.epochs, one.batch, one.lr_factor, one.tol) == (30, 32, 0.95, 1e-3)
        assert (one.lr, one.weight_decay) == {"sgd": (1e-3, 1e-4), "egd": (0.1, 5e-6)}[
            one.optimiser
        ]


def test_every_network_of_the_paper_has_3750_hidden_units():
    assert {depth: sum(hidden) for depth, hidden in PAPER_HIDDEN.items()} == dict.fromkeys(
        (3, 5, 7), 3750
    )
    assert all(len(hidden) + 1 == depth for depth, hidden in PAPER_HIDDEN.items())
    assert sum((1000, 750, 750, 500, 250)) == 3250  # control: the list as the preprint prints it
    for depth, hidden in SMALL_HIDDEN.items():
        assert hidden == tuple(n // 10 for n in PAPER_HIDDEN[depth])


def test_seeds_are_finished_one_after_the_other():
    seeds = [one.seed for one in grid(["digits"])]
    assert seeds == sorted(seeds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimiser": "adam"}, "optimiser must be one of .* found 'adam'"),
        ({"arm": "twice"}, "arm must be"),
        ({"init": "zero"}, "init must be"),
        ({"precision": "float16"}, "precision must be"),
        ({"hidden": ()}, "hidden must be"),
        ({"hidden": (3, 0)}, "hidden must be"),
        ({"seed": -1}, "seed must be"),
        ({"epochs": 0}, "epochs must be"),
        ({"batch": 2.5}, "batch must be"),
        ({"lr": 0.0}, "lr must be"),
        ({"lr": float("nan")}, "lr must be"),
        ({"tol": float("inf")}, "tol must be"),
        ({"weight_decay": -1e-4}, "weight_decay must be"),
        ({"output_bias": float("nan")}, "output_bias must be"),
        ({"output_bias": 0.0}, "would stay 0 for ever"),
    ],
)
def test_what_cannot_be_run_is_refused(change, message):
    with pytest.raises(GaugeError, match=message):
        replace(ONE, **change)


def test_unknown_depths_optimisers_and_suites_are_refused():
    with pytest.raises(GaugeError, match="depth must be one of"):
        settings("digits", "sgd", depth=4)
    with pytest.raises(GaugeError, match="optimiser must be one of"):
        settings("digits", "adam")
    with pytest.raises(GaugeError, match="suite must be one of"):
        suite("imagenet")


@pytest.mark.parametrize("stored", [{}, [], None, {**ONE.as_dict(), "extra": 1}])
def test_stored_settings_must_be_whole(stored):
    with pytest.raises(GaugeError, match="settings must name"):
        Settings.from_dict(stored)
