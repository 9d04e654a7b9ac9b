"""AttentionHead by effect: driven by keyboard, it shows what torch's own attention gives."""

import pytest

from gaugelib.widgets import AttentionHead
from tests.widgets.attention_head.heads import ORBITS, scaled, shown, sizes
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by

PAGE = "book/beyond_neurons.html"
ROUNDING = 1e-14


class Head(OnPage):
    """One AttentionHead on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-attention", index)

    def dial(self, caption: str):
        return self.control("slider", f"{caption}: log₂ a")

    def must_show(self, widget: AttentionHead | None = None, **traits) -> AttentionHead:
        """Every number is torch's."""
        widget = AttentionHead(**traits) if widget is None else widget
        found = shown(widget)
        for key, change in found.changes.items():
            if change > 1e-12:
                assert self.text(key) == formatted(change)
            else:
                assert self.number(key) < ROUNDING
        same = max(found.changes.values()) < 1e-12
        assert self.text("verdict") == ("✓ the same head" if same else "✗ another head")
        assert self.text("norm") == formatted(found.norm)
        assert self.text("least") == formatted(found.least)
        both = sizes(scaled(widget), widget.part)
        for orbit in ORBITS[widget.part][widget.rotary and widget.tied]:
            name = "".join(str(c + 1) for c in orbit)
            p, q = (float(side[orbit].sum()) for side in both)
            for letter, size in zip(widget.part, (p, q), strict=True):
                assert self.text(f"{letter}-{name}") == formatted(size, 3)
            charge = self.number(f"charge-{name}")
            assert charge == pytest.approx(p - q, rel=6e-3, abs=1e-13 * (p + q))
        return widget

    def outlines(self) -> list[str]:
        """The outlines of the attention and of the output as they are now, bar by bar."""
        paths = self.root.locator("svg.gl-plot .gl-now")
        found = paths.evaluate_all("(all) => all.map((p) => p.getAttribute('d'))")
        return [bar for path in found for bar in path.split("M")[1:]]

    def numbers(self) -> list[str]:
        """What stands in the cells of the matrices."""
        return self.root.locator("svg.gl-plot .gl-number").all_text_contents()

    def remark(self) -> str:
        return self.root.locator(".gl-remark").text_content() or ""

    def switch(self, name: str) -> None:
        self.press(self.control("checkbox", name), " ")


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def head(show) -> Head:
    return Head(show({"a": AttentionHead()}))


@pytest.fixture
def positions(show) -> Head:
    return Head(show({"a": AttentionHead(rotary=True)}))


@pytest.fixture
def values(show) -> Head:
    return Head(show({"a": AttentionHead(part="vo")}))


@pytest.fixture
def chapter(view) -> Head:
    page = view(PAGE, anew=True)
    page.locator("#fig-head .gl-attention").wait_for()
    return Head(page)


def test_in_the_chapter_it_is_driven_by_keyboard(chapter):
    chapter.must_show()
    chapter.press(chapter.dial("channel 2"), "Home")
    chapter.must_show(log2_scales=[2.0, -4.0, 0.0, 1.0])
    chapter.switch("the key answers")
    chapter.must_show(log2_scales=[2.0, -4.0, 0.0, 1.0], answers=False)
    chapter.push("Reset")
    chapter.must_show()


def test_the_default_state_makes_the_point_before_any_touch(head):
    head.must_show()
    assert [head.text(key) for key in ("pattern", "output")] == ["0", "0"]
    assert "not a bit moves" in head.remark()


def test_a_query_channel_is_scaled_its_key_answers_and_the_bars_stand(head):
    bars, numbers = head.outlines(), head.numbers()
    assert len(bars) == 15 + 20
    head.press(head.dial("channel 3"), *["ArrowRight"] * 4)
    head.must_show(log2_scales=[2.0, -1.0, 1.0, 1.0])
    assert head.outlines() == bars
    changed = [
        k for k, (was, now) in enumerate(zip(numbers, head.numbers(), strict=True)) if was != now
    ]
    assert changed == [8, 9, 10, 11, 24, 25, 26, 27]  # row 3 of both matrices
    assert head.dial("channel 3").get_attribute("aria-valuetext") == "a = 2.00"
    head.press(head.dial("channel 3"), "ArrowRight")
    head.must_show(log2_scales=[2.0, -1.0, 1.25, 1.0])
    assert "what moves is rounding" in head.remark()


def test_control_without_an_answer_the_attention_moves(head):
    bars = head.outlines()
    head.switch("the key answers")
    head.must_show(answers=False)
    assert head.number("pattern") > 0.1
    assert sum(was != now for was, now in zip(bars, head.outlines(), strict=True)) > 20
    head.push("Every a = 1")
    head.must_show(answers=False, log2_scales=[0.0] * 4)
    assert head.outlines() == bars
    head.push("Reset")
    head.must_show()


