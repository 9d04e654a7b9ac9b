"""A page that needs no other file: its style, and the fonts that it uses, lie in it."""

import re
from base64 import b64encode
from functools import cache
from html import escape
from pathlib import Path

from gaugebook.katex_slim import SHEET
from tools.teach.loading import BOOK
from tools.teach.said import Typesetter

STYLE = Path(__file__).with_name("sheet.css")
SERIF = BOOK / "site" / "fonts"
FACES = {
    (400, "normal"): "400-normal",
    (400, "italic"): "400-italic",
    (600, "normal"): "600-normal",
}
FACE = re.compile(r"@font-face\{([^}]*)\}")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
CLASS = re.compile(r"\.([\w-]+)")


def page(
    title: str, body: str, setter: Typesetter, *, stamp: str = "", kind: str = "", head: str = ""
) -> str:
    """A whole HTML document.

    Args:
        title: In words.
        body: HTML.
        setter: Whose style sheet the formulas need.
        stamp: What the file is known by, when it is asked whether it is still right.
        kind: Classes of the body.
        head: What stands at the head of each printed page.
    """
    style = f"{serif()}{formulas(body, setter.sheet())}{STYLE.read_text('utf8')}"
    running = f"@page {{ @top-left {{ content: {quoted(head)}; }} }}" if head else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="stamp" content="{stamp}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}{running}</style>\n</head>\n"
        f'<body class="{kind}">\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )


def quoted(text: str) -> str:
    r"""A string of CSS, which cannot end the style or itself.

    >>> quoted('a "b" </style>')
    '"a \\22 b\\22  \\3c \\2f style\\3e "'
    """
    kept = re.sub(r"""[^\w .,:;@·()-]""", lambda sign: f"\\{ord(sign[0]):x} ", text)
    return f'"{kept}"'


@cache
def serif() -> str:
    """The book's own letters."""
    return "".join(
        f'@font-face{{font-family:"Source Serif 4";font-weight:{weight};font-style:{style};'
        f"src:{inline(SERIF / f'source-serif-4-latin-{name}.woff2')}}}"
        for (weight, style), name in FACES.items()
    )


def formulas(body: str, sheet: str) -> str:
    """KaTeX's style sheet with those of its fonts that the page uses."""
    used = set(CLASS.findall(" ".join(f".{name}" for name in classes(body))))
    families = {"KaTeX_Main"} if "katex" in used else set()
    bold = slanted = False
    for selectors, style in RULE.findall(sheet):
        if any(used.issuperset(CLASS.findall(each)) for each in selectors.split(",")):
            families |= set(re.findall(r"KaTeX_\w+", style)) if "src:" not in style else set()
            bold |= bool(re.search(r"font-weight:(?:[67]00|bold)", style))
            slanted |= "font-style:italic" in style
    return FACE.sub(lambda face: _face(face[1], families, bold, slanted), sheet)


def classes(body: str) -> set[str]:
    """The classes that occur in a piece of HTML."""
    return {name for names in re.findall(r'class="([^"]*)"', body) for name in names.split()}


def _face(rules: str, families: set[str], bold: bool, slanted: bool) -> str:
    family = re.search(r"KaTeX_\w+", rules)[0]
    if family not in families or ("font-weight:700" in rules and not bold):
        return ""
    if "font-style:italic" in rules and family != "KaTeX_Math" and not slanted:
        return ""
    file = SHEET.parent / re.search(r"fonts/[\w-]+\.woff2", rules)[0]
    return f"@font-face{{{re.sub(r'src:.*?(?=;|$)', 'src:' + inline(file), rules)}}}"


@cache
def inline(font: Path) -> str:
    """A font as an address that holds it."""
    return f"url(data:font/woff2;base64,{b64encode(font.read_bytes()).decode()}) format('woff2')"
