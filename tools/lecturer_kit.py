"""Build the lecturer's kit beside a copy of the built book.

    python -m tools.lecturer_kit [--site _build/html] [--to _build/lecturer]

The students' site is not touched: `--to` gets a copy of it, and in the copy a folder `lecturer`
with the lecturer's pages, which link into the book beside them. No notebook is executed.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import lecturer_slides

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "lecturer"


def build(site: Path, to: Path) -> None:
    """Write the copy of the site, and the kit into it.

    Raises:
        SystemExit: there is no site, or a page of the kit is not as it should be.
    """
    if not (site / "index.html").exists():
        sys.exit(f"lecturer's kit: no built book in {site}; run make book first")
    if site.resolve() in (to.resolve(), *to.resolve().parents):
        sys.exit("lecturer's kit: it may not lie in the students' site, which would be published")
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(site, to)
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "-n", "--keep-going", "-b", "html",
         "-d", str(to.with_name(f"{to.name}-doctrees")), str(ROOT / FOLDER), str(to / FOLDER)],
        env=os.environ | {"BOOK_SITE": str(site.resolve())}, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"lecturer's kit: {ROOT / FOLDER} has the errors above")
    lecturer_slides.build(site, to)


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, and say where the kit is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / "lecturer")
    options = parser.parse_args(arguments)
    build(options.site, options.to)
    print(f"The lecturer's kit: file://{options.to.resolve() / FOLDER / 'index.html'}")


if __name__ == "__main__":
    main()