def test_with_positions_a_pair_has_one_dial_and_its_two_channels_cannot_part(positions):
    positions.must_show(rotary=True)
    assert positions.root.get_by_role("slider").count() == 2
    bars = positions.outlines()
    positions.press(positions.dial("pair 1, 2"), *["ArrowLeft"] * 4)
    positions.must_show(rotary=True, log2_scales=[1.0, 1.0, -1.0, -1.0])
    assert positions.text("pattern") == "0"
    positions.switch("one dial for a pair")
    positions.must_show(rotary=True, tied=False, log2_scales=[1.0, 1.0, -1.0, -1.0])
    assert positions.outlines() == bars
    positions.press(positions.dial("channel 2"), *["ArrowRight"] * 8)
    positions.must_show(rotary=True, tied=False, log2_scales=[1.0, 3.0, -1.0, -1.0])
    assert positions.number("pattern") > 0.05
    assert "Positions turn the two channels" in positions.remark()
    positions.switch("one dial for a pair")
    positions.must_show(rotary=True, log2_scales=[1.0, 3.0, -1.0, -1.0])
    assert positions.text("pattern") == "0"


def test_without_positions_each_channel_has_its_own(positions):
    positions.switch("rotary positions")
    positions.must_show(log2_scales=[2.0, 2.0, -1.0, -1.0])
    assert positions.root.get_by_role("slider").count() == 4
    assert positions.control("checkbox", "one dial for a pair").count() == 0


def test_a_value_channel_is_scaled_its_output_column_answers_and_the_output_stands(values):
    values.must_show(part="vo")
    bars = values.outlines()
    values.press(values.dial("channel 1"), "Home")
    values.must_show(part="vo", log2_scales=[-4.0, -1.0, 0.0, 1.0])
    assert values.outlines() == bars
    values.switch("the output answers")
    values.must_show(part="vo", log2_scales=[-4.0, -1.0, 0.0, 1.0], answers=False)
    assert values.text("pattern") == "0"
    assert values.outlines()[:15] == bars[:15]
    assert values.outlines()[15:] != bars[15:]


@pytest.mark.parametrize("traits", [{}, {"rotary": True}, {"part": "vo"}], ids=str)
def test_the_lightest_is_a_press_away(show, traits):
    head = Head(show({"a": AttentionHead(**traits, answers=False)}))
    head.push("Lightest")
    dials = AttentionHead(**traits).lightest().tolist()
    head.must_show(**traits, log2_scales=dials)
    assert head.text("norm") == head.text("least")
    beams = head.root.locator(".gl-beam")
    assert beams.count() == len(ORBITS[traits.get("part", "qk")]["rotary" in traits])
    assert head.root.locator(".gl-level").count() == beams.count()
    assert "No writing of this head is lighter" in head.remark()
    head.press(head.root.get_by_role("slider").first, "End")
    assert head.number("norm") > head.number("least")


def test_it_speaks_once_the_reader_rests(head):
    head.press(head.dial("channel 1"), "ArrowRight")
    said = head.spoken()
    assert said.startswith("✓ the same head, max |A − A₀| = ")
    assert head.text("norm") in said
    assert said.endswith(head.remark())


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(show):
    head = Head(show({"a": AttentionHead(rotary=True)}))
    expected = ["the key answers", "rotary positions", "one dial for a pair", "pair 1, 2"]
    expected += ["pair 3, 4", "Lightest", "Every a = 1", "Reset"]
    for (name, visible), wanted in zip(head.tabbed(), expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(head):
    page = head.page
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    head.press(head.dial("channel 1"), "ArrowLeft", "Home", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


def test_two_copies_do_not_disturb_each_other_and_leave_nothing_behind(show):
    page = show({"a": AttentionHead(), "b": AttentionHead(part="vo")}, "ab")
    first, second = Head(page, 0), Head(page, 1)
    first.press(first.dial("channel 2"), "ArrowRight")
    first.must_show(log2_scales=[2.0, -0.75, 0.0, 1.0])
    second.must_show(part="vo")
    assert page.locator("main [id]").count() == 0
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    widgets = {
        "a": AttentionHead(),
        "b": AttentionHead(rotary=True),
        "c": AttentionHead(log2_scales=[-4.0, 4.0, -4.0, 4.0], answers=False),
        "d": AttentionHead(part="vo", log2_scales=[-3.7, 2.2, 0.1, 4.0]),
        "e": AttentionHead(rotary=True, tied=False),
    }
    page = show(widgets, "abcde", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_nothing_below_moves_when_the_words_change(show):
    for width in (320, 360, 412, 480, 600, 640, 700, 900):
        page = show(
            {"a": AttentionHead(rotary=True, tied=False), "b": AttentionHead(part="vo")},
            "ab",
            width=width,
        )
        for head, switch in (
            (Head(page, 0), "the key answers"),
            (Head(page, 1), "the output answers"),
        ):
            heights = [head.root.bounding_box()["height"]]
            for act in ("Lightest", "Every a = 1", "Reset"):
                head.push(act)
                heights.append(head.root.bounding_box()["height"])
            head.press(head.dial("channel 1"), "End")
            heights.append(head.root.bounding_box()["height"])
            head.switch(switch)
            heights.append(head.root.bounding_box()["height"])
            assert max(heights) - min(heights) < 1, (width, heights)


@pytest.mark.parametrize("traits", [{}, {"part": "vo"}, {"rotary": True}], ids=str)
def test_a_redraw_fits_into_a_frame(show, traits):
    page = show({"a": AttentionHead(**traits)})
    Head(page)
    assert fits_a_frame(page, ".gl-attention")
