"""Problems for the tests of the kit."""

from collections.abc import Callable
from pathlib import Path

from tools.teach import Answer, Problem, Task, problem

FILE = '''"""A file of problems."""

from tools.teach import Answer, Exam, Problem, problem
'''
TASK = """

@problem(title="The title of {name}", stars=2, minutes=7)
def {name}(draw):
    side = draw.randrange(100, 10**6)
    return Problem(
        question=rf"QUESTION of {name}: a square has the side ${{side}}$.",
        answers=(
            Answer(
                "the area",
                value=side**2,
                computed=lambda: float(side) * side,
                mistakes=((side + 0.125, "MISTAKE half"), (4 * side, "MISTAKE around")),
            ),
            Answer(
                "its kind",
                value="a rhombus, too",
                computed=lambda: "a rhombus, too",
                mistakes=(("not a rhombus", "MISTAKE kind"),),
            ),
        ),
        solution=rf"SOLUTION of {name}: ${{side}}^2$.",
        marks=((3, "MARK of {name}"), (2, "MARK again")),
    )
"""


def tasks_of(folder: Path, chapter: str, *names: str) -> Path:
    """A file of problems of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chapter}.py"
    path.write_text(FILE + "".join(TASK.format(name=name) for name in names), "utf8")
    return path


def sample(**changed: Callable) -> Task:
    """A problem about a square; what is changed is a function of its side."""

    def part(name: str, usual: Callable) -> Callable:
        return changed.get(name, usual)

    @problem(title="A square", stars=1, minutes=5)
    def square(draw):
        side = draw.randrange(2, 9)
        wrong = part("mistakes", lambda side: [4 * side + 1, side])(side)
        return Problem(
            question=part("question", lambda side: f"The side is ${side}$.")(side),
            answers=(
                Answer(
                    "the area",
                    value=part("value", lambda side: side**2)(side),
                    computed=lambda: part("computed", lambda side: float(side) * side)(side),
                    mistakes=tuple((value, "otherwise") for value in wrong),
                ),
            ),
            solution=part("solution", lambda side: f"It is ${side}^2$.")(side),
            marks=part("marks", lambda side: ((2, "the square"),))(side),
        )

    return square
