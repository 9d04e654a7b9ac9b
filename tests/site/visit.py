"""Open pages and remember what went wrong on each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, Page

LOCAL = ("data:", "blob:", "about:", "file:")
UNFOLD = """() => [...document.querySelectorAll("article details:not([open])")]
  .map((e) => { e.open = true; return e; })"""


@contextmanager
def unfolded(page: Page) -> Iterator[Page]:
    """The page with everything unfolded that a reader can unfold."""
    folded = page.evaluate_handle(UNFOLD)
    yield page
    folded.evaluate("(all) => all.forEach((e) => { e.open = false; })")


class Visits:
    """The pages that one test opened. Each has a cache and a storage of its own."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address
        self._problems: dict[Page, list[str]] = {}
        self._must_be_clean: list[Page] = []

    def __call__(
        self,
        where: str,
        *,
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        scripts: bool = True,
        clean: bool = True,
    ) -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        self._watch(page)
        if clean:
            self._must_be_clean.append(page)
        page.goto(where if "://" in where else self._address + where, wait_until="load")
        if scripts:
            settle(page)
        return page

    def _watch(self, page: Page) -> None:
        problems = self._problems[page] = []

        def leaves(url: str) -> bool:
            return not url.startswith(("http://127.0.0.1:", *LOCAL))

        page.on("request", lambda r: leaves(r.url) and problems.append(f"request to {r.url}"))

        def failed(request) -> None:
            # What a reload or another page interrupts was given up by the browser, not refused.
            if request.failure != "net::ERR_ABORTED":
                problems.append(f"failed: {request.url} ({request.failure})")

        page.on("requestfailed", failed)
        page.on("response", lambda r: r.status >= 400 and problems.append(f"{r.status}: {r.url}"))
        page.on("console", lambda m: m.type == "error" and problems.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: problems.append(f"script: {e}"))

    def problems(self, page: Page) -> list[str]:
        """What went wrong on a page so far."""
        return list(self._problems[page])

    def unclean(self) -> list[str]:
        """What went wrong on any page that had to be clean."""
        return [
            f"{page.url}: {problem}"
            for page in self._must_be_clean
            for problem in self.problems(page)
        ]

    def close(self) -> None:
        """Close every page."""
        for page in self._problems:
            page.context.close()


class View(NamedTuple):
    """A page that several tests look at."""

    visits: Visits
    page: Page
    size: tuple[int, int]
    url: str
    traces: list[int]


class Views:
    """Pages that several tests look at, one test after another: each is opened once.

    Every test finds the page as it was opened, at its size, at its top, with its widgets as they
    open. A page that a test has left otherwise is closed, and the next one gets a new one.
    """

    MOST = 4  # open at a time

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address
        self._open: dict[tuple, View] = {}
        self._used: list[View] = []

    def __call__(
        self,
        where: str,
        *,
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        anew: bool = False,
    ) -> Page:
        """The page; with `anew` its widgets are mounted anew, for a test that drives them."""
        key = (where, width, height, theme)
        view = self._open.pop(key, None)
        if view is not None and not self._restored(view, anew):
            view.visits.close()
            view = None
        if view is None:
            visits = Visits(self._browser, self._address)
            page = visits(where, width=width, height=height, theme=theme)
            view = View(visits, page, (width, height), page.url, page.evaluate(TRACES))
        self._open[key] = view  # the latest is the last
        self._used.append(view)
        while len(self._open) > self.MOST:
            self._open.pop(next(iter(self._open))).visits.close()
        return view.page

    def unclean(self) -> list[str]:
        """What went wrong on the pages that a test has used; afterwards none is in use."""
        used, self._used = self._used, []
        return [problem for view in used for problem in view.visits.unclean()]

    def close(self) -> None:
        """Close every page."""
        for view in self._open.values():
            view.visits.close()

    def _restored(self, view: View, anew: bool) -> bool:
        page = view.page
        if page.is_closed() or page.url.split("#")[0] != view.url.split("#")[0]:
            return False
        page.emulate_media(media="null")
        if page.viewport_size != dict(zip(("width", "height"), view.size)):
            resize(page, *view.size)
        page.evaluate(AT_THE_TOP)
        if anew:
            page.evaluate(MOUNTED_ANEW)
            settle(page)
        return page.evaluate(TRACES) == view.traces


AT_THE_TOP = """() => {
  document.activeElement.blur();
  getSelection().removeAllRanges();
  scrollTo({ top: 0, behavior: "instant" });
}"""

# The runtime reads the page's widgets again, as it does when the page is opened.
MOUNTED_ANEW = """() => new Promise((done) => {
  bookWidgets.leave();
  delete document.documentElement.dataset.widgets;
  const head = [...document.head.children];
  const runtime = head.find((e) => e.matches('script[src*="_static/widgets.js"]'));
  for (const e of head) {
    if (e.matches('script[src*="/widgets/"]') || e.textContent.includes(".gl-widget")) e.remove();
  }
  const again = document.createElement("script");
  again.src = runtime.src;
  again.onload = () => { again.remove(); done(); };
  document.head.append(again);
})"""

# What tells one state of a page from another: its length, and a sum over its letters. What is only
# spoken comes a moment later; the theme marks its header and menus when something is scrolled.
TRACES = """() => {
  const copy = (document.querySelector("article") ?? document.body).cloneNode(true);
  for (const said of copy.querySelectorAll("[aria-live]")) said.remove();
  const text = document.documentElement.cloneNode().outerHTML + copy.outerHTML;
  let sum = 0;
  for (let k = 0; k < text.length; k += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(k)) | 0;
  return [text.length, sum];
}"""


def resize(page: Page, width: int, height: int = 640) -> None:
    """Change the window's size, and wait until the page has noticed."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r, 50)))")


def settle(page: Page) -> None:
    """Mount the far widgets, too; wait until each is there or has failed, and the fonts."""
    page.evaluate("() => { window.bookWidgets?.mountAll(); }")
    page.evaluate("() => document.fonts.ready.then(() => null)")
    until = time.monotonic() + 15
    while page.evaluate(PENDING):
        if time.monotonic() > until:
            raise TimeoutError(f"the widgets of {page.url} were not mounted within 15 s")
        page.wait_for_timeout(20)


def at_rest(page: Page) -> None:
    """Wait until the page is complete and has fetched nothing for half a second.

    Chromium's own word for it, a network that is idle, does not always come on a busy machine.
    """
    until, fetched, still = time.monotonic() + 60, -1, 0
    while still < 5:
        if time.monotonic() > until:
            raise TimeoutError(f"{page.url} still fetched something after 60 s")
        page.wait_for_timeout(100)
        now = page.evaluate(FETCHED)
        fetched, still = now, still + 1 if now == fetched and now >= 0 else 0


FETCHED = """() => document.readyState === "complete"
  ? performance.getEntriesByType("resource").length : -1"""


PENDING = """() => document.querySelector('script[type="application/vnd.jupyter.widget-view+json"]')
  && document.querySelector('script[src*="widgets.js"]')
  && document.documentElement.dataset.widgets !== "mounted" """
