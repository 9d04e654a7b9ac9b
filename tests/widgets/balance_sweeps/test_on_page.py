"""BalanceSweeps by effect: driven by keyboard, it shows what gaugelib predicts."""

import math

import pytest
import torch

from gaugelib.widgets import BalanceSweeps
from tests.widgets.balance_sweeps.sweeping import Chain, rate
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by

CHAPTER = "book/minimum_norm.html"
METHODS = ("paper", "alternating", "two-level")


class Sweeps(OnPage):
    """One BalanceSweeps on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-sweeps", index)

    def must_show(self, sweeps=(16, 0, 16), **traits) -> None:
        """Every readout of the three methods after these sweeps is what gaugelib computes."""
        widget = BalanceSweeps(sweeps=sweeps, **traits)
        chain = Chain(widget._opening(), widget.p)
        depth = len(chain.names)
        predicted = {
            "paper": math.cos(math.pi / (2 * depth)) ** 2,
            "alternating": round(math.cos(math.pi / depth) ** 2, 15),  # exactly 0 for L = 2
        }
        for method, count in zip(METHODS, sweeps, strict=True):
            states = chain.history(method, count)
            last = states[-1]
            assert self.text(f"sweep-{method}") == str(len(states) - 1)
            assert self.text(f"norm-{method}") == formatted(last.norm)
            if last.gamma > 1e-9:  # below, its digits are those of rounding
                assert self.text(f"gamma-{method}") == formatted(last.gamma)
                assert self.text(f"share-{method}") == f"{100 * last.share:.1f} %"
            else:
                assert self.number(f"gamma-{method}") == pytest.approx(last.gamma, abs=1e-11)
            if len(states) == 1:
                assert self.text(f"rate-{method}") == "–"
            elif last.gamma > 1e-9:
                measured = formatted(rate([state.gamma for state in states]))
                assert self.text(f"rate-{method}") == measured
            wanted = formatted(predicted[method]) if method in predicted else "–"
            assert self.text(f"predicted-{method}") == wanted
        least = chain.history("two-level", 400)[-1].norm
        assert self.text("least-norm") == formatted(least)

    def tilts(self) -> list[float]:
        """The angles of the beams, top to bottom in each layer."""
        levers = self.root.locator(".gl-layers .gl-lever")
        turns = levers.evaluate_all("(all) => all.map((e) => e.getAttribute('transform'))")
        return [float(turn.removeprefix("rotate(").removesuffix(")")) for turn in turns]


@pytest.fixture
def sweeps(view) -> Sweeps:
    return Sweeps(view(CHAPTER, anew=True))


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


# ---------------------------------------------------------------- on the page of the chapter


def test_it_opens_on_layers_that_lag_behind(sweeps):
    sweeps.must_show()
    assert sweeps.number("gamma-paper") > 1e6 * sweeps.number("gamma-two-level")
    assert float(sweeps.text("share-paper").split()[0]) > 99
    assert float(sweeps.text("share-alternating").split()[0]) < 50  # before the first sweep
    said = sweeps.root.locator(".gl-remark").text_content()
    assert sweeps.text("share-paper") in said
    assert sweeps.text("share-alternating") in said


def test_it_works_from_the_disk(open_page, file_url):
    sweeps = Sweeps(open_page(file_url(CHAPTER)))
    sweeps.push("Step")
    sweeps.must_show((17, 0, 16))


def test_steps_sweep_the_method_that_is_shown_and_no_other(sweeps):
    sweeps.push("Step", 3)
    sweeps.must_show((19, 0, 16))
    sweeps.choose("method", "alternating")
    sweeps.push("Step", 2)
    sweeps.must_show((19, 2, 16))
    sweeps.push("Sweep 0")
    sweeps.must_show((19, 0, 16))


def test_rates_are_the_predicted_ones_in_the_long_run(sweeps):
    sweeps.push("Play", 2)  # motion is not wanted here: each press makes 20 sweeps at once
    sweeps.must_show((56, 0, 16))
    measured, predicted = (sweeps.number(f"{key}-paper") for key in ("rate", "predicted"))
    assert measured == pytest.approx(predicted, abs=2e-4)
    sweeps.choose("method", "alternating")
    sweeps.push("Play")
    assert sweeps.number("rate-alternating") == pytest.approx(math.cos(math.pi / 5) ** 2, abs=2e-3)
    sweeps.choose("method", "two-level")
    assert sweeps.number("rate-two-level") < 0.25


def test_a_run_ends_when_it_is_balanced(sweeps):
    sweeps.choose("method", "two-level")
    sweeps.push("Play", 2)
    assert "balanced" in sweeps.root.locator(".gl-heading").text_content()
    assert sweeps.number("gamma-two-level") < 1e-12
    before = sweeps.text("sweep-two-level")
    sweeps.push("Step", 3)
    assert sweeps.text("sweep-two-level") == before
    assert sweeps.text("norm-two-level") == sweeps.text("least-norm")


def test_depth_imbalance_and_power_are_the_readers(sweeps):
    sweeps.press(sweeps.control("slider", "weight layers"), "ArrowRight", "ArrowRight")
    sweeps.must_show(depth=7)
    sweeps.press(sweeps.control("slider", "initial imbalance"), "Home")
    sweeps.must_show(depth=7, log_std=0)
    sweeps.choose("norm", "1")
    sweeps.must_show(depth=7, log_std=0, p=1)
    sweeps.push("Other weights")
    sweeps.must_show(depth=7, log_std=0, p=1, random_state=2)
    sweeps.press(sweeps.control("slider", "weight layers"), "Home")
    sweeps.must_show(depth=2, log_std=0, p=1, random_state=2)
    sweeps.push("Reset")
    sweeps.must_show()
    assert sweeps.control("combobox", "norm").input_value() == "2"


def test_beams_of_a_layer_lean_the_same_way_once_layers_lag(sweeps):
    late = sweeps.tilts()
    assert len(late) == 16
    for layer in range(4):
        assert len({math.copysign(1, tilt) for tilt in late[4 * layer : 4 * layer + 4]}) == 1
    sweeps.push("Sweep 0")
    early = sweeps.tilts()
    signs = [{math.copysign(1, tilt) for tilt in early[4 * k : 4 * k + 4]} for k in range(4)]
    assert max(map(len, signs)) == 2  # control: at the start neurons of one layer disagree
    assert max(map(abs, early)) > 2 * max(map(abs, late))


def test_it_speaks_once_the_reader_rests(sweeps):
    sweeps.push("Step")
    said = sweeps.spoken()
    for key in ("sweep-paper", "norm-paper", "gamma-paper", "predicted-paper"):
        assert sweeps.text(key) in said


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(sweeps):
    reached = sweeps.tabbed()
    expected = ["method", "Step", "Play", "Sweep 0", "weight layers", "initial imbalance"]
    for (name, visible), wanted in zip(reached, [*expected, "norm", "Other", "Reset"], strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


# ---------------------------------------------------------------- on scratch pages


def test_play_moves_on_by_itself_and_pauses(show):
    page = show({"a": BalanceSweeps(sweeps=(0, 0, 0))})
    page.emulate_media(reduced_motion="no-preference")
    sweeps = Sweeps(page)
    sweeps.push("Play")
    page.wait_for_function("(e) => Number(e.textContent) >= 3", arg=readout(sweeps, "sweep-paper"))
    sweeps.push("Pause")
    count = int(sweeps.text("sweep-paper"))
    page.wait_for_timeout(500)
    assert int(sweeps.text("sweep-paper")) == count
    sweeps.must_show((count, 0, 0))


def test_play_stops_at_balance(show):
    page = show({"a": BalanceSweeps(depth=2, sweeps=(0, 0, 0), method="alternating")})
    page.emulate_media(reduced_motion="no-preference")
    sweeps = Sweeps(page)
    sweeps.push("Play")
    page.wait_for_timeout(500)
    assert sweeps.text("sweep-alternating") == "1"
    assert sweeps.root.get_by_role("button", name="Play", exact=True).count() == 1


def readout(widget, key):
    return widget.root.locator(f'[data-readout="{key}"]').element_handle()


def test_two_copies_do_not_disturb_each_other(show):
    page = show({"a": BalanceSweeps(), "b": BalanceSweeps(p=1, depth=3)}, "ab")
    first, second = Sweeps(page, 0), Sweeps(page, 1)
    first.push("Step")
    first.must_show((17, 0, 16))
    second.must_show(p=1, depth=3)
    assert page.locator("main [id]").count() == 0


def test_a_large_network_is_shown_as_a_map_and_its_layers_are_the_readers(show):
    draws = torch.Generator().manual_seed(5)
    sizes = [(30, 10), (40, 30), (2, 40)]
    weights = [torch.randn(*s, generator=draws, dtype=torch.float64).tolist() for s in sizes]
    page = show({"a": BalanceSweeps(weights=weights, log_std=0.5, sweeps=(3, 2, 1))})
    sweeps = Sweeps(page)
    sweeps.must_show((3, 2, 1), weights=weights, log_std=0.5)
    assert sweeps.root.locator(".gl-layers .gl-cell").count() == 70
    assert sweeps.tilts() == []
    assert sweeps.control("slider", "weight layers").is_disabled()
    assert sweeps.control("slider", "weight layers").input_value() == "3"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    widgets = {"a": BalanceSweeps(), "b": BalanceSweeps(depth=8, sweeps=(400, 400, 3), width=12)}
    page = show(widgets, "ab", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": BalanceSweeps()}, "aa")
    page.emulate_media(reduced_motion="no-preference")
    Sweeps(page).push("Play")
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(show):
    page = show({"a": BalanceSweeps()})
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    sweeps = Sweeps(page)
    sweeps.press(sweeps.control("slider", "weight layers"), "ArrowLeft", "Home", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


def test_a_redraw_fits_into_a_frame(show):
    page = show({"a": BalanceSweeps()})
    assert fits_a_frame(page, ".gl-sweeps")
