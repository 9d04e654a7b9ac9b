"""ChargeMonitor by effect: driven by keyboard, it shows what torch's own optimisers do."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from gaugelib.widgets import ChargeMonitor
from tests.widgets.charge_monitor.training import Training
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by


class Monitor(OnPage):
    """One ChargeMonitor on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-charges", index)
        self.rate = self.control("slider", "step size")

    def must_show(self, **traits) -> None:
        """The readouts of the runs at η and η/2 are those of torch's training."""
        widget = ChargeMonitor(**traits)
        here, half = Training(widget), Training(widget, widget.lr / 2)
        seen = {"ratio-off": formatted(here.off / half.off)}
        seen["ratio-measured"] = formatted(here.first["measured"] / half.first["measured"])
        for column, run in (("here", here), ("half", half)):
            assert self.number(f"{column}-misfit") == pytest.approx(run.misfit, rel=0.05, abs=1e-14)
            seen |= {
                f"{column}-steps": str(len(run.charges) - 1),
                f"{column}-loss": formatted(run.losses[-1]),
                f"{column}-off": formatted(run.off),
                f"{column}-measured": formatted(run.first["measured"]),
                f"{column}-formula": formatted(run.first["formula"]),
            }
        assert {key: self.text(key) for key in seen} == seen

    def remark(self) -> str:
        return self.root.locator(".gl-remark").text_content()

    def lines(self, side: str) -> list[list[tuple[float, float]]]:
        """The points of each unit's charge in the left or the right plot."""
        drawn = self.root.locator(f".gl-{side} path.gl-run")
        paths = drawn.evaluate_all("(all) => all.map((e) => e.getAttribute('d'))")
        return [[tuple(map(float, pair.split())) for pair in d[1:].split("L")] for d in paths if d]


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def monitor(show) -> Monitor:
    return Monitor(show({"a": ChargeMonitor()}))


def test_the_default_state_makes_the_point(monitor):
    monitor.must_show()
    assert monitor.text("here-measured") == monitor.text("here-formula")
    assert monitor.number("here-misfit") < 1e-14 < 0.5 < monitor.number("here-off")
    assert monitor.text("ratio-measured") == "4.000"
    assert monitor.number("ratio-off") == pytest.approx(2, abs=0.05)
    # At first sight: drifting lines on the left, flat ones on the right.
    climbs = {
        side: max(abs(line[-1][1] - line[0][1]) for line in monitor.lines(side))
        for side in ("left", "right")
    }
    assert len(monitor.lines("left")) == len(monitor.lines("right")) == 6
    assert climbs["left"] > 30 > 12 > climbs["right"]


def test_halving_the_step_halves_the_drift_again_and_again(monitor):
    offs = [monitor.number("here-off")]
    for lr in (1 / 16, 1 / 32, 1 / 64):
        monitor.push("Halve η")
        monitor.must_show(lr=lr)
        offs.append(monitor.number("here-off"))
    assert monitor.root.locator("circle.gl-before").count() == 3
    for before, after in pairwise(offs):
        assert 1.7 < before / after < 2.5
    monitor.push("Halve η")  # no shorter than that
    assert monitor.text("here-steps") == "1024"


def test_the_step_is_the_readers_and_reset_returns(monitor):
    monitor.press(monitor.rate, "ArrowRight")
    monitor.must_show(lr=0.25)
    assert monitor.rate.get_attribute("aria-valuetext") == "0.25"
    monitor.press(monitor.rate, "End")
    assert monitor.rate.get_attribute("aria-valuetext") == "1"
    monitor.push("Reset")
    monitor.must_show()
    assert monitor.root.locator("circle.gl-before").count() == 0


def test_a_run_that_runs_away_says_so(show, axe):
    page = show({"a": ChargeMonitor(lr=16.0, until=1600.0, batch=0)})
    monitor = Monitor(page)
    assert monitor.text("here-off") == "ran away"
    assert monitor.text("ratio-off") == "–"
    assert "run away" in monitor.remark()
    assert axe(page, within=".gl-widget") == []


def test_with_weight_decay_the_law_decays(monitor):
    monitor.press(monitor.control("slider", "weight decay"), *["ArrowRight"] * 5)
    monitor.must_show(decay=0.1)
    assert "e^(−2λT)" in monitor.root.locator("th", has_text="max").text_content()
    assert monitor.number("here-misfit") < 1e-14
    assert "decays" in monitor.remark()


