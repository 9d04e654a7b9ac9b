"""All pages of the book in one document: title page, contents, chapters, solutions, the rest.

The numbers of pages stand in `span.at`, which names a place in `data-of`; `printing` fills them in.
"""

import re
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from bs4 import Tag

from gaugebook.plain import plain

from . import paper, stills
from .imprint import Imprint
from .site import AmissError, Page, address

STYLE = Path(__file__).with_name("paper.css")
NUMBER = re.compile(r"^([\d.]+)\s")
SOLUTIONS = "solutions"
# Looked up on a screen, by a link or a search: links to these pages lead to the published ones.
LEFT_OUT = re.compile(r"(?:.*/)?reference(?:_\w+)?")


@dataclass(frozen=True)
class Heading:
    """A line of the contents and of the outline."""

    level: int  # 1 is a chapter
    place: str  # the id
    html: str
    words: str


@dataclass(frozen=True)
class Part:
    """What begins on a new page and has a running head of its own."""

    name: str
    headings: list[Heading]
    html: str


@dataclass(frozen=True)
class Book:
    """The document, and what must be found again in what is printed of it."""

    html: str
    headings: list[Heading]
    widgets: int
    solutions: int


def join(pages: list[Page], imprint: Imprint, at: str = "") -> Book:
    """The whole book as one document, with addresses that are relative to the site's root.

    Args:
        pages: in the order of reading.
        imprint: what the title page says.
        at: the site's address, if its pages do not say it.

    Raises:
        AmissError: a link that leads nowhere, an id twice, a widget without a picture.
    """
    where = address(pages) or at
    articles = {p.name: p.article() for p in pages if not LEFT_OUT.fullmatch(p.name)}
    widgets = 0
    for name, article in articles.items():
        widgets += stills.put_stills(article, name, where)
        paper.strip(article)
        paper.ink(article, name)
        paper.speak(article, plain)
    known = {name: paper.places(article, name) for name, article in articles.items()}
    parts, solved = [], []
    for name, article in articles.items():
        paper.rename(article, name)
        paper.relink(article, name, known, where)
        say_where(article)
        parts.append(part := part_of(name, article))
        if found := article.select("details.solution"):
            solved.append((part.headings[0], [taken_out(details) for details in found]))
        paper.unfold(article)
        parts[-1] = replace(part, html=article.decode_contents())
    count = sum(len(found) for _, found in solved)
    if solved:
        parts.insert(after_the_chapters(parts), appendix(solved, parts))
    headings = [heading for part in parts for heading in part.headings]
    sheets = dict.fromkeys(sheet for page in pages for sheet in page.sheets())
    code = stills.code(where) if where else ""
    body = imprint.page(where, code) + contents(headings) + "".join(map(section, parts))
    return Book(document(body, parts, list(sheets), imprint), headings, widgets, count)


def part_of(name: str, article: Tag) -> Part:
    """A page with its headings; one that stands under a chapter is one step lower."""
    title = article.find("h1")
    if title is None:
        raise AmissError(f"{name}.html has no title")
    number = NUMBER.match(title.get_text())
    under = 1 if number and "." in number[1].strip(".") else 0
    paper.lower(article, under)
    headings = []
    for heading in article.find_all([f"h{1 + under}", f"h{2 + under}"]):
        place = paper.key(name) if heading is title else heading.find_parent("section")["id"]
        heading_words = paper.words(heading)
        level = int(heading.name[1])
        headings.append(Heading(level, place, heading.decode_contents(), heading_words))
    return Part(name, headings, "")


def taken_out(details: Tag) -> str:
    """A solution, out of the page: what stays behind is a link to it. Gives it as HTML.

    It is folded no more, and its title is a heading of the appendix.
    """
    title = details.find("summary")
    place = details["id"]
    stays = (
        f'<p class="solved"><a href="#{place}">{title.decode_contents()}</a>, {number(place)}</p>'
    )
    details.insert_before(paper.text(stays))
    title.name, title["class"] = "h3", ["solution-title"]
    if back := details.find("p", class_="back"):
        exercise = back.find("a")["href"].removeprefix("#")
        back.append(paper.text(f", {number(exercise)}"))
    details = details.extract()
    paper.unfold(details)
    return str(details)


