"""More problems: the questions of `lecturer/problems`, chapter by chapter.

Of a problem its title, stars, minutes and question are read, with the numbers that it has without a
student. Its solution, answers and marks are dropped before anything reaches the environment.
Exams, and the problems of a course's overlay, are not read.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "lecturer" / "problems"
NONE = "This copy of the book has no problems: they lie in the repository's folder `lecturer`."


class Problems(SphinxDirective):
    """The questions, in a section for each chapter."""

    def run(self) -> list[nodes.Node]:
        """The sections, parsed as if they were written here."""
        for file in sorted(FOLDER.rglob("*.py")):
            self.env.note_dependency(str(file))
        course = getattr(self.env.app, "gaugebook_course", None)
        pages = [page.rpartition("/")[2] for page in self.env.found_docs]
        text = "\n\n".join(written(FOLDER, pages, course.chapters if course else ()))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def written(folder: Path, pages: Iterable[str], taught: Sequence[str] = ()) -> Iterator[str]:
    """Markdown of the questions of the chapters that are taught, or a sentence if there are none.

    Args:
        folder: The problems.
        pages: What the book has, for a question may lead there.
        taught: Chapters, in their order; none are all.
    """
    if not any(folder.glob("*.py")):
        yield NONE
        return
    if str(ROOT) not in sys.path:  # a build of the book starts elsewhere
        sys.path.append(str(ROOT))
    from tools.teach import CHAPTERS, drawn, load
    from tools.teach.said import heading, linked

    found = load(folder)
    for name in taught or CHAPTERS:
        if name in found:
            yield f"## {heading(ROOT / 'book' / f'{name}.ipynb')}"
            for task in found[name].tasks:
                yield f"### {task.title}"
                yield f"{'★' * task.stars} · {task.minutes} minutes"
                yield linked(task(drawn(task.name)).question, pages)


def setup(app) -> None:
    """The directive."""
    app.add_directive("problems", Problems)
