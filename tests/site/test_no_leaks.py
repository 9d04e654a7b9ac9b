"""Nothing that is written for lecturers alone is in what students get."""

import json

import pytest

from gaugebook.packed import packed
from gaugebook.search import INDEX
from tests.site import leaks
from tools.students import write


def test_the_students_site_has_nothing_of_the_lecturers(site):
    assert leaks.found(site) == {}


def test_nor_have_their_notebooks(tmp_path):
    write(tmp_path)
    assert leaks.found(tmp_path) == {}


@pytest.mark.parametrize("name", ["searchindex.js", "book/symmetry.html", "_sources/book/x.ipynb"])
def test_control_a_sentence_of_a_lecturer_is_found_wherever_it_stands(tmp_path, name):
    page = leaks.LECTURER / "lectures" / "symmetry.md"
    where, text = next(pair for pair in leaks.lecturers() if pair[0].endswith("symmetry.md"))
    run = " ".join(next(iter(leaks.runs(text))))
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    said = json.dumps({"cells": [{"source": run}]})
    path.write_text(packed([run] * 9) if name == INDEX else said, "utf8")
    assert page.exists()
    assert run in leaks.found(tmp_path)[where]


def test_control_the_kit_has_much_to_say_and_the_site_has_words(site):
    assert sum(1 for _, text in leaks.lecturers() for _ in leaks.runs(text)) > 5000
    assert len(leaks.of(leaks.of_a_file(p) for p in leaks.for_students(site))) > 20_000
