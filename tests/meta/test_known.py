"""The reference lists each operation that the tracer knows once, with what its rule says."""

import pytest
from docutils import nodes

from gaugebook import known
from gaugelib.tracing.rules import MOVES, REFUSED, RULES
from tests.meta.prose import ROOT


@pytest.fixture
def listed():
    """What the directive puts on the page, without a page."""
    directive = known.KnownOperations.__new__(known.KnownOperations)
    (made,) = directive.run()
    return made


def told(listed):
    """Name of an operation -> what stands below it, for each time that it is named."""
    return [
        (name.astext(), item.next_node(nodes.definition).astext())
        for item in listed.findall(nodes.definition_list_item)
        for name in item.next_node(nodes.term).findall(nodes.literal)
    ]


def test_every_operation_is_listed_once(listed):
    assert sorted(name for name, _ in told(listed)) == sorted({*RULES, *REFUSED})
    assert len(RULES) > 150


def test_what_is_said_is_what_the_rule_the_moves_or_the_refusal_say(listed):
    for name, text in told(listed):
        if name in REFUSED:
            assert text == f"Refused: {REFUSED[name]}."
        elif name in MOVES:
            assert text == known.MOVED
        else:
            words = " ".join(RULES[name].__doc__.replace("`", "").split())
            assert text.endswith(".")
            assert words.startswith(text), name


def test_names_are_in_code_and_may_break_between_each_other(listed):
    for term in listed.findall(nodes.term):
        kinds = [type(part) for part in term.children]
        assert kinds[::2] == [nodes.literal] * len(kinds[::2])
        assert [part.astext() for part in term.children[1::2]] == [", "] * len(kinds[1::2])


def test_a_page_of_the_reference_has_the_list():
    pages = [path.read_text("utf8") for path in (ROOT / "book").glob("reference*.md")]
    assert sum(page.count(".. known-operations::") for page in pages) == 1


def test_control_a_rule_that_says_nothing_is_noticed(monkeypatch):
    monkeypatch.setitem(RULES, "unheard", lambda op: None)
    found = {name: text for names, text in known.rows() for name in names}
    assert found["unheard"] == ""
    assert all(text for name, text in found.items() if name != "unheard")


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("One. Two.", "One."),
        ("A clamp(min=0.5) of\n    two lines.\n\nMore.", "A clamp(min=0.5) of two lines."),
        ("No stop", ""),
        (None, ""),
    ],
)
def test_the_first_sentence_ends_at_its_full_stop(docstring, sentence):
    assert known.first_sentence(docstring) == sentence
