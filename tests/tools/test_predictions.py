"""What a notebook says of a prediction is complete, and its answer depends on what was computed."""

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from sphinx.errors import ExtensionError

from gaugebook.predictions import INSERTED, read, with_verdicts
from gaugebook.verdict import PredictionError, verdict
from tests.site.guesses import notebook
from tools.predictions import main, verdicts


def complaint(change):
    """What is said of the small page after a change to its cells."""
    page = notebook()
    change(page.cells)
    try:
        read(page.cells, "guesses.ipynb")
    except ExtensionError as error:
        return str(error)
    return ""


def replaced(old, new):
    def change(cells):
        assert any(old in cell.source for cell in cells)
        for cell in cells:
            cell.source = cell.source.replace(old, new)

    return change


def with_metadata(**changes):
    """Of the first answer; None removes."""

    def change(cells):
        given = next(cell.metadata["predict"] for cell in cells if "predict" in cell.metadata)
        given.update(changes)
        for key in [key for key, value in given.items() if value is None]:
            del given[key]

    return change


def without_metadata(cells):
    for cell in cells:
        cell.metadata.pop("predict", None)


def swapped(cells):
    cells[2], cells[6] = cells[6], cells[2]


BARE = ":::{admonition} Predict\n:class: predict\n\nWhat will it be?\n:::"
REFUSED = {
    "no answer": (replaced("predict-primes-answer", "predict-other-answer"), "metadata"),
    "only asked": (
        lambda cells: cells.append(new_markdown_cell(BARE)),
        "is no name of a question: give the box `:name:",
    ),
    "no question": (replaced(":name: predict-sum\n", ""), "without a name"),
    "another question": (replaced(":name: predict-sum\n", ":name: predict-x\n"), "is named"),
    "two of a name": (replaced(":name: predict-primes\n", ":name: predict-sum\n"), "two questions"),
    "a strange name": (replaced("predict-sum", "guess-sum"), "is no name of a question"),
    "answered first": (swapped, "before or where it is asked"),
    "one choice": (replaced("2. about 5000\n3. about 10 000\n", ""), "2 to 5 choices"),
    "words behind": (replaced("3. about 10 000\n", "3. about 10 000\n\nWell?\n"), "ends its box"),
    "a choice more": (replaced("3. eleven\n", "3. eleven\n4. one\n"), "4 choices and 3 answers"),
    "an answer less": (replaced("2. It is three threes.\n", ""), "3 choices and 2 answers"),
    "words before": (replaced("1. Only one and", "So:\n\n1. Only one and"), "begin the answer"),
    "a judgement": (
        replaced("2. It is three", "2. Wrong: it is three"),
        "page says which is right",
    ),
    "no metadata": (without_metadata, "in the metadata of the answer's cell"),
    "no found": (with_metadata(found=None), '"found": an expression'),
    "a number": (with_metadata(right=1), "an expression"),
    "a stranger": (with_metadata(hint="1"), "nothing else"),
    "code in one piece": (with_metadata(code="a = 1"), "a list of lines"),
    "another name": (with_metadata(name="predict-some"), "has metadata"),
}


def test_control_the_small_page_is_complete():
    assert complaint(lambda cells: None) == ""
    one, several = read(notebook().cells, "guesses.ipynb")
    assert (one.name, one.several, several.several) == ("predict-sum", False, True)
    assert several.choices == ("[seven](intro)", "nine", "eleven")
    assert one.choices[1:] == ("about 5000", "about 10 000")
    assert "There are a hundred" in one.reasons[1]


@pytest.mark.parametrize("name", REFUSED)
def test_a_prediction_that_is_incomplete_is_refused_with_what_to_do(name):
    change, said = REFUSED[name]
    found = complaint(change)
    assert found.startswith("guesses.ipynb: the prediction ")
    assert said in found


def test_a_cell_is_put_before_each_answer_and_nothing_else_is_changed():
    cells = notebook().cells
    longer = with_verdicts(cells, "guesses.ipynb")
    assert [cell for cell in longer if INSERTED not in cell["metadata"]] == cells
    places = [k for k, cell in enumerate(longer) if INSERTED in cell["metadata"]]
    assert [longer[k + 1]["metadata"]["predict"]["name"] for k in places] == [
        longer[k]["metadata"][INSERTED] for k in places
    ]


