"""SharpnessAlongOrbit by effect: driven by keyboard, it shows what torch's autograd finds."""

import pytest
import torch

from gaugelib import hat
from gaugelib.widgets import SharpnessAlongOrbit
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by
from tests.widgets.sharpness_along_orbit.second_order import oracle

ROUNDING = 1e-12


class Orbit(OnPage):
    """One SharpnessAlongOrbit on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-sharpness", index)
        self.decay = self.control("slider", "weight decay")

    def dial(self, unit: int):
        return self.control("slider", f"unit {unit}: its scale a")

    def must_show(self, widget: SharpnessAlongOrbit | None = None, **traits) -> None:
        """Every number is torch's, those that are rounding are small."""
        widget = SharpnessAlongOrbit(**traits) if widget is None else widget
        here = oracle(widget)
        start = oracle(widget, log2_scales=[0.0] * len(widget.w_in))
        for column, wanted in (("here", here), ("start", start)):
            top = float(wanted.values()[0])
            seen = {
                "trace": float(wanted.matrix().trace()),
                "top": top,
                "edge": 2 / top,
                "loss": float(wanted.loss(wanted.params)),
            }
            for key, value in seen.items():
                assert self.text(f"{column}-{key}") == formatted(value), (column, key)
            penalised = formatted(float(wanted.penalised(wanted.params))) if widget.decay else "–"
            assert self.text(f"{column}-penalised") == penalised
        for column, values in (("curvature", here.curvature()), ("formula", here.formula())):
            for unit, value in enumerate(values, start=1):
                if abs(value) > ROUNDING:
                    assert self.text(f"{column}-{unit}") == formatted(value)
                else:
                    assert abs(self.number(f"{column}-{unit}")) <= ROUNDING
        assert self.number("gap") <= ROUNDING
        assert self.number("level") <= ROUNDING

    def marked(self) -> tuple[int, str]:
        """How many bars have a diamond, and the word below them."""
        words = self.root.locator("svg text.gl-set")
        said = words.text_content() if words.count() else ""
        return self.root.locator(".gl-mode").count(), said or ""

    def remark(self) -> str:
        return self.root.locator(".gl-remark").text_content() or ""

    def drawn(self, kind: str) -> list[tuple[float, float]]:
        """The points of a curve of the loss, in pixels."""
        path = self.root.locator(f".gl-inside path.{kind}").get_attribute("d") or ""
        return [tuple(map(float, pair.split())) for pair in path[1:].split("L")]


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def orbit(show) -> Orbit:
    return Orbit(show({"a": SharpnessAlongOrbit()}))


def test_the_default_state_has_a_zero_for_each_hidden_unit_and_gives_nothing_away(orbit):
    orbit.must_show()
    assert orbit.marked() == (3, "3 zeros")
    assert orbit.root.locator("rect.gl-bar").count() == 7
    assert orbit.text("here-top") == orbit.text("start-top")
    assert "times" not in orbit.remark()


def test_a_dial_moves_the_spectrum_and_neither_the_function_nor_the_zeros(orbit):
    curve = orbit.root.locator(".gl-plot path.gl-function").get_attribute("d")
    orbit.press(orbit.dial(2), *["ArrowRight"] * 8)
    orbit.must_show(log2_scales=[0.0, 2.0, 0.0])
    assert orbit.dial(2).get_attribute("aria-valuetext") == "a = 4.00"
    assert orbit.root.locator(".gl-plot path.gl-function").get_attribute("d") == curve
    assert orbit.marked() == (3, "3 zeros")
    assert orbit.number("here-top") > 1.2 * orbit.number("start-top")
    assert orbit.control("combobox", "the orbit of").input_value() == "2"
    assert "f stands still; λmax is" in orbit.remark()
    orbit.push("Reset")
    orbit.must_show()


def test_the_loss_is_level_on_the_orbit_while_the_line_beside_it_bends(orbit):
    orbit.choose("point", "away")
    orbit.must_show(point="away")
    assert orbit.marked() == (0, "")
    assert "Not critical" in orbit.remark()
    for unit, bends in ((1, 1), (2, 1), (3, -1)):  # down on the screen is less loss
        orbit.choose("the orbit of", str(unit))
        level, line = orbit.drawn("gl-level"), orbit.drawn("gl-tangent")
        heights = [y for _, y in level]
        assert max(heights) - min(heights) == 0
        assert (line[22][1] - line[19][1]) * bends > 0.5
        sign = orbit.number(f"curvature-{unit}")
        assert sign * bends < 0
    orbit.press(orbit.dial(1), *["ArrowLeft"] * 6)
    orbit.must_show(point="away", log2_scales=[-1.5, 0.0, 0.0])


