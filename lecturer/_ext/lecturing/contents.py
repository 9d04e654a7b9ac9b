"""What there is for each chapter: the hour, slides, problems, and the book's own page."""

import re
from html import escape
from pathlib import Path

from docutils import nodes

from .core import KitDirective, chapter_of, raw

TITLE = re.compile(r"^# +(.+?) *$", re.MULTILINE)
HEADS = ("chapter", "the hour", "slides", "problems", "the book")


def in_order(source: Path) -> list[str]:
    """The chapters that have a lecturer's page, in the order of the book, then others."""
    from tools.teach import CHAPTERS

    found = {path.stem for path in (source / "lectures").glob("*.md")}
    return [name for name in CHAPTERS if name in found] + sorted(found - set(CHAPTERS))


def title_of(page: Path) -> str:
    """The heading of a page."""
    found = TITLE.search(page.read_text("utf8"))
    return found[1] if found else page.stem


class Chapters(KitDirective):
    """A table of the chapters with links to all that there is for each."""

    required_arguments = 0

    def made(self) -> list[nodes.Node]:
        """The table."""
        source = Path(self.env.srcdir)
        rows = "".join(self.row(source, name) for name in in_order(source))
        heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
        return [
            raw(
                '<div class="wide"><table class="kit"><caption>For each chapter</caption>'
                f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
            )
        ]

    def row(self, source: Path, name: str) -> str:
        """What there is for one chapter."""
        title = escape(title_of(source / "lectures" / f"{name}.md"))
        cells = [f"<a href='lectures/{name}.html' aria-label='lecture: {title}'>lecture</a>"]
        for folder, words in (("slides", "slides"), ("sheets", "problems")):
            there = (source / folder / f"{name}.md").exists()
            link = f"<a href='{folder}/{name}.html' aria-label='{words}: {title}'>{words}</a>"
            cells.append(link if there else "–")
        page = f"book/{name}"
        there = page in self.site.pages
        cells.append(
            f"<a href='{self.root}{page}.html' aria-label='chapter: {title}'>chapter</a>"
            if there
            else "–"
        )
        return f'<tr><th scope="row">{title}</th><td>{"</td><td>".join(cells)}</td></tr>'


class Materials(KitDirective):
    """On a lecturer's page: links to the slides, the problems and the chapter."""

    required_arguments = 0

    def made(self) -> list[nodes.Node]:
        """One line."""
        name, source = chapter_of(self.env.docname), Path(self.env.srcdir)
        links = [
            nodes.reference("", words, refuri=f"../{folder}/{name}.html")
            for folder, words in (("slides", "The slides"), ("sheets", "Problems and solutions"))
            if (source / folder / f"{name}.md").exists()
        ]
        if f"book/{name}" in self.site.pages:
            address = f"{self.root}book/{name}.html"
            links.append(nodes.reference("", "The chapter", refuri=address))
        line = nodes.paragraph(classes=["materials"])
        for k, link in enumerate(links):
            line += [nodes.Text(" · " * (k > 0)), link]
        return [line]
