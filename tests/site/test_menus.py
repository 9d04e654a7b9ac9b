"""What the theme left to Bootstrap works without it: the menu, and the way up."""

import pytest

FOCUSED = "() => document.activeElement.textContent.trim()"


@pytest.fixture
def page(open_page):
    return open_page("book/symmetry.html", width=1400)


@pytest.fixture
def button(page):
    return page.locator(".dropdown-download-buttons > button")


@pytest.fixture
def menu(page):
    return page.locator(".dropdown-download-buttons > .dropdown-menu")


def test_a_menu_opens_and_closes_by_keyboard(page, button, menu):
    assert not menu.is_visible()
    button.focus()
    page.keyboard.press("Enter")
    assert menu.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    first = page.evaluate(FOCUSED)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) != first
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == first
    page.keyboard.press("Escape")
    assert not menu.is_visible()
    assert button.get_attribute("aria-expanded") == "false"
    assert button.evaluate("(e) => e === document.activeElement")


def test_a_menu_closes_by_a_click_elsewhere_and_when_left_by_keyboard(page, button, menu):
    button.click()
    assert menu.is_visible()
    page.locator("article p:visible").first.click()
    assert not menu.is_visible()
    button.click()
    page.mouse.move(10, 800)  # the theme also shows the menu under the mouse
    button.focus()
    for _ in range(12):
        page.keyboard.press("Tab")
    assert not menu.is_visible()


def test_a_menu_lies_within_the_window_and_passes_axe(page, button, menu, axe):
    page.set_viewport_size({"width": 320, "height": 640})
    button.click()
    box = menu.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert axe(page, within=".bd-header-article") == []
