"""Formulas are typeset while the book is built, and a mistake in one fails the build."""

import subprocess
import sys
from pathlib import Path

import pytest

from gaugebook.katex import Katex, TexError

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
CONF = f"""
import sys
sys.path.append({str(EXTENSIONS)!r})
extensions = ["myst_parser", "gaugebook.mathematics"]
myst_enable_extensions = ["dollarmath", "amsmath"]
html_math_renderer, html_theme, numfig, math_numfig = "katex", "basic", True, True
"""


@pytest.fixture
def build(tmp_path):
    """Builds a page of Markdown; gives the finished process and the page."""

    def build_it(text):
        (tmp_path / "conf.py").write_text(CONF, "utf8")
        (tmp_path / "index.md").write_text("# Page\n\n" + text, "utf8")
        command = [sys.executable, "-m", "sphinx", "-q", "-E", str(tmp_path), str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        page = tmp_path / "out" / "index.html"
        return done, page.read_text("utf8") if page.exists() else ""

    return build_it


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


def test_numbers_and_references_are_those_of_sphinx(build):
    done, page = build(
        "$$\nE = mc^2\n$$ (eq-one)\n\n"
        "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n\n{eq}`eq-one`\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert page.count('class="eqno"') == 2
    assert '<span class="eqno">(1)' in page
    assert 'href="#equation-eq-one">(1)</a>' in page
    assert "katex-tag" not in page  # no second number by KaTeX


def test_only_a_page_with_formulas_loads_the_style(build):
    assert "katex.min.css" in build("A formula $x$.")[1]
    assert "katex.min.css" not in build("No formula.")[1]


def test_punctuation_stays_with_its_formula(build):
    page = build("Take $x$, then $y$ and ($z$), the $p$-norm, the $n$-th one.")[1]
    assert page.count('class="unbroken"') == 4
    for after, goes_on in ((",", " then"), ("),", " the"), ("-", "norm"), ("-th", " one")):
        assert f"</span></span>{after}</span></span>{goes_on}" in page


def test_mistake_fails_the_build_and_says_where(build):
    done, _ = build("Fine: $x$.\n\nWrong: $\\frac{1}$.\n")
    assert done.returncode != 0
    assert "index.md:5" in done.stderr
    assert r"\frac{1}" in done.stderr


def test_every_mistake_is_reported_at_once(build):
    done, _ = build("$\\wrong$ and\n\n$$\n\\alsowrong\n$$\n")
    assert "2 formulas could not be typeset" in done.stderr
