"""The build minifies the modules; what it would spoil without a word is not written in them."""

import pytest
from rjsmin import jsmin

from tests.widgets.node import WIDGETS

MODULES = sorted(path.relative_to(WIDGETS).as_posix() for path in WIDGETS.rglob("*.js"))
NESTED = "const path = (xs) => `M${xs.map((x) => `${x} ${x + 1}`)}`;\n"
QUOTED = "const mark = '`'; // a quote: `\nconst f = (x) => `a ${{ b: x }.b} c`;\nconst g = `d`;\n"


def after(script, start, quote):
    """The place behind a string in plain quotes."""
    while script[start] != quote:
        start += 2 if script[start] == "\\" else 1
    return start + 1


def nested_templates(script):
    """The lines on which a template literal begins within another; no regular expressions."""
    inside, lines, place = [], [], 0
    while place < len(script):
        here, two = script[place], script[place : place + 2]
        step = 1
        if inside and inside[-1] == "`":
            if here == "`":
                inside.pop()
            elif two == "${":
                inside.append("{")
            step = 2 if here == "\\" or two == "${" else 1
        elif here == "`":
            lines += [script.count("\n", 0, place) + 1] if "`" in inside else []
            inside.append("`")
        elif here in "\"'":
            step = after(script, place + 1, here) - place
        elif two in ("//", "/*"):
            end, skipped = ("\n", 0) if two == "//" else ("*/", 2)
            step = script.index(end, place) + skipped - place
        elif here == "{" and inside:
            inside.append("{")
        elif here == "}" and inside:
            inside.pop()
        place += step
    assert not inside, inside
    return lines


@pytest.mark.parametrize("module", MODULES)
def test_no_template_is_within_another(module):
    assert nested_templates((WIDGETS / module).read_text("utf8")) == []


def test_control_one_within_another_is_found_and_would_be_spoilt():
    assert nested_templates("\n" + NESTED) == [2]
    assert "`${x}${x+1}`" in jsmin(NESTED)


def test_control_quotes_comments_and_objects_are_none():
    assert nested_templates(QUOTED) == []
