"""For the lecturer: solutions, marks, and every student's answers."""

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape

from tools.teach.paper import Posed
from tools.teach.problem import Answer, Value
from tools.teach.roster import Student
from tools.teach.said import Typesetter

HEADS = ("student", "problem", "answer", "value", "tolerance", "unit")


def shown(value: Value) -> str:
    """A value as it is written down.

    >>> shown(0.5), shown(-4.0), shown("the bias")
    ('0.5', '−4', 'the bias')
    """
    if isinstance(value, str):
        return value
    number = float(value)
    whole = number.is_integer() and abs(number) < 1e15
    return (str(int(number)) if whole else f"{number:.10g}").replace("-", "−")


def table(sheets: Mapping[Student, Sequence[Posed]]) -> str:
    """All answers as CSV: for each student, problem and answer the value and its tolerance."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(HEADS)
    for student, posed in sheets.items():
        for each in posed:
            for answer in each.made.answers:
                row = (answer.name, _exact(answer.value), answer.tolerance, answer.unit)
                lines.writerow((student.id, each.task.name, *row))
    return out.getvalue()


def _exact(value: Value) -> str:
    return value if isinstance(value, str) else repr(float(value))


def body(
    title: str, sheets: Mapping[Student, Sequence[Posed]], note: str, setter: Typesetter
) -> str:
    """HTML of the solutions: each once for all students whose numbers are the same."""
    parts = [f"<h1>{escape(title)} (solutions and marks)</h1>", f"<p>{escape(note)}</p>"]
    for number, column in enumerate(zip(*sheets.values()), 1):
        task = column[0].task
        points = column[0].made.points
        parts.append(f"<h2>{number}. {setter.line(task.title)} ({points} points)</h2>")
        parts.append(f'<p class="quiet"><code>{escape(task.where)}</code></p>')
        variants: dict[str, list[int]] = {}
        for k, posed in enumerate(column):
            variants.setdefault(repr(_content(posed)), []).append(k)
        names = [student.id for student in sheets]
        for k, members in enumerate(variants.values()):
            who = ", ".join(names[member] for member in members)
            parts.append(
                f"<details{' open' if k == 0 else ''}><summary>{escape(who)}</summary>"
                f"{solution(column[members[0]], setter)}</details>"
            )
    return "\n".join(parts)


def _content(posed: Posed) -> tuple:
    made = posed.made
    return (
        made.solution,
        made.marks,
        [(each.name, each.value, each.mistakes) for each in made.answers],
    )


def solution(posed: Posed, setter: Typesetter) -> str:
    """The solution with a student's numbers, the answers with what goes wrong, and the marks."""
    made = posed.made
    answers = "".join(_answer(answer, setter) for answer in made.answers)
    marks = "".join(
        f'<tr><td class="number">{points}</td><td>{setter.line(what)}</td></tr>'
        for points, what in made.marks
    )
    return (
        (f"<h3>Answers</h3><ul>{answers}</ul>" if answers else "")
        + f"<h3>Solution</h3>{setter.block(made.solution)}"
        + '<table><caption>Marks</caption><thead><tr><th scope="col" class="number">Points</th>'
        + f'<th scope="col">For</th></tr></thead><tbody>{marks}</tbody></table>'
    )


def _answer(answer: Answer, setter: Typesetter) -> str:
    unit = f" {setter.line(answer.unit)}" if answer.unit else ""
    within = "" if isinstance(answer.value, str) else f" (within {answer.tolerance:g})"
    wrong = "".join(
        f"<li>{escape(shown(value))}: {setter.line(why)}</li>" for value, why in answer.mistakes
    )
    return (
        f"<li>{setter.line(answer.name)}: <strong>{escape(shown(answer.value))}</strong>"
        f"{unit}{within}<ul>{wrong}</ul></li>"
    )
