"""RescaleNeuron by effect: driven by keyboard, its readouts take the values that gaugelib predicts.

The page of the chapter shows it as readers get it; scratch pages hold what the chapter does not
(two copies, eight neurons). Predictions start from the traits that are embedded in the page.
"""

import itertools
import shutil

import pytest
import torch

from gaugelib import rescale, weight_norm
from gaugelib.widgets import RescaleNeuron
from tests.balance.newton import newton
from tests.site.findings import audit, sideways
from tests.widgets.node import formatted
from tests.widgets.rescale_neuron.on_page import Shown
from tests.widgets.scratch import RUNTIME, scratch_page

CHAPTER = "book/symmetry.html"
EIGHT = {
    "w_in": [1.0, -2.0, 0.5, 3.0, -1.0, 0.25, 1.5, -0.75],
    "b_in": [0.5, 1.0, -0.5, -2.0, 0.0, 0.1, -1.0, 2.0],
    "w_out": [2.0, 1.0, -1.0, 0.5, -0.25, 4.0, -1.5, 1.0],
}


@pytest.fixture
def chapter(view) -> Shown:
    return Shown(view(CHAPTER, anew=True))


@pytest.fixture
def show(tmp_path, serve, open_page):
    """Opens a scratch page with these widgets, one view for each letter of `views`."""
    shutil.copy(RUNTIME, tmp_path / "widgets.js")
    address = serve(tmp_path)

    def show_it(widgets, views="a", **options):
        (tmp_path / "page.html").write_text(scratch_page(widgets, views), "utf8")
        return open_page(f"{address}page.html", **options)

    return show_it


# ---------------------------------------------------------------- on the page of the chapter


@pytest.mark.parametrize("where", ["over HTTP", "from the disk"])
def test_arrow_keys_move_the_norm_and_not_the_function(open_page, file_url, where):
    shown = Shown(open_page(CHAPTER if where == "over HTTP" else file_url(CHAPTER)))
    scales = shown.traits["log2_scales"]
    shown.must_show(scales)
    before = shown.text("norm")
    for neuron, (key, step) in enumerate(
        itertools.islice(itertools.cycle([("ArrowRight", 1), ("ArrowDown", -1)]), len(scales))
    ):
        shown.press(shown.slider(neuron + 1), key, key, key)
        scales[neuron] += 0.75 * step
        shown.must_show(scales)
    assert shown.text("norm") != before
    shown.press(shown.slider(1), "Home")
    shown.must_show([-4, *scales[1:]])
    assert shown.slider(1).get_attribute("aria-valuetext") == "a = 0.06250"
    assert shown.slider(1).get_attribute("aria-label") == "neuron 1: its scale a"
    shown.press(shown.slider(1), "End", "PageDown")
    shown.must_show([shown.log2_scales()[0], *scales[1:]])
    assert -4 < shown.log2_scales()[0] < 4


def test_arrows_are_as_thick_as_the_weights(chapter):
    chapter.button("Every a = 1")
    params = chapter.params
    weights = torch.stack([params["0.weight"][:, 0], params["2.weight"][0]], dim=1).flatten()
    lines = chapter.root.locator(".gl-network g line")
    strokes = torch.tensor(
        lines.evaluate_all("(e) => e.map((l) => Number(l.getAttribute('stroke-width')))")
    )
    ratio = strokes / weights.abs()
    assert ratio.max() / ratio.min() < 1.01
    dashes = lines.evaluate_all("(e) => e.map((l) => getComputedStyle(l).strokeDasharray)")
    assert [dash != "none" for dash in dashes] == (weights < 0).tolist()


def test_forgetting_the_outgoing_weights_moves_the_function(chapter):
    scales = chapter.traits["log2_scales"]
    chapter.box("forget the outgoing weights")
    chapter.must_show(scales, forget=True)
    chapter.box("forget the outgoing weights")
    chapter.must_show(scales)


def test_forgetting_the_bias_moves_the_function(chapter):
    scales = chapter.traits["log2_scales"]
    chapter.box("forget the bias")
    chapter.must_show(scales, forget_bias=True)
    chapter.box("forget the outgoing weights")
    chapter.must_show(scales, forget=True, forget_bias=True)
    chapter.button("Reset")
    chapter.must_show(scales)


def test_tanh_moves_the_function(chapter):
    scales = chapter.traits["log2_scales"]
    chapter.box("tanh instead of ReLU")
    chapter.must_show(scales, tanh=True)
    chapter.button("Every a = 1")
    assert float(chapter.text("max-difference")) == 0  # at a = 1 nothing was rescaled
    chapter.button("Reset")
    chapter.must_show(scales)


@pytest.mark.parametrize("p", [1, 2])
def test_minimum_norm_button_finds_the_minimum(chapter, p):
    chapter.root.get_by_role("combobox").select_option(str(p))
    chapter.button("Minimum-norm gauge")
    best = newton(chapter.params, chapter.group, p).exp()
    chapter.must_show(best.log2().tolist(), p=p)
    least = weight_norm(rescale(chapter.params, best, chapter.group), chapter.group, p) ** p
    assert chapter.text("norm") == formatted(float(least))


def test_random_gauges_are_a_reproducible_sequence(chapter):
    def draw():
        chapter.button("Random gauge")
        chapter.must_show(chapter.log2_scales())
        return chapter.log2_scales()

    first, second = draw(), draw()
    assert first != second
    chapter.button("Reset")
    chapter.must_show(chapter.traits["log2_scales"])
    assert [draw(), draw()] == [first, second]


