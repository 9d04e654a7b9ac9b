"""The Sphinx extension of the lecturer's kit: pages and slides from the built book.

- `site`: what the built book has, by its labels. `core`: what the directives share.
- `links`: `{in}` leads into the book, `{found}` and `{number}` say what was computed.
- `said`: statements, figures and widgets of the book. `polls`: its predictions.
- `plans`: the hour by the minute, boards, misconceptions, run times.
- `slides`: how these look on a slide, and speaker notes. `alive`: widgets in a state of one's own.
- `sets`: the problems with their solutions. `contents`: what there is for each chapter.
- `decks`: a chapter's slides as one page, by the builder of sphinx-revealjs.
"""

from pathlib import Path

from gaugebook import access

from . import contents, links, plans, polls, said, sets, slides
from .core import site_of

DIRECTIVES = {
    "stated": said.Stated,
    "shown": said.Shown,
    "live": said.Live,
    "poll": polls.Ask,
    "plan": plans.Plan,
    "board": plans.Board,
    "misconception": plans.Misconception,
    "runtimes": plans.RunTimes,
    "notes": slides.Notes,
    "problemset": sets.ProblemSet,
    "chapters": contents.Chapters,
    "materials": contents.Materials,
}
ROLES = {"in": links.InTheBook, "found": links.Found, "number": links.Number}


def dress(app) -> None:
    """The style of the book beside which the kit lies: its statements and formulas are shown."""
    for path in sorted((site_of(app).folder / "_static" / "bundle").glob("*.css")):
        app.add_css_file(f"../../_static/bundle/{path.name}", priority=300)
    if app.builder.name == "html":
        app.builder.search = False  # the field leads to the search of the book
        for repair in (access.repair_page, access.name_toggles):  # of the theme, as in the book
            app.connect("html-page-context", repair, priority=900)


def setup(app):
    """Called by Sphinx once, before the builder exists."""
    app.add_config_value("gaugebook_draft", True, "env", bool)  # formulas carry their own styles
    app.add_config_value("lecturing_site", Path(app.confdir).parent / "_build" / "html", "", Path)
    app.add_config_value("lecturing_slides", False, "env", bool)
    app.connect("builder-inited", dress)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    for name, role in ROLES.items():
        app.add_role(name, role())
    if "sphinx_revealjs" in app.extensions:
        from . import decks

        decks.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
