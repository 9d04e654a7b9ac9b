"""PhasePlane on the built page: driven by keyboard, it shows what torch and gaugelib predict."""

import pytest

from gaugelib.widgets import PhasePlane
from tests.widgets.node import formatted
from tests.widgets.on_page import fits_a_frame
from tests.widgets.phase_plane.on_page import (
    FOCUSED,
    RENDER_AND_REMOVE,
    Plane,
    crossing,
    predict,
    revealed,
    static_page,
)

PAGE = "book/symmetry.html"
START = (3.0, 0.4)
STEP = 0.05


@pytest.fixture
def fresh(view):
    """The widget on the built page, as a reader meets it: the prediction is still to be made."""
    return Plane(view(PAGE, anew=True).locator(".gl-phase").first)


@pytest.fixture
def plane(fresh):
    """The same when the reader has ticked all there is to see."""
    return revealed(fresh)


@pytest.fixture
def two_planes(open_page, site, tmp_path):
    """Two widgets on one page, made by the site's own script; they do not share a model."""
    path = tmp_path / "two.html"
    path.write_text(static_page(site, PhasePlane(), PhasePlane(w=1.5, v=-1.0, p=1)))
    page = open_page(path.as_uri())
    return [Plane(page.locator(".gl-phase").nth(k)) for k in (0, 1)]


def test_the_answer_is_not_shown_before_it_is_asked_for(fresh):
    answers = ".gl-family, .gl-solutions, .gl-orbit, .gl-touching, .gl-least, .gl-least-name"
    drawn = fresh.root.locator(f".gl-plane :is({answers})")
    assert drawn.count() == 6
    assert [mark.is_visible() for mark in drawn.all()] == [False] * 6
    assert fresh.read("least-size", "least-gradient") == {
        "least-size": "–",
        "least-gradient": "–",
    }
    assert not fresh.free.is_checked()
    assert "w·v" not in fresh.root.locator(".gl-remark").text_content()
    fresh.shows({name: predict(*START)[name] for name in ("f", "size")})
    revealed(fresh)
    assert [mark.is_visible() for mark in drawn.all()] == [True] * 6
    assert fresh.free.is_checked()
    fresh.push("Reset")
    assert [mark.is_visible() for mark in drawn.all()] == [False] * 6


def test_places_with_the_same_function_are_marked_before_the_orbit_is_shown(fresh):
    hits = fresh.root.locator(".gl-plane .gl-hits")
    count = "(path) => new Set((path.getAttribute('d') ?? '').match(/M[^M]*/g)).size"
    assert hits.evaluate(count) == 1
    fresh.press(fresh.point, "ArrowUp", 4)  # (3, 0.6), which computes another function
    assert hits.evaluate(count) == 1
    fresh.press(fresh.point, "ArrowLeft", 20)  # (2, 0.6), the same one
    assert fresh.number("difference") <= 1e-12
    assert hits.evaluate(count) == 2


def test_the_default_state_makes_the_point(plane):
    plane.shows(predict(*START))
    plane.shows({f"least-{name}": value for name, value in predict(1.2**0.5, 1.2**0.5).items()})
    assert plane.read("difference", "tangent") == {"difference": "0", "tangent": "0"}
    assert plane.number("size") > 3 * plane.number("least-size")
    assert plane.number("curvature") > 5 * plane.number("least-curvature")


def test_the_function_stands_still_along_the_orbit_and_the_norm_takes_the_predicted_values(plane):
    for steps in (1, 19, 20):
        plane.press(plane.along, "ArrowLeft", steps)
        assert plane.number("difference") <= 1e-12
        assert abs(plane.number("tangent")) <= 1e-12
    moved = predict(*START, log2_scale=-40 * STEP)
    plane.shows(moved)
    assert formatted(moved["f"]) == formatted(predict(*START)["f"])
    assert plane.across.get_attribute("aria-valuetext") == "+1.20"


def test_a_move_across_the_orbits_changes_the_function(plane):
    plane.press(plane.across, "ArrowRight", 16)
    assert plane.number("difference") > 1
    w, v = crossing(*START, product=2.0)
    plane.shows(predict(w, v))
    assert plane.number("loss") <= 1e-30
    assert plane.number("imbalance") == pytest.approx(3.0**2 - 0.4**2, abs=5e-4)


@pytest.mark.parametrize("p", [1, 2])
def test_the_button_finds_the_balanced_point(plane, p):
    if p == 1:
        plane.press(plane.norm, "ArrowDown")
    plane.push("Minimum-norm point")
    seen = predict(*START, balanced=True, p=p)
    plane.shows({name: seen[name] for name in seen if name != "imbalance"})
    assert abs(plane.number("imbalance")) <= 1e-15
    assert plane.read("size", "gradient") == {
        name: plane.read(f"least-{name}")[f"least-{name}"] for name in ("size", "gradient")
    }
    before = plane.number("size")
    for key in ("ArrowLeft", "ArrowRight", "ArrowRight"):
        plane.press(plane.along, key)
        assert plane.number("size") >= before


def test_reset_returns_to_the_start(plane):
    plane.press(plane.along, "Home")
    plane.press(plane.across, "End")
    plane.press(plane.norm, "ArrowDown")
    plane.push("Reset")
    revealed(plane)
    plane.shows(predict(*START))
    assert plane.norm.input_value() == "2"


