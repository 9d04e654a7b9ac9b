"""The built site over HTTP, and a Chromium that can reach nothing else."""

import functools
import http.server
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

SITE = Path(__file__).resolve().parents[1] / "_build" / "html"
# Every name but this machine's own is unknown, and the browser starts nothing by itself.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SEALED = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, says nothing."""

    def log_message(self, format: str, *args) -> None:
        """No line per request."""


class Server(http.server.ThreadingHTTPServer):
    """A reader who leaves before a page has come is no error."""

    def handle_error(self, request, client_address) -> None:
        """Report everything but a connection that the browser closed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; gives its address, ending in a slash."""
    handler = functools.partial(Quiet, directory=str(folder))
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def chromium_path() -> str:
    """The browser named by CHROMIUM, else one on PATH.

    Raises:
        FileNotFoundError: there is none.
    """
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise FileNotFoundError(
        f"no Chromium ({named or 'chromium'}): install it or name it in the variable CHROMIUM"
    )


@contextmanager
def sealed_chromium() -> Iterator[Browser]:
    """A headless Chromium without a network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(SEALED))
        try:
            yield browser
        finally:
            browser.close()


def pages(site: Path = SITE) -> list[str]:
    """Every page of the site, relative to it."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
