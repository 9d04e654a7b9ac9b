"""SoftGauge by effect: driven by keyboard, it shows the stored map and torch's run at each cell."""

import pytest

from gaugelib.widgets import SoftGauge
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage, cleaned_up, fits_a_frame, misfits, shown_by
from tests.widgets.soft_gauge.training import TINY, SoftTraining

ETAS, STRENGTHS = TINY["etas"], TINY["strengths"]["imbalance"]
OPENING = {"start": "uneven 1", "seed": 3, "i": 4, "j": 16}
RING = """() => {
  const e = document.activeElement;
  const ring = getComputedStyle(e.querySelector(".gl-focus"));
  return [e.getAttribute("aria-label"), ring.stroke === "none" ? 0 : parseFloat(ring.strokeWidth)];
}"""
VERDICTS = {True: "✓ stable", False: "✗ unstable"}


class Gauge(OnPage):
    """One SoftGauge on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-soft-gauge", index)
        self.cell = self.control("slider", "cell of the map")
        self.strength = self.control("slider", "strength κ").last
        self.rate = self.control("slider", "learning rate η").last

    def must_show(self, **changed) -> None:
        """The run is torch's, and the map's verdict is the file's."""
        start, seed, i, j = (OPENING | changed).values()
        run = SoftTraining(start, seed, STRENGTHS[i], ETAS[j])
        free = SoftTraining(start, seed, 0.0, ETAS[j])
        seen = {"stiff": formatted(ETAS[j] * STRENGTHS[i] * run.stiffest, 3)}
        for column, each in (("live", run), ("free", free)):
            seen[f"{column}-strict"] = VERDICTS[each.strict]
            seen[f"{column}-tolerant"] = VERDICTS[each.tolerant]
            seen[f"{column}-loss"] = formatted(each.losses[-1]) if each.whole else "ran away"
        for criterion in ("strict", "tolerant"):
            code = int(TINY[criterion][start]["imbalance"][i][j], 32)
            seen[f"map-{criterion}"] = VERDICTS[bool(code >> seed & 1)]
        for name in ("predicted", "measured"):
            value = getattr(run, name)
            seen[name] = "–" if value is None else formatted(value, 3)
        assert {key: self.text(key).replace("\xa0", " ") for key in seen} == seen
        assert self.spot() == (i, j)

    def spot(self) -> tuple[int, int]:
        """The cell of the cursor."""
        return divmod(int(self.cell.get_attribute("aria-valuenow")) - 1, len(ETAS))

    def remark(self) -> str:
        return self.root.locator(".gl-remark").text_content()

    def reaches(self) -> str:
        return self.root.locator(".gl-reaches").text_content()

    def bars(self) -> list[float]:
        """The lengths of the bars in the map, in pixels, column by column from below."""
        drawn = self.root.locator(".gl-cells path.gl-bars").get_attribute("d")
        return [float(bar.split("h")[1].split("v")[0]) for bar in drawn.split("M")[1:]]


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def gauge(show) -> Gauge:
    return Gauge(show({"a": SoftGauge()}))


def test_the_default_state_makes_the_point(gauge):
    gauge.must_show()
    assert gauge.text("live-strict") != gauge.text("free-strict")
    assert "The penalty makes this run stable" in gauge.remark()
    assert gauge.number("measured") == pytest.approx(gauge.number("predicted"), rel=0.01)
    assert "up to 0.00492 (no penalty: 0.00391)" in gauge.reaches()


def test_asked_first_the_map_stays_empty_until_the_reader_fills_it(show, axe):
    page = show({"a": SoftGauge(strength=0.0, revealed=False)}, width=320)
    gauge = Gauge(page)
    assert gauge.bars() == []
    assert gauge.root.locator(".gl-limit:not(.gl-sample *)").count() == 0
    assert gauge.text("map-strict") == "–"
    assert "stable for all" not in gauge.reaches()
    assert "Would one help?" in gauge.remark()
    gauge.press(gauge.cell, "ArrowRight")  # a single cell is tried: its run is shown, no other
    assert gauge.cell.get_attribute("aria-valuetext") == "κ 0.001, η 0.0787"
    assert gauge.text("live-strict").replace("\xa0", " ") in VERDICTS.values()
    assert "on the map" not in gauge.spoken()
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []
    gauge.press(gauge.control("checkbox", "show the map"), "Space")
    gauge.must_show(i=1)
    assert len(gauge.bars()) > 50
    assert "stable for all" in gauge.reaches()
    gauge.push("Reset")
    assert gauge.bars() == []


