"""Every checker takes a right answer in any form, and never passes or raises on anything else."""

import inspect

import pytest
import torch

from gaugelib import check
from gaugelib.check import fresh
from tests.check.answers import (
    ANSWERS,
    CONSTANTS,
    DICTIONARIES,
    FAILURES,
    FORMS,
    FUNCTIONS,
    NUMBERS,
    TENSORS,
    each_leaf,
    in_form,
    tensor,
)


def judged(name, answer):
    """The verdict, which must be one: nothing may be raised."""
    verdict = getattr(check, name)(answer)
    assert type(verdict) is check.Verdict
    assert verdict.message.endswith((".", "?"))
    assert len(verdict.message) < 600
    return verdict


def test_no_checker_is_missing_here():
    assert ANSWERS.keys() == {name for name, x in vars(check).items() if inspect.isfunction(x)}
    assert all(callable(ANSWERS[name]) for name in FUNCTIONS)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in TENSORS])
def test_a_right_answer_passes_in_every_form(name, form):
    verdict = judged(name, in_form(FORMS[form], ANSWERS[name]))
    assert verdict, verdict


@pytest.mark.parametrize("name", TENSORS)
def test_a_penalty_passes_as_a_number_or_a_vector_of_one_in_either_precision(name):
    for change in (lambda x: x[None], lambda x: x.float(), torch.nn.functional.relu):
        assert judged(name, in_form(change, ANSWERS[name]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_constant_passes(name):
    for label, constant in CONSTANTS.items():
        assert not judged(name, lambda *arguments, constant=constant: constant), label


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_failure_passes_or_escapes(name):
    for label, failure in FAILURES.items():
        assert not judged(name, failure), label


@pytest.mark.parametrize("name", DICTIONARIES)
def test_nothing_in_the_place_of_a_dictionary_or_of_its_parts_passes_or_escapes(name):
    for label, thing in (CONSTANTS | FAILURES).items():
        assert not judged(name, thing), label
        answer = ANSWERS[name]
        for key in answer:
            if label not in NUMBERS and answer[key] is not thing:  # None is a degree too
                assert not judged(name, answer | {key: thing}), (key, label)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_right_shape_with_nothing_in_it_does_not_pass(name):
    for fill in (torch.zeros_like, torch.ones_like):
        changed = in_form(lambda x, fill=fill: fill(tensor(x)) + 0 * tensor(x), ANSWERS[name])
        assert not judged(name, changed)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_first_right_answer_does_not_pass_for_the_others(name):
    first = []

    def stuck(*arguments):
        if not first:
            first.append(ANSWERS[name](*arguments))
        return first[0]

    assert not judged(name, stuck)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_another_shape_is_told_about_its_form_only(name):
    if name in TENSORS:
        return

    def twice(*arguments):
        return each_leaf(lambda x: torch.stack([tensor(x)] * 2), ANSWERS[name](*arguments))

    assert "; yours is " in judged(name, twice).message


def emptied(argument):
    """Write zeros into everything that can be written into."""
    if isinstance(argument, torch.Tensor):
        with torch.no_grad():
            argument.zero_()
    elif isinstance(argument, list):
        for part in argument:
            emptied(part)
        argument.clear()
    elif isinstance(argument, tuple):
        for part in argument:
            emptied(part)
    elif isinstance(argument, dict):
        for part in argument.values():
            emptied(part)
        argument.clear()
    elif hasattr(argument, "entries"):
        for entry in argument.entries.values():
            emptied(entry.target)
            emptied(entry.source)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in TENSORS])
def test_what_is_written_into_the_arguments_does_not_reach_the_checker(name):
    def destructive(*arguments):
        answer = each_leaf(lambda x: tensor(x).clone(), ANSWERS[name](*arguments))
        for argument in arguments:
            emptied(argument)
        return answer

    verdict = judged(name, destructive)
    assert verdict or "wrote into its arguments" in verdict.message

    def of_nothing(*arguments):
        """Zeros, which would be right if the checker's numbers had become zero."""
        return each_leaf(lambda x: 0 * tensor(x), destructive(*arguments))

    assert not judged(name, of_nothing)


def test_draws_differ_from_call_to_call_and_not_from_run_to_run():
    first = torch.randn(3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert torch.equal(fresh.normal(3), first)
    assert not torch.equal(fresh.normal(3), first)


def test_a_penalty_whose_gradient_fails_or_whose_type_does_is_reported_calmly():
    kept = []

    def used_up(params, group):
        kept.append(ANSWERS["own_penalty"](params, group))
        kept[-1].backward()
        return kept[-1]

    assert "a second time" in judged("own_penalty", used_up).message

    class Refusing(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *arguments, **options):
            raise ArithmeticError

    def refusing(params, group):
        return torch.ones(1).as_subclass(Refusing)

    assert "autograd does not get through" in judged("own_penalty", refusing).message
    assert (
        "too few digits"
        in judged(
            "own_penalty", lambda *arguments: ANSWERS["own_penalty"](*arguments).bfloat16()
        ).message
    )
    with torch.no_grad():
        assert judged("own_penalty", ANSWERS["own_penalty"])
