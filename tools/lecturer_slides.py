"""The lecturer's slides: a deck for each chapter, and its pages as a PDF.

    python -m tools.lecturer_slides [--site _build/html] [--to _build/lecturer] [--pdf] [--notes]

Decks are built into the lecturer's copy of the site, beside the book whose widgets and pictures
they use. A deck is printed by Chromium from its print view: a page for each slide, with `--notes`
another one after it for what is said.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "lecturer"
SLIDES = Path("lecturer", "slides")


def build(site: Path, to: Path, source: Path = SOURCE) -> list[Path]:
    """Write a page for each deck of `source/slides` into the lecturer's copy of the site.

    Raises:
        SystemExit: a deck is not as it should be.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "-E", "--keep-going",
             "-b", "revealjs", "-t", "slides", "-c", str(SOURCE),
             "-d", f"{folder}/doctrees", str(source), f"{folder}/out"],
            env=os.environ | {"BOOK_SITE": str(site.resolve())}, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"slides: {source / 'slides'} has the errors above")
        shutil.rmtree(to / SLIDES, ignore_errors=True)
        shutil.copytree(Path(folder, "out", "slides"), to / SLIDES)
    return sorted((to / SLIDES).glob("*.html"))


def build_all(site: Path, to: Path) -> list[Path]:
    """Write the decks of the chapters, and those of the course's overlay."""
    from tools.lecturer_kit import assemble  # which builds decks, too
    from tools.teach.course import overlay_of

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "lecturer")
        source.mkdir()
        assemble(source, overlay_of(None))
        return build(site, to, source)


def address(deck: Path, *, notes: bool = False) -> str:
    """Of a deck's print view."""
    return f"{deck.resolve().as_uri()}?view=print" + ("&showNotes=separate-page" if notes else "")


def print_deck(browser, deck: Path, *, notes: bool = False) -> Path:
    """A PDF beside the deck: what is on the slides, at their size.

    Args:
        browser: an open Chromium.
        deck: the page.
        notes: with a page of notes after each slide.
    """
    page = browser.new_page(viewport={"width": 1024, "height": 768})
    page.goto(address(deck, notes=notes))
    page.locator('html[data-deck="printed"]').wait_for(state="attached")
    page.emulate_media(media="screen")
    to = deck.with_name(f"{deck.stem}{'-notes' if notes else ''}.pdf")
    page.pdf(path=to, prefer_css_page_size=True, print_background=True, tagged=True)
    page.close()
    return to


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, and say where the decks are."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / "lecturer")
    parser.add_argument("--pdf", action="store_true")
    parser.add_argument("--notes", action="store_true")
    options = parser.parse_args(arguments)
    if not (options.to / "lecturer").is_dir():
        sys.exit(f"slides: no lecturer's kit in {options.to}; run make lecturer first")
    if not options.pdf:
        for deck in build_all(options.site, options.to):
            print(f"slides: {deck.resolve().as_uri()}")
        return
    from tools.site_browser import sealed_chromium

    with sealed_chromium() as browser:
        for deck in sorted((options.to / SLIDES).glob("*.html")):
            print(f"slides: {print_deck(browser, deck, notes=options.notes).resolve()}")


if __name__ == "__main__":
    main()
