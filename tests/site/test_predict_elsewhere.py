"""Where nobody chooses: on paper, without scripts, in what the site holds, by ear."""

import json

import pytest

from gaugebook.packed import unpacked
from tests.site import guesses, markup
from tests.site.findings import sideways
from tests.site.guesses import CHOOSE, PRIMES, SHOW, SUM, answer, choose, press, shown

pytestmark = pytest.mark.xdist_group("predict")


@pytest.mark.parametrize("played", [False, True])
def test_paper_has_all_answers_at_its_end_and_no_form(ask, played):
    page = ask()
    if played:
        choose(page, SUM, "about 10 000")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    text = page.locator("article").inner_text()
    assert text.index("Goodbye") < text.index("Answers to the predictions")
    assert text.index("Answers to the predictions") < text.index("they make 5050")
    assert text.index("they make 5050") < text.index("7 and 11")
    assert "all: 5050" in text
    for left in ("You said", CHOOSE, SHOW, "Read the answer", "Opens when"):
        assert left not in text
    assert page.locator("article :is(input, button):visible").count() == 0
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert answer(page, SUM).is_visible() is played
    assert page.get_by_text("all: 5050").is_visible() is played


def test_without_scripts_the_answers_are_at_the_end(ask):
    page = ask(scripts=False)
    article = page.locator("article")
    text = article.inner_text()
    assert text.index("Goodbye") < text.index("they make 5050") < text.index("7 and 11")
    assert article.locator(":is(input, button):visible").count() == 0
    assert "Opens when" not in text
    page.locator(SUM).get_by_role("link", name="The answer").click()
    assert page.url.endswith("#predict-sum-answer")
    answer(page, SUM).get_by_role("link", name="Back to the question").click()
    assert page.url.endswith("#predict-sum")
    page.locator(".predict-shut summary").first.click()
    assert page.get_by_text("all: 5050").is_visible()


@pytest.mark.parametrize(("width", "theme"), [(320, "light"), (1280, "dark")])
def test_a_page_of_questions_is_accessible_before_and_after(ask, axe, theme, width):
    page = ask(theme=theme, width=width)
    assert axe(page) == []
    choose(page, SUM, "about 10 000")
    press(page, PRIMES, SHOW)
    assert axe(page) == []
    assert sideways(page) == []


def test_where_nothing_was_executed_there_is_no_verdict(ask):
    page = ask("unread")
    choose(page, "#predict-sum-unread", "about 5000")
    text = shown(page, "#predict-sum-unread")
    assert "You said: about 5000" in text
    assert "A number is fifty" in text
    for told in ("Computed", "right", "not so"):
        assert told not in text


def test_only_a_page_with_questions_loads_the_script(guessing):
    loads = {
        page.stem: "predict.js" in page.read_text("utf8") for page in guessing.glob("*/*.html")
    }
    assert {name for name, does in loads.items() if does} == {"guesses", "unread"}


def test_the_cells_that_find_the_verdicts_are_nowhere_in_the_site(guessing):
    page = (guessing / "book/guesses.html").read_text("utf8")
    source = json.loads((guessing / "_sources/book/guesses.ipynb").read_text("utf8"))
    assert "judge" not in page + json.dumps(source)
    assert len(source["cells"]) == len(guesses.notebook().cells)
    assert len(markup.read(guessing / "book/guesses.html").select("div.cell")) == 4


def test_the_search_does_not_know_the_answers(guessing):
    index = json.dumps(unpacked((guessing / "searchindex.js").read_text("utf8")))
    assert "first hundred numbers" in index
    assert "Words that follow" in index
    for told in ("Answers to the predictions", "What the sum is", "fifty", "three threes"):
        assert told not in index


def test_no_choice_is_a_link(guessing):
    page = markup.read(guessing / "book/guesses.html")
    assert page.select("label a, .choice a") == []
    assert "seven" in page.select_one(".predict.several").get_text()
