"""Weigh the built pages: what a reader's first visit transfers before anything is touched.

    python -m tools.site_weight

Writes `_build/page-weight.json` and `_build/page-weight.md`. The bytes are those of every response
with an empty cache: as they lie on the disk, and as a server that compresses would send them.
"""

import gzip
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser

from tools.site_browser import SITE, pages, sealed_chromium, served

LIMIT = 800_000  # bytes, uncompressed
PACKED = (".woff2", ".png", ".jpg", ".gif", ".webp")  # compressed already: servers leave them alone


@dataclass(frozen=True)
class Weight:
    """What one page transfers."""

    page: str
    plain: int  # bytes
    gzipped: int  # bytes
    requests: int
    heaviest: str


def weigh(browser: Browser, address: str, site: Path, page: str) -> Weight:
    """Load a page with an empty cache and add up the files that were sent."""
    context = browser.new_context()
    tab, addresses = context.new_page(), set()
    tab.on("requestfinished", lambda request: addresses.add(request.url))
    tab.goto(address + page, wait_until="networkidle")
    context.close()
    paths = {urlsplit(url).path.lstrip("/") for url in addresses if url.startswith(address)}
    files = {path: (site / unquote(path)).read_bytes() for path in paths}
    return Weight(
        page,
        plain=sum(map(len, files.values())),
        gzipped=sum(sent(path, body) for path, body in files.items()),
        requests=len(files),
        heaviest=max(files, key=lambda path: len(files[path])),
    )


def sent(path: str, body: bytes) -> int:
    """Size of a file as a compressing server sends it."""
    return len(body) if path.endswith(PACKED) else len(gzip.compress(body, 6))


def weigh_all(browser: Browser, site: Path = SITE) -> list[Weight]:
    """The weights of every page, heaviest first."""
    with served(site) as address:
        weights = [weigh(browser, address, site, page) for page in pages(site)]
    return sorted(weights, key=lambda weight: -weight.plain)


def write(weights: list[Weight], folder: Path = SITE.parent) -> str:
    """Write both tables; returns the one for people."""
    lines = ["| page | bytes | with gzip | requests | heaviest file |", "|---|---|---|---|---|"]
    for w in weights:
        lines.append(f"| {w.page} | {w.plain:,} | {w.gzipped:,} | {w.requests} | {w.heaviest} |")
    table = "\n".join(lines) + "\n"
    (folder / "page-weight.json").write_text(json.dumps([asdict(w) for w in weights], indent=1))
    (folder / "page-weight.md").write_text(table)
    return table


if __name__ == "__main__":
    with sealed_chromium() as chromium:
        print(write(weigh_all(chromium)))
