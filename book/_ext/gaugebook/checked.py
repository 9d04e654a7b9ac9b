"""Under a statement: by which tests it is checked, folded into one line, each with a link.

The links lead to the files as they were when the book was built; without a repository there are
none.
"""

import re

CHECKED = re.compile(r"<p>(Checked by .*?)</p>", re.DOTALL)
TEST = re.compile(
    r'<code class="docutils literal notranslate"><span class="pre">'
    r"(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)</span></code>"
)


def count(number: int, thing: str) -> str:
    """How many of them, in words that fit."""
    return f"{number} {thing}" + "s" * (number != 1)


def folded(sentence: str, source: str) -> str:
    """The sentence under a line that says how much is in it.

    Args:
        sentence: as HTML; the tests stand before its semicolon, their controls behind.
        source: address of the folder that the tests' files are in; "" if nobody knows.
    """
    tests, _, controls = sentence.partition(";")
    numbers = [len(TEST.findall(part)) for part in (tests, controls)]
    told = f"{count(numbers[0], 'test')}, with {count(numbers[1], 'control')}"

    def link(found: re.Match) -> str:
        return f'<a class="reference external" href="{source}/{found["file"]}">{found[0]}</a>'

    shown = TEST.sub(link, sentence) if source else sentence
    return f'<details class="checked"><summary>Checked by {told}</summary><p>{shown}</p></details>'


def source_address(app) -> str:
    """Where the files lie as they were when the book was built; "" if nobody knows."""
    repository = app.gaugebook_repository
    return f"{repository.url}/blob/{repository.commit or 'main'}" if repository else ""


def fold(app, pagename, templatename, context, doctree) -> None:
    """Fold every such sentence of a page."""
    if "body" not in context:
        return
    source = source_address(app)
    context["body"] = CHECKED.sub(lambda found: folded(found[1], source), context["body"])


def setup(app) -> None:
    """When a page is written."""
    app.connect("html-page-context", fold)
