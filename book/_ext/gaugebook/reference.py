"""The reference: what the library offers, made from its docstrings while the book is built.

    .. reference:: gaugelib.soft

documents what a package exports, in its own order, without what stands in the reference under
another name, that of the top level; names below the directive choose some, and `:short:` keeps of
each docstring what stands before its first empty line.
"""

import importlib
import inspect
from types import ModuleType
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from .docstrings import as_rst, first_paragraph, labels

TOP = "gaugelib"
SETTINGS = {
    "autodoc_typehints": "description",  # a signature says what may be given, in one line or two
    "autodoc_typehints_description_target": "documented",
    "autodoc_member_order": "bysource",
    "napoleon_numpy_docstring": False,
    "napoleon_custom_sections": [("Attributes", "params_style")],
    # Names of torch, numpy and Python are not ours to link to, and no build asks the network.
    "nitpick_ignore_regex": [("py:.*", ".*")],
    # A link of a page such as [sharpness](sharpness) means the page, never a function of that name.
    "myst_ref_domains": ["std", "prf", "math"],
}


def library(name: str) -> ModuleType:
    """A module of the library, or what to do where there is none."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExtensionError(
            f"the reference is made from the docstrings of {name}, which cannot be imported "
            f"({error}): install the library into the environment that builds the book, by "
            "`make env` or `pip install -e .` in its repository"
        ) from error


def exported(module: ModuleType) -> list[str]:
    """The public names of a package: what its `__init__.py` takes from its own modules."""
    return [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", "").startswith(f"{TOP}.")
    ]


def kind(thing: object) -> str:
    """Autodoc's directive for it."""
    if not inspect.isclass(thing):
        return "autofunction"
    return "autoexception" if issubclass(thing, BaseException) else "autoclass"


class Reference(SphinxDirective):
    """Entries for the names of a module."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"short": directives.flag}

    def run(self) -> list[nodes.Node]:
        """What autodoc makes of each."""
        module, top = library(self.arguments[0]), library(TOP)
        known = self.env.gaugebook_exported.setdefault(self.env.docname, {})
        for name in exported(module):
            thing = getattr(module, name)
            where = top if getattr(top, name, None) is thing else module
            for place in (module.__name__, thing.__module__):
                known[f"{place}.{name}"] = f"{where.__name__}.{name}"
        names = " ".join(self.content).split() or [
            name
            for name in exported(module)
            if getattr(top, name, None) is not getattr(module, name)
        ]
        lines: list[str] = []
        for name in names:
            lines.append(f".. {kind(getattr(module, name))}:: {module.__name__}.{name}")
            if inspect.isclass(getattr(module, name)) and "short" not in self.options:
                lines.append("   :members:")
            lines.append("")
        self.env.temp_data["gaugebook_short"] = "short" in self.options
        part = nodes.Element()
        source, _ = self.get_source_info()
        self.state.nested_parse(StringList(lines, source), self.content_offset, part)
        return part.children


def rewrite(app, what, name, thing, options, lines: list[str]) -> None:
    """A docstring as Sphinx reads it; the statements that it names are noted."""
    text = "\n".join(lines)
    env = app.env
    for label in labels(text):
        env.gaugebook_carried.setdefault(env.docname, []).append((label, name))
    if env.temp_data.get("gaugebook_short"):
        text = first_paragraph(text)
    lines[:] = as_rst(text).split("\n")


def forget(app, env, docname: str) -> None:
    """A page is read anew."""
    for noted in (env.gaugebook_exported, env.gaugebook_carried):
        noted.pop(docname, None)


def merge(app, env, docnames, other) -> None:
    """Pages that another process has read."""
    for docname in docnames:
        for attribute in ("gaugebook_exported", "gaugebook_carried"):
            if docname in getattr(other, attribute):
                getattr(env, attribute)[docname] = getattr(other, attribute)[docname]


def start(app) -> None:
    """Of each page: name -> that of its entry; statements and the functions that carry them."""
    for attribute in ("gaugebook_exported", "gaugebook_carried"):
        if not hasattr(app.env, attribute):
            setattr(app.env, attribute, {})


def configure(app, config) -> None:
    """Settings of autodoc and napoleon."""
    for name, value in SETTINGS.items():
        config[name] = value


def show_returned(app, what, name, thing, options, arguments, returned):
    """What a function returns stands in its signature, and not once more below."""
    known = app.env.temp_data.get("annotations", {}).get(name, {})
    returned = known.pop("return", None) if what in ("function", "method") else None
    return arguments, None if returned == "None" else returned


def tidy(app, domain: str, objtype: str, content: nodes.Element) -> None:
    """Autodoc leaves a list without entries where no argument is described.

    What has a line each is left out of the list of the page's contents.
    """
    for fields in list(content.findall(nodes.field_list)):
        if not fields.children:
            fields.parent.remove(fields)
    if app.env.temp_data.get("gaugebook_short"):
        content.parent["no-contents-entry"] = True


def setup(app) -> None:
    """Before napoleon rewrites a docstring (priority 500)."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_directive("reference", Reference)
    app.connect("config-inited", configure, priority=100)
    app.connect("builder-inited", start)
    app.connect("autodoc-process-docstring", rewrite, priority=100)
    app.connect("autodoc-process-signature", show_returned, priority=900)
    app.connect("object-description-transform", tidy, priority=900)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
