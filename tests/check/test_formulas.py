"""The language of the pages is a part of Python: what both can read, they compute alike."""

import math
import random
from functools import cache

import numpy as np
import pytest

from tests.check.formulas import compiled, in_node, number, truth, value

SCOPE = {"w": 1.5, "n": 3, "p": -0.25, "zero": 0, "totals": [2.0, 5.5, 0.25]}


def without_module(text):
    return text.replace("math.", "").replace("np.", "")


def test_random_formulas_have_the_value_that_python_gives_them():
    draw, names = random.Random(1), ["w", "n", "p", "zero"]
    texts = [number(draw, names, ["totals"], 4) for _ in range(1500)]
    texts += [truth(draw, names, ["totals"], 3) for _ in range(500)]
    found = in_node(values=[(text, SCOPE) for text in texts])["values"]
    finite = 0
    for text, said in zip(texts, found, strict=True):
        right = value(compiled(without_module(text)), SCOPE)
        if isinstance(said, str):
            said = float(said.replace("Infinity", "inf"))
        assert isinstance(said, bool) == isinstance(right, bool | np.bool_), text
        size = abs(float(right)) if math.isfinite(right) else 1.0
        np.testing.assert_allclose(said, right, rtol=1e-9, atol=1e-12 * size, err_msg=text)
        finite += math.isfinite(right)
    assert 1000 < finite < 2000  # the control: most have a value, and some have none


READ = [
    ("-2**2", -4),
    ("2**-1", 0.5),
    ("2**3**2", 512),
    ("-7 // 2", -4),
    ("-7 % 3", 2),
    ("7 % -3", -2),
    ("1 if n == 3 else 2", 1),
    ("1 < 2 < 3", True),
    ("3 > 2 > 2", False),
    ("not 1 == 2 and True", True),
    ("0 or 5", 5),
    ("0 and 5", 0),
    ("1e3 + .5", 1000.5),
    ("return w * 2", 3),
    ("math.log(np.e)", None),
    ("sum(totals[1:-1])", 5.5),
    ("len(totals)", 3),
    ("sum(abs(totals) ** 2)", 34.3125),
    ("totals[-1]", 0.25),
    ("w² − 1", 1.25),
    ("2·n ÷ 4", 1.5),
    ("max(w, n)", 3),
    ("n ≤ 3", True),
    ("torch.sqrt(n + 1)", 2),
    ("math.log(8, 2)", 3),
]


@pytest.mark.parametrize(("text", "right"), READ)
def test_what_a_reader_may_write(text, right):
    found = said_to_each()[text]
    if right is None:
        assert "not known" in found["message"]
    else:
        assert found == right
        assert type(found) is bool or not isinstance(right, bool)


UNREAD = [
    ("", "write a formula first", 0),
    ("   ", "write a formula first", 3),
    ("2n", "between “2” and “n” a sign is missing: write 2 * n", 1),
    ("(1)(2)", "a sign is missing", 3),
    ("n w", "write n * w", 2),
    ("n(1 + w)", "n is no function: write n * (…)", 1),
    ("w^2", "a power is written **", 1),
    ("√w", "a root is written sqrt(…)", 0),
    ("|w|", "a size is written abs(…)", 0),
    ("1,5", "a comma ends no number: write 1.5 with a dot", 1),
    ("1.5,", "a comma ends no number", 3),
    ("lr * 2", "unknown name “lr”: this exercise has w, n, p, zero and totals", 0),
    ("ln(w)", "the natural logarithm is log", 0),
    ("e**w", "e to the x is exp(x)", 0),
    ("w = 3", "write the formula alone", 2),
    ("w == ", "after “==” something is missing", 5),
    ("(w + 1", "“)” is missing at the end", 6),
    ("w + 1)", "“)” cannot stand here", 5),
    ("w + * 2", "“*” cannot stand here", 4),
    ("sqrt", "sqrt is a function: write sqrt(…)", 0),
    ("sqrt()", "sqrt takes one number", 0),
    ("sqrt(1, 2)", "sqrt takes one number", 0),
    ("hypot(1)", "hypot takes two numbers", 0),
    ("totals.sum()", "write functions around what they take", 0),
    ("np.linalg.norm(totals)", "“np.linalg.norm” is not known here", 0),
    ("os.system(1)", "“os.system” is not known here", 0),
    ("constructor", "unknown name “constructor”", 0),
    ("toString(1)", "unknown name “toString”", 0),
    ("__proto__", "unknown name “__proto__”", 0),
    ("lambda x: x", "“lambda” is not known here", 0),
    ("sum(n)", "sum takes a list", 0),
    ("totals[7]", "a list of 3 has no entry 7", 0),
    ("totals[0.5]", "a place in a list is a whole number", 0),
    ("totals == 1", "a list stands where one number is needed", 0),
    ("totals + totals[1:]", "lists of 3 and of 2 do not go together", 0),
    ("w !", "write not, or != for unequal", 2),
    ("@", "“@” means nothing here", 0),
    ("w + 🙂", "“🙂” means nothing here", 4),
    ("w⁻¹", "a negative power is written ** (-1)", 1),
    ("w > 1 || n > 1", "or is written or", 6),
    ("n is 3", "“is” is not known here", 2),
    ("n in totals", "“in” is not known here", 2),
    ("1_000", "this number cannot be read", 0),
    ("2 * 1e", "this number cannot be read", 4),
    ("1e-", "this number cannot be read", 0),
    ("1.2.3", "this number cannot be read", 0),
    ("sum(totals, 0)", "sum takes a list", 0),
    ("prod()", "prod takes a list", 0),
    ("min()", "min takes a list or several numbers", 0),
    ("log(1, 2, 3)", "log takes one number, and a base if you like", 0),
    ("w[0]", "[…] picks from a list, and this is a number", 0),
    ("if w", "“if” cannot stand here", 0),
]


@cache
def said_to_each():
    """What the pages make of each of these formulas."""
    texts = [text for text, *_ in [*READ, *UNREAD]]
    return dict(
        zip(texts, in_node(values=[(text, SCOPE) for text in texts])["values"], strict=True)
    )


def test_after_a_bracket_no_example_is_made_up():
    found = in_node(values=[("(w)(n)", SCOPE)])["values"][0]
    assert found["message"] == "between “)” and “(” a sign is missing"


@pytest.mark.parametrize(("text", "said", "at"), UNREAD)
def test_what_cannot_be_read_is_told_with_its_place(text, said, at):
    found = said_to_each()[text]
    assert said in found["message"]
    assert found["at"] == at


def test_a_greek_letter_or_a_lowered_digit_stands_for_the_name_that_the_stub_has():
    scope = {"lr": 2, "decay": 3, "kappa": 5, "u0": 7, "rho": 11}
    assert in_node(values=[("η*λ*κ*u₀*ρ*2/π", scope)])["values"] == [pytest.approx(4620 / math.pi)]
    assert "unknown name “σ”" in in_node(values=[("σ", scope)])["values"][0]["message"]


def test_numbers_are_written_as_python_writes_them():
    draw = random.Random(2)
    numbers = [draw.gauss(0, 1) * 10 ** draw.randint(-8, 12) for _ in range(500)]
    numbers += [0.0, 1.0, 1e-5, 1e-4, 999999.5, 1e6, 123456.0, -0.00012345, 0.1, 100.0, 12345.0]
    pairs = [(x, spec) for x in numbers for spec in ("g", ".4g", ".3g")]
    assert in_node(numbers=pairs)["numbers"] == [format(x, spec) for x, spec in pairs]
