"""Driving any widget as a reader does: by its roles, its readouts, the keyboard."""

import re
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from tests.site.findings import sideways
from tests.widgets.scratch import RUNTIME, scratch_page


class OnPage:
    """One widget on a page: `selector` is the class of its root, `index` counts its copies."""

    def __init__(self, page: Page, selector: str, index: int = 0) -> None:
        self.page, self.root = page, page.locator(selector).nth(index)
        self.root.wait_for()

    def text(self, key: str) -> str:
        return self.root.locator(f'[data-readout="{key}"]').text_content() or ""

    def number(self, key: str) -> float:
        return float(self.text(key))

    def control(self, role, name: str | re.Pattern[str]) -> Locator:
        return self.root.get_by_role(role, name=name)

    def press(self, control: Locator, *keys: str) -> None:
        control.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.frame()

    def push(self, name: str, times: int = 1) -> None:
        button = self.root.get_by_role("button", name=name, exact=True)
        self.press(button, *["Enter"] * times)

    def choose(self, name: str, value: str) -> None:
        """An option of a drop-down list, by arrow keys: from the first one down."""
        select = self.control("combobox", name)
        values = select.locator("option").evaluate_all("(all) => all.map((o) => o.value)")
        self.press(select, "Home", *["ArrowDown"] * values.index(value))
        assert select.input_value() == value

    def frame(self) -> None:
        """Wait until the next frame was drawn."""
        self.page.evaluate("() => new Promise((go) => requestAnimationFrame(() => setTimeout(go)))")

    def tabbed(self) -> list[tuple[str, bool]]:
        """What the tab key reaches in the widget: its name, and whether its focus is visible."""
        reached = []
        self.root.evaluate("(e) => e.querySelector('select, button, input').focus()")
        while self.root.evaluate("(e) => e.contains(document.activeElement)"):
            reached.append(tuple(self.page.evaluate(FOCUSED)))
            self.page.keyboard.press("Tab")
            assert len(reached) < 50
        return reached

    def spoken(self) -> str:
        """What the live region says once the reader rests."""
        self.page.wait_for_timeout(700)
        return self.root.locator("[role=status][aria-live=polite]").text_content() or ""


def shown_by(open_page, serve, folder: Path) -> Callable[..., Page]:
    """A function that opens a page of these widgets, one view for each letter of `views`."""
    shutil.copy(RUNTIME, folder / "widgets.js")
    address = serve(folder)

    def show(widgets, views="a", **options) -> Page:
        (folder / "page.html").write_text(scratch_page(widgets, views), "utf8")
        return open_page(f"{address}page.html", **options)

    return show


def misfits(page: Page) -> list[str]:
    """What is too wide, too small to read, or too small to touch in the widgets of a page."""
    return sideways(page) + page.evaluate(OVERFULL) + page.evaluate(TOO_SMALL)


def cleaned_up(page: Page) -> tuple[list[str], list[str]]:
    """What the widgets of a scratch page hold, and what is left of it when the page is left."""
    held = page.evaluate("stillOpen()")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false }))")
    page.wait_for_function("document.querySelectorAll('.gl-widget').length === 0")
    return held, page.evaluate("stillOpen()")


FOCUSED = """() => {
  const e = document.activeElement;
  const name = e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent;
  return [name, parseFloat(getComputedStyle(e).outlineWidth) >= 2];
}"""

# A part of a widget whose contents reach beyond it: they are cut off, or lie on the part beside it.
OVERFULL = """() => [...document.querySelectorAll(".gl-widget, .gl-widget :is(div, p, label)")]
  .filter((e) => e.clientWidth > 8 && e.scrollWidth > e.clientWidth + 1)
  .map((e) => `${e.className}: ${e.scrollWidth} px of contents in ${e.clientWidth} px`)"""

TOO_SMALL = """() => {
  const found = [];
  for (const e of document.querySelectorAll(".gl-widget svg text")) {
    const { a, b } = e.getScreenCTM(); // b is not 0 where the text is turned
    const size = parseFloat(getComputedStyle(e).fontSize) * Math.hypot(a, b);
    if (size < 12) found.push(`${e.textContent}: ${size} px`);
  }
  for (const e of document.querySelectorAll(".gl-widget :is(input, button, select)")) {
    const { width, height } = e.getBoundingClientRect();
    if (Math.min(width, height) < 24) found.push(`${e.tagName} ${width} x ${height} px`);
  }
  for (const e of document.querySelectorAll(".gl-widget :is(p, td, th, select, button, label)")) {
    const [box, frame] = [e, e.closest(".gl-widget")].map((x) => x.getBoundingClientRect());
    if (box.right > frame.right - 4) found.push(`${e.tagName} ${e.textContent}: over the edge`);
  }
  return found;
}"""

# Times of `count` redraws that moving the first slider causes: from the event to the layout.
REDRAWS = """async ([selector, count]) => {
  const slider = document.querySelector(`${selector} input[type=range]`);
  const [low, high] = [Number(slider.min), Number(slider.max)];
  const step = Number(slider.step);
  const times = [];
  for (let k = 0; k < count; k += 1) {
    const place = low + step * (k % (1 + Math.round((high - low) / step)));
    slider.value = String(place);
    let begun = 0;
    requestAnimationFrame(() => { begun = performance.now(); });
    const input = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const handled = performance.now() - input;
    await new Promise((resolve) => requestAnimationFrame(() => {
      slider.getBoundingClientRect(); // the layout belongs to the redraw
      times.push(handled + performance.now() - begun);
      resolve();
    }));
  }
  return times;
}"""


# About what a laptop's processor does in one frame at 60 Hz: ten million square roots, summed.
FRAME_OF_WORK = """() => {
  let sum = 0;
  for (let k = 0; k < 1e7; k += 1) sum += Math.sqrt(k);
  return sum;
}"""


def redraw_in_frames(page: Page, moves: str, argument: Any, count: int) -> float:
    """Processor time of one redraw on the page's own thread, in frames of work.

    A ratio of two costs in one run: a slow or busy machine slows both. What else it does can only
    add, so that the least of a few rounds is nearest to the truth; where they say that a redraw
    costs more, others may have been at work, and there are more rounds. The times by the clock are
    printed.

    Args:
        page: the page.
        moves: JavaScript that causes the redraws and returns their times, as `REDRAWS`.
        argument: what it is called with.
        count: how many it causes.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cost_of(script: str, argument: Any = None) -> tuple[float, Any]:
        before = spent()
        result = page.evaluate(script, argument)
        return 1000 * (spent() - before), result

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    page.evaluate(FRAME_OF_WORK)  # compiled
    costs, frames, times = [], [], []
    for turn in range(16):
        if turn >= 4 and min(costs) <= min(frames):
            break
        frames.append(cost_of(FRAME_OF_WORK)[0])
        cost, measured = cost_of(moves, argument)
        costs.append(cost / count)
        times += measured
    session.detach()
    typical, slow = statistics.median(times), sorted(times)[int(0.95 * len(times))]
    print(
        f"\na redraw costs {min(costs):.1f} ms of processor time, a frame of work {min(frames):.1f}"
    )
    print(f"by the clock: {typical:.1f} ms (median), {slow:.1f} ms (95 %)")
    return min(costs) / min(frames)
