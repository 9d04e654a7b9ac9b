"""PhasePlane's mode "soft" by effect: by keyboard it shows what gaugelib's penalties do."""

import math

import pytest

from gaugelib.widgets import PhasePlane
from gaugelib.widgets.phase_plane import PENALTIES
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by
from tests.widgets.phase_plane.test_soft import one_case

START = (3.0, 0.5)


class Soft(OnPage):
    """One PhasePlane in the mode "soft", and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-phase", index)
        self.point = self.control("slider", "the start")
        self.time = self.control("slider", "time t")
        self.strength = self.control("slider", "strength")

    def must_show(self, penalty, start=START, *, strength=0.5, time=2.0) -> None:
        """All four penalties at this time, and the chosen one beside its closed form."""
        for name in PENALTIES:
            wanted = one_case(name, start, strength, time)["wanted"]
            for what in ("factor", "u"):
                assert self.text(f"{name}-{what}") == formatted(wanted[what])
        wanted = one_case(penalty, start, strength, time)["wanted"]
        for what in ("u", "charge", "product"):
            assert self.text(f"now-{what}") == formatted(wanted[what])
            if (penalty, what) == ("log-ratio", "u"):
                assert self.text(f"exact-{what}") == "–"
            else:
                assert self.text(f"exact-{what}") == formatted(wanted[what])
        assert self.text("start-product") == formatted(math.prod(start))
        assert self.text("start-u") == formatted(math.log(start[0] / start[1]))


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def soft(show) -> Soft:
    return Soft(show({"a": PhasePlane(mode="soft")}))


def test_the_default_state_makes_the_point(soft):
    soft.must_show("imbalance")
    assert soft.text("imbalance-factor") == soft.text("gauge-factor") == "1.000"
    assert soft.number("log-ratio-factor") > 2.5
    assert soft.number("decay-factor") < 0.2


def test_the_chapter_asks_before_anything_has_moved(open_page):
    soft = Soft(open_page("book/soft_gauge.html"))
    soft.must_show("imbalance", strength=1.0, time=0.0)
    paths = soft.root.locator(".gl-plane :is(.gl-by-imbalance, .gl-by-log-ratio)")
    length = "(all) => all.map((path) => path.getTotalLength())"
    assert max(paths.evaluate_all(length)) == 0
    assert "Nothing has moved" in soft.root.locator(".gl-remark").text_content()
    soft.press(soft.time, *["ArrowRight"] * 10)
    soft.must_show("imbalance", strength=1.0, time=1.0)
    early = paths.evaluate_all(length)
    assert min(early) > 5
    soft.press(soft.time, "End")
    later = paths.evaluate_all(length)
    assert all(b > a for a, b in zip(early, later, strict=True))


@pytest.mark.parametrize("penalty", PENALTIES)
def test_each_penalty_is_chosen_by_keyboard_and_stands_beside_its_closed_form(soft, penalty):
    soft.choose("penalty", penalty)
    soft.must_show(penalty)
    remark = soft.root.locator(".gl-remark").text_content()
    words = {"imbalance": "hyperbola", "log-ratio": "3.083", "gauge": "back", "decay": "nothing"}
    assert words[penalty] in remark


def test_time_and_strength_move_the_points_as_the_laws_say(soft):
    soft.choose("penalty", "gauge")
    soft.press(soft.time, *["ArrowRight"] * 10)
    soft.must_show("gauge", time=3.0)
    soft.press(soft.strength, *["ArrowLeft"] * 6)
    soft.must_show("gauge", time=3.0, strength=0.2)
    assert soft.number("now-u") == pytest.approx(math.log(6) * math.exp(-0.6), abs=1e-4)
    soft.press(soft.time, "Home")
    assert soft.text("now-u") == soft.text("start-u")
    assert soft.text("log-ratio-factor") == "1.000"


def test_the_start_moves_by_arrow_keys_and_reset_returns(soft):
    soft.press(soft.point, *["ArrowUp"] * 10, *["ArrowLeft"] * 20)
    soft.must_show("imbalance", (2.0, 1.0))
    assert soft.point.get_attribute("aria-valuetext") == "w 2.00, v 1.00"
    soft.choose("penalty", "decay")
    soft.press(soft.time, "End")
    soft.push("Reset")
    soft.must_show("imbalance")


def test_it_speaks_once_the_reader_rests(soft):
    soft.choose("penalty", "log-ratio")
    said = soft.spoken()
    assert "log-ratio, κ/2 u²: at time 2.00 u is 0.6046, the function 2.594 times" in said


def test_everything_is_reached_by_the_tab_key(soft):
    soft.point.focus()
    for wanted in ["the start", "penalty", "strength", "time t", "Reset"]:
        name = soft.page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') ?? "
            "document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent"
        )
        assert wanted in name
        soft.page.keyboard.press("Tab")


def test_two_copies_do_not_disturb_each_other(show):
    other = PhasePlane(mode="soft", w=0.7, v=2.2, penalty="log-ratio")
    page = show({"a": PhasePlane(mode="soft"), "b": other}, "ab")
    first, second = Soft(page, 0), Soft(page, 1)
    first.press(first.time, "ArrowLeft")
    second.must_show("log-ratio", (0.7, 2.2))
    first.must_show("imbalance", time=1.9)
    assert page.locator("main [id]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    other = PhasePlane(mode="soft", w=0.2, v=4.0, penalty="log-ratio", time=10.0)
    page = show({"a": PhasePlane(mode="soft"), "b": other}, "ab", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": PhasePlane(mode="soft")}, "aa")
    soft = Soft(page)
    soft.press(soft.time, "ArrowRight")
    assert cleaned_up(page)[1] == []


def test_a_redraw_fits_into_a_frame(show):
    page = show({"a": PhasePlane(mode="soft")})
    assert fits_a_frame(page, ".gl-phase")
