"""GaugeRace by effect: the reader guesses, lets the runs go, and reads the stored means."""

import pytest

from gaugelib.widgets import GaugeRace
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, misfits, shown_by

PAGE = "book/learning.html"
QUANTITIES = ("loss", "penalty", "regularised", "norm", "train_error", "test_error")


class Race(OnPage):
    """One GaugeRace, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-race", index)
        self.clock = self.control("slider", "epoch")

    def must_show(self, **traits) -> None:
        widget = GaugeRace(**traits)
        for quantity in QUANTITIES:
            for arm, value in widget.at(quantity).items():
                assert self.text(f"{arm}-{quantity}") == formatted(value, 3)

    def curves(self) -> list[float]:
        """How far each curve reaches, in pixels."""
        return self.root.locator(".gl-arm").evaluate_all(
            "(all) => all.map((p) => p.getBBox().width)"
        )

    def remark(self) -> str:
        return self.root.locator(".gl-remark").text_content()


@pytest.fixture
def chapter(view) -> Race:
    return Race(view(PAGE, anew=True))


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


def test_the_chapter_asks_before_a_curve_is_drawn(chapter):
    chapter.must_show(epoch=0)
    assert chapter.curves() == [0, 0, 0]
    assert "%" not in chapter.remark()
    chapter.choose("I expect", "middle")
    chapter.must_show(epoch=0)
    assert chapter.curves() == [0, 0, 0]
    chapter.push("One epoch", times=3)
    chapter.must_show(epoch=3)
    assert min(chapter.curves()) > 10
    assert chapter.remark().startswith("You expected “once” in the middle. After 3 epochs")
    chapter.push("Reset")
    chapter.must_show(epoch=0)
    assert chapter.root.get_by_role("combobox", name="I expect").input_value() == ""


def test_the_runs_go_to_the_end_at_once_where_the_reader_asks_for_stillness(chapter):
    chapter.page.emulate_media(reduced_motion="reduce")
    chapter.push("Run")
    chapter.must_show(epoch=30)
    assert "of which 8 % is loss" in chapter.remark()


def test_they_run_and_pause_where_motion_is_welcome(show):
    race = Race(show({"a": GaugeRace(epoch=0)}))
    race.page.emulate_media(reduced_motion="no-preference")
    race.push("Run")
    race.page.wait_for_function(
        "(e) => Number(e.value) >= 2", arg=race.clock.element_handle(), timeout=20_000
    )
    race.push("Pause")
    stopped = int(race.clock.input_value())
    race.page.wait_for_timeout(600)
    assert int(race.clock.input_value()) == stopped >= 2
    race.must_show(epoch=stopped)


@pytest.mark.parametrize("size", ["full", "small"])
@pytest.mark.parametrize("optimiser", ["sgd", "egd"])
def test_every_network_is_chosen_by_keyboard_and_shows_its_means(show, size, optimiser):
    race = Race(show({"a": GaugeRace(epoch=0)}))
    race.choose("network", size)
    race.choose("update", optimiser)
    race.choose("weight layers", "7")
    race.press(race.clock, "End", "ArrowLeft")
    race.must_show(size=size, optimiser=optimiser, depth=7, epoch=29)
    norm = race.root.locator("th", has_text="norm").text_content()
    assert norm == ("norm ‖W‖₂" if optimiser == "sgd" else "norm ‖W‖₁")


def test_bars_are_as_long_as_loss_and_penalty(show):
    race = Race(show({"a": GaugeRace(epoch=4)}))
    wide = "(all) => all.map((rect) => Number(rect.getAttribute('width')))"
    bars = {kind: race.root.locator(f"rect.gl-{kind}") for kind in ("loss", "penalty")}
    widget = GaugeRace(epoch=4)
    scale = bars["loss"].evaluate_all(wide)[0] / widget.at("loss")["never"]
    for kind, rects in bars.items():
        for width, value in zip(rects.evaluate_all(wide), widget.at(kind).values(), strict=True):
            assert width == pytest.approx(scale * value, abs=0.2)


def test_it_speaks_once_the_reader_rests(show):
    race = Race(show({"a": GaugeRace(epoch=0)}))
    race.press(race.clock, "End")
    said = race.spoken()
    losses = GaugeRace(epoch=30).at("regularised")
    each = ", ".join(f"{arm} {formatted(value, 3)}" for arm, value in losses.items())
    assert f"Epoch 30. Penalised loss: {each}." in said
    assert list(losses) == ["never", "once", "every"]


def test_everything_is_reached_by_the_tab_key(show):
    race = Race(show({"a": GaugeRace(epoch=0)}))
    expected = ["network", "weight layers", "update", "I expect", "Run", "One epoch", "Reset"]
    expected += ["epoch", "curve"]
    for (name, visible), wanted in zip(race.tabbed(), expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    other = GaugeRace(size="small", optimiser="egd", plotted="test_error", guess="never")
    page = show({"a": GaugeRace(epoch=0), "b": other}, "ab", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_two_copies_do_not_disturb_each_other_and_leave_nothing_behind(show):
    page = show({"a": GaugeRace(epoch=0), "b": GaugeRace(depth=5)}, "ab")
    Race(page, 0).press(Race(page, 0).clock, *["ArrowRight"] * 2)
    Race(page, 0).must_show(epoch=2)
    Race(page, 1).must_show(depth=5)
    assert page.locator("main [id]").count() == 0
    Race(page, 0).push("Run")
    assert cleaned_up(page)[1] == []
