"""What a checker says can be read: on a page of any width, in a terminal, and whole."""

import textwrap

import pytest
import torch

from gaugelib import check
from gaugelib.check import Verdict
from gaugelib.check.verdict import COLUMNS
from tests.check.answers import CONSTANTS, FUNCTIONS

LONG = (
    "say something about relu, leaky_relu, abs, tanh, gelu, softplus, relu_squared, identity too."
)


def test_a_verdict_is_not_cut_on_the_page():
    shown = repr(Verdict(False, LONG))
    assert all(len(line) <= COLUMNS for line in shown.splitlines())
    assert shown.replace("\n", " ") == f"Not yet: {LONG}"
    assert str(Verdict(True, LONG)) == repr(Verdict(True, LONG))
    assert len(f"Not yet: {LONG}") > COLUMNS  # in one line it would be


def test_a_page_gets_a_paragraph_in_which_nothing_is_markup():
    shown = Verdict(False, "<lambda> stopped: 1 < 2 & so on.")._repr_html_()
    assert shown == (
        '<p class="verdict"><strong>Not yet:</strong> '
        "&lt;lambda&gt; stopped: 1 &lt; 2 &amp; so on.</p>"
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_hint_fits_the_page(name):
    for constant in CONSTANTS.values():
        shown = repr(getattr(check, name)(lambda *arguments, c=constant: c))
        assert max(map(len, shown.splitlines())) <= COLUMNS


def test_an_error_is_told_with_the_readers_own_line():
    def answer(a, k):
        return torch.ones(2) @ torch.ones(3)

    message = check.outgoing_factor(answer).message
    line = answer.__code__.co_firstlineno + 1
    assert "answer stopped with RuntimeError: " in message
    assert message.endswith(f", in line {line}: return torch.ones(2) @ torch.ones(3).")


def test_an_interrupt_goes_through_for_it_is_how_an_endless_loop_is_stopped():
    def endless(*arguments):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.balance(endless)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (torch.tensor(0.5, dtype=torch.float16), "compute in float32 or float64"),
        (
            (x for x in [1.0]),
            "return one number; yours is a generator, which can be read only once",
        ),
        (map(float, [1]), "return one number; yours is a map, which can be read only once"),
        ("1", "return one number; yours is text."),
        (True, "return one number; yours is True or False."),
        ([1.0, 2.0], "return one number; yours is a list of 2."),
        (torch.ones(3), "return one number; yours is of shape (3,)."),
        ([None], "return one number; yours is a list whose part 1 is of type NoneType."),
        (float("nan"), "look for 0/0"),
        (float("inf"), "division by zero"),
        (1 + 1j, "return one number; yours is complex."),
    ],
)
def test_a_wrong_form_is_told_about_the_form(answer, hint):
    message = check.outgoing_factor(lambda a, k: answer).message
    assert hint in message
    assert "the function moved" not in message


def test_a_verdict_is_true_when_it_passed():
    assert Verdict(True, "fine.")
    assert not Verdict(False, textwrap.shorten(LONG, 40))
