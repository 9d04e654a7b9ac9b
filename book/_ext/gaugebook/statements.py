"""Under a statement: the functions of the library that carry it, with links to the reference.

A function says in its docstring which statements it carries (`docstrings`); its tests are named on
the page. What is noted here of both, `statement_list` puts together.
"""

import re
from dataclasses import dataclass, field

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from .search import reading_order

KINDS = ("definition", "theorem", "lemma", "proposition", "corollary")
TEST = re.compile(r"(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)")


@dataclass
class Statement:
    """What a page says of one."""

    label: str
    title: list[nodes.Node]
    tests: list[str] = field(default_factory=list)  # as they are named, FILE::TEST
    controls: list[str] = field(default_factory=list)


def is_statement(node: nodes.Node) -> bool:
    """Whether it is one of those that are listed."""
    return isinstance(node, nodes.Element) and node.get("realtype") in KINDS


def is_checked(node: nodes.Node) -> bool:
    """Whether it is the paragraph that names the tests of a statement."""
    return isinstance(node, nodes.paragraph) and node.astext().startswith("Checked by tests/")


def gather(app, document: nodes.document) -> None:
    """When a page is read: its statements, with their tests."""
    found: list[Statement] = []
    for node in document.findall(lambda node: is_statement(node) or is_checked(node)):
        if is_statement(node):
            found.append(Statement(node["label"], [part.deepcopy() for part in node[0].children]))
        elif found:
            tests, _, controls = node.astext().partition(";")
            found[-1].tests = [match[0] for match in TEST.finditer(tests)]
            found[-1].controls = [match[0] for match in TEST.finditer(controls)]
    app.env.gaugebook_statements[app.env.docname] = found


def carriers(env) -> dict[str, list[str]]:
    """Of each statement the functions that carry it, in the order of the reference."""
    found: dict[str, list[str]] = {}
    for page in reading_order(env, env.config.root_doc):
        for label, name in env.gaugebook_carried.get(page, []):
            if name not in found.setdefault(label, []):
                found[label].append(name)
    return found


def link(page: str, domain: str, role: str, target: str, shown: nodes.Node) -> nodes.Node:
    """What Sphinx makes a reference of, when it resolves them."""
    return addnodes.pending_xref(
        "", shown, refdoc=page, refdomain=domain, reftype=role, reftarget=target,
        refexplicit=True, refwarn=True,
    )  # fmt: skip


def to_function(page: str, name: str) -> nodes.Node:
    """A link that says `minimum_norm`, or `soft.vertical` where the top level has no such name."""
    return link(page, "py", "obj", name, nodes.literal("", name.removeprefix("gaugelib.")))


def in_code(page: str, names: list[str]) -> list[nodes.Node]:
    """Words that lead to functions."""
    words: list[nodes.Node] = [nodes.Text("In code: ")]
    for k, name in enumerate(names):
        words += [nodes.Text(", " * (k > 0)), to_function(page, name)]
    return [*words, nodes.Text(".")]


class statement_name(nodes.Inline, nodes.TextElement):
    """A statement that a docstring names; a book may be without its chapter."""


def name_statement(role, rawtext, text, lineno, inliner, options=None, content=None):
    """The role of such a name."""
    return [statement_name(rawtext, text)], []


class LinkStatements(SphinxPostTransform):
    """What a docstring names becomes a link that says `Theorem 2.1`."""

    default_priority = 3

    def run(self, **kwargs) -> None:
        """On a page of the reference."""
        known = getattr(self.env, "proof_list", {})
        for node in list(self.document.findall(statement_name)):
            label = node.astext()
            shown = nodes.inline("", label) if label in known else nodes.literal("", label)
            page = self.env.docname
            node.replace_self(link(page, "prf", "ref", label, shown) if label in known else shown)


class NameFunctions(SphinxPostTransform):
    """Under a statement, behind its tests: the functions that carry it."""

    default_priority = 3
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """On one page."""
        named, page = carriers(self.env), self.env.docname
        marks = list(self.document.findall(lambda node: is_statement(node) or is_checked(node)))
        for node, after in zip(marks, [*marks[1:], None]):
            if is_statement(node) and node["label"] in named:
                last = after if after is not None and is_checked(after) else node
                words = in_code(page, named[node["label"]])
                place = last.parent.index(last) + 1
                last.parent.insert(place, nodes.paragraph("", "", *words, classes=["in-code"]))


def start(app) -> None:
    """Of each page its statements."""
    if not hasattr(app.env, "gaugebook_statements"):
        app.env.gaugebook_statements = {}


def forget(app, env, docname: str) -> None:
    """A page is read anew."""
    env.gaugebook_statements.pop(docname, None)


def merge(app, env, docnames, other) -> None:
    """Pages that another process has read."""
    known = other.gaugebook_statements
    env.gaugebook_statements.update({name: known[name] for name in docnames if name in known})


def setup(app) -> None:
    """When a page has been read, and when all have."""
    app.add_role("statement", name_statement)
    app.add_post_transform(LinkStatements)
    app.add_post_transform(NameFunctions)
    app.connect("builder-inited", start)
    app.connect("doctree-read", gather)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
