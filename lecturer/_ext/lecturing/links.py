"""Roles: `{in}` leads into the book, `{found}` and `{number}` say what was computed."""

import importlib.util
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from .core import chapter_of, root_of, site_of
from .polls import poll_of
from .site import KitError

LOGGER = logging.getLogger(__name__)


class KitRole(SphinxRole):
    """A role whose text names something of the book."""

    def run(self):
        """What `made` gives; what is not there is an error of the build."""
        try:
            return [self.made()], []
        except KitError as problem:
            LOGGER.error("%s", problem, location=self.get_location())
            return [nodes.inline("", self.text)], []

    def made(self) -> nodes.Node:
        """The node in the role's place."""
        raise NotImplementedError


class InTheBook(KitRole):
    """`{in}`label`` or `{in}`words <label>``: a link that says number and title."""

    def made(self) -> nodes.Node:
        """The link."""
        words, label = split(self.text)
        thing = site_of(self.env.app).thing(label)
        address = root_of(self.env.docname) + thing.address
        return nodes.reference("", words or thing.words, refuri=address, internal=True)


def split(text: str) -> tuple[str, str]:
    """The words and the label.

    >>> split("the proof <thm-unique>"), split("thm-unique")
    (('the proof', 'thm-unique'), ('', 'thm-unique'))
    """
    words, mark, label = text.rpartition("<")
    return (words.strip(), label.rstrip("> ")) if mark and text.endswith(">") else ("", text)


class Found(KitRole):
    """`{found}`predict-x``: what the page's kernel computed for that prediction."""

    def made(self) -> nodes.Node:
        """The words of the computed line."""
        return nodes.inline("", poll_of(site_of(self.env.app), self.text).found)


class Number(KitRole):
    """`{number}`name``: what the function of that name in `numbers/CHAPTER.py` returns."""

    def made(self) -> nodes.Node:
        """The value as text."""
        path = Path(self.env.srcdir, "numbers", f"{chapter_of(self.env.docname)}.py")
        return nodes.inline("", str(computed(path, self.text)))


@cache
def computed(path: Path, name: str):
    """What a function of a file returns.

    Raises:
        KitError: there is no such file or function.
    """
    if not path.exists():
        raise KitError(f"no numbers are computed for this page: {path.name} is missing")
    function = getattr(loaded(path), name, None)
    if function is None:
        raise KitError(f"{path.name} has no function {name}()")
    return function()


@cache
def loaded(path: Path):
    """A module from its file."""
    spec = importlib.util.spec_from_file_location(f"numbers_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
