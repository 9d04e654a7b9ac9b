"""How long a page takes until it is alive on a slow processor, for one or several builds in turn.

    python benchmarks/page_live.py _build/html ../earlier/_build/html

A page is alive when the widgets in the window are mounted and the last long task before a second of
quiet has ended. The processor is slowed fourfold; builds take turns, so that a busy machine slows
all of them; medians are printed. A measurement, not a test.
"""

import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from playwright.sync_api import Browser

from tools.site_browser import sealed_chromium, served

PAGES = (
    *("symmetry", "minimum_norm", "conservation", "pairing", "soft_gauge"),
    *("second_order", "two_symmetries", "which_gauge", "beyond_neurons"),
)
SLOW, REPEATS = 4, 5
WATCH = """
window.ends = [];
new PerformanceObserver((list) => {
  for (const e of list.getEntries()) ends.push(e.startTime + e.duration);
}).observe({ type: "longtask", buffered: true });
new MutationObserver((all) => {
  if (all.some(({ target }) => target.dataset.model)) ends.push(performance.now());
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-model"] });
"""
ALIVE = """async () => {
  const { loadEventEnd, domContentLoadedEventEnd } = performance.getEntriesByType("navigation")[0];
  const waiting = () => [...document.querySelectorAll(".widget-live:not([data-model])")]
    .map((e) => e.getBoundingClientRect()).some((at) => at.top < innerHeight && at.bottom > 0);
  const last = () => Math.max(domContentLoadedEventEnd, ...ends);
  while (waiting() || performance.now() - Math.max(last(), loadEventEnd) < 1000) {
    await new Promise((go) => setTimeout(go, 50));
  }
  return last();
}"""


def alive(browser: Browser, address: str) -> float:
    """Milliseconds from the start of a visit until the page is alive."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    slowed = context.new_cdp_session(tab)
    slowed.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
    tab.add_init_script(WATCH)
    tab.goto(address, wait_until="load")
    time = tab.evaluate(ALIVE)
    context.close()
    return time


def main(sites: list[str]) -> None:
    """Print the medians of each page, a column for each build."""
    with sealed_chromium() as browser, ExitStack() as servers:
        addresses = [servers.enter_context(served(Path(site))) for site in sites]
        for page in PAGES:
            times = [
                [alive(browser, f"{address}book/{page}.html") for address in addresses]
                for _ in range(REPEATS)
            ]
            medians = [statistics.median(column) for column in zip(*times, strict=True)]
            print(f"{page:14}", *(f"{median:8.0f} ms" for median in medians))


if __name__ == "__main__":
    main(sys.argv[1:] or ["_build/html"])
