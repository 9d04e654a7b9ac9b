"""A reader chooses, and only then the answer opens; who cannot choose finds it at the end."""

import json
import re

import pytest

from tests.site import guesses, markup
from tests.site.copies import build_copy
from tests.site.findings import sideways

pytestmark = pytest.mark.xdist_group("predict")
SUM, PRIMES = "#predict-sum", "#predict-primes"
CHOOSE, SHOW = "That is my prediction", "Show me"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guesses")
    site = guesses.write(folder)
    complaint = build_copy(folder)
    if complaint:
        pytest.fail(complaint, pytrace=False)
    return site


@pytest.fixture
def at(small, serve, open_page):
    """Opens the page with questions."""
    address = serve(small)
    return lambda page="guesses", where="", **how: open_page(
        f"{address}book/{page}.html{where}", **how
    )


def press(page, question, name):
    page.locator(question).get_by_role("button", name=name).click()


def choose(page, question, *choices):
    for choice in choices:
        page.locator(question).get_by_label(choice).check()
    press(page, question, CHOOSE)


def answer(page, question):
    return page.locator(f"{question}-answer")


def shown(page, question):
    return answer(page, question).inner_text()


def test_nothing_that_answers_is_seen_before(at):
    page = at()
    seen = page.locator("article").inner_text()
    for told in (
        "all: 5050",
        "2525",
        "they make 5050",
        "on the average",
        "Answers to the",
        "right",
    ):
        assert told not in seen
    assert seen.count("Opens when you have chosen") == 3
    assert "Words that follow" in seen


def test_a_choice_opens_what_answers_it_and_no_more(at):
    page = at()
    choose(page, SUM, "about 10 000")
    assert page.get_by_text("all: 5050").is_visible()
    assert page.get_by_text("Half of it is 2525").is_visible()
    assert not page.locator("summary").get_by_text("Opens when").first.is_visible()
    assert not answer(page, PRIMES).is_visible()
    text = re.sub(r"\s+", " ", shown(page, SUM))
    assert text.startswith("What the sum is You said: about 10 000 not so Computed: they make 5050")
    # the sentence of the choice comes first, then the others, then what is for all
    parts = ("It would be if all", "That many numbers", "5000 right A number is fifty", "A boy")
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_the_right_choice_is_told_that_it_is(at):
    page = at()
    choose(page, SUM, "about 5000")
    assert "You said: about 5000 right" in re.sub(r"\s+", " ", shown(page, SUM))


def test_the_answer_stands_where_it_is_written(at):
    page = at()
    choose(page, SUM, "about 5000")
    above, box, below = (
        page.locator(place).bounding_box()["y"]
        for place in ("#a-table", f"{SUM}-answer", "p:text-is('Words that follow.')")
    )
    assert above < box < below


SAID = {
    ("seven", "eleven"): "seven; eleven right",
    ("seven",): "seven partly right",
    ("seven", "nine", "eleven"): "seven; nine; eleven partly right",
    ("nine",): "nine not so",
}


def test_of_several_each_may_be_ticked(at):
    page = at()
    for choices, said in SAID.items():
        choose(page, PRIMES, *choices)
        text = re.sub(r"\s+", " ", shown(page, PRIMES))
        assert f"You said: {said} Computed: 7 and 11" in text
        press(page, PRIMES, "Choose again")


def test_who_will_not_play_is_shown_at_once(at):
    page = at()
    press(page, SUM, SHOW)
    assert page.get_by_text("all: 5050").is_visible()
    assert "You said" not in shown(page, SUM)
    assert "about 5000 right" in re.sub(r"\s+", " ", shown(page, SUM))


def test_a_shut_line_opens_by_itself(at):
    page = at()
    page.locator(".predict-shut summary").nth(1).press("Enter")
    assert page.get_by_text("all: 5050").is_visible()
    assert answer(page, SUM).is_visible()
    assert not answer(page, PRIMES).is_visible()


def test_without_a_choice_the_reader_is_asked_for_one(at):
    page = at()
    press(page, SUM, CHOOSE)
    assert not answer(page, SUM).is_visible()
    first = page.locator(SUM).get_by_role("radio").first
    assert "Show me" in first.evaluate("(e) => e.validationMessage")
    choose(page, SUM, "about 5000")
    assert answer(page, SUM).is_visible()


def test_what_was_chosen_is_kept_until_the_reader_chooses_again(at):
    page = at()
    choose(page, SUM, "about 10 000")
    page.reload()
    assert "You said: about 10 000" in shown(page, SUM)
    assert page.locator(SUM).get_by_label("about 10 000").is_checked()
    press(page, SUM, "Choose again")
    assert not answer(page, SUM).is_visible()
    assert not page.get_by_text("all: 5050").is_visible()
    assert not page.locator(SUM).get_by_label("about 10 000").is_checked()
    page.reload()
    assert not answer(page, SUM).is_visible()
    choose(page, SUM, "about 5000")
    assert "You said: about 5000" in shown(page, SUM)