def said(right, found="f'{total}'", code=(), choices=3, several=False, **page):
    spec = {"name": "predict-x", "choices": choices, "several": several}
    names = {"total": 5050, "__name__": "__main__", "ast": pytest, **page}
    given = {"right": right, "found": found, "code": list(code)}
    return verdict(spec | given, names)


@pytest.mark.parametrize(
    ("right", "several", "places"),
    [
        ("total // 2525", False, [2]),
        ("int(total > 1)", False, [1]),
        ("{0, total // 2525}", True, [0, 2]),
        ("[total > 1, total < 1, total > 2]", True, [0, 2]),
        ("(k for k in range(3) if k * total > 5050)", True, [2]),
    ],
)
def test_the_right_choices_are_computed(right, several, places):
    assert said(right, several=several) == {"right": places, "found": "5050"}


@pytest.mark.parametrize(
    ("right", "code"),
    [
        ("1", ()),
        ("len('a')", ()),
        ("min(range(3), key=lambda k: abs(k - 1))", ()),
        ("answer", ("answer = 1",)),
        ("total", ("total = 1",)),
        ("[total for total in (1, 2)][0]", ()),
        ("int(ast is None)", ()),  # a module that is not the library is no result
        ("math.floor(1.5)", ("import math",)),
    ],
)
def test_an_answer_that_is_typed_is_refused(right, code):
    with pytest.raises(PredictionError, match="depends on nothing that the page"):
        said(right, code=code)
    with pytest.raises(PredictionError, match="`found`"):
        said("total // 2525", found="'about 5000'")


@pytest.mark.parametrize(
    ("right", "code"),
    [
        ("half // 2525 + 1", ("half = total // 2",)),
        ("f()", ("def f():", "    return total // 2525")),
        ("gl.hat()[0].out_features - 1", ("import gaugelib as gl",)),
        ("len(hat().state_dict()) - 3", ("from gaugelib import hat",)),
    ],
)
def test_control_what_follows_from_the_page_or_the_library_is_not(right, code):
    assert said(right, code=code)["right"] in ([1], [2])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"right": "total"}, "must give the index of a choice, counted from 0, of 3"),
        ({"right": "-total"}, "of 3"),
        ({"right": "total / 5050"}, "gives 1.0"),
        ({"right": "[total > 9e9] * 3", "several": True}, "a truth value for each choice"),
        ({"right": "totl"}, "depends on nothing"),
        ({"right": "total["}, "is no Python"),
        ({"right": "total.nothing"}, "`right` fails with AttributeError"),
        ({"right": "total // 2525", "code": ["1 / 0"]}, "`code` fails with ZeroDivisionError"),
        ({"right": "total // 2525", "found": "total"}, "one line of text"),
        ({"right": "total // 2525", "found": "f'{total}$'"}, "no TeX"),
    ],
)
def test_what_gives_no_answer_is_refused_with_what_to_do(given, complaint):
    with pytest.raises(PredictionError) as error:
        said(**given)
    assert complaint in str(error.value)


def test_the_names_of_the_page_and_its_chance_stay_as_they_are():
    import torch

    draw = torch.Generator().manual_seed(1)
    page = {"total": 5050, "draw": draw, "__name__": "__main__"}
    spec = {"name": "predict-x", "choices": 3, "several": False, "found": "f'{total}'"}
    before = dict(page)
    verdict(
        {**spec, "right": "other // 2525", "code": ["other = total", "total = total + 1"]}, page
    )
    assert page == before
    with pytest.raises(PredictionError, match="a generator of the page was drawn from"):
        verdict({**spec, "right": "int(torch.rand(1, generator=draw))"}, {**page, "torch": torch})


def test_the_command_prints_what_the_build_will_find(tmp_path, capsys):
    path = tmp_path / "guesses.ipynb"
    nbformat.write(notebook(), path)
    found = verdicts(path)
    assert {name: verdict for name, (_, verdict) in found.items()} == {
        "predict-sum": {"right": [1], "found": "they make 5050"},
        "predict-primes": {"right": [0, 2], "found": "7 and 11"},
    }
    page = notebook()
    with_metadata(right="total // 0")(page.cells)
    nbformat.write(page, path)
    assert main([str(path)]) == 1
    assert "predict-sum: `right` fails with ZeroDivisionError" in capsys.readouterr().err
