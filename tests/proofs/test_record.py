"""Steps say what holds, by how much, and of many instances which; unknown drops are refused."""

import math

import pytest
import torch

from gaugelib import GaugeError, hat, mlp_group, params_of
from gaugelib.proofs import Drop, Hypothesis, Record, Side, Step, lemma_auxiliary
from gaugelib.proofs.record import require_drop
from gaugelib.proofs.step import ROUNDING, tightest, widest


def step(left, relation, right, size=None) -> Step:
    return Step("because", Side("l", left), relation, Side("r", right), size=size)


@pytest.mark.parametrize(
    ("left", "relation", "right", "slack", "holds"),
    [
        (1.0, "≤", 3.0, 2.0, True),
        (3.0, "≤", 1.0, -2.0, False),
        (3.0, "≥", 1.0, 2.0, True),
        (1.0, "≥", 3.0, -2.0, False),
        (1.0, "<", 3.0, 2.0, True),
        (3.0, "<", 3.0, 0.0, False),
        (3.0, "≤", 3.0, 0.0, True),
        (-2.0, "=", -2.0, 0.0, True),
        (2.0, "=", -2.0, -4.0, False),
        (1.0, "≤", math.inf, math.inf, True),
        (math.inf, "<", math.inf, 0.0, False),
        (math.inf, "≤", 1.0, -math.inf, False),
        (None, "≤", 1.0, None, False),
        (1.0, "=", None, None, False),
        (math.nan, "≤", 1.0, None, False),
    ],
)
def test_slack_is_what_the_step_has_to_spare(left, relation, right, slack, holds):
    found = step(left, relation, right)
    if not (isinstance(left, float) and math.isnan(left)):
        assert found.slack == slack
    assert found.holds is holds
    assert found.claim == f"l {relation} r"


@pytest.mark.parametrize("relation", ["=", "≤", "≥"])
def test_rounding_is_forgiven_and_more_is_not(relation):
    for sign in (1, -1):
        assert step(1.0, relation, 1.0 + sign * 0.5 * ROUNDING).holds
    fails = [not step(1.0, relation, 1.0 + sign * 2 * ROUNDING).holds for sign in (1, -1)]
    assert fails == {"=": [True, True], "≤": [False, True], "≥": [True, False]}[relation]


def test_a_strict_step_must_hold_beyond_rounding():
    assert not step(1.0, "<", 1.0 + 0.5 * ROUNDING).holds
    assert step(1.0, "<", 1.0 + 2 * ROUNDING).holds


def test_rounding_is_measured_against_the_size_that_is_given():
    assert not step(1e-12, "=", 0.0).holds
    assert step(1e-12, "=", 0.0, size=1.0).holds
    assert not step(1e-6, "=", 0.0, size=1.0).holds


def test_of_many_instances_the_least_and_the_most_slack_are_found():
    left, right = torch.tensor([1.0, 5.0, 80.0]), torch.tensor([2.0, 5.5, 100.0])
    assert tightest(left, "≤", right) == (1, "tightest of 3")
    assert widest(left, "≤", right) == (0, "widest of 3")
    assert tightest(right, "≥", left) == (1, "tightest of 3")
    assert tightest(left, "=", right) == (0, "worst of 3")
    assert tightest(torch.zeros(2), "=", torch.zeros(2)) == (0, "worst of 2")


def test_an_instance_that_fails_is_never_hidden_behind_one_that_holds():
    left, right = torch.tensor([1.0, 5.0, 80.0]), torch.tensor([2.0, 4.9, 100.0])
    assert widest(left, "≤", right) == tightest(left, "≤", right) == (1, "worst of 3")


def test_a_trace_counts_its_failing_steps_from_one_and_prints_them():
    steps = (step(1.0, "≤", 2.0), step(2.0, "≤", 1.0), step(None, "=", 1.0))
    record = Record("Title", "statement", (), steps, "no network")
    assert record.broken == (2, 3)
    assert str(record).splitlines() == [
        "Title (no network)",
        "1. holds  l ≤ r   slack 1",
        "2. FAILS  l ≤ r   slack -1",
        "3. FAILS  l = r",
    ]


def test_what_is_not_assumed_cannot_be_dropped():
    assumed = (Hypothesis("one", (Drop("a", "no one"),)), Hypothesis("two"))
    require_drop(None, assumed)
    require_drop("a", assumed)
    with pytest.raises(GaugeError, match="drop must be None or one of: 'a'; found 'b'"):
        require_drop("b", assumed)
    with pytest.raises(GaugeError, match="'dead', 'double', 'triple'; found 'root'"):
        lemma_auxiliary(params_of(hat()), mlp_group(hat()), drop="root")
