"""The first page opens with a living network, and with nothing that a reader must install."""

import pytest

from tests.widgets.rescale_neuron.on_page import Shown

PAGE = "book/intro.html"
IN_SIGHT = """(e) => { const box = e.getBoundingClientRect();
  return box.width > 0 && box.top >= 0 && box.bottom <= innerHeight; }"""


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1280, 800), (390, 844)])
def test_the_first_screen_has_the_claim_and_a_dial_to_turn(open_page, width, height):
    page = open_page(PAGE, width=width, height=height)
    dial = Shown(page).slider(2)
    assert page.evaluate("() => scrollY") == 0
    assert page.locator("article p", has_text="exactly the same function").evaluate(IN_SIGHT)
    assert dial.evaluate(IN_SIGHT)


def test_turning_it_moves_the_arrows_and_not_the_function(open_page):
    shown = Shown(open_page(PAGE))
    arrows = shown.root.locator(".gl-network line")
    strokes = "(lines) => lines.map((line) => line.getAttribute('stroke-width'))"
    curve = shown.root.locator(".gl-plot .gl-function")
    before = arrows.evaluate_all(strokes), curve.get_attribute("d")
    shown.press(shown.slider(2), *["ArrowRight"] * 12)
    assert shown.slider(2).get_attribute("aria-valuetext") == "a = 8.000"
    after = arrows.evaluate_all(strokes), curve.get_attribute("d")
    changed = [k for k in range(6) if before[0][k] != after[0][k]]
    assert len(changed) == 2
    assert before[1] == after[1]
    assert shown.text("max-difference") == "0"


def test_no_code_stands_before_the_first_dial(open_page):
    page = open_page(PAGE)
    assert page.locator("article .cell_input").count() == 0
    assert "pip install" not in page.locator("article").inner_text()