def say_where(article: Tag) -> None:
    """A question says on which page it is answered: "the end of the page" is another on paper."""
    for ahead in article.select("p.predict-ahead:has(a)"):
        answer = ahead.find("a").extract()
        ahead.clear()
        ahead.extend([answer, paper.text(f": {number(answer['href'].removeprefix('#'))}")])


def number(place: str) -> str:
    """Room for the number of the page on which a place is."""
    return f'page&#160;<span class="at" data-of="{place}"></span>'


def appendix(solved: list[tuple[Heading, list[str]]], parts: list[Part]) -> Part:
    """The solutions of all exercises, by chapter, as the last thing before the back matter."""
    headings = [Heading(1, SOLUTIONS, "Solutions", "Solutions")]
    html = "<h1>Solutions</h1>"
    chapter = {}
    for part in parts:
        first = part.headings[0]
        if first.level == 1:
            above = first
        chapter[first.place] = above
    for exercises, found in solved:
        above = chapter[exercises.place]
        place = f"{SOLUTIONS}--{exercises.place}"
        headings.append(Heading(2, place, above.html, above.words))
        html += f'<section id="{place}"><h2>{above.html}</h2>{"".join(found)}</section>'
    return Part(SOLUTIONS, headings, html)


def after_the_chapters(parts: list[Part]) -> int:
    """How many parts stand before the back matter: all up to the last that has a number."""
    numbered = [k for k, part in enumerate(parts) if NUMBER.match(part.headings[0].words)]
    return numbered[-1] + 1 if numbered else len(parts)


def contents(headings: list[Heading]) -> str:
    """The table of contents, two levels deep.

    What else stands in the outline is linked to out of sight: Chromium remembers of a place where
    it was printed only if something links to it.
    """
    lines = "".join(
        f'<li class="level-{h.level}"><a href="#{h.place}"><span class="entry">{h.html}</span>'
        f'<span class="dots"></span><span class="at" data-of="{h.place}"></span></a></li>'
        for h in headings
        if h.level <= 2
    )
    deeper = "".join(f'<a href="#{h.place}"></a>' for h in headings if h.level > 2)
    return (
        f'<nav class="contents"><h1>Contents</h1><ol>{lines}</ol><div hidden>{deeper}</div></nav>'
    )


def section(part: Part) -> str:
    """A part as a section that begins on a new page."""
    return f'<section class="part" id="{paper.key(part.name)}">{part.html}</section>'


def document(body: str, parts: list[Part], sheets: list[str], imprint: Imprint) -> str:
    """The parts under the site's own style sheets, and then those of the book on paper."""
    links = "".join(f'<link rel="stylesheet" href="{sheet}"/>' for sheet in sheets)
    heads = f"@page {{ @top-left {{ content: {quoted(imprint.title)} }} }}"
    heads += "".join(
        f"@page {mark} {{ @top-right {{ content: {quoted(part.headings[0].words)} }} }}"
        f"#{mark} {{ page: {mark} }}"
        for part in parts
        for mark in [paper.key(part.name)]
    )
    heads += "@page title { @top-left { content: none } }"
    return (
        f'<!DOCTYPE html><html lang="{imprint.language}" data-theme="light"><head>'
        f'<meta charset="utf-8"/><title>{escape(imprint.title)}</title>{links}'
        f"<style>{STYLE.read_text('utf8')}{heads}</style></head>"
        f'<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        f'<article class="bd-article">{body}</article></div></div></main></body></html>'
    )


def quoted(words: str) -> str:
    """A text as a string of CSS."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ") + '"'
