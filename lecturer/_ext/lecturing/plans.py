"""The hour by the minute, the board, what students believe, and how long live cells take."""

import re
from html import escape
from pathlib import Path

from docutils import nodes

from gaugebook.course import chapters_of, contents_of

from .core import KitDirective, box, chapter_of, raw
from .site import KitError, Site

LINE = re.compile(r"(\d+)\s*\|\s*(.+)")
QUICK = 0.3  # seconds: cells below it need no mention
TIMED = "Cells that take a while, on the machine that built this kit. All cells together:"
ROOT = Path(__file__).parents[3]
BOARD = re.compile(
    r"^(:{3,})\{board\} +(?P<label>\S+)\n(?P<body>.*?)^\1 *$", re.DOTALL | re.MULTILINE
)


def pages_of(chapter: str) -> list[str]:
    """The pages of a chapter, without its exercises.

    >>> pages_of("pairing")
    ['book/pairing', 'book/learning']
    """
    pages = chapters_of(contents_of(ROOT)).get(chapter, (chapter,))
    return [f"book/{page}" for page in pages if not page.endswith("_exercises")]


def steps(minutes: int, lines: list[str]) -> list[tuple[int, int, str]]:
    """Of each step of a plan its beginning, its minutes and what is done.

    >>> steps(8, ["5 | ask", "3 | tell"])
    [(0, 5, 'ask'), (5, 3, 'tell')]

    Raises:
        KitError: a line is no step, or the minutes do not add up.
    """
    found: list[tuple[int, int, str]] = []
    clock = 0
    for line in filter(str.strip, lines):
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise KitError(f"a step of a plan is written `minutes | what`, not {line!r}")
        found.append((clock, int(match[1]), match[2]))
        clock += int(match[1])
    if clock != minutes:
        raise KitError(f"the steps of this plan take {clock} minutes, not {minutes}")
    return found


class Plan(KitDirective):
    """A plan by the minute, as a table with the clock."""

    def made(self) -> list[nodes.Node]:
        """The table."""
        rows = steps(int(self.arguments[0]), list(self.content))
        heads = "".join(f'<th scope="col">{head}</th>' for head in ("from", "min", "what"))
        caption = f"<caption>Plan of {self.arguments[0]} minutes</caption>"
        out = [raw(f'<table class="plan">{caption}<thead><tr>{heads}</tr></thead><tbody>')]
        for clock, minutes, what in rows:
            begins = f'<tr><th scope="row">{clock // 60}:{clock % 60:02}</th>'
            parsed, _ = self.parse_inline(what)
            words = nodes.paragraph("", "", *parsed)
            out += [raw(f"{begins}<td>{minutes}</td><td>"), words, raw("</td></tr>")]
        return [*out, raw("</tbody></table>")]


class Board(KitDirective):
    """What is written on the board for a proof."""

    def made(self) -> list[nodes.Node]:
        """The lines, under the statement's name."""
        thing = self.site.thing(self.arguments[0])
        link = nodes.reference("", thing.words, refuri=self.root + thing.address)
        title = nodes.rubric("", "", link)
        return [box("board", title, *self.body())]


def boards(source: str) -> dict[str, str]:
    """Of each statement that a lecturer's page writes on the board the lines, as Markdown."""
    return {found["label"]: found["body"].strip() for found in BOARD.finditer(source)}


def board_of(folder: Path, chapter: str, label: str) -> str:
    """The board version of one statement.

    Raises:
        KitError: the chapter's page has none.
    """
    path = folder / "lectures" / f"{chapter}.md"
    known = boards(path.read_text("utf8")) if path.exists() else {}
    if label not in known:
        raise KitError(f"lectures/{chapter}.md has no board for {label}")
    return known[label]


class Misconception(KitDirective):
    """What students believe, and the sentence that dissolves it."""

    def made(self) -> list[nodes.Node]:
        """Both."""
        parsed, _ = self.parse_inline(self.arguments[0].strip('"“”'))
        believed = nodes.paragraph("", "", nodes.inline("", "“"), *parsed, nodes.inline("", "”"))
        believed["classes"] = ["believed"]
        return [box("misconception", believed, *self.body())]


class RunTimes(KitDirective):
    """The cells of the chapter that take a while, as measured when the book was built."""

    required_arguments = 0

    def made(self) -> list[nodes.Node]:
        """The table, and in its caption all cells together."""
        cells = {
            page.partition("/")[2]: shown_cells(self.site, page)
            for page in pages_of(chapter_of(self.env.docname))
        }
        rows = "".join(
            f"<tr><td>{page}</td><td><code>{escape(cell['line'])}</code></td>"
            f"<td>{cell['seconds']:.1f}</td></tr>"
            for page, each in cells.items()
            for cell in each
            if cell["seconds"] >= QUICK
        )
        sums = {page: sum(cell["seconds"] for cell in each) for page, each in cells.items()}
        all_cells = "; ".join(f"{page} {seconds:.0f} s" for page, seconds in sums.items())
        heads = "".join(
            f'<th scope="col">{head}</th>' for head in ("page", "cell that begins with", "seconds")
        )
        return [
            raw(
                f'<div class="wide"><table class="runtimes"><caption>{TIMED} {all_cells}.</caption>'
                f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
            )
        ]


def shown_cells(site: Site, page: str) -> list[dict]:
    """The cells that a reader sees, with their seconds.

    Raises:
        KitError: the page was not executed in this build.
    """
    if page not in site.times:
        raise KitError(f"no times of {page}: run make book again")
    return [cell for cell in site.times[page] if "remove-cell" not in cell["tags"]]
