"""The book's own Sphinx extension: one idea per module, each with its own `setup(app)`.

- `course`: what a fork sets for its course; `taught` changes the contents, `schedule` tells days.
- `ahead`: notebooks are executed two at a time, before the pages are read.
- `mathematics`: formulas are typeset while the book is built; a page has no script for them.
- `figures`: a figure is drawn anew for wide and narrow pages, light and dark.
- `widgets`: a live widget on the page has a still picture behind it, and its height is reserved.
- `states`: the address that opens a widget in a state.
- `widget_parts`: modules and large states of widgets lie in files, loaded when a widget comes near.
- `contents`: only what the contents name is read.
- `repository`: the address of the repository, taken from the environment that builds.
- `described`: what a page says of itself where it is linked to: title, sentences, picture, address.
- `cited`: at the foot of a page its version and last change (`revisions`), and how it is cited.
- `published`: what a page and its notebook say in place of the source: where the library comes
  from, and no solutions where they are hidden (`solutions`).
- `predictions`: questions with choices, whose right answer the page's own kernel finds (`verdict`).
- `predict`: on the page a reader commits to a choice before the answer opens.
- `checked`: under a statement, the tests that check it, folded and linked.
- `reference`: what the library offers, from its docstrings (`docstrings`).
- `known`: what the tracer knows of operations, from its table of rules.
- `statements`: under a statement, the functions that carry it; `statement_list` is the page of all.
- `code_links`: a name of the library in code leads to the reference (`code_names`).
- `exercises`: solutions open by their titles, a stub says how it is answered, the first cell is
  folded.
- `answers`: an exercise whose answer is a formula or a choice is checked on the page.
- `problems`: more problems, of which a page has the questions alone.
- `lean`: what no page uses is not shipped (icon glyphs, theme scripts).
- `bundle`: one style sheet and one script for all pages.
- `anchors`: statements have a link to themselves, widgets a number.
- `glossary`: the first of each term on a page leads to its definition.
- `identifiers`: a name in code breaks at its joints.
- `indexed`: statements stand in the index.
- `search`: what the search knows: sections and statements, in prose.
- `access`: small repairs of the theme for screen readers and keyboards.
"""

from pybtex.backends import plaintext
from pybtex.plugin import register_plugin

from . import (
    access,
    ahead,
    anchors,
    answers,
    bundle,
    checked,
    cited,
    code_links,
    contents,
    course,
    described,
    exercises,
    figures,
    glossary,
    identifiers,
    indexed,
    known,
    lean,
    mathematics,
    predict,
    predictions,
    problems,
    published,
    reference,
    repository,
    schedule,
    search,
    solutions,
    statement_list,
    statements,
    taught,
    widget_parts,
    widgets,
)

PARTS = (
    course,
    taught,
    schedule,
    contents,
    ahead,
    mathematics,
    figures,
    widgets,
    widget_parts,
    repository,
    described,
    cited,
    solutions,
    published,
    predictions,
    predict,
    checked,
    reference,
    known,
    statements,
    statement_list,
    exercises,
    answers,
    problems,
    lean,
    bundle,
    search,
    access,
    anchors,
    glossary,
    identifiers,
    indexed,
    code_links,
)


def setup(app):
    """Called by Sphinx once, before the builder exists."""
    # A draft is built again and again, page by page (tools/preview.py).
    app.add_config_value("gaugebook_draft", False, "env", bool)
    # Each citation would look for it anew, through the metadata of all that is installed.
    register_plugin("pybtex.backends", "plaintext", plaintext.Backend, force=True)
    for part in PARTS:
        part.setup(app)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": False,
    }