def test_a_question_that_has_changed_is_asked_anew(at):
    page = at()
    choose(page, SUM, "about 5000")
    page.evaluate("""() => {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith("predict:")) localStorage[key] = JSON.stringify(["another choice"]);
      }
    }""")
    page.reload()
    assert not answer(page, SUM).is_visible()


def test_a_browser_that_keeps_nothing_is_no_obstacle(at):
    page = at()
    page.add_init_script("""for (const act of ["getItem", "setItem", "removeItem"]) {
      const kept = Storage.prototype[act];
      Storage.prototype[act] = function (key, ...rest) {
        if (key.startsWith("predict:")) throw new Error("nothing is kept");
        return kept.call(this, key, ...rest);
      };
    }""")
    page.reload()
    choose(page, SUM, "about 5000")
    assert answer(page, SUM).is_visible()
    press(page, SUM, "Choose again")
    choose(page, SUM, "about 10 000")
    assert "You said: about 10 000" in shown(page, SUM)


def test_the_keyboard_alone_does_it(at):
    page = at()
    page.locator(SUM).get_by_role("radio").first.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert "You said: about 10 000" in shown(page, SUM)
    assert page.locator(":focus").inner_text() == "Read the answer"
    assert "The answer is open below" in page.locator(f"{SUM} [aria-live]").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # Choose again
    assert page.locator(":focus").get_attribute("type") == "radio"
    assert not answer(page, SUM).is_visible()


def test_nothing_moves_away_from_the_reader_who_chooses(at):
    page = at()
    page.locator(SUM).get_by_label("about 5000").check()
    before = page.evaluate("scrollY"), page.locator(SUM).bounding_box()["y"]
    press(page, SUM, CHOOSE)
    assert (page.evaluate("scrollY"), page.locator(SUM).bounding_box()["y"]) == before


@pytest.mark.parametrize("place", ["a-table", "predict-sum-answer"])
def test_a_link_to_what_is_shut_opens_it(at, place):
    for page in (at(where=f"#{place}"), at()):
        page.evaluate("(place) => { location.hash = place; }", place)
        page.locator(f"#{place}").wait_for()
        assert page.locator(f"#{place}").bounding_box()["y"] >= 0
        assert not answer(page, PRIMES).is_visible()


def test_the_link_to_the_answer_leads_there_and_back(at):
    page = at()
    choose(page, SUM, "about 5000")
    page.get_by_role("link", name="Read the answer").first.click()
    assert page.url.endswith("#predict-sum-answer")
    page.go_back()
    assert answer(page, SUM).is_visible()


@pytest.mark.parametrize("played", [False, True])
def test_paper_has_all_answers_at_its_end_and_no_form(at, played):
    page = at()
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


def test_without_scripts_the_answers_are_at_the_end(at):
    page = at(scripts=False)
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
def test_a_page_of_questions_is_accessible_before_and_after(at, axe, theme, width):
    page = at(theme=theme, width=width)
    assert axe(page) == []
    choose(page, SUM, "about 10 000")
    press(page, PRIMES, SHOW)
    assert axe(page) == []
    assert sideways(page) == []


def test_where_nothing_was_executed_there_is_no_verdict(at, small):
    page = at("unread")
    choose(page, "#predict-sum-unread", "about 5000")
    text = shown(page, "#predict-sum-unread")
    assert "You said: about 5000" in text
    assert "A number is fifty" in text
    for told in ("Computed", "right", "not so"):
        assert told not in text


def test_only_a_page_with_questions_loads_the_script(small):
    loads = {page.stem: "predict.js" in page.read_text("utf8") for page in small.glob("*/*.html")}
    assert {name for name, does in loads.items() if does} == {"guesses", "unread"}


def test_the_cells_that_find_the_verdicts_are_nowhere_in_the_site(small):
    page = (small / "book/guesses.html").read_text("utf8")
    source = json.loads((small / "_sources/book/guesses.ipynb").read_text("utf8"))
    assert "judge" not in page + json.dumps(source)
    assert len(source["cells"]) == len(guesses.notebook().cells)
    assert len(markup.read(small / "book/guesses.html").select("div.cell")) == 4


def test_the_search_does_not_know_the_answers(small):
    index = (small / "searchindex.js").read_text("utf8")
    assert "first hundred numbers" in index
    assert "Words that follow" in index
    for told in ("Answers to the predictions", "What the sum is", "fifty", "three threes"):
        assert told not in index