def test_the_exponentiated_update_keeps_the_other_charge(monitor):
    monitor.choose("update", "1")
    monitor.must_show(p=1)
    assert monitor.number("here-misfit") > 1e-6  # its formula is of second order only
    assert "η³" in monitor.remark()


def test_momentum_has_no_formula_and_multiplies_the_drift(monitor):
    monitor.press(monitor.control("checkbox", "minibatches"), "Space")
    monitor.must_show(batch=0)
    monitor.press(monitor.rate, *["ArrowLeft"] * 3)
    without = monitor.number("here-off")
    monitor.press(monitor.control("slider", "momentum"), *["ArrowRight"] * 5)
    monitor.must_show(batch=0, lr=1 / 64, momentum=0.5)
    assert monitor.number("here-misfit") > 1e-4
    assert monitor.number("here-off") / without == pytest.approx(3, rel=0.2)
    assert "(1 + β)/(1 − β) = 3.00 times" in monitor.remark()
    assert monitor.text("here-measured") == monitor.text("here-formula")  # nothing to remember yet


def test_no_halving_brings_back_the_law_that_adam_breaks(monitor):
    monitor.choose("update", "adam")
    monitor.must_show(method="adam")
    assert monitor.control("slider", "momentum").is_disabled()
    monitor.press(monitor.rate, "Home")
    monitor.must_show(method="adam", lr=1 / 64)
    assert monitor.number("here-off") > 0.5
    assert "Adam" in monitor.remark()


def test_it_speaks_once_the_reader_rests(monitor):
    monitor.push("Halve η")
    said = monitor.spoken()
    for key in ("here-off", "half-off", "ratio-off", "here-measured", "here-formula"):
        assert monitor.text(key) in said
    assert said.startswith("η 0.0625: ")


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(monitor):
    expected = ["step size", "Halve", "Reset", "momentum", "weight decay", "update", "minibatches"]
    for (name, visible), wanted in zip(monitor.tabbed(), expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


def test_a_readers_own_network_is_trained(show):
    draws = torch.Generator().manual_seed(8)
    model = nn.Sequential(
        nn.Linear(2, 4, bias=False), nn.ReLU(), nn.Linear(4, 3, bias=False),
        nn.ReLU(), nn.Linear(3, 1, bias=False),
    ).double()  # fmt: skip
    with torch.no_grad():
        for w in model.parameters():
            w.copy_(torch.randn(w.shape, generator=draws, dtype=torch.float64))
    x = torch.randn(9, 2, generator=draws, dtype=torch.float64)
    own = {"until": 2.0, "lr": 0.03125, "batch": 0}
    widget = ChargeMonitor.from_model(model, x, x[:, :1].abs(), **own)
    monitor = Monitor(show({"a": widget}))
    parts = ("weights", "biases", "inputs", "targets")
    monitor.must_show(**{name: getattr(widget, name) for name in parts}, **own)
    assert len(monitor.lines("left")) == 7
    names = monitor.root.locator(".gl-left text.gl-unit").all_text_contents()
    assert names == list("1234567")


def test_two_copies_do_not_disturb_each_other(show):
    page = show({"a": ChargeMonitor(), "b": ChargeMonitor(p=1, batch=0)}, "ab")
    first, second = Monitor(page, 0), Monitor(page, 1)
    first.push("Halve η")
    first.must_show(lr=1 / 16)
    second.must_show(p=1, batch=0)
    assert page.locator("main [id]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    other = ChargeMonitor(p=1, decay=0.14, momentum=0.9, lr=1 / 64, tried=(0.25, 0.125))
    page = show({"a": ChargeMonitor(), "b": other}, "ab", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": ChargeMonitor()}, "aa")
    Monitor(page).push("Halve η")
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(show):
    page = show({"a": ChargeMonitor()})
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    monitor = Monitor(page)
    monitor.press(monitor.rate, "ArrowLeft", "Home", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


@pytest.mark.parametrize("slider", ["step size", "momentum", "weight decay"])
def test_a_redraw_fits_into_a_frame(show, slider):
    page = show({"a": ChargeMonitor()})
    assert fits_a_frame(page, ".gl-charges", slider)
