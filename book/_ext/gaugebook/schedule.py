"""The name and the days of a course: on the first page, and on the page of each lecture.

They are put into what has been read, not into the sources: the notebooks stay as they are.
"""

from datetime import date
from pathlib import PurePosixPath

from babel.dates import format_date
from docutils import nodes
from sphinx.addnodes import pending_xref

ANCHOR = "course-schedule"
SCHEDULE = "Schedule"


def written(day: date) -> str:
    """Monday 1 March 2027, wherever the book is built."""
    return format_date(day, "EEEE d MMMM y", locale="en_GB")


def link(app, name: str, words: str = "") -> nodes.Node:
    """To a page of the book, with its title or with these words."""
    docname = str(PurePosixPath(app.config.root_doc).with_name(name))
    return pending_xref(
        "",
        nodes.inline("", words or name),
        refdomain="std",
        reftype="doc",
        refdoc=app.config.root_doc,
        reftarget=f"/{docname}",
        refexplicit=bool(words),
        refwarn=True,
    )


def solutions(app, chapter: str) -> str:
    """When the solutions of a chapter will be shown; nothing where that is not a matter of days."""
    day = app.gaugebook_course.solutions.get(chapter, app.gaugebook_course.otherwise)
    if app.gaugebook_day < day < date.max:
        return f", solutions from {written(day)}"
    return ""


def entry(*parts: nodes.Node) -> nodes.entry:
    """A cell of the table."""
    return nodes.entry("", nodes.paragraph("", "", *parts))


def row(app, name: str, day: date) -> nodes.row:
    """A lecture: its day, its page and, for a chapter, the exercises."""
    practice = []
    if f"{name}_exercises" in app.gaugebook_pages:
        practice = [link(app, f"{name}_exercises", "Exercises"), nodes.Text(solutions(app, name))]
    return nodes.row("", entry(nodes.Text(written(day))), entry(link(app, name)), entry(*practice))


def table(app) -> nodes.table:
    """The lectures in the order of their days; of one day, in the order of the book."""
    order = list(app.gaugebook_pages)
    days = sorted(
        app.gaugebook_course.dates.items(), key=lambda each: (each[1], order.index(each[0]))
    )
    head = nodes.row("", *(entry(nodes.Text(word)) for word in ("day", "lecture", "afterwards")))
    group = nodes.tgroup("", cols=3)
    group += [nodes.colspec(colwidth=width) for width in (30, 35, 35)]
    group += [
        nodes.thead("", head),
        nodes.tbody("", *(row(app, name, day) for name, day in days)),
    ]
    return nodes.table("", group)


def section(app) -> nodes.section:
    """The schedule, and the course's own pages."""
    found = nodes.section("", nodes.title("", SCHEDULE), ids=[ANCHOR], names=[ANCHOR])
    if app.gaugebook_course.dates:
        found += table(app)
    if own := app.gaugebook_course.pages:
        items = (nodes.list_item("", nodes.paragraph("", "", link(app, p.stem))) for p in own)
        found += nodes.bullet_list("", *items)
    return found


def introduce(app, top: nodes.section) -> None:
    """On the first page: the name under the title, the schedule before the first section."""
    course = app.gaugebook_course
    has = bool(course.dates or course.pages)
    if has:
        inner = [i for i, node in enumerate(top.children) if isinstance(node, nodes.section)]
        top.insert(inner[0] if inner else len(top.children), section(app))
    if course.name:
        words = [nodes.strong("", course.name)]
        if has:
            there = nodes.reference("", SCHEDULE.lower(), internal=True, refid=ANCHOR)
            words += [nodes.Text(": "), there]
        top.insert(1, nodes.container("", nodes.paragraph("", "", *words), classes=["course"]))


def date_page(top: nodes.section, day: date) -> None:
    """On the page of a lecture: its day, at the end of what stands before the text."""
    words = [nodes.emphasis("", "The lecture"), nodes.Text(f" is on {written(day)}.")]
    said = nodes.paragraph("", "", *words, classes=["course"])
    frames = (n for n in top.children if "frame" in n.get("classes", ()))
    frame = next(frames, None)
    if frame is None:
        top.insert(1, nodes.container("", said))
    else:
        frame += said


def say(app, document) -> None:
    """When a page has been read, before its sections are counted."""
    top = next(iter(document.findall(nodes.section)), None)
    course, docname = app.gaugebook_course, app.env.docname
    if top is None:
        return
    if docname == app.config.root_doc:
        introduce(app, top)
    elif day := course.dates.get(PurePosixPath(docname).name):
        date_page(top, day)


def setup(app) -> None:
    """The sections are counted at priority 500."""
    app.connect("doctree-read", say, priority=400)
