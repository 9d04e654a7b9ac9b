"""Formulas are typeset while the book is built, and a mistake in one fails the build."""

import subprocess
import sys
from pathlib import Path

import pytest

from gaugebook.katex import Katex, TexError

pytestmark = pytest.mark.xdist_group("mathematics")

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
CONF = f"""
import sys
sys.path.append({str(EXTENSIONS)!r})
extensions = ["myst_parser", "gaugebook.mathematics"]
myst_enable_extensions = ["dollarmath", "amsmath"]
html_math_renderer, html_theme, numfig, math_numfig = "katex", "basic", True, True
"""


def build(folder, **pages):
    """Builds pages of Markdown; gives the finished process, and each page by its name."""
    (folder / "conf.py").write_text(CONF, "utf8")
    for name, text in {"index": "The first page.", **pages}.items():
        (folder / f"{name}.md").write_text(f"---\norphan: true\n---\n# Page\n\n{text}", "utf8")
    command = [sys.executable, "-m", "sphinx", "-q", "-E", str(folder), str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    paths = {name: folder / "out" / f"{name}.html" for name in pages}
    return done, {name: path.read_text("utf8") for name, path in paths.items() if path.exists()}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Pages without a mistake, built together."""
    return build(
        tmp_path_factory.mktemp("book"),
        index="$$\nE = mc^2\n$$ (eq-one)\n\n"
        "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n\n{eq}`eq-one`\n",
        formula="A formula $x$.",
        none="No formula.",
        punctuation="Take $x$, then $y$ and ($z$), the $p$-norm, the $n$-th one.",
    )


@pytest.fixture(scope="module")
def katex():
    typesetter = Katex()
    yield typesetter
    typesetter.close()


def test_formula_becomes_html_for_eyes_and_mathml_for_ears(katex):
    html = katex.render(r"\frac{a_i}{a_j}", display=False)
    assert "<mfrac>" in html
    assert 'class="katex-html" aria-hidden="true"' in html


@pytest.mark.parametrize("tex", [r"\frac{1}", r"\nosuchcommand", "a_b_c", r"\begin{array}x", "é"])
def test_mistake_is_named(katex, tex):
    with pytest.raises(TexError, match=r"KaTeX parse error|LaTeX-incompatible"):
        katex.render(tex, display=True)


def test_typesetter_lives_on_after_a_mistake(katex):
    with pytest.raises(TexError):
        katex.render(r"\left(", display=False)
    assert "<mn>7</mn>" in katex.render("7", display=False)


def test_numbers_and_references_are_those_of_sphinx(book):
    done, pages = book
    page = pages["index"]
    assert (done.returncode, done.stderr) == (0, "")
    assert page.count('class="eqno"') == 2
    assert '<span class="eqno">(1)' in page
    assert 'href="#equation-eq-one">(1)</a>' in page
    assert "katex-tag" not in page  # no second number by KaTeX


def test_only_a_page_with_formulas_loads_the_style(book):
    assert "katex.min.css" in book[1]["formula"]
    assert "katex.min.css" not in book[1]["none"]


def test_punctuation_stays_with_its_formula(book):
    page = book[1]["punctuation"]
    assert page.count('class="unbroken"') == 4
    for after, goes_on in ((",", " then"), ("),", " the"), ("-", "norm"), ("-th", " one")):
        assert f"</span></span>{after}</span></span>{goes_on}" in page


def test_mistake_fails_the_build_and_says_where(tmp_path):
    done, _ = build(tmp_path, wrong="Fine: $x$.\n\nWrong: $\\frac{1}$.\n")
    assert done.returncode != 0
    assert "wrong.md:8" in done.stderr
    assert r"\frac{1}" in done.stderr


def test_every_mistake_is_reported_at_once(tmp_path):
    done, _ = build(tmp_path, wrong="$\\wrong$ and\n\n$$\n\\alsowrong\n$$\n")
    assert "2 formulas could not be typeset" in done.stderr
