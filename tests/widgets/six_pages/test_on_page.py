"""SixPages by effect: driven by keyboard and pointer, it shows what gaugelib's descent finds."""

import pytest
import torch

from gaugelib.equivariance import deep_sets, descend
from gaugelib.widgets import SixPages
from gaugelib.widgets.six_pages.descent import NAMES, Place, nearest_page, on_page, path
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by

PAGE = "book/two_symmetries.html"
DROP = "Drop constraint, 1 % noise"


def small(value: float) -> str:
    return "< 1e-9" if value < 1e-9 else formatted(value)


class Book(OnPage):
    """One SixPages on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-six-pages", index)
        self.start = self.control("slider", "start on the page")
        self.delta = self.control("slider", "start: δ")
        self.mean = self.control("slider", "start: mean")

    def must_show(self, **traits) -> Place:
        """Every number of the place that is shown, by the widget's path in Python."""
        widget = SixPages(**traits)
        teacher = (widget.teacher[0], widget.teacher[1])
        state = widget.random_state if widget.relaxed else None
        places = path(widget.units, teacher, widget.delta, widget.mean, state)
        place = places[widget.shown]
        for column, at in (("start", places[0]), ("here", place)):
            order, distance, _ = nearest_page(at.weights, teacher)
            assert self.text(f"{column}-loss") == small(at.loss)
            assert self.text(f"{column}-page") == NAMES[order]
            assert self.text(f"{column}-delta") == formatted(on_page(at.weights[list(order)])[0])
            if distance < 1e-9:
                assert self.text(f"{column}-distance") == "< 1e-9"
            else:
                assert self.number(f"{column}-distance") == pytest.approx(distance, rel=0.05)
        path_slider = self.control("slider", "along the path")
        assert path_slider.get_attribute("aria-valuetext") == f"step {place.step}"
        shown = [
            float(text.replace("−", "-"))
            for text in self.root.locator("text.gl-number").all_text_contents()
        ]
        wanted = [*place.weights.flatten(), *deep_sets(*teacher, n=widget.units)[0].flatten()]
        assert shown == pytest.approx([float(x) for x in wanted], abs=0.0051)
        return place

    def remark(self) -> str:
        return self.root.locator(".gl-remark").text_content() or ""


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def book(show) -> Book:
    return Book(show({"a": SixPages()}))


@pytest.fixture
def chapter(view) -> Book:
    view_of_page = view(PAGE, anew=True)
    figure = view_of_page.locator("#fig-six-pages .gl-six-pages")
    figure.wait_for()
    return Book(view_of_page)


def test_in_the_chapter_descent_is_stuck_on_its_side_before_anything_is_touched(chapter):
    place = chapter.must_show()
    assert place.loss == pytest.approx(0.054278, abs=1e-6)
    assert chapter.text("here-least") == chapter.text("here-loss")
    assert "on the side of the spine where it began" in chapter.remark()
    assert "(1" not in chapter.remark()


def test_in_the_chapter_the_page_turns_when_nothing_holds_it(chapter):
    chapter.push(DROP)
    chapter.must_show(relaxed=True)
    assert chapter.text("here-angle") == "60.0°"
    assert chapter.text("here-loss") == "< 1e-9"
    assert chapter.text("here-page") == "(1 3 2)"
    assert "lies on the page of (1 3 2), 60° round the spine" in chapter.remark()
    chapter.push("Reset")
    chapter.must_show()


def test_other_noise_turns_it_the_other_way(book):
    book.push(DROP)
    seen = {book.text("here-page")}
    for state in range(2, 7):
        book.push("Other noise")
        book.must_show(relaxed=True, random_state=state)
        seen.add(book.text("here-page"))
    assert seen == {"(1 2 3)", "(1 3 2)"}


def test_the_start_moves_by_arrow_keys_and_descent_follows(book):
    book.press(book.start, *["ArrowRight"] * 4, "ArrowUp")
    book.must_show(delta=0.8, mean=0.025)
    assert book.delta.input_value() == "0.8"
    book.press(book.start, *["ArrowLeft"] * 20)
    place = book.must_show(delta=-0.2, mean=0.025)
    assert place.loss < 1e-9
    assert "it has found the teacher" in book.remark()


def test_it_ends_where_the_librarys_descent_ends(book):
    book.press(book.delta, "ArrowRight")
    W, v = deep_sets(0.65 * 2 / 3, -0.65 / 3)
    found = descend(W, v, deep_sets(-0.5, 1.0), lr=0.05, steps=3000, train_v=False)
    assert book.text("here-loss") == formatted(float(found.loss[-1]))
    delta = float(found.W[-1, 0, 0] - found.W[-1, 0, 1])
    assert book.number("here-delta") == pytest.approx(delta, abs=1e-3)
    assert torch.allclose(found.W[-1], found.W[-1].T)


def test_the_start_is_dragged_and_drops_what_was_relaxed(book):
    book.push(DROP)
    box = book.root.locator(".gl-page .gl-start").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    book.page.mouse.move(x, y)
    book.page.mouse.down()
    book.page.mouse.move(x + 30, y - 20)
    book.page.mouse.up()
    book.frame()
    after = book.root.locator(".gl-page .gl-start").bounding_box()
    assert after["x"] - box["x"] == pytest.approx(30, abs=4)  # on the grid of its steps
    assert after["y"] - box["y"] == pytest.approx(-20, abs=4)
    book.must_show(delta=float(book.delta.input_value()), mean=float(book.mean.input_value()))