@pytest.mark.parametrize(("start", "criterion"), [("uneven 1", "strict"), ("he", "tolerant")])
def test_a_bar_is_as_long_as_the_share_of_stable_seeds(show, start, criterion):
    gauge = Gauge(show({"a": SoftGauge(start=start, criterion=criterion)}))
    table = TINY[criterion][start]["imbalance"]
    shares = [int(code, 32).bit_count() for row in table for code in row]
    bars = gauge.bars()
    longest = max(bars)
    assert [round(5 * bar / longest) for bar in bars] == [share for share in shares if share]


def test_arrow_keys_move_the_cursor_and_stop_at_the_edges(gauge):
    gauge.press(gauge.cell, "ArrowRight", "ArrowUp", "ArrowUp")
    gauge.must_show(i=5, j=18)
    gauge.press(gauge.cell, "PageDown", "ArrowLeft")
    gauge.must_show(j=15)
    assert gauge.cell.get_attribute("aria-valuetext") == "κ 0.03, η 0.0625: 5 of 5 seeds stable"
    gauge.press(gauge.cell, *["ArrowLeft"] * 12)
    gauge.must_show(i=0, j=15)
    gauge.press(gauge.cell, *["PageUp"] * 12)
    assert gauge.spot() == (0, 30)


def test_two_sliders_move_the_same_cursor_and_reset_returns(gauge):
    gauge.press(gauge.strength, "ArrowRight", "ArrowRight")
    gauge.must_show(i=6)
    assert gauge.strength.get_attribute("aria-valuetext") == "0.3"
    gauge.press(gauge.rate, "Home")
    gauge.must_show(i=6, j=0)
    assert gauge.rate.get_attribute("aria-valuetext") == "0.00195"
    gauge.press(gauge.strength, "Home")
    assert "κ = 0: stable for all 5 seeds at every η up to 0.00391" in gauge.reaches()
    gauge.push("Reset")
    gauge.must_show()


def test_the_pointer_takes_a_cell_and_drags_the_cursor(gauge):
    box = gauge.root.locator(".gl-cells path.gl-empty").bounding_box()
    corner = (box["x"] + 3, box["y"] + box["height"] - 3)
    gauge.page.mouse.move(*corner)
    gauge.page.mouse.down()
    gauge.frame()
    assert gauge.spot() == (0, 0)
    gauge.page.mouse.move(box["x"] + box["width"] - 3, corner[1])
    gauge.page.mouse.up()
    gauge.page.mouse.move(*corner)
    gauge.frame()
    gauge.must_show(i=8, j=0)


def test_more_strength_helps_and_then_spoils(gauge):
    reached = []
    for _ in range(len(STRENGTHS)):
        gauge.press(gauge.strength, *(["Home"] if not reached else ["ArrowRight"]))
        reached.append(float(gauge.reaches().split("up to ")[1].split()[0].rstrip(",")))
    assert reached[0] < max(reached) == reached[6] > reached[-1]
    assert reached[6] / reached[0] > 5
    assert gauge.number("stiff") > 1
    assert "Its own step is too long" in gauge.remark()
    assert gauge.text("live-loss") == "ran away"
    assert gauge.text("measured") == "–"
    assert gauge.root.locator(".gl-plot path.gl-broken").count() == 1


def test_start_seed_and_criterion_are_the_readers(gauge):
    gauge.choose("start", "he")
    gauge.must_show(start="he")
    gauge.choose("seed", "1")
    gauge.must_show(start="he", seed=1)
    strict = gauge.bars()
    gauge.choose("stable", "tolerant")
    gauge.must_show(start="he", seed=1)
    assert len(gauge.bars()) > len(strict)
    assert "never exceeds twice the first" in gauge.root.locator(".gl-meaning").text_content()


