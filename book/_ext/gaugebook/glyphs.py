"""Which letters each font of the formulas must hold: those that they set in it, and no more.

An element's font follows from the rules of KaTeX's style sheet that name its classes, and else from
the element around it.
"""

import re
from collections import defaultdict
from html.parser import HTMLParser

RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
CLASSES = re.compile(r"((?:\.[\w-]+)+)(?:>span)?$")
FAMILY = re.compile(r"font(?:-family)?:[^;]*?(KaTeX_\w+)")
WEIGHT = re.compile(r"font-weight:(\w+)")
STYLE = re.compile(r"font-style:(\w+)")
FILE = re.compile(r"url\(fonts/([\w-]+\.woff2)\)")

Face = tuple[str, str, str]  # family, weight, style


def declared(block: str) -> dict[str, str]:
    """What a rule says about the font.

    >>> declared("font:normal 1em KaTeX_Main,serif"), declared("font-weight:bold")
    ({'family': 'KaTeX_Main', 'weight': '400', 'style': 'normal'}, {'weight': '700'})
    """
    found = {"weight": "400", "style": "normal"} if re.search(r"\bfont:", block) else {}
    for name, pattern in (("family", FAMILY), ("weight", WEIGHT), ("style", STYLE)):
        if value := pattern.search(block):
            found[name] = {"bold": "700", "normal": "400"}.get(value[1], value[1])
    if found.get("style") == "400":
        found["style"] = "normal"
    return {name: found[name] for name in ("family", "weight", "style") if name in found}


def face(font: dict[str, str]) -> Face:
    """The key of a font."""
    return font.get("family", ""), font.get("weight", "400"), font.get("style", "normal")


def files(sheet: str) -> dict[str, Face]:
    """The fonts that a style sheet loads, by the names of their files."""
    return {
        name[1]: face(declared(block))
        for at, block in RULE.findall(sheet)
        if at.strip() == "@font-face" and (name := FILE.search(block))
    }


class Letters(HTMLParser):
    """Collects the letters of formulas by their fonts."""

    def __init__(self, sheet: str) -> None:
        super().__init__()
        self.by_face: dict[Face, set[str]] = defaultdict(set)
        self._rules = [
            (frozenset(classes[1][1:].split(".")), fonts)
            for selectors, block in RULE.findall(sheet)
            if (fonts := declared(block))
            for selector in selectors.split(",")
            if (classes := CLASSES.search(selector.strip()))
        ]
        self._open: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element has the font of the one around it, as far as its classes say nothing else."""
        font = dict(self._open[-1][1]) if self._open else {}
        classes = frozenset((dict(attrs).get("class") or "").split())
        if "katex" in classes or font:
            for names, fonts in self._rules:
                if names <= classes:
                    font |= fonts
        self._open.append((tag, font))

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and those within that HTML lets stay open."""
        if any(tag == name for name, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Note the letters."""
        if self._open and self._open[-1][1]:
            self.by_face[face(self._open[-1][1])].update(data)
