"""PhasePlane's mode "pairing" by effect: by keyboard it shows what scipy computes."""

import pytest

from gaugelib.widgets import PhasePlane
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by
from tests.widgets.phase_plane.test_pairing import minimum_norm, one_case

PAIRS = ((1, 1), (1, 2), (2, 1), (2, 2))


# Texts of one drawing whose letters overlap: boxes, a little smaller than the line.
CROWDED = """() => [...document.querySelectorAll(".gl-widget svg:has(> g > .gl-axes, > .gl-axes)")]
  .flatMap((svg) => {
    const texts = [...svg.querySelectorAll(".gl-axes text")].filter((t) => t.textContent);
    const boxes = texts.map((t) => t.getBoundingClientRect());
    const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.3 * Math.min(a.height, b.height);
    return boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b, j) =>
      meet(a, b) ? [`${texts[i].textContent} on ${texts[i + 1 + j].textContent}`] : []));
  })"""


class Pairing(OnPage):
    """One PhasePlane in the mode "pairing", and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-phase", index)
        self.point = self.control("slider", "the start")
        self.gauge = self.control("checkbox", "each row starts")

    def choose_pair(self, p: int, q: int) -> None:
        self.press(self.control("button", f"p = {p}, q = {q}"), "Enter")

    def must_show(self, point, p, q, *, balanced=True) -> None:
        """The table, and which of the four stay on their law."""
        wanted = one_case(point, p, q, balanced, target=4.0)["wanted"]
        names = ("end", "change", "driven")
        # A charge that is zero up to rounding has no digits to compare.
        for name in (*names, "promised"):
            if abs(wanted[name]) < 1e-9:
                assert abs(self.number(f"here-{name}")) < 1e-9
            else:
                assert self.text(f"here-{name}") == formatted(wanted[name])
        for pair in PAIRS:
            if pair[0] == pair[1]:
                assert self.number(f"off-{pair[0]}-{pair[1]}") < 1e-8
            else:
                assert self.number(f"off-{pair[0]}-{pair[1]}") > 0.3


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def pairing(show) -> Pairing:
    return Pairing(show({"a": PhasePlane(mode="pairing")}))


def test_the_default_state_makes_the_point(pairing):
    pairing.must_show((0.5, 1.0), 2, 1)
    marks = {pair: pairing.control("button", f"p = {pair[0]}, q = {pair[1]}") for pair in PAIRS}
    for (p, q), button in marks.items():
        assert ("✓" if p == q else "✗") in button.text_content()
        assert button.get_attribute("aria-pressed") == str((p, q) == (2, 1)).lower()


def test_the_chapter_asks_before_the_flows_run(open_page):
    pairing = Pairing(open_page("book/pairing.html"))
    cells = {pair: pairing.control("button", f"p = {pair[0]}, q = {pair[1]}") for pair in PAIRS}
    lines = pairing.root.locator(".gl-plane :is(.gl-orbit, .gl-other, .gl-end)")
    assert not any(mark in cell.text_content() for cell in cells.values() for mark in "✓✗")
    assert [line.is_visible() for line in lines.all()] == [False] * 5
    assert [pairing.text(f"off-{p}-{q}") for p, q in PAIRS] == ["–"] * 4
    pairing.choose_pair(1, 2)
    assert pairing.text("here-end") == "–"
    assert pairing.spoken() == "Metric 1, regulariser 2."
    pairing.press(pairing.control("checkbox", "let the four flows run"), "Space")
    pairing.must_show((0.5, 1.0), 1, 2)
    for (p, q), cell in cells.items():
        assert ("✓ on its law" if p == q else "✗ off its law") in cell.text_content()
    assert [line.is_visible() for line in lines.all()] == [True] * 5


def test_axis_labels_do_not_lie_on_each_other(show):
    for width in (320, 375, 520, 740):
        page = show(
            {"a": PhasePlane(mode="pairing"), "b": PhasePlane(mode="flow")}, "ab", width=width
        )
        assert page.evaluate(CROWDED) == []


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_each_pair_is_chosen_by_keyboard_and_shows_its_numbers(pairing, p, q):
    pairing.choose_pair(p, q)
    pairing.must_show((0.5, 1.0), p, q)
    w, v = minimum_norm(0.5, 1.0, p)
    said = f"w {formatted(w, 3)}, v {formatted(v, 3)}"
    assert pairing.point.get_attribute("aria-valuetext") == said
    remark = pairing.root.locator(".gl-remark").text_content()
    assert remark.startswith("Paired" if p == q else "Not paired")


def test_a_start_that_is_moved_decays_by_its_law_where_the_pair_fits(pairing):
    pairing.press(pairing.gauge, "Space")
    pairing.must_show((0.5, 1.0), 2, 1, balanced=False)
    pairing.choose_pair(2, 2)
    pairing.press(pairing.point, *["ArrowRight"] * 30)
    pairing.must_show((2.0, 1.0), 2, 2, balanced=False)
    assert pairing.text("here-end") == pairing.text("here-promised")


def test_an_arrow_key_on_a_balanced_start_sets_it_free_where_it_is_seen(pairing):
    pairing.choose_pair(1, 1)
    pairing.press(pairing.point, *["ArrowRight"] * 2)
    assert not pairing.gauge.is_checked()
    assert pairing.point.get_attribute("aria-valuetext") == "w 0.600, v 1.00"
    pairing.push("Reset")
    assert pairing.gauge.is_checked()
    pairing.must_show((0.5, 1.0), 2, 1)


def test_without_weight_decay_nothing_leaves_its_law(pairing):
    pairing.press(pairing.control("slider", "weight decay"), "Home")
    assert all(pairing.number(f"off-{p}-{q}") < 1e-9 for p, q in PAIRS)


def test_it_speaks_once_the_reader_rests(pairing):
    pairing.choose_pair(1, 2)
    said = pairing.spoken()
    assert "Metric 1, regulariser 2: charge" in said
    assert "off its law by 0.9" in said


def test_everything_is_reached_by_the_tab_key(pairing):
    expected = ["the start", "decay λ", "each row", *["p = "] * 4, "Reset"]
    pairing.point.focus()
    for wanted in expected:
        name = pairing.page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') ?? "
            "document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent"
        )
        assert wanted in name
        pairing.page.keyboard.press("Tab")


def test_two_copies_do_not_disturb_each_other(show):
    other = PhasePlane(mode="pairing", w=2.0, v=1.0, balanced=False, p=1)
    page = show({"a": PhasePlane(mode="pairing"), "b": other}, "ab")
    first, second = Pairing(page, 0), Pairing(page, 1)
    first.choose_pair(2, 2)
    second.must_show((2.0, 1.0), 1, 1, balanced=False)
    first.must_show((0.5, 1.0), 2, 2)
    assert page.locator("main [id]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    other = PhasePlane(mode="pairing", w=4.0, v=0.2, balanced=False, decay=0.25)
    page = show({"a": PhasePlane(mode="pairing"), "b": other}, "ab", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": PhasePlane(mode="pairing")}, "aa")
    Pairing(page).choose_pair(1, 1)
    assert cleaned_up(page)[1] == []


def test_a_redraw_fits_into_a_frame(show):
    page = show({"a": PhasePlane(mode="pairing")})
    assert fits_a_frame(page, ".gl-phase")
