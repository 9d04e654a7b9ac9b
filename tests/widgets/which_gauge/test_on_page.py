"""WhichGauge by effect: driven by keyboard, it shows what torch's autograd finds."""

import pytest
import torch

from gaugelib import hat
from gaugelib.widgets import WhichGauge
from gaugelib.widgets.which_gauge.network import KINDS
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by
from tests.widgets.which_gauge.gauges import oracle

PAGE = "book/which_gauge.html"
ROUNDING = 1e-13
SMALLEST = {kind: f"Smallest {kind}" for kind in KINDS}


class Gauges(OnPage):
    """One WhichGauge on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-which", index)
        self.dial = self.control("slider", "dial: log₂ a")

    def must_show(self, widget: WhichGauge | None = None, **traits) -> WhichGauge:
        """Every number is torch's, and f stands still."""
        widget = WhichGauge(**traits) if widget is None else widget
        net = oracle(widget)
        for kind in KINDS:
            least = getattr(oracle(widget, widget.gauge(kind).tolist()), kind)()
            assert self.text(f"here-{kind}") == formatted(getattr(net, kind)())
            assert self.number(f"ratio-{kind}") == pytest.approx(
                getattr(net, kind)() / least, rel=5e-4
            )
        assert self.text("step") == formatted(net.longest_step())
        error = float(self.text("error").removesuffix(" %"))
        assert error == pytest.approx(100 * net.error(widget.bits), rel=6e-3)
        assert self.number("gap") <= ROUNDING * float(net.f().abs().max())
        return widget

    def drawn(self, kind: str) -> str:
        return self.root.locator(f"svg path.{kind}").first.get_attribute("d") or ""

    def remark(self) -> str:
        return self.root.locator(".gl-remark").text_content() or ""


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def gauges(show) -> Gauges:
    return Gauges(show({"a": WhichGauge()}))


@pytest.fixture
def images(show) -> Gauges:
    return Gauges(show({"a": WhichGauge(network="digits")}))


@pytest.fixture
def chapter(view) -> Gauges:
    view_of_page = view(PAGE, anew=True)
    figure = view_of_page.locator("#fig-which-gauge .gl-which")
    figure.wait_for()
    return Gauges(view_of_page)


def test_in_the_chapter_it_opens_as_the_network_is_given_and_is_driven_by_keyboard(chapter):
    chapter.must_show()
    assert "The network as it is given" in chapter.remark()
    chapter.choose("network", "digits")
    chapter.push(SMALLEST["trace"])
    dials = WhichGauge(network="digits").gauge("trace").tolist()
    chapter.must_show(network="digits", log2_scales=dials)
    chapter.push("Reset")
    chapter.must_show()


def test_the_default_state_has_three_bottoms_at_three_places_and_gives_nothing_away(gauges):
    gauges.must_show()
    bottoms = [gauges.text(f"bottom-{kind}") for kind in KINDS]
    wanted = [float(WhichGauge().gauge(kind)[2]) for kind in KINDS]
    assert [float(text.replace("−", "-")) for text in bottoms] == pytest.approx(wanted, abs=0.006)
    assert len(set(bottoms)) == 3
    assert "The network as it is given" in gauges.remark()


def test_a_dial_moves_norm_gradient_trace_and_step_and_not_the_function(gauges):
    curve, coarse = gauges.drawn("gl-function"), gauges.drawn("gl-coarse")
    bowl = gauges.drawn("gl-bowl")
    gauges.press(gauges.dial, *["ArrowRight"] * 6)
    gauges.must_show(log2_scales=[0.0, 0.0, 0.3])
    assert gauges.dial.get_attribute("aria-valuetext") == "a = 1.23"
    assert gauges.drawn("gl-function") == curve
    assert gauges.drawn("gl-coarse") != coarse
    assert gauges.drawn("gl-bowl") == bowl  # the dial moves in it
    assert "f stands still" in gauges.remark()
    gauges.push("Reset")
    gauges.must_show()


def test_each_gauge_by_its_button(gauges):
    for kind in KINDS:
        gauges.push(SMALLEST[kind])
        widget = WhichGauge()
        gauges.must_show(log2_scales=widget.gauge(kind).tolist())
        assert gauges.text(f"ratio-{kind}") == "1.000"
        assert all(gauges.number(f"ratio-{other}") > 1.005 for other in KINDS if other != kind)
        assert "can be no smaller" in gauges.remark()


def test_the_dial_of_all_units_moves_what_the_quantiser_makes_by_nothing(images):
    images.must_show(network="digits")
    error, weights = images.text("error"), images.drawn("gl-weights")
    images.press(images.dial, *["ArrowRight"] * 10)
    images.must_show(network="digits", log2_scales=[0.5] * 16)
    assert images.text("error") == error
    assert images.drawn("gl-weights") == weights
    images.choose("dial of", "3")
    images.press(images.dial, *["ArrowLeft"] * 30)
    dials = [0.5 - 1.5 * (h == 2) for h in range(16)]
    images.must_show(network="digits", log2_scales=dials)
    assert images.text("error") != error
    assert images.drawn("gl-weights") != weights


