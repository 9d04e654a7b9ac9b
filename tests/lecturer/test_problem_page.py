"""The book's page of problems has the questions of the chapters, and nothing that answers them."""

import re
from io import StringIO

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from gaugebook import problems
from tests.lecturer.samples import tasks_of
from tests.lecturer.test_sheets import fragments, told
from tests.meta.prose import ROOT
from tools.teach import CHAPTERS, drawn, load

CONF = """
extensions = ["myst_parser", "gaugebook.mathematics", "gaugebook.problems"]
html_math_renderer = "katex"
myst_enable_extensions = ["colon_fence", "dollarmath"]
root_doc = "problems"
html_theme = "basic"
"""
ANSWERS = re.compile(rb"SOLUTION|MISTAKE|MARK|rhombus")


@pytest.fixture
def built(tmp_path, monkeypatch):
    """All files that a build of the page alone writes, its environment among them."""

    def build(*names):
        monkeypatch.setattr(problems, "FOLDER", tmp_path / "kit")
        source, out = tmp_path / "source", tmp_path / "out"
        source.mkdir()
        (source / "conf.py").write_text(CONF)
        (source / "problems.md").write_bytes((ROOT / "book" / "problems.md").read_bytes())
        if names:
            tasks_of(tmp_path / "kit", "symmetry", *names)
            tasks_of(tmp_path / "kit", "midterm", "of_the_exam")
        with docutils_namespace():
            app = Sphinx(
                source, source, out, out / "doctrees", "html", status=None, warning=StringIO()
            )
            app.build()
        assert app.statuscode == 0
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.*")}

    return build


def test_nothing_but_the_questions_reaches_page_environment_index_or_source(built):
    files = built("first", "second")
    page = files["problems.html"].decode()
    assert re.findall(r"<h2>([^<]*)", page) == ["The symmetry"]
    assert re.findall(r"<h3>(The [^<]*)", page) == ["The title of first", "The title of second"]
    assert page.count("★★ · 7 minutes") == 2
    side = drawn("first").randrange(100, 10**6)
    assert str(side) in page
    assert {"searchindex.js", "doctrees/environment.pickle"} <= set(files)
    assert [name for name, content in files.items() if ANSWERS.search(content)] == []
    assert [name for name, content in files.items() if str(side**2).encode() in content] == []
    assert [name for name, content in files.items() if b"of_the_exam" in content] == []
    assert b"QUESTION" not in files["_sources/problems.md.txt"]
    # the control: what is on the page is found where it would be looked for
    found = {name for name, content in files.items() if b"QUESTION" in content}
    assert {"problems.html", "doctrees/problems.doctree"} <= found


def test_a_copy_without_the_lecturer_s_folder_says_so(built):
    assert "This copy of the book has no problems" in built()["problems.html"].decode()


def test_the_page_has_the_question_of_every_chapter_s_problem_and_no_other_word_of_it():
    pages = [path.stem for path in (ROOT / "book").glob("*.ipynb")]
    text = " ".join("\n".join(problems.written(problems.FOLDER, pages)).split())
    for name, collection in load().items():
        for task in collection.tasks:
            made = task(drawn(task.name))
            shown = [part in text for part in fragments(made.question)]
            assert sum(shown) > len(shown) / 2 if name in CHAPTERS else not any(shown)
            assert [part for part in told(made) if part in text] == []


def test_a_course_has_the_problems_of_its_chapters_in_its_order(tmp_path):
    tasks_of(tmp_path, "symmetry", "first")
    tasks_of(tmp_path, "pairing", "second")
    text = "\n".join(problems.written(tmp_path, [], ("pairing",)))
    assert "The title of second" in text
    assert "The title of first" not in text
    assert [text.count("## "), text.count("### ")] == [2, 1]