def test_arrow_keys_on_the_point_slide_it_or_set_it_free(plane):
    plane.press(plane.point, "ArrowLeft", 10)
    plane.shows(predict(*START, log2_scale=-10 * STEP))
    plane.press(plane.point, "ArrowUp", 10)
    plane.shows(predict(*START, log2_scale=-20 * STEP))
    plane.push("Reset")
    revealed(plane)
    plane.press(plane.free, "Space")
    plane.press(plane.point, "ArrowUp", 4)
    plane.press(plane.point, "ArrowRight", 2)
    plane.shows(predict(3.1, 0.6))
    assert plane.point.get_attribute("aria-valuetext") == "w 3.10, v 0.600"


def test_the_silent_side_is_reached_and_named(plane, axe):
    plane.press(plane.free, "Space")
    plane.press(plane.point, "ArrowLeft", 70)
    plane.shows(predict(-0.5, 0.4))
    assert plane.read("f", "gradient", "curvature") == dict.fromkeys(
        ("f", "gradient", "curvature"), "0"
    )
    assert "silent" in plane.root.locator(".gl-remark").text_content()
    assert plane.across.is_disabled()
    assert axe(plane.page, within=".gl-widget") == []
    plane.press(plane.point, "ArrowRight", 10)  # w = 0: no scale leads away from here
    assert plane.along.is_disabled()
    plane.press(plane.point, "ArrowRight", 60)
    plane.shows(predict(3.0, 0.4))


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(plane):
    plane.point.focus()
    names = []
    for _ in range(9):
        names.append(plane.page.evaluate(FOCUSED))
        plane.page.keyboard.press("Tab")
    expected = ["the network", "scale a, along", "w times v", "dragging stays", "norm"]
    expected += ["Minimum", "Reset", "show the orbits", "show the smallest"]
    for (name, visible), wanted in zip(names, expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


def test_what_changed_is_said_once_the_reader_rests(plane):
    voice = plane.root.locator("[aria-live=polite]")
    plane.press(plane.along, "ArrowLeft", 20)
    plane.page.wait_for_timeout(700)
    said = voice.text_content()
    for words in ("w 1.50, v 0.800", "f(1) 1.200, moved by 0", "Squared norm 2.890"):
        assert words in said


@pytest.mark.parametrize("width", [1280, 320])
def test_a_mouse_slides_the_point_along_its_orbit(open_page, width):
    plane = revealed(Plane(open_page(PAGE, width=width).locator(".gl-phase").first))
    (x, y), mouse = plane.grip(), plane.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 80, y - 30, steps=8)
    mouse.up()
    plane.settle()
    assert plane.number("w") < 2.5
    assert plane.number("difference") <= 1e-12
    where = plane.read("f", "w", "v")
    mouse.move(x, y)  # released: the point no longer follows
    plane.settle()
    assert plane.read("f", "w", "v") == where
    assert where["f"] == "1.200"


def test_a_finger_drags_the_point_and_does_not_scroll_the_page(open_page):
    plane = revealed(Plane(open_page(PAGE, width=320, height=640).locator(".gl-phase").first))
    plane.point.scroll_into_view_if_needed()  # the boxes that reveal lie below
    x, y = plane.grip()
    finger = plane.page.context.new_cdp_session(plane.page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def touch(kind, *places):
        points = [{"x": x, "y": y} for x, y in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe(x, y):
        touch("touchStart", (x, y))
        for k in range(1, 9):
            touch("touchMove", (x - 10 * k, y - 10 * k))
        touch("touchEnd")
        plane.settle()
        return plane.page.evaluate("() => scrollY")

    at_first = plane.page.evaluate("() => scrollY")
    assert swipe(x, y) == at_first
    assert plane.number("w") < 2.5
    assert plane.number("difference") <= 1e-12
    assert swipe(x, y + 120) > at_first  # control: beside the point the finger scrolls


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [900, 320])
def test_two_copies_do_not_disturb_each_other(two_planes, theme, width):
    first, second = two_planes
    first.page.set_viewport_size({"width": width, "height": 800})
    first.page.evaluate("(t) => { document.documentElement.dataset.theme = t; }", theme)
    first.press(first.along, "ArrowLeft", 20)
    second.shows(predict(1.5, -1.0, p=1))
    second.press(second.along, "ArrowLeft", 10)
    first.shows(predict(*START, log2_scale=-1.0))
    second.shows(predict(1.5, -1.0, p=1, log2_scale=-0.5))
    assert first.page.evaluate("() => document.querySelectorAll('.gl-phase [id]').length") == 0
    assert (
        first.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        <= 0
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [900, 320])
def test_the_widget_alone_has_no_accessibility_violation(two_planes, axe, theme, width):
    page = two_planes[0].page
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("(t) => { document.documentElement.dataset.theme = t; }", theme)
    assert axe(page, within=".gl-widget") == []


def test_a_removed_view_leaves_nothing_behind(open_page, site, tmp_path):
    path = tmp_path / "empty.html"
    path.write_text(static_page(site))
    widget = PhasePlane()
    names = ("mode", "w", "v", "target", "p", "revealed", "smallest", "_start")
    state = {name: getattr(widget, name) for name in names}
    left = open_page(path.as_uri()).evaluate(RENDER_AND_REMOVE, [widget._esm, state])
    assert left == {"listeners": 0, "onModel": 0, "nodes": 0, "drawn": 1}


def test_an_unknown_mode_says_which_there_are(open_page, site, tmp_path):
    path = tmp_path / "mode.html"
    path.write_text(static_page(site, PhasePlane()).replace('"mode": "orbit"', '"mode": "moved"'))
    page = open_page(path.as_uri(), clean=False)
    said = page.get_by_role("alert").text_content()
    assert "PhasePlane has no mode “moved”; it has: orbit, flow, pairing, soft, edge" in said


def test_a_redraw_fits_into_a_frame(plane):
    assert fits_a_frame(plane.page, ".gl-phase")
