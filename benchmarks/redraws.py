"""What a redraw of each widget costs on the page's own thread, in frames of work.

    CHROMIUM=$(tools/chromium.sh) python benchmarks/redraws.py

Every slider of every widget of the site is moved over its range. Processor time is given as a ratio
to a fixed amount of work done in the same run, about what a laptop does in a frame at 60 Hz; the
least of some rounds counts, since whatever else the machine does can only add. A measurement, not a
test: the tests count steps.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from playwright.sync_api import CDPSession, Page

from tests.widgets.on_page import REDRAWS
from tools.site_browser import sealed_chromium, served

FRAME_OF_WORK = """() => {
  let sum = 0;
  for (let k = 0; k < 1e7; k += 1) sum += Math.sqrt(k);
  return sum;
}"""
COUNT, ROUNDS = 20, 4
WIDGET = ".widget-live[data-model]"
SLIDERS = f"{WIDGET} input[type=range]:visible"


def spent(session: CDPSession) -> float:
    """Processor seconds of the page's own thread until now."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "TaskDuration")


def redraw_costs(tab: Page) -> dict[str, float]:
    """Frames of work in a redraw by the slider's name."""
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cost(run) -> float:
        before = spent(session)
        run()
        return spent(session) - before

    def frame() -> float:
        return cost(lambda: tab.evaluate(FRAME_OF_WORK))

    costs: dict[str, float] = {}
    frame()  # compiled
    for slider in tab.locator(SLIDERS).all():
        name = slider.get_attribute("aria-label") or slider.evaluate("(e) => e.labels[0].innerText")
        slider.scroll_into_view_if_needed()
        rounds = [
            (frame(), cost(lambda one=slider: one.evaluate(REDRAWS, COUNT)) / COUNT)
            for _ in range(ROUNDS)
        ]
        frames, redraws = zip(*rounds, strict=True)
        costs[name] = min(redraws) / min(frames)
    return costs


def main(site: str = "_build/html") -> None:
    """Print the frames of each slider, the costliest first."""
    found = {}
    with sealed_chromium() as browser, served(Path(site)) as address:
        for path in sorted(Path(site, "book").glob("*.html")):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.goto(f"{address}book/{path.name}", wait_until="load")
            for place in tab.locator(".widget-live").all():
                place.scroll_into_view_if_needed()
                tab.wait_for_timeout(300)
            found |= {(path.stem, name): part for name, part in redraw_costs(tab).items()}
            tab.close()
    for (page, name), part in sorted(found.items(), key=lambda item: -item[1]):
        print(f"{part:6.2f}  {page:14} {name.splitlines()[0]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
