"""Each exercise: the reference passes, the stub is helped, each known mistake gets its own hint."""

import pytest
import torch

from gaugelib import check
from tests.check.answers import ANSWERS, FUNCTIONS, MISTAKES
from tests.check.judged import each_mistake, gets_its_own_hint, passes_every_time


@pytest.mark.parametrize("name", ANSWERS)
def test_the_reference_passes_every_time(name):
    passes_every_time(name, ANSWERS[name])


@pytest.mark.parametrize(("name", "wrong", "hint"), each_mistake(MISTAKES))
def test_each_known_mistake_gets_its_own_hint(name, wrong, hint):
    gets_its_own_hint(name, wrong, hint, MISTAKES[name])


@pytest.mark.parametrize("name", ANSWERS)
def test_every_checker_has_three_known_mistakes(name):
    assert len({hint for _, hint in MISTAKES[name]}) >= 3


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_unfilled_stub_is_told_what_to_do(name):
    def stub(*arguments): ...

    verdict = getattr(check, name)(stub)
    assert repr(verdict) == "Not yet: stub returned nothing yet; replace the dots by your answer."


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_answer_that_crashes_is_reported_calmly(name):
    def crash(*arguments):
        raise ZeroDivisionError("by hand")

    verdict = getattr(check, name)(crash)
    assert "crash stopped with ZeroDivisionError: by hand" in verdict.message
    assert "hand over the function itself" in getattr(check, name)(3.0).message


@pytest.mark.parametrize("name", ANSWERS)
def test_a_checker_leaves_the_global_seed_where_it_was(name):
    before = torch.random.get_rng_state()
    assert getattr(check, name)(ANSWERS[name])
    assert torch.equal(before, torch.random.get_rng_state())
