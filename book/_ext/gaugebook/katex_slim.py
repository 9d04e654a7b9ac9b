"""KaTeX's markup without what no style rule and no reader asks for.

KaTeX names the kind of every symbol, but its own style sheet has rules for only a part of the
names; an element without a name, a style or another attribute is an element around nothing. And it
writes the same few hundred styles again and again: they become classes, and all names short. The
MathML, which screen readers read, stays as it is. A test compares the pictures.
"""

import re
from pathlib import Path

SHEET = Path(__file__).parent / "vendor" / "katex" / "static" / "katex" / "katex.min.css"
TAG = re.compile(r"<[^>]*>")
CLASS = re.compile(r' class="([^"]*)"')
STYLE = re.compile(r' style="([^"]*)"')
NAME = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
ADDRESS = re.compile(r"url\([^)]*\)")
BETWEEN = re.compile(r"[^{}]*(?=\{)")  # a selector, or what stands in its place
VISUAL = '<span class="katex-html"'
# The style sheet looks at children and grandchildren of these by `>`: no level may be missing.
PARENTS = re.compile(r"\.([\w-]+)(?::not\([^)]*\))?>span")


class Slim:
    """Makes formulas lean, and keeps the styles that they share.

    Args:
        share: whether styles become classes. If not, the sheet serves the formulas of any build.
    """

    def __init__(self, *, share: bool = True) -> None:
        self._styles: dict[str, str] = {}
        self._share = share

    def __call__(self, html: str) -> str:
        """The same formula, in fewer bytes.

        >>> Slim()('<span class="katex-html" aria-hidden="true"><span class="mord">x</span></span>')
        '<span class="katex-html" aria-hidden="true">x</span>'
        """
        before, mark, visual = html.partition(VISUAL)
        before = before.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
        return before + self._lean(mark + visual)

    def sheet(self) -> str:
        """KaTeX's own style sheet under the short names, and the shared styles after it."""
        return (
            BETWEEN.sub(lambda rule: NAME.sub(shortened, rule[0]), SHEET.read_text("utf8"))
            + self.rules()
        )

    def rules(self) -> str:
        """The shared styles: they outweigh KaTeX's own rules, as what stood inline did.

        >>> slim = Slim()
        >>> slim('<span class="katex-html"><span style="top:1em;">x</span></span>')
        '<span class="katex-html"><span class="k0">x</span></span>'
        >>> slim.rules()
        '.katex .k0.k0.k0{top:1em}'
        """
        return "".join(f".katex .{k}.{k}.{k}{{{style}}}" for style, k in self._styles.items())

    def _lean(self, markup: str) -> str:
        out, end = [], 0
        path: list[tuple[frozenset[str], bool]] = []  # of each open element: its names, if it stays
        for tag in TAG.finditer(markup):
            out.append(markup[end : tag.start()])
            end = tag.end()
            if not tag[0].startswith(("<span", "</span")):
                out.append(tag[0])
            elif tag[0].startswith("</"):
                # Without an open element it is the end of what lies around the visual part.
                out.append("</span>" if not path or path.pop()[1] else "")
            else:
                names = CLASS.search(tag[0])
                short = self._short(tag[0], names[1].split() if names else [])
                stays = short != "<span>" or counted(path)
                path.append((frozenset(names[1].split() if names else ()), stays))
                out.append(short if stays else "")
        return "".join(out) + markup[end:]

    def _short(self, tag: str, names: list[str]) -> str:
        names = [SHORT[name] for name in names if name in KNOWN]
        style = STYLE.search(tag)
        if style and self._share:
            text = style[1].rstrip(";")
            names.append(self._styles.setdefault(text, f"k{len(self._styles)}"))
            tag = STYLE.sub("", tag)
        others = CLASS.sub("", tag).removeprefix("<span")
        return "<span" + (f' class="{" ".join(names)}"' if names else "") + others


def shortened(selector: re.Match) -> str:
    """A class in the style sheet, under its short name."""
    return "." + SHORT.get(selector[1], selector[1])


def counted(path: list[tuple[frozenset[str], bool]]) -> bool:
    """Whether a rule of the style sheet counts the levels below one of the last two elements."""
    return any(names & COUNTING for names, _ in path[-2:])


RULES = ADDRESS.sub("", SHEET.read_text("utf8"))
KNOWN = frozenset(NAME.findall(RULES))
COUNTING = frozenset(PARENTS.findall(RULES))
# What the book's own style and tests name keeps its name.
PUBLIC = frozenset({"katex", "katex-html", "katex-mathml", "katex-display", "katex-base"})
SHORT = {name: name if name in PUBLIC else f"k-{k}" for k, name in enumerate(sorted(KNOWN))}
