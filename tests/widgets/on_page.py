"""Driving any widget as a reader does: by its roles, its readouts, the keyboard."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

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

# Moves a slider over its range in `count` steps, one frame each, and asks for the layout.
REDRAWS = """async (slider, count) => {
  const [low, high, step] = [slider.min, slider.max, slider.step].map(Number);
  for (let k = 0; k < count; k += 1) {
    slider.value = String(low + step * Math.round(((high - low) / step) * (k / count)));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    slider.getBoundingClientRect();
  }
}"""

WATCH_CHANGES = """() => {
  window.changes = 0;
  window.watching = new MutationObserver((all) => {
    for (const { addedNodes } of all) window.changes += 1 + addedNodes.length;
  });
  watching.observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
}"""

# A laptop does ten million square roots in a frame at 60 Hz; a quarter leaves time for the layout.
MOST_STEPS, MOST_CHANGES = 2_500_000, 200


def fits_a_frame(
    page: Page, selector: str, slider: str = "", burden: str | None = None, count: int = 20
) -> bool:
    """Whether a redraw that a slider causes is little work, on a machine of whatever speed.

    Counted, not timed: the blocks of JavaScript that are executed (the passes of every loop among
    them) and the changes of the document, in the mean of some redraws. What they cost in time is
    measured by `benchmarks/redraws.py`.

    Args:
        page: a page that may be loaded again: in scripts that ran before, passes are not counted.
        selector: the class of the widget's root.
        slider: the slider's label; else the first one.
        burden: JavaScript that burdens the redraws, for a control.
        count: how many redraws.
    """
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": True})
    page.reload()
    root = page.locator(selector).first
    moved = root.locator("input[type=range]")
    moved = moved.and_(root.get_by_role("slider", name=slider)).last if slider else moved.first
    moved.wait_for()
    if burden is not None:
        root.evaluate(burden)
    page.evaluate(WATCH_CHANGES)
    session.send("Profiler.takePreciseCoverage")
    moved.evaluate(REDRAWS, count)
    scripts = session.send("Profiler.takePreciseCoverage")["result"]
    changes = page.evaluate("() => { watching.disconnect(); return window.changes; }") / count
    session.detach()
    functions = [function for script in scripts for function in script["functions"]]
    steps = sum(part["count"] for function in functions for part in function["ranges"]) / count
    print(f"\na redraw takes {steps:.0f} steps and changes {changes:.0f} things in the document")
    assert changes >= 1, "nothing was redrawn"
    return steps <= MOST_STEPS and changes <= MOST_CHANGES
