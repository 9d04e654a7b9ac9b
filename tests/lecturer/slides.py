"""What of a deck does not fit: all its slides are walked over in one script."""

import os
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
KIT = Path(os.environ.get("LECTURER_KIT", ROOT / "_build" / "lecturer"))
LETTERS = 24  # pixels at least, on a canvas of 1024 by 768
WALK = Path(__file__).with_name("walk.js").read_text("utf8")


def misfits(page: Page) -> list[str]:
    """What is cut, scrolls or is too small to read, on any slide of an open deck."""
    page.evaluate("() => bookWidgets.mountAll()")
    return page.evaluate(WALK, LETTERS)
