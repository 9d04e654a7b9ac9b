"""Exercises whose answer is a choice or a few numbers are answered on the page, without a kernel.

A checker of gaugelib that is made of cases (`gaugelib.check.cases`) is written into the page as
data: cases drawn once, with the same seed in every build. `book/site/answers.js` makes a form of it
and judges as the checker does.
"""

import ast
import json
import re
from itertools import count
from pathlib import Path
from unittest.mock import patch

from rjsmin import jsmin

CHECKED = re.compile(r"\bcheck\.(\w+)\(")
SCRIPTS = ("formula.js", "answers.js")
SEED = 20260
ASKS = {"number": "return one number", "truth": "say True or False"}


def exercises(code: str) -> list[dict]:
    """What a page needs of each checker that a cell asks, if it is one of cases."""
    names = CHECKED.findall(code)
    if not names:
        return []
    from gaugelib import check  # torch is imported only for pages with exercises

    asked = {name: getattr(check, name) for name in names if hasattr(check, name)}
    return [data for name, checker in asked.items() if (data := as_data(name, checker, code))]


def as_data(name: str, checker, code: str = "") -> dict | None:
    """An exercise as the page has it; `None` if it needs Python.

    Args:
        name: of the checker.
        checker: the checker itself.
        code: the cell with the stub, whose arguments are the names in a formula.
    """
    from gaugelib.check import fresh
    from gaugelib.check.cases import asked_by
    from gaugelib.check.verdict import TOLERANCE

    if (asked := asked_by(checker)) is None:
        return None
    with patch.object(fresh, "draw", seeded()):
        cases = list(asked.cases())
    hints: list[str] = []
    data = {
        "name": name,
        "names": arguments(name, code),
        "parts": list(asked.parts),
        "praise": asked.praise,
        "tolerance": TOLERANCE,
        "form": form_of(cases[0]),
        "ask": asked.ask or ASKS.get(form_of(cases[0])),
        "cases": [case_as_data(case, hints) for case in cases],
        "hints": hints,
    }
    if asked.rows:
        data |= {"rows": list(asked.rows), "choices": list(asked.choices)}
    if asked.rows and asked.parts:  # the first argument is the row
        data |= {"names": data["names"][1:], "form": "ticked"}
    return data


def seeded():
    """Draws as `fresh.draw`, the same in every build."""
    import torch

    seeds = count(SEED)
    return lambda: torch.Generator().manual_seed(next(seeds))


def arguments(name: str, code: str) -> list[str]:
    """The names of the arguments of a stub."""
    stubs = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    return [argument.arg for stub in stubs if stub.name == name for argument in stub.args.args]


def case_as_data(case, hints: list[str]) -> dict:
    """A case without what is left at its default, and the number of each mistake's hint."""

    def number(hint: str) -> int:
        if hint not in hints:
            hints.append(hint)
        return hints.index(hint)

    data = {
        "given": case.given,
        "right": case.right,
        "wrong": [(number(hint), wrong) for hint, wrong in case.wrong.items()] or None,
        "otherwise": case.otherwise or None,
        "rules": case.rules or None,
        "part": case.part,
        "tolerance": case.tolerance,
        "size": case.size,
        "counted": case.counted or None,
        "unordered": case.unordered or None,
        "many": isinstance(case.given, list) or None,
    }
    return {key: plain(value) for key, value in data.items() if value is not None}


def form_of(case) -> str:
    """How an answer is read: the forms of `readAs` in answers.js."""
    like = case.like if case.like is not None else case.right
    if like is None:
        return "named"
    if case.like is None and isinstance(case.given, list):
        like = like[0]
    if isinstance(like, list):
        return "parts"
    if hasattr(like, "shape"):
        return "numbers"
    return "truth" if isinstance(like, bool) else "number"


def plain(value):
    """Numbers and lists of what may be tensors."""
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def forms(code: str) -> str:
    """The data of a cell's exercises, as the page holds it."""
    return "".join(
        '<script type="application/json" class="answer-cases">'
        + json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", r"<\/")
        + "</script>"
        for data in exercises(code)
    )


def add_script(app, pagename, templatename, context, doctree) -> None:
    """On the pages that have such an exercise."""
    if 'class="answer-cases"' in context.get("body", ""):
        for name in SCRIPTS:
            app.add_js_file(name, defer="defer")


def lighten(app, exception) -> None:
    """The scripts without their comments."""
    if exception is None and app.builder.format == "html":
        for name in SCRIPTS:
            path = Path(app.outdir, "_static", name)
            path.write_text(jsmin(path.read_text("utf8")), "utf8")


def setup(app) -> None:
    """When a page is written, and when all are."""
    app.connect("html-page-context", add_script)
    app.connect("build-finished", lighten)
