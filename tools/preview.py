"""A live preview of the book: a page that was changed is there again in seconds.

    python -m tools.preview [--port 8000]

The first build executes every notebook; from then on one is executed only when its code changes,
or when the preview is started anew with `--fresh`, as after a change in the library. A draft has
all that a page has; style sheets are not cut and bundled, and the search finds nothing.
"""

import argparse
import multiprocessing
import shutil
import time
from pathlib import Path

from livereload import Server

ROOT = Path(__file__).resolve().parents[1]
DRAFTS = ROOT / "_build" / "preview"
SOURCES = ("book/*.ipynb", "book/*.md", "book/*.bib", "book/images/*", "book/site/*", "*.yml")


def build() -> None:
    """Build what is out of date, in a process of its own: Sphinx leaves its traces in one."""
    since = time.monotonic()
    child = multiprocessing.get_context("fork").Process(target=_build)
    child.start()
    child.join()
    print(f"built in {time.monotonic() - since:.1f} s" if child.exitcode == 0 else "not built")


def _build() -> None:
    from jupyter_book.sphinx import build_sphinx

    built = build_sphinx(
        ROOT,
        DRAFTS / "html",
        noconfig=True,
        path_config=str(ROOT / "_config.yml"),
        confoverrides={"gaugebook_draft": True, "latex_individualpages": False},
        builder="html",
        quiet=True,
        keep_going=True,
    )
    if built:
        raise SystemExit(1)


def main() -> None:
    """Build once, serve, and build again whatever changes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--fresh", action="store_true", help="execute every notebook anew")
    parser.add_argument("--once", action="store_true", help="build, and do not serve")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(DRAFTS, ignore_errors=True)
    build()
    if options.once:
        return
    server = Server()
    for pattern in SOURCES:
        server.watch(str(ROOT / pattern), build)
    server.serve(port=options.port, root=str(DRAFTS / "html"))


if __name__ == "__main__":
    main()
