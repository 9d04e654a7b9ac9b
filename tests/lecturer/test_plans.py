"""The minutes of the courses add up, and are those that the book's pages and exercises name."""

import json
import re
from functools import cache

import pytest

from tests.lecturer.test_pages import CHAPTERS, ROOT

PLANS = (ROOT / "lecturer" / "plans.md").read_text("utf8")
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
EXERCISE = re.compile(r"\{exercise\} ★+ · (\d+) minutes\n:label: (\S+)")
READING = re.compile(r"^\*It takes\* about (\d+) minutes", re.MULTILINE)


@cache
def prose(name: str) -> str:
    cells = json.loads((ROOT / "book" / f"{name}.ipynb").read_text("utf8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


@cache
def exercises() -> dict[str, int]:
    pages = (path.stem for path in (ROOT / "book").glob("*_exercises.ipynb"))
    return {label: int(min) for page in pages for min, label in EXERCISE.findall(prose(page))}


def tables(text: str) -> list[list[list[str]]]:
    """Each table as rows of cells, its head first."""
    found = []
    for table in TABLE.findall(text):
        rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()]
        found.append([rows[0], *rows[2:]])
    return found


def minutes(cell: str) -> int:
    return int(cell.strip("*") or 0)


def wrong_sums(text: str) -> list[str]:
    """Tables whose minutes do not add up to their last row, and exercises that take others."""
    wrong = []
    for head, *rows in tables(text):
        column = head.index("min") if "min" in head else -1
        if rows[-1][-1] == "**together**":
            *steps, total = (minutes(row[column]) for row in rows)
            wrong += [f"{sum(steps)}, not {total}"] if sum(steps) != total else []
        elif column >= 0:
            for row in rows:
                for at in (i for i, name in enumerate(head) if name == "min"):
                    known = [exercises()[x] for x in re.findall(r"<(ex-[\w-]+)>`", row[at - 1])]
                    if sum(known) != minutes(row[at]):
                        wrong.append(f"{row[at - 1]}: {sum(known)}, not {row[at]}")
    return wrong


def test_the_minutes_of_each_plan_add_up():
    assert wrong_sums(PLANS) == []
    assert len(exercises()) > 45
    assert sum(table[-1][-1] == "**together**" for table in tables(PLANS)) == 5


CONTROLS = {
    "a plan": ("| min | what |\n| --- | --- |\n| 3 | a |\n| **4** | **together** |\n", "3, not 4"),
    "an exercise": (
        "| after | exercises | min |\n| --- | --- | --- |\n| one | {in}`One <ex-balance>` | 9 |\n",
        "{in}`One <ex-balance>`: 8, not 9",
    ),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_control_a_wrong_sum_is_noticed(name):
    text, complaint = CONTROLS[name]
    assert wrong_sums(text) == [complaint]


def test_what_is_read_before_takes_as_long_as_its_page_says():
    compared: set[str] = set()
    for head, *rows in tables(PLANS):
        at = next(
            (i for i, name in enumerate(head) if name in ("before, min", "to read, min")), None
        )
        for row in rows if at is not None else ():
            pages = re.findall(r"`(\w+)`", row[at - 1])
            asked = sum(int(READING.search(prose(page))[1]) for page in pages)
            assert minutes(row[at]) in (asked, 0), row
            compared.update(pages if minutes(row[at]) else ())
    assert set(CHAPTERS) <= compared


def test_the_day_goes_on_from_one_thing_to_the_next():
    (day,) = (table for table in tables(PLANS) if table[0][0] == "from")
    clock = 9 * 60
    for begins, takes, _ in day[1:-1]:
        assert begins == f"{clock // 60}:{clock % 60:02}"
        clock += minutes(takes)
    assert begins == "17:00"


def test_no_exercise_of_the_book_is_forgotten_in_a_term():
    lectures, classes = (table for table in tables(PLANS) if table[0][0] == "week")
    assert sorted(re.findall(r"<(ex-[\w-]+)>`", str(classes))) == sorted(exercises())
    for table in (lectures, classes):
        assert [row[0] for row in table[1:]] == [str(week) for week in range(1, 15)]


@pytest.mark.parametrize("name", ["mid-term", "final"])
def test_an_examination_takes_as_long_as_the_plan_says(name):
    sheet = (ROOT / "lecturer" / "problems" / name.replace("-", "") / "__init__.py").read_text(
        "utf8"
    )
    takes = re.search(r"\bminutes=(\d+)", sheet)[1]
    assert f"The {name} of the kit takes {takes} minutes" in PLANS
