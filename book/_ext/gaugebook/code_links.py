"""A name of the library in the code on a page leads to its entry in the reference.

In each cell the first place of a name is the link. What the names mean is read from the imports of
the page (`code_names`); an example with prompts stands by itself.
"""

import re
from html import unescape

from .code_names import Finder, imported, parsed, places

BLOCK = re.compile(
    r'<div class="(?P<prompts>doctest )?highlight-(?:ipython3|python|default) notranslate">'
    r'<div class="highlight"><pre>(?P<code>.*?)</pre>',
    re.DOTALL,
)
PIECE = re.compile(r"<[^>]*>|&[^;\s]+;|[^<&]+")


def linked(code: str, found: dict[int, tuple[str, str]]) -> str:
    """The HTML of a block with links at these places of its text; a name lies in one piece."""
    pieces, at = [], 0
    for piece in PIECE.findall(code):
        if piece.startswith("<"):
            pieces.append(piece)
            continue
        start, at = at, at + len(unescape(piece))
        for place in sorted((p for p in found if start <= p < at), reverse=True):
            word, address = found[place]
            k = place - start
            if piece[k : k + len(word)] == word:
                link = f'<a class="api" href="{address}">{word}</a>'
                piece = piece[:k] + link + piece[k + len(word) :]
        pieces.append(piece)
    return "".join(pieces)


def with_links(body: str, find: Finder) -> str:
    """A page's HTML with its code linked."""
    blocks = list(BLOCK.finditer(body))
    texts = [unescape(re.sub(r"<[^>]*>", "", block["code"])) for block in blocks]
    trees = [parsed(t, bool(block["prompts"])) for t, block in zip(texts, blocks)]
    common = imported([tree for tree, block in zip(trees, blocks) if not block["prompts"]])
    pieces, end = [], 0
    for block, text, tree in zip(blocks, texts, trees):
        prompts = bool(block["prompts"])
        meant = imported([tree]) if prompts else common
        found = places(text, tree, meant, find, prompts)
        pieces += [body[end : block.start("code")], linked(block["code"], found)]
        end = block.end("code")
    return "".join([*pieces, body[end:]])


def link(app, pagename, templatename, context, doctree) -> None:
    """When a page is written."""
    if "body" in context:
        context["body"] = with_links(context["body"], lambda name: address(app, pagename, name))


def address(app, page: str, name: str) -> str:
    """Where the reference has an entry for a name, seen from a page."""
    known = app.env.domains["py"].objects
    for exported in app.env.gaugebook_exported.values():
        name = name if name in known else exported.get(name, name)
    if name not in known or known[name].docname not in app.env.found_docs:
        return ""
    entry = known[name]
    return f"{app.builder.get_relative_uri(page, entry.docname)}#{entry.node_id}"


def setup(app) -> None:
    """After the elements have gone that tell plain words of code apart (`lean`)."""
    app.connect("html-page-context", link, priority=950)
