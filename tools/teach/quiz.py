"""The problems with numbers as a quiz for a learning platform (QTI, such as Canvas imports).

    python -m tools.teach quiz --chapter symmetry [--variants 8] [--to FOLDER]

Writes a text in the format of text2qti; with text2qti installed (`pip install text2qti`), the zip
that a platform imports, too. Each answer is a group of questions, of which a student gets one: the
same problem with other numbers. Mistakes of a problem are the wrong choices where a word is asked
for. Proofs are left out, for nobody but a person marks them. Formulas are written as Canvas draws
them. The quiz holds the answers: it is for the lecturer.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.teach.course import overlay_of
from tools.teach.loading import BOOK, FOLDER, Collection, load
from tools.teach.problem import Answer, Problem, ProblemError, Task
from tools.teach.said import heading, plain
from tools.teach.seeds import PUBLIC, drawn, salt_of

TOOL = "text2qti"
POINTS = re.compile(r"^points per question: (\d+)$", re.MULTILINE)
DISPLAYED = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)


def quiz(collection: Collection, variants: int, salt: str = PUBLIC) -> str:
    """The quiz of a chapter as text.

    Args:
        collection: the chapter's problems.
        variants: how many sets of numbers of each problem.
        salt: of the course, so that the numbers are its own.

    Raises:
        ProblemError: no problem of the chapter asks for a number or a word.
    """
    groups = [group for task in collection.tasks for group in groups_of(task, variants, salt)]
    if not groups:
        raise ProblemError(f"no problem of {collection.name} asks for a number or a word")
    page = BOOK / f"{collection.name}.ipynb"
    title = heading(page) if page.exists() else collection.name
    return "\n".join([f"Quiz title: {title}", "shuffle answers: true", "", *groups])


def groups_of(task: Task, variants: int, salt: str) -> list[str]:
    """For each answer of a problem a group, of which one question is asked."""
    made = [task(drawn(task.name, f"variant {k}", salt)) for k in range(variants)]
    groups = []
    for place in range(len(made[0].answers)):
        points = max(1, round(made[0].points / len(made[0].answers)))
        asked = [question(task, problem, problem.answers[place]) for problem in made]
        different = list(dict.fromkeys(asked))
        head = f"GROUP\npick: 1\npoints per question: {points}\n"
        groups.append("\n".join([head, *different, "END_GROUP\n"]))
    return groups


def worth(text: str) -> int:
    r"""The points of a quiz: of each group a student gets one question.

    >>> worth("GROUP\npick: 1\npoints per question: 2\n\nEND_GROUP")
    2
    """
    return sum(map(int, POINTS.findall(text)))


def question(task: Task, problem: Problem, answer: Answer) -> str:
    """One question with its answer."""
    unit = f" (in {answer.unit})" if answer.unit else ""
    text = f"{inline(problem.question)}\n\nGive: **{answer.name}**{unit}."
    lines = [f"Title: {task.title}: {answer.name}", indented(f"1. {text}"), ""]
    if isinstance(answer.value, str):
        for k, word in enumerate(answer.choices):
            lines.append(f"{'*' * (word == answer.value)}{chr(ord('a') + k)}) {word}")
    else:
        # What a student types has a few digits, whatever a program's answer would have.
        margin = max(answer.tolerance, 1e-3) * max(1.0, abs(answer.value))
        lines.append(f"=   {answer.value:.12g} +- {margin:.3g}")
    return "\n".join(lines) + "\n"


def inline(text: str) -> str:
    r"""Markdown as text2qti reads it: a displayed formula is a paragraph of its own.

    >>> inline("So\n\n$$a=1.$$")
    'So\n\n$a=1.$'
    """
    return DISPLAYED.sub(lambda found: f"${' '.join(found[1].split())}$", plain(text)).strip()


def indented(text: str) -> str:
    """The lines after the first belong to the question."""
    return text.replace("\n", "\n    ").replace("\n    \n", "\n\n")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--chapter", required=True, help="a chapter's file")
    parser.add_argument("--variants", type=int, default=8, help="sets of numbers for each problem")
    parser.add_argument("--overlay", type=Path, help="the course's own problems and salt")
    parser.add_argument("--to", type=Path, default=Path("_build", "quiz"), help="the folder")


def run(options: argparse.Namespace) -> int:
    """Write the text, and the zip if text2qti is there."""
    overlay = overlay_of(options.overlay)
    found = load(FOLDER, overlay)
    if options.chapter not in found:
        raise ProblemError(f"no problems of {options.chapter}: there are {', '.join(found)}")
    if options.variants < 1:
        raise ProblemError("--variants is a number from 1")
    path = options.to / f"{options.chapter}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = quiz(found[options.chapter], options.variants, salt_of(overlay) or PUBLIC)
    path.write_text(text, "utf8")
    print(path)
    tool = shutil.which(TOOL)
    if tool is None:
        print(f"To make of it what a platform imports: pip install {TOOL}; {TOOL} {path.name}")
        return 0
    done = subprocess.run([tool, path.name], cwd=path.parent, check=False)
    if done.returncode:
        print(f"{TOOL} does not take {path}", file=sys.stderr)
        return done.returncode
    print(path.with_suffix(".zip"))
    print(f"It is worth {worth(text)} points: {TOOL} 0.8 writes more, look after the import.")
    return 0
