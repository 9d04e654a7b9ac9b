"""A small book with two questions on a page, and once more on a page that nothing executes."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.site import copies

ONE = """\
:::{admonition} Predict
:class: predict
:name: predict-sumOWN

What is the sum $\\sum_k k$ of the first hundred numbers?

1. $10^2$
2. about 5000
3. about 10 000
:::
"""
ANSWER_ONE = """\
:::{admonition} What the sum is
:class: predicted dropdown
:name: predict-sumOWN-answer

1. That many numbers are added.
2. A number is fifty on the average.
   There are a hundred.
3. It would be if all were a hundred.

A boy is said to have known it.
:::

Words that follow.
"""
SEVERAL = """\
## Primes

:::{admonition} Predict
:class: predict several
:name: predict-primesOWN

Which of these are prime?

1. [seven](intro)
2. nine
3. eleven
:::
"""
ANSWER_SEVERAL = """\
:::{admonition} The primes among them
:class: predicted dropdown
:name: predict-primesOWN-answer

1. Only one and itself divide it.
2. It is three threes.
3. Only itself and one divide it.
:::
"""
SUM, PRIMES = "#predict-sum", "#predict-primes"
CHOOSE, SHOW = "That is my prediction", "Show me"
NEAREST = "min(range(3), key=lambda k: abs((100, 5000, 10_000)[k] - total))"


def answer_cell(source: str, **predict) -> nbformat.NotebookNode:
    """The cell of an answer."""
    return new_markdown_cell(source, metadata={"predict": predict})


def notebook(own: str = "") -> nbformat.NotebookNode:
    """The page; `own` ends its names."""
    shut = {"tags": ["hide-output"]}
    cells = [
        new_markdown_cell("# Guesses\n\nWhat is asked here is shut below."),
        new_code_cell("numbers = range(1, 101)"),
        new_markdown_cell(ONE.replace("OWN", own)),
        new_code_cell("total = sum(numbers)\nprint(f'all: {total}')", metadata=shut),
        new_markdown_cell("Words between."),
        new_code_cell(
            "from IPython.display import HTML\n"
            "HTML(f'<p id=\"a-table\">Half of it is {total // 2}.</p>')"
        ),
        answer_cell(
            ANSWER_ONE.replace("OWN", own), name=f"predict-sum{own}", right=NEAREST,
            found="f'they make {total}'",
        ),
        new_markdown_cell(SEVERAL.replace("OWN", own)),
        new_code_cell("print([n for n in (7, 9, 11) if n % 3])", metadata=shut),
        answer_cell(
            ANSWER_SEVERAL.replace("OWN", own), name=f"predict-primes{own}",
            right="[prime(n) for n in (7, 9, 11)]",
            found="' and '.join(str(n) for n in numbers if 6 < n < 12 and prime(n))",
            code=["def prime(n):", "    return all(n % k for k in numbers[1 : n - 1])"],
        ),
        new_markdown_cell("## The end\n\nGoodbye."),
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def write(folder: Path) -> Path:
    """The sources of the book; returns where its site is built."""
    copies.small_book(folder, "guesses", "unread")
    nbformat.write(notebook(), folder / "book" / "guesses.ipynb")
    unread = notebook("-unread")
    unread.metadata["mystnb"] = {"execution_mode": "off"}
    nbformat.write(unread, folder / "book" / "unread.ipynb")
    return folder / "_build" / "html"


def press(page, question, name):
    page.locator(question).get_by_role("button", name=name).click()


def choose(page, question, *choices):
    for choice in choices:
        page.locator(question).get_by_label(choice).check()
    press(page, question, CHOOSE)


def answer(page, question):
    return page.locator(f"{question}-answer")


def shown(page, question):
    return answer(page, question).inner_text()