def test_bits_are_chosen_and_right_answers_counted(images):
    for bits in (3, 8):
        images.choose("weights in", str(bits))
        widget = images.must_show(network="digits", bits=bits)
        net = oracle(widget)
        answers = [net.f(), net.quantised(bits).f()]
        right = [int((f.argmax(1) == net.y.argmax(1)).sum()) for f in answers]
        assert images.text("rights") == f"{right[0]} of 100, quantised {right[1]}"
        assert images.root.locator("svg path.gl-levels").count() == 3  # two grids and the legend


def test_a_random_gauge_is_drawn_and_another_one(images):
    seen = set()
    for _ in range(2):
        images.push("Random")
        ratios = tuple(images.number(f"ratio-{kind}") for kind in KINDS)
        assert min(ratios) > 1.5
        seen.add(ratios)
        assert images.number("gap") < 1e-13
    assert len(seen) == 2


def test_another_image_has_other_outputs(images):
    first = images.root.locator("svg .gl-bar").nth(0).get_attribute("height")
    images.press(images.control("slider", "which example"), *["ArrowRight"] * 4)
    assert images.control("slider", "which example").get_attribute("aria-valuetext") == "5 of 100"
    assert images.root.locator("svg .gl-bar").nth(0).get_attribute("height") != first
    f = oracle(WhichGauge(network="digits")).f()[4]
    label = images.root.locator(".gl-function-of-x svg.gl-plot").get_attribute("aria-label") or ""
    assert f"f is largest at {int(f.argmax())}" in label


def test_the_other_network_is_chosen_and_begins_as_it_is(gauges):
    gauges.press(gauges.dial, "ArrowRight")
    gauges.choose("network", "digits")
    gauges.must_show(network="digits")
    assert gauges.control("combobox", "dial of").locator("option").count() == 17
    gauges.push("Reset")
    gauges.must_show()


def test_a_readers_own_network_is_shown(show):
    x = torch.linspace(-0.8, 2.9, 9, dtype=torch.float64)[:, None]
    widget = WhichGauge.from_model(hat(), x, (-((x - 1) ** 2)).exp(), unit=2, bits=8)
    gauges = Gauges(show({"a": widget}))
    gauges.must_show(widget)
    assert gauges.control("combobox", "network").count() == 0
    gauges.press(gauges.dial, *["ArrowLeft"] * 4)
    widget.log2_scales = [0.0, -0.2, 0.0]
    gauges.must_show(widget)


def test_it_speaks_once_the_reader_rests(gauges):
    gauges.press(gauges.dial, "ArrowRight")
    said = gauges.spoken()
    assert gauges.text("step") in said
    assert gauges.text("error") in said
    assert said.endswith(gauges.remark())


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(images):
    expected = ["network", "dial of", "dial", "norm", "gradient", "trace", "Random", "Reset"]
    expected += ["which example", "weights in"]
    for (name, visible), wanted in zip(images.tabbed(), expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(gauges):
    page = gauges.page
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    gauges.press(gauges.dial, "ArrowLeft", "Home", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


def test_two_copies_do_not_disturb_each_other_and_leave_nothing_behind(show):
    page = show({"a": WhichGauge(), "b": WhichGauge(bits=8)}, "ab")
    first, second = Gauges(page, 0), Gauges(page, 1)
    first.press(first.dial, "ArrowRight")
    first.must_show(log2_scales=[0.0, 0.0, 0.05])
    second.must_show(bits=8)
    assert page.locator("main [id]").count() == 0
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    far = WhichGauge(network="digits", log2_scales=[2.0, -2.0] * 8, bits=8, example=100, unit=16)
    widgets = {"a": WhichGauge(), "b": far, "c": WhichGauge(log2_scales=[20.0, -9.0, 7.0])}
    page = show(widgets, "abc", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_nothing_below_moves_when_the_words_change(show):
    for width in (320, 360, 412, 480, 600, 640, 700, 900):
        page = show({"a": WhichGauge(network="digits")}, width=width)
        gauges = Gauges(page)
        heights = [gauges.root.bounding_box()["height"]]
        for act in (*SMALLEST.values(), "Random", "Reset"):
            gauges.push(act)
            heights.append(gauges.root.bounding_box()["height"])
        assert max(heights) - min(heights) < 1, (width, heights)


@pytest.mark.parametrize("network", ["hat", "digits"])
def test_a_redraw_fits_into_a_frame(show, network):
    page = show({"a": WhichGauge(network=network)})
    Gauges(page)
    assert fits_a_frame(page, ".gl-which")