def test_it_speaks_once_the_reader_rests(chapter):
    spoken = chapter.root.locator("[role=status][aria-live=polite]")
    chapter.press(chapter.slider(1), *["ArrowLeft"] * 4)
    norm = chapter.text("norm")
    chapter.page.wait_for_function(
        "([e, norm]) => e.textContent.includes(norm)", arg=[spoken.element_handle(), norm]
    )
    assert "max |f − f₀| =" in spoken.text_content()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_accessible_whole_and_broken(open_page, axe, theme, width):
    page = open_page(CHAPTER, theme=theme, width=width)
    shown = Shown(page)
    paper = shown.root.evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 28, 34)"}[theme]
    assert axe(page, within=".gl-rescale") == []
    shown.box("forget the bias")
    shown.box("forget the outgoing weights")
    shown.box("tanh instead of ReLU")
    violations, passed = audit(page, within=".gl-rescale")
    assert violations == []
    assert passed > 10
    assert sideways(page) == []


# ---------------------------------------------------------------- on scratch pages


def test_a_first_meeting_has_the_dials_above_the_pictures_and_little_else(show, axe):
    page = show({"a": RescaleNeuron(plain=True, log2_scales=[0.0, 0.0, 0.0])}, width=320)
    shown = Shown(page)
    dial, network = shown.slider(2).bounding_box(), shown.root.locator(".gl-network").bounding_box()
    assert dial["y"] + dial["height"] <= network["y"]
    assert shown.root.locator(".gl-beam, select, input[type=checkbox]").count() == 0
    shown.press(shown.slider(2), "End")
    assert shown.slider(2).get_attribute("aria-valuetext") == "a = 16.00"
    params = rescale(shown.params, torch.tensor([1.0, 16.0, 1.0]).double(), shown.group)
    weights = [params[name].flatten().tolist()[1] for name in ("0.weight", "2.weight")]
    drawn = shown.root.locator(".gl-network").get_attribute("aria-label")
    told = f"Neuron 2: weight in {weights[0]:.1f}, bias −16.0, weight out −{-weights[1]:.3f}"
    assert told in drawn
    assert shown.text("max-difference") == "0"
    assert axe(page, within=".gl-widget") == []
    assert sideways(page) == []
    shown.button("Every a = 1")
    assert shown.log2_scales() == [0, 0, 0]


def test_two_copies_do_not_disturb_each_other(show):
    page = show({"a": RescaleNeuron(), "b": RescaleNeuron(p=1)}, "ab")
    first, second = Shown(page, 0), Shown(page, 1)
    first.press(first.slider(2), "End")
    first.must_show([2, 4, -1])
    second.must_show([2, -1.5, -1], p=1)
    assert page.locator("main [id]").count() == 0


def test_two_views_of_one_widget_agree(show):
    page = show({"a": RescaleNeuron()}, "aa")
    first = Shown(page, 0)
    first.press(first.slider(1), "Home")
    Shown(page, 1).must_show([-4, -1.5, -1])


def test_cleanup_gives_everything_back(show):
    page = show({"a": RescaleNeuron(), "b": RescaleNeuron(**EIGHT)}, "ab")
    Shown(page).press(Shown(page).slider(1), "ArrowRight")
    taken = page.evaluate("stillOpen()")
    assert "ResizeObserver" in taken
    assert len(taken) > 20
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false }))")
    page.wait_for_function("document.querySelectorAll('.gl-widget').length === 0")
    assert page.evaluate("stillOpen()") == []


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(show):
    page = show({"a": RescaleNeuron()})
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    shown = Shown(page)
    shown.press(shown.slider(1), "ArrowRight", "Home", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


@pytest.mark.parametrize("width", [320, 812])
def test_small_and_large_networks_fit_and_can_be_read_and_touched(show, width):
    page = show({"a": RescaleNeuron(), "b": RescaleNeuron(**EIGHT)}, "ab", width=width)
    Shown(page, 1).must_show(list(itertools.islice(itertools.cycle([2, -1.5, -1]), 8)))
    assert sideways(page) == []
    sizes = page.locator(".gl-widget svg text").evaluate_all(
        "(e) => e.map((t) => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert min(sizes) >= 12
    boxes = page.locator(".gl-widget :is(input, button, select)").evaluate_all(
        "(e) => e.map((c) => c.getBoundingClientRect()).map((r) => Math.min(r.width, r.height))"
    )
    assert min(boxes) >= 24


@pytest.mark.parametrize("width", [320, 812])
def test_nothing_jumps_when_readouts_change(show, width):
    page = show({"a": RescaleNeuron()}, width=width)
    shown = Shown(page)
    places = """(parts) => {
      const box = (e) => e.getBoundingClientRect();
      const top = box(parts[0].closest(".gl-widget")).y;
      return parts.map(box).map(({ x, y, width, height }) => [x, y - top, width, height]);
    }"""
    fixed = shown.root.locator(".gl-card, button, input, select, svg, .gl-readout")
    before = fixed.evaluate_all(places)
    for key, neuron in itertools.product(["Home", "End"], [1, 2, 3]):
        shown.press(shown.slider(neuron), key)
        assert fixed.evaluate_all(places) == before
    shown.box("forget the outgoing weights")
    assert fixed.evaluate_all(places) == before


def test_buttons_glide_unless_the_reader_asks_for_stillness(show):
    page = show({"a": RescaleNeuron()})
    page.emulate_media(reduced_motion="no-preference")
    shown = Shown(page)
    shown.button("Minimum-norm gauge")
    on_the_way = float(shown.text("norm"))
    assert 8 < on_the_way < 53
    assert float(shown.text("max-difference")) <= 1e-12
    page.wait_for_timeout(700)
    shown.must_show([0, 0.5, 0])
