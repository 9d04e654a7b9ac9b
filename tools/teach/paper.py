"""A student's sheet: questions and room for the answers, nothing else of a problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tools.teach.loading import Exam
from tools.teach.problem import Answer, Problem, Task
from tools.teach.roster import CLASS, Student
from tools.teach.said import Typesetter

COURSE = "The Gauge Symmetry of Neural Networks"
ROOM = '<span class="line">&nbsp;</span>'


@dataclass(frozen=True)
class Posed:
    """A problem with a student's numbers."""

    task: Task
    made: Problem


def body(
    title: str, student: Student, posed: Sequence[Posed], exam: Exam | None, setter: Typesetter
) -> str:
    """HTML of a sheet's main part."""
    parts = [f'<p class="course">{COURSE}</p>', f"<h1>{escape(title)}</h1>"]
    parts.append(cover(student, posed, exam, setter) if exam else who(student))
    parts += [problem(number, each, setter) for number, each in enumerate(posed, 1)]
    return "\n".join(parts)


def who(student: Student) -> str:
    """Whose sheet it is: filled in, or to be."""
    rows = [("Name", escape(student.name) or ROOM)]
    if student != CLASS:
        rows.append(("Student", escape(student.id)))
    return terms(rows)


def terms(rows: Sequence[tuple[str, str]]) -> str:
    """A list of heads and what stands behind them."""
    inner = "".join(f"<dt>{head}</dt><dd>{value}</dd>" for head, value in rows)
    return f'<dl class="who">{inner}</dl>'


def cover(student: Student, posed: Sequence[Posed], exam: Exam, setter: Typesetter) -> str:
    """The first page of an exam."""
    points = sum(each.made.points for each in posed)
    rows = [
        ("Date", ROOM),
        ("Time", f"{exam.minutes} minutes"),
        ("Points", str(points)),
        ("Covers", escape(exam.covers)),
        ("Allowed", escape(exam.aids)),
    ]
    head = '<th scope="col">{}</th>'
    number = '<th scope="col" class="number">{}</th>'
    heads = head.format("Problem") + number.format("Points") + number.format("Reached")
    lines = [
        f'<tr><th scope="row">{k}. {setter.line(each.task.title)}</th>'
        f'<td class="number">{each.made.points}</td><td class="open"></td></tr>'
        for k, each in enumerate(posed, 1)
    ]
    lines.append(
        f'<tr><th scope="row">Together</th><td class="number">{points}</td>'
        '<td class="open"></td></tr>'
    )
    return (
        f"{who(student)}{terms(rows)}"
        f"<table><caption>Points</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
        "<p>Answer each problem on its own sheets, and write your name on every one.</p>"
        "<p>Show how you found each answer: a number alone earns no points.</p>"
    )


def problem(number: int, posed: Posed, setter: Typesetter) -> str:
    """One problem: its title, what it asks, and room for the answers."""
    task, made = posed.task, posed.made
    place = f"problem-{number}"
    points = "1 point" if made.points == 1 else f"{made.points} points"
    fields = "".join(
        f"<li>{field(f'{place}-{k}', answer, setter)}</li>"
        for k, answer in enumerate(made.answers, 1)
    )
    return (
        f'<section class="problem" aria-labelledby="{place}">\n'
        f'<h2 id="{place}">{number}. {setter.line(task.title)}</h2>\n'
        f'<p class="quiet">{points}, about {task.minutes} minutes, '
        f"difficulty {task.stars} of 3</p>\n"
        f"{setter.block(made.question)}"
        + (f'<ul class="answers">{fields}</ul>\n' if fields else "")
        + "</section>"
    )


def field(place: str, answer: Answer, setter: Typesetter) -> str:
    """Where an answer is written: a line, or the words to choose from."""
    name = setter.line(answer.name)
    if answer.choices:
        choices = "".join(
            f'<label><input type="radio" name="{place}">{setter.line(word)}</label> '
            for word in answer.choices
        )
        return f"<fieldset><legend>{name}:</legend>{choices}</fieldset>"
    unit = f" {setter.line(answer.unit)}" if answer.unit else ""
    return f'<label>{name} = <input type="text" autocomplete="off">{unit}</label>'
