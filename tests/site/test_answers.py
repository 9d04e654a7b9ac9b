"""A reader answers on the page: the verdict is the checker's, by keyboard, and is not forgotten."""

import json

import pytest

from gaugelib import check
from tests.site import markup
from tools.site_browser import pages

PAGE = "book/pairing_exercises.html"
ON_PAGE = {
    name: checker.asked
    for name, checker in vars(check).items()
    if callable(checker) and getattr(checker, "asked", None)
}
WITHOUT = {"alive", "drift_order", "egd_step", "largest_step", "page_angle", "zero_modes"}
WITHOUT |= {"norms_after"}


@pytest.fixture(params=[(1280, "light"), (320, "dark")], ids=str)
def page(request, open_page):
    width, theme = request.param
    return open_page(PAGE, width=width, theme=theme)


def form(page, name):
    return page.locator(f"form.answer:has(#answer-said-{name})")


def said(page, name):
    return form(page, name).get_by_role("status").inner_text()


def test_formulas_are_answered_by_keyboard(page):
    field = page.get_by_label("halving_epochs(p, decay, lr, steps) =")
    for text, verdict in {
        "": "Cannot be read: write a formula first.",
        "1 / (decay * p * lr * steps)": "Not yet: after that time a share 1/e is left",
        "math.log(2) / (2 * λ * η * steps": "Cannot be read: “)” is missing at the end.",
        "2 * 0": "Not yet: for p = 2.0 the imbalance is not halved then",
        "1 / 0": "Not yet: your answer is infinite",
        "p > 1": "Not yet: return one number; yours is True or False.",
        "0,5": "Cannot be read: a comma ends no number",
        "log(2) / (p * λ * η * steps)": "Correct: the epochs after which one half is left",
    }.items():
        field.fill(text)
        field.press("Enter")
        assert said(page, "halving_epochs").startswith(verdict)
        unread = field.get_attribute("aria-invalid") == "true"
        assert unread == verdict.startswith("Cannot")
    assert said(page, "lost_share") == ""


def test_a_formula_that_cannot_be_read_is_marked_where_it_ends(page):
    field = page.get_by_label("lost_share(")
    field.fill("1 + 2p")
    field.press("Enter")
    assert field.evaluate("e => [e === document.activeElement, e.selectionStart]") == [True, 5]


def test_a_choice_is_ticked_by_keyboard(page):
    boxes = form(page, "keeps_gauge").get_by_role("checkbox")
    assert boxes.count() == 8
    for k in (0, 7):
        boxes.nth(k).focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
    assert said(page, "keeps_gauge").startswith("Correct: two of the eight stay")
    boxes.nth(3).focus()
    page.keyboard.press("Space")
    form(page, "keeps_gauge").get_by_role("button", name="Check").press("Enter")
    assert said(page, "keeps_gauge").startswith("Not yet: ")


def test_two_numbers_have_two_fields_in_either_order(page):
    page.get_by_label("one eigenvalue =").fill("2 * (target - decay)")
    page.get_by_label("the other =").fill("2 * decay")
    page.get_by_label("the other =").press("Enter")
    assert said(page, "two_eigenvalues").startswith("Correct: 2λ for the dial")


def test_an_answer_is_remembered_on_this_machine_and_judged_only_when_asked(open_page):
    page = open_page(PAGE)
    page.get_by_label("lost_share(").fill("1/3")
    page.get_by_label("lost_share(").press("Enter")
    form(page, "keeps_gauge").get_by_role("checkbox").nth(2).check()
    form(page, "keeps_gauge").get_by_role("button").click()
    page.reload()
    assert page.get_by_label("lost_share(").input_value() == "1/3"
    assert form(page, "keeps_gauge").get_by_role("checkbox").nth(2).is_checked()
    assert said(page, "lost_share") == ""


def test_what_was_not_chosen_is_not_chosen_after_a_reload(open_page):
    page = open_page("book/symmetry_exercises.html")
    chosen = form(page, "homogeneity").locator("select")
    chosen.first.select_option("None")
    form(page, "homogeneity").get_by_role("button").click()
    assert said(page, "homogeneity").startswith("Not yet: say something about")
    page.reload()
    now = chosen.evaluate_all("all => all.map(one => one.selectedOptions[0].text)")
    assert now == ["None"] + ["choose"] * (len(now) - 1)


def test_a_verdict_goes_when_its_answer_is_edited(open_page):
    field = open_page(PAGE).get_by_label("lost_share(")
    field.fill("1 +")
    field.press("Enter")
    assert said(field.page, "lost_share").startswith("Cannot be read")
    field.press("End")
    field.type("1")
    assert said(field.page, "lost_share") == ""
    assert field.get_attribute("aria-invalid") is None


def test_a_page_that_may_not_remember_judges_all_the_same(open_page, file_url):
    page = open_page(file_url("book/minimum_norm_exercises.html"))
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error(); }; }")
    for name, text in {"p": "0.5", "w_in": "1", "w_out": "100", "a": "2"}.items():
        form(page, "refutation").get_by_label(f"{name} =", exact=True).fill(text)
    form(page, "refutation").get_by_role("button").click()
    assert said(page, "refutation") == "Not yet: a = 2 obeys the printed bound 11; go further."


def test_an_open_form_is_accessible_and_fits_its_page(page, axe):
    page.get_by_label("lost_share(").fill("^")
    page.get_by_label("lost_share(").press("Enter")
    form(page, "lost_share").locator("summary").click()
    assert axe(page, within="form.answer") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_a_page_says_what_it_said_and_shows_no_form(open_page):
    page = open_page(PAGE, scripts=False)
    how = page.locator(".verdict-how").first.inner_text()
    assert "below" not in how
    assert "run this page in" in how
    assert page.locator("form.answer, input[type=text]:visible").count() == 0
    assert (
        "cases" not in page.locator("article").inner_text().lower().split("which of the eight")[0]
    )


def test_each_exercise_of_cases_is_on_one_page_and_the_others_say_that_they_take_python(site):
    found = []
    for name in pages(site):
        page = markup.read(site / name)
        for holder in page.select("script.answer-cases"):
            assert holder.find_parent(class_="cell_output")
            assert not holder.find_parent(class_="solution")
        found += [json.loads(h.string)["name"] for h in page.select("script.answer-cases")]
        for how in page.select(".verdict-how"):
            cell = how.find_parent(class_="cell").get_text()
            here = any(f"check.{one}(" in cell for one in ON_PAGE)
            assert ("which takes Python" in how.get_text()) != here
    assert sorted(found) == sorted(ON_PAGE)
    assert not ON_PAGE.keys() & WITHOUT
