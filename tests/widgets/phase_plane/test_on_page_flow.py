"""PhasePlane's mode "flow" by effect: by keyboard it shows what torch's own steps give."""

import pytest
import torch

from gaugelib.widgets import PhasePlane
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by
from tests.widgets.phase_plane.test_flow import charge, loss

START = (2.0, 0.1)
TARGET, LR = 6.0, 0.1
UNTIL = 8 / TARGET  # how long the widget follows the flow


class Flow(OnPage):
    """One PhasePlane in the mode "flow", and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-phase", index)
        self.point = self.control("slider", "the start")
        self.rate = self.control("slider", "step size")

    def must_show(self, w, v, *, lr=LR, target=TARGET) -> None:
        """The readouts of gradient flow and descent are what torch and closed forms give."""
        theta = torch.tensor([w, v], dtype=torch.float64, requires_grad=True)
        rule = torch.optim.SGD([theta], lr=lr)
        charges, formula = [charge([w], v, 2)], []
        for _ in range(round(8 / target / lr)):
            rule.zero_grad()
            loss(theta, target).backward()
            incoming, outgoing = theta.grad.tolist()
            formula.append(lr**2 * (incoming**2 - outgoing**2))
            rule.step()
            charges.append(charge(theta[:1].tolist(), theta[1].item(), 2))
        seen = {
            "flow-start": charges[0],
            "flow-end": charges[0],
            "steps-start": charges[0],
            "steps-end": charges[-1],
            "steps-w": theta[0].item(),
            "steps-v": theta[1].item(),
            "measured-first": charges[1] - charges[0],
            "measured-whole": charges[-1] - charges[0],
            "formula-first": formula[0],
            "formula-whole": sum(formula),
        }
        assert {key: self.text(key) for key in seen} == {k: formatted(x) for k, x in seen.items()}
        assert self.number("flow-drift") < 1e-10
        # The flow ends at w v = target on its curve: w² is the larger root of a quadratic.
        end = ((charges[0] + (charges[0] ** 2 + 4 * target**2) ** 0.5) / 2) ** 0.5
        assert self.number("flow-w") == pytest.approx(end, abs=6e-4)


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def flow(show) -> Flow:
    return Flow(show({"a": PhasePlane(mode="flow")}))


def test_the_default_state_makes_the_point(flow):
    flow.must_show(*START)
    assert flow.number("steps-drift") > 1
    assert flow.text("measured-first") == flow.text("formula-first") == "-1.342"


def test_the_chapter_asks_before_the_flow_is_drawn(open_page):
    flow = Flow(open_page("book/conservation.html"))
    drawn = flow.root.locator(".gl-plane :is(.gl-orbit, .gl-charge, .gl-levels, .gl-end)")
    curves = flow.root.locator(".gl-plot .gl-inside path")
    some = "(all) => all.some((path) => path.getAttribute('d'))"
    assert [mark.is_visible() for mark in drawn.all()] == [False] * 4
    assert (flow.text("flow-w"), flow.text("measured-first")) == ("–", "–")
    assert not curves.evaluate_all(some)
    assert "will they arrive" in flow.root.locator(".gl-question").inner_text()
    flow.press(flow.point, "ArrowUp", "ArrowDown")
    assert flow.spoken() == "w 2.00, v 1.00."
    flow.press(flow.control("checkbox", "let it flow"), "Space")
    flow.must_show(2.0, 1.0, lr=0.2, target=3.0)
    assert [mark.is_visible() for mark in drawn.all()] == [True] * 4
    assert curves.evaluate_all(some)
    assert "when you halve" in flow.root.locator(".gl-question").inner_text()
    flow.push("Reset")
    assert flow.text("flow-w") == "–"


def test_halving_the_step_quarters_the_drift_of_one_step(flow):
    whole = flow.number("measured-whole")
    flow.press(flow.rate, *["ArrowLeft"] * 5)
    flow.must_show(*START, lr=0.05)
    assert flow.number("measured-first") == pytest.approx(-1.342 / 4, abs=1e-3)
    assert 0.4 < flow.number("measured-whole") / whole < 0.6


def test_the_start_moves_by_arrow_keys_and_reset_returns(flow):
    flow.press(flow.point, *["ArrowUp"] * 10, *["ArrowLeft"] * 20)
    flow.must_show(1.0, 0.6)
    assert flow.point.get_attribute("aria-valuetext") == "w 1.00, v 0.600"
    flow.press(flow.point, *["ArrowLeft"] * 30)
    assert flow.point.get_attribute("aria-valuetext").startswith("w 0.0500")
    flow.choose("flow", "1")
    flow.choose("steps", "momentum")
    flow.push("Reset")
    flow.must_show(*START)


def test_the_implicit_midpoint_keeps_the_charge_and_momentum_has_no_law(flow):
    flow.choose("steps", "midpoint")
    assert flow.number("steps-drift") < 1e-12
    assert "up to rounding" in flow.root.locator(".gl-remark").text_content()
    flow.choose("steps", "momentum")
    assert abs(flow.number("measured-whole") - flow.number("formula-whole")) > 0.1
    assert flow.text("measured-first") == flow.text("formula-first")  # nothing to remember yet


def test_the_other_flow_keeps_the_other_charge(flow):
    flow.choose("flow", "1")
    assert flow.text("flow-start") == flow.text("flow-end") == "1.900"
    assert flow.number("flow-drift") < 1e-10
    assert flow.root.locator("option").nth(2).text_content() == "exponentiated descent"
    measured, formula = flow.number("measured-first"), flow.number("formula-first")
    assert measured != formula
    assert abs(measured - formula) < abs(measured)


def test_a_charge_that_forbids_a_change_of_sign_kills_the_neuron(show, axe):
    page = show({"a": PhasePlane(mode="flow", w=0.5, v=-2.0)})
    flow = Flow(page)
    assert "the neuron dies" in flow.root.locator(".gl-remark").text_content()
    assert flow.number("flow-v") == pytest.approx(-(3.75**0.5), abs=1e-3)
    assert axe(page, within=".gl-widget") == []


def test_the_flow_of_one_never_changes_a_sign(show):
    flow = Flow(show({"a": PhasePlane(mode="flow", p=1, w=1.0, v=-0.5)}))
    assert "no weight ever changes its sign" in flow.root.locator(".gl-remark").text_content()
    assert -0.1 < flow.number("flow-v") < 0
    assert flow.text("flow-end") == "0.5000"


def test_a_mouse_drags_the_start(flow):
    flow.point.scroll_into_view_if_needed()
    box = flow.point.locator(".gl-point").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = flow.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 60, y - 60, steps=5)
    mouse.up()
    flow.frame()
    start = flow.number("flow-start")
    assert start < 1.5
    mouse.move(x, y)
    flow.frame()
    assert flow.number("flow-start") == start


def test_it_speaks_once_the_reader_rests(flow):
    flow.press(flow.rate, "ArrowRight")
    said = flow.spoken()
    assert "Charge w² − v² 3.990: the flow moves it by" in said
    assert "First step -1.624, formula -1.624" in said


def test_everything_is_reached_by_the_tab_key(flow):
    expected = ["the start", "step size", "flow", "steps", "Reset"]
    flow.point.focus()
    for wanted in expected:
        name = flow.page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') ?? "
            "document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent"
        )
        assert wanted in name
        flow.page.keyboard.press("Tab")


def test_two_copies_do_not_disturb_each_other(show):
    other = PhasePlane(mode="flow", w=1.0, v=0.6)
    page = show({"a": PhasePlane(mode="flow"), "b": other, "c": PhasePlane()}, "abc")
    first, second = Flow(page, 0), Flow(page, 1)
    first.press(first.rate, "ArrowLeft")
    second.must_show(1.0, 0.6)
    first.must_show(*START, lr=0.09)
    assert page.locator("main [id]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    other = PhasePlane(mode="flow", p=1, w=0.5, v=-2.0, method="momentum", lr=0.4)
    page = show({"a": PhasePlane(mode="flow"), "b": other}, "ab", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": PhasePlane(mode="flow")}, "aa")
    flow = Flow(page)
    flow.press(flow.rate, "ArrowRight")
    assert cleaned_up(page)[1] == []


def test_a_redraw_fits_into_a_frame(show):
    page = show({"a": PhasePlane(mode="flow")})
    assert fits_a_frame(page, ".gl-phase")
