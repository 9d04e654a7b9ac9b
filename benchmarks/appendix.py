"""The tables of the book's appendix on speed, each between two marks of its own."""

from __future__ import annotations

import pathlib

PAGE = pathlib.Path(__file__).parents[1] / "book" / "speed.md"


def write_table(script: str, table: str) -> None:
    """Put a table where the page has the marks of the script that measured it.

    Raises:
        ValueError: if the page does not have both marks.
    """
    begin, end = f"<!-- written by benchmarks/{script} -->", f"<!-- end of benchmarks/{script} -->"
    page = PAGE.read_text(encoding="utf-8")
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{PAGE.name} has no place for the table of {script}: {begin} … {end}")
    PAGE.write_text(f"{head}{begin}\n\n{table}\n\n{end}{tail}", encoding="utf-8")