def test_two_units_and_teachers_without_a_trap_are_solved_from_the_other_side(book):
    book.choose("inputs and units", "2")
    place = book.must_show(units=2)
    assert place.loss < 1e-9
    assert "another W that computes what the teacher does" in book.remark()
    assert book.root.locator(".gl-book .gl-half").count() == 2
    book.choose("inputs and units", "3")
    assert book.root.locator(".gl-book .gl-half").count() == 6
    book.choose("teacher", "1 -0.5")
    place = book.must_show(teacher=(1.0, -0.5), delta=-1.2)
    assert place.loss < 1e-9
    book.choose("teacher", "1 0")
    assert book.must_show(teacher=(1.0, 0.0), delta=-0.8).loss > 0.02


def test_a_teacher_of_ones_own_is_shown_and_the_teacher_0_is_not(book):
    book.press(book.control("slider", "teacher’s a"), *["ArrowRight"] * 4)
    book.must_show(teacher=(-0.3, 1.0))
    assert book.control("combobox", "teacher").input_value() == "free"
    book.press(book.control("slider", "teacher’s a"), *["ArrowRight"] * 6)
    b = book.control("slider", "teacher’s b")
    book.press(b, *["ArrowLeft"] * 18)
    assert float(b.input_value()) == pytest.approx(0.1)
    book.press(b, "ArrowLeft")  # over what is nearly 0
    assert float(b.input_value()) == pytest.approx(-0.1)
    book.press(b, "ArrowRight")
    assert float(b.input_value()) == pytest.approx(0.1)


def test_the_path_is_walked_by_its_slider_and_by_run(book):
    along = book.control("slider", "along the path")
    book.press(along, "Home")
    book.must_show(shown=0)
    book.press(along, *["ArrowRight"] * 7)
    book.must_show(shown=7)
    assert book.remark().startswith("Step ")
    book.push("Run")  # at once, for no motion is wanted
    book.must_show()


def test_the_book_is_turned(book):
    leaf = book.root.locator(".gl-book .gl-half").first
    before = leaf.get_attribute("transform")
    book.press(book.control("slider", "turn the book"), *["ArrowLeft"] * 3)
    assert book.root.locator(".gl-book .gl-half").first.get_attribute("transform") != before
    book.must_show(turn=335)


def test_it_speaks_once_the_reader_rests(book):
    book.press(book.delta, "ArrowRight")
    said = book.spoken()
    assert book.text("here-loss") in said
    assert said.endswith(book.remark())


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(book):
    book.press(book.control("slider", "along the path"), "Home")  # there is a way to run
    book.root.evaluate("(e) => e.querySelector('.gl-handle').focus()")
    ring = "(e) => getComputedStyle(e.querySelector('.gl-ring')).strokeWidth"
    book.page.keyboard.press("Shift")
    assert book.root.evaluate(ring) == "3px"
    expected = ["start: δ", "start: mean", "Drop", "Run", "Reset", "along", "turn"]
    expected += ["teacher", "inputs", "teacher’s a", "teacher’s b"]
    for wanted in expected:
        book.page.keyboard.press("Tab")
        name, visible = book.page.evaluate(FOCUSED)
        assert wanted in name
        assert visible, f"no visible focus on {name}"


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(book):
    page = book.page
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    book.press(book.start, "ArrowLeft", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


def test_two_copies_do_not_disturb_each_other_and_leave_nothing_behind(show):
    page = show({"a": SixPages(), "b": SixPages(units=2)}, "ab")
    first, second = Book(page, 0), Book(page, 1)
    first.press(first.delta, "ArrowRight")
    first.must_show(delta=0.65)
    second.must_show(units=2)
    assert page.locator("main [id]").count() == 0
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    own = SixPages(teacher=(-1.5, -1.2), delta=1.5, mean=-1.0)
    widgets = {"a": SixPages(), "b": SixPages(relaxed=True), "c": SixPages(units=2), "d": own}
    page = show(widgets, "abcd", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_nothing_below_moves_when_the_words_change(show):
    for width in (320, 360, 412, 480, 600, 640, 700, 900):
        page = show({"a": SixPages()}, width=width)
        book = Book(page)
        heights = [book.root.bounding_box()["height"]]
        for act in (DROP, "Other noise", "Reset"):
            book.push(act)
            heights.append(book.root.bounding_box()["height"])
        assert max(heights) - min(heights) < 1, (width, heights)


@pytest.mark.parametrize("slider", ["start: δ", "turn the book", "teacher’s a"])
def test_a_redraw_fits_into_a_frame(show, slider):
    page = show({"a": SixPages()})
    assert fits_a_frame(page, ".gl-six-pages", slider)


FOCUSED = """() => {
  const e = document.activeElement;
  const name = e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent;
  return [name, parseFloat(getComputedStyle(e).outlineWidth) >= 2];
}"""
