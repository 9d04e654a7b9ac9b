"""At the foot of a page: its version and last change, how it is cited, and where an error goes.

Who wrote the book and which version this is stand in `CITATION.cff`, beside the book; without that
file there is nothing to cite. The address of the page comes from the repository, its last change
from git; what nobody knows is left out.
"""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

import yaml

from .described import address_of, title_of
from .revisions import Revision, revisions

SPECIAL = re.compile(r"[\\{}&%$#_~^]")
WRITTEN = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class Work:
    """What is cited; an empty string is what nobody knows."""

    title: str
    book: str  # the same as the title for the book itself
    people: tuple[tuple[str, str], ...]  # given and family name; an organisation has no given name
    version: str
    revision: Revision | None
    year: str
    address: str
    key: str

    @property
    def edition(self) -> str:
        """Which state of the text this is."""
        told = f"version {self.version}"
        if self.revision is None:
            return told
        return f"{told}, revision {self.revision.short} of {self.revision.date}"

    @property
    def text(self) -> str:
        """For a list of references."""
        names = [f"{given} {family}".strip() for given, family in self.people]
        authors = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        within = "" if self.title == self.book else f" In: {self.book}."
        title = self.title if self.title[-1] in ".?!" else f"{self.title}."
        edition = self.edition[0].upper() + self.edition[1:]
        return f"{authors} ({self.year}). {title}{within} {edition}. {self.address}".strip()

    @property
    def bibtex(self) -> str:
        """For a bibliography."""
        whole = self.title == self.book
        fields = {
            "author": " and ".join(
                f"{tex(family)}, {tex(given)}" if given else f"{{{tex(family)}}}"
                for given, family in self.people
            ),
            "title": f"{{{tex(self.title)}}}",
            "booktitle": "" if whole else f"{{{tex(self.book)}}}",
            "year": self.year,
            "note": self.edition[0].upper() + self.edition[1:],
            "url": self.address,
        }
        lines = (f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
        return f"@{'book' if whole else 'incollection'}{{{self.key},\n{''.join(lines)}}}"


def tex(text: str) -> str:
    """What TeX takes for a command, written so that it is printed."""
    return SPECIAL.sub(lambda sign: WRITTEN.get(sign[0], f"\\{sign[0]}"), text)


def person(entry: dict) -> tuple[str, str]:
    """Given and family name of an author in CITATION.cff."""
    if "name" in entry:
        return "", entry["name"]
    family = " ".join(filter(None, (entry.get("name-particle"), entry["family-names"])))
    return entry.get("given-names", ""), family


def work(app, pagename: str, context) -> Work | None:
    """What a page is cited as; nothing if nobody says who wrote it."""
    said = app.gaugebook_citation
    if said is None:
        return None
    book, name = app.config.html_title, pagename.rpartition("/")[2]
    whole = pagename == app.config.root_doc
    source = app.env.doc2path(pagename, base=False) if pagename in app.env.found_docs else ""
    revision = app.gaugebook_revisions.get(source)
    return Work(
        title=book if whole else title_of(app, pagename, context),
        book=book,
        people=tuple(map(person, said["authors"])),
        version=str(said["version"]),
        revision=revision,
        year=(revision.date if revision else str(said["date-released"]))[:4],
        address=address_of(app, pagename),
        key="gaugelib" if whole else f"gaugelib:{name}",
    )


def report(app, cited: Work) -> str:
    """Where an error on a page is reported, with what says which page it is; "" if nowhere."""
    if app.gaugebook_repository is None:
        return ""
    body = f"Page: {cited.address}\nState: {cited.edition}\n\nWhat is wrong, and where:\n"
    asked = urlencode({"title": f"Error in “{cited.title}”", "body": body}, quote_via=quote)
    return f"{app.gaugebook_repository.url}/issues/new?{asked}"


def say(app, pagename, templatename, context, doctree) -> None:
    """Give the template of the foot what it shows, and the theme's button the same address."""
    cited = work(app, pagename, context)
    if cited is None or pagename not in app.env.found_docs:
        return
    repository = app.gaugebook_repository
    edition = escape(cited.edition)
    if cited.revision is not None and repository is not None:
        link = f'<a href="{repository.url}/commit/{cited.revision.commit}">'
        edition = edition.replace(cited.revision.short, f"{link}{cited.revision.short}</a>")
    context["cited"] = cited
    context["edition"] = edition[0].upper() + edition[1:]
    context["report"] = report(app, cited)
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", [group]):
            if button.get("label") == "source-issues-button":
                button |= {"url": context["report"], "text": "Report an error"}


def read(app) -> None:
    """Before the pages: what is known of the book as a whole."""
    path = Path(app.confdir, "CITATION.cff")
    app.gaugebook_citation = yaml.safe_load(path.read_text("utf8")) if path.exists() else None
    app.gaugebook_revisions = revisions(Path(app.confdir))


def add_to_foot(app, config) -> None:
    """Before the theme reads its options."""
    config.html_theme_options["footer_content_items"] = [
        "cited.html", "author.html", "copyright.html", "extra-footer.html",
    ]  # fmt: skip


def setup(app) -> None:
    """After the theme has made its buttons."""
    app.connect("config-inited", add_to_foot)
    app.connect("builder-inited", read)
    app.connect("html-page-context", say, priority=900)