def test_weight_decay_lifts_the_zeros_to_twice_itself_and_the_dials_lead_away(orbit):
    for k, decay in enumerate(SharpnessAlongOrbit().decays[1:], start=1):
        orbit.press(orbit.decay, "ArrowRight")
        orbit.must_show(decay=decay)
        assert orbit.marked() == (3, f"3 at 2λ = {2 * decay:g}")
        assert orbit.decay.input_value() == str(k)
    bowl = [y for _, y in orbit.drawn("gl-bowl")]
    assert max(bowl) > bowl[0] + 5  # of screen coordinates: its bottom lies below its ends
    orbit.press(orbit.dial(2), *["ArrowRight"] * 4)
    orbit.must_show(decay=0.008, log2_scales=[0.0, 1.0, 0.0])
    assert orbit.marked() == (2, "2 at 2λ = 0.016")
    assert "have left the minimum of Lλ" in orbit.remark()
    orbit.press(orbit.decay, "ArrowLeft")  # another point: the dials begin anew
    orbit.must_show(decay=0.004)
    orbit.push("Reset")
    orbit.must_show()


def test_gauges_by_button(orbit):
    orbit.push("Minimum-norm gauge")
    widget = SharpnessAlongOrbit()
    origin = oracle(widget).origin
    joint = torch.stack([origin["0.weight"][:, 0], origin["0.bias"]]).norm(dim=0)
    log2_scales = (origin["2.weight"][0].abs() / joint).log2() / 2
    orbit.must_show(log2_scales=log2_scales.tolist())
    orbit.push("Random gauge")
    first = [orbit.dial(unit).input_value() for unit in (1, 2, 3)]
    orbit.must_show(log2_scales=[float(value) for value in first])
    orbit.push("Random gauge")
    assert [orbit.dial(unit).input_value() for unit in (1, 2, 3)] != first


def test_a_readers_own_network_is_shown(show):
    x = torch.linspace(-0.8, 2.9, 9, dtype=torch.float64)[:, None]
    y = (-((x - 1) ** 2)).exp()
    widget = SharpnessAlongOrbit.from_model(hat(), x, y, decay=0.001)
    orbit = Orbit(show({"a": widget}))
    orbit.must_show(widget)
    assert orbit.marked() == (3, "3 at 2λ = 0.002")
    orbit.press(orbit.dial(3), *["ArrowLeft"] * 4)
    orbit.must_show(
        SharpnessAlongOrbit.from_model(hat(), x, y, decay=0.001, log2_scales=[0, 0, -1])
    )


def test_it_speaks_once_the_reader_rests(orbit):
    orbit.press(orbit.dial(1), "ArrowRight")
    said = orbit.spoken()
    for key in ("here-top", "here-edge", "here-trace", "gap"):
        assert orbit.text(key) in said
    assert said.endswith(orbit.remark())


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(orbit):
    expected = [*(f"unit {unit}" for unit in (1, 2, 3)), "point", "weight decay", "Random"]
    expected += ["Minimum-norm", "Reset", "the orbit of"]
    for (name, visible), wanted in zip(orbit.tabbed(), expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(orbit):
    page = orbit.page
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    orbit.press(orbit.dial(1), "ArrowLeft", "Home", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


def test_two_copies_do_not_disturb_each_other_and_leave_nothing_behind(show):
    page = show({"a": SharpnessAlongOrbit(), "b": SharpnessAlongOrbit(decay=0.002)}, "ab")
    first, second = Orbit(page, 0), Orbit(page, 1)
    first.press(first.dial(1), "ArrowRight")
    first.must_show(log2_scales=[0.25, 0.0, 0.0])
    second.must_show(decay=0.002)
    assert page.locator("main [id]").count() == 0
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    away = SharpnessAlongOrbit(point="away", decay=0.008, log2_scales=[3.0, -3.0, 2.0], unit=3)
    four = SharpnessAlongOrbit(
        w_in=[-1.7, -1.2, 1.0, -0.9],
        b_in=[-0.6, 0.0, -0.6, 0.1],
        w_out=[0.8, 1.6, 1.6, -0.3],
        log2_scales=[-3.0, 3.0, 3.0, -3.0],
    )
    widgets = {"a": SharpnessAlongOrbit(), "b": away, "c": four}
    page = show(widgets, "abc", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


@pytest.mark.parametrize("slider", ["unit 3", "weight decay"])
def test_a_redraw_fits_into_a_frame(show, slider):
    page = show({"a": SharpnessAlongOrbit()})
    assert fits_a_frame(page, ".gl-sharpness", slider)
