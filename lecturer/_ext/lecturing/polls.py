"""A prediction of the book as a poll: question, choices, what is right, what was computed."""

from dataclasses import dataclass

from bs4 import Tag
from docutils import nodes

from .core import KitDirective, box, raw
from .site import KitError, Site, words_of

COMPUTED = "Computed: "


@dataclass(frozen=True)
class Choice:
    """One of the answers to choose from."""

    html: str
    reply: str  # what the book says of it, HTML
    right: bool


@dataclass(frozen=True)
class Poll:
    """A prediction as the built page has it; its parts are HTML, `found` is text."""

    name: str
    page: str
    question: str
    choices: list[Choice]
    found: str


def poll_of(site: Site, name: str, root: str = "") -> Poll:
    """The prediction of that name.

    Raises:
        KitError: the book has none, or none that was computed.
    """
    page, _ = site.place(name)
    answer = site.element(f"{name}-answer") if f"{name}-answer" in site.html(page) else None
    computed = answer.select_one(".predict-computed") if answer else None
    if answer is None or computed is None:
        raise KitError(f"{name!r} is no prediction of the book")
    parts = site.element(name).find_all("p", recursive=False)
    asked = [part for part in parts if "admonition-title" not in part.get("class", [])]

    def html(element: Tag) -> str:
        return site.fragment(element, root, page)

    return Poll(
        name,
        page,
        "".join(map(html, asked)),
        [choice_of(item, html) for item in answer.select(":scope > ol > li")],
        words_of(computed).removeprefix(COMPUTED),
    )


def choice_of(item: Tag, html) -> Choice:
    """A choice from the item of the answer that discusses it."""
    line, *reply = item.find_all(True, recursive=False)
    return Choice(
        html(line).removeprefix('<p class="choice">').removesuffix("</p>")
        .replace(' <span class="predict-right">right</span>', ""),
        "".join(map(html, reply)),
        "right" in item.get("class", []),
    )  # fmt: skip


class Ask(KitDirective):
    """The question and its choices, which of them is right, and what to expect of the room."""

    def made(self) -> list[nodes.Node]:
        """A box; on slides the answer comes a step later, and the rest is said, not shown."""
        poll = poll_of(self.site, self.arguments[0], self.root)
        if self.on_slides:
            from .slides import poll_on_slide

            return poll_on_slide(poll, self.body())
        thing = self.site.thing(poll.name)
        link = nodes.reference("", "In the book", refuri=self.root + thing.address)
        items = "".join(f"<li>{marked(choice)}</li>" for choice in poll.choices)
        said = f'<ol class="choices">{items}</ol><p class="computed">Computed: {poll.found}.</p>'
        return [
            box("poll", raw(poll.question + said), *self.body(), nodes.paragraph("", "", link)),
        ]


def marked(choice: Choice) -> str:
    """A choice with the word that says whether it is right."""
    return f'{choice.html} <strong class="right">right</strong>' if choice.right else choice.html
