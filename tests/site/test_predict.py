"""A reader chooses, and only then the answer opens; who cannot choose finds it at the end."""

import re

import pytest

from tests.site.guesses import CHOOSE, PRIMES, SHOW, SUM, answer, choose, press, shown

pytestmark = pytest.mark.xdist_group("predict")


def test_nothing_that_answers_is_seen_before(ask):
    page = ask()
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


def test_a_choice_opens_what_answers_it_and_no_more(ask):
    page = ask()
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


def test_the_right_choice_is_told_that_it_is(ask):
    page = ask()
    choose(page, SUM, "about 5000")
    assert "You said: about 5000 right" in re.sub(r"\s+", " ", shown(page, SUM))


def test_the_answer_stands_where_it_is_written(ask):
    page = ask()
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


def test_of_several_each_may_be_ticked(ask):
    page = ask()
    for choices, said in SAID.items():
        choose(page, PRIMES, *choices)
        text = re.sub(r"\s+", " ", shown(page, PRIMES))
        assert f"You said: {said} Computed: 7 and 11" in text
        press(page, PRIMES, "Choose again")


def test_who_will_not_play_is_shown_at_once(ask):
    page = ask()
    press(page, SUM, SHOW)
    assert page.get_by_text("all: 5050").is_visible()
    assert "You said" not in shown(page, SUM)
    assert "about 5000 right" in re.sub(r"\s+", " ", shown(page, SUM))


def test_who_will_not_play_says_so_once(ask):
    page = ask()
    choose(page, SUM, "about 5000")
    assert not page.locator(SUM).get_by_role("button", name="Show all on this page").is_visible()
    press(page, SUM, "Choose again")
    press(page, SUM, SHOW)
    press(page, SUM, "Show all on this page")
    assert answer(page, PRIMES).is_visible()
    assert page.locator("summary:visible", has_text="Opens when").count() == 0
    page.reload()
    assert answer(page, PRIMES).is_visible()


def test_a_shut_line_opens_by_itself(ask):
    page = ask()
    page.locator(".predict-shut summary").nth(1).press("Enter")
    assert page.get_by_text("all: 5050").is_visible()
    assert answer(page, SUM).is_visible()
    assert not answer(page, PRIMES).is_visible()


def test_without_a_choice_the_reader_is_asked_for_one(ask):
    page = ask()
    press(page, SUM, CHOOSE)
    assert not answer(page, SUM).is_visible()
    first = page.locator(SUM).get_by_role("radio").first
    assert "Show me" in first.evaluate("(e) => e.validationMessage")
    choose(page, SUM, "about 5000")
    assert answer(page, SUM).is_visible()


def test_what_was_chosen_is_kept_until_the_reader_chooses_again(ask):
    page = ask()
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


def test_a_question_that_has_changed_is_asked_anew(ask):
    page = ask()
    choose(page, SUM, "about 5000")
    page.evaluate("""() => {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith("predict:")) localStorage[key] = JSON.stringify(["another choice"]);
      }
    }""")
    page.reload()
    assert not answer(page, SUM).is_visible()


def test_a_browser_that_keeps_nothing_is_no_obstacle(ask):
    page = ask()
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


def test_the_keyboard_alone_does_it(ask):
    page = ask()
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


def test_nothing_moves_away_from_the_reader_who_chooses(ask):
    page = ask()
    page.locator(SUM).get_by_label("about 5000").check()
    before = page.evaluate("scrollY"), page.locator(SUM).bounding_box()["y"]
    press(page, SUM, CHOOSE)
    assert (page.evaluate("scrollY"), page.locator(SUM).bounding_box()["y"]) == before


@pytest.mark.parametrize("place", ["a-table", "predict-sum-answer"])
def test_a_link_to_what_is_shut_opens_it(ask, place):
    for page in (ask(where=f"#{place}"), ask()):
        page.evaluate("(place) => { location.hash = place; }", place)
        page.locator(f"#{place}").wait_for()
        assert page.locator(f"#{place}").bounding_box()["y"] >= 0
        assert not answer(page, PRIMES).is_visible()


def test_the_link_to_the_answer_leads_there_and_back(ask):
    page = ask()
    choose(page, SUM, "about 5000")
    page.get_by_role("link", name="Read the answer").first.click()
    assert page.url.endswith("#predict-sum-answer")
    page.go_back()
    assert answer(page, SUM).is_visible()
