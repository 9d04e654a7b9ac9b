"""PhasePlane's mode "edge" by effect: by keyboard it shows where torch's own steps lead."""

import pytest

from gaugelib.widgets import PhasePlane
from gaugelib.widgets.phase_plane.edge import LAST
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by
from tests.widgets.phase_plane.test_edge import one_case

START = (2.0, 0.1)


class Edge(OnPage):
    """One PhasePlane in the mode "edge", and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-phase", index)
        self.point = self.control("slider", "the start")
        self.rate = self.control("slider", "step size")
        self.target = self.control("slider", "target")
        self.clock = self.control("slider", "step k")

    def must_show(self, start=START, *, lr=0.25, target=1.0, steps=LAST) -> None:
        """The readouts at a step are torch's and gaugelib's; at the last one those of the end."""
        wanted = one_case(start, lr, target)["wanted"]
        seen = {f"{column}-limit": formatted(2 / lr) for column in ("start", "now")}
        for what in ("sharpness", "charge", "product"):
            seen[f"start-{what}"] = formatted(wanted[what][0])
            seen[f"now-{what}"] = formatted(wanted[what][steps])
        if steps < LAST:
            seen |= {"outcome": "–", "end-sharpness": "–", "end-charge": "–"}
            seen["measured-next"] = seen["law-next"] = formatted(wanted["charge"][steps + 1])
        else:
            seen["outcome"] = "at a minimum"
            seen |= {f"end-{what}": formatted(wanted["end"][what]) for what in wanted["end"]}
        kept = wanted["charge"][steps] / wanted["charge"][0]
        seen["measured-kept"] = seen["law-kept"] = formatted(kept)
        assert {key: self.text(key) for key in seen} == seen
        assert self.number("worst") < 1e-14

    def remark(self) -> str:
        return self.root.locator(".gl-remark").inner_text().replace("\n", "")

    def drawn(self) -> int:
        """How many steps are marked in the plane, the start among them."""
        return self.root.locator(".gl-plane .gl-ladder-dots").evaluate(
            "(path) => (path.getAttribute('d').match(/M/g) ?? []).length"
        )


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def edge(show) -> Edge:
    return Edge(show({"a": PhasePlane(mode="edge")}))


def test_the_default_state_ends_like_the_flow_and_gives_nothing_away(edge):
    edge.must_show()
    assert edge.number("end-charge") > 0.9 * edge.number("start-charge")
    assert edge.number("end-sharpness") < edge.number("end-limit")
    assert "near the flow's minimum: Δ is still 96 % of what it was" in edge.remark()
    assert "Which η leads to a balanced one?" in edge.root.locator(".gl-question").inner_text()
    assert "balanced" not in edge.remark()


def test_the_reader_finds_the_step_that_ends_balanced(edge):
    edge.press(edge.rate, *["ArrowRight"] * 25)
    edge.must_show(lr=0.5)
    assert "The swings have burnt the imbalance: |Δ| is 52 % of what it was" in edge.remark()
    edge.press(edge.rate, *["ArrowRight"] * 18)
    assert edge.text("end-limit") == formatted(2 / 0.68)
    assert edge.text("end-sharpness") == "2.000"
    assert abs(edge.number("end-charge")) < 0.01
    assert "It ends balanced" in edge.remark()
    assert "λmax = 2|y| = 2.00" in edge.remark()


def test_a_page_may_open_before_anything_has_moved(show):
    edge = Edge(show({"a": PhasePlane(mode="edge", steps=0)}))
    edge.must_show(steps=0)
    assert edge.drawn() == 1
    assert edge.remark() == "No step has been made yet."
    assert not edge.root.locator(".gl-end").is_visible()
    edge.push("One step")
    edge.must_show(steps=1)
    edge.press(edge.clock, "ArrowRight", "ArrowRight")
    edge.must_show(steps=3)
    assert edge.drawn() == 4
    assert "The first 3 of 40 steps" in edge.remark()
    edge.press(edge.clock, "End")
    edge.must_show()
    assert edge.root.locator(".gl-end").is_visible()
    assert edge.control("button", "One step").is_disabled()
    edge.push("Reset")
    edge.must_show(steps=0)


def test_it_runs_pauses_and_ends(show):
    edge = Edge(show({"a": PhasePlane(mode="edge", steps=0)}))
    edge.page.emulate_media(reduced_motion="no-preference")
    edge.push("Run")
    assert edge.control("button", "Pause").is_visible()
    edge.page.wait_for_timeout(400)
    edge.push("Pause")
    steps = int(edge.text("now-steps"))
    assert 0 < steps < LAST
    edge.must_show(steps=steps)
    edge.page.wait_for_timeout(300)
    assert int(edge.text("now-steps")) == steps
    edge.push("Run")
    edge.page.wait_for_function(
        "() => document.querySelector('[data-readout=\"outcome\"]').textContent !== '–'"
    )
    edge.must_show()
    assert edge.control("button", "Run").is_visible()


def test_a_reader_who_asks_for_no_motion_is_shown_the_end_at_once(show):
    edge = Edge(show({"a": PhasePlane(mode="edge", steps=2)}))
    edge.page.emulate_media(reduced_motion="reduce")
    edge.push("Run")
    edge.must_show()
    assert edge.control("button", "Run").is_disabled()


def test_the_target_moves_the_minima_and_the_slider_keeps_the_focus(edge):
    before = edge.root.locator(".gl-plane .gl-solutions").get_attribute("d")
    edge.press(edge.target, "ArrowLeft", "ArrowLeft")
    edge.must_show(target=0.5)
    assert edge.target.evaluate("(e) => e === document.activeElement")
    assert edge.root.locator(".gl-plane .gl-solutions").get_attribute("d") != before
    edge.push("Reset")
    edge.must_show()


def test_the_start_moves_by_arrow_keys_to_any_sign(edge):
    edge.press(edge.point, *["ArrowUp"] * 8, *["ArrowLeft"] * 20)
    edge.must_show((1.0, 0.5))
    assert edge.point.get_attribute("aria-valuetext") == "w 1.00, v 0.500"
    edge.press(edge.point, *["ArrowLeft"] * 30)
    assert edge.point.get_attribute("aria-valuetext") == "w -0.500, v 0.500"
    assert edge.text("outcome") == "at the saddle (0, 0)"
    edge.press(edge.point, "ArrowUp")
    assert edge.text("outcome") == "at a minimum"


@pytest.mark.parametrize(
    ("traits", "outcome", "told"),
    [
        ({"lr": 1.0}, "nowhere, it diverges", "too long"),
        ({"w": 1.3, "v": 1.0, "lr": 1.1}, "in a cycle of 2", "Even the flattest minimum"),
        ({"w": 1.2, "v": 1.2, "lr": 1.9}, "nowhere, it moves on", "in no cycle of up to 16"),
        ({"v": 0.5, "lr": 0.9}, "at a minimum", "the least nudge leaves"),
        ({"w": 1.0, "v": -1.0}, "at the saddle (0, 0)", "a saddle"),
    ],
)
def test_other_ends_are_named(show, axe, traits, outcome, told):
    edge = Edge(show({"a": PhasePlane(mode="edge", **traits)}))
    assert edge.text("outcome") == outcome
    assert told in edge.remark()
    assert axe(edge.page, within=".gl-widget") == []


def test_a_mouse_drags_the_start(edge):
    edge.point.scroll_into_view_if_needed()
    box = edge.point.locator(".gl-point").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = edge.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 60, y - 60, steps=5)
    mouse.up()
    edge.frame()
    start = edge.number("start-charge")
    assert start < 2.5
    mouse.move(x, y)
    edge.frame()
    assert edge.number("start-charge") == start


def test_it_speaks_once_the_reader_rests(edge):
    edge.press(edge.rate, "ArrowRight")
    said = edge.spoken()
    assert "w 2.00, v 0.100, step size 0.26, 2/η 7.692. At step 40 sharpness 4.309" in said
    assert "It ends near the flow's minimum" in said


def test_everything_is_reached_by_the_tab_key(show):
    edge = Edge(show({"a": PhasePlane(mode="edge", steps=1)}))
    edge.point.focus()
    for wanted in ["the start", "step size", "target", "step k", "Run", "One step", "Reset"]:
        name = edge.page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') ?? "
            "document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent"
        )
        assert wanted in name
        edge.page.keyboard.press("Tab")


def test_two_copies_do_not_disturb_each_other(show):
    other = PhasePlane(mode="edge", w=1.0, v=0.5, target=0.5)
    page = show({"a": PhasePlane(mode="edge"), "b": other, "c": PhasePlane()}, "abc")
    first, second = Edge(page, 0), Edge(page, 1)
    first.press(first.rate, "ArrowLeft")
    first.press(first.target, "ArrowLeft")
    second.must_show((1.0, 0.5), target=0.5)
    first.must_show(lr=0.24, target=0.75)
    assert page.locator("main [id]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    others = {
        "b": PhasePlane(mode="edge", w=4.0, v=0.1, lr=0.3, steps=3),
        "c": PhasePlane(mode="edge", w=1.3, v=1.0, lr=1.1),
        "d": PhasePlane(mode="edge", lr=0.68),
    }
    page = show({"a": PhasePlane(mode="edge"), **others}, "abcd", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": PhasePlane(mode="edge", steps=0)}, "aa")
    page.emulate_media(reduced_motion="no-preference")
    edge = Edge(page)
    edge.push("Run")  # and it is still running when the page is left
    assert edge.control("button", "Pause").is_visible()
    assert cleaned_up(page)[1] == []


@pytest.mark.parametrize("traits", [{}, {"w": 1.2, "v": 1.2}])
def test_a_redraw_fits_into_a_frame(show, traits):
    """Also where the step size leads through runs that never settle."""
    page = show({"a": PhasePlane(mode="edge", **traits)})
    assert fits_a_frame(page, ".gl-phase")
