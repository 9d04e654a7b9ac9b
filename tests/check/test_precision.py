"""A formula of the book may go through float32 at any step, and each known mistake is far away."""

import pytest

from gaugelib import check
from gaugelib.check import verdict
from tests.check.answers import (
    ANSWERS,
    FUNCTIONS,
    MISTAKES,
    MODULES,
    TENSORS,
    TORCH_MATH,
    each_leaf,
    in_form,
    single,
)

TRUTHS = ["fixes_gauge", "keeps_gauge", "alive", "no_trap"]
# An order of a drift is measured, the root of a rounding error is left over by Pythagoras, and of
# the steps that end balanced there is an interval.
COARSE = ["drift_order", "off_orbit_share", "balancing_step"]
NUMBERS = [name for name in FUNCTIONS if name not in TRUTHS]


def handed_in_float32(answer):
    """What a reader gets who first converts all that is handed out."""

    def converted(part):
        if isinstance(part, bool | int | str) or callable(part) or hasattr(part, "entries"):
            return part
        return single(part)

    return lambda *arguments: answer(*(each_leaf(converted, part) for part in arguments))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_right_answer_computed_in_float32_passes(name, monkeypatch):
    for module in MODULES:
        if hasattr(module, "math"):
            monkeypatch.setattr(module, "math", TORCH_MATH)
    for _ in range(10):
        # float32 throughout, and only at some of the steps
        for answer in (handed_in_float32(ANSWERS[name]), ANSWERS[name]):
            found = getattr(check, name)(answer)
            assert found, found


@pytest.mark.parametrize("name", [n for n in NUMBERS if n not in COARSE + TENSORS])
def test_control_an_answer_that_is_off_by_a_thousandth_does_not_pass(name):
    for factor in (0.999, 1.001):
        found = in_form(lambda x, factor=factor: factor * x, ANSWERS[name])
        assert not getattr(check, name)(found)


@pytest.mark.parametrize("name", NUMBERS)
def test_control_no_known_mistake_passes_with_a_hundred_times_the_tolerance(name, monkeypatch):
    monkeypatch.setattr(verdict.close, "__defaults__", (100 * verdict.TOLERANCE, None))
    for wrong, hint in MISTAKES[name]:
        assert not getattr(check, name)(wrong), hint
