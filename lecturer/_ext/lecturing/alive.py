"""A widget of the book on a slide: the page's own, begun in another state.

The built page holds the state of each of its widgets and names the files with their modules. A deck
has the same entry with what differs in it, so that one runtime and one set of files serve both. The
state is checked first, by what the widget says of its traits, or else by its Python class: a trait
that it does not have, or a value that it refuses, fails the build.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import traitlets
from bs4 import Tag

from gaugebook import states

from .site import KitError, Site

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
EMBEDDED = re.compile(rf'<script type="{re.escape(STATE)}">(.*?)</script>', re.DOTALL)
PART = re.compile(r"\] = (\{.*\});\s*$", re.DOTALL)


@dataclass(frozen=True)
class Widget:
    """A widget as the built page has it."""

    kind: str  # the name of its Python class
    entry: dict  # what the page says of it
    state: dict  # all its traits, those in files too

    def begun(self, state: dict[str, str]) -> dict:
        """The entry of the same widget in another state, to which its Reset returns.

        Args:
            state: values of traits, as a slide writes them.

        Raises:
            KitError: the widget has no such trait, or refuses the value.
        """
        changed = {}
        if state:
            simple = all(name in self.linkable or name in self.switches for name in state)
            changed = self.told(state) if simple else self.tried(state)
        return {**self.entry, "state": {**self.entry["state"], **changed}}

    @property
    def linkable(self) -> dict:
        """What the widget says that its traits can be (gaugelib/widgets/base.py)."""
        return self.state.get("_linkable", {})

    @property
    def switches(self) -> set[str]:
        """The traits that are on or off."""
        return {name for name, value in self.state.items() if isinstance(value, bool)}

    def told(self, state: dict[str, str]) -> dict:
        """The traits that differ, if the widget has said of all of them what they can be."""
        texts = {name: re.sub(r"[\[\]]|\s*(,)\s*", r"\1", text) for name, text in state.items()}
        now = dict(self.state)
        for name in sorted(self.linkable, key=lambda name: "by" in self.linkable[name]):
            can_be = self.linkable[name]
            if by := can_be.get("by"):  # the value of another trait decides
                can_be = can_be["cases"][now[by]]
            if name in texts:
                now[name] = states.read(texts[name], can_be)
                if now[name] is None:
                    what = states.words(can_be)
                    raise KitError(f"{self.kind}: {name} is {what}, not {texts[name]!r}")
            elif by and states.read(states.written(now[name]), can_be) is None:
                now[name] = can_be["opens"]
        for name in set(state) - set(self.linkable):
            now[name] = switched(name, texts[name])
        changed = {name: value for name, value in now.items() if value != self.state[name]}
        start = self.state.get("_start", {})
        return changed | {"_start": start | {name: now[name] for name in start}}

    def tried(self, state: dict[str, str]) -> dict:
        """The traits that differ, as the widget's Python class makes them of that state."""
        from gaugelib import widgets

        maker = getattr(widgets, self.kind)
        traits = {
            name: trait
            for name, trait in maker.class_traits(sync=True).items()
            if name in self.state and trait.this_class.__module__.startswith("gaugelib.")
        }
        free = {name for name in traits if not name.startswith("_")} & parameters(maker)
        if unknown := sorted(set(state) - free):
            known = ", ".join(sorted(free))
            raise KitError(f"{self.kind} has no trait {unknown[0]!r}; it has {known}")
        given = {name: read(traits[name], text) for name, text in state.items()}
        try:
            made = maker(**{name: self.state[name] for name in free} | given)
        except (traitlets.TraitError, ValueError) as problem:
            raise KitError(f"{self.kind} refuses the state: {problem}") from problem
        now = {name: json.loads(json.dumps(getattr(made, name))) for name in traits}
        return {name: value for name, value in now.items() if value != self.state[name]}


def parameters(maker) -> set[str]:
    """The arguments of a widget's constructor."""
    import inspect

    return set(inspect.signature(maker.__init__).parameters)


def read(trait: traitlets.TraitType, text: str):
    """A value as a slide writes it: a number, a truth value, a word, numbers with commas.

    >>> read(traitlets.List(), "2, 0, -1"), read(traitlets.List(), "[[1], [2]]")
    ([2, 0, -1], [[1], [2]])
    >>> read(traitlets.Float(), "2"), read(traitlets.Bool(), "on"), read(traitlets.Unicode(), "x")
    (2.0, True, 'x')
    """
    if isinstance(trait, traitlets.Unicode):
        return text.strip("\"'")
    if isinstance(trait, traitlets.Bool):
        return switched(trait.name, text)
    if isinstance(trait, traitlets.List) and not text.startswith("["):
        text = f"[{text}]"
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        raise KitError(f"{trait.name} cannot be {text!r}") from problem
    return float(value) if isinstance(trait, traitlets.Float) else value


def switched(name: str, text: str) -> bool:
    """A truth value."""
    if text.lower() not in WORDS:
        raise KitError(f"{name} is true or false, not {text!r}")
    return WORDS[text.lower()]


WORDS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


@cache
def widget_of(site: Site, label: str) -> Widget:
    """The widget in the figure of that label.

    Raises:
        KitError: there is none.
    """
    view = site.element(label).find("script", type=VIEW)
    if not isinstance(view, Tag):
        raise KitError(f"{label!r} is no widget; a figure is shown by `shown`")
    model = json.loads(view.get_text())["model_id"]
    entries: dict[str, dict] = {}
    for embedded in EMBEDDED.findall(site.html(site.place(label)[0])):
        entries |= json.loads(embedded)["state"]
    entry = entries[model]
    state = dict(entry["state"])
    for name in entry.get("parts", []):
        part = (site.folder / "_static" / "widgets" / f"{name}.js").read_text("utf8")
        state |= json.loads(PART.search(part)[1]).get("state", {})
    return Widget(str(state["_anywidget_id"]).rpartition(".")[2], entry, state)


def scripts(entry: dict, name: str) -> str:
    """The two scripts from which the runtime mounts a widget: its state, and its view.

    Args:
        entry: of the widget.
        name: tells it from the others of the deck.
    """
    body = json.dumps(entry, ensure_ascii=False)
    model = sha256((name + body).encode()).hexdigest()[:32]
    state = json.dumps({"state": {model: entry}}, ensure_ascii=False).replace("</", r"<\/")
    return (
        f'<script type="{STATE}">{state}</script><div class="widget-live"></div>'
        f'<script type="{VIEW}">{{"model_id": "{model}"}}</script>'
    )
