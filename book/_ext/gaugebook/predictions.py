"""Predictions as a notebook writes them: a question with choices, later an answer to each choice.

They are read here from the notebook alone, and refused by name where something is missing. Before
the cell of each answer a cell is put in, only to be executed with the page: it finds out which
choice is right and what was computed (`verdict`). The published notebook does not have it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sphinx.errors import ExtensionError

VERDICT = Path(__file__).with_name("verdict.py")
END = "predict-answers"  # id and class of the part of a page that has them, which nobody searches
KEY = "predict"  # in the metadata of an answer's cell
INSERTED = "predict_verdict"  # in the metadata of the cell that is put in
BOX = re.compile(
    r"^(?P<fence>:{3,})\{admonition\}[^\n]*\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
ITEM = re.compile(r"^(\d+)\.[ \t]+(.*(?:\n(?:[ \t]+\S.*|[ \t]*$))*)", re.MULTILINE)
NAME = re.compile(r"predict(?:-[a-z0-9]+)+")
FEWEST, MOST = 2, 5


@dataclass(frozen=True)
class Prediction:
    """One question and its answer."""

    name: str
    several: bool  # may more than one choice be right
    choices: tuple[str, ...]
    reasons: tuple[str, ...]
    asked: int  # index of the question's cell
    answered: int  # index of the answer's cell
    right: str
    found: str
    code: tuple[str, ...] = ()

    def cell(self) -> dict:
        """The code cell that is executed for it; it leaves no name behind."""
        spec = {
            "name": self.name, "choices": len(self.choices), "several": self.several,
            "right": self.right, "found": self.found, "code": list(self.code),
        }  # fmt: skip
        path = str(VERDICT)
        return {
            "cell_type": "code",
            "id": self.name[:64],
            "metadata": {INSERTED: self.name, "tags": ["remove-input"]},
            "execution_count": None,
            "outputs": [],
            "source": f"__import__('runpy').run_path({path!r})['judge']({spec!r})",
        }


@dataclass(frozen=True)
class Box:
    """A question or an answer as it stands in a cell."""

    kind: str  # "question" or "answer"
    name: str
    cell: int
    classes: frozenset[str]
    items: tuple[str, ...]
    around: str = field(repr=False)  # what stands after the list of a question, before an answer's


def boxes(cells: list[dict]) -> Iterator[Box]:
    """Every question and every answer, in their order."""
    for place, cell in enumerate(cells):
        if cell["cell_type"] != "markdown":
            continue
        for found in BOX.finditer("".join(cell["source"])):
            options = dict(OPTION.findall(found["options"]))
            classes = frozenset(options.get("class", "").split())
            kind = {"predict": "question", "predicted": "answer"}.get(
                next(iter(classes & {"predict", "predicted"}), "")
            )
            if kind:
                items = list(ITEM.finditer(found["body"]))
                body = found["body"]
                before = body[: items[0].start()] if items else body
                after = body[items[-1].end() :] if items else ""
                yield Box(
                    kind,
                    options.get("name", ""),
                    place,
                    classes,
                    tuple(item[2].strip() for item in items),
                    (after if kind == "question" else before).strip(),
                )


def read(cells: list[dict], where: object) -> list[Prediction]:
    """The predictions of a notebook, in the order of their answers.

    Args:
        cells: as JSON has them.
        where: the notebook's name, for messages.

    Raises:
        ExtensionError: a question or an answer is not what the other needs.
    """
    questions: dict[str, Box] = {}
    answers: dict[str, Box] = {}
    for box in boxes(cells):
        of, kind = (questions, "question") if box.kind == "question" else (answers, "answer")
        name = box.name.removesuffix("-answer") if kind == "answer" else box.name
        if not NAME.fullmatch(name) or (box.name == name) == (kind == "answer"):
            refuse(
                where, box.name, f"is no name of {a(kind)}: give the box `:name: {example(kind)}`"
            )
        if name in of:
            refuse(where, name, f"names two {kind}s: give each a name of its own")
        of[name] = box
    for cell, name in marked(cells):
        if name not in answers or answers[name].cell != cell:
            refuse(where, name, f"has metadata, but its cell has no answer named {name}-answer")
    found = [together(where, name, questions, box, cells) for name, box in answers.items()]
    for name in questions.keys() - answers.keys():
        refuse(
            where,
            name,
            f"has no answer: add a box `:class: predicted dropdown` named {name}-answer",
        )
    return found


def together(where, name: str, questions: dict[str, Box], answer: Box, cells) -> Prediction:
    """A question and its answer as one, if they fit."""
    question = questions.get(name)
    if question is None:
        refuse(where, name, f"has an answer, but no box `:class: predict` is named {name}")
    if answer.cell <= question.cell:
        refuse(where, name, "is answered before or where it is asked: give the answer a later cell")
    if not FEWEST <= len(question.items) <= MOST or question.around:
        refuse(where, name, f"needs {FEWEST} to {MOST} choices, a numbered list that ends its box")
    if len(answer.items) != len(question.items) or answer.around:
        refuse(
            where, name,
            f"has {len(question.items)} choices and {len(answer.items)} answers: begin the answer "
            "with a numbered list, one item for each choice",
        )  # fmt: skip
    for item in answer.items:
        if re.match(r"(?:Right|Wrong)\b", item):
            refuse(where, name, f"an answer begins {item[:12]!r}: the page says which is right")
    given = dict(cells[answer.cell]["metadata"].get(KEY) or {})
    lines = given.pop("code", [])
    texts = (*given.values(), *lines) if isinstance(lines, list) else (None,)
    if sorted(given) != ["found", "name", "right"] or not all(isinstance(t, str) for t in texts):
        refuse(
            where, name,
            f'needs in the metadata of the answer\'s cell "{KEY}": {{"name": "{name}", "right": an '
            'expression, "found": an expression}, and nothing else but "code": a list of lines',
        )  # fmt: skip
    return Prediction(
        name, "several" in question.classes, question.items, answer.items,
        question.cell, answer.cell, given["right"], given["found"], tuple(lines),
    )  # fmt: skip


def marked(cells: list[dict]) -> Iterator[tuple[int, str]]:
    """The cells that have metadata of an answer, and its name."""
    for place, cell in enumerate(cells):
        if KEY in cell["metadata"]:
            yield place, str(dict(cell["metadata"][KEY]).get("name", ""))


def a(kind: str) -> str:
    """With its article."""
    return {"question": "a question", "answer": "an answer"}[kind]


def example(kind: str) -> str:
    """A name that would do."""
    return "predict-saving" + "-answer" * (kind == "answer")


def refuse(where, name: str, complaint: str) -> None:
    """Stop the build."""
    raise ExtensionError(f"{where}: the prediction {name or 'without a name'} {complaint}")


def with_verdicts(cells: list[dict], where: object) -> list[dict]:
    """The cells with one more before each answer."""
    before = {prediction.answered: prediction.cell() for prediction in read(cells, where)}
    return [
        each
        for place, cell in enumerate(cells)
        for each in ((before[place], cell) if place in before else (cell,))
    ]


def insert(app, docname, source) -> None:
    """Before Sphinx reads a page: its notebook with the cells that find the verdicts."""
    path = app.env.doc2path(docname)
    if path.endswith(".ipynb"):
        notebook = json.loads(source[0])
        notebook["cells"] = with_verdicts(notebook["cells"], Path(path).name)
        source[0] = json.dumps(notebook, ensure_ascii=False)


def setup(app) -> None:
    """After `published`, which leaves out what a page has not."""
    app.connect("source-read", insert, priority=600)
