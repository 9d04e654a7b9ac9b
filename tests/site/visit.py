"""Open pages and remember what went wrong on each."""

import time

from playwright.sync_api import Browser, Page

LOCAL = ("data:", "blob:", "about:", "file:")


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


def resize(page: Page, width: int) -> None:
    """Change the window's width, and wait until the page has noticed."""
    page.set_viewport_size({"width": width, "height": 640})
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


PENDING = """() => document.querySelector('script[type="application/vnd.jupyter.widget-view+json"]')
  && document.querySelector('script[src*="widgets.js"]')
  && document.documentElement.dataset.widgets !== "mounted" """
