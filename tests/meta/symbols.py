"""The symbols of a formula, and what `book/notation.md` says of them.

A symbol is a letter, Latin or Greek, with its alphabet (`\\mathbf H` is not `H`), or a name such as
`\\operatorname{tr}`. Accents, stars and indices belong to a letter and make no other of it; a
letter in an index is a symbol itself. None are numbers, signs, words in `\\text`, functions such as
`\\log`, the d of a derivative and the e of a power.
"""

import re
from collections.abc import Iterator

FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+?)\$", re.DOTALL)
CODE = re.compile(r"(`{3,}).*?\1|`[^`\n]*`", re.DOTALL)
GREEK = re.compile(
    "(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi"
    "|chi|psi|omega|Gamma|Delta|Theta|Lambda|Pi|Sigma|Phi|Psi|Omega|ell"
    "|var(?:epsilon|theta|rho|sigma|phi))"
)
TOKEN = re.compile(
    r"\\(?:text|begin|end)\s*\{[^{}]*\}"  # words
    r"|\\(?P<set>math(?:rm|bf|cal|bb)|operatorname)\*?\s*(?:\{(?P<group>[^{}]*)\}|(?P<one>[A-Za-z0-9]))"
    r"|\\(?P<name>[A-Za-z]+)|(?P<euler>e(?=\^))|(?P<letter>[A-Za-z])|\\.|.",
    re.DOTALL,
)
DERIVATIVE = re.compile(
    r"(?<=frac\{)d(?:\^2)?(?=(?:\\?[A-Za-z]+)?\}\{d)|(?<=\}\{)d(?=\\?[a-z]+(?:\^2)?\})"
    r"|\bd(?=\\\w+/d)|(?<=/)d(?=\\)|(?<=\|)d(?=t)"
)


def symbols(formula: str) -> Iterator[str]:
    """The symbols of a formula in their order."""
    for token in TOKEN.finditer(DERIVATIVE.sub("", formula)):
        kind, name = token["set"], token["group"] or token["one"]
        if kind in ("mathrm", "operatorname"):
            yield f"\\mathrm{{{name}}}"
        elif kind:
            yield f"\\{kind} {name.strip()}"
        elif token["name"] and GREEK.fullmatch(token["name"]):
            yield f"\\{token['name']}"
        elif token["letter"]:
            yield token["letter"]


def formulas(text: str) -> Iterator[str]:
    """The formulas of a Markdown text, those in code left out."""
    for found in FORMULA.finditer(CODE.sub("", text)):
        yield found[1] or found[2]
