"""What is shown again of the book: statements, figures, and widgets in a state of one's own."""

import re

from bs4 import BeautifulSoup, Tag
from docutils import nodes
from docutils.parsers.rst import directives

from gaugebook.states import StateError, address

from .alive import widget_of
from .core import KitDirective, box, raw
from .site import KitError


class Stated(KitDirective):
    """A statement as the book has it."""

    def made(self) -> list[nodes.Node]:
        """Its box."""
        if not self.arguments[0].startswith(("thm-", "prop-", "lem-", "cor-", "def-")):
            raise KitError(f"{self.arguments[0]!r} is no statement")
        return [raw(self.element(self.arguments[0]))]


class Shown(KitDirective):
    """A figure of the book, or the still of a widget."""

    option_spec = {"plain": directives.flag}

    def made(self) -> list[nodes.Node]:
        """The figure."""
        return [raw(still(self, self.arguments[0], "plain" in self.options))]


def still(place: KitDirective, label: str, plain: bool) -> str:
    """HTML of a figure without what needs a script."""
    figure = BeautifulSoup(str(place.site.element(label)), "html.parser").find("figure")
    if not isinstance(figure, Tag):
        raise KitError(f"{label!r} is no figure")
    for part in figure.select("script, .widget-live"):
        part.decompose()
    for part in figure.select("noscript"):
        part.unwrap()
    caption = figure.select_one("figcaption")
    if plain and caption is not None:
        caption.decompose()
    return place.site.fragment(figure, place.root, place.site.place(label)[0])


class Live(KitDirective):
    """A widget in a state: alive on a slide, on a page a link that opens it so."""

    option_spec = {"state": directives.unchanged}

    def made(self) -> list[nodes.Node]:
        """The widget, or the link and what to do with it."""
        label = self.arguments[0]
        state = stated(self.options.get("state", ""))
        if self.on_slides:
            from .slides import widget_on_slide

            return widget_on_slide(self, label, state)
        thing = self.site.thing(label)
        page = f"{self.root}{thing.page}.html"
        try:
            opened = address(page, label, state, widget_of(self.site, label).state["_linkable"])
        except StateError as problem:
            raise KitError(str(problem)) from problem
        link = nodes.reference("", thing.words, refuri=opened)
        words = f" in the state {self.options['state']}" if state else " as the page has it"
        return [box("live", nodes.paragraph("", "", link, nodes.Text(words)), *self.body())]


def stated(text: str) -> dict[str, str]:
    """The traits of a state.

    >>> stated("log2_scale=2; neuron=1")
    {'log2_scale': '2', 'neuron': '1'}
    """
    parts = [part.partition("=") for part in text.split(";") if part.strip()]
    if wrong := [name for name, mark, _ in parts if not mark]:
        raise KitError(f"a state is written `trait=value; …`, not {wrong[0]!r}")
    return {name.strip(): re.sub(r",\s+", ",", value.strip()) for name, _, value in parts}
