"""A problem set for the lecturer: questions, solutions, answers, marks, and what goes wrong."""

import re

from docutils import nodes

from .core import KitDirective
from .site import KitError

ROLE = re.compile(r"\{(?:prf:ref|ref|doc)\}`")  # as the book's pages write it
DRAWN = (
    "The numbers are those of nobody: `python -m tools.teach sheets --chapter {name}` draws others "
    "for each student, and writes their answers for you."
)


class ProblemSet(KitDirective):
    """All problems of a chapter, or of an exam."""

    def made(self) -> list[nodes.Node]:
        """Parsed as if they were written here."""
        from tools.teach import ProblemError
        from tools.teach.course import overlay_of
        from tools.teach.loading import FOLDER, load

        name = self.arguments[0]
        try:
            collection = load(FOLDER, overlay_of()).get(name)
            if collection is None:
                raise KitError(f"there are no problems of {name!r}")
            text = "\n\n".join([DRAWN.format(name=name), *map(written, collection.tasks)])
            text = ROLE.sub("{in}`", text)
        except ProblemError as problem:
            raise KitError(str(problem)) from problem
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def written(task) -> str:
    """Markdown of one problem, with all that a lecturer needs."""
    from tools.teach import drawn

    made = task(drawn(task.name))
    head = f"{'★' * task.stars} · {task.minutes} minutes · {made.points} points"
    parts = [f"## {task.title}", head, made.question]
    if made.answers:
        lines = "\n".join(map(answered, made.answers))
        parts += ["**Answers**", lines]
    parts += ["**Solution**", made.solution, "**Marks**"]
    parts.append("\n".join(f"- {points}: {what}" for points, what in made.marks))
    return "\n\n".join(parts)


def answered(answer) -> str:
    """An answer, and the mistakes by what students hand in."""
    unit = f" {answer.unit}" if answer.unit else ""
    wrong = "".join(f"\n  - not {shown(value)}{unit}: {why}" for value, why in answer.mistakes)
    return f"- {answer.name}: {shown(answer.value)}{unit}{wrong}"


def shown(value) -> str:
    """A value to six digits.

    >>> shown(2 / 3), shown("even"), shown(8.0)
    ('0.666667', 'even', '8')
    """
    return value if isinstance(value, str) else f"{value:.6g}"
