"""Drive a widget by keyboard where a reader meets it with a kernel: JupyterLab 4 and Notebook 7.

    python -m tools.jupyter_look ENVIRONMENT [--shots FOLDER] [--place PLACE]

ENVIRONMENT has jupyterlab, notebook and gaugelib. A server of it opens a copy of a chapter's first
cells; all are run, and arrow keys on a slider of the widget must change what the widget says.
In the environment of the clone Chromium is driven; CHROMIUM names it. Ends with a line for each
place, and fails if one does not answer.
"""

import argparse
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright

from tools.execute_notebooks import BOOK

CHAPTER = BOOK / "symmetry.ipynb"
PLACES = {"JupyterLab": ("lab", "lab/tree"), "Notebook": ("notebook", "notebooks")}
WIDGET = "RescaleNeuron()"
# The widget of the last cell: once it is there nothing runs on that would take the focus away.
SLIDER, READOUT = ".gl-rescale input.gl-range", "data-readout"
SECONDS = 120


def beginning(path: Path) -> nbformat.NotebookNode:
    """The chapter from its first cell up to its widget, without what was stored."""
    notebook = nbformat.read(path, as_version=4)
    kept = []
    for cell in notebook.cells:
        kept.append(cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if WIDGET in cell.source:
                break
    else:
        raise SystemExit(f"{path} does not show {WIDGET}")
    notebook.cells = kept
    return notebook


@contextmanager
def server(environment: Path, program: str, folder: Path):
    """A server of this environment in the folder; its address."""
    token, log = secrets.token_hex(16), folder.parent / f"{program}.log"
    with log.open("w") as out:
        running = subprocess.Popen(
            [environment.resolve() / "bin" / "jupyter", program, "--no-browser", "--allow-root",
             "--ip=127.0.0.1", "--port=0", f"--IdentityProvider.token={token}"],
            cwd=folder, stdout=out, stderr=out, start_new_session=True,
            env=os.environ | {"JUPYTER_CONFIG_DIR": str(folder.parent / "config"),
                              "JUPYTER_RUNTIME_DIR": str(folder.parent / f"runtime-{program}"),
                              "JUPYTER_DATA_DIR": str(folder.parent / "data")},
        )  # fmt: skip
    try:
        for _ in range(SECONDS * 4):
            if found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text()):
                break
            if running.poll() is not None:
                raise SystemExit(f"jupyter {program} did not start:\n{log.read_text()}")
            time.sleep(0.25)
        else:
            raise SystemExit(f"jupyter {program} says no address:\n{log.read_text()}")
        yield found[0], token
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(30)


def answers(page: Page) -> tuple[str, str]:
    """What the widget reads out before and after arrow keys on its first slider."""
    slider = page.locator(SLIDER).first
    # Both draw only the cells that are near the window: go down until the widget is there.
    for _ in range(SECONDS):
        if slider.is_visible():
            break
        page.locator(".jp-WindowedPanel-outer, .jp-Notebook").first.hover()
        page.mouse.wheel(0, 2000)
        page.wait_for_timeout(1000)
    slider.scroll_into_view_if_needed()
    page.wait_for_timeout(2000)
    own = slider.locator(f"xpath=ancestor::div[.//*[@{READOUT}]][1]")
    readouts = own.locator(f"[{READOUT}]")
    before = json.dumps(readouts.all_text_contents())
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)
    return before, json.dumps(readouts.all_text_contents())


def look(page: Page, url: str, place: str, token: str, name: str) -> tuple[str, str]:
    """Open the notebook, run all its cells by the menu, and drive the widget."""
    page.goto(f"{url}{place}/{name}?token={token}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=SECONDS * 1000)
    page.wait_for_timeout(5000)
    if page.locator(".jp-Dialog").count():
        page.locator(".jp-Dialog .jp-mod-accept").first.click()  # the kernel that it offers
        page.wait_for_timeout(5000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return answers(page)


def main(arguments: list[str] | None = None) -> None:
    """Look at each place."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("environment", type=Path)
    parser.add_argument("--shots", type=Path, help="leave a screenshot of each place here")
    parser.add_argument("--place", choices=PLACES, action="append", help="only this one")
    options = parser.parse_args(arguments)
    silent = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        book = Path(folder, "book")
        book.mkdir()
        nbformat.write(beginning(CHAPTER), book / CHAPTER.name)
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox", "--disable-gpu"]
        )
        for title in options.place or PLACES:
            program, place = PLACES[title]
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            with server(options.environment, program, book) as (url, token):
                try:
                    before, after = look(page, url, place, token, CHAPTER.name)
                finally:
                    if options.shots:
                        page.screenshot(path=options.shots / f"{program}.png")
                    page.close()
            print(f"{title}: {before} became {after}")
            if before == after:
                silent.append(title)
        browser.close()
    if silent:
        sys.exit(f"the widget does not answer the keyboard in {', '.join(silent)}")


if __name__ == "__main__":
    main()
