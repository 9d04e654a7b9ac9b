"""Build the lecturer's kit beside a copy of the built book.

    python -m tools.lecturer_kit [--site _build/html] [--to _build/lecturer] [--overlay FOLDER]

The students' site is not touched: `--to` gets a copy of it, and in the copy a folder `lecturer`
with the lecturer's pages and slides, which link into the book beside them. No notebook is executed.
An overlay's lectures, slides, problems and pages come in, a file in place of ours of the same name.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.lecturer_slides import build as build_slides
from tools.teach.course import overlay_of
from tools.teach.loading import BOOK, CHAPTERS, EXAMS, FOLDER, load
from tools.teach.problem import ProblemError
from tools.teach.said import heading

ROOT = Path(__file__).resolve().parents[1]
KIT = ROOT / "lecturer"
PARTS = ("lectures", "slides", "pages")  # of an overlay; its problems are read where they lie
SHEET = "# {title}: problems\n\n```{{problemset}} {name}\n```\n"
UNUSED = (  # no page of the kit names them
    "_static/*-macros.html", "_static/scripts/fontawesome.js",
    "_static/scripts/bootstrap.js", "_static/scripts/*.map", "_static/styles/*.map",
)  # fmt: skip
OWN = "\n```{{toctree}}\n:caption: Of your course\n:hidden:\n\n{pages}\n```\n"


def assemble(to: Path, overlay: Path | None) -> None:
    """Write the Markdown of the kit into a folder: ours, the overlay's, the problem sets.

    Raises:
        ProblemError: a problem is not whole, or two are named alike.
    """
    for path in KIT.iterdir():
        if path.name in ("lectures", "slides", "numbers"):
            shutil.copytree(path, to / path.name)
        elif path.suffix == ".md":
            shutil.copy(path, to)
    if overlay is not None:
        for part in PARTS:
            if (overlay / part).is_dir():
                shutil.copytree(overlay / part, to / part, dirs_exist_ok=True)
    (to / "sheets").mkdir()
    found = load(FOLDER, overlay)
    for name, collection in found.items():
        page = BOOK / f"{name}.ipynb"
        usual = heading(page) if page.exists() else name.replace("_", " ")
        title = collection.exam.title if collection.exam else usual
        (to / "sheets" / f"{name}.md").write_text(SHEET.format(title=title, name=name), "utf8")
    own = [f"sheets/{name}" for name in found if name not in (*CHAPTERS, *EXAMS)]
    own += [f"pages/{path.stem}" for path in sorted((to / "pages").glob("*.md"))]
    own += [
        f"lectures/{path.stem}"
        for path in sorted((to / "lectures").glob("*.md"))
        if path.stem not in CHAPTERS
    ]
    if own:
        with (to / "index.md").open("a", encoding="utf8") as index:
            index.write(OWN.format(pages="\n".join(own)))


def build(site: Path, to: Path, overlay: Path | None = None) -> None:
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
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "lecturer")
        source.mkdir()
        try:
            assemble(source, overlay)
        except ProblemError as problem:
            sys.exit(f"lecturer's kit: {problem}")
        with ThreadPoolExecutor(2) as pool:  # pages and slides know nothing of each other
            slides = pool.submit(build_slides, site, to, source)
            pages = pool.submit(build_pages, site, to, source, overlay)
            pages.result()
            slides.result()


def build_pages(site: Path, to: Path, source: Path, overlay: Path | None) -> None:
    """Write the lecturer's pages, without what none of them names.

    Raises:
        SystemExit: a page is not as it should be.
    """
    with tempfile.TemporaryDirectory() as doctrees:
        done = subprocess.run(
            [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "-n", "--keep-going", "-b", "html",
             "-c", str(KIT), "-d", doctrees, str(source), str(to / KIT.name)],
            env=os.environ | surroundings(site, overlay), check=False,
        )  # fmt: skip
    if done.returncode:
        sys.exit("lecturer's kit: its pages have the errors above")
    for name in UNUSED:
        for path in (to / KIT.name).glob(name):
            path.unlink()


def surroundings(site: Path, overlay: Path | None) -> dict[str, str]:
    """What the builds of the kit are told."""
    named = {"COURSE_OVERLAY": str(overlay)} if overlay else {}
    return {"BOOK_SITE": str(site.resolve()), **named}


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, and say where the kit is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / "lecturer")
    parser.add_argument("--overlay", type=Path, help="else COURSE_OVERLAY, else that of course.yml")
    options = parser.parse_args(arguments)
    try:
        overlay = overlay_of(options.overlay)
    except ProblemError as problem:
        sys.exit(f"lecturer's kit: {problem}")
    build(options.site, options.to, overlay)
    print(f"The lecturer's kit: file://{options.to.resolve() / KIT.name / 'index.html'}")


if __name__ == "__main__":
    main()