def test_the_limit_is_where_eta_times_strength_times_the_largest_eigenvalue_is_one(gauge):
    drawn = gauge.root.locator(".gl-cells path.gl-limit").get_attribute("d")
    points = [tuple(map(float, pair.split())) for pair in drawn[1:].split("L")]
    cells = gauge.root.locator(".gl-cells path.gl-empty").get_attribute("d")
    corners = [tuple(map(float, cell.split("h")[0].split())) for cell in cells.split("M")[1:]]
    rows = [y + 4.4 for _, y in corners[: len(ETAS)]]  # middles of the cells, from below
    octave = (rows[0] - rows[-1]) / 10
    stiffest = SoftTraining("uneven 1", 3, 0.0, ETAS[0]).stiffest
    for k in (3, 4, 8):
        at = points[k][1]  # points[0] lies before the first strength
        eta = ETAS[0] * 2 ** ((rows[0] - at) / octave)
        assert eta * STRENGTHS[k] * stiffest == pytest.approx(1, rel=0.02)


def test_a_fragile_cell_is_marked_on_the_map_and_in_words(show):
    cell = {"start": "uneven 0.5", "seed": 2, "strength": 0.3, "lr": 2.0}
    gauge = Gauge(show({"a": SoftGauge(criterion="tolerant", **cell)}))
    assert gauge.text("map-tolerant").endswith("◇")
    assert "fragile" in gauge.remark()
    keys = gauge.root.locator(".gl-left .gl-legend li")
    assert keys.last.is_visible()
    assert gauge.root.locator(".gl-cells path.gl-fragile").get_attribute("d").count("M") == 1
    gauge.push("Reset")
    gauge.choose("start", "he")
    assert not keys.last.is_visible()
    assert not gauge.text("map-tolerant").endswith("◇")


def test_it_speaks_once_the_reader_rests(gauge):
    gauge.press(gauge.cell, "ArrowRight")
    said = gauge.spoken()
    assert said.startswith("κ 0.1, η 0.0787: 5 of 5 seeds stable. Seed 3 in this run: ")
    assert said.endswith(gauge.remark())


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(gauge):
    gauge.root.locator(".gl-cells [tabindex]").focus()
    expected = ["strength", "learning", "start", "seed", "stable", "Reset"]
    for (name, visible), wanted in zip(gauge.tabbed(), expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"
    gauge.strength.focus()
    gauge.page.keyboard.press("Shift+Tab")  # the cursor comes before: its ring is its focus
    label, ring = gauge.page.evaluate(RING)
    assert label.startswith("cell of the map")
    assert ring >= 2


def test_two_copies_do_not_disturb_each_other(show):
    page = show({"a": SoftGauge(), "b": SoftGauge(start="he", seed=0)}, "ab")
    first, second = Gauge(page, 0), Gauge(page, 1)
    first.press(first.cell, "ArrowRight")
    first.must_show(i=5)
    second.must_show(start="he", seed=0)
    assert page.locator("main [id]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    fragile = {"start": "uneven 0.5", "seed": 2, "strength": 0.3, "lr": 2.0}
    others = {"b": SoftGauge(criterion="tolerant", **fragile), "c": SoftGauge(strength=3, lr=0.5)}
    page = show({"a": SoftGauge(), **others}, "abc", theme=theme, width=width)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": SoftGauge()}, "aa")
    Gauge(page).press(Gauge(page).cell, "ArrowUp")
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(show):
    page = show({"a": SoftGauge()})
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    gauge = Gauge(page)
    gauge.press(gauge.cell, "ArrowLeft", "PageUp", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


@pytest.mark.parametrize("slider", ["strength", "learning rate"])
def test_a_redraw_fits_into_a_frame(show, slider):
    page = show({"a": SoftGauge()})
    assert fits_a_frame(page, ".gl-soft-gauge", slider)
