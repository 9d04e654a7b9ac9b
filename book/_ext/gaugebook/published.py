"""What a reader gets in place of the source, on the page and in the notebook behind it alike.

The first cell installs the library of this very build (`repository`), and solutions that the course
hides (`course`) are not there (`solutions`). Colab and the download button open the notebooks in
`_sources`.
"""

from pathlib import Path

from .repository import with_install_line
from .solutions import refuse_what_is_left, without_solutions


def as_published(source: str, app, name: str) -> str:
    """The JSON of the notebook of that name, as it is published."""
    if not app.gaugebook_shows(name):
        source = without_solutions(source)
    if app.gaugebook_repository is not None:
        source = with_install_line(source, app.gaugebook_repository)
    return source


def rewrite_page(app, docname, source) -> None:
    """Before Sphinx reads a page."""
    path = app.env.doc2path(docname)
    if path.endswith(".ipynb"):
        source[0] = as_published(source[0], app, Path(path).stem)
    if not app.gaugebook_shows(Path(path).stem):
        refuse_what_is_left(source[0], path)


def rewrite_notebooks(app, exception) -> None:
    """After Sphinx has copied the sources of the pages."""
    if exception is None and app.builder.format == "html":
        for notebook in Path(app.outdir, "_sources").rglob("*.ipynb"):
            notebook.write_text(
                as_published(notebook.read_text("utf8"), app, notebook.stem), "utf8"
            )


def setup(app) -> None:
    """When a page is read, and when all are written and old ones swept away."""
    app.connect("source-read", rewrite_page)
    app.connect("build-finished", rewrite_notebooks, priority=600)
