"""A docstring that reads well in `help()` becomes what Sphinx reads."""

import pytest

from gaugebook.docstrings import as_rst, first_paragraph, labels


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("the norm $\\|x\\|_p$ falls", "the norm :math:`\\|x\\|_p` falls"),
        ("one $p$-norm, two $p$s", "one :math:`p`\\ -norm, two :math:`p`\\ s"),
        ("($a$), `a`=1", "(:math:`a`\\ ), ``a``\\ =1"),
        ("over\n$a +\nb$ lines", "over\n:math:`a + b` lines"),
        ("as `x` says", "as ``x`` says"),
        ("    GaugeError: if not", "    ~gaugelib.GaugeError: if not"),
        ("A price of 5$ and no more", "A price of 5$ and no more"),
    ],
)
def test_formulas_and_names_are_read(said, read):
    assert as_rst(said) == read


def test_a_formula_on_lines_of_its_own_is_a_display():
    lines = as_rst("    Since\n\n    $$a\n      = b$$\n\n    it is.").split("\n")
    assert [line for line in lines if line.strip()] == [
        "    Since",
        "    .. math::",
        "       a",
        "             = b",
        "    it is.",
    ]
    assert lines[lines.index("    .. math::") - 1 :: 2][:2] == ["", ""]


def test_an_example_stays_as_it_is_up_to_the_empty_line():
    example = ">>> f('$a$', `x`)\n'$a$'"
    assert as_rst(f"{example}\n\nThe $a$.") == f"{example}\n\nThe :math:`a`\\ ."


def test_statements_are_named_in_a_line_that_may_be_long():
    text = "Do.\n\nBook: thm-unique,\nprop-flow.\n\nExample:"
    assert labels(text) == ["thm-unique", "prop-flow"]
    assert "In the book: :statement:`thm-unique`, :statement:`prop-flow`.\n" in as_rst(text)


@pytest.mark.parametrize("text", ["See the book: thm-unique.", "Book thm-unique.", "Book: it."])
def test_control_other_lines_name_no_statement(text):
    assert labels(text) in ([], ["it"])
    assert "thm-unique" not in labels(text)


def test_what_is_short_ends_with_the_first_empty_line():
    assert first_paragraph("\nOne\nand a half.\n\nTwo.") == "One\nand a half."
