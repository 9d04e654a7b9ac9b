"""How the directives look on a slide, and what only slides have: notes for the one who speaks."""

import re

from bs4 import BeautifulSoup
from docutils import nodes

from .alive import scripts, widget_of
from .core import KitDirective, box, chapter_of, raw
from .plans import board_of
from .polls import Poll

BOARD = re.compile(r"\{board-of\}`([^`]+)`")
ANSWER = 'data-fragment-index="0"'  # all of an answer comes in one step


class notes(nodes.General, nodes.Element):
    """What is said and not shown."""


class Notes(KitDirective):
    """Speaker notes; `{board-of}` in them is the board version from the lecturer's page."""

    required_arguments = 0

    def made(self) -> list[nodes.Node]:
        """The notes; on a page for lecturers they stand in a box."""
        chapter = chapter_of(self.env.docname)

        def lines(found: re.Match) -> str:
            written = board_of(self.env.srcdir, chapter, found[1])
            return f"\n\n::::{{container}} board\n{written}\n::::\n\n"

        text = BOARD.sub(lines, "\n".join(self.content))
        body = self.parse_text_to_nodes(text)
        return [notes("", *body) if self.on_slides else box("notes", *body)]


def poll_on_slide(poll: Poll, remarks: list[nodes.Node]) -> list[nodes.Node]:
    """Question and choices; the answer is the next step; the remarks are for the notes."""
    items = "".join(f"<li{right(choice.right)}</li>" % choice.html for choice in poll.choices)
    asked = f'<div class="question">{poll.question}</div><ol class="choices">{items}</ol>'
    found = f'<p class="computed fragment" {ANSWER}>Computed: {poll.found}.</p>'
    letters = [chr(ord("A") + k) for k, choice in enumerate(poll.choices) if choice.right]
    told = nodes.paragraph("", f"Right: {', '.join(letters)}. {poll.found}.")
    return [box("poll", raw(asked + found)), notes("", told, *remarks)]


def right(yes: bool) -> str:
    """The rest of a choice's markup: what is right says so once the answer is shown."""
    if not yes:
        return ">%s"
    mark = f'<strong class="fragment" {ANSWER}>right</strong>'
    return f' class="right fragment custom" {ANSWER}>%s {mark}'


def widget_on_slide(place: KitDirective, label: str, state: dict[str, str]) -> list[nodes.Node]:
    """What to do, and the widget itself."""
    entry = widget_of(place.site, label).begun(state)
    name = f"{place.env.docname}:{place.lineno}"
    figure = f'<figure class="live" data-prevent-swipe>{scripts(entry, name)}</figure>'
    return [box("do", *place.body()), raw(figure)]


def for_slides(html: str) -> str:
    """What was made for a page, for a slide: reveal.js takes each section for a slide.

    >>> for_slides('<section><p>x</p></section>')
    '<div><p>x</p></div>'
    >>> for_slides('<source media="screen and (max-width: 9px)"><img loading="lazy"/>')
    '<img/>'
    """
    html = re.sub(r"(</?)section\b", r"\1div", html)
    html = re.sub(r'<source media="screen and \(max-width[^>]*>(</source>)?', "", html)
    return re.sub(r'(<img\b[^>]*?) loading="lazy"', r"\1", html)


def spoken(html: str) -> str:
    """Notes with formulas as MathML alone: the speaker's window has no style sheet for others.

    >>> spoken('<span class="math"><span class="katex"><span class="katex-mathml"><math></math>'
    ...        '</span><span class="katex-html">x</span></span></span>')
    '<math></math>'
    """
    soup = BeautifulSoup(html, "html.parser")
    for formula in soup.select(".math"):
        found = formula.find("math")
        if found is not None:
            formula.replace_with(found.extract())
    return str(soup)
